/**
 * A state as few bytes: what differs from the first state, since most of a world never changes.
 *
 * Of each word that differs: how far it is from the one before, and as many bytes of it as it has. Typically 100 to 400
 * bytes, where the words themselves would be tens of thousands.
 */
import { assert } from '../base/assert.ts';
import type { World } from './world.ts';

/** A gap that fits beside the number of bytes of a value; a longer one follows, 7 bits a byte. */
const LONG_GAP = 63;
/** Bytes that one word can take: what is said of it, a gap of 32 bits, and itself. */
const MOST_BYTES = 1 + 5 + 4;

export class Packing {
  /** What pack() wrote. */
  bytes = new Uint8Array(1 << 12);
  readonly #world: World;
  readonly #live: Uint32Array;
  readonly #first: Uint32Array;
  readonly #firstBeside: Uint32Array;
  /** The state that unpack() read, whole. */
  readonly #whole: Uint32Array;
  #wholeBeside: Uint32Array;
  #beside = 0;

  /** The world stands at the first state. */
  constructor(world: World) {
    this.#world = world;
    this.#live = new Uint32Array(world.m.layout.buffer, 0, world.m.layout.buffer.byteLength >>> 2);
    this.#first = this.#live.slice();
    this.#whole = this.#live.slice();
    const beside = world.readBeside() * 2;
    this.#beside = beside;
    this.#firstBeside = world.beside.words.slice(0, beside);
    this.#wholeBeside = this.#firstBeside.slice();
  }

  /** That one state may take, if the judgements do not remember ten times as much as at first. */
  get most_bytes(): number {
    return mostBytes(this.#live.length + 10 * this.#firstBeside.length);
  }

  /** Makes the first state the world's. */
  first(): void {
    this.#live.set(this.#first);
    this.#world.readBeside();
    this.#world.beside.words.set(this.#firstBeside);
    this.#world.writeBeside();
  }

  /** Writes the world's state from the front of `bytes`, and returns how many it takes. */
  pack(): number {
    const beside = this.#world.readBeside() * 2;
    const most = mostBytes(this.#live.length + beside);
    if (this.bytes.length < most) this.bytes = new Uint8Array(most);
    const middle = write(this.bytes, this.#live, this.#live.length, this.#first, 4);
    const end = write(this.bytes, this.#world.beside.words, beside, this.#firstBeside, middle);
    putWord(this.bytes, 0, beside);
    return end;
  }

  /** Reads what pack() wrote, and makes it the world's state. */
  unpack(from: Uint8Array, start: number): void {
    this.#beside = wordAt(from, start);
    if (this.#wholeBeside.length < this.#beside) this.#wholeBeside = new Uint32Array(2 * this.#beside);
    this.#whole.set(this.#first);
    this.#wholeBeside.fill(0);
    this.#wholeBeside.set(this.#firstBeside.subarray(0, Math.min(this.#beside, this.#firstBeside.length)));
    read(from, read(from, start + 4, this.#whole), this.#wholeBeside);
    this.again();
  }

  /** The state that unpack() read, once more. */
  again(): void {
    this.#live.set(this.#whole);
    this.#world.beside.words.set(this.#wholeBeside.subarray(0, this.#beside));
    this.#world.writeBeside();
  }
}

/** That so many words may take, in two parts. */
export function mostBytes(words: number): number {
  return 8 + MOST_BYTES * words;
}

/** Writes from `start` on those of so many words that are not as at first; returns where it ends. */
export function write(into: Uint8Array, words: Uint32Array, length: number, first: Uint32Array, start: number): number {
  let at = start;
  let last = -1;
  for (let index = 0; index < length; index += 1) {
    const word = words[index]!;
    if (word === (index < first.length ? first[index]! : 0)) continue;
    const gap = index - last;
    last = index;
    const size = word < 0x1_0000 ? (word < 0x100 ? 1 : 2) : word < 0x100_0000 ? 3 : 4;
    into[at] = (size - 1) * 64 + Math.min(gap, LONG_GAP);
    at += 1;
    if (gap >= LONG_GAP) {
      let rest = gap - LONG_GAP;
      for (; rest >= 128; rest >>>= 7) {
        into[at] = 128 + (rest & 127);
        at += 1;
      }
      into[at] = rest;
      at += 1;
    }
    for (let byte = 0; byte < size; byte += 1) into[at + byte] = word >>> (8 * byte);
    at += size;
  }
  into[at] = 0;
  return at + 1;
}

/** Changes `words` as write() says from `start` on; returns where it ends. */
function read(from: Uint8Array, start: number, words: Uint32Array): number {
  let at = start;
  let index = -1;
  for (;;) {
    const said = from[at]!;
    at += 1;
    if (said === 0) return at;
    const size = (said >>> 6) + 1;
    let gap = said & LONG_GAP;
    if (gap === LONG_GAP) {
      for (let shift = 0; ; shift += 7) {
        const part = from[at]!;
        at += 1;
        gap += (part & 127) << shift;
        if (part < 128) break;
      }
    }
    index += gap;
    assert(index < words.length, 'packing: a word of the state');
    let word = 0;
    for (let byte = 0; byte < size; byte += 1) word |= from[at + byte]! << (8 * byte);
    words[index] = word;
    at += size;
  }
}

export function putWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word;
  into[at + 1] = word >>> 8;
  into[at + 2] = word >>> 16;
  into[at + 3] = word >>> 24;
}

export function wordAt(from: Uint8Array, at: number): number {
  return (from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24)) >>> 0;
}
