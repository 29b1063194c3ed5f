/**
 * A run in a given order with one decision of it taken otherwise: the same up to a step, another's move there, and on.
 *
 * Behind that the others go on in the order they had, as far as they can, and then in turn until nobody has to move.
 */
import type { Program } from '../sim/program.ts';
import { moverText } from '../sim/why/actor.ts';
import { exploredOf, scheduled, scheduleOf } from './schedule.ts';
import { World } from './world.ts';

/** Moves at most behind the last that was given: what goes round need not end. */
const MOVES_MOST = 1000;

export interface Other {
  readonly move: number;
  readonly name: string;
}

/** Who else could have moved in place of the one who did, `position` steps from the start. */
export function othersAt(program: Program, position: number): readonly Other[] {
  const reached = worldAt(program, position);
  if (!reached) return [];
  const { world, rest } = reached;
  return enabledIn(world)
    .filter(move => move !== rest[0])
    .map(move => ({ move, name: moverText(world.m, move) }));
}

/** The program in the order that follows from that move there; null where nobody had a choice. */
export function branched(program: Program, position: number, move: number): Program | null {
  const reached = worldAt(program, position);
  if (!reached || !program.schedule) return null;
  const { world, taken, rest } = reached;
  const name = `${moverText(world.m, move)} at step ${position + 1}`;
  const moves = [...taken];
  const take = (next: number) => {
    world.take(next);
    moves.push(next);
  };
  take(move);
  const early = rest.indexOf(move);
  const left = rest.filter((_, index) => index !== early);
  for (const next of left) if (enabledIn(world).includes(next)) take(next);
  for (let turn = 0; turn < MOVES_MOST; turn += 1) {
    const fair = enabledIn(world).filter(next => world.isFair(next));
    if (fair.length === 0) break;
    take(fair[turn % fair.length]!);
  }
  const { branches = [], breaks } = program.schedule;
  const order = scheduleOf(exploredOf(program), moves, breaks);
  return scheduled(program, { ...order, branches: [...branches, name] });
}

/** The explored machine after so many steps; null before anybody's turn has come. */
function worldAt(program: Program, position: number) {
  if (!program.schedule) return null;
  const world = new World(exploredOf(program));
  const done = world.settled.length;
  if (position < done) return null;
  const moves = program.schedule.moves.slice(done);
  const taken = moves.slice(0, position - done);
  for (const move of taken) world.take(move);
  return { world, taken, rest: moves.slice(position - done) };
}

function enabledIn(world: World): readonly number[] {
  const into = new Int32Array(world.moves);
  return Array.from(into.subarray(0, world.enabled(into)));
}
