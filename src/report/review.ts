/** A failing run as Markdown for a mail: the rule, the scenario, the story. No line is longer than 72 columns. */
import { printable } from '../base/printable.ts';
import type { Telling } from '../sim/tell.ts';
import { fold } from './fold.ts';
import { endLines, headLines, turnLines } from './told.ts';

const WIDTH = 72;

/** `scenario`: its text, as far as it matters. `repeat`: the command that shows it again. */
export function reviewText(telling: Telling, scenario: string, repeat: string): string {
  const broken = telling.judgements.filter(({ holds }) => holds === 'no');
  const [title = '', size = ''] = [headLines(telling, 1000)[0], headLines(telling, 1000).at(-1)];
  const lines = [
    ...fold(`# ${title}`, WIDTH),
    '',
    '## Rule',
    '',
    ...broken.flatMap(({ place }) => code([place.text])),
    ...(broken.length === 0 ? ['Nothing is broken.'] : []),
    '',
    ...(broken.length === 0 ? [] : [...code(endLines({ ...telling, standings: [] }, WIDTH - INDENT.length)), '']),
    '## Scenario',
    '',
    ...code(scenarioLines(scenario)),
    '',
    '## Story',
    '',
    `${size}.`,
    '',
    ...code([
      ...turnLines(telling, WIDTH - INDENT.length),
      '',
      ...endLines({ ...telling, judgements: [] }, WIDTH - INDENT.length),
    ]),
    '',
    '## Again',
    '',
    ...code([repeat]),
  ];
  return lines.map(line => `${line.trimEnd()}\n`).join('');
}

const INDENT = '    ';

function code(lines: readonly string[]): readonly string[] {
  return lines.flatMap(line => fold(printable(line), WIDTH - INDENT.length, '  ').map(part => INDENT + part));
}

/** Without comments and blank lines; a line that is too long goes on in another where a statement ends. */
function scenarioLines(text: string): readonly string[] {
  return text.split('\n').flatMap(line => {
    const bare = withoutComment(line).trimEnd();
    return bare === '' ? [] : brokenAtStatements(bare);
  });
}

function withoutComment(line: string): string {
  for (const { at, quoted } of marks(line)) if (!quoted && line[at] === '#') return line.slice(0, at);
  return line;
}

function brokenAtStatements(line: string): readonly string[] {
  if (line.length <= WIDTH - INDENT.length) return [line];
  const indent = line.length - line.trimStart().length;
  const parts: string[] = [];
  let depth = 0;
  let nested = 0;
  let begin = indent;
  const cut = (end: number, next: number) => {
    const part = line.slice(begin, end).trim();
    if (part !== '') parts.push(' '.repeat(indent + 2 * nested) + part);
    begin = next;
  };
  for (const { at, quoted } of marks(line)) {
    if (quoted) continue;
    const mark = line[at];
    if (mark === '(' || mark === '[') depth += 1;
    else if (mark === ')' || mark === ']') depth -= 1;
    else if (depth > 0) continue;
    else if (mark === ';') cut(at, at + 1);
    else if (mark === '{') {
      cut(at + 1, at + 1);
      nested += 1;
    } else if (mark === '}') {
      cut(at, at);
      nested -= 1;
      cut(at + 1, at + 1);
    }
  }
  cut(line.length, line.length);
  return parts;
}

/** Every character with whether it stands in a quoted text. */
function marks(line: string): readonly { readonly at: number; readonly quoted: boolean }[] {
  let quoted = false;
  return [...line].map((mark, at) => {
    if (mark === '"' && line[at - 1] !== '\\') quoted = !quoted;
    return { at, quoted: quoted || mark === '"' };
  });
}
