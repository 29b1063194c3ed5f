/**
 * Through everything that can happen: each state once, the nearest first or the latest first.
 */
import type { Program } from '../sim/program.ts';
import { components } from './components.ts';
import type { ExploreOptions } from './explore.ts';
import { Footprints } from './footprints.ts';
import { Frontier } from './frontier.ts';
import { Identity } from './identity.ts';
import { type Found, Notes } from './notes.ts';
import { Reduction } from './reduction.ts';
import { irrelevant } from './roomy.ts';
import { NO_PARENT, Visited } from './visited.ts';
import { World } from './world.ts';

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
  /** Something may go on for ever. */
  readonly cyclic: boolean;
  readonly rounds: number;
}

/** Steps without a choice after which a state is kept all the same: there may be no end to them. */
const LONGEST_CHAIN = 200;

/** States looked at between two pauses. */
const PAUSE = 256;

export class Search {
  readonly #options: ExploreOptions;
  readonly #world: World;
  readonly #footprints: Footprints;
  readonly #reduction: Reduction;
  readonly #identity: Identity;
  readonly #visited = new Visited();
  readonly #frontier: Frontier;
  readonly #moves: Int32Array;
  #transitions = 0;
  #steps = 0;
  #quiescent = 0;
  #depth = 0;
  readonly #notes: Notes;
  /** The last stored state, and the moves since. */
  #parent = NO_PARENT;
  readonly #chain: number[] = [];
  readonly #reduce: boolean;
  readonly #exact: Map<string, number> | null;
  #stopped: string | null = null;
  /** A thread went on for so long without a choice that there may be no end to it. */
  #cyclic = false;
  /** Where the moves of each state lead that was looked at, in the order of the states; see components.ts. */
  readonly #begin: number[] = [];
  readonly #to: number[] = [];

  constructor(program: Program, options: ExploreOptions) {
    this.#options = options;
    // A bound on preemptions is about orders: none may stand for another.
    this.#reduce = options.reductions.has('order') && options.preemptions === null;
    this.#exact = options.exact ? new Map() : null;
    const footprints = new Footprints();
    const world = new World(program, { footprint: this.#reduce ? footprints : null, paranoid: options.paranoid });
    this.#world = world;
    this.#notes = new Notes(program, world.judge, options.all);
    const ignored = irrelevant(
      program,
      world.m.places.vms.map(({ pages }) => pages),
    );
    footprints.count(world.m, ignored);
    this.#footprints = footprints;
    this.#reduction = new Reduction(world, footprints);
    this.#identity = new Identity(world, options.reductions.has('identity') ? ignored : new Set());
    this.#frontier = new Frontier(world, options.strategy === 'dfs' ? 'lifo' : 'fifo');
    this.#moves = new Int32Array(world.moves);
  }

  /** Pauses now and then, for whoever wants to know how far it is. */
  *run(): Generator<Progress, SearchResult> {
    const world = this.#world;
    world.readBeside();
    const beside = world.beside.words.slice();
    let rounds = 0;
    for (;;) {
      rounds += 1;
      const { learned } = this.#footprints;
      this.#stopped = null;
      this.#frontier.begin();
      world.beside.words.set(beside);
      world.writeBeside();
      const goes_on = yield* this.#round();
      if (!goes_on || !this.#reduce || this.#footprints.learned === learned) break;
    }
    return {
      ...this.#progress(),
      steps: this.#steps,
      quiescent: this.#quiescent,
      found: this.#notes.found,
      reached: this.#notes.reached,
      stopped: this.#stopped,
      cyclic: this.#cyclic || this.#hasCycle(),
      rounds,
    };
  }

  /** Everything once; false if that is enough, whatever was learned. */
  *#round(): Generator<Progress, boolean> {
    const visited = this.#visited;
    const frontier = this.#frontier;
    visited.clear();
    this.#exact?.clear();
    frontier.clear();
    this.#notes.clear();
    this.#begin.length = 0;
    this.#to.length = 0;
    this.#cyclic = false;
    this.#transitions = 0;
    this.#steps = 0;
    this.#quiescent = 0;
    this.#depth = 0;
    this.#chain.length = 0;
    this.#parent = NO_PARENT;
    this.#notes.begin();
    this.#follow(0);
    let looked = 0;
    let learned = this.#footprints.learned;
    let known = 0;
    while (frontier.length > 0) {
      // Another round is due anyway: this one goes on for as long as it keeps learning.
      if (learned !== this.#footprints.learned) {
        learned = this.#footprints.learned;
        known = visited.size;
      } else if (known > 0 && visited.size > 2 * known + 1000) return true;
      this.#expand();
      looked += 1;
      if (this.#notes.enough) {
        this.#stopped = 'a judgement has failed';
        return false;
      }
      if (this.#options.states !== null && visited.size >= this.#options.states && this.#isOver()) return false;
      if (looked % PAUSE === 0) {
        if (this.#isOver()) return false;
        yield this.#progress();
      }
    }
    return true;
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
    return {
      states: this.#visited.size,
      transitions: this.#transitions,
      frontier: this.#frontier.length,
      depth: this.#depth,
      bytes: this.#visited.bytes + this.#frontier.bytes,
    };
  }

  #expand(): void {
    const frontier = this.#frontier;
    this.#parent = frontier.next();
    while (this.#begin.length <= this.#parent) this.#begin.push(this.#to.length);
    const { depth } = frontier;
    if (this.#options.depth !== null && depth >= this.#options.depth) {
      this.#stopped = `depth ${this.#options.depth}`;
      return;
    }
    const count = this.#enabled();
    const chosen = this.#reduce ? this.#reduction.choose(this.#moves, count) : count;
    const moves = this.#moves.slice(0, count);
    let fresh = false;
    for (let index = 0; index < count; index += 1) {
      // A smaller set must lead somewhere new, or what it puts off could be put off for ever.
      if (index === chosen && fresh) break;
      if (index > 0) frontier.again();
      const move = moves[index]!;
      if (this.#options.preemptions !== null && !this.#mayPreempt(move, moves, this.#options.preemptions)) continue;
      this.#chain.length = 0;
      this.#notes.begin();
      this.#take(move);
      this.#transitions += 1;
      if (this.#follow(depth + 1)) fresh = true;
    }
  }

  /** Whether a move is within the bound on preemptions: a thread steps although another, that stepped last, could go on. */
  #mayPreempt(move: number, enabled: Int32Array, most: number): boolean {
    const world = this.#world;
    if (move >= world.threads) return true;
    if (world.last !== 0 && world.last - 1 !== move && enabled.includes(world.last - 1)) {
      if (world.preempted >= most) {
        this.#stopped = `${most} preemptions`;
        return false;
      }
      world.preempted += 1;
    }
    world.last = move + 1;
    return true;
  }

  /** Goes on for as long as there is one way to, then keeps the state; true if it was new. */
  #follow(depth: number): boolean {
    for (let length = 0; ; length += 1) {
      if (length === LONGEST_CHAIN) {
        this.#cyclic = true;
        break;
      }
      const count = this.#enabled();
      if (!this.#anyFair(count)) {
        this.#quiescent += 1;
        this.#notes.end(this.#toHere);
        this.#sayQuiescent();
      }
      if (count === 0) return this.#keep(depth, false);
      if (!this.#reduce || this.#reduction.choose(this.#moves, count) !== 1) break;
      this.#take(this.#moves[0]!);
    }
    return this.#keep(depth, true);
  }

  #sayQuiescent(): void {
    const { quiescent } = this.#options;
    if (quiescent === null) return;
    this.#footprints.end();
    this.#identity.update();
    quiescent(this.#world, this.#identity.high, this.#identity.low);
  }

  /** Whether the state is new; if so it is kept. It is to be looked at if anything can happen in it. */
  #keep(depth: number, goes_on: boolean): boolean {
    this.#footprints.end();
    this.#identity.update();
    const known = this.#known();
    if (known >= 0) {
      this.#to.push(known);
      return false;
    }
    const { high, low } = this.#identity;
    const state = this.#visited.add(high, low, this.#parent, this.#chain);
    if (this.#parent !== NO_PARENT) this.#to.push(state);
    this.#depth = Math.max(this.#depth, depth);
    if (goes_on) this.#frontier.push(state, depth);
    return true;
  }

  /** The number of the state, or -1 if it is new. */
  #known(): number {
    const { high, low } = this.#identity;
    if (this.#exact === null) return this.#visited.find(high, low);
    const text = this.#identity.text();
    const known = this.#exact.get(text) ?? -1;
    if (known < 0) this.#exact.set(text, this.#visited.size);
    return known;
  }

  /** Depth first, states are not looked at in the order of their numbers: then nothing is known of cycles. */
  #hasCycle(): boolean {
    if (this.#options.strategy === 'dfs') return true;
    while (this.#begin.length <= this.#visited.size) this.#begin.push(this.#to.length);
    return components(this.#begin, this.#to).length > 0;
  }

  #enabled(): number {
    this.#footprints.end();
    return this.#world.enabled(this.#moves);
  }

  #anyFair(count: number): boolean {
    for (let index = 0; index < count; index += 1) if (this.#world.isFair(this.#moves[index]!)) return true;
    return false;
  }

  #take(move: number): void {
    if (this.#reduce) {
      this.#footprints.begin(this.#reduction.keyOf(move), this.#reduction.bitOf(move));
      this.#world.take(move);
      this.#footprints.end();
    } else this.#world.take(move);
    this.#chain.push(move);
    this.#steps += 1;
    this.#notes.look(this.#toHere);
  }

  /** The moves from the start to where it stands. */
  readonly #toHere = (): readonly number[] => {
    const before = this.#parent === NO_PARENT ? [] : this.#visited.path(this.#parent);
    return [...before, ...this.#chain];
  };
}
