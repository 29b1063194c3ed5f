/**
 * Threads that share one search: its states, the levels, and what each has to say when a level ends.
 *
 * The leader gives an order and does its own part of it; everybody arrives when there is no more to do, or when somebody
 * asked for a pause. In between nobody waits for anybody.
 */
import { Bug } from '../base/assert.ts';
import type { Program } from '../sim/program.ts';
import { type Checkpoint, factsAsBytes, factsOf, grouped, type Resumed, type Standing } from './checkpoint.ts';
import { Edges } from './edges.ts';
import type { ExploreOptions } from './explore.ts';
import { Explorer, type Tally } from './explorer.ts';
import { Level, type Stack } from './frontier.ts';
import { isPromise } from './liveness.ts';
import { found, type Memory, PRIVATE, setAside } from './memory.ts';
import type { Findings } from './notes.ts';
import { putWord, wordAt } from './packing.ts';
import { Visited } from './visited.ts';

/** Which state of a level of so many is looked at when. */
export type Order = (index: number, length: number) => number;

/** What a helper gets: plain data, and the memory that is shared. */
export interface Job {
  readonly program: Program;
  readonly options: ExploreOptions;
  readonly buffers: readonly SharedArrayBuffer[];
  readonly budget_bytes: number;
  /** Which of so many threads it is; the leader is 0. */
  readonly thread: number;
  readonly threads: number;
}

/** Starts threads that call help(), and knows whether one of them has died. */
export interface Threads {
  start(job: Job): void;
  readonly died: string | null;
}

/** What a thread says when it arrives. */
interface Report {
  readonly noted: readonly number[];
  readonly findings: Findings;
  readonly tally: Tally;
  readonly stopped: string | null;
}

/** Places in the control words. */
const TURN = 0;
const ORDER = 1;
const ARRIVED = 2;
const PAUSE = 3;
const DEPTH = 4;
const NEXT_LEVEL = 5;
const ODD = 6;
const FRESH = 7;
const FAILED = 8;
const CONTROLS = 16;

const BEGIN = 1;
const WORK = 2;
const LEARN = 3;
const RESUME = 4;
const END = 5;

const MAIL_BYTES = 2 ** 26;
/** States that a thread takes at once. */
const MOST_AT_ONCE = 64;
/** Without a look at anything else. */
const LONGEST_WAIT_MS = 20;
const FEWEST_BYTES = 2 ** 26;

/** All that is stored: private to one thread, or shared. Whoever makes it makes everything in the same order. */
export class Store {
  readonly control: Int32Array<ArrayBufferLike>;
  readonly explorer: Explorer;
  readonly edges: Edges | null;
  readonly levels: readonly [Level, Level];
  readonly #mail: readonly Uint8Array<ArrayBufferLike>[];

  constructor(program: Program, options: ExploreOptions, memory: Memory, budget_bytes: number, threads: number) {
    const { buffer, byteOffset } = memory.words(CONTROLS);
    this.control = new Int32Array(buffer, byteOffset, CONTROLS);
    this.#mail = Array.from({ length: threads > 1 ? threads : 0 }, () => memory.bytes(MAIL_BYTES));
    // Where nothing is promised, it makes no difference whether anything goes on for ever.
    const promised = options.strategy === 'bfs' && program.judgements.some(isPromise);
    this.edges = promised ? new Edges(memory, budget_bytes) : null;
    this.explorer = new Explorer(program, options, moves => new Visited(moves, memory, budget_bytes), this.edges);
    const { most_bytes } = this.explorer.packing;
    this.levels = [new Level(most_bytes, memory, budget_bytes / 2), new Level(most_bytes, memory, budget_bytes / 2)];
  }

  get bytes(): number {
    const { visited, exact_bytes } = this.explorer;
    return visited.bytes + this.levels[0].bytes + this.levels[1].bytes + (this.edges?.bytes ?? 0) + exact_bytes;
  }

  /** No more fits into what was set aside. */
  get full(): boolean {
    return this.explorer.visited.full || this.levels.some(level => level.full) || this.edges?.full === true;
  }

  /** Looks at states of a level until none is left to be taken, or somebody asks for a pause; pauses after each. */
  *work(level: Level, depth: number, threads: number, order: Order): Generator<boolean> {
    const { explorer, control } = this;
    const { visited, packing } = explorer;
    const { length } = level;
    const at_once = threads === 1 ? 1 : Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(length / (8 * threads))));
    while (Atomics.load(control, PAUSE) === 0) {
      const first = level.take(at_once);
      if (first >= length) return;
      for (let index = first; index < Math.min(first + at_once, length); index += 1) {
        explorer.expand(level.read(order(index, length), packing), depth);
        yield false;
      }
      if (threads > 1 && (visited.crowded || this.full)) this.pause();
    }
  }

  pause(): void {
    Atomics.store(this.control, PAUSE, 1);
  }

  report(thread: number): void {
    const { footprints, notes, tally, stopped } = this.explorer;
    const report: Report = { noted: footprints.noted, findings: notes.save(), tally, stopped };
    send(this.#mail[thread]!, JSON.stringify(report));
  }

  /** The leader tells the others what was known before. */
  tell(history: readonly number[]): void {
    send(this.#mail[0]!, JSON.stringify(history));
  }

  /** They listen. */
  hear(): void {
    this.explorer.footprints.repeat(JSON.parse(this.text(0)));
  }

  text(thread: number): string {
    const mail = this.#mail[thread]!;
    return Buffer.from(mail.slice(4, 4 + wordAt(mail, 0))).toString();
  }

  reportOf(thread: number): Report {
    return JSON.parse(this.text(thread));
  }

  /** Everybody's notes are everybody's knowledge. */
  learn(): void {
    this.explorer.footprints.apply(this.#mail.map((_, thread) => this.reportOf(thread).noted));
  }
}

function send(mail: Uint8Array<ArrayBufferLike>, text: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length + 4 > mail.length) throw new Bug('crew: a report is too long');
  putWord(mail, 0, bytes.length);
  mail.set(bytes, 4);
}

/** The leader's side. Its generators say true where there is nothing to do but wait. */
export class Crew {
  readonly store: Store;
  readonly threads: number;
  readonly #threads: Threads | null;
  #turn = 0;
  /** What the others had done when they last arrived. */
  #reports: readonly Report[] = [];

  constructor(program: Program, options: ExploreOptions) {
    const { workers, threads, strategy, exact, quiescent } = options;
    const many = threads !== null && strategy === 'bfs' && !exact && quiescent === null ? workers : 1;
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
    const { explorer, edges, levels } = this.store;
    explorer.begin();
    explorer.visited.clear();
    edges?.clear();
    for (const level of levels) level.clear();
    this.#order(BEGIN);
    yield* this.#arrivals();
    this.#read();
  }

  /** All that is stored, where nobody works. `progress`: what the search itself knows. */
  save(progress: Omit<Standing, 'tally' | 'findings' | 'bounded' | 'next_level' | 'parts'>, stack: Stack): Checkpoint {
    const { explorer, levels, edges } = this.store;
    const { footprints, notes, visited, next_level, stopped } = explorer;
    const noted = [footprints.noted, ...this.#reports.map(report => report.noted)].flat();
    const groups = [
      [factsAsBytes(footprints.history), factsAsBytes(noted)],
      visited.save(),
      levels[0].save(),
      levels[1].save(),
      edges ? [edges.save()] : [],
      stack.save(),
    ];
    return {
      progress: {
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
  *resume(checkpoint: Resumed, stack: Stack): Generator<boolean> {
    yield* this.begin();
    const { explorer, levels, edges } = this.store;
    const { footprints, notes, visited } = explorer;
    const { progress } = checkpoint;
    const [facts = [], states = [], even = [], odd = [], moves = [], stacked = []] = grouped(checkpoint);
    const history = factsOf(facts[0]);
    if (this.threads > 1) this.store.tell(history);
    this.#order(RESUME);
    footprints.repeat(history);
    footprints.note(factsOf(facts[1]));
    yield* this.#arrivals();
    visited.restore(states);
    levels[0].restore(even);
    levels[1].restore(odd);
    if (edges && moves[0]) edges.restore(moves[0]);
    stack.restore(stacked);
    notes.add(progress.findings);
    explorer.tally = { ...progress.tally };
    explorer.stopped = progress.bounded;
    explorer.next_level = progress.next_level < 0 ? Number.POSITIVE_INFINITY : progress.next_level;
  }

  /** Shares a level of that depth; `odd` says which of the two it is. Comes back when nobody works. */
  *work(depth: number, odd: number, fresh: boolean, order: Order): Generator<boolean> {
    const { store } = this;
    const { control, explorer } = store;
    control[PAUSE] = 0;
    control[DEPTH] = depth;
    control[ODD] = odd;
    control[FRESH] = fresh ? 1 : 0;
    control[NEXT_LEVEL] = explorer.next_level;
    this.#order(WORK);
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
    this.#order(LEARN);
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
      sum.depth = Math.max(sum.depth, tally.depth);
    }
    return sum;
  }

  end(): void {
    this.#order(END);
  }

  #order(order: number): void {
    if (this.threads === 1) return;
    const { control } = this.store;
    this.#turn += 1;
    Atomics.store(control, ARRIVED, 0);
    Atomics.store(control, ORDER, order);
    Atomics.store(control, TURN, this.#turn);
    Atomics.notify(control, TURN);
  }

  /** Until all others have arrived. */
  *#arrivals(): Generator<boolean> {
    const { control } = this.store;
    while (this.threads > 1) {
      const arrived = Atomics.load(control, ARRIVED);
      const failed = Atomics.load(control, FAILED);
      if (failed > 0) throw new Bug(this.store.text(failed));
      if (this.#threads?.died) throw new Bug(`a thread has died: ${this.#threads.died}`);
      if (arrived === this.threads - 1) return;
      Atomics.wait(control, ARRIVED, arrived, LONGEST_WAIT_MS);
      yield true;
    }
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
export function help({ program, options, buffers, budget_bytes, thread, threads }: Job): void {
  const memory = found(buffers);
  const { buffer } = memory.words(CONTROLS);
  const control = new Int32Array(buffer, 0, CONTROLS);
  const mails = Array.from({ length: threads }, () => memory.bytes(MAIL_BYTES));
  try {
    const store = new Store(program, options, found(buffers), budget_bytes, threads);
    for (let turn = 0; ; ) {
      Atomics.wait(control, TURN, turn);
      turn = Atomics.load(control, TURN);
      const order = Atomics.load(control, ORDER);
      if (order === END) return;
      obey(store, order, threads);
      // While some still read what all have noted, nobody writes over it; and there is nothing new to say.
      if (order !== LEARN) store.report(thread);
      arrive(control);
    }
  } catch (error) {
    send(mails[thread]!, error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error));
    Atomics.store(control, FAILED, thread);
    arrive(control);
  }
}

function arrive(control: Int32Array<ArrayBufferLike>): void {
  Atomics.add(control, ARRIVED, 1);
  Atomics.notify(control, ARRIVED);
}

function obey(store: Store, order: number, threads: number): void {
  const { control, explorer, levels } = store;
  if (order === BEGIN) {
    explorer.begin();
    for (const level of levels) level.forget();
  }
  if (order === LEARN) store.learn();
  if (order === RESUME) store.hear();
  if (order !== WORK) return;
  const odd = control[ODD] === 1;
  const next = levels[odd ? 0 : 1];
  if (control[FRESH] === 1) next.forget();
  explorer.next_level = control[NEXT_LEVEL]!;
  explorer.keep = (state, _depth, packing) => next.push(state, packing);
  const states = store.work(levels[odd ? 1 : 0], control[DEPTH]!, threads, index => index);
  for (let state = states.next(); !state.done; state = states.next());
}
