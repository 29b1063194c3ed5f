/** What an exploration has found, shrunk, as runs. */
import type { Exploration } from '../explore/explore.ts';
import { scheduled, scheduleOf } from '../explore/schedule.ts';
import { shrink } from '../explore/shrink.ts';
import type { Outcome } from '../sim/outcome.ts';
import type { Program } from '../sim/program.ts';
import { createSimulation } from '../sim/simulation.ts';

/** One for each judgement that fails. `whole`: as they were found. */
export function foundIn({ program, counterexamples }: Exploration, whole = false): readonly Outcome[] {
  return counterexamples.map(({ judgement, schedule, cycle }) => {
    // With a move less it might not go round.
    if (cycle) {
      const order = scheduleOf(program, [...schedule, ...cycle], judgement.name);
      return outcomeOf(scheduled(program, { ...order, cycle: cycle.length }));
    }
    const moves = whole ? schedule : shrink(program, schedule, judgement.name).moves;
    return outcomeOf(scheduled(program, scheduleOf(program, moves, judgement.name)));
  });
}

export function outcomeOf(program: Program): Outcome {
  const simulation = createSimulation(program);
  simulation.runUntil(program.limit_ns);
  return simulation.outcome();
}
