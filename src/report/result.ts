/**
 * What every report is made from: one entry for each run, in the order of the files, and for each file that has none.
 */
import type { Outcome, Verdict, Violation } from '../sim/outcome.ts';
import type { Place } from '../sim/program.ts';

/** What tells one run of a file from the others. */
export interface RunName {
  readonly case_name: string;
  /** The values of the matrix, and what the command line set: what differs from run to run of a case. */
  readonly cell: Readonly<Record<string, string>>;
  /** Every parameter, those of the cell among them. */
  readonly params: Readonly<Record<string, string>>;
  readonly variant: string;
  readonly seed: number;
}

/** Something wrong with a scenario, placed. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
}

export interface Entry {
  readonly file: string;
  /** Of the case, or of the first error. */
  readonly line: number;
  readonly column: number;
  /** Null for a file of which nothing can run. */
  readonly run: RunName | null;
  readonly end: Ran | Invalid | Bug;
}

interface Ran {
  readonly kind: 'ran';
  readonly outcome: Outcome;
}

interface Invalid {
  readonly kind: 'invalid';
  readonly problems: readonly Problem[];
}

/** The model broke one of its own laws: nothing is known about the scenario. */
interface Bug {
  readonly kind: 'bug';
  readonly message: string;
  readonly repeat: string;
}

export function verdictOf({ end }: Entry): Verdict {
  if (end.kind === 'ran') return end.outcome.verdict;
  return end.kind === 'invalid' ? 'invalid' : 'inconclusive';
}

export function violationsOf({ end }: Entry): readonly Violation[] {
  return end.kind === 'ran' ? end.outcome.violations : [];
}

/** Where the judgement stands that a violation is about. */
export function placeOf({ judgements }: Outcome, { property }: Violation): Place | undefined {
  return judgements.find(({ name }) => name === property)?.place;
}

/** Whether the verdict is as wanted: what CI calls a success. */
export function isGood(verdict: Verdict): boolean {
  return verdict === 'pass' || verdict === 'xfail';
}

/** `the gate [chip=user, alloc=ok]`. */
export function caseTitle({ case_name, cell }: Pick<RunName, 'case_name' | 'cell'>): string {
  const values = Object.entries(cell).map(([name, value]) => `${name}=${value}`);
  return values.length === 0 ? case_name : `${case_name} [${values.join(', ')}]`;
}

/** One line that names the run within its file. */
export function runTitle({ run }: Entry): string {
  return run === null ? 'the file' : `${caseTitle(run)} on ${run.variant}`;
}

/** Why a run that is not as wanted is not, one reason a line. Empty where it is. */
export function reasonsOf(entry: Entry): readonly string[] {
  const { end } = entry;
  if (end.kind === 'bug') return [end.message];
  if (end.kind === 'invalid') return end.problems.map(({ code, message }) => `error[${code}]: ${message}`);
  if (end.outcome.violations.length > 0) return end.outcome.violations.map(({ message }) => message);
  return end.outcome.verdict === 'inconclusive' ? [boundText(end.outcome)] : [];
}

export function boundText({ end, steps }: Outcome): string {
  return end === 'steps'
    ? `undecided after ${steps} steps: limit steps`
    : 'undecided when its time was over: limit time';
}

/** How many of each verdict, without those that did not occur: `4 pass, 1 fail`. */
export function tally(verdicts: readonly Verdict[]): string {
  const counts = VERDICTS.map(verdict => [verdicts.filter(each => each === verdict).length, verdict] as const);
  return counts
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`)
    .join(', ');
}

export const VERDICTS = [
  'pass',
  'fail',
  'xfail',
  'xpass',
  'inconclusive',
  'invalid',
] as const satisfies readonly Verdict[];
