/** Judgements over the running model: examples as a scenario writes them, and time travel with the machine. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../../src/dsl/diagnostic.ts';
import type { Program } from '../../../src/sim/program.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';

const WORLD = `language 1
host h0 {
  cpus 1; ram 32MiB; page 4KiB; workers 2
  swap nvme { size 32MiB; read fixed(100us); depth 4; readahead 1 pages }
}
vm web on h0 {
  ram 1MiB; paging tdp; irqchip kernel; vcpus 1
  guest {
    apf on
    task db    on vcpu[0] user { loop { read heap uniform; work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
    irq disk on vcpu[0] { work 2us }
  }
}
let cold = web.heap.page(17)
limit time 10ms
`;

const ACTS = `
at 0us evict cold
at 100us db reads cold
hold swap_read(cold) for 3ms
at 2ms irq disk on web.vcpu[0] via lapic
`;

function programOf(text: string, variant: string): Program {
  const { suite, diagnostics } = compile({ path: 'world.apf', text: `${WORLD}${ACTS}${text}` }, () => null);
  assert.equal(
    diagnostics.map(each => renderDiagnostic(each)),
    [],
  );
  const [only] = suite?.cases ?? [];
  const [cell] = only?.cells ?? [];
  const program = only && cell ? only.lower(cell, variant).program : null;
  if (!program) throw new Error('the world does not lower');
  return program;
}

/** Names of what fails, and why. */
function failures(text: string, variant: string): readonly string[] {
  const simulation = createSimulation(programOf(text, variant));
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  return simulation.outcome().violations.map(each => `${each.property}: ${each.actual}`);
}

const JUDGED = `
expect halted: web.vcpu[0] is halted(synthetic) by 150us
never slept: swap_wait(cold) by thread(web.vcpu[0])
expect asynchronous: took_apf(cold)
expect at_2ms: cold is in_flight at 2ms
expect first: cold is swapped at 100us
expect last: cold is mapped
expect order not_present(cold) -> irq(tick) -> switch_to(shell) -> ready(cold)
eventually handled: runs(web.vcpu[0], disk) within 50us after irq(disk)
always one_writer: writers(web.vcpu[0].mp_state) within [thread(web.vcpu[0])]
expect waited: max(web.stall) >= 3ms
expect one_read: max(h0.nvme.read_time) >= 3ms and count(h0.nvme.read_time) == 1
`;

test('the synthetic halt of 2010, judged', () => {
  assert.equal(failures(JUDGED, 'v6'), []);
});

test('a guest that is told does not halt, nor wait for its tick', () => {
  const [halted, order, ...more] = failures(JUDGED, 'linux_6_12');
  assert.is(halted, 'halted: web.vcpu[0] is not halted(synthetic)');
  assert.match(order ?? '', /no ready\(page\(17\)\) after switch_to\(shell\)/);
  assert.equal(more, []);
  assert.equal(
    failures('expect order not_present(cold) -> switch_to(shell) -> ready(cold) -> wakes(db)', 'linux_6_12'),
    [],
  );
});

test('sync: the vCPU thread sleeps in the fault', () => {
  const [halted, slept, asynchronous] = failures(JUDGED, 'sync');
  assert.is(halted, 'halted: web.vcpu[0] is not halted(synthetic)');
  assert.match(slept ?? '', /^slept: swap_wait\(page\(17\)\) by thread\(web\.vcpu\[0\]\) happened at 1\d\d\.\d+us$/);
  assert.is(asynchronous, 'asynchronous: took_apf(page(17)) has not happened');
});

test('time travel: save, wander, restore, continue', () => {
  for (const variant of ['v6', 'linux_6_12']) {
    const program = programOf(JUDGED, variant);
    const straight = createSimulation(program);
    straight.runUntil(Number.MAX_SAFE_INTEGER);
    const travelled = createSimulation(program);
    for (const stop_ns of [105_000, 2_500_000, 6_000_000]) {
      travelled.runUntil(stop_ns);
      const saved = travelled.save();
      travelled.runUntil(stop_ns + 3_000_000);
      travelled.outcome();
      travelled.restore(saved);
    }
    travelled.runUntil(Number.MAX_SAFE_INTEGER);
    assert.equal(travelled.outcome(), straight.outcome());
  }
});

test('what nobody judges costs nothing', () => {
  const { needs } = createSimulation(programOf('expect took_apf(cold)', 'v6')).judge;
  assert.equal(needs, { steps: false, observations: true, records: false });
});

test.run();
