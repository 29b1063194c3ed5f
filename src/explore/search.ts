/**
 * Through everything that can happen: each state once, the nearest first or the latest first.
 *
 * The nearest first goes level by level. What is found, how many states there are and how they were reached does not depend
 * on the order within a level, nor on how many threads share it: what was learned counts from the next level on, and a level
 * is always gone through to its end, unless a bound is reached.
 */
import type { Program } from '../sim/program.ts';
import { Edges } from './edges.ts';
import type { ExploreOptions } from './explore.ts';
import { Explorer } from './explorer.ts';
import { Level, Stack } from './frontier.ts';
import { isPromise } from './liveness.ts';
import type { Found } from './notes.ts';
import { Visited } from './visited.ts';

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly frontier: number;
  readonly depth: number;
  readonly bytes: number;
}

export interface SearchResult extends Progress {
  readonly steps: number;
  readonly quiescent: number;
  readonly found: readonly Found[];
  /** Judgements of kind `sometimes` that were reached. */
  readonly reached: ReadonlySet<string>;
  /** Why not everything was seen; null where everything was. */
  readonly stopped: string | null;
  /** Something goes on for ever, or that was not looked for. */
  readonly cyclic: boolean;
  readonly rounds: number;
}

/** States looked at between two pauses. */
const PAUSE = 256;

/** Which state of a level of so many is looked at when. */
type Order = (index: number, length: number) => number;

export class Search {
  readonly #options: ExploreOptions;
  readonly #explorer: Explorer;
  readonly #order: Order;
  readonly #edges: Edges | null;
  #level: Level;
  #next: Level;
  readonly #stack = new Stack();
  #stopped: string | null = null;
  #looked = 0;

  /** `order` makes no difference: that is what it is for. */
  constructor(program: Program, options: ExploreOptions, order: Order = index => index) {
    this.#options = options;
    this.#order = order;
    // Where nothing is promised, it makes no difference whether anything goes on for ever.
    this.#edges = options.strategy === 'bfs' && program.judgements.some(isPromise) ? new Edges() : null;
    this.#explorer = new Explorer(program, options, moves => new Visited(moves), this.#edges);
    const { most_bytes } = this.#explorer.packing;
    this.#level = new Level(most_bytes);
    this.#next = new Level(most_bytes);
  }

  /** Pauses now and then, for whoever wants to know how far it is. */
  *run(): Generator<Progress, SearchResult> {
    const explorer = this.#explorer;
    const { footprints, notes, visited } = explorer;
    let rounds = 0;
    for (;;) {
      rounds += 1;
      const { learned } = footprints;
      this.#stopped = null;
      explorer.begin();
      visited.clear();
      this.#edges?.clear();
      const goes_on = yield* this.#options.strategy === 'dfs' ? this.#deep() : this.#wide();
      if (!goes_on || footprints.learned === learned) break;
    }
    const { steps, quiescent, endless } = explorer.tally;
    return {
      ...this.#progress(),
      steps,
      quiescent,
      found: notes.found,
      reached: notes.reached,
      stopped: this.#stopped ?? explorer.stopped,
      cyclic: endless > 0 || !this.#edges || this.#edges.haveCycle(visited.size),
      rounds,
    };
  }

  /** Everything once, level by level; false if that is enough, whatever was learned. */
  *#wide(): Generator<Progress, boolean> {
    const explorer = this.#explorer;
    const { visited, packing } = explorer;
    explorer.keep = state => this.#next.push(state, packing);
    this.#level.clear();
    this.#next.clear();
    explorer.start();
    this.#learn();
    let known = 0;
    for (let depth = 0; this.#next.length > 0; depth += 1) {
      [this.#level, this.#next] = [this.#next, this.#level];
      this.#next.clear();
      explorer.next_level = visited.size;
      const level = this.#level;
      const { length } = level;
      while (level.taken < length) {
        const state = level.read(this.#order(level.take(1), length), packing);
        explorer.expand(state, depth);
        if (yield* this.#pause()) return false;
      }
      if (explorer.notes.enough) {
        this.#stopped = 'a judgement has failed';
        return false;
      }
      // Another round is due anyway: this one goes on for as long as it keeps learning.
      if (this.#learn()) known = visited.size;
      else if (known > 0 && visited.size > 2 * known + 1000) return true;
    }
    return true;
  }

  /** Everything once, the latest first. */
  *#deep(): Generator<Progress, boolean> {
    const explorer = this.#explorer;
    const { visited, packing } = explorer;
    const stack = this.#stack;
    explorer.keep = (state, depth) => stack.push(state, depth, packing);
    stack.clear();
    explorer.start();
    this.#learn();
    let known = 0;
    while (stack.length > 0) {
      const { state, depth } = stack.pop(packing);
      explorer.expand(state, depth);
      if (explorer.notes.enough) {
        this.#stopped = 'a judgement has failed';
        return false;
      }
      if (this.#learn()) known = visited.size;
      else if (known > 0 && visited.size > 2 * known + 1000) return true;
      if (yield* this.#pause()) return false;
    }
    return true;
  }

  /** What was noted counts from now on; false if nothing was. */
  #learn(): boolean {
    const { footprints } = this.#explorer;
    if (footprints.noted.length === 0) return false;
    footprints.apply([footprints.noted.slice()]);
    return true;
  }

  /** After a state was looked at; true if that was the last. */
  *#pause(): Generator<Progress, boolean> {
    this.#looked += 1;
    const { states } = this.#options;
    if (states !== null && this.#explorer.visited.size >= states && this.#isOver()) return true;
    if (this.#looked % PAUSE !== 0) return false;
    if (this.#isOver()) return true;
    yield this.#progress();
    return false;
  }

  /** A bound was reached. */
  #isOver(): boolean {
    const { states, memory_bytes, progress } = this.#options;
    const now = this.#progress();
    if (states !== null && now.states >= states) this.#stopped = `${states} states`;
    else if (memory_bytes !== null && now.bytes >= memory_bytes)
      this.#stopped = `${Math.round(memory_bytes / 2 ** 20)} MiB of memory`;
    else if (progress && !progress(now)) this.#stopped = 'interrupted';
    return this.#stopped !== null;
  }

  #progress(): Progress {
    const { visited, tally, exact_bytes } = this.#explorer;
    const waiting = this.#level.length - this.#level.taken + this.#next.length + this.#stack.length;
    return {
      states: visited.size,
      transitions: tally.transitions,
      frontier: waiting,
      depth: tally.depth,
      bytes:
        visited.bytes +
        this.#level.bytes +
        this.#next.bytes +
        this.#stack.bytes +
        exact_bytes +
        (this.#edges?.bytes ?? 0),
    };
  }
}
