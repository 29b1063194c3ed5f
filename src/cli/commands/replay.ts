/** `apflab replay`: the runs of a run file once more; the traces must be the recorded ones. */
import { printable } from '../../base/printable.ts';
import type { Args } from '../args.ts';
import type { ExitCode } from '../exit.ts';
import { readBytes } from '../files.ts';
import { planOfRunFile, selectionOf } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { codeOfDifference, differencesOf, isForeign, originOf } from '../replaying.ts';
import { isRunFile, readRunFile } from '../run_file.ts';
import type { Terminal } from '../terminal.ts';
import { report } from './run.ts';

export async function replay(args: Args, terminal: Terminal): Promise<ExitCode> {
  const [path = ''] = args.operands;
  const bytes = readBytes(path, terminal);
  if (!isRunFile(bytes)) throw new Refusal(`${path} is no run file`, 'apflab run FILE --record RUN writes one');
  const runFile = await readRunFile(path, bytes);
  const origin = originOf(runFile);
  if (isForeign(runFile)) terminal.err.write(`${origin}: traces need not be the same\n`);
  const result = await report(planOfRunFile(runFile, selectionOf(args)), [path], args, terminal);
  if (result.cut_short) return result.code;

  const differences = differencesOf(runFile, result.entries);
  for (const difference of differences)
    terminal.err.write(`${terminal.err.paint.bad('differs')}: ${printable(difference)}\n`);
  if (differences.length === 0) return result.code;
  if (!isForeign(runFile)) terminal.err.write(`${origin}\n`);
  return codeOfDifference(runFile);
}
