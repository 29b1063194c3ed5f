/** Which state leads to which: two numbers a move, in any order, to find out whether anything goes on for ever. */
import { assert } from '../base/assert.ts';
import { components } from './components.ts';
import { type Memory, PRIVATE, widerWords } from './memory.ts';

interface Graph {
  readonly begin: Uint32Array;
  readonly to: Uint32Array;
}

export class Edges {
  readonly #memory: Memory;
  readonly #count: Uint32Array<ArrayBufferLike>;
  #pairs: Uint32Array<ArrayBufferLike>;

  constructor(memory: Memory = PRIVATE, budget_bytes = 2 ** 32) {
    this.#memory = memory;
    this.#count = memory.words(1);
    this.#pairs = memory.words(2 * Math.ceil(budget_bytes / 16));
  }

  get bytes(): number {
    return this.#memory.shared ? 8 * this.#count[0]! : this.#pairs.byteLength;
  }

  get full(): boolean {
    return this.#memory.shared && 2 * (this.#count[0]! + (1 << 16)) > this.#pairs.length;
  }

  add(from: number, to: number): void {
    const at = 2 * Atomics.add(this.#count, 0, 1);
    if (at === this.#pairs.length) {
      assert(!this.#memory.shared, 'edges: room for a move');
      this.#pairs = widerWords(this.#pairs);
    }
    this.#pairs[at] = from;
    this.#pairs[at + 1] = to;
  }

  clear(): void {
    this.#count[0] = 0;
  }

  get length(): number {
    return this.#count[0]!;
  }

  /** Where the edge of that number begins. */
  from(index: number): number {
    return this.#pairs[2 * index]!;
  }

  /** Whether any of so many states leads back to itself. */
  haveCycle(states: number): boolean {
    const { begin, to } = this.bySource(states);
    return components(begin, to).length > 0;
  }

  /** Where the edges of each of so many states lead: those of state s from `begin[s]` up to `begin[s + 1]`. */
  bySource(states: number): Graph {
    return this.#sorted(states, 0);
  }

  /** The same the other way round: from where the edges come that lead to a state. */
  byTarget(states: number): Graph {
    return this.#sorted(states, 1);
  }

  #sorted(states: number, end: 0 | 1): Graph {
    const count = this.#count[0]!;
    const pairs = this.#pairs;
    const begin = new Uint32Array(states + 1);
    for (let at = end; at < 2 * count; at += 2) begin[pairs[at]! + 1] = begin[pairs[at]! + 1]! + 1;
    for (let state = 0; state < states; state += 1) begin[state + 1] = begin[state + 1]! + begin[state]!;
    const next = begin.slice();
    const to = new Uint32Array(count);
    for (let at = end; at < 2 * count; at += 2) {
      const from = pairs[at]!;
      to[next[from]!] = pairs[at ^ 1]!;
      next[from] = next[from]! + 1;
    }
    return { begin, to };
  }

  save(): Uint8Array<ArrayBufferLike> {
    return new Uint8Array(this.#pairs.buffer, this.#pairs.byteOffset, 8 * this.#count[0]!);
  }

  restore(saved: Uint8Array<ArrayBuffer>): void {
    const words = new Uint32Array(saved.buffer, saved.byteOffset, saved.length / 4);
    assert(!this.#memory.shared || words.length <= this.#pairs.length, 'edges: room for what was stored');
    if (words.length > this.#pairs.length) this.#pairs = widerWords(this.#pairs, words.length);
    this.#pairs.set(words);
    this.#count[0] = words.length / 2;
  }
}
