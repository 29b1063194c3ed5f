/**
 * One thread leads others: it gives an order and does its own part of it, and goes on when all have arrived. What a thread
 * has to say it writes in a letter; in between nobody waits for anybody.
 */
import { Bug } from '../base/assert.ts';
import type { Program } from '../sim/program.ts';
import type { ExploreOptions } from './explore.ts';
import { found, type Memory } from './memory.ts';
import { putWord, wordAt } from './packing.ts';

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

/** Starts threads that do such a job, and knows whether one of them has died. */
export interface Threads {
  start(job: Job): void;
  readonly died: string | null;
}

/** Places in the control words; from OWN on they are the leader's, to say more of an order. */
const TURN = 0;
const ORDER = 1;
const ARRIVED = 2;
const FAILED = 3;
export const OWN = 4;
const CONTROLS = 16;

/** The order to end; all others are the leader's. */
const END = 0;

const LETTER_BYTES = 2 ** 26;
/** Without a look at anything else. */
const LONGEST_WAIT_MS = 20;

export class Orders {
  readonly control: Int32Array<ArrayBufferLike>;
  readonly #letters: readonly Uint8Array<ArrayBufferLike>[];
  readonly #threads: number;
  #turn = 0;

  constructor(memory: Memory, threads: number) {
    const { buffer, byteOffset } = memory.words(CONTROLS);
    this.control = new Int32Array(buffer, byteOffset, CONTROLS);
    this.#letters = Array.from({ length: threads > 1 ? threads : 0 }, () => memory.bytes(LETTER_BYTES));
    this.#threads = threads;
  }

  write(thread: number, text: string): void {
    const letter = this.#letters[thread]!;
    const bytes = Buffer.from(text);
    if (bytes.length + 4 > letter.length) throw new Bug('orders: a letter is too long');
    putWord(letter, 0, bytes.length);
    letter.set(bytes, 4);
  }

  read(thread: number): string {
    const letter = this.#letters[thread]!;
    return Buffer.from(letter.slice(4, 4 + wordAt(letter, 0))).toString();
  }

  /** The leader says what is to be done. */
  give(order: number): void {
    if (this.#threads === 1) return;
    const { control } = this;
    this.#turn += 1;
    Atomics.store(control, ARRIVED, 0);
    Atomics.store(control, ORDER, order);
    Atomics.store(control, TURN, this.#turn);
    Atomics.notify(control, TURN);
  }

  end(): void {
    this.give(END);
  }

  /** Until all others have arrived; says true where there is nothing to do but wait. */
  *arrivals(threads: Threads | null): Generator<boolean> {
    const { control } = this;
    while (this.#threads > 1) {
      const arrived = Atomics.load(control, ARRIVED);
      const failed = Atomics.load(control, FAILED);
      if (failed > 0) throw new Bug(this.read(failed));
      if (threads?.died) throw new Bug(`a thread has died: ${threads.died}`);
      if (arrived === this.#threads - 1) return;
      Atomics.wait(control, ARRIVED, arrived, LONGEST_WAIT_MS);
      yield true;
    }
  }

  /** A helper waits for the next order; null at the end. */
  next(turn: number): { readonly turn: number; readonly order: number } | null {
    const { control } = this;
    Atomics.wait(control, TURN, turn);
    // In this order: who is told to end is told so again, and never late.
    const now = Atomics.load(control, TURN);
    const order = Atomics.load(control, ORDER);
    return order === END ? null : { turn: now, order };
  }

  arrive(): void {
    Atomics.add(this.control, ARRIVED, 1);
    Atomics.notify(this.control, ARRIVED);
  }

  fail(thread: number, error: unknown): void {
    this.write(thread, error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error));
    Atomics.store(this.control, FAILED, thread);
    this.arrive();
  }
}

/** What a thread does that is not the leader, to the end. `begin` says how it obeys. */
export function follow({ buffers, thread, threads }: Job, begin: (memory: Memory) => (order: number) => void): void {
  // Whoever makes what is shared makes this first.
  const orders = new Orders(found(buffers), threads);
  try {
    const obey = begin(found(buffers));
    for (let next = orders.next(0); next !== null; next = orders.next(next.turn)) {
      obey(next.order);
      orders.arrive();
    }
  } catch (error) {
    orders.fail(thread, error);
  }
}
