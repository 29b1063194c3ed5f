/** Codecs of numbers that are printed as words: __print_symbolic(), __print_flags(), and what drivers make of bits. */
import { assert } from '../base/assert.ts';
import { type Codec, type Input, take } from './codec.ts';
import type { NameTable } from './names.ts';
import { hex } from './numbers.ts';

/** __print_symbolic(): the name, or the number in hexadecimal; or as trace-cmd's plugin, between two texts. */
export function symbolic(table: NameTable, open = '', other: Codec = hex('0x', 1), close = ''): Codec {
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
export function choice(options: readonly string[]): Codec {
  const table = options.map((name, value) => [value, name] as const);
  if (options.length > 2) return symbolic(table);
  const trie = new Trie(table);
  return { print: value => options[Number(value) === 0 ? 0 : 1], read: input => trie.read(input) };
}

/** __print_flags(): names of bits, the rest in hexadecimal, nothing for 0. */
export function flags(table: NameTable, separator: string): Codec {
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
export function taskState(letters: string, preempted: number, dropped = 0): Codec {
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
export const vmxExitFlags: Codec = (() => {
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
export const msiDest: Codec = (() => {
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

  constructor(table: NameTable) {
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
