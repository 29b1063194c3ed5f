/** What a run leaves in a run file. */
import type { Entry } from '../report/result.ts';
import type { Outcome } from '../sim/outcome.ts';
import { version } from './package.ts';
import type { Plan } from './plan.ts';
import { printRunFile, type RecordedRun } from './run_file.ts';

type Given = Pick<Plan, 'sources' | 'set'>;

/** A run of a program, by a schedule or by time. */
export interface Ran {
  readonly file: string;
  readonly run: Pick<RecordedRun, 'case_name' | 'cell' | 'variant' | 'seed'>;
  readonly outcome: Outcome;
}

/** Every run, and of every exploration what it has found. */
export async function recordedRuns(given: Given, entries: readonly Entry[]): Promise<string> {
  const ran: Ran[] = [];
  for (const { file, run, end } of entries) {
    if (run === null) continue;
    if (end.kind === 'ran') ran.push({ file, run, outcome: end.outcome });
    if (end.kind !== 'explored') continue;
    const { foundIn } = await import('./found.ts');
    for (const outcome of foundIn(end.exploration)) ran.push({ file, run, outcome });
  }
  return printRuns(given, ran);
}

/** The text of a run file. */
export function printRuns({ sources, set }: Given, ran: readonly Ran[]): Promise<string> {
  return printRunFile({ engine: version(), sources, runs: ran.map(each => recordedRun(each, set)) });
}

export function recordedRun({ file, run, outcome }: Ran, set: ReadonlyMap<string, string>): RecordedRun {
  const { case_name, cell, variant, seed } = run;
  const { verdict, trace_hash, events, sim_ns } = outcome;
  return {
    file,
    case_name,
    cell,
    variant,
    seed,
    set: Object.fromEntries(set),
    verdict,
    trace_hash,
    events,
    sim_ns,
    schedule: outcome.program.schedule ?? null,
  };
}
