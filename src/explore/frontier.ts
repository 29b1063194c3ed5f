/**
 * States that are yet to be looked at, each kept as what differs from the first one: most of a world never changes.
 *
 * First in, first out, or last in, first out. A state takes two words for each word that differs, typically one or two KiB in all.
 */
import type { World } from './world.ts';

const CHUNK_WORDS = 1 << 20;
/** Before its words each state has its number, where they end, how much stands beside the machine, and its depth. */
const HEAD = 4;

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
  readonly #order: 'fifo' | 'lifo';
  /** Last in, first out: where each state begins. */
  readonly #starts: number[] = [];
  /** The state that next() gave. */
  #taken = new Uint32Array(1 << 12);

  constructor(world: World, order: 'fifo' | 'lifo') {
    this.#order = order;
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

  push(state: number, depth: number): void {
    const live = this.#live;
    const first = this.#first;
    const beside = this.#world.readBeside() * 2;
    const start = this.#room(HEAD + beside + live.length * 2);
    const chunk = this.#chunks[this.#chunks.length - 1]!;
    let at = start + HEAD;
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
    chunk[start + 3] = depth;
    chunk.set(this.#world.beside.words.subarray(0, beside), at);
    if (this.#order === 'lifo') this.#starts.push(this.#head);
    this.#head += at + beside - start;
    this.#length += 1;
  }

  /** Takes the next state off, makes it the world's, and returns its number. */
  next(): number {
    const { chunk, at } = this.#order === 'fifo' ? this.#oldest() : this.#newest();
    const end = chunk[at + 1]! + chunk[at + 2]!;
    if (this.#taken.length < end - at) this.#taken = new Uint32Array(2 * (end - at));
    this.#taken.set(chunk.subarray(at, end));
    this.#taken[1] = chunk[at + 1]! - at;
    if (this.#order === 'fifo') this.#tail += end - at;
    this.#length -= 1;
    if (this.#length === 0 && this.#order === 'fifo') this.#tail = this.#head;
    this.again();
    return this.#taken[0]!;
  }

  /** How deep the state was found that next() gave. */
  get depth(): number {
    return this.#taken[3]!;
  }

  /** Makes the state that next() gave the world's again. */
  again(): void {
    const taken = this.#taken;
    const live = this.#live;
    live.set(this.#first);
    const end = taken[1]!;
    for (let at = HEAD; at < end; at += 2) live[taken[at]!] = taken[at + 1]!;
    const beside = taken[2]!;
    this.#world.beside.words.set(taken.subarray(end, end + beside));
    this.#world.writeBeside();
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#tail = 0;
    this.#dropped = 0;
    this.#length = 0;
    this.#starts.length = 0;
  }

  /** Where the oldest state stands. Chunks before it are given back. */
  #oldest(): { readonly chunk: Uint32Array; readonly at: number } {
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
      if (at + HEAD < CHUNK_WORDS && chunk[at + 1] !== 0) return { chunk, at };
      this.#tail = (Math.floor(this.#tail / CHUNK_WORDS) + 1) * CHUNK_WORDS;
    }
  }

  /** Where the youngest state stands, which is written over by what follows. */
  #newest(): { readonly chunk: Uint32Array; readonly at: number } {
    const start = this.#starts.pop()!;
    this.#head = start;
    const index = Math.floor(start / CHUNK_WORDS);
    this.#chunks.length = index + 1;
    return { chunk: this.#chunks[index]!, at: start % CHUNK_WORDS };
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
