/**
 * The states that were reached, by 64-bit fingerprint: open addressing over one array of state numbers.
 *
 * Of each state it keeps the fingerprint, 8 bytes, and how it was reached: from which state, after how many steps in all, by
 * which moves. That is 4 bytes to say where, and about 6 with one move, one or two for each more; a way that a better one
 * replaced stays. Slots are 5 to 11. Two states share a fingerprint with odds of about n^2 / 2^65 among n states. Threads may
 * share it: a slot is claimed before it is filled.
 *
 * Of the ways to a state from one level to the next it keeps the one with the fewest steps, and among those the one from the
 * least fingerprint: so it does not matter who came first.
 */
import { assert } from '../base/assert.ts';
import { type Memory, PRIVATE, widerBytes, widerWords } from './memory.ts';
import type { Wholes } from './wholes.ts';

export const NO_PARENT = 0xffff_ffff;
/** In a slot: somebody is about to say which state it has. */
const CLAIMED = 0xffff_ffff;

/** What counts, by its place among the counters. */
const SIZE = 0;
const WAYS = 1;
const SLOTS = 2;

/** Slots to begin with. */
const FEWEST = 1 << 12;
/** As many where threads share them: they do not stop at once when they get crowded. */
const FEWEST_SHARED = 1 << 16;
/** Bytes of a state, about: what is set aside is for as many as that. */
const TYPICAL_BYTES = 32;

export class Visited {
  /** Of the state that reach() gave: nobody had reached it before. */
  fresh = false;
  /** Which way to a state was written last; see way(). */
  written = 0;
  readonly #shared: boolean;
  readonly #move_bytes: number;
  readonly #counters: Uint32Array<ArrayBufferLike>;
  #slots: Uint32Array<ArrayBufferLike>;
  #high: Uint32Array<ArrayBufferLike>;
  #low: Uint32Array<ArrayBufferLike>;
  /** The states themselves, of an exact search: two that share a fingerprint are two. */
  readonly wholes: Wholes | null;
  /** Where the way to each state is written. */
  #begin: Uint32Array<ArrayBufferLike>;
  #ways: Uint8Array<ArrayBufferLike>;
  /** Of the way that was opened last: where it comes from, steps from the start, how many moves, and where they stand. */
  #parent = NO_PARENT;
  #steps = 0;
  #count = 0;
  #at = 0;

  /** `moves`: how many different ones there are. `budget_bytes`: no more will be asked for, if threads share it. */
  constructor(moves: number, memory: Memory = PRIVATE, budget_bytes = 2 ** 32, wholes: Wholes | null = null) {
    this.wholes = wholes;
    this.#shared = memory.shared;
    this.#move_bytes = moves <= 0x100 ? 1 : 2;
    const most = Math.min(Math.ceil(budget_bytes / TYPICAL_BYTES), 2 ** 29);
    this.#counters = memory.words(3);
    const fewest = memory.shared ? FEWEST_SHARED : FEWEST;
    this.#slots = memory.shared
      ? memory.words(2 ** Math.max(16, Math.ceil(Math.log2(most * 1.5))))
      : new Uint32Array(fewest);
    if (this.#counters[SLOTS] === 0) this.#counters[SLOTS] = fewest;
    this.#high = memory.words(most);
    this.#low = memory.words(most);
    this.#begin = memory.words(most);
    this.#ways = memory.bytes(Math.min(2 ** 32 - 1, most * TYPICAL_BYTES));
  }

  get size(): number {
    return this.#counters[SIZE]!;
  }

  get bytes(): number {
    const wholes = this.wholes?.bytes ?? 0;
    if (this.#shared) return 4 * this.#counters[SLOTS]! + 12 * this.size + this.#counters[WAYS]! + wholes;
    return this.#slots.byteLength + 12 * this.#high.length + this.#ways.byteLength + wholes;
  }

  /** Whether so many slots are taken that there have to be more, or nothing more can be kept at all. */
  get crowded(): boolean {
    return this.size * 4 >= this.#counters[SLOTS]! * 3;
  }

  /** No room is left that was set aside. */
  get full(): boolean {
    if (!this.#shared) return false;
    if (this.wholes?.full) return true;
    const spare = 1 << 16;
    const slots = this.crowded && this.#counters[SLOTS] === this.#slots.length;
    return slots || this.size + spare > this.#high.length || this.#counters[WAYS]! + 64 * spare > this.#ways.length;
  }

  /** The number of a state; if it is new, the way is kept: from where, after how many steps in all, by which moves. */
  reach(high: number, low: number, parent: number, steps: number, moves: readonly number[]): number {
    if (!this.#shared && this.crowded) this.spread();
    const slots = this.#slots;
    const mask = this.#counters[SLOTS]! - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      let stored = Atomics.load(slots, at);
      if (stored === 0) {
        stored = Atomics.compareExchange(slots, at, 0, CLAIMED);
        if (stored === 0) {
          const state = this.#add(high, low, parent, steps, moves);
          Atomics.store(slots, at, state + 1);
          this.fresh = true;
          return state;
        }
      }
      while (stored === CLAIMED) stored = Atomics.load(slots, at);
      if (
        this.#high[stored - 1] === high &&
        this.#low[stored - 1] === low &&
        this.wholes?.isHeld(stored - 1) !== false
      ) {
        this.fresh = false;
        return stored - 1;
      }
    }
  }

  /** Another way to a state that was reached from the same level: kept, and true, if it is the better one. */
  improve(state: number, parent: number, steps: number, moves: readonly number[]): boolean {
    for (;;) {
      const known = Atomics.load(this.#begin, state);
      if (!this.#isBetter(known, parent, steps, moves)) return false;
      const way = this.#write(parent, steps, moves);
      this.written = way;
      if (Atomics.compareExchange(this.#begin, state, known, way) === known) return true;
    }
  }

  /** Which of the ways that were written to a state is the one that is kept. */
  way(state: number): number {
    return Atomics.load(this.#begin, state);
  }

  /** An order of states that does not depend on when they were reached. */
  isBefore(a: number, b: number): boolean {
    const [high, other] = [this.#high[a]!, this.#high[b]!];
    return high === other ? this.#low[a]! < this.#low[b]! : high < other;
  }

  /** Steps from the start. */
  steps(state: number): number {
    this.#open(this.#begin[state]!);
    return this.#steps;
  }

  /** The moves from the start to this state. */
  path(state: number): number[] {
    const parts: number[][] = [];
    for (let at = state; at !== NO_PARENT; ) {
      this.#open(this.#begin[at]!);
      parts.push(Array.from({ length: this.#count }, (_, index) => this.#move(index)));
      at = this.#parent;
    }
    return parts.reverse().flat();
  }

  clear(): void {
    this.#slots.fill(0, 0, this.#counters[SLOTS]);
    this.#counters[SIZE] = 0;
    this.#counters[WAYS] = 0;
    this.wholes?.clear();
  }

  /** Twice as many slots. Nobody else may be at it. */
  spread(): void {
    const length = 2 * this.#counters[SLOTS]!;
    if (this.#shared) {
      if (length > this.#slots.length) return;
      this.#slots.fill(0, 0, length);
    } else this.#slots = new Uint32Array(length);
    this.#counters[SLOTS] = length;
    this.#placeAll();
  }

  /** All of it, as arrays to be written one behind the other; `restore` takes them again. */
  save(): readonly Uint8Array<ArrayBufferLike>[] {
    const { size } = this;
    const asBytes = (words: Uint32Array<ArrayBufferLike>, length: number) =>
      new Uint8Array(words.buffer, words.byteOffset, 4 * length);
    return [
      asBytes(this.#high, size),
      asBytes(this.#low, size),
      asBytes(this.#begin, size),
      this.#ways.subarray(0, this.#counters[WAYS]),
      ...(this.wholes?.save(size) ?? []),
    ];
  }

  restore(saved: readonly Uint8Array<ArrayBuffer>[]): void {
    assert(saved.length >= 4, 'visited: four arrays');
    this.wholes?.restore(saved.slice(4));
    const high = saved[0]!;
    const low = saved[1]!;
    const begin = saved[2]!;
    const ways = saved[3]!;
    const size = high.length / 4;
    let slots = this.#shared ? FEWEST_SHARED : FEWEST;
    while (size * 4 >= slots * 3) slots *= 2;
    if (this.#shared) {
      assert(size <= this.#high.length && ways.length <= this.#ways.length, 'visited: room for what was stored');
    } else {
      this.#slots = new Uint32Array(slots);
      while (this.#high.length < size) this.#widen();
      if (this.#ways.length < ways.length) this.#ways = widerBytes(this.#ways, ways.length);
    }
    this.#high.set(wordsOf(high));
    this.#low.set(wordsOf(low));
    this.#begin.set(wordsOf(begin));
    this.#ways.set(ways);
    this.#counters[SIZE] = size;
    this.#counters[WAYS] = ways.length;
    this.#counters[SLOTS] = slots;
    this.#placeAll();
  }

  #add(high: number, low: number, parent: number, steps: number, moves: readonly number[]): number {
    const state = Atomics.add(this.#counters, SIZE, 1);
    if (state === this.#high.length) this.#widen();
    this.#high[state] = high;
    this.#low[state] = low;
    this.written = this.#write(parent, steps, moves);
    this.#begin[state] = this.written;
    this.wholes?.keep(state);
    return state;
  }

  #write(parent: number, steps: number, moves: readonly number[]): number {
    const { length } = moves;
    assert(length < 0x100, 'visited: moves from one state to the next');
    // The first state has no parent, and is the parent of none by that number.
    const from = parent === NO_PARENT ? 0 : parent + 1;
    const size = 1 + bytesOf(steps) + bytesOf(from) + length * this.#move_bytes;
    const way = Atomics.add(this.#counters, WAYS, size);
    if (way + size > this.#ways.length) {
      assert(!this.#shared, 'visited: room for the ways');
      this.#ways = widerBytes(this.#ways);
    }
    const ways = this.#ways;
    ways[way] = length;
    let at = put(ways, put(ways, way + 1, steps), from);
    for (let index = 0; index < length; index += 1) {
      const move = moves[index]!;
      ways[at] = move;
      at += 1;
      if (this.#move_bytes === 1) continue;
      ways[at] = move >>> 8;
      at += 1;
    }
    return way;
  }

  #isBetter(known: number, parent: number, steps: number, moves: readonly number[]): boolean {
    this.#open(known);
    const before = this.#steps;
    if (steps !== before) return steps < before;
    const from = this.#parent;
    if (from === NO_PARENT) return false;
    if (from !== parent) {
      const high = this.#high[from]!;
      if (this.#high[parent] !== high) return this.#high[parent]! < high;
      return this.#low[parent]! < this.#low[from]!;
    }
    const length = this.#count;
    for (let index = 0; index < length && index < moves.length; index += 1) {
      const move = this.#move(index);
      if (move !== moves[index]) return moves[index]! < move;
    }
    return moves.length < length;
  }

  /** Reads what stands before the moves of a way. */
  #open(way: number): void {
    this.#count = this.#ways[way]!;
    this.#at = way + 1;
    this.#steps = this.#number();
    const from = this.#number();
    this.#parent = from === 0 ? NO_PARENT : from - 1;
  }

  #number(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const part = this.#ways[this.#at]!;
      this.#at += 1;
      value += (part & 127) * unit;
      if (part < 128) return value;
    }
  }

  /** One of the moves of the way that was opened. */
  #move(index: number): number {
    const at = this.#at + index * this.#move_bytes;
    return this.#move_bytes === 1 ? this.#ways[at]! : this.#ways[at]! | (this.#ways[at + 1]! << 8);
  }

  #widen(): void {
    assert(!this.#shared, 'visited: room for the states');
    this.#high = widerWords(this.#high);
    this.#low = widerWords(this.#low);
    this.#begin = widerWords(this.#begin);
  }

  #placeAll(): void {
    const slots = this.#slots;
    const mask = this.#counters[SLOTS]! - 1;
    const { size } = this;
    for (let state = 0; state < size; state += 1) {
      let at = this.#low[state]! & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = state + 1;
    }
  }
}

/** Seven bits a byte, the lowest first. */
function put(into: Uint8Array<ArrayBufferLike>, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    into[at] = 128 + (rest & 127);
    at += 1;
  }
  into[at] = rest;
  return at + 1;
}

/** What put() writes of it. */
function bytesOf(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
