/**
 * Breadth first through everything that can happen: each state once, the nearest first.
 */
import type { Judgement, Program } from '../sim/program.ts';
import type { ExploreOptions } from './explore.ts';
import { Footprints } from './footprints.ts';
import { Frontier } from './frontier.ts';
import { Identity } from './identity.ts';
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

export interface Found {
  readonly judgement: Judgement;
  readonly actual: string;
  /** Moves from the start to the step that broke it. */
  readonly path: readonly number[];
}

export interface SearchResult extends Progress {
  readonly steps: number;
  readonly quiescent: number;
  readonly found: readonly Found[];
  /** Judgements of kind `sometimes` that were reached. */
  readonly reached: ReadonlySet<string>;
  /** Why not everything was seen; null where everything was. */
  readonly stopped: string | null;
  readonly rounds: number;
}

const LONGEST_CHAIN = 1000;

export class Search {
  readonly #program: Program;
  readonly #options: ExploreOptions;
  readonly #world: World;
  readonly #footprints: Footprints;
  readonly #reduction: Reduction;
  readonly #identity: Identity;
  readonly #visited = new Visited();
  readonly #frontier: Frontier;
  readonly #moves: Int32Array;
  #count = 0;
  #transitions = 0;
  #steps = 0;
  #quiescent = 0;
  #depth = 0;
  readonly #found = new Map<string, Found>();
  readonly #reached = new Set<string>();
  /** The last stored state, and the moves since. */
  #parent = NO_PARENT;
  readonly #chain: number[] = [];
  #decided = 0;
  readonly #expected: ReadonlySet<string>;
  readonly #reduce: boolean;
  readonly #exact: Set<string> | null;
  #stopped: string | null = null;

  constructor(program: Program, options: ExploreOptions) {
    this.#program = program;
    this.#options = options;
    this.#reduce = options.reductions.has('order');
    this.#exact = options.exact ? new Set() : null;
    this.#expected = new Set(program.expectations.flatMap(({ of, verdict }) => (verdict === 'fail' ? [of] : [])));
    const footprints = new Footprints();
    const world = new World(program, { footprint: this.#reduce ? footprints : null, paranoid: options.paranoid });
    this.#world = world;
    const ignored = irrelevant(
      program,
      world.m.places.vms.map(({ pages }) => pages),
    );
    footprints.count(world.m, ignored);
    this.#footprints = footprints;
    this.#reduction = new Reduction(world, footprints);
    this.#identity = new Identity(world, options.reductions.has('identity') ? ignored : new Set());
    this.#frontier = new Frontier(world);
    this.#moves = new Int32Array(world.moves);
  }

  run(): SearchResult {
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
      const goes_on = this.#round();
      if (!goes_on || !this.#reduce || this.#footprints.learned === learned) break;
    }
    return {
      ...this.#progress(),
      steps: this.#steps,
      quiescent: this.#quiescent,
      found: [...this.#found.values()],
      reached: this.#reached,
      stopped: this.#stopped,
      rounds,
    };
  }

  /** Everything once; false if that is enough, whatever was learned. */
  #round(): boolean {
    const { depth } = this.#options;
    const visited = this.#visited;
    const frontier = this.#frontier;
    visited.clear();
    this.#exact?.clear();
    frontier.clear();
    this.#found.clear();
    this.#transitions = 0;
    this.#steps = 0;
    this.#quiescent = 0;
    this.#depth = 0;
    this.#chain.length = 0;
    this.#parent = NO_PARENT;
    this.#decided = this.#world.judge.decided;
    this.#follow();
    let level = frontier.length;
    let looked = 0;
    let learned = this.#footprints.learned;
    let known = 0;
    while (frontier.length > 0) {
      // Another round is due anyway: this one goes on for as long as it keeps learning.
      if (learned !== this.#footprints.learned) {
        learned = this.#footprints.learned;
        known = visited.size;
      } else if (known > 0 && visited.size > 2 * known + 1000) return true;
      if (level === 0) {
        level = frontier.length;
        this.#depth += 1;
        if (depth !== null && this.#depth >= depth) {
          this.#stopped = `depth ${depth}`;
          return true;
        }
      }
      this.#expand();
      level -= 1;
      looked += 1;
      if (this.#isEnough()) return false;
      if (looked % 1024 === 0 && this.#isOver()) return false;
    }
    return true;
  }

  /** What failed decides the verdict, and no more is asked for. */
  #isEnough(): boolean {
    if (this.#found.size === 0) return false;
    const failing = this.#program.judgements.filter(({ kind }) => kind !== 'sometimes').length;
    const surprise = [...this.#found.keys()].some(name => !this.#expected.has(name));
    if (
      !(surprise && !this.#options.all) &&
      (this.#found.size < failing || this.#reached.size + failing < this.#program.judgements.length)
    )
      return false;
    this.#stopped = 'a judgement has failed';
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
    this.#parent = frontier.peek();
    const count = this.#enabled();
    const chosen = this.#reduce ? this.#reduction.choose(this.#moves, count) : count;
    const moves = this.#moves.slice(0, count);
    let fresh = false;
    for (let index = 0; index < count; index += 1) {
      // A smaller set must lead somewhere new, or what it puts off could be put off for ever.
      if (index === chosen && fresh) break;
      if (index > 0) frontier.again();
      this.#chain.length = 0;
      this.#decided = this.#world.judge.decided;
      this.#take(moves[index]!);
      this.#transitions += 1;
      if (this.#follow()) fresh = true;
    }
    frontier.drop();
  }

  /** Goes on for as long as there is one way to, then keeps the state; true if it was new. */
  #follow(): boolean {
    const world = this.#world;
    const identity = this.#identity;
    for (let length = 0; length < LONGEST_CHAIN; length += 1) {
      const count = this.#enabled();
      if (!this.#anyFair(count)) {
        this.#quiescent += 1;
        this.#judgeEnd();
      }
      if (count === 0) return false;
      if ((this.#reduce ? this.#reduction.choose(this.#moves, count) : count) !== 1) break;
      if (!this.#reduce) break;
      this.#take(this.#moves[0]!);
    }
    this.#footprints.end();
    identity.update();
    if (this.#isKnown()) return false;
    const state = this.#visited.add(identity.high, identity.low, this.#parent, this.#chain);
    this.#frontier.push(state);
    world.m.clock.step = 0;
    return true;
  }

  #isKnown(): boolean {
    const { high, low } = this.#identity;
    if (this.#exact === null) return this.#visited.find(high, low) >= 0;
    const text = this.#identity.text();
    if (this.#exact.has(text)) return true;
    this.#exact.add(text);
    return false;
  }

  #enabled(): number {
    this.#footprints.end();
    this.#count = this.#world.enabled(this.#moves);
    return this.#count;
  }

  #anyFair(count: number): boolean {
    for (let index = 0; index < count; index += 1) if (this.#world.isFair(this.#moves[index]!)) return true;
    return false;
  }

  #take(move: number): void {
    const { judge } = this.#world;
    if (this.#reduce) {
      const kind = this.#footprints.begin(this.#reduction.keyOf(move), this.#reduction.bitOf(move));
      this.#world.take(move);
      void kind;
      this.#footprints.end();
    } else this.#world.take(move);
    this.#chain.push(move);
    this.#steps += 1;
    if (judge.decided !== this.#decided) this.#note();
  }

  #judgeEnd(): void {
    const { judge } = this.#world;
    const before = judge.save();
    judge.finish('quiescent');
    this.#note();
    judge.restore(before);
    this.#decided = judge.decided;
  }

  #path(): readonly number[] {
    const before = this.#parent === NO_PARENT ? [] : this.#visited.path(this.#parent);
    return [...before, ...this.#chain];
  }

  #note(): void {
    const { judge } = this.#world;
    this.#decided = judge.decided;
    judge.results().forEach(({ holds, name, actual }, index) => {
      const judgement = this.#program.judgements[index]!;
      if (holds === 'yes' && judgement.kind === 'sometimes') this.#reached.add(name);
      if (holds !== 'no') return;
      if (!this.#found.has(name)) this.#found.set(name, { judgement, actual, path: this.#path() });
      judge.reopen(index);
    });
  }
}
