/** The screen without a terminal: as plain text for tests and documents, and as a picture for the README. */
import { widthOf } from './cells.ts';
import type { Size } from './layout.ts';
import type { Block } from './screen.ts';

interface Span {
  readonly text: string;
  readonly color: string | null;
  readonly bold: boolean;
  readonly reverse: boolean;
}

const SGR = /\x1b\[([\d;]*)m/;

/** Pieces of a line by look. Reads only what theme.ts writes at 24 bits. */
function spansOf(line: string): readonly Span[] {
  const spans: Span[] = [];
  let look: Omit<Span, 'text'> = { color: null, bold: false, reverse: false };
  line.split(SGR).forEach((part, index) => {
    if (index % 2 === 0) {
      if (part !== '') spans.push({ ...look, text: part });
      return;
    }
    const color = /38;2;(\d+;\d+;\d+)/.exec(part)?.[1] ?? null;
    const plain = part === '0' || part === '';
    look = plain
      ? { color: null, bold: false, reverse: false }
      : {
          color: color && `rgb(${color.replaceAll(';', ',')})`,
          bold: /^1(;|$)/.test(part),
          reverse: /(^|;)7(;|$)/.test(part),
        };
  });
  return spans;
}

/** The lines of the screen, blanks at their ends left out. */
export function textOf(blocks: readonly Block[], { rows }: Size): string {
  const lines = Array.from({ length: rows }, () => '');
  for (const { x, y, lines: drawn } of blocks.toSorted((a, b) => a.x - b.x)) {
    drawn.forEach((line, index) => {
      const text = spansOf(line)
        .map(span => span.text)
        .join('');
      const before = lines[y + index] ?? '';
      lines[y + index] = before + ' '.repeat(Math.max(0, x - widthOf(before))) + text;
    });
  }
  return lines.map(line => line.trimEnd()).join('\n');
}

const CELL = { width: 8.4, height: 18 } as const;
const MARGIN = 12;
const INK = '#d8dee9';
const PAPER = '#14171c';

/** An SVG of the screen in a monospaced face; every piece says how wide it is, so that any face lines up. */
export function svgOf(blocks: readonly Block[], { columns, rows }: Size, title: string): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = rows * CELL.height + 2 * MARGIN;
  const texts = blocks.flatMap(({ x, y, lines }) =>
    lines.flatMap((line, index) => {
      let column = x;
      return spansOf(line).flatMap(span => {
        const cells = widthOf(span.text);
        const left = round(MARGIN + column * CELL.width);
        const top = MARGIN + (y + index) * CELL.height;
        column += cells;
        const paper = span.reverse
          ? [
              `<rect x="${left}" y="${top}" width="${round(cells * CELL.width)}" height="${CELL.height}" fill="${INK}"/>`,
            ]
          : [];
        if (span.text.trim() === '') return paper;
        const fill = span.reverse ? PAPER : (span.color ?? INK);
        const weight = span.bold ? ' font-weight="bold"' : '';
        const length = round(cells * CELL.width);
        return [
          ...paper,
          `<text x="${left}" y="${top + 13}" fill="${fill}"${weight} textLength="${length}" xml:space="preserve">${escaped(span.text)}</text>`,
        ];
      });
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<rect width="100%" height="100%" rx="8" fill="${PAPER}"/>`,
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">`,
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
