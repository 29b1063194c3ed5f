/** The runs of a run file, told. */

import { caseTitle } from '../report/result.ts';
import { reviewText } from '../report/review.ts';
import { TOLD, toldText } from '../report/told.ts';
import { tell } from '../sim/tell.ts';
import { sayDiagnostics } from './diagnostics.ts';
import { planOfRunFile, type Selection } from './plan.ts';
import { Refusal } from './refusal.ts';
import type { RunFile } from './run_file.ts';
import type { Terminal } from './terminal.ts';

const TELLINGS = [...TOLD, 'review'] as const;
type Tellings = (typeof TELLINGS)[number];

export function isTelling(as: string): as is Tellings {
  return TELLINGS.some(each => each === as);
}

export function tellRuns(
  path: string,
  runFile: RunFile,
  as: Tellings,
  selection: Selection,
  { out, err }: Terminal,
): void {
  const { files, sources } = planOfRunFile(runFile, selection);
  let first = true;
  for (const { file, runs } of files)
    for (const run of runs) {
      const { program, diagnostics } = run.lower();
      if (!program) {
        sayDiagnostics(diagnostics, err);
        throw new Refusal(`${file}: ${caseTitle(run)} does not run any more`);
      }
      const telling = tell(program);
      const scenario = sources.find(source => source.path === file)?.text ?? '';
      const text = as === 'review' ? reviewText(telling, scenario, `apflab replay ${path}`) : toldText(telling, as);
      out.write(first ? text : `\n${text}`);
      first = false;
    }
}
