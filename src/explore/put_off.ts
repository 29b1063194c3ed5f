/**
 * Which states were gone on from by a part of their moves only, and whether what they put off is ever done.
 *
 * A part is enough as long as one gets out: to a state from which all moves were tried, or to one without any. Whoever
 * goes round for ever among states that all put off the same move leaves it out. So of each such state it is kept where one
 * way on leads; when everything has been seen, those from which none gets out are found, and one of each circle of them
 * is tried whole. Models the ignoring problem's remedy by components: Valmari, Stubborn sets, 1989.
 */
import { components } from './components.ts';
import { Edges } from './edges.ts';
import type { Memory } from './memory.ts';

export class PutOff {
  readonly #edges: Edges;
  /** States that were tried whole later, as edges to themselves. */
  readonly #tried: Edges;
  readonly #whole = new Set<number>();

  constructor(memory: Memory, budget_bytes: number) {
    this.#edges = new Edges(memory, budget_bytes);
    this.#tried = new Edges(memory, budget_bytes / 64);
  }

  get bytes(): number {
    return this.#edges.bytes + this.#tried.bytes;
  }

  get full(): boolean {
    return this.#edges.full || this.#tried.full;
  }

  /** From a state only some moves were tried, and one way on leads there. */
  add(state: number, next: number): void {
    this.#edges.add(state, next);
  }

  /** Whether all moves of a state are to be tried. */
  isWhole(state: number): boolean {
    if (this.#whole.size > this.#tried.length) this.#whole.clear();
    for (let index = this.#whole.size; index < this.#tried.length; index += 1) this.#whole.add(this.#tried.from(index));
    return this.#whole.has(state);
  }

  /** One state of each circle that nobody gets out of, to be tried whole; `before` says which of two comes first. */
  forgotten(states: number, before: (a: number, b: number) => boolean): readonly number[] {
    this.isWhole(0);
    const { begin, to } = this.#edges.bySource(states);
    const back = this.#edges.byTarget(states);
    const out = new Uint8Array(states);
    const queue: number[] = [];
    for (let state = 0; state < states; state += 1) {
      if (begin[state] !== begin[state + 1] && !this.#whole.has(state)) continue;
      out[state] = 1;
      queue.push(state);
    }
    for (let state = queue.pop(); state !== undefined; state = queue.pop())
      for (let at = back.begin[state]!; at < back.begin[state + 1]!; at += 1) {
        const from = back.to[at]!;
        if (out[from] === 1) continue;
        out[from] = 1;
        queue.push(from);
      }
    if (out.indexOf(0) < 0) return [];
    const inside = components(begin, to).filter(component => component.every(state => out[state] === 0));
    const chosen = inside.map(component => component.reduce((a, b) => (before(b, a) ? b : a)));
    for (const state of chosen) this.#tried.add(state, state);
    return chosen;
  }

  /** One thread does it, the others forget(). */
  clear(): void {
    this.#edges.clear();
    this.#tried.clear();
    this.forget();
  }

  forget(): void {
    this.#whole.clear();
  }

  save(): readonly Uint8Array<ArrayBufferLike>[] {
    return [this.#edges.save(), this.#tried.save()];
  }

  restore([edges, tried]: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#whole.clear();
    if (edges) this.#edges.restore(edges);
    if (tried) this.#tried.restore(tried);
  }
}
