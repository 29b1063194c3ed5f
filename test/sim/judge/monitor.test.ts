/** Each kind of judgement, once where it holds and once where it does not, on machines driven by hand. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OBS } from '../../../src/sim/observe.ts';
import { MP_STATE } from '../../../src/sim/schema.ts';
import {
  all,
  bin,
  COLD,
  count,
  DB,
  each,
  event,
  get,
  happened,
  is,
  judged,
  judgement,
  MS,
  maxTime,
  not,
  ns,
  number,
  order,
  programWith,
  rate,
  SHELL,
  US,
  V0,
  VM,
  variable,
  World,
  word,
} from './world.ts';

const halted = (value: 0 | 1) => (m: World['m']) => {
  m.vcpus[0]!.apf_halted = value;
};
const isMarked = is(V0, 'marked_halted', 'synthetic');
const page = 3;

test('expect looks at the end', () => {
  const drive = (world: World) => world.step(1, halted(1)).step(5);
  assert.is(judged(judgement('expect', isMarked), drive).holds, 'yes');
  const { holds, expected, actual, message, at_ns, step } = judged(
    judgement('expect', not(isMarked), { name: 'free' }),
    drive,
  );
  assert.equal([holds, at_ns, step], ['no', 5, 2]);
  assert.is(expected, 'not web.vcpu[0] is marked_halted(synthetic)');
  assert.is(actual, 'web.vcpu[0] is marked_halted(synthetic)');
  assert.is(
    message,
    "violated: expect 'free' at 5ns, step 2: expected not web.vcpu[0] is marked_halted(synthetic), found web.vcpu[0] is marked_halted(synthetic)",
  );
});

test('expect at T sees what happened at T and not what came after', () => {
  const at = (at_ns: number) =>
    judged(judgement('expect', isMarked, { at_ns }), world => world.step(10, halted(1)).step(20, halted(0)).step(30));
  assert.equal(
    [9, 10, 19, 20].map(at_ns => at(at_ns).holds),
    ['no', 'yes', 'yes', 'no'],
  );
  assert.is(at(9).at_ns, 9);
});

test('expect by T needs one moment up to T', () => {
  const by = (by_ns: number) =>
    judged(judgement('expect', isMarked, { by_ns }), world => world.step(10, halted(1)).step(20, halted(0)).step(30));
  assert.equal(
    [9, 10, 25].map(by_ns => by(by_ns).holds),
    ['no', 'yes', 'yes'],
  );
});

test('expect during a span: a state must hold throughout, a count counts in it', () => {
  const state = (from: number, to: number) =>
    judged(judgement('expect', isMarked, { during_ns: [from, to] }), world =>
      world.step(10, halted(1)).step(20, halted(0)).step(30),
    );
  assert.equal([state(12, 18).holds, state(5, 15).holds, state(12, 20).holds], ['yes', 'no', 'no']);

  const switches = (from: number, to: number) =>
    judged(
      judgement('expect', bin(count(event('switch_to', SHELL)), '>=', number(2)), { during_ns: [from, to] }),
      world => world.see(10, 'switch_to', 1).see(20, 'switch_to', 1).see(30, 'switch_to', 0).see(40, 'switch_to', 1),
    );
  assert.equal([switches(0, 20).holds, switches(15, 39).holds, switches(20, 40).holds], ['yes', 'no', 'yes']);
  assert.is(switches(15, 39).actual, 'count(switch_to(shell)) is 1');
});

test('always and never fail at the first step that breaks them', () => {
  const drive = (world: World) => world.step(10, halted(1)).step(20, halted(0));
  assert.is(judged(judgement('never', is(V0, 'blocked')), drive).holds, 'yes');
  const never = judged(judgement('never', isMarked), drive);
  assert.equal([never.holds, never.at_ns, never.step], ['no', 10, 1]);
  const always = judged(judgement('always', not(isMarked)), drive);
  assert.equal([always.holds, always.at_ns], ['no', 10]);
  assert.is(judged(judgement('always', not(isMarked), { during_ns: [20, 30] }), drive).holds, 'yes');
});

test('never of an event fails when it happens, without work in other steps', () => {
  const of = judgement('never', happened({ ...event('swap_wait', COLD), by: { ...V0, kind: 'thread' } }));
  const by = (thread: number) =>
    judged(of, world => {
      world.m.clock.current_thread = thread;
      world.see(10, 'swap_wait', page);
      assert.not(world.judge.needs.steps);
    });
  assert.is(by(0).holds, 'no');
  assert.is(by(1).holds, 'yes');
});

test('for T: only what lasts counts', () => {
  const drive = (world: World) => world.step(10, halted(1)).step(20, halted(0)).step(30, halted(1)).step(70, halted(0));
  const never = (for_ns: number) => judged(judgement('never', isMarked, { for_ns }), drive);
  assert.equal([never(10).at_ns, never(40).at_ns, never(41).holds], [20, 70, 'yes']);
  assert.is(judged(judgement('expect', isMarked, { for_ns: 41, by_ns: 100 }), drive).holds, 'no');
  assert.is(judged(judgement('always', not(isMarked), { for_ns: 41 }), drive).holds, 'yes');
  assert.is(judged(judgement('always', not(isMarked), { for_ns: 40 }), drive).holds, 'no');
});

test('sometimes needs one moment', () => {
  const drive = (world: World) => world.step(10, halted(1)).step(20, halted(0));
  assert.is(judged(judgement('sometimes', isMarked), drive).holds, 'yes');
  assert.is(judged(judgement('sometimes', is(V0, 'blocked')), drive).holds, 'no');
});

test('eventually: each occurrence is owed an answer in time', () => {
  const of = judgement('eventually', happened(event('resumes', DB)), { within_ns: 100, after: event('ready', COLD) });
  assert.is(judged(of, world => world.see(10, 'ready', page).see(110, 'resumes', 0)).holds, 'yes');
  const late = judged(of, world => world.see(10, 'ready', page).see(111, 'resumes', 0));
  assert.equal([late.holds, late.at_ns], ['no', 110]);
  assert.is(late.actual, 'after ready(cold) at 10ns: resumes(db) has not happened');
  // An answer that came before the question is none.
  assert.is(judged(of, world => world.see(5, 'resumes', 0).see(10, 'ready', page).step(300)).holds, 'no');
  // Two questions, one answer: it answers both, if it is in time for the first.
  assert.is(
    judged(of, world => world.see(10, 'ready', page).see(50, 'ready', page).see(60, 'resumes', 0)).holds,
    'yes',
  );
  assert.is(
    judged(of, world =>
      world.see(10, 'ready', page).see(60, 'resumes', 0).see(200, 'ready', page).see(301, 'resumes', 0),
    ).holds,
    'no',
  );
  // Nobody asks.
  assert.is(judged(of, world => world.step(10)).holds, 'yes');
});

test('eventually of a state, and without a time limit', () => {
  const haltsSeen = (m: World['m'], judge: World['judge']) => {
    halted(1)(m);
    judge.observe(OBS.halt, 0, 0, -1);
  };
  const of = judgement('eventually', not(isMarked), { after: event('halt', V0) });
  assert.is(judged(of, world => world.step(10, haltsSeen).step(20, halted(0))).holds, 'yes');
  const stays = (world: World) =>
    world
      .step(10, m => halted(1)(m))
      .see(11, 'halt', 0)
      .step(20);
  assert.is(judged(of, stays).holds, 'no');
  assert.is(judged(of, stays, 'steps').holds, 'undecided');
});

test('order: each event after the one before it, whatever came earlier', () => {
  const of = order(event('not_present', COLD), event('switch_to', SHELL), event('ready', COLD), event('switch_to', DB));
  const right = (world: World) =>
    world
      .see(1, 'switch_to', 0)
      .see(2, 'not_present', page)
      .see(3, 'switch_to', 0)
      .see(4, 'switch_to', 1)
      .see(5, 'ready', page)
      .see(6, 'switch_to', 0);
  assert.is(judged(of, right).holds, 'yes');
  const wrong = judged(of, world =>
    world.see(2, 'not_present', page).see(3, 'ready', page).see(4, 'switch_to', 1).see(9, 'switch_to', 0),
  );
  assert.is(wrong.holds, 'no');
  assert.is(wrong.actual, 'no ready(cold) after switch_to(shell) at 4ns');
  const twice = order(event('kick', V0), event('kick', V0));
  assert.is(judged(twice, world => world.see(1, 'kick', 0)).holds, 'no');
  assert.is(judged(twice, world => world.see(1, 'kick', 0).see(2, 'kick', 0)).holds, 'yes');
});

test('max_time: the longest time, the one that still runs included', () => {
  const at_most = (limit: number) => judgement('expect', bin(maxTime(isMarked), '<=', ns(limit)));
  const drive = (world: World) =>
    world.step(10, halted(1)).step(25, halted(0)).step(30, halted(1)).step(40, halted(0)).step(50);
  assert.is(judged(at_most(15), drive).holds, 'yes');
  const over = judged(at_most(14), drive);
  assert.equal([over.holds, over.actual], ['no', 'max_time(web.vcpu[0] is marked_halted(synthetic)) is 15ns']);
  // Nothing happens any more: it stays halted to the end of the run's time.
  assert.is(judged(at_most(9 * MS), world => world.step(10, halted(1)), 'quiescent').holds, 'no');
});

test('rate over the run, and over a sliding window', () => {
  const drive = (world: World) => {
    for (let n = 0; n < 10; n += 1) world.see(1 * MS + n * US, 'entry', 0);
    world.step(8 * MS);
  };
  const spin = (window_ns: number | null, per_s: number) =>
    judgement('never', bin(rate(event('entry', V0), window_ns), '>', number(per_s, 'frequency')));
  assert.is(judged(spin(10 * US, 999_000), drive).holds, 'no');
  assert.is(judged(spin(10 * US, 1_000_000), drive).holds, 'yes');
  // `for T` makes it the rate over the last T.
  const lasting = (per_s: number) =>
    judgement('never', bin(rate(event('entry', V0)), '>', number(per_s, 'frequency')), { for_ns: 10 * US });
  assert.equal([judged(lasting(999_000), drive).holds, judged(lasting(1_000_000), drive).holds], ['no', 'yes']);
  assert.is(
    judged(judgement('expect', bin(rate(event('entry', V0)), '==', number(1000, 'frequency'))), drive).holds,
    'yes',
  );
});

test('quantifiers name the one that breaks them', () => {
  const none = each('each', 'v', all(VM, 'vcpus'), bin(get(variable('v'), 'mp_state'), '==', word('RUNNABLE')));
  const drive = (world: World) =>
    world.step(1, m => {
      m.vcpus[1]!.mp_state = MP_STATE.HALTED;
    });
  const result = judged(judgement('always', none), drive);
  assert.equal([result.holds, result.actual], ['no', 'v = web.vcpu[1]: v.mp_state is HALTED']);
  const halves = each('count', 'v', all(VM, 'vcpus'), bin(get(variable('v'), 'mp_state'), '==', word('HALTED')));
  assert.is(judged(judgement('expect', bin(halves, '==', number(1))), drive).holds, 'yes');
  assert.is(
    judged(judgement('expect', each('some', 'v', all(VM, 'vcpus'), is(variable('v'), 'marked_halted', 'guest'))), drive)
      .holds,
    'no',
  );
});

test('undecided where the run stops before its time', () => {
  assert.is(judged(judgement('always', not(isMarked)), world => world.step(1), 'steps').holds, 'undecided');
  assert.is(judged(judgement('expect', isMarked, { at_ns: 50 * MS }), world => world.step(1)).holds, 'undecided');
  assert.is(
    judged(judgement('expect', isMarked, { at_ns: 50 * MS }), world => world.step(1, halted(1)), 'quiescent').holds,
    'yes',
  );
});

test('standings: the verdict so far, and whether it is so now', () => {
  const judgements = [
    judgement('never', isMarked),
    judgement('expect', isMarked, { at_ns: 50 }),
    order(event('kick', V0), event('kick', V0)),
  ];
  const world = new World(programWith({ judgements })).step(10, halted(1));
  const seen = () => world.judge.standings().map(({ holds, now }) => [holds, now]);
  assert.equal(seen(), [
    ['no', false],
    ['undecided', true],
    ['undecided', null],
  ]);
  world.step(20, halted(0));
  assert.equal(seen(), [
    ['no', true],
    ['undecided', false],
    ['undecided', null],
  ]);
  assert.is(world.judge.standings()[1]?.why, 'web.vcpu[0] is not marked_halted(synthetic)');
});

test.run();
