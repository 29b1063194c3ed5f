/** Where two runs part: by what they do, not by when; what comes later on either side; which knob it is. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareRuns, knobsBetween, knobsOfParting } from '../../../src/sim/compare/parting.ts';
import { stateAt } from '../../../src/sim/compare/state.ts';
import type { Program } from '../../../src/sim/program.ts';
import { lowered } from '../../lowered.ts';

const program = (variant: string, host = ''): Program =>
  lowered(
    `
language 1
host h { cpus 1; ram 16MiB; workers 2; ${host}; swap d { size 16MiB; read fixed(1ms); depth 8; readahead 8 pages } }
vm web on h { ram 1MiB; guest { apf on; task db on vcpu[0] user { work 20us; read page(17); done } } }
limit time 5ms
variant mine extends v6 { halt at_fault_with_unhalt; query same_as_save }
at 0us evict web.heap.page(17)
`,
    variant,
  );

test('a run beside itself never parts', () => {
  const one = program('linux_6_12');
  const { same, shifted, parting } = compareRuns(one, one, 0);
  assert.ok(same > 50);
  assert.equal([shifted, parting], [null, null]);
});

test('the same in other times is no parting, and is said', () => {
  const { shifted, parting } = compareRuns(program('v6'), program('v6', 'cost { handle_exit 5us }'), 0);
  assert.is(parting, null);
  assert.ok(shifted && shifted.a.key === shifted.b.key && shifted.a.time_ns < shifted.b.time_ns);
});

test('the first thing that differs, when each does the other one, and the knob alone', () => {
  const [a, b] = [program('v6'), program('mine')];
  const { parting } = compareRuns(a, b, 0);
  assert.ok(parting);
  assert.is(parting.a[0]?.key, 'halt(web.vcpu[0])');
  assert.match(parting.b[0]?.key ?? '', 'kvm_async_pf_not_present');
  assert.ok(parting.a_later_ns !== null && parting.b_later_ns !== null);
  assert.equal(knobsBetween(a, b), ['halt', 'query']);
  assert.equal(knobsOfParting(a, b, 0, parting), [
    { knob: 'halt', makes: 'same' },
    { knob: 'query', makes: 'nothing' },
  ]);
  const fields = stateAt(a, b, 0, parting.b[0]?.time_ns ?? 0).map(({ field }) => field);
  assert.ok(fields.includes('web.vcpu[0].mp_state'), fields.join(' '));
});

test('what came before a time does not count', () => {
  const [a, b] = [program('v6'), program('linux_6_12')];
  const whole = compareRuns(a, b, 0);
  const late = compareRuns(a, b, 30_000);
  assert.ok(whole.parting && late.parting);
  assert.ok((whole.parting.a[0]?.time_ns ?? 0) < 30_000);
  assert.ok((late.parting.a[0]?.time_ns ?? 0) >= 30_000);
});

test.run();
