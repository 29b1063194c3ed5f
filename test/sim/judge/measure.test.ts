/** Writers, records, samples, arithmetic and texts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Expr } from '../../../src/sim/expr.ts';
import { knobsOf } from '../../../src/sim/protocol/presets.ts';
import { MP_STATE } from '../../../src/sim/schema.ts';
import { TP } from '../../../src/trace/all.ts';
import {
  aggregate,
  all,
  bin,
  COLD,
  count,
  DB,
  each,
  entity,
  event,
  get,
  is,
  judged,
  judgement,
  not,
  ns,
  number,
  programWith,
  SHELL,
  the,
  US,
  V0,
  VM,
  variable,
  World,
  word,
} from './world.ts';

const page = 3;
const thread = (id: number) => entity('thread', id, `thread(web.vcpu[${id}])`);
const writers = (name: string): Expr => ({ k: 'writers', of: the(V0), name });
const within = (name: string) =>
  judgement('always', bin(writers(name), 'within', { k: 'list', items: [the(thread(0))] }), { name: 'one_writer' });

test('writers: the thread that writes out of turn is named', () => {
  const by = (who: number) => (world: World) => {
    world.m.clock.current_thread = who;
    world.step(10, m => {
      m.vcpus[0]!.mp_state = MP_STATE.HALTED;
    });
  };
  assert.is(judged(within('mp_state'), by(0)).holds, 'yes');
  const other = judged(within('mp_state'), by(1));
  assert.equal([other.holds, other.actual], ['no', 'thread(web.vcpu[1]) has written it']);
  assert.is(judged(within('mp_state'), by(999)).actual, 'a device or the scenario has written it');
  // Another row of the same field is another matter.
  const elsewhere = judged(within('mp_state'), world => {
    world.m.clock.current_thread = 1;
    world.step(10, m => {
      m.vcpus[1]!.mp_state = MP_STATE.HALTED;
    });
  });
  assert.is(elsewhere.holds, 'yes');
});

test('writers of a list', () => {
  const result = judged(within('queue'), world => {
    world.m.clock.current_thread = 2;
    world.step(10, m => m.vcpus[0]!.apf_queue.push(0));
  });
  assert.is(result.holds, 'no');
});

const TRACE: Expr = { k: 'trace', globs: ['kvm_async_pf_*'] };
const kindIsKnown = each('each', 't', TRACE, is(get(get(variable('t'), 'address'), 'kind'), 'known'));

test('trace: records are judged as they are made', () => {
  const emitted = (world: World) =>
    world.step(10, (_, judge) => {
      judge.emit(TP.kvm_async_pf_completed, 0x7fea00003000, 12, 0x1003000);
      judge.emit(TP.kvm_async_pf_not_present, 0x1001, 0x1003000);
    });
  const unlabelled = judged(judgement('always', kindIsKnown, { name: 'labelled' }), emitted);
  assert.equal([unlabelled.holds, unlabelled.at_ns], ['no', 10]);
  assert.match(unlabelled.actual, 'unknown in kvm_async_pf_not_present');

  const labelled = programWith({ judgements: [judgement('always', kindIsKnown)] });
  const vm = { ...labelled.vms[0]!, knobs: { ...knobsOf('linux_6_12'), trace_mode: 'labelled' as const } };
  assert.is(emitted(new World({ ...labelled, vms: [vm] })).end()[0]!.holds, 'yes');

  const hva: Expr = bin(get({ k: 'trace', globs: ['kvm_async_pf_completed'] }, 'address'), '==', word('hva'));
  assert.is(judged(judgement('expect', hva), emitted).holds, 'yes');
  assert.is(
    judged(judgement('expect', hva), world => world.step(1)).actual,
    'trace(kvm_async_pf_completed).address is nothing yet',
  );

  const token = each('count', 't', TRACE, bin(get(variable('t'), 'token'), '==', number(0x1001)));
  assert.is(judged(judgement('expect', bin(token, '==', number(1))), emitted).holds, 'yes');
  const other = each('some', 't', { k: 'trace', globs: ['kvm_exit'] }, { k: 'bool', value: true });
  assert.is(judged(judgement('expect', other), emitted).holds, 'no');
});

/** The current thread is vCPU 0's, which runs db. */
const stalls = (world: World) => {
  world.m.clock.current_thread = 0;
  world.m.vcpus[0]!.current = 1;
  // A minor fault is no stall.
  world.see(0, 'fault', 5).see(1 * US, 'accesses', 0, 5);
  for (const [at_us, for_us] of [
    [10, 5],
    [20, 7],
    [30, 100],
  ] as const) {
    world.see(at_us * US, 'fault', page).see(at_us * US + 1, 'took_apf', page);
    world.see((at_us + 2) * US, 'fault', page).see((at_us + 2) * US, 'repeated', page);
    world.see((at_us + for_us) * US, 'accesses', 0, page);
  }
};

test('stall: from the first fault that had to wait to the access', () => {
  const of = (fn: 'count' | 'min' | 'max' | 'p50' | 'mean' | 'p99', value: Expr, owner = VM) =>
    judged(judgement('expect', bin(aggregate(fn, get(owner, 'stall')), '==', value)), stalls).actual;
  assert.is(of('count', number(9)), 'count(web.stall) is 3');
  assert.is(of('min', ns(0)), 'min(web.stall) is 5us');
  assert.is(of('p50', ns(0), DB), 'p50(db.stall) is 7us');
  assert.is(of('max', ns(0), V0), 'max(web.vcpu[0].stall) is 100us');
  assert.is(of('p99', ns(0)), 'p99(web.stall) is 7us');
  assert.is(of('count', number(9), SHELL), 'count(shell.stall) is 0');
  assert.is(of('mean', ns(0), SHELL), 'mean(shell.stall) is nothing');
});

test('swap reads overlap and are told apart', () => {
  const swap = entity('swap', 0, 'nvme');
  const drive = (world: World) =>
    world.see(10, 'swap_submit', 1).see(20, 'swap_submit', 2).see(50, 'swap_read', 2).see(100, 'swap_read', 1);
  const of = (fn: 'min' | 'max') =>
    judged(judgement('expect', bin(aggregate(fn, get(swap, 'read_time')), '==', ns(0))), drive).actual;
  assert.equal([of('min'), of('max')], ['min(nvme.read_time) is 30ns', 'max(nvme.read_time) is 90ns']);
});

test('lists of work items', () => {
  const item = each(
    'each',
    'a',
    all(V0, 'apf'),
    bin(is(variable('a'), 'queued'), 'and', bin(is(variable('a'), 'done'), 'iff', get(variable('a'), 'completed'))),
  );
  const setUp = (completed: 0 | 1) => (world: World) =>
    world.step(1, m => {
      Object.assign(m.works[0]!, { used: 1, vcpu: 1, completed });
      m.vcpus[0]!.apf_queue.push(0);
      m.vcpus[0]!.apf_done.push(0);
    });
  assert.is(judged(judgement('always', item, { name: 'on_lists' }), setUp(1)).holds, 'yes');
  assert.is(
    judged(judgement('always', item, { name: 'on_lists' }), setUp(0)).actual,
    'a = the work item of gfn 0x0: the work item of gfn 0x0 is done, a.completed is false',
  );
});

test('arithmetic keeps to units, equality to kinds', () => {
  const holds = (body: Expr) => judged(judgement('expect', body), world => world.see(1000, 'kick', 0)).holds;
  const time = number(2_000_000_000, 'time');
  assert.is(holds(bin(bin(number(3000, 'bytes'), '/', time), '==', number(1500, 'bandwidth'))), 'yes');
  assert.is(holds(bin(bin(number(1500, 'bandwidth'), '*', time), '==', number(3000, 'bytes'))), 'yes');
  assert.is(holds(bin(bin(ns(10), '/', ns(4)), '==', number(2.5))), 'yes');
  assert.is(holds(bin({ k: 'negate', of: ns(3) }, '<', bin(ns(3), '-', ns(5)))), 'yes');
  assert.is(holds(bin(get(COLD, 'gfn'), '==', number(0x1003))), 'yes');
  assert.is(holds(bin(get(COLD, 'gpa'), '==', number(0x1003000))), 'yes');
  assert.is(holds(bin(get(DB, 'vcpu'), 'in', all(VM, 'vcpus'))), 'yes');
  assert.is(holds(bin(get(V0, 'mp_state'), 'in', { k: 'list', items: [word('HALTED'), word('RUNNABLE')] })), 'yes');
  assert.is(holds(bin(get(V0, 'task'), '==', the(DB))), 'no');
  assert.is(holds(bin(count(event('kick', null)), 'in', { k: 'list', items: [number(1)] })), 'yes');
  assert.is(holds(not(bin({ k: 'bool', value: true }, 'implies', { k: 'bool', value: false }))), 'yes');
  assert.is(holds(bin(the(V0), '==', get(SHELL, 'vcpu'))), 'yes');
});

test('page states', () => {
  const holds = (state: string) => judged(judgement('expect', is(COLD, state)), world => world.step(1)).holds;
  assert.equal(['resident', 'swapped', 'in_flight', 'mapped', 'ready', 'pinned'].map(holds), [
    'no',
    'no',
    'no',
    'no',
    'no',
    'no',
  ]);
});

test('report columns are texts with units', () => {
  const world = new World(
    programWith({
      report: [
        { title: 'stall', value: aggregate('max', get(VM, 'stall')) },
        { title: 'state', value: get(V0, 'mp_state') },
        { title: 'kicks', value: count(event('kick', V0)) },
      ],
    }),
  );
  stalls(world);
  world.see(200 * US, 'kick', 0);
  assert.equal(world.judge.report(), [
    { title: 'stall', value: '100us' },
    { title: 'state', value: 'RUNNABLE' },
    { title: 'kicks', value: '1' },
  ]);
});

test('conditions of actions', () => {
  const program = programWith({
    actions: [
      { place: programWith().place, trigger: { kind: 'when', condition: get(V0, 'apf_halted'), from_ns: 0 }, ops: [] },
    ],
  });
  const world = new World(program);
  assert.not(world.judge.holds(0));
  world.m.vcpus[0]!.apf_halted = 1;
  assert.ok(world.judge.holds(0));
});

test.run();
