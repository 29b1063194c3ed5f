/** What explorations find, as programs that are run in that order. */
import { scheduled, scheduleOf } from '../../src/explore/schedule.ts';
import { shrink } from '../../src/explore/shrink.ts';
import type { Program } from '../../src/sim/program.ts';
import { explored, faults, programOf } from './small.ts';

/** One page missing, and what nobody should ever see of it. */
export const MISSING_PAGE = faults(
  'task a on vcpu[0] user { read page(1); done }',
  `
  expect finished: done(a)
  always honest: real_halts_only(t)
  always woken: no_unwoken_sleeper(t)
`,
);

/** Shrunk: which of several orders a search finds first is its own affair. */
export function counterexamplesOf(text: string, variant: string): readonly Program[] {
  const { program, counterexamples } = explored(text, variant);
  return counterexamples.map(({ judgement, schedule }) => {
    const { moves } = shrink(program, schedule, judgement.name);
    return scheduled(programOf(text, variant), scheduleOf(program, moves, judgement.name));
  });
}
