/** Text in columns and paragraphs, for the verbs that explain something. Fits 80 columns where words allow. */

const WIDTH = 80;
/** A last column that begins further right is not worth breaking. */
const BREAK_BEFORE = 50;

interface Look {
  readonly first?: (text: string) => string;
  readonly indent?: number;
}

/** Left-aligned, two blanks between; the last column is broken into lines. `first` paints the first one. */
export function columns(rows: readonly (readonly string[])[], { first = same, indent = 0 }: Look = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  const start = widths.reduce((sum, width) => sum + width + 2, indent);
  return rows.map(row => line(row, widths, start, first, indent)).join('');
}

function line(
  row: readonly string[],
  widths: readonly number[],
  start: number,
  first: (text: string) => string,
  indent: number,
): string {
  const cells = row
    .slice(0, -1)
    .map((cell, index) => (index === 0 ? first(cell) : cell) + ' '.repeat((widths[index] ?? 0) - cell.length + 2));
  const last = row.at(-1) ?? '';
  const text = start > BREAK_BEFORE ? last : paragraph(last, start).trimStart();
  return `${`${' '.repeat(indent)}${cells.join('')}${text}`.trimEnd()}\n`;
}

/** A line that is too wide goes on in others: below its last column, or a little further in where it has only one. */
export function hanging(text: string): string {
  if (text.length <= WIDTH) return text;
  // Columns are set apart by two blanks or more; those in front are its indentation.
  const indent = text.length - text.trimStart().length;
  const columns = [...text.matchAll(/\S {2,}/g)].map(({ index, 0: gap }) => index + gap.length);
  const column = columns.filter(at => at <= BREAK_BEFORE).at(-1);
  if (column !== undefined) return text.slice(0, column) + paragraph(text.slice(column), column).trimStart();
  const [first = '', ...rest] = paragraph(text.slice(indent), indent + 2).split('\n');
  return [' '.repeat(indent) + first.trimStart(), ...rest].join('\n');
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

const same = (text: string): string => text;
