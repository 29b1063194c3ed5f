/** The Test Anything Protocol, version 14: a line for each run, with the reasons of a failure as YAML below it. */
import { printable } from '../base/printable.ts';
import { type Entry, isGood, reasonsOf, runTitle, verdictOf, violationsOf } from './result.ts';

export function tap(entries: readonly Entry[]): string {
  return ['TAP version 14', `1..${entries.length}`, ...entries.flatMap(lineOf), ''].join('\n');
}

function lineOf(entry: Entry, index: number): readonly string[] {
  const verdict = verdictOf(entry);
  const ok = isGood(verdict) ? 'ok' : 'not ok';
  const line = `${ok} ${index + 1} - ${description(`${entry.file}: ${runTitle(entry)}`)}`;
  if (isGood(verdict)) return [line];
  const [first] = violationsOf(entry);
  return [
    line,
    '  ---',
    `  verdict: ${verdict}`,
    `  at: ${quoted(`${entry.file}:${first?.line ?? entry.line}`)}`,
    '  reasons:',
    ...reasonsOf(entry).map(reason => `    - ${quoted(reason)}`),
    ...(first ? [`  repeat: ${quoted(first.repeat)}`] : []),
    '  ...',
  ];
}

/** A bare # would begin a directive such as SKIP. */
function description(text: string): string {
  return printable(text).replace(/[\\#]/g, '\\$&');
}

/** A YAML text in double quotes is a JSON text. */
function quoted(text: string): string {
  return JSON.stringify(printable(text));
}
