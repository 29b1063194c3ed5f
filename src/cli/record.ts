/** What a run leaves in a run file. */
import type { Entry } from '../report/result.ts';
import { version } from './package.ts';
import type { Plan } from './plan.ts';
import { printRunFile, type RecordedRun } from './run_file.ts';

export function recordedRuns({ sources, set }: Plan, entries: readonly Entry[]): Promise<string> {
  const runs = entries.flatMap(({ file, run, end }): RecordedRun[] => {
    if (run === null || end.kind !== 'ran') return [];
    const { case_name, cell, variant, seed } = run;
    const { verdict, trace_hash, events, sim_ns } = end.outcome;
    return [
      { file, case_name, cell, variant, seed, set: Object.fromEntries(set), verdict, trace_hash, events, sim_ns },
    ];
  });
  return printRunFile({ engine: version(), sources, runs });
}
