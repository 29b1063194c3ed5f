/**
 * Through everything that can happen: each state once, the nearest first or the latest first.
 *
 * The nearest first goes level by level. What is found, how many states there are and how they were reached does not depend
 * on the order within a level, nor on how many threads share it: what was learned counts from the next level on, and a level
 * is always gone through to its end, unless a bound is reached.
 */
import type { Program } from '../sim/program.ts';
import { resumedOf, type Standing } from './checkpoint.ts';
import { Crew, type Order } from './crew.ts';
import type { ExploreOptions } from './explore.ts';
import { Stack } from './frontier.ts';
import type { Found } from './notes.ts';

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
  /** vCPUs that changed places were told apart after all: it is to be begun again, without that. */
  readonly unlike: boolean;
  /** Whether any could change places. */
  readonly symmetric: boolean;
}

const UNLIKE = 'vCPUs that changed places are not alike';
/** States looked at between two pauses. */
const PAUSE = 256;

export class Search {
  readonly #options: ExploreOptions;
  readonly #crew: Crew;
  readonly #order: Order;
  readonly #stack = new Stack();
  #stopped: string | null = null;
  #looked = 0;
  #rounds = 0;
  /** Facts that were known when the round began, and states when the last was learned. */
  #learned = 0;
  #known = 0;
  /** A checkpoint is due as soon as nobody works. */
  #due = false;

  /** `order` makes no difference: that is what it is for. */
  constructor(program: Program, options: ExploreOptions, order: Order = index => index) {
    this.#options = options;
    this.#order = order;
    this.#crew = new Crew(program, options);
  }

  /** Pauses now and then, for whoever wants to know how far it is. */
  *run(): Generator<Progress, SearchResult> {
    const crew = this.#crew;
    const { explorer, edges } = crew.store;
    const { footprints, notes, visited } = explorer;
    const resume = resumedOf(this.#options.resume, 'search');
    try {
      for (let from = resume?.progress ?? null; ; from = null) {
        this.#rounds = from?.rounds ?? this.#rounds + 1;
        this.#stopped = null;
        yield* this.#waiting(from && resume ? crew.resume(resume, this.#stack) : crew.begin());
        this.#learned = from?.learned ?? footprints.learned;
        this.#known = from?.known ?? 0;
        const goes_on = yield* this.#options.strategy === 'dfs' ? this.#deep(from) : this.#wide(from);
        if (!goes_on || footprints.learned === this.#learned) break;
      }
    } finally {
      crew.end();
    }
    const { steps, quiescent, endless } = crew.tally;
    return {
      ...this.#progress(),
      steps,
      quiescent,
      found: notes.found,
      reached: notes.reached,
      stopped: this.#stopped ?? explorer.stopped,
      cyclic: endless > 0 || !edges || edges.haveCycle(visited.size),
      rounds: this.#rounds,
      unlike: crew.tally.unlike > 0,
      symmetric: explorer.renames,
    };
  }

  /** Everything once, level by level; false if that is enough, whatever was learned. */
  *#wide(from: Standing | null): Generator<Progress, boolean> {
    const crew = this.#crew;
    const { explorer, levels } = crew.store;
    const { visited, packing } = explorer;
    if (!from) {
      explorer.keep = state => levels[0].push(state, packing, visited.written);
      explorer.start();
      yield* this.#waiting(crew.learn());
    }
    let begun = from !== null;
    for (let depth = from?.depth ?? 0; ; depth += 1) {
      const odd = depth % 2;
      const [level, next] = odd === 0 ? levels : [levels[1], levels[0]];
      if (!begun) {
        if (level.length === 0 && !this.#goBack(state => level.push(state, packing, visited.way(state)))) return true;
        next.clear();
        explorer.next_level = visited.size;
      }
      begun = false;
      explorer.keep = state => next.push(state, packing, visited.written);
      for (let fresh = true; level.taken < level.length; fresh = false) {
        yield* this.#working(crew.work(depth, odd, fresh, this.#order));
        this.#keep(depth);
        if (this.#stopped !== null) return false;
        if (crew.threads > 1 && visited.crowded) visited.spread();
      }
      if (crew.tally.unlike > 0) {
        this.#stopped = UNLIKE;
        return false;
      }
      if (explorer.notes.enough) {
        this.#stopped = 'a judgement has failed';
        return false;
      }
      // Another round is due anyway: this one goes on for as long as it keeps learning.
      if (yield* this.#waiting(crew.learn())) this.#known = visited.size;
      else if (this.#known > 0 && visited.size > 2 * this.#known + 1000) return true;
    }
  }

  /** Everything once, the latest first; by one thread. */
  *#deep(from: Standing | null): Generator<Progress, boolean> {
    const crew = this.#crew;
    const { explorer } = crew.store;
    const { visited, packing } = explorer;
    const stack = this.#stack;
    explorer.keep = (state, depth) => stack.push(state, depth, packing);
    if (!from) {
      stack.clear();
      explorer.start();
      yield* this.#waiting(crew.learn());
    }
    while (stack.length > 0 || this.#goBack(state => stack.push(state, 0, packing))) {
      const { state, depth } = stack.pop(packing);
      explorer.expand(state, depth);
      if (crew.tally.unlike > 0) {
        this.#stopped = UNLIKE;
        return false;
      }
      if (explorer.notes.enough) {
        this.#stopped = 'a judgement has failed';
        return false;
      }
      if (yield* this.#waiting(crew.learn())) this.#known = visited.size;
      else if (this.#known > 0 && visited.size > 2 * this.#known + 1000) return true;
      const over = this.#isOver(false);
      this.#keep(0);
      if (over) return false;
      if (this.#looked % PAUSE === 0) yield this.#progress();
    }
    return true;
  }

  /** What was put off for ever is still to be done; false where there is no such thing, or where all begins again. */
  #goBack(keep: (state: number) => void): boolean {
    const { explorer, put_off } = this.#crew.store;
    const { visited, footprints } = explorer;
    if (put_off === null || footprints.learned !== this.#learned) return false;
    const forgotten = put_off.forgotten(visited.size, (a, b) => visited.isBefore(a, b));
    for (const state of forgotten) {
      explorer.goTo(state);
      keep(state);
    }
    return forgotten.length > 0;
  }

  /** Keeps a checkpoint if one is due, or if this is the end for now. */
  #keep(depth: number): void {
    const { keeper } = this.#options;
    if (keeper === null || (!this.#due && this.#stopped === null)) return;
    this.#due = false;
    const symmetric = this.#options.reductions.has('symmetry');
    const progress = { symmetric, rounds: this.#rounds, learned: this.#learned, known: this.#known, depth };
    keeper.keep(this.#crew.save(progress, this.#stack));
  }

  /** While a level is gone through. Where a bound is reached, everybody pauses. */
  *#working(going: Generator<boolean>): Generator<Progress> {
    for (const waits of going) {
      if (this.#stopped === null && (this.#isOver(waits) || this.#due)) this.#crew.store.pause();
      if (waits || this.#looked % PAUSE === 0) yield this.#progress();
    }
  }

  /** While the others are waited for. */
  *#waiting<T>(going: Generator<boolean, T>): Generator<Progress, T> {
    for (;;) {
      const { done, value } = going.next();
      if (done) return value;
      yield this.#progress();
    }
  }

  /** A bound was reached, perhaps; most are looked for now and then, or when there is nothing else to do. */
  #isOver(waits: boolean): boolean {
    this.#looked += 1;
    const { states, memory_bytes, progress } = this.#options;
    const { store } = this.#crew;
    if (states !== null && store.explorer.visited.size >= states) this.#stopped = `${states} states`;
    else if (!waits && this.#looked % PAUSE !== 0) return false;
    else if ((memory_bytes !== null && this.#bytes >= memory_bytes) || store.full)
      this.#stopped = `${Math.round(this.#bytes / 2 ** 20)} MiB of memory`;
    else if (progress && !progress(this.#progress())) this.#stopped = 'interrupted';
    else this.#due ||= this.#options.keeper?.due() ?? false;
    return this.#stopped !== null;
  }

  get #bytes(): number {
    return this.#crew.store.bytes + this.#stack.bytes;
  }

  #progress(): Progress {
    const { store, tally } = this.#crew;
    const waiting = store.levels.reduce((sum, level) => sum + level.length - level.taken, this.#stack.length);
    return {
      states: store.explorer.visited.size,
      transitions: tally.transitions,
      frontier: waiting,
      depth: tally.depth,
      bytes: this.#bytes,
    };
  }
}
