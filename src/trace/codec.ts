/**
 * How one value is printed, and read back.
 *
 * Reading is strict: it takes exactly the text that printing gives, so that what was read can be thrown away and made
 * again. `0x0010`, `+5` and a name for a number that has another name are all refused.
 *
 * There are two printers. The kernel's vsprintf() writes 0 under %#llx as 0x0 and knows its own enumerations; trace-cmd
 * and perf format the record through the C library, which writes 0, and read the enumerations from nowhere.
 */
import { assert, present } from '../base/assert.ts';
import * as names from './names.ts';
import type { FieldType } from './tracepoint.ts';

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

const WORD = 2 ** 32;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const X = 120;

/** The codec of a hole: `%#llx`, a name of NAMED, or the names of 0, 1, 2, ... with semicolons between. */
export function codecOf(spec: string, type: FieldType, printer: Printer): Codec {
  if (spec.startsWith('%')) {
    const conversion = spec.replaceAll(/l/g, '');
    return present(CONVERSIONS[conversion], `trace: the conversion ${spec}`)(type, printer);
  }
  if (spec.includes(';')) return choice(spec.split(';'));
  return present(NAMED[spec], `trace: the codec ${spec}`)(printer);
}

const CONVERSIONS: Readonly<Record<string, (type: FieldType, printer: Printer) => Codec>> = {
  '%u': type => (type.startsWith('s') ? signed : unsigned),
  '%d': (type, printer) => {
    if (type === 's8' && printer === 'c') return signedByteAsUnsigned;
    return type.startsWith('s') ? signed : unsigned;
  },
  '%03d': () => paddedDecimal(3),
  '%x': () => hex('', 1),
  '%04x': () => hex('', 4),
  '%08x': () => hex('', 8),
  '%016x': () => hex('', 16),
  '%#x': (_, printer) => (printer === 'kernel' ? hex('0x', 1) : zeroApart(hex('0x', 1), '0')),
  '%#016x': (_, printer) => (printer === 'kernel' ? hex('0x', 14) : zeroApart(hex('0x', 14), '0'.repeat(16))),
  '%p': (_, printer) => (printer === 'kernel' ? hex('', 16) : hex('0x', 1)),
};

const NAMED: Readonly<Record<string, (printer: Printer) => Codec>> = {
  vmx_exit: () => symbolic(names.VMX_EXIT_REASONS),
  vmx_exit_flags: () => vmxExitFlags,
  svm_exit: () => symbolic(names.SVM_EXIT_REASONS),
  vmx_exit_plugin: () => symbolic(names.VMX_EXIT_REASONS_PLUGIN, 'UNKNOWN (', unsigned, ')'),
  svm_exit_plugin: () => symbolic(names.SVM_EXIT_REASONS_PLUGIN, 'UNKNOWN (', unsigned, ')'),
  kvm_exit_reason: () => symbolic(names.KVM_EXIT_REASONS),
  exception: () => symbolic(names.EXCEPTION_NAMES),
  delivery_mode: () => symbolic(names.DELIVERY_MODES),
  apic_reg: () => symbolic(names.APIC_REGISTERS),
  insn_mode: () => symbolic(names.INSN_MODES),
  host_clock: printer => symbolic(printer === 'kernel' ? names.HOST_CLOCKS : []),
  pferr: () => flags(names.PFERR_FLAGS, '|'),
  task_state: () => taskState(names.TASK_STATES, names.TASK_PREEMPTED),
  task_state_old: () => taskState(names.TASK_STATES_OLD, 0),
  task_state_plugin: () => taskState(names.TASK_STATES_OLD, 0, names.TASK_PREEMPTED),
  msi_dest: () => msiDest,
  eintr: () => negated(4, 4),
  error: () => negated(1, 4095, 4),
  negative: () => only(signed, value => value < 0),
  natural: () => only(signed, value => value >= 0),
  single: () => only(unsigned, value => value <= 1),
  many: () => only(unsigned, value => value > 1),
};

/** Digits in any base up to 16, lower case: the value, or -1. */
function digit(byte: number): number {
  if (byte <= NINE) return byte >= ZERO ? byte - ZERO : -1;
  return byte >= 97 && byte <= 102 ? byte - 87 : -1;
}

/** Hexadecimal after a prefix, at least `width` digits. */
function hex(prefix: '' | '0x', width: number): Codec {
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
function zeroApart(codec: Codec, zero: string): Codec {
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

function take(input: Input, text: string): boolean {
  const { bytes, at } = input;
  if (at + text.length > input.end) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  }
  input.at = at + text.length;
  return true;
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

const unsigned: Codec = { print: value => (value < 0 ? undefined : String(value)), read: readDecimal };

/** Signed values are kept as 64 bits in two's complement. */
const signed: Codec = {
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
const signedByteAsUnsigned: Codec = {
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
function paddedDecimal(width: number): Codec {
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
function negated(least: number, most: number, but = 0): Codec {
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

function only(codec: Codec, ours: (value: number) => boolean): Codec {
  return {
    print: value => (ours(Number(value)) ? codec.print(value) : undefined),
    read: input => codec.read(input) && ours((input.hi | 0) * WORD + input.lo),
  };
}

/** __print_symbolic(): the name, or the number in hexadecimal; or as trace-cmd's plugin, between two texts. */
function symbolic(table: names.NameTable, open = '', other: Codec = hex('0x', 1), close = ''): Codec {
  const byValue = new Map(table);
  const trie = new Trie(table);
  return {
    print: value => byValue.get(Number(value)) ?? `${open}${other.print(value)}${close}`,
    read(input) {
      if (trie.read(input)) return true;
      return take(input, open) && other.read(input) && take(input, close) && !(input.hi === 0 && byValue.has(input.lo));
    },
  };
}

/** What the kernel writes as `x ? "b" : "a"`, or as a table from 0. */
function choice(options: readonly string[]): Codec {
  const table = options.map((name, value) => [value, name] as const);
  if (options.length > 2) return symbolic(table);
  const trie = new Trie(table);
  return { print: value => options[Number(value) === 0 ? 0 : 1], read: input => trie.read(input) };
}

/** __print_flags(): names of bits, the rest in hexadecimal, nothing for 0. */
function flags(table: names.NameTable, separator: string): Codec {
  const bits = table.reduce((all, [bit]) => all | bit, 0);
  const rest = hex('0x', 1);
  return {
    print(value) {
      const word = BigInt(value);
      const shown = table.filter(([bit]) => (word & BigInt(bit)) !== 0n).map(([, name]) => name);
      const other = word & ~BigInt(bits);
      return [...shown, ...(other > 0n ? [`0x${other.toString(16)}`] : [])].join(separator);
    },
    read(input) {
      let lo = 0;
      let hi = 0;
      let more = false;
      for (const [bit, name] of table) {
        const { at } = input;
        if ((!more || take(input, separator)) && take(input, name)) {
          lo |= bit;
          more = true;
        } else input.at = at;
      }
      const { at } = input;
      if ((!more || take(input, separator)) && rest.read(input)) {
        if ((input.lo & bits) !== 0) return false;
        lo |= input.lo;
        hi = input.hi;
      } else input.at = at;
      input.lo = lo >>> 0;
      input.hi = hi;
      return true;
    },
  };
}

/** Letters for the bits of a task's state, R for none; `+` where the task was preempted, or nothing if that bit is dropped. */
function taskState(letters: string, preempted: number, dropped = 0): Codec {
  const states = flags(
    [...letters].map((letter, bit) => [1 << bit, letter] as const),
    '|',
  );
  const plus = preempted === 0 ? '' : '+';
  return {
    print(value) {
      const bits = Number(BigInt.asUintN(9, BigInt(value))) & ~dropped;
      const text = states.print(bits & 0xff) || 'R';
      return (bits & preempted) === 0 ? text : text + plus;
    },
    read(input) {
      const { at } = input;
      if (!take(input, 'R') && !(states.read(input) && input.at > at)) return false;
      if (input.bytes[at] === 82) {
        input.lo = 0;
        input.hi = 0;
      } else if (input.lo > 0xff) return false;
      if (plus !== '' && take(input, plus)) input.lo |= preempted;
      return true;
    },
  };
}

/** `%s%s` of the kernel: a blank and the flags of a VM exit above its 16 bits of reason; the value is shifted down by 16. */
const vmxExitFlags: Codec = (() => {
  const inner = flags([[0x80000000, 'FAILED_VMENTRY']], ' ');
  return {
    print: value => (Number(value) === 0 ? '' : ` ${inner.print(Number(value) * 0x10000)}`),
    read(input) {
      const { at } = input;
      if (take(input, ' ') && inner.read(input) && input.at > at + 1 && (input.lo & 0xffff) === 0) {
        input.lo >>>= 16;
        return input.hi === 0;
      }
      input.at = at;
      input.lo = 0;
      input.hi = 0;
      return true;
    },
  };
})();

/** The destination of an MSI: 8 bits of the low word, 24 of the high one. */
const msiDest: Codec = (() => {
  const text = hex('', 1);
  return {
    mask: [0x000ff000, 0xffffff00],
    print: value => text.print(((BigInt(value) >> 12n) & 0xffn) | ((BigInt(value) >> 32n) & 0xffffff00n)),
    read(input) {
      if (!text.read(input) || input.hi > 0) return false;
      input.hi = (input.lo & 0xffffff00) >>> 0;
      input.lo = (input.lo & 0xff) << 12;
      return true;
    },
  };
})();

/** Finds the longest name at a place: one table look-up per byte, since exits are most of a trace. */
class Trie {
  readonly #next: Uint16Array;
  readonly #value: Float64Array;

  constructor(table: names.NameTable) {
    const size = table.reduce((sum, [, name]) => sum + name.length, 1);
    this.#next = new Uint16Array(size * 128);
    this.#value = new Float64Array(size).fill(-1);
    let nodes = 1;
    for (const [value, name] of table) {
      let node = 0;
      for (let index = 0; index < name.length; index += 1) {
        const code = name.charCodeAt(index);
        assert(code < 128, `trace: ${name} is plain`);
        const slot = node * 128 + code;
        if (this.#next[slot] === 0) {
          this.#next[slot] = nodes;
          nodes += 1;
        }
        node = this.#next[slot] ?? 0;
      }
      this.#value[node] = value;
    }
  }

  read(input: Input): boolean {
    const { bytes, end } = input;
    let node = 0;
    let value = this.#value[0] ?? -1;
    let stop = input.at;
    for (let at = stop; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > 127) break;
      node = this.#next[node * 128 + byte] ?? 0;
      if (node === 0) break;
      const found = this.#value[node] ?? -1;
      if (found >= 0) {
        value = found;
        stop = at + 1;
      }
    }
    if (value < 0) return false;
    input.at = stop;
    input.lo = value >>> 0;
    input.hi = 0;
    return true;
  }
}
