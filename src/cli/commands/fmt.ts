/** `apflab fmt`: scenarios as they should be written. */
import { printable } from '../../base/printable.ts';
import { format } from '../../dsl/print.ts';
import type { Args } from '../args.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode, worst } from '../exit.ts';
import { readScenario, scenarioPaths } from '../files.ts';
import { writeWhole } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { CHECK } from '../verbs.ts';

export function fmt(args: Args, terminal: Terminal): ExitCode {
  return worst(scenarioPaths(args.operands, terminal).map(path => formatOne(path, args.get(CHECK), terminal)));
}

function formatOne(path: string, checkOnly: boolean, terminal: Terminal): ExitCode {
  const { out, err } = terminal;
  const source = readScenario(path, terminal);
  const formatted = format(source);
  if ('diagnostics' in formatted) {
    sayDiagnostics(formatted.diagnostics, err);
    return EXIT.invalid;
  }
  const same = formatted.text === source.text;
  if (checkOnly) {
    if (!same) out.write(`not formatted: ${printable(source.path)}\n`);
    return same ? EXIT.ok : EXIT.failed;
  }
  if (path === '-') out.write(formatted.text);
  else if (!same) {
    writeWhole(path, formatted.text, terminal);
    out.write(`formatted ${printable(path)}\n`);
  }
  return EXIT.ok;
}
