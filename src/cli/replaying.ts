/** Running what a run file holds again, and comparing. */
import { caseTitle, type Entry } from '../report/result.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { version } from './package.ts';
import { planOfRunFile, type Selection } from './plan.ts';
import { Refusal } from './refusal.ts';
import type { RecordedRun, RunFile } from './run_file.ts';
import { type Conduct, runAll } from './runner.ts';
import type { Channel, Terminal } from './terminal.ts';
import type { TraceWriter } from './trace_writer.ts';

/** Repeats the runs for their events only. Throws a Refusal where a trace comes out different. */
export async function replayQuietly(
  runFile: RunFile,
  selection: Selection,
  trace: TraceWriter,
  terminal: Terminal,
): Promise<void> {
  const silent: Channel = { ...terminal.out, write() {} };
  const conduct: Conduct = { verdicts: silent, paranoid: false, bail: false, trace, explore: null };
  const { entries } = await runAll(planOfRunFile(runFile, selection).files, conduct, terminal);
  const [difference] = differencesOf(runFile, entries);
  if (difference !== undefined) throw new Refusal(difference, originOf(runFile));
}

/** A line for each run whose trace is not the recorded one. */
export function differencesOf({ runs }: RunFile, entries: readonly Entry[]): readonly string[] {
  return entries.flatMap(entry => {
    const { file, end } = entry;
    const recorded = runs.find(each => isSame(each, entry));
    if (!recorded) return [];
    const name = `${file}: ${caseTitle(recorded)} on ${recorded.variant}`;
    if (end.kind !== 'ran') return [`${name} does not run any more`];
    const { trace_hash } = end.outcome;
    return trace_hash === recorded.trace_hash
      ? []
      : [`${name} has the trace ${trace_hash}, recorded was ${recorded.trace_hash}`];
  });
}

/** Of a case there is a run that goes by time, and counterexamples, one for each judgement. */
function isSame(recorded: RecordedRun, { file, run, end }: Entry): boolean {
  if (run === null || recorded.file !== file) return false;
  const { variant, seed } = run;
  const breaks = end.kind === 'ran' ? end.outcome.program.schedule?.breaks : recorded.schedule?.breaks;
  return (
    recorded.variant === variant &&
    recorded.seed === seed &&
    caseTitle(recorded) === caseTitle(run) &&
    recorded.schedule?.breaks === breaks
  );
}

/** The same version must repeat a run to the byte; another one need not. */
export function isForeign({ engine }: RunFile): boolean {
  return engine !== version();
}

export function originOf(runFile: RunFile): string {
  const { engine } = runFile;
  return isForeign(runFile)
    ? `recorded by apflab ${engine}, repeated by ${version()}`
    : `both by apflab ${engine}: a bug in apflab`;
}

export function codeOfDifference(runFile: RunFile): ExitCode {
  return isForeign(runFile) ? EXIT.refused : EXIT.bug;
}
