/** JUnit XML: a suite for each file, a test case for each run. No times: those would differ from run to run. */
import { markup } from './markup.ts';
import { type Entry, isGood, judgedIn, reasonsOf, runTitle, verdictOf, violationsOf } from './result.ts';

export function junit(entries: readonly Entry[]): string {
  const files = [...new Set(entries.map(({ file }) => file))];
  const suites = files.flatMap(file =>
    suiteOf(
      file,
      entries.filter(entry => entry.file === file),
    ),
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${sums(entries)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteOf(file: string, entries: readonly Entry[]): readonly string[] {
  return [`  <testsuite name="${markup(file)}" ${sums(entries)}>`, ...entries.flatMap(caseOf), '  </testsuite>'];
}

function caseOf(entry: Entry): readonly string[] {
  const { file, line } = entry;
  const verdict = verdictOf(entry);
  const open = `    <testcase classname="${markup(file)}" name="${markup(runTitle(entry))}" file="${markup(file)}" line="${line}"`;
  if (isGood(verdict)) return [`${open}/>`];
  const element = isError(entry) ? 'error' : 'failure';
  const reasons = reasonsOf(entry);
  const repeats = [...new Set(violationsOf(entry).map(({ repeat }) => repeat))].map(repeat => `repeat: ${repeat}`);
  return [
    `${open}>`,
    `      <${element} type="${verdict}" message="${markup(reasons[0] ?? verdict)}">${content([...reasons, ...repeats])}</${element}>`,
    '    </testcase>',
  ];
}

/** JUnit's word for what could not be judged at all. */
function isError(entry: Entry): boolean {
  return judgedIn(entry.end) === null || verdictOf(entry) === 'inconclusive';
}

function sums(entries: readonly Entry[]): string {
  const bad = entries.filter(entry => !isGood(verdictOf(entry)));
  const errors = bad.filter(isError).length;
  return `tests="${entries.length}" failures="${bad.length - errors}" errors="${errors}"`;
}

function content(lines: readonly string[]): string {
  return lines.map(markup).join('\n');
}
