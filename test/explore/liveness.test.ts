/** What goes on for ever without what was promised, and every step of it is one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { outcomeOf } from '../../src/cli/found.ts';
import type { Counterexample, Exploration } from '../../src/explore/explore.ts';
import { Identity } from '../../src/explore/identity.ts';
import { scheduled, scheduleOf } from '../../src/explore/schedule.ts';
import { World } from '../../src/explore/world.ts';
import { explored, faults, said } from './small.ts';

const test = suite('liveness');

const LOOP = faults(
  'task a on vcpu[0] user { loop { work 1us } }; task b on vcpu[0] user { work 1us; done }',
  'eventually runs: done(b)',
);

function wayOf(exploration: Exploration, name: string): Counterexample {
  const way = exploration.counterexamples.find(({ judgement }) => judgement.name === name);
  if (!way) throw new Error(`${name} holds`);
  return way;
}

/** Two CPUs that go round, and a task that never gets the first. */
const TWO_LOOPS = faults(
  'task a on vcpu[0] user { loop { work 1us } }; task b on vcpu[0] user { work 1us; done };\n' +
    'task s on vcpu[1] user { loop { work 1us } }',
  'eventually runs: done(b)',
  2,
);

/** Who has to move, could at each state of a cycle, and does not on it. */
function leftOut({ program }: Exploration, { schedule, cycle }: Counterexample): readonly number[] {
  const world = new World(program);
  const enabled = new Int32Array(world.moves);
  for (const move of schedule) world.take(move);
  let left = Array.from({ length: world.moves }, (_, move) => move).filter(move => world.isFair(move));
  for (const move of cycle ?? []) {
    const here = enabled.slice(0, world.enabled(enabled));
    left = left.filter(each => each !== move && here.includes(each));
    world.take(move);
  }
  return left;
}

/** Fingerprint at each point of a schedule; throws where a move cannot be made. */
function walked(exploration: Exploration, moves: readonly number[]): readonly string[] {
  const world = new World(exploration.program);
  const identity = new Identity(world, new Set());
  const enabled = new Int32Array(world.moves);
  return moves.map(move => {
    assert.ok(enabled.subarray(0, world.enabled(enabled)).includes(move), `move ${move} can be made`);
    world.take(move);
    identity.update();
    return `${identity.high} ${identity.low}`;
  });
}

test('a task that waits for a processor that another never gives up', () => {
  const exploration = explored(LOOP, 'linux_6_12');
  assert.is(said(exploration), 'fail, runs no');
  assert.is(exploration.endless, 'judged');
  const { schedule, cycle } = wayOf(exploration, 'runs');
  assert.ok(cycle && cycle.length > 0);
  const points = walked(exploration, [...schedule, ...cycle]);
  assert.is(points.at(-1), points[schedule.length - 1], 'the cycle ends where it began');
});

test('whoever could always move on a cycle does, step by step', () => {
  for (const text of [LOOP, TWO_LOOPS]) {
    const exploration = explored(text, 'linux_6_12');
    const way = wayOf(exploration, 'runs');
    assert.equal(leftOut(exploration, way), []);
    // A cycle of one CPU alone would leave the other out.
    const movers = new Set(way.cycle);
    assert.is(movers.size, text === LOOP ? 1 : 2);
    const alone = { ...way, cycle: way.cycle?.filter(move => move === way.cycle?.[0]) ?? null };
    assert.is(leftOut(exploration, alone).length, text === LOOP ? 0 : 1);
  }
});

test('the run of a cycle fails where it comes round, and nowhere else', () => {
  const exploration = explored(TWO_LOOPS, 'linux_6_12');
  const { schedule, cycle } = wayOf(exploration, 'runs');
  const moves = [...schedule, ...(cycle ?? [])];
  const ran = (rounds: readonly number[], length: number) => {
    const order = scheduleOf(exploration.program, rounds, 'runs');
    return outcomeOf(scheduled(exploration.program, { ...order, cycle: length }));
  };
  const length = cycle?.length ?? 0;
  const { verdict, end, judgements } = ran(moves, length);
  assert.is(`${verdict} ${end}`, 'fail endless');
  assert.match(judgements[0]?.actual ?? '', `the last ${length} steps go round for ever`);
  assert.is(ran([...moves, ...(cycle ?? [])], 2 * length).verdict, 'fail', 'twice round');
  const short = ran(moves.slice(0, -1), length - 1);
  assert.is(`${short.verdict} ${short.end}`, 'inconclusive steps');
});

test('with a task that ends there is no cycle to look for', () => {
  const ends = faults(
    'task a on vcpu[0] user { work 1us; done }; task b on vcpu[0] user { work 1us; done }',
    'eventually runs: done(b)',
  );
  const exploration = explored(ends, 'linux_6_12');
  assert.is(said(exploration), 'pass');
  assert.is(exploration.endless, 'nothing');
});

test('a cycle that leaves somebody out who could always move is none', () => {
  // The other CPU may go round and round, but the device does not take for ever, nor does the first CPU stand still.
  const spinning = faults(
    'task a on vcpu[0] user { read page(1); done }; task s on vcpu[1] user { loop { work 1us } }',
    'eventually comes: done(a)',
    2,
  );
  const exploration = explored(spinning, 'sync');
  assert.is(said(exploration), 'pass');
  assert.is(exploration.endless, 'judged');
});

test.run();
