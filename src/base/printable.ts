/**
 * Names, comments and recordings are data from strangers: shown on a terminal they must not move its cursor.
 *
 * Every unit is replaced by exactly one unit, so offsets and columns into the text stay right.
 */

/** C0 and DEL, C1, and the invisible characters that turn the direction of text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text on one line with nothing in it that a terminal would obey: ESC becomes its picture, `␛`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, unit => {
    const code = unit.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\ufffd';
  });
}
