/** Codecs of numbers: printf conversions, strictly. Signed values are kept as 64 bits in two's complement. */
import { type Codec, type Input, take } from './codec.ts';

const WORD = 2 ** 32;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const X = 120;

/** Digits in any base up to 16, lower case: the value, or -1. */
function digit(byte: number): number {
  if (byte <= NINE) return byte >= ZERO ? byte - ZERO : -1;
  return byte >= 97 && byte <= 102 ? byte - 87 : -1;
}

/** Hexadecimal after a prefix, at least `width` digits. */
export function hex(prefix: '' | '0x', width: number): Codec {
  const skip = prefix.length;
  return {
    print(value) {
      const bits = value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
      return prefix + bits.toString(16).padStart(width, '0');
    },
    read(input) {
      const { bytes, end } = input;
      let at = input.at;
      if (skip > 0) {
        if (at + skip > end || bytes[at] !== ZERO || bytes[at + 1] !== X) return false;
        at += skip;
      }
      const first = at;
      let hi = 0;
      let lo = 0;
      for (; at < end; at += 1) {
        const each = digit(bytes[at] ?? 0);
        if (each < 0) break;
        hi = ((hi << 4) | (lo >>> 28)) >>> 0;
        lo = ((lo << 4) | each) >>> 0;
      }
      const digits = at - first;
      if (digits < width || digits > 16 || (digits > width && bytes[first] === ZERO)) return false;
      input.at = at;
      input.lo = lo;
      input.hi = hi;
      return true;
    },
  };
}

/** As `codec`, but zero is written in a way of its own. */
export function zeroApart(codec: Codec, zero: string): Codec {
  return {
    print: value => (Number(value) === 0 ? zero : codec.print(value)),
    read(input) {
      const { at } = input;
      if (codec.read(input)) return input.lo !== 0 || input.hi !== 0;
      input.at = at;
      if (!take(input, zero) || (digit(input.bytes[input.at] ?? 0) >= 0 && input.at < input.end)) return false;
      input.lo = 0;
      input.hi = 0;
      return true;
    },
  };
}

/** The digits at input.at into lo and hi; false where there are none, too many, or a zero in front. */
function readDecimal(input: Input): boolean {
  const { bytes, end } = input;
  const first = input.at;
  let at = first;
  let value = 0;
  for (; at < end; at += 1) {
    const each = (bytes[at] ?? 0) - ZERO;
    if (each < 0 || each > 9) break;
    value = value * 10 + each;
  }
  const digits = at - first;
  if (digits === 0 || digits > 20 || (digits > 1 && bytes[first] === ZERO)) return false;
  input.at = at;
  if (digits <= 15) {
    input.lo = value >>> 0;
    input.hi = (value / WORD) >>> 0;
    return true;
  }
  const exact = BigInt(String.fromCharCode(...bytes.subarray(first, at)));
  input.lo = Number(exact & 0xffffffffn);
  input.hi = Number((exact >> 32n) & 0xffffffffn);
  return exact < 1n << 64n;
}

export const unsigned: Codec = { print: value => (value < 0 ? undefined : String(value)), read: readDecimal };

export const signed: Codec = {
  print: String,
  read(input) {
    if (input.bytes[input.at] !== MINUS) return readDecimal(input) && input.hi < 2 ** 31;
    input.at += 1;
    if (!readDecimal(input) || (input.lo === 0 && input.hi === 0)) return false;
    if (input.hi > 2 ** 31 || (input.hi === 2 ** 31 && input.lo > 0)) return false;
    negate(input);
    return true;
  },
};

function negate(input: Input): void {
  input.hi = (~input.hi + (input.lo === 0 ? 1 : 0)) >>> 0;
  input.lo = -input.lo >>> 0;
}

/** libtraceevent reads an s8 as a u8: -1 is written 255. */
export const signedByteAsUnsigned: Codec = {
  print: value => String(Number(value) & 0xff),
  read(input) {
    if (!readDecimal(input) || input.hi > 0 || input.lo > 0xff) return false;
    if (input.lo > 0x7f) {
      input.hi = 0xffffffff;
      input.lo = (input.lo | 0xffffff00) >>> 0;
    }
    return true;
  },
};

/** `%03d`: the sign takes one of the columns. */
export function paddedDecimal(width: number): Codec {
  return {
    print: value =>
      value < 0
        ? `-${String(value)
            .slice(1)
            .padStart(width - 1, '0')}`
        : String(value).padStart(width, '0'),
    read(input) {
      const { bytes, end } = input;
      const start = input.at;
      const below = bytes[start] === MINUS;
      if (below) input.at += 1;
      while (input.at < end - 1 && input.at < start + width - 1 && bytes[input.at] === ZERO) input.at += 1;
      const zeros = input.at - start - (below ? 1 : 0);
      if (!readDecimal(input) || input.hi >= 2 ** 31) return false;
      const columns = input.at - start;
      if (columns < width || (zeros > 0 && columns > width)) return false;
      if (!below) return true;
      negate(input);
      return input.lo !== 0 || input.hi !== 0;
    },
  };
}

/** A negative number between -least and -most, but one, written without its sign: how userspace exits print errno. */
export function negated(least: number, most: number, but = 0): Codec {
  const ours = (value: number): boolean => value >= least && value <= most && value !== but;
  return {
    print: value => (ours(-Number(value)) ? String(-Number(value)) : undefined),
    read(input) {
      if (!readDecimal(input) || input.hi > 0 || !ours(input.lo)) return false;
      negate(input);
      return true;
    },
  };
}

export function only(codec: Codec, ours: (value: number) => boolean): Codec {
  return {
    print: value => (ours(Number(value)) ? codec.print(value) : undefined),
    read: input => codec.read(input) && ours((input.hi | 0) * WORD + input.lo),
  };
}
