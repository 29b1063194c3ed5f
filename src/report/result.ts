/**
 * What every report is made from: one entry for each run, in the order of the files, and for each file that has none.
 */
import type { Exploration, ExploreOptions } from '../explore/explore.ts';
import type { Outcome, Verdict, Violation } from '../sim/outcome.ts';
import type { Place, View } from '../sim/program.ts';
import type { Telling } from '../sim/tell.ts';

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
  readonly end: End;
}

export type End = Ran | Explored | Invalid | Bug;

/** Every order of a case was tried, or as many as there was room for. */
export interface Explored {
  readonly kind: 'explored';
  readonly exploration: Exploration;
  readonly options: ExploreOptions;
  /** On the clock on the wall; null where nobody asked. */
  readonly seconds: number | null;
  /** The one command that explores the same again. */
  readonly repeat: string;
  /** A way to break each judgement that fails, told; and how these are to be shown. */
  readonly found: readonly (Shown & { readonly property: string })[];
  readonly views: readonly View[];
}

/** A run as it can be seen. */
export interface Shown {
  readonly telling: Telling;
  /** Its tracepoints, as ftrace would print them; only where somebody asks. */
  readonly trace: string;
}

interface Ran {
  readonly kind: 'ran';
  readonly outcome: Outcome;
  /** Null where the file asks for nothing to be seen of it. */
  readonly shown: Shown | null;
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
  const judged = judgedIn(end);
  if (judged) return judged.verdict;
  return end.kind === 'invalid' ? 'invalid' : 'inconclusive';
}

export function violationsOf({ end }: Entry): readonly Violation[] {
  return judgedIn(end)?.violations ?? [];
}

/** What was judged, in one run or in all; null where nothing was. */
export function judgedIn(
  end: End,
): Pick<Outcome, 'verdict' | 'judgements' | 'violations' | 'expected_failures'> | null {
  if (end.kind === 'ran') return end.outcome;
  return end.kind === 'explored' ? end.exploration : null;
}

/** Where the judgement stands that a violation is about. */
export function placeOf({ judgements }: Pick<Outcome, 'judgements'>, { property }: Violation): Place | undefined {
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
  const violations = violationsOf(entry);
  if (violations.length > 0) return violations.map(({ message }) => message);
  return verdictOf(entry) === 'inconclusive' ? [boundText(end)] : [];
}

/** Why nothing was decided. */
export function boundText(end: Ran | Explored): string {
  if (end.kind === 'explored') return `undecided: not every order was tried, ${stopText(end.exploration)}`;
  return end.outcome.end === 'steps'
    ? `undecided after ${end.outcome.steps} steps: limit steps`
    : 'undecided when its time was over: limit time';
}

/** Where an exploration came to its end before everything was seen. */
function stopText({ stopped }: Exploration): string {
  return stopped === 'interrupted' ? 'it was interrupted' : `it stopped at ${stopped}`;
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
