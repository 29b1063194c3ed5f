/** Faults on order: each is used up where the thing would have happened, and by nothing else. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation } from '../../src/sim/simulation.ts';
import { lowered } from '../lowered.ts';

/** What fails of a run in which one thing goes wrong; `expected` are judgements. */
function failures(variant: string, ordered: string, expected: string): string {
  const program = lowered(
    `
language 1
title "on order"
host h { cpus 2; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(500us); readahead 2 pages } }
vm v on h {
  ram 1MiB; vcpus 1
  guest {
    apf on
    task a on vcpu[0] user { sleep 2500us; read page(17); done }
    task b on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}
limit time 12ms
at 0us evict v.heap.page(17)
at 2200us ${ordered}
${expected}
`,
    variant,
  );
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  return simulation
    .outcome()
    .violations.map(({ property }) => property)
    .join(' ');
}

const JUDGED = `
expect through: done(a)
expect told: not_present()
expect ready: ready()
expect completed: completed()
`;

test('an interrupt that is lost is the next that anything raises', () => {
  assert.is(failures('linux_6_12', 'drop interrupt 1', `${JUDGED}\nexpect ticks: count(irq(tick)) == 11`), '');
  assert.is(failures('linux_6_12', 'drop interrupt 2', `${JUDGED}\nexpect ticks: count(irq(tick)) == 10`), '');
});

test('ready that is lost leaves the task parked; twice or late does not', () => {
  for (const variant of ['linux_4_19', 'linux_6_12']) {
    assert.is(failures(variant, 'drop ready 1', JUDGED), 'through', variant);
    assert.is(
      failures(variant, 'delay ready 1 by 5ms', `${JUDGED}\nnever early: done(a) during 0us..7ms`),
      '',
      variant,
    );
  }
  assert.is(failures('linux_6_12', 'duplicate ready 1', JUDGED), '');
});

test('a work item that is lost is never completed; one that is late is', () => {
  assert.is(failures('linux_6_12', 'drop work 1', JUDGED), 'through ready completed');
  assert.is(failures('linux_6_12', 'delay work 1 by 5ms', JUDGED), '');
  assert.is(failures('linux_6_12', 'duplicate work 1', JUDGED), '');
});

test('schedule_work() that fails: synchronous up to 5.7, forgotten since', () => {
  assert.is(failures('linux_4_19', 'fail work next 1', 'expect through: done(a)\nnever told: not_present()'), '');
  assert.is(failures('linux_6_12', 'fail work next 1', JUDGED), 'through ready completed');
});

test('a failure under a condition comes when that holds', () => {
  const when = 'fail gup next 1 when v.heap.page(17) is in_flight';
  assert.is(failures('linux_6_12', when, `${JUDGED}\nexpect once: count(not_present()) == 2`), 'once');
});

test('what is ordered of one VM does not happen to another', () => {
  assert.is(failures('linux_6_12', 'drop work of v 0', JUDGED), '');
});

test.run();
