/** Time travel: run, save, wander, restore, continue gives what running on would have given. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OBSERVATION_NAMES } from '../../../src/sim/observe.ts';
import { TP } from '../../../src/trace/all.ts';
import {
  aggregate,
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
  judgement,
  maxTime,
  not,
  ns,
  number,
  order,
  programWith,
  rate,
  SHELL,
  V0,
  VM,
  variable,
  World,
} from './world.ts';

const marked = is(V0, 'marked_halted');

/** One of everything that keeps something. */
const judgements = [
  judgement('never', marked, { for_ns: 40 }),
  judgement('expect', not(marked), { at_ns: 300 }),
  judgement('expect', bin(count(event('switch_to', SHELL)), '>=', number(2)), { during_ns: [100, 500] }),
  judgement('eventually', happened(event('resumes', DB)), { within_ns: 100, after: event('ready', COLD) }),
  judgement('eventually', not(marked), { after: event('kick', V0) }),
  judgement('sometimes', bin(maxTime(marked), '>', ns(30))),
  judgement('never', bin(rate(event('kick', V0), 50), '>', number(60_000_000, 'frequency'))),
  judgement('expect', bin(aggregate('p50', get(VM, 'stall')), '<', ns(60))),
  judgement('always', bin(aggregate('max', get(DB, 'stall')), '<', ns(400))),
  judgement(
    'expect',
    each('each', 't', { k: 'trace', globs: ['kvm_async_pf_*'] }, bin(get(variable('t'), 'token'), '<', number(6))),
  ),
  judgement(
    'expect',
    bin({ k: 'writers', of: { k: 'entity', entity: V0 }, name: 'apf_halted' }, 'within', {
      k: 'list',
      items: [{ k: 'entity', entity: { ...V0, kind: 'thread' } }],
    }),
  ),
  judgement('expect', each('no', 'a', all(V0, 'queue'), get(variable('a'), 'completed'))),
  order(event('ready', COLD), event('kick', V0), event('ready', COLD)),
];

interface Move {
  readonly wait_ns: number;
  readonly what: number;
  readonly row: number;
  readonly halted: boolean;
  readonly thread: number;
}

const SEEN = (['ready', 'kick', 'resumes', 'switch_to', 'fault', 'took_apf', 'accesses'] as const).map(name =>
  OBSERVATION_NAMES.indexOf(name),
);

const move: fc.Arbitrary<Move> = fc.record({
  wait_ns: fc.integer({ min: 0, max: 60 }),
  what: fc.integer({ min: 0, max: SEEN.length + 1 }),
  row: fc.constantFrom(0, 1, 3),
  halted: fc.boolean(),
  thread: fc.constantFrom(0, 1),
});

function play(world: World, moves: readonly Move[]): void {
  for (const { wait_ns, what, row, halted, thread } of moves) {
    world.step(world.m.clock.now_ns + wait_ns, (m, judge) => {
      m.clock.current_thread = thread;
      m.vcpus[0]!.current = 1;
      m.vcpus[0]!.apf_halted = halted ? 1 : 0;
      const observation = SEEN[what];
      if (observation === undefined) judge.emit(TP.kvm_async_pf_ready, what + row, 0);
      else judge.observe(observation, 0, row, -1);
    });
  }
}

const moves = fc.array(move, { maxLength: 60 });

test('save, wander, restore, continue', () => {
  fc.assert(
    fc.property(moves, moves, moves, (before, astray, after) => {
      const straight = new World(programWith({ judgements }));
      play(straight, [...before, ...after]);

      const wandering = new World(programWith({ judgements }));
      play(wandering, before);
      const bytes = wandering.m.layout.buffer.slice(0);
      const saved = wandering.judge.save();
      play(wandering, astray);
      wandering.end('quiescent');
      new Uint8Array(wandering.m.layout.buffer).set(new Uint8Array(bytes));
      wandering.judge.restore(saved);
      play(wandering, after);
      assert.equal(wandering.end(), straight.end());
      assert.equal(wandering.judge.report(), straight.judge.report());
    }),
    { numRuns: 200, seed: 7 },
  );
});

test('the same run twice says the same', () => {
  const [once, twice] = fc.sample(moves, { numRuns: 2, seed: 3 }).map(() => {
    const world = new World(programWith({ judgements }));
    play(world, fc.sample(moves, { numRuns: 1, seed: 11 })[0]!);
    return world.end();
  });
  assert.equal(once, twice);
});

test.run();
