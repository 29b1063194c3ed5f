/**
 * Paths instead of all of them: at random, or by priorities that change a few times (PCT).
 *
 * Fast to find what many orders lead to, and no proof of anything. PCT gives each actor a priority by lot and lets the
 * highest go on, but for d - 1 moments, drawn before, at which whoever goes falls behind all others: a bug that takes d
 * ordered events in n actors and k steps shows itself with odds of at least 1 / (n k^(d-1)) a path (Burckhardt et al.,
 * "A randomized scheduler with probabilistic guarantees of finding bugs").
 *
 * Each path draws from a stream of its own, so threads may share them. They are counted in their order, whoever went them
 * and when: what comes after the one that was enough was not gone.
 */
import { below, type Stream, seedStream } from '../base/rng.ts';
import type { Program } from '../sim/program.ts';
import { type Paces, resumedOf } from './checkpoint.ts';
import type { ExploreOptions } from './explore.ts';
import { type Memory, PRIVATE, setAside } from './memory.ts';
import { type Findings, Notes, type Way } from './notes.ts';
import { follow, type Job, Orders, OWN } from './orders.ts';
import { Packing } from './packing.ts';
import type { Progress, SearchResult } from './search.ts';
import { World } from './world.ts';

const LONGEST_WALK = 5000;
const CHANGES = 3;
/** Steps that a path is thought to have before the first was gone. */
const TYPICAL_STEPS = 100;
/** Paths up to the next one that knows how long those before were. */
const BATCH = 32;

/** The order to go paths, and in the control words: the next one, where to stop, and how long one is thought to be. */
const GO = 1;
const NEXT = OWN;
const END = OWN + 1;
const LENGTH = OWN + 2;

export function isWalk({ strategy }: Pick<ExploreOptions, 'strategy'>): boolean {
  return strategy === 'random' || strategy === 'pct';
}

/** What one path came to. */
interface Walked {
  readonly walk: number;
  readonly steps: number;
  readonly quiescent: number;
  readonly findings: Findings;
}

/** Goes paths: those of one thread. */
class Walker {
  readonly orders: Orders;
  readonly world: World;
  /** Of the paths since the last order. */
  walked: Walked[] = [];
  readonly #program: Program;
  readonly #options: ExploreOptions;
  readonly #start: Packing;
  readonly #moves: Int32Array;
  readonly #stream: Stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };

  constructor(program: Program, options: ExploreOptions, memory: Memory, threads: number) {
    this.orders = new Orders(memory, threads);
    this.world = new World(program, { paranoid: options.paranoid });
    this.#program = program;
    this.#options = options;
    this.#start = new Packing(this.world);
    this.#moves = new Int32Array(this.world.moves);
  }

  /** Paths until there are no more; pauses after each. */
  *work(): Generator<boolean> {
    const { control } = this.orders;
    this.walked = [];
    for (;;) {
      const walk = Atomics.add(control, NEXT, 1);
      if (walk >= Atomics.load(control, END)) return;
      if (this.#walk(walk, control[LENGTH]!)) this.stop(walk + 1);
      yield false;
    }
  }

  /** No path from that one on is gone any more. */
  stop(walk: number): void {
    const { control } = this.orders;
    for (let end = Atomics.load(control, END); walk < end; ) {
      const before = Atomics.compareExchange(control, END, end, walk);
      if (before === end) return;
      end = before;
    }
  }

  /** True if what it came to is enough. */
  #walk(walk: number, length: number): boolean {
    const { world } = this;
    const moves = this.#moves;
    const { seed, strategy, depth, all } = this.#options;
    this.#start.first();
    seedStream(this.#stream, seed, `${strategy} ${walk}`);
    const pick = strategy === 'pct' ? byPriority(this.#stream, world.moves, length) : atRandom(this.#stream);
    const longest = depth ?? LONGEST_WALK;
    const notes = new Notes(this.#program, world.judge, all);
    const path: number[] = [];
    const here: Way = { steps: () => path.length, moves: () => [...path] };
    let quiescent = 0;
    notes.begin();
    for (;;) {
      const count = world.enabled(moves);
      if (!moves.subarray(0, count).some(move => world.isFair(move))) {
        quiescent += 1;
        notes.end(here);
      }
      if (count === 0 || path.length >= longest) break;
      const move = pick(moves, count, path.length);
      world.take(move);
      path.push(move);
      notes.look(here);
    }
    this.walked.push({ walk, steps: path.length, quiescent, findings: notes.save() });
    return notes.enough;
  }
}

export function* walk(program: Program, options: ExploreOptions): Generator<Progress, SearchResult> {
  const { workers, threads, keeper } = options;
  const many = threads === null ? 1 : workers;
  const buffers: SharedArrayBuffer[] = [];
  const walker = new Walker(program, options, many > 1 ? setAside(buffers) : PRIVATE, many);
  const plain = { ...options, threads: null, progress: null, keeper: null, resume: null, quiescent: null };
  for (let thread = 1; thread < many; thread += 1)
    threads?.start({ program, options: plain, buffers, budget_bytes: 0, thread, threads: many });

  const resumed = resumedOf(options.resume, 'paths');
  const from: Paces = resumed?.progress ?? START;
  const notes = new Notes(program, walker.world.judge, options.all);
  notes.add(from.findings);
  let { walks, steps, quiescent, longest, length } = from;
  let stopped: string | null = null;
  try {
    while (walks < options.walks && stopped === null) {
      // The first goes alone, and shows how long they are.
      const begins = walks <= 1 || walks % BATCH === 0;
      if (begins) length = Math.max(longest, TYPICAL_STEPS);
      const end = Math.min(options.walks, walks === 0 ? 1 : BATCH * (Math.floor(walks / BATCH) + 1));
      const batch = yield* together(walks, end);
      if (batch === null) stopped = 'interrupted';
      for (const each of batch ?? []) {
        walks += 1;
        steps += each.steps;
        quiescent += each.quiescent;
        longest = Math.max(longest, each.steps);
        notes.add(each.findings);
        if (!notes.enough) continue;
        stopped = 'a judgement has failed';
        break;
      }
      const last = stopped === 'interrupted' || walks >= options.walks;
      if (keeper && (last || keeper.due())) {
        const findings = notes.save();
        keeper.keep({ progress: { kind: 'paths', walks, steps, quiescent, longest, length, findings }, parts: [] });
      }
    }
  } finally {
    walker.orders.end();
  }
  return {
    ...progress(0),
    steps,
    quiescent,
    found: notes.found,
    reached: notes.reached,
    stopped: stopped ?? `${walks} paths`,
    cyclic: false,
    unlike: false,
    symmetric: false,
    rounds: walks,
  };

  /** These paths, in order; null if they are not wanted any more. */
  function* together(begin: number, end: number): Generator<Progress, readonly Walked[] | null> {
    const { orders } = walker;
    const { control } = orders;
    control[NEXT] = begin;
    control[END] = end;
    control[LENGTH] = length;
    orders.give(GO);
    let wanted = true;
    for (const part of [walker.work(), orders.arrivals(threads)])
      for (const _ of part) {
        const now = progress(walker.walked.length);
        if (wanted && options.progress?.(now) === false) {
          wanted = false;
          walker.stop(0);
        }
        yield now;
      }
    if (!wanted) return null;
    const others = Array.from({ length: many - 1 }, (_, index): Walked[] => JSON.parse(orders.read(index + 1)));
    // Some may have been gone that come after the one that was enough.
    const gone = [walker.walked, ...others].flat().filter(each => each.walk < control[END]!);
    return gone.sort((a, b) => a.walk - b.walk);
  }

  function progress(more: number): Progress {
    const frontier = options.walks - walks - more;
    return { states: 0, transitions: steps, frontier, depth: longest, bytes: 0 };
  }
}

const START: Paces = {
  kind: 'paths',
  walks: 0,
  steps: 0,
  quiescent: 0,
  longest: 0,
  length: TYPICAL_STEPS,
  findings: { found: [], reached: [] },
};

/** What a thread does that is not the leader, to the end. */
export function stroll(job: Job): void {
  const { program, options, thread, threads } = job;
  follow(job, memory => {
    const walker = new Walker(program, options, memory, threads);
    return () => {
      const paths = walker.work();
      for (let path = paths.next(); !path.done; path = paths.next());
      walker.orders.write(thread, JSON.stringify(walker.walked));
    };
  });
}

type Choose = (moves: Int32Array, count: number, step: number) => number;

function atRandom(stream: Stream): Choose {
  return (moves, count) => moves[below(stream, count)]!;
}

function byPriority(stream: Stream, actors: number, length: number): Choose {
  const priority = Array.from({ length: actors }, () => CHANGES + below(stream, 1 << 20));
  const changes = Array.from({ length: CHANGES }, () => below(stream, length));
  return (moves, count, step) => {
    let best = moves[0]!;
    for (let index = 1; index < count; index += 1) if (priority[moves[index]!]! > priority[best]!) best = moves[index]!;
    const change = changes.indexOf(step);
    if (change >= 0) priority[best] = CHANGES - 1 - change;
    // Who goes on for ever lets the others starve: a thread that spins is moved behind them now and then.
    else if (step % 500 === 499) priority[best] = -step;
    return best;
  };
}
