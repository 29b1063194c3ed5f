/**
 * States that are yet to be looked at, each kept as what differs from the first one: most of a world never changes.
 *
 * First in, first out. A state takes two words for each word that differs, typically one or two KiB in all.
 */
import type { World } from './world.ts';

const CHUNK_WORDS = 1 << 20;

export class Frontier {
  readonly #world: World;
  readonly #live: Uint32Array;
  readonly #first: Uint32Array;
  #chunks: Uint32Array[] = [];
  /** Where the next state is written, and read, in words since the beginning. */
  #head = 0;
  #tail = 0;
  /** Chunks that have been dropped from the front. */
  #dropped = 0;
  #length = 0;

  constructor(world: World) {
    this.#world = world;
    this.#live = new Uint32Array(world.m.layout.buffer, 0, world.m.layout.buffer.byteLength >>> 2);
    this.#first = this.#live.slice();
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#chunks.length * CHUNK_WORDS * 4;
  }

  /** The first state of all. */
  begin(): void {
    this.#live.set(this.#first);
  }

  push(state: number): void {
    const live = this.#live;
    const first = this.#first;
    const beside = this.#world.readBeside() * 2;
    const start = this.#room(4 + beside + live.length * 2);
    const chunk = this.#chunks[this.#chunks.length - 1]!;
    let at = start + 3;
    for (let index = 0; index < live.length; index += 1) {
      const word = live[index]!;
      if (word === first[index]) continue;
      chunk[at] = index;
      chunk[at + 1] = word;
      at += 2;
    }
    chunk[start] = state;
    chunk[start + 1] = at;
    chunk[start + 2] = beside;
    chunk.set(this.#world.beside.words.subarray(0, beside), at);
    this.#head += at + beside - start;
    this.#length += 1;
  }

  /** Makes the oldest state the world's, and returns its number. It stays until drop(). */
  peek(): number {
    const { chunk, at } = this.#next();
    this.restore(chunk, at);
    return chunk[at]!;
  }

  /** Makes the state that peek() gave the world's again. */
  again(): void {
    const { chunk, at } = this.#next();
    this.restore(chunk, at);
  }

  drop(): void {
    const { chunk, at } = this.#next();
    this.#tail += chunk[at + 1]! + chunk[at + 2]! - at;
    this.#length -= 1;
    if (this.#length > 0) return;
    this.#tail = this.#head;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#tail = 0;
    this.#dropped = 0;
    this.#length = 0;
  }

  restore(chunk: Uint32Array, start: number): void {
    const live = this.#live;
    live.set(this.#first);
    const end = chunk[start + 1]!;
    for (let at = start + 3; at < end; at += 2) live[chunk[at]!] = chunk[at + 1]!;
    const beside = chunk[start + 2]!;
    this.#world.beside.words.set(chunk.subarray(end, end + beside));
    this.#world.writeBeside();
  }

  /** Where the oldest state stands. Chunks before it are given back. */
  #next(): { readonly chunk: Uint32Array; readonly at: number } {
    for (;;) {
      const index = Math.floor(this.#tail / CHUNK_WORDS) - this.#dropped;
      if (index > 0) {
        this.#chunks.splice(0, index);
        this.#dropped += index;
        continue;
      }
      const chunk = this.#chunks[0]!;
      const at = this.#tail % CHUNK_WORDS;
      // A state that did not fit into what was left of a chunk stands in the next.
      if (at + 3 < CHUNK_WORDS && chunk[at + 1] !== 0) return { chunk, at };
      this.#tail = (Math.floor(this.#tail / CHUNK_WORDS) + 1) * CHUNK_WORDS;
    }
  }

  #room(words: number): number {
    const at = this.#head % CHUNK_WORDS;
    const index = Math.floor(this.#head / CHUNK_WORDS) - this.#dropped;
    if (index < this.#chunks.length && at + words <= CHUNK_WORDS) return at;
    if (at !== 0) this.#head = (Math.floor(this.#head / CHUNK_WORDS) + 1) * CHUNK_WORDS;
    this.#chunks.push(new Uint32Array(CHUNK_WORDS));
    return 0;
  }
}
