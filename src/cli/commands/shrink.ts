/** `apflab shrink`: the counterexamples of a run file, made easier to read. */

import { printable } from '../../base/printable.ts';
import { movesOf } from '../../explore/schedule.ts';
import { switchesOf } from '../../explore/shrink.ts';
import { caseTitle } from '../../report/result.ts';
import type { Program } from '../../sim/program.ts';
import type { Args } from '../args.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { readBytes } from '../files.ts';
import { outcomeOf } from '../found.ts';
import { checkDestinations, openOutput } from '../output.ts';
import { selectionOf } from '../plan.ts';
import { programOf } from '../planned.ts';
import { printRuns, type Ran } from '../record.ts';
import { Refusal } from '../refusal.ts';
import { isRunFile, readRunFile } from '../run_file.ts';
import type { Terminal } from '../terminal.ts';
import { RECORD, SCENARIO } from '../verbs.ts';

export async function shrink(args: Args, terminal: Terminal): Promise<ExitCode> {
  const [path = ''] = args.operands;
  const bytes = readBytes(path, terminal);
  if (!isRunFile(bytes)) throw new Refusal(`${path} is no run file`, 'apflab explore FILE --record RUN writes one');
  const target = args.get(RECORD);
  if (target !== null) checkDestinations([['--record', target]], [path], terminal);
  const runFile = await readRunFile(path, bytes);
  const verdicts = target === '-' ? terminal.err : terminal.out;
  const { variants, grep } = selectionOf(args);
  const wanted = runFile.runs.filter(
    ({ schedule, variant, case_name }) =>
      schedule !== null &&
      (variants.length === 0 || variants.includes(variant)) &&
      (grep === null || case_name.includes(grep)),
  );
  if (wanted.length === 0)
    throw new Refusal(`${path} holds no such counterexample`, 'apflab explore FILE --record RUN keeps what it finds');
  const sources = [...runFile.sources];
  const ran: Ran[] = [];
  for (const [index, run] of wanted.entries()) {
    const before = programOf(runFile, run, null);
    if (!before) throw new Refusal(`${run.file}: ${caseTitle(run)} does not run any more`);
    const { minimalScenario, shrunk } = await import('../minimal.ts');
    const minimal = args.get(SCENARIO) ? minimalScenario(runFile, run) : null;
    const after = minimal?.program ?? shrunk(before);
    const without = minimal ? `, without ${minimal.removed} statements` : '';
    const name = `${run.file}: ${caseTitle(run)} on ${run.variant}, '${before.schedule?.breaks ?? ''}'`;
    verdicts.write(`${printable(name)}: ${sizeOf(before)} -> ${sizeOf(after)}${without}\n`);
    // Each has its own text: what one does without another may need.
    const file = minimal ? run.file.replace(/(\.apf)?$/, `-${index + 1}.apf`) : run.file;
    if (minimal) sources.push({ path: file, text: minimal.text });
    ran.push({ file, run, outcome: outcomeOf(after) });
  }
  if (target === null) return EXIT.ok;
  const output = openOutput(target, terminal);
  output.write(await printRuns({ sources, set: new Map(Object.entries(wanted[0]?.set ?? {})) }, ran));
  output.close();
  return EXIT.ok;
}

function sizeOf(program: Program): string {
  const moves = movesOf(program);
  return `${moves.length} steps, ${switchesOf(moves)} context switches`;
}
