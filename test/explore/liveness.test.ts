/** What goes on for ever without what was promised, and every step of it is one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Counterexample, Exploration } from '../../src/explore/explore.ts';
import { Identity } from '../../src/explore/identity.ts';
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
