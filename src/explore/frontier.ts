/**
 * States that are yet to be looked at: those of a level, in any order and by any number of threads, or a stack of them.
 */
import { assert } from '../base/assert.ts';
import { type Memory, PRIVATE, widerWords } from './memory.ts';
import { type Packing, putWord, wordAt } from './packing.ts';

/** Bytes that a thread asks for at once, unless one state needs more. */
const CHUNK_BYTES = 1 << 16;
/** Before each state stand its number, and by which way it was reached. */
const HEAD = 8;
/** A state is at least that far from the next, so that 32 bits say where it is. */
const GRAIN = 8;

const COUNT = 0;
const CHUNKS = 1;
const TAKEN = 2;

/** States by number. A thread writes into chunks of its own, and all of them read any. */
export class Level {
  readonly #counters: Uint32Array<ArrayBufferLike>;
  readonly #memory: Memory;
  readonly #chunk_bytes: number;
  readonly #most_chunks: number;
  /** Where each state is, in grains since the beginning. */
  #starts: Uint32Array<ArrayBufferLike>;
  /** Of threads that share it, all chunks as one. */
  readonly #all: Uint8Array<ArrayBufferLike> | null;
  readonly #chunks: Uint8Array<ArrayBufferLike>[] = [];
  /** By which way the state was reached that read() has read. */
  way = 0;
  /** The chunk that this thread writes into, and how full it is. */
  #mine = -1;
  #used = 0;

  /** `most_bytes`: that one state may take. */
  constructor(most_bytes: number, memory: Memory = PRIVATE, budget_bytes = 2 ** 32) {
    this.#memory = memory;
    let chunk = CHUNK_BYTES;
    while (chunk < most_bytes + HEAD + GRAIN) chunk *= 2;
    this.#chunk_bytes = chunk;
    this.#counters = memory.words(3);
    this.#starts = memory.words(Math.ceil(budget_bytes / 64));
    this.#most_chunks = Math.ceil(budget_bytes / chunk);
    this.#all = memory.shared ? memory.bytes(this.#most_chunks * chunk) : null;
  }

  get length(): number {
    return this.#counters[COUNT]!;
  }

  /** How many of them have been given out by take(). */
  get taken(): number {
    return Math.min(this.#counters[TAKEN]!, this.length);
  }

  get bytes(): number {
    if (this.#memory.shared) return this.#counters[CHUNKS]! * this.#chunk_bytes + 4 * this.length;
    return this.#chunks.length * this.#chunk_bytes + this.#starts.byteLength;
  }

  get full(): boolean {
    if (!this.#memory.shared) return false;
    const spare = 1 << 16;
    return this.#counters[CHUNKS]! + 64 > this.#most_chunks || this.length + spare > this.#starts.length;
  }

  /** Keeps the packed state of that number, reached by that way. */
  push(state: number, packing: Packing, way = 0): void {
    const length = packing.pack();
    assert(HEAD + length <= this.#chunk_bytes, 'frontier: a state fits into a chunk');
    const start = this.#room(HEAD + length);
    const chunk = this.#chunk(this.#mine);
    putWord(chunk, start, state);
    putWord(chunk, start + 4, way);
    chunk.set(packing.bytes.subarray(0, length), start + HEAD);
    const index = Atomics.add(this.#counters, COUNT, 1);
    if (index === this.#starts.length) {
      assert(!this.#memory.shared, 'frontier: room for the states');
      this.#starts = widerWords(this.#starts);
    }
    this.#starts[index] = (this.#mine * this.#chunk_bytes + start) / GRAIN;
  }

  /** The number of the first of so many states that nobody else will get; there may be fewer. */
  take(count: number): number {
    return Atomics.add(this.#counters, TAKEN, count);
  }

  /** Makes a state the world's, and returns its number. */
  read(index: number, packing: Packing): number {
    const at = this.#starts[index]! * GRAIN;
    const chunk = this.#chunk(Math.floor(at / this.#chunk_bytes));
    const start = at % this.#chunk_bytes;
    this.way = wordAt(chunk, start + 4);
    packing.unpack(chunk, start + HEAD);
    return wordAt(chunk, start);
  }

  /** Forgets all states. One thread does it, the others forget() where they wrote. */
  clear(): void {
    this.#counters.fill(0);
    this.forget();
  }

  forget(): void {
    this.#mine = -1;
    this.#used = 0;
  }

  /** The states that have not been given out, as they stand. */
  save(): readonly Uint8Array<ArrayBufferLike>[] {
    const starts = this.#starts.slice(this.taken, this.length);
    const chunks = Array.from({ length: this.#counters[CHUNKS]! }, (_, index) => this.#chunk(index));
    return [new Uint8Array(starts.buffer), ...chunks];
  }

  restore([starts, ...chunks]: readonly Uint8Array<ArrayBuffer>[]): void {
    assert(starts !== undefined, 'frontier: where the states are');
    assert(
      chunks.every(({ length }) => length === this.#chunk_bytes),
      'frontier: chunks of one size',
    );
    this.clear();
    const words = new Uint32Array(starts.buffer, starts.byteOffset, starts.length / 4);
    assert(!this.#memory.shared || words.length <= this.#starts.length, 'frontier: room for what was stored');
    if (words.length > this.#starts.length) this.#starts = widerWords(this.#starts, words.length);
    this.#starts.set(words);
    this.#counters[COUNT] = words.length;
    this.#counters[CHUNKS] = chunks.length;
    chunks.forEach((chunk, index) => {
      this.#chunk(index).set(chunk);
    });
  }

  #chunk(index: number): Uint8Array<ArrayBufferLike> {
    const size = this.#chunk_bytes;
    const known = this.#chunks[index];
    if (known) return known;
    const chunk = this.#all ? this.#all.subarray(index * size, (index + 1) * size) : new Uint8Array(size);
    this.#chunks[index] = chunk;
    return chunk;
  }

  /** Where so many bytes are free in this thread's chunk. */
  #room(bytes: number): number {
    if (this.#mine < 0 || this.#used + bytes > this.#chunk_bytes) {
      this.#mine = Atomics.add(this.#counters, CHUNKS, 1);
      assert(!this.#memory.shared || this.#mine < this.#most_chunks, 'frontier: room for what was packed');
      this.#used = 0;
    }
    const start = this.#used;
    this.#used = Math.ceil((start + bytes) / GRAIN) * GRAIN;
    return start;
  }
}

/** The latest first. */
export class Stack {
  #bytes = new Uint8Array(1 << 16);
  #used = 0;
  #starts: number[] = [];

  get length(): number {
    return this.#starts.length;
  }

  get bytes(): number {
    return this.#bytes.length + 8 * this.#starts.length;
  }

  push(state: number, depth: number, packing: Packing): void {
    const length = packing.pack();
    const start = this.#used;
    while (start + 8 + length > this.#bytes.length) {
      const wider = new Uint8Array(2 * this.#bytes.length);
      wider.set(this.#bytes);
      this.#bytes = wider;
    }
    putWord(this.#bytes, start, state);
    putWord(this.#bytes, start + 4, depth);
    this.#bytes.set(packing.bytes.subarray(0, length), start + 8);
    this.#used = start + 8 + length;
    this.#starts.push(start);
  }

  /** Takes the latest state off and makes it the world's. */
  pop(packing: Packing): { readonly state: number; readonly depth: number } {
    const start = this.#starts.pop();
    assert(start !== undefined, 'frontier: a state is left');
    packing.unpack(this.#bytes, start + 8);
    this.#used = start;
    return { state: wordAt(this.#bytes, start), depth: wordAt(this.#bytes, start + 4) };
  }

  clear(): void {
    this.#starts.length = 0;
    this.#used = 0;
  }

  save(): readonly Uint8Array<ArrayBufferLike>[] {
    return [new Uint8Array(Float64Array.from(this.#starts).buffer), this.#bytes.subarray(0, this.#used)];
  }

  restore([starts, bytes]: readonly Uint8Array<ArrayBuffer>[]): void {
    assert(starts !== undefined && bytes !== undefined, 'frontier: two arrays');
    this.#starts = [...new Float64Array(starts.buffer.slice(starts.byteOffset, starts.byteOffset + starts.byteLength))];
    this.#bytes = bytes.slice();
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(1 << 16);
    this.#used = bytes.length;
  }
}
