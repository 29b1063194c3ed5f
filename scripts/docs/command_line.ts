/** docs/command-line.md, from the declared verbs: what `apflab help` says, on one page. */
import { EXIT, EXIT_MEANING } from '../../src/cli/exit.ts';
import { VERB_LIST } from '../../src/cli/verbs.ts';
import type { Document } from '../gen_docs.ts';
import { table } from '../markdown.ts';

const INTRODUCTION = `# The command line

Made from the declarations in \`src/cli/verbs.ts\` by \`npm run docs\`. \`apflab help VERB\` says the same.

Verdicts go to standard output, or to standard error where \`--trace -\` or a report has taken that; diagnostics go to
standard error. There is no colour in a pipe; \`FORCE_COLOR\` asks for it, \`NO_COLOR\` takes it away. What scenarios and
recordings call things reaches no terminal as anything but text.
`;

export const documents: readonly Document[] = [{ file: 'docs/command-line.md', render }];

function render(): string {
  return [INTRODUCTION, exitCodes(), ...VERB_LIST.map(verbSection)].join('\n');
}

function exitCodes(): string {
  const meanings = new Map<string, string>(Object.entries(EXIT_MEANING));
  const rows = Object.entries(EXIT).map(([name, code]) => [String(code), meanings.get(name) ?? '']);
  return `## Exit codes\n\n${table(['code', 'meaning'], rows)}\nWith several files: the first of 5, 2, 1, 3, 0 that occurred.\n`;
}

function verbSection({ name, operands, summary, about, flags, examples }: (typeof VERB_LIST)[number]): string {
  const rows = flags.map(flag => [`\`--${flag.name}${flag.value === null ? '' : ` ${flag.value}`}\``, flag.summary]);
  const shown = examples.map(([line, says]) => [`\`${line}\``, says]);
  return [
    `## apflab ${`${name} ${operands}`.trim()}\n`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\n${about.replaceAll('\n', ' ')}\n`,
    ...(rows.length > 0 ? [table(['flag', ''], rows)] : []),
    table(['example', ''], shown),
  ].join('\n');
}
