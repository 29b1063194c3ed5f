/** How a branch compares with the run that it comes from: the first difference, and what comes of either. */
import type { Happening } from '../sim/compare/follower.ts';
import { compareRuns } from '../sim/compare/parting.ts';
import type { Program } from '../sim/program.ts';
import { createSimulation } from '../sim/simulation.ts';

export function comparedText(from: Program, branch: Program): readonly string[] {
  const { parting, same } = compareRuns(from, branch, 0);
  const names = branch.schedule?.branches ?? [];
  const ends = [
    ` judged at the end of what was there:  ${endOf(from)}`,
    ` judged at the end of the branch:      ${endOf(branch)}`,
  ];
  const head = [` The branch: ${names.at(-1) ?? ''}. Esc shows it; m goes through the orders of this case.`, ''];
  if (!parting) return [...head, ` All ${same} things that others see are the same in both.`, '', ...ends];
  return [
    ...head,
    ` The first difference comes after ${same} things that both do alike.`,
    ...(parting.last ? [' the last of them:', said(parting.last)] : []),
    '',
    ' as it was:',
    ...next(parting.a),
    '',
    ' in the branch:',
    ...next(parting.b),
    '',
    ...ends,
  ];
}

function next(happenings: readonly Happening[]): readonly string[] {
  return happenings.length === 0 ? ['   nothing more'] : happenings.map(said);
}

function said({ who, at, text }: Happening): string {
  return `   ${who}${at === '' ? '' : ` ${at}`}: ${text}`;
}

function endOf(program: Program): string {
  const simulation = createSimulation(program);
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  const [judged] = simulation.outcome().judgements;
  const words = { yes: 'holds', no: 'FAILS', undecided: 'is open' } as const;
  return `${judged?.name ?? 'it'} ${words[judged?.holds ?? 'undecided']} after ${program.schedule?.moves.length ?? 0} steps`;
}
