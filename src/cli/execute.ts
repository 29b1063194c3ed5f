/** Runs one program to its end, in slices, so that an interrupt and the progress line get their turn. */
import type { Cover } from '../sim/cover.ts';
import type { Outcome } from '../sim/outcome.ts';
import type { Program } from '../sim/program.ts';
import { createSimulation } from '../sim/simulation.ts';
import type { TraceEvent } from '../trace/event.ts';
import { inlineMore } from './inlining.ts';

export interface Conditions {
  readonly paranoid: boolean;
  readonly record: ((event: TraceEvent) => void) | null;
  /** Asked between slices; true ends the run without an outcome. */
  readonly interrupted: () => boolean;
  /** Told the virtual time reached. */
  readonly reached: (ns: number) => void;
  /** Told what of the model the run reaches. */
  readonly cover?: Cover | null;
}

/** About 10 ms. */
const SLICE_STEPS = 20_000;

/** Null where it was interrupted. Whatever the model throws goes through. */
export async function execute(
  program: Program,
  { paranoid, record, interrupted, reached, cover = null }: Conditions,
): Promise<Outcome | null> {
  const simulation = createSimulation(program, { paranoid, record, cover });
  inlineMore(simulation.machine);
  for (;;) {
    simulation.runUntil(program.limit_ns, SLICE_STEPS);
    await turn();
    if (simulation.over !== null) return simulation.outcome();
    if (interrupted()) return null;
    reached(simulation.machine.clock.now_ns);
  }
}

/** Lets the process see its signals; thousands of short runs would keep them from it as one long run would. */
export function turn(): Promise<void> {
  return new Promise(resume => setImmediate(resume));
}
