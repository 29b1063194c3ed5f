/** `apflab show`: what a recording of a real kernel contains, or a run. */

import { printable } from '../../base/printable.ts';
import { recordedText } from '../../report/recorded_text.ts';
import { caseTitle } from '../../report/result.ts';
import { match, summary, summaryText } from '../../report/summary.ts';
import { Importer } from '../../trace/import.ts';
import type { Recording } from '../../trace/recording.ts';
import type { Args } from '../args.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { openInput, wholeOf } from '../input.ts';
import { type Selection, selectionOf } from '../plan.ts';
import { openRecording } from '../recording.ts';
import { Refusal } from '../refusal.ts';
import { replayQuietly } from '../replaying.ts';
import { isRunFile, type RunFile, readRunFile } from '../run_file.ts';
import { isTelling, tellRuns } from '../telling.ts';
import type { Terminal } from '../terminal.ts';
import { TraceWriter } from '../trace_writer.ts';
import { AS, SHOW_REPORT, type TraceFormat } from '../verbs.ts';

export async function show(args: Args, terminal: Terminal): Promise<ExitCode> {
  const [path = ''] = args.operands;
  const input = openInput(path, terminal);
  const as = args.get(AS);
  if (isRunFile(input.head)) {
    const runFile = await readRunFile(path, wholeOf(input));
    if (as === 'apf') {
      terminal.out.write(await scenarioOf(path, runFile, selectionOf(args)));
      return EXIT.ok;
    }
    if (isTelling(as)) {
      tellRuns(path, runFile, as, selectionOf(args), terminal);
      return EXIT.ok;
    }
    if (as !== 'summary') {
      await replayQuietly(runFile, selectionOf(args), new TraceWriter(terminal.out, as), terminal);
      return EXIT.ok;
    }
    // Its trace is read again as it is written, so the text is never there whole.
    const importer = new Importer(path);
    const writer = new TraceWriter({ write: text => importer.push(Buffer.from(text)) }, 'ftrace', { ns: true });
    await replayQuietly(runFile, selectionOf(args), writer, terminal);
    say(importer.finish(), args, terminal);
    return EXIT.ok;
  }
  if (as === 'apf' || isTelling(as))
    throw new Refusal(
      `--as ${as}: ${path} is no run file`,
      'a recording does not say what its threads did between events',
    );
  const recording = await openRecording(input);
  if (as === 'summary') say(recording, args, terminal);
  else print(recording, as, terminal);
  return EXIT.ok;
}

/** The scenario of the one run that was chosen, so that a run by time repeats it. */
async function scenarioOf(path: string, runFile: RunFile, { variants, grep }: Selection): Promise<string> {
  const { heldScenario } = await import('../holding.ts');
  const wanted = runFile.runs.filter(
    run => (variants.length === 0 || variants.includes(run.variant)) && (grep === null || run.case_name.includes(grep)),
  );
  const [run] = wanted;
  // Of the judgements that one order each breaks, the first.
  const others = wanted.filter(each => each.variant !== run?.variant || caseTitle(each) !== caseTitle(run));
  if (!run || others.length > 0)
    throw new Refusal(`--as apf is of one run; ${wanted.length} of ${path} match`, '--variants and --grep choose');
  return heldScenario(runFile, run);
}

function say(recording: Recording, args: Args, { out }: Terminal): void {
  const found = summary(recording);
  if (args.get(SHOW_REPORT) === 'json') out.write(`${JSON.stringify(found, null, 2)}\n`);
  else out.write(summaryText(found, match(recording), out.paint));
}

const PIECE = 1 << 16;

/** Byte for byte into files and pipes; a terminal gets nothing that it would obey. */
function print(recording: Recording, as: TraceFormat, { out, tty }: Terminal): void {
  let piece = '';
  const flush = (): void => {
    out.write(tty.out ? shown(piece) : Buffer.from(piece, 'latin1'));
    piece = '';
  };
  for (const line of recordedText(recording, as)) {
    piece += line;
    if (piece.length > PIECE) flush();
  }
  flush();
}

function shown(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString().split('\n').map(printable).join('\n');
}
