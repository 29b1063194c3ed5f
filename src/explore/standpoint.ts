/**
 * Where a mover stands, as a number: what it is about to do, and what it may still come to, depend on that.
 *
 * Of a thread it is the step; of a vCPU also where its guest is, and how far: what lies behind a task does not lie before
 * it. Told apart are only things that the mover itself goes through, so that whatever others do in between it stays there.
 */
import { AT } from '../sim/at.ts';
import type { Judge } from '../sim/judge/judge.ts';
import type { Machine } from '../sim/machine.ts';
import type { Image } from './cells.ts';
import type { Renaming } from './renaming.ts';

/** Room in a number for each of its parts. */
const MOVES = 2 ** 12;
const PLACES = 2 ** 8;
const GUEST = 2 ** 10;
const PHASES = 2 ** 20;

/** More items than that are told apart no further. */
const MOST_ITEMS = 15;

export class Standpoint {
  readonly #m: Machine;
  /** By vCPU, the tasks whose progress counts, and how far each can go; none where there are too many ways. */
  readonly #tasks: readonly (readonly { readonly task: number; readonly length: number }[])[];
  /** The vCPU of each thread, -1 for others. */
  readonly #vcpus: readonly number[];
  /** Threads of vCPUs: where these stand depends on their guests. */
  readonly vcpu_threads: readonly number[];
  readonly #at: ArrayLike<number>;

  constructor(m: Machine) {
    this.#m = m;
    this.#vcpus = m.places.threads.map(({ vcpu }) => vcpu);
    this.vcpu_threads = m.places.vcpus.map(({ thread }) => thread);
    this.#at = m.layout.column('thread', 'at').values;
    this.#tasks = m.places.tasksOf.map(tasks => {
      const lengths = tasks.map(task => ({ task, length: m.places.tasks[task]!.spec.ops.length }));
      const phases = lengths.reduce((product, { length }) => product * (length + 1), MOST_ITEMS + 1);
      return phases <= PHASES ? lengths : [];
    });
  }

  /** Moves are numbered as by the world: threads, then sources. */
  keyOf(move: number): number {
    const m = this.#m;
    if (move >= m.threads.length) return -1 - move;
    const at = this.#at[move]!;
    const key = this.keyAt(move, at);
    const vcpu = this.#vcpus[move]!;
    return vcpu < 0 ? key : key + MOVES * PLACES * (this.#guest(vcpu, at) + GUEST * this.#phase(vcpu));
  }

  /** Of a thread that has no guest, at this step. */
  keyAt(thread: number, at: number): number {
    return at * MOVES + thread;
  }

  /** Whose standpoint that is. */
  moveOf(key: number): number {
    return key < 0 ? -1 - key : key % MOVES;
  }

  /** What movers, and where they stand, are under other names. */
  imageUnder(renaming: Renaming, judge: Judge): Image {
    const move = (id: number) => renaming.moves[id] ?? id;
    return {
      move,
      key: key => (key < 0 ? -1 - move(-1 - key) : this.#keyUnder(key, move, id => renaming.row('task', id))),
      row: (table, row) => renaming.row(table, row),
      source: source => renaming.source(source),
      part: part => judge.partUnder(part, (kind, row) => renaming.row(kind, row)),
    };
  }

  #keyUnder(key: number, move: (id: number) => number, task: (id: number) => number): number {
    const from = key % MOVES;
    const to = move(from);
    const vcpu = this.#vcpus[from]!;
    const at = Math.floor(key / MOVES) % PLACES;
    if (vcpu < 0) return at * MOVES + to;
    const rest = Math.floor(key / (MOVES * PLACES));
    let guest = rest % GUEST;
    if (guest > GUEST / 2) guest = GUEST / 2 + 1 + task(guest - GUEST / 2 - 1);
    const phase = this.#phaseUnder(Math.floor(rest / GUEST), vcpu, this.#vcpus[to]!, task);
    return at * MOVES + to + MOVES * PLACES * (guest + GUEST * phase);
  }

  #phaseUnder(phase: number, from: number, to: number, task: (id: number) => number): number {
    const steps = new Map<number, number>();
    let rest = phase;
    for (const { task: id, length } of this.#tasks[from]!.toReversed()) {
      steps.set(task(id), rest % (length + 1));
      rest = Math.floor(rest / (length + 1));
    }
    return this.#tasks[to]!.reduce((sum, { task: id, length }) => sum * (length + 1) + (steps.get(id) ?? 0), rest);
  }

  /** Where the guest is, where it is the guest that goes on. */
  #guest(id: number, at: number): number {
    if (at !== AT.guest) return 0;
    const vcpu = this.#m.vcpus[id]!;
    const { depth } = vcpu;
    if (depth > 0) return 1 + vcpu.frame(depth - 1) * 32 + vcpu.frame_at(depth - 1);
    return GUEST / 2 + (vcpu.current & (GUEST / 2 - 1));
  }

  #phase(id: number): number {
    const m = this.#m;
    let phase = Math.min(m.vcpus[id]!.apf_id, MOST_ITEMS);
    for (const { task, length } of this.#tasks[id]!) phase = phase * (length + 1) + Math.min(m.tasks[task]!.pc, length);
    return phase;
  }
}
