/**
 * How one value is printed, and read back.
 *
 * Reading is strict: it takes exactly the text that printing gives, so that what was read can be thrown away and made
 * again. `0x0010`, `+5` and a name for a number that has another name are all refused.
 *
 * There are two printers. The kernel's vsprintf() writes 0 under %#llx as 0x0 and knows its own enumerations; trace-cmd
 * and perf format the record through the C library, which writes 0, and read the enumerations from nowhere.
 */

export type Printer = 'kernel' | 'c';

/** What is being read, and the last value that was: 64 bits as two words. One object serves a whole import. */
export interface Input {
  bytes: Uint8Array;
  at: number;
  end: number;
  lo: number;
  hi: number;
}

export interface Codec {
  /** Undefined where this codec has no text for the value. */
  readonly print: (value: number | bigint) => string | undefined;
  /** Take the text at input.at and leave its value in lo and hi; false where it is not ours. */
  readonly read: (input: Input) => boolean;
  /** The bits of the field that the text tells; all where absent. */
  readonly mask?: readonly [lo: number, hi: number];
}

/** Take this text. */
export function take(input: Input, text: string): boolean {
  const { bytes, at } = input;
  if (at + text.length > input.end) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  }
  input.at = at + text.length;
  return true;
}
