/**
 * Threads that share one search: its states, the levels, and what each has to say when a level ends.
 *
 * The leader gives an order and does its own part of it; everybody arrives when there is no more to do, or when somebody
 * asked for a pause. In between nobody waits for anybody.
 */
import type { Program } from '../sim/program.ts';
import { type Checkpoint, factsAsBytes, factsOf, grouped, type Resumed, type Standing } from './checkpoint.ts';
import { Edges } from './edges.ts';
import type { ExploreOptions } from './explore.ts';
import { Explorer, type Tally } from './explorer.ts';
import { Level, type Stack } from './frontier.ts';
import { isPromise } from './liveness.ts';
import { type Memory, PRIVATE, setAside } from './memory.ts';
import type { Findings } from './notes.ts';
import { follow, type Job, Orders, OWN, type Threads } from './orders.ts';
import { PutOff } from './put_off.ts';
import { Visited } from './visited.ts';
import { Wholes } from './wholes.ts';

/** Which state of a level of so many is looked at when. */
export type Order = (index: number, length: number) => number;

/** What a thread says when it arrives. */
interface Report {
  readonly noted: readonly number[];
  readonly findings: Findings;
  readonly tally: Tally;
  readonly stopped: string | null;
}

/** Places in the control words. */
const PAUSE = OWN;
const DEPTH = OWN + 1;
const NEXT_LEVEL = OWN + 2;
const ODD = OWN + 3;
const FRESH = OWN + 4;

const BEGIN = 1;
const WORK = 2;
const LEARN = 3;
const RESUME = 4;

/** States that a thread takes at once. */
const MOST_AT_ONCE = 64;
const FEWEST_BYTES = 2 ** 26;

/** All that is stored: private to one thread, or shared. Whoever makes it makes everything in the same order. */
export class Store {
  readonly orders: Orders;
  readonly explorer: Explorer;
  readonly edges: Edges | null;
  /** Null where no moves are put off. */
  readonly put_off: PutOff | null;
  readonly levels: readonly [Level, Level];
  readonly #threads: number;

  constructor(program: Program, options: ExploreOptions, memory: Memory, budget_bytes: number, threads: number) {
    this.orders = new Orders(memory, threads);
    this.#threads = threads;
    // Where nothing is promised, it makes no difference whether anything goes on for ever.
    const promised = options.strategy === 'bfs' && program.judgements.some(isPromise);
    this.edges = promised ? new Edges(memory, budget_bytes) : null;
    const wholes = options.exact ? new Wholes(memory, budget_bytes) : null;
    const visited = (moves: number) => new Visited(moves, memory, budget_bytes, wholes);
    // A bound on preemptions is about orders: none may stand for another.
    const reduces = options.reductions.has('order') && options.preemptions === null;
    this.put_off = reduces ? new PutOff(memory, budget_bytes) : null;
    this.explorer = new Explorer(program, options, visited, this.edges, this.put_off);
    const { most_bytes } = this.explorer.packing;
    this.levels = [new Level(most_bytes, memory, budget_bytes / 2), new Level(most_bytes, memory, budget_bytes / 2)];
  }

  get bytes(): number {
    const { visited } = this.explorer;
    const moves = (this.edges?.bytes ?? 0) + (this.put_off?.bytes ?? 0);
    return visited.bytes + this.levels[0].bytes + this.levels[1].bytes + moves;
  }

  /** No more fits into what was set aside. */
  get full(): boolean {
    const { edges, put_off, levels, explorer } = this;
    return explorer.visited.full || levels.some(level => level.full) || edges?.full === true || put_off?.full === true;
  }

  /** Looks at states of a level until none is left to be taken, or somebody asks for a pause; pauses after each. */
  *work(level: Level, depth: number, threads: number, order: Order): Generator<boolean> {
    const { explorer } = this;
    const { control } = this.orders;
    const { visited, packing } = explorer;
    const { length } = level;
    const at_once = threads === 1 ? 1 : Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(length / (8 * threads))));
    while (Atomics.load(control, PAUSE) === 0) {
      const first = level.take(at_once);
      if (first >= length) return;
      for (let index = first; index < Math.min(first + at_once, length); index += 1) {
        const state = level.read(order(index, length), packing);
        // Since a better way was found to a state under other names, that state stands for it.
        if (!explorer.renames || level.way === visited.way(state)) explorer.expand(state, depth);
        yield false;
      }
      if (threads > 1 && (visited.crowded || this.full)) this.pause();
    }
  }

  pause(): void {
    Atomics.store(this.orders.control, PAUSE, 1);
  }

  report(thread: number): void {
    const { footprints, notes, tally, stopped } = this.explorer;
    const report: Report = { noted: footprints.noted, findings: notes.save(), tally, stopped };
    this.orders.write(thread, JSON.stringify(report));
  }

  /** The leader tells the others what was known before. */
  tell(history: readonly number[]): void {
    this.orders.write(0, JSON.stringify(history));
  }

  /** They listen. */
  hear(): void {
    this.explorer.footprints.repeat(JSON.parse(this.orders.read(0)));
  }

  reportOf(thread: number): Report {
    return JSON.parse(this.orders.read(thread));
  }

  /** Everybody's notes are everybody's knowledge. */
  learn(): void {
    const noted = Array.from({ length: this.#threads }, (_, thread) => this.reportOf(thread).noted);
    this.explorer.footprints.apply(noted);
  }
}

/** The leader's side. Its generators say true where there is nothing to do but wait. */
export class Crew {
  readonly store: Store;
  readonly threads: number;
  readonly #threads: Threads | null;
  /** What the others had done when they last arrived. */
  #reports: readonly Report[] = [];

  constructor(program: Program, options: ExploreOptions) {
    const { workers, threads, strategy, quiescent } = options;
    const many = threads !== null && strategy === 'bfs' && quiescent === null ? workers : 1;
    this.threads = many;
    this.#threads = many > 1 ? threads : null;
    const wanted = options.memory_bytes ?? 2 ** 32;
    if (this.#threads === null) {
      this.store = new Store(program, options, PRIVATE, wanted, 1);
      return;
    }
    // For other threads, what can be told to them.
    const plain = { ...options, threads: null, progress: null, keeper: null, resume: null };
    const { store, buffers, budget_bytes } = sharedStore(program, options, wanted, many);
    this.store = store;
    for (let thread = 1; thread < many; thread += 1)
      this.#threads.start({ program, options: plain, buffers, budget_bytes, thread, threads: many });
  }

  /** A round begins, with nothing but what was learned. */
  *begin(): Generator<boolean> {
    const { explorer, edges, put_off, levels } = this.store;
    explorer.begin();
    explorer.visited.clear();
    edges?.clear();
    put_off?.clear();
    for (const level of levels) level.clear();
    this.store.orders.give(BEGIN);
    yield* this.#arrivals();
    this.#read();
  }

  /** All that is stored, where nobody works. `progress`: what the search itself knows. */
  save(
    progress: Omit<Standing, 'kind' | 'tally' | 'findings' | 'bounded' | 'next_level' | 'parts'>,
    stack: Stack,
  ): Checkpoint {
    const { explorer, levels, edges, put_off } = this.store;
    const { footprints, notes, visited, next_level, stopped } = explorer;
    const noted = [footprints.noted, ...this.#reports.map(report => report.noted)].flat();
    const groups = [
      [factsAsBytes(footprints.history), factsAsBytes(noted)],
      visited.save(),
      levels[0].save(),
      levels[1].save(),
      edges ? [edges.save()] : [],
      stack.save(),
      put_off?.save() ?? [],
    ];
    return {
      progress: {
        kind: 'search',
        ...progress,
        next_level: Number.isFinite(next_level) ? next_level : -1,
        tally: this.tally,
        findings: notes.save(),
        bounded: stopped,
        parts: groups.map(group => group.length),
      },
      parts: groups.flat(),
    };
  }

  /** A round that was begun by somebody else. */
  *resume(checkpoint: Resumed<Standing>, stack: Stack): Generator<boolean> {
    yield* this.begin();
    const { explorer, levels, edges, put_off } = this.store;
    const { footprints, notes, visited } = explorer;
    const { progress } = checkpoint;
    const [facts = [], states = [], even = [], odd = [], moves = [], stacked = [], later = []] = grouped(checkpoint);
    const history = factsOf(facts[0]);
    if (this.threads > 1) this.store.tell(history);
    this.store.orders.give(RESUME);
    footprints.repeat(history);
    footprints.note(factsOf(facts[1]));
    yield* this.#arrivals();
    visited.restore(states);
    levels[0].restore(even);
    levels[1].restore(odd);
    if (edges && moves[0]) edges.restore(moves[0]);
    stack.restore(stacked);
    put_off?.restore(later);
    notes.add(progress.findings);
    explorer.tally = { ...progress.tally };
    explorer.stopped = progress.bounded;
    explorer.next_level = progress.next_level < 0 ? Number.POSITIVE_INFINITY : progress.next_level;
  }

  /** Shares a level of that depth; `odd` says which of the two it is. Comes back when nobody works. */
  *work(depth: number, odd: number, fresh: boolean, order: Order): Generator<boolean> {
    const { store } = this;
    const { explorer, orders } = store;
    const { control } = orders;
    control[PAUSE] = 0;
    control[DEPTH] = depth;
    control[ODD] = odd;
    control[FRESH] = fresh ? 1 : 0;
    control[NEXT_LEVEL] = explorer.next_level;
    this.store.orders.give(WORK);
    yield* store.work(store.levels[odd === 1 ? 1 : 0], depth, this.threads, order);
    yield* this.#arrivals();
    this.#read();
    for (const { findings, stopped } of this.#reports) {
      explorer.notes.add(findings);
      explorer.stopped ??= stopped;
    }
  }

  /** What anybody noted counts from now on, for everybody; false if nobody did. */
  *learn(): Generator<boolean, boolean> {
    const { store, threads } = this;
    const { footprints } = store.explorer;
    if (threads === 1) {
      if (footprints.noted.length === 0) return false;
      footprints.apply([footprints.noted.slice()]);
      return true;
    }
    const anything = footprints.noted.length > 0 || this.#reports.some(({ noted }) => noted.length > 0);
    if (!anything) return false;
    store.report(0);
    this.store.orders.give(LEARN);
    store.learn();
    yield* this.#arrivals();
    this.#reports = this.#reports.map(report => ({ ...report, noted: [] }));
    return true;
  }

  /** What all have done in this round. */
  get tally(): Tally {
    const sum: Tally = { ...this.store.explorer.tally };
    for (const { tally } of this.#reports) {
      sum.transitions += tally.transitions;
      sum.steps += tally.steps;
      sum.quiescent += tally.quiescent;
      sum.endless += tally.endless;
      sum.unlike += tally.unlike;
      sum.depth = Math.max(sum.depth, tally.depth);
    }
    return sum;
  }

  end(): void {
    this.store.orders.end();
  }

  #arrivals(): Generator<boolean> {
    return this.store.orders.arrivals(this.#threads);
  }

  #read(): void {
    this.#reports = Array.from({ length: this.threads - 1 }, (_, index) => this.store.reportOf(index + 1));
  }
}

/** As much as is wanted; less where the system does not give it. */
function sharedStore(program: Program, options: ExploreOptions, wanted_bytes: number, threads: number) {
  for (let budget_bytes = wanted_bytes; ; budget_bytes = Math.floor(budget_bytes / 2)) {
    const buffers: SharedArrayBuffer[] = [];
    try {
      return { store: new Store(program, options, setAside(buffers), budget_bytes, threads), buffers, budget_bytes };
    } catch (error) {
      if (!(error instanceof RangeError) || budget_bytes < FEWEST_BYTES) throw error;
    }
  }
}

/** What a thread does that is not the leader, to the end. */
export function help(job: Job): void {
  const { program, options, budget_bytes, thread, threads } = job;
  follow(job, memory => {
    const store = new Store(program, options, memory, budget_bytes, threads);
    return order => {
      obey(store, order, threads);
      // While some still read what all have noted, nobody writes over it; and there is nothing new to say.
      if (order !== LEARN) store.report(thread);
    };
  });
}

function obey(store: Store, order: number, threads: number): void {
  const { explorer, levels } = store;
  const { control } = store.orders;
  if (order === BEGIN) {
    explorer.begin();
    for (const level of levels) level.forget();
    store.put_off?.forget();
  }
  if (order === LEARN) store.learn();
  if (order === RESUME) store.hear();
  if (order !== WORK) return;
  const odd = control[ODD] === 1;
  const next = levels[odd ? 0 : 1];
  if (control[FRESH] === 1) next.forget();
  explorer.next_level = control[NEXT_LEVEL]!;
  explorer.keep = (state, _depth, packing) => next.push(state, packing, explorer.visited.written);
  const states = store.work(levels[odd ? 1 : 0], control[DEPTH]!, threads, index => index);
  for (let state = states.next(); !state.done; state = states.next());
}
