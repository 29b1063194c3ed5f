/**
 * One thread's part of a search: takes a state, makes each move that has to be tried, and keeps where that leads.
 */
import type { Program } from '../sim/program.ts';
import type { Edges } from './edges.ts';
import type { ExploreOptions } from './explore.ts';
import { Footprints } from './footprints.ts';
import { Identity } from './identity.ts';
import { Notes, type Way } from './notes.ts';
import { Packing } from './packing.ts';
import type { PutOff } from './put_off.ts';
import { Reduction } from './reduction.ts';
import { irrelevant } from './roomy.ts';
import { Standpoint } from './standpoint.ts';
import { NO_PARENT, type Visited } from './visited.ts';
import { World } from './world.ts';

/** Steps without a choice after which a state is kept all the same: there may be no end to them. */
const LONGEST_CHAIN = 200;
/** From here on it is looked for whether it goes round. */
const LONG_CHAIN = 16;

/** What one thread has done since a round began. */
export interface Tally {
  transitions: number;
  steps: number;
  quiescent: number;
  depth: number;
  /** How often it went on for so long without a choice that there may be no end to it. */
  endless: number;
  /** How often the model went by numbers that would be others under another name: then no name stands for another. */
  unlike: number;
}

const NOTHING: Tally = { transitions: 0, steps: 0, quiescent: 0, depth: 0, endless: 0, unlike: 0 };

/** Keeps a new state, in which the world stands, to be looked at. */
export type Keep = (state: number, depth: number, packing: Packing) => void;

export class Explorer {
  readonly world: World;
  readonly footprints = new Footprints();
  readonly notes: Notes;
  readonly packing: Packing;
  readonly reduces: boolean;
  tally: Tally = { ...NOTHING };
  /** A bound that kept it from going on, in words. */
  stopped: string | null = null;
  /** Level by level: the number of the first state of the next level, at which nobody has looked yet. */
  next_level = Number.POSITIVE_INFINITY;
  keep: Keep = () => undefined;
  readonly #options: ExploreOptions;
  readonly #reduction: Reduction;
  readonly #standpoint: Standpoint;
  readonly #identity: Identity;
  readonly #visited: Visited;
  readonly #edges: Edges | null;
  readonly #put_off: PutOff | null;
  /** Nobody has looked yet at the state that was reached last. */
  #unseen = false;
  #stood = { high: 0, low: 0 };
  readonly #moves: Int32Array;
  /** The last stored state, and the moves since. */
  #parent = NO_PARENT;
  readonly #chain: number[] = [];
  /** From the start to where it stands. */
  readonly #here: Way = {
    steps: () => (this.#parent === NO_PARENT ? 0 : this.#visited.steps(this.#parent)) + this.#chain.length,
    moves: () => [...(this.#parent === NO_PARENT ? [] : this.#visited.path(this.#parent)), ...this.#chain],
  };

  constructor(
    program: Program,
    options: ExploreOptions,
    visited: (moves: number) => Visited,
    edges: Edges | null,
    put_off: PutOff | null,
  ) {
    this.#edges = edges;
    this.#put_off = put_off;
    this.#options = options;
    this.reduces = put_off !== null;
    const { footprints } = this;
    const world = new World(program, { footprint: this.reduces ? footprints : null, paranoid: options.paranoid });
    this.world = world;
    this.notes = new Notes(program, world.judge, options.all);
    const ignored = irrelevant(
      program,
      world.m.places.vms.map(({ pages }) => pages),
    );
    const standpoint = new Standpoint(world.m);
    this.#standpoint = standpoint;
    footprints.count(world, ignored, standpoint);
    this.#reduction = new Reduction(world, footprints, standpoint);
    // Final states that somebody counts are told apart by their names.
    const exchanges = options.reductions.has('symmetry') && options.quiescent === null;
    this.#identity = new Identity(world, options.reductions.has('identity') ? ignored : new Set(), exchanges);
    const { symmetry } = this.#identity;
    const { judge } = world;
    if (symmetry)
      footprints.rename(
        symmetry.renamings.map(renaming => standpoint.imageUnder(renaming, judge)),
        judge.parts,
      );
    this.#visited = visited(world.moves);
    this.packing = new Packing(world);
    this.#moves = new Int32Array(world.moves);
  }

  /** Whether states stand for others under other names. */
  get renames(): boolean {
    return this.#identity.symmetry !== null;
  }

  get visited(): Visited {
    return this.#visited;
  }

  /** Forgets all but what was learned. */
  begin(): void {
    this.notes.clear();
    this.tally = { ...NOTHING };
    this.stopped = null;
    this.next_level = Number.POSITIVE_INFINITY;
  }

  /** From the first state to the first that is kept. */
  start(): void {
    this.packing.first();
    this.#chain.length = 0;
    this.#parent = NO_PARENT;
    this.notes.level = 0;
    this.notes.begin();
    this.#follow(0);
  }

  /** Tries what has to be tried in a state that packing has made the world's. */
  expand(state: number, depth: number): void {
    const { packing, tally } = this;
    const { preemptions } = this.#options;
    this.#parent = state;
    this.notes.level = depth;
    if (this.#options.depth !== null && depth >= this.#options.depth) {
      this.stopped = `depth ${this.#options.depth}`;
      return;
    }
    const count = this.#enabled();
    const whole = !this.reduces || this.#put_off?.isWhole(state);
    const chosen = whole ? count : this.#reduction.choose(this.#moves, count);
    const moves = this.#moves.slice(0, chosen);
    const reached: number[] = [];
    let onward = -1;
    for (let index = 0; index < chosen; index += 1) {
      if (index > 0) packing.again();
      const move = moves[index]!;
      if (preemptions !== null && !this.#mayPreempt(move, moves, preemptions)) continue;
      this.#chain.length = 0;
      this.notes.begin();
      this.#take(move);
      tally.transitions += 1;
      const next = this.#follow(depth + 1);
      if (onward < 0 && this.#unseen) onward = next;
      reached.push(next);
    }
    // What is put off is done some time if one way leads on to where nobody has looked; else all of them are kept.
    if (chosen < count) for (const next of onward < 0 ? reached : [onward]) this.#put_off?.add(state, next);
  }

  /** Makes a state the world's, by the way to it. */
  goTo(state: number): void {
    this.packing.first();
    for (const move of this.#visited.path(state)) this.world.take(move);
  }

  /** Whether a move is within the bound on preemptions: a thread steps although another, that stepped last, could go on. */
  #mayPreempt(move: number, enabled: Int32Array, most: number): boolean {
    const { world } = this;
    if (move >= world.threads) return true;
    if (world.last !== 0 && world.last - 1 !== move && enabled.includes(world.last - 1)) {
      if (world.preempted >= most) {
        this.stopped = `${most} preemptions`;
        return false;
      }
      world.preempted += 1;
    }
    world.last = move + 1;
    return true;
  }

  /** Goes on for as long as there is one way to, then keeps the state, and returns its number. */
  #follow(depth: number): number {
    for (let length = 0; ; length += 1) {
      if (length === LONGEST_CHAIN || (length >= LONG_CHAIN && this.#goesRound(length))) {
        this.tally.endless += 1;
        break;
      }
      const count = this.#enabled();
      if (!this.#anyFair(count)) {
        this.tally.quiescent += 1;
        this.notes.end(this.#here);
        this.#sayQuiescent();
      }
      if (count === 0) return this.#reach(depth, false);
      if (!this.reduces || this.#reduction.choose(this.#moves, count) !== 1) break;
      this.#take(this.#moves[0]!);
    }
    return this.#reach(depth, true);
  }

  /** Whether it stands where it stood when the length was last a power of two. */
  #goesRound(length: number): boolean {
    this.footprints.end();
    this.#identity.update();
    const { high, low } = this.#identity;
    if ((length & (length - 1)) !== 0) return high === this.#stood.high && low === this.#stood.low;
    this.#stood = { high, low };
    return false;
  }

  #sayQuiescent(): void {
    const { quiescent } = this.#options;
    if (quiescent === null) return;
    this.footprints.end();
    this.#identity.update();
    quiescent(this.world, this.#identity.high, this.#identity.low);
  }

  /** A state that is new is kept, and is to be looked at if anything can happen in it. Returns its number. */
  #reach(depth: number, goes_on: boolean): number {
    this.footprints.end();
    this.#identity.update();
    const parent = this.#parent;
    const steps = this.#here.steps();
    const { high, low } = this.#identity;
    if (this.#visited.wholes) {
      // Packing may take a longer array.
      const length = this.#identity.pack();
      this.#visited.wholes.hold(this.#identity.whole, length);
    }
    const state = this.#visited.reach(high, low, parent, steps, this.#chain);
    if (parent !== NO_PARENT) this.#edges?.add(parent, state);
    if (!this.#visited.fresh) {
      this.#unseen = state >= this.next_level;
      if (!this.#unseen) return state;
      // What is kept and the way to it are of the same names.
      if (this.#visited.improve(state, parent, steps, this.#chain) && this.renames && goes_on)
        this.keep(state, depth, this.packing);
      return state;
    }
    this.#unseen = true;
    this.tally.depth = Math.max(this.tally.depth, depth);
    if (goes_on) this.keep(state, depth, this.packing);
    return state;
  }

  #enabled(): number {
    this.footprints.end();
    return this.world.enabled(this.#moves);
  }

  #anyFair(count: number): boolean {
    for (let index = 0; index < count; index += 1) if (this.world.isFair(this.#moves[index]!)) return true;
    return false;
  }

  #take(move: number): void {
    if (this.reduces) {
      this.footprints.begin(this.#standpoint.keyOf(move), move);
      this.world.take(move);
      this.footprints.end();
    } else this.world.take(move);
    this.#chain.push(move);
    this.tally.steps += 1;
    if (this.#identity.symmetry?.isBroken()) this.tally.unlike += 1;
    this.notes.look(this.#here);
  }
}
