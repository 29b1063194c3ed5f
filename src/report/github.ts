/** Annotations for GitHub Actions: what failed, shown at its line of the file. */
import { printable } from '../base/printable.ts';
import { boundText, type Entry, judgedIn, placeOf, runTitle, verdictOf } from './result.ts';

interface Annotation {
  readonly level: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly title: string;
  readonly lines: readonly string[];
}

export function github(entries: readonly Entry[]): string {
  return entries
    .flatMap(annotationsOf)
    .map(({ level, file, line, column, title, lines }) => {
      const where = `file=${property(file)},line=${line},col=${column},title=${property(title)}`;
      return `::${level} ${where}::${lines.map(each => data(printable(each))).join('%0A')}\n`;
    })
    .join('');
}

function annotationsOf(entry: Entry): readonly Annotation[] {
  const { file, line, column, end } = entry;
  const title = runTitle(entry);
  if (end.kind === 'bug')
    return [{ level: 'error', file, line, column, title: `bug in apflab: ${title}`, lines: [end.message, end.repeat] }];
  if (end.kind === 'invalid') {
    return end.problems.map(({ severity, code, message, help, ...place }) => {
      return { ...place, level: severity, title: code, lines: [message, ...(help === null ? [] : [`help: ${help}`])] };
    });
  }
  if (verdictOf(entry) === 'inconclusive')
    return [{ level: 'warning', file, line, column, title, lines: [boundText(end)] }];
  const { violations = [], judgements = [] } = judgedIn(end) ?? {};
  return violations.map(violation => {
    const place = placeOf({ judgements }, violation);
    return {
      level: 'error' as const,
      file: place?.file ?? file,
      line: violation.line,
      column: place?.column ?? 1,
      title,
      lines: [violation.message, `repeat: ${violation.repeat}`],
    };
  });
}

/** The escapes of the runner: a message may not end its line, a property not end itself either. */
function data(text: string): string {
  return text.replace(/%/g, '%25');
}

function property(text: string): string {
  return data(printable(text)).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
