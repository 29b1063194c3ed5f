/**
 * Whole states by their numbers, for an exact search: each as few bytes, what differs from the first. Threads may share it.
 */
import { assert } from '../base/assert.ts';
import { type Memory, widerBytes, widerWords } from './memory.ts';
import { putWord, wordAt } from './packing.ts';

/** Before the bytes of a state stands how many they are. */
const HEAD = 4;
/** Bytes of a state, at least, of what is set aside. */
const FEWEST_BYTES = 32;

export class Wholes {
  readonly #shared: boolean;
  /** Bytes that are taken. */
  readonly #used: Uint32Array<ArrayBufferLike>;
  /** Where each state is. */
  #begin: Uint32Array<ArrayBufferLike>;
  #bytes: Uint8Array<ArrayBufferLike>;
  /** The state in question: the front of these. */
  #held = new Uint8Array(0);
  #held_bytes = 0;

  constructor(memory: Memory, budget_bytes: number) {
    this.#shared = memory.shared;
    this.#used = memory.words(1);
    this.#begin = memory.words(Math.ceil(budget_bytes / FEWEST_BYTES));
    this.#bytes = memory.bytes(Math.min(2 ** 32 - 1, budget_bytes));
  }

  get bytes(): number {
    return this.#shared ? this.#used[0]! : this.#begin.byteLength + this.#bytes.length;
  }

  /** No room is left that was set aside. */
  get full(): boolean {
    return this.#shared && this.#used[0]! + 64 * FEWEST_BYTES * 1024 > this.#bytes.length;
  }

  /** This many of these bytes are the state in question. */
  hold(bytes: Uint8Array<ArrayBuffer>, length: number): void {
    this.#held = bytes;
    this.#held_bytes = length;
  }

  /** Whether it is the one of that number. */
  isHeld(state: number): boolean {
    const at = this.#begin[state]!;
    if (wordAt(this.#bytes, at) !== this.#held_bytes) return false;
    for (let index = 0; index < this.#held_bytes; index += 1)
      if (this.#bytes[at + HEAD + index] !== this.#held[index]) return false;
    return true;
  }

  /** Keeps it under that number. */
  keep(state: number): void {
    const size = HEAD + this.#held_bytes;
    const at = Atomics.add(this.#used, 0, size);
    while (state >= this.#begin.length || at + size > this.#bytes.length) {
      assert(!this.#shared, 'wholes: room for a state');
      if (state >= this.#begin.length) this.#begin = widerWords(this.#begin);
      if (at + size > this.#bytes.length) this.#bytes = widerBytes(this.#bytes);
    }
    this.#begin[state] = at;
    putWord(this.#bytes, at, this.#held_bytes);
    this.#bytes.set(this.#held.subarray(0, this.#held_bytes), at + HEAD);
  }

  clear(): void {
    this.#used[0] = 0;
  }

  /** The first `size` of them, as arrays to be written one behind the other; `restore` takes them again. */
  save(size: number): readonly Uint8Array<ArrayBufferLike>[] {
    return [
      new Uint8Array(this.#begin.buffer, this.#begin.byteOffset, 4 * size),
      this.#bytes.subarray(0, this.#used[0]),
    ];
  }

  restore([begin, bytes]: readonly Uint8Array<ArrayBuffer>[]): void {
    assert(begin !== undefined && bytes !== undefined, 'wholes: two arrays');
    const words = new Uint32Array(begin.buffer, begin.byteOffset, begin.length / 4);
    const fits = words.length <= this.#begin.length && bytes.length <= this.#bytes.length;
    assert(!this.#shared || fits, 'wholes: room for what was stored');
    if (words.length > this.#begin.length) this.#begin = widerWords(this.#begin, words.length);
    if (bytes.length > this.#bytes.length) this.#bytes = widerBytes(this.#bytes, bytes.length);
    this.#begin.set(words);
    this.#bytes.set(bytes);
    this.#used[0] = bytes.length;
  }
}
