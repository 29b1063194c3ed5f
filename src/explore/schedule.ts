/**
 * A counterexample as a run: the explored program with the moves that break the judgement, for whoever shows runs.
 */
import type { Program, Schedule } from '../sim/program.ts';
import { createSimulation } from '../sim/simulation.ts';
import { untimed } from './untimed.ts';
import { World } from './world.ts';

/** `explored`: the program without times. `moves`: from the first state on, as in a Counterexample. */
export function scheduleOf(explored: Program, moves: readonly number[], breaks: string): Schedule {
  const world = new World(explored);
  for (const move of moves) world.take(move);
  const enabled = new Int32Array(world.moves);
  const count = world.enabled(enabled);
  const goes_on = enabled.subarray(0, count).some(move => world.isFair(move));
  return { moves: [...world.settled, ...moves], end: goes_on ? 'steps' : 'quiescent', breaks };
}

/** The program, run in that order. It is judged by what the schedule breaks, and by nothing else. */
export function scheduled(given: Program, schedule: Schedule): Program {
  const explored = exploredOf(given);
  const of = (name: string) => name === schedule.breaks;
  const program: Program = {
    ...explored,
    judgements: explored.judgements.filter(({ name }) => of(name)),
    expectations: explored.expectations.filter(each => of(each.of)),
    schedule,
  };
  const simulation = createSimulation(program);
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  return { ...program, limit_ns: simulation.machine.clock.now_ns };
}

/** A program as it is explored: without times, and in no order. */
export function exploredOf({ schedule: _, ...program }: Program): Program {
  return program.untimed ? { ...program, limit_ns: Number.MAX_SAFE_INTEGER } : untimed(program).program;
}

/** The moves of a scheduled run from the first state on: without those that are made before anybody's turn. */
export function movesOf(program: Program): readonly number[] {
  const { settled } = new World(exploredOf(program));
  return program.schedule?.moves.slice(settled.length) ?? [];
}
