/** One run of a run file, its scenario changed or not, as a program. */
import type { Program } from '../sim/program.ts';
import { planOfRunFile, type Selection } from './plan.ts';
import type { RecordedRun, RunFile } from './run_file.ts';

const ALL: Selection = { variants: [], seed: null, set: new Map(), grep: null, tags: [] };

/** `text`: in place of the scenario's own; null for that. Null where it does not run. */
export function programOf(runFile: RunFile, run: RecordedRun, text: string | null): Program | null {
  const sources = runFile.sources.map(source =>
    text !== null && source.path === run.file ? { ...source, text } : source,
  );
  const [file] = planOfRunFile({ ...runFile, sources, runs: [run] }, ALL).files;
  return file?.runs[0]?.lower().program ?? null;
}
