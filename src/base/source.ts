/**
 * Where in a text: offsets to lines and columns, and one line of it made fit to be shown with a mark below.
 *
 * Offsets count UTF-16 units, as the lexer does. Lines and columns count from 1, and a column counts characters as an
 * editor does: a tab is one, so is a character outside the basic plane. Only `snippet()` deals in terminal cells.
 */
import { printable } from './printable.ts';

export interface Source {
  /** What the user calls it, as given on the command line: `scenarios/gate.apf`. */
  readonly path: string;
  readonly text: string;
}

export interface Span {
  readonly start: number;
  /** One past the last unit; equal to `start` where something is missing. */
  readonly end: number;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One line made ready for a terminal: tabs expanded, control characters replaced, and the marked cells of it. */
export interface Snippet {
  readonly text: string;
  /** Terminal cells before the mark, and of the mark; at least one, so that a missing token still shows. */
  readonly indent: number;
  readonly width: number;
}

const TAB_CELLS = 4;

/** Where no terminal says how wide it is. */
export const COLUMNS = 120;

/** Thousands of positions are asked for in one text after the other: where its lines start is worked out once. */
let latest = { text: '', starts: [0] };

/** The offset at which each line starts. A line ends at LF, CR or CRLF. */
export function lineStarts(text: string): readonly number[] {
  if (latest.text === text) return latest.starts;
  const starts = [0];
  for (const end of text.matchAll(/\r\n|\r|\n/g)) starts.push(end.index + end[0].length);
  latest = { text, starts };
  return starts;
}

/** Offsets outside the text are taken as its nearest end: chevrotain places missing tokens at -1 or NaN. */
export function positionAt(text: string, offset: number): Position {
  const inside = clamp(text, offset);
  const starts = lineStarts(text);
  const line = lineOf(starts, inside);
  return { line: line + 1, column: 1 + characters(text.slice(starts[line], inside)) };
}

/** Index of the last line that starts at or before an offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The offset of a position; a column past the end of its line is the end of the line. */
export function offsetAt(text: string, { line, column }: Position): number {
  const start = lineStarts(text)[line - 1];
  if (start === undefined) return text.length;
  const units = [...lineAt(text, start)].slice(0, column - 1).join('').length;
  return start + units;
}

/** The line around `span.start`, with the part of the span that lies on it. */
export function snippet(text: string, span: Span): Snippet {
  const from = clamp(text, span.start);
  const starts = lineStarts(text);
  const start = starts[lineOf(starts, from)] ?? 0;
  const line = lineAt(text, start);
  const before = expand(line.slice(0, from - start), 0);
  const marked = expand(line.slice(from - start, Math.max(from, span.end) - start), before.cells);
  const after = expand(line.slice(Math.max(from, span.end) - start), before.cells + marked.cells);
  return {
    text: (before.text + marked.text + after.text).trimEnd(),
    indent: before.cells,
    width: Math.max(1, marked.cells),
  };
}

const CUT = '...';

/** At most so many cells of the line: the mark with what is around it, and `...` where something is left out. */
export function shortened({ text, indent, width }: Snippet, columns: number): Snippet {
  const room = Math.max(columns, 4 * CUT.length);
  const characters: { readonly text: string; readonly from: number; readonly to: number }[] = [];
  let total = 0;
  for (const character of text) {
    const to = total + cellsOf(character);
    characters.push({ text: character, from: total, to });
    total = to;
  }
  if (total <= room) return { text, indent, width };
  // From the margin on as long as the mark is in sight; else a third of the room stands before it.
  const inSight = indent + Math.min(width, room >> 1) + CUT.length <= room;
  const start = inSight ? 0 : Math.min(indent - Math.floor(room / 3), Math.max(total, indent + 1) - room);
  const from = start + (start > 0 ? CUT.length : 0);
  const to = start + room - (start + room < total ? CUT.length : 0);
  const shown = characters.filter(each => each.from >= from && each.to <= to);
  // Half of a wide character is a blank.
  const gap = ' '.repeat((shown[0]?.from ?? from) - from);
  const line = gap + shown.map(each => each.text).join('');
  return {
    text: (start > 0 ? CUT : '') + line + (to < start + room ? CUT : ''),
    indent: indent - start,
    width: Math.max(1, Math.min(width, to - indent)),
  };
}

/** Cells a terminal uses for one character: none for marks that combine, two for East Asian wide ones and emoji. */
export function cellsOf(character: string): number {
  if (/^[\p{Mn}\p{Me}\u200b-\u200d]/u.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return WIDE.some(([low, high]) => low <= code && code <= high) ? 2 : 1;
}

/** Unicode's East_Asian_Width W and F, in blocks rather than to the letter: enough to put a caret in its place. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function expand(part: string, column: number): { readonly text: string; readonly cells: number } {
  let text = '';
  let cells = 0;
  for (const character of part) {
    const width = character === '\t' ? TAB_CELLS - ((column + cells) % TAB_CELLS) : cellsOf(character);
    text += character === '\t' ? ' '.repeat(width) : printable(character);
    cells += width;
  }
  return { text, cells };
}

function lineAt(text: string, start: number): string {
  const length = text.slice(start).search(/[\r\n]/);
  return length < 0 ? text.slice(start) : text.slice(start, start + length);
}

function clamp(text: string, offset: number): number {
  return offset > 0 ? Math.min(offset, text.length) : 0;
}

function characters(text: string): number {
  return [...text].length;
}
