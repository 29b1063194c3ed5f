/** `apflab check`: everything that is wrong with scenarios; on demand the models that a run would get. */
import { printable } from '../../base/printable.ts';
import { counted, modelText } from '../../report/model.ts';
import type { Args } from '../args.ts';
import { hasErrors, sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode, worst } from '../exit.ts';
import { planOf, selectionOf } from '../plan.ts';
import type { PlannedFile } from '../runner.ts';
import type { Terminal } from '../terminal.ts';
import { PRINT } from '../verbs.ts';

export function check(args: Args, terminal: Terminal): ExitCode {
  const { files } = planOf(args.operands, selectionOf(args), terminal);
  return worst(files.map(file => checkOne(file, args.get(PRINT), terminal)));
}

function checkOne({ file, diagnostics, runs }: PlannedFile, print: boolean, { out, err }: Terminal): ExitCode {
  sayDiagnostics(diagnostics, err);
  if (hasErrors(diagnostics)) return EXIT.invalid;
  const cases = new Set(runs.map(({ line }) => line)).size;
  out.write(`${printable(file)}: ${out.paint.good('ok')}, ${counted(cases, 'case')}, ${counted(runs.length, 'run')}\n`);
  if (!print) return EXIT.ok;
  const codes = runs.map(run => {
    const { program, diagnostics } = run.lower();
    if (program) out.write(`\n${modelText(program)}`);
    else sayDiagnostics(diagnostics, err);
    return program ? EXIT.ok : EXIT.invalid;
  });
  return worst(codes);
}
