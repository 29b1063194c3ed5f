/**
 * One text of a tracepoint, compiled: fields to text, and text back to fields.
 *
 * The pair is exact. What read() takes, print() gives again, byte for byte, so a recording keeps numbers and no text;
 * and what print() would not give, read() refuses, so a line that is a little wrong is never silently set right.
 */
import { assert } from '../base/assert.ts';
import type { Codec, Input, Printer } from './codec.ts';
import { codecOf } from './conversions.ts';
import type { Value } from './event.ts';
import type { Strings } from './strings.ts';
import type { Field, FieldType } from './tracepoint.ts';

/** All pieces have one shape, since reading them is the importer's inner loop. */
interface Piece {
  /** `name` goes up to the text that follows, `bytes` is the form of __print_hex(), `fixed` prints nothing. */
  readonly kind: 'literal' | 'value' | 'name' | 'bytes' | 'fixed';
  readonly text: string;
  readonly literal: Uint8Array;
  readonly field: number;
  readonly codec: Codec;
  /** Which bits of the field: -1 for all, else a mask after the shift. */
  readonly limit: number;
  readonly shift: number;
  /** Whether a piece before this one told of the same field, and the bits that both tell. */
  readonly again: boolean;
  readonly bothLo: number;
  readonly bothHi: number;
  /** Of a fixed field. */
  readonly value: number;
}

const HOLE = /\{(?! )([a-z_0-9]+)(?:>>(\d+))?(?:&(\w+))?(?::([^}]*)|=(-?\d+))?\}/g;
const BLANK = 32;
const ALL: readonly [lo: number, hi: number] = [0xffffffff, 0xffffffff];
const LITERAL: Piece = {
  kind: 'literal',
  text: '',
  literal: new Uint8Array(),
  field: -1,
  codec: { print: () => '', read: () => false },
  limit: -1,
  shift: 0,
  again: false,
  bothLo: 0,
  bothHi: 0,
  value: 0,
};

export class Form {
  /** Fields that this text tells; the others are undefined after reading. */
  readonly tells: readonly boolean[];
  /** The name of the event in this version. */
  readonly name: string;
  readonly template: string;
  readonly printer: Printer;
  readonly #pieces: readonly Piece[];

  constructor(name: string, template: string, printer: Printer, fields: readonly Field[]) {
    this.name = name;
    this.template = template;
    this.printer = printer;
    this.#pieces = compile(template, fields, printer);
    this.tells = fields.map((_, index) => this.#pieces.some(piece => piece.field === index));
  }

  /** The text; undefined where it has none for these values. An argument that is not known is printed as `?`. */
  print(args: readonly Value[]): string | undefined {
    let text = '';
    for (const piece of this.#pieces) {
      if (piece.kind === 'literal') {
        text += piece.text;
        continue;
      }
      const value = args[piece.field];
      if (value === undefined) {
        if (piece.kind !== 'fixed') text += '?';
      } else if (typeof value === 'string') text += value;
      else if (piece.kind === 'fixed') {
        if (Number(value) !== piece.value) return undefined;
      } else {
        const part = piece.codec.print(partOf(value, piece));
        if (part === undefined) return undefined;
        text += part;
      }
    }
    return text;
  }

  /** Read the text from input.at to input.end into the words of a record, two for each field, from `base`. */
  read(input: Input, strings: Strings, words: Uint32Array, base: number): boolean {
    return this.#readFrom(0, input, strings, words, base);
  }

  #readFrom(start: number, input: Input, strings: Strings, words: Uint32Array, base: number): boolean {
    const pieces = this.#pieces;
    for (let index = start; index < pieces.length; index += 1) {
      const piece = pieces[index];
      if (piece === undefined) break;
      const slot = base + 2 * piece.field;
      switch (piece.kind) {
        case 'literal':
          if (!startsWith(input, input.at, piece.literal)) return false;
          input.at += piece.literal.length;
          break;
        case 'value':
          if (!piece.codec.read(input) || !store(input, piece, words, slot)) return false;
          break;
        case 'fixed':
          words[slot] = piece.value;
          words[slot + 1] = piece.value < 0 ? 0xffffffff : 0;
          break;
        case 'bytes': {
          const { at } = input;
          skipHexBytes(input);
          words[slot] = strings.intern(input.bytes, at, input.at);
          words[slot + 1] = 0;
          break;
        }
        case 'name':
          return this.#readName(index, input, strings, words, base);
      }
    }
    return input.at === input.end;
  }

  /** A name goes up to the text that follows it; where that occurs in the name itself, to the first place after which the rest fits. */
  #readName(index: number, input: Input, strings: Strings, words: Uint32Array, base: number): boolean {
    const piece = this.#pieces[index];
    const after = this.#pieces[index + 1];
    const { at: start, end } = input;
    for (let at = after === undefined ? end : start; at <= end; at += 1) {
      if (after !== undefined && !startsWith(input, at, after.literal)) continue;
      input.at = at;
      if (!this.#readFrom(index + 1, input, strings, words, base)) continue;
      const slot = base + 2 * (piece?.field ?? 0);
      words[slot] = strings.intern(input.bytes, start, at);
      words[slot + 1] = 0;
      return true;
    }
    return false;
  }
}

/** A hole of a template, and where it is. */
export interface Hole {
  readonly name: string;
  readonly shift: number;
  /** -1 for the whole field. */
  readonly limit: number;
  readonly spec: string;
  readonly fixed: number | null;
  readonly from: number;
  readonly to: number;
}

export function holesOf(template: string): readonly Hole[] {
  return [...template.matchAll(HOLE)].map(hole => {
    const { index } = hole;
    const [all = '', name = '', shift = '0', limit = '-1', spec = '', fixed] = hole;
    const value = fixed === undefined ? null : Number(fixed);
    return { name, shift: Number(shift), limit: Number(limit), spec, fixed: value, from: index, to: index + all.length };
  });
}

function compile(template: string, fields: readonly Field[], printer: Printer): readonly Piece[] {
  const pieces: Piece[] = [];
  const told = fields.map(() => ({ lo: 0, hi: 0, some: false }));
  let end = 0;
  for (const { name, shift, limit, spec, fixed, from, to } of holesOf(template)) {
    pieces.push(...literal(template.slice(end, from)));
    end = to;
    const field = fields.findIndex(each => each.endsWith(` ${name}`));
    const before = told[field];
    assert(before !== undefined, `trace: ${template} has a field ${name}`);
    const type = typeOf(fields[field]);
    const kind: Piece['kind'] = fixed !== null ? 'fixed' : type !== 'str' ? 'value' : spec === 'hex_bytes' ? 'bytes' : 'name';
    const codec = kind === 'value' ? codecOf(spec, type, printer) : LITERAL.codec;
    const piece = { ...LITERAL, kind, field, codec, limit, shift, value: fixed ?? 0 };
    const [lo, hi] = bitsOf(piece);
    pieces.push({ ...piece, again: before.some, bothLo: before.lo & lo, bothHi: before.hi & hi });
    told[field] = { lo: before.lo | lo, hi: before.hi | hi, some: true };
  }
  return [...pieces, ...literal(template.slice(end))];
}

function literal(text: string): readonly Piece[] {
  return text === '' ? [] : [{ ...LITERAL, text, literal: Uint8Array.from(text, unit => unit.charCodeAt(0)) }];
}

/** The bits of its field that a piece tells. */
function bitsOf({ limit, shift, codec }: Piece): readonly [lo: number, hi: number] {
  if (limit < 0) return codec.mask ?? ALL;
  return shift >= 32 ? [0, limit << (shift - 32)] : [limit << shift, 0];
}

/** Put what was read into its field. Bits that were told before must agree, or the line says two things. */
function store(input: Input, piece: Piece, words: Uint32Array, slot: number): boolean {
  const { limit, shift } = piece;
  let { lo, hi } = input;
  if (limit >= 0) {
    if (hi !== 0 || (lo & ~limit) !== 0) return false;
    if (shift >= 32) hi = lo << (shift - 32);
    lo = shift >= 32 ? 0 : lo << shift;
  }
  if (!piece.again) {
    words[slot] = lo;
    words[slot + 1] = hi;
    return true;
  }
  const oldLo = words[slot] ?? 0;
  const oldHi = words[slot + 1] ?? 0;
  if (((oldLo ^ lo) & piece.bothLo) !== 0 || ((oldHi ^ hi) & piece.bothHi) !== 0) return false;
  words[slot] = oldLo | lo;
  words[slot + 1] = oldHi | hi;
  return true;
}

function partOf(value: number | bigint, { limit, shift }: Piece): number | bigint {
  if (limit < 0) return value;
  if (typeof value === 'number' && shift + 32 < 53) return (Math.floor(value / 2 ** shift) & limit) >>> 0;
  return Number((BigInt(value) >> BigInt(shift)) & BigInt(limit));
}

function typeOf(field: Field | undefined): FieldType {
  const types: readonly FieldType[] = ['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64', 'bool', 'str'];
  const type = types.find(each => field?.startsWith(`${each} `));
  assert(type !== undefined, `trace: ${field} has a type`);
  return type;
}

function startsWith(input: Input, at: number, literal: Uint8Array): boolean {
  const { bytes } = input;
  if (at + literal.length > input.end) return false;
  for (let index = 0; index < literal.length; index += 1) {
    if (bytes[at + index] !== literal[index]) return false;
  }
  return true;
}

/** __print_hex(): pairs of digits with blanks between. */
function skipHexBytes(input: Input): void {
  const { bytes, end } = input;
  for (let { at } = input; at + 2 <= end && isHex(bytes[at]) && isHex(bytes[at + 1]); at += 3) {
    input.at = at + 2;
    if (bytes[input.at] !== BLANK) return;
  }
}

function isHex(byte = 0): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102);
}
