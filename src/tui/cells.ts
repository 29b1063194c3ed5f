/**
 * Text measured in terminal cells.
 *
 * Nearly everything we show is ASCII, where a cell is a character; only other text pays for string-width, which is slow. Text that
 * comes here is printable already (base/printable.ts) and holds no escape sequences.
 */
import stringWidth from 'string-width';

/** ASCII and our own glyphs: one cell for each unit. */
const NARROW = /^[\x20-\x7e─▸✓✗·▶‖█]*$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that the text takes. */
export function widthOf(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text);
}

/** Stands where something was cut off. ASCII: Ink is twice as fast with lines that are ASCII throughout. */
const CUT = '~';

/** The text if it fits, else its beginning and the mark of the cut; never wider than `width`. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (NARROW.test(text)) return text.length <= width ? text : text.slice(0, width - 1) + CUT;
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const cells = stringWidth(segment);
    if (used + cells > width - 1) break;
    kept += segment;
    used += cells;
  }
  return kept + CUT;
}

/** Cut or filled with blanks to exactly `width` cells. */
export function padded(text: string, width: number): string {
  const kept = cut(text, width);
  return kept + ' '.repeat(Math.max(0, width - widthOf(kept)));
}

/** Words of a paragraph on lines of at most `width` cells; continued lines are indented. */
export function wrap(text: string, width: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width || line.trim() === '') line = longer;
    else {
      lines.push(cut(line, width));
      line = indent + word;
    }
  }
  return [...lines, cut(line, width)];
}
