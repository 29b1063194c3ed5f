/** A page for a merge request or a mail: what ran, the matrix of each file, and what failed with the way to repeat it. */

import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import { coveredText } from './explored.ts';
import { costTablesOf, matrixOf } from './matrix.ts';
import { caseTitle, type Entry, isGood, reasonsOf, runTitle, tally, verdictOf, violationsOf } from './result.ts';

export function markdown(entries: readonly Entry[]): string {
  const files = [...new Set(entries.map(({ file }) => file))];
  const sections = files.flatMap(file =>
    sectionOf(
      file,
      entries.filter(entry => entry.file === file),
    ),
  );
  return `${['# apflab', '', tally(entries.map(verdictOf)) || 'nothing ran', ...sections].join('\n')}\n`;
}

function sectionOf(file: string, entries: readonly Entry[]): readonly string[] {
  const costs = costTablesOf(entries).flatMap(({ title, variants, rows }) => [
    '',
    `### ${text(title)}: report`,
    '',
    ...table(
      ['', ...variants.map(code)],
      rows.map(row => [code(row.title), ...row.values.map(text)]),
    ),
  ]);
  return ['', `## ${text(file)}`, '', ...verdictTable(entries), ...costs, ...entries.flatMap(failureOf)];
}

function verdictTable(entries: readonly Entry[]): readonly string[] {
  const matrix = matrixOf(entries);
  if (matrix) {
    const rows = matrix.rows.map(({ title, cells }) => [text(title), ...cells.map(cell => cell ?? '')]);
    return table(['case', ...matrix.variants.map(code)], rows);
  }
  const rows = entries.map(entry => [
    entry.run ? text(caseTitle(entry.run)) : 'the file',
    entry.run ? code(entry.run.variant) : '',
    verdictOf(entry),
    factText(entry),
  ]);
  return table(
    ['case', 'variant', 'verdict', entries.some(({ end }) => end.kind === 'explored') ? 'covered' : 'virtual time'],
    rows,
  );
}

function factText({ end }: Entry): string {
  if (end.kind === 'explored') return coveredText(end);
  return end.kind === 'ran' ? durationText(end.outcome.sim_ns) : '';
}

function failureOf(entry: Entry): readonly string[] {
  if (isGood(verdictOf(entry))) return [];
  const places = entry.end.kind === 'invalid' ? entry.end.problems.map(({ line, column }) => `${line}:${column}`) : [];
  const reasons = reasonsOf(entry).map(
    (reason, index) => `- ${places[index] ? `${places[index]} ` : ''}${text(reason)}`,
  );
  const repeats = [...new Set(violationsOf(entry).map(({ repeat }) => repeat))];
  const fences = repeats.flatMap(repeat => ['', '```sh', printable(repeat), '```']);
  return ['', `### ${verdictOf(entry)}: ${text(runTitle(entry))}`, '', ...reasons, ...fences];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Nothing in a name makes a link, a tag or another cell. */
function text(raw: string): string {
  return printable(raw).replace(/[\\`*_{}[\]<>()#+!|~&@]/g, each =>
    each === '<' ? '&lt;' : each === '&' ? '&amp;' : `\\${each}`,
  );
}

function code(raw: string): string {
  const shown = printable(raw).replaceAll('|', '\\|');
  return shown === '' ? '' : `\`${shown.replaceAll('`', "'")}\``;
}
