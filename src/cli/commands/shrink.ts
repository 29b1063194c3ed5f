/** `apflab shrink`: the counterexamples of a run file, made easier to read. */

import { printable } from '../../base/printable.ts';
import { caseTitle } from '../../report/result.ts';
import type { Program } from '../../sim/program.ts';
import type { Args } from '../args.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { readBytes } from '../files.ts';
import { checkDestinations, openOutput } from '../output.ts';
import { planOfRunFile, selectionOf } from '../plan.ts';
import { printRuns, type Ran } from '../record.ts';
import { Refusal } from '../refusal.ts';
import { isRunFile, readRunFile } from '../run_file.ts';
import type { Terminal } from '../terminal.ts';
import { RECORD } from '../verbs.ts';

export async function shrink(args: Args, terminal: Terminal): Promise<ExitCode> {
  const [path = ''] = args.operands;
  const bytes = readBytes(path, terminal);
  if (!isRunFile(bytes)) throw new Refusal(`${path} is no run file`, 'apflab explore FILE --record RUN writes one');
  const target = args.get(RECORD);
  if (target !== null) checkDestinations([['--record', target]], [path], terminal);
  const runFile = await readRunFile(path, bytes);
  const plan = planOfRunFile(runFile, selectionOf(args));
  const verdicts = target === '-' ? terminal.err : terminal.out;
  const ran: Ran[] = [];
  for (const { file, runs } of plan.files)
    for (const run of runs) {
      const { program, diagnostics } = run.lower();
      if (!program) {
        sayDiagnostics(diagnostics, terminal.err);
        return EXIT.invalid;
      }
      if (!program.schedule) continue;
      const { before, after, outcome } = await shrunk(program);
      const name = `${file}: ${caseTitle(run)} on ${run.variant}, '${program.schedule.breaks}'`;
      verdicts.write(`${printable(name)}: ${before} -> ${after}\n`);
      const { case_name, cell, variant } = run;
      ran.push({ file, run: { case_name, cell, variant, seed: program.seed }, outcome });
    }
  if (ran.length === 0)
    throw new Refusal(`${path} holds no counterexample`, 'apflab explore FILE --record RUN keeps what it finds');
  if (target === null) return EXIT.ok;
  const [first] = runFile.runs;
  const output = openOutput(target, terminal);
  output.write(await printRuns({ sources: runFile.sources, set: new Map(Object.entries(first?.set ?? {})) }, ran));
  output.close();
  return EXIT.ok;
}

async function shrunk(program: Program) {
  const { exploredOf, movesOf, scheduled, scheduleOf } = await import('../../explore/schedule.ts');
  const { shrink: shrinkMoves, switchesOf } = await import('../../explore/shrink.ts');
  const { outcomeOf } = await import('../found.ts');
  const explored = exploredOf(program);
  const moves = movesOf(program);
  const breaks = program.schedule?.breaks ?? '';
  const result = shrinkMoves(explored, moves, breaks);
  const size = (of: readonly number[]) => `${of.length} steps, ${switchesOf(of)} context switches`;
  return {
    before: size(moves),
    after: size(result.moves),
    outcome: outcomeOf(scheduled(explored, scheduleOf(explored, result.moves, breaks))),
  };
}
