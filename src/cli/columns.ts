/** Text in columns and paragraphs, for the verbs that explain something. */

const WIDTH = 100;

/** Left-aligned, two blanks between; the last column is not filled. `first` paints the first one. */
export function columns(
  rows: readonly (readonly string[])[],
  { first = same, indent = 0 }: { first?: Paint; indent?: number } = {},
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  const lines = rows.map(row => {
    const cells = row.map((cell, index) => {
      const text = index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0);
      return index === 0 ? first(text) : text;
    });
    return `${' '.repeat(indent)}${cells.join('  ')}`;
  });
  return lines.map(line => `${line}\n`).join('');
}

/** Filled to the width of a page, each line indented. */
export function paragraph(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 + indent > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map(each => ' '.repeat(indent) + each).join('\n');
}

type Paint = (text: string) => string;
const same = (text: string): string => text;
