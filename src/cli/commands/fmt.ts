/** `apflab fmt`: scenarios as they should be written. */
import { printable } from '../../base/printable.ts';
import { format } from '../../dsl/print.ts';
import { LANGUAGE_VERSION } from '../../dsl/statements/file.ts';
import { upgrade } from '../../dsl/upgrade.ts';
import type { Args } from '../args.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode, worst } from '../exit.ts';
import { readScenario, scenarioPaths } from '../files.ts';
import { writeWhole } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { CHECK, UPGRADE } from '../verbs.ts';

export function fmt(args: Args, terminal: Terminal): ExitCode {
  const how = { checkOnly: args.get(CHECK), upgrades: args.get(UPGRADE) };
  return worst(scenarioPaths(args.operands, terminal).map(path => formatOne(path, how, terminal)));
}

function formatOne(
  path: string,
  { checkOnly, upgrades }: { readonly checkOnly: boolean; readonly upgrades: boolean },
  terminal: Terminal,
): ExitCode {
  const { out, err } = terminal;
  const source = readScenario(path, terminal);
  const { source: newest, from } = upgrades ? upgrade(source) : { source, from: null };
  const name = printable(path);
  const old = newest.text !== source.text;
  if (upgrades && !old && from !== LANGUAGE_VERSION) {
    err.write(`${name}: in language ${printable(from ?? '')}, which this apflab does not know\n`);
    return EXIT.invalid;
  }
  const formatted = format(newest);
  if ('diagnostics' in formatted) {
    sayDiagnostics(formatted.diagnostics, err);
    return EXIT.invalid;
  }
  if (upgrades && path !== '-') out.write(old ? oldText(name, from, checkOnly) : `${name}: in the newest language\n`);
  const same = formatted.text === source.text;
  if (checkOnly) {
    if (!same && !old) out.write(`not formatted: ${name}\n`);
    return same ? EXIT.ok : EXIT.failed;
  }
  if (path === '-') out.write(formatted.text);
  else if (!same) {
    writeWhole(path, formatted.text, terminal);
    if (!old) out.write(`formatted ${name}\n`);
  }
  return EXIT.ok;
}

function oldText(name: string, from: string | null, checkOnly: boolean): string {
  const was = from === null ? 'said no language' : `was in language ${printable(from)}`;
  return checkOnly
    ? `not in the newest language: ${name}\n`
    : `${name}: ${was}, is in language ${LANGUAGE_VERSION} now\n`;
}
