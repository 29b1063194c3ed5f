/**
 * Which of the moves that could be made have to be tried: a persistent set, from learned footprints.
 *
 * Moves belong to classes: a vCPU, its items' workers, the device, the scenario, everybody else. Some of the classes may
 * go first, alone, if nothing that the others may ever do touches what their next steps touch: then whatever the others
 * do can as well come after. What others may do is everything that their classes were ever seen to do; a class that has
 * no move now counts as soon as one of the others may set it going. Steps that a judgement could see are not put first.
 */
import { NEVER_NS } from '../base/event_queue.ts';
import { AT } from '../sim/at.ts';
import { type Footprints, type Image, type Kind, OBSERVER } from './footprints.ts';
import type { Renaming } from './renaming.ts';
import type { World } from './world.ts';

/** In kinds of steps as keyOf() has them: how many moves there is room for, where tasks begin, places of one task. */
const KEY_MOVES = 0x100;
const KEY_TASKS = 0x400_0000;
const KEY_PLACES = 64;

/** Whether keys tell moves and tasks apart, so that they can be given other names. */
export function hasPlainKeys({ m, threads }: World): boolean {
  return threads <= KEY_MOVES && m.places.tasks.every(({ spec }) => spec.ops.length <= KEY_PLACES);
}

/** What is known of steps, under other names. */
export function imageOf({ threads }: World, renaming: Renaming): Image {
  const move = (id: number) => renaming.moves[id] ?? id;
  return {
    move,
    key(key) {
      if (key < 0) return -1 - move(-1 - key);
      const task = Math.floor(key / KEY_TASKS) - 1;
      const own = key % KEY_MOVES;
      let image = key - own + (own < threads ? move(own) : own);
      if (task < 0) return image;
      const current = Math.floor(task / KEY_PLACES);
      image += (renaming.row('task', current - 1) + 1 - current) * KEY_PLACES * KEY_TASKS;
      return image;
    },
    row: (table, row) => renaming.row(table, row),
    source: source => renaming.source(source),
  };
}

export class Reduction {
  readonly #world: World;
  readonly #footprints: Footprints;
  /** Cells by which a thread, or a source, of each class is set going. */
  readonly #wakes: readonly { readonly move: number; readonly cell: number }[];
  /** Of these the ones that were ever met, as of that much learned: what never moves is in nobody's way. */
  #met: readonly { readonly move: number; readonly cell: number }[] = [];
  #asOf = -1;
  readonly #on_rq: ArrayLike<number>;
  readonly #due_ns: ArrayLike<number>;

  constructor(world: World, footprints: Footprints) {
    this.#world = world;
    this.#footprints = footprints;
    const { m } = world;
    this.#on_rq = m.layout.column('thread', 'on_rq').values;
    this.#due_ns = m.layout.floats('event', 'time_ns');
    this.#wakes = Array.from({ length: world.moves }, (_, move) => ({
      move,
      cell: move < world.threads ? footprints.cell('thread.on_rq', move) : this.#cellOf(move - world.threads),
    }));
  }

  /** The cell that is written when a source gets something pending, or a task becomes one that may be preferred. */
  #cellOf(id: number): number {
    const { sources } = this.#world.m.places;
    return id < sources ? this.#footprints.sourceCell(id) : this.#footprints.cell('task.state', id - sources);
  }

  /** The bit of the class of a move, or 0 if it has not been met yet: each is one, as long as there are bits. */
  #bitOf(move: number): number {
    const number = this.#footprints.classes[move]!;
    return number === 0 ? 0 : 1 << (number - 1);
  }

  /** What a move is about to do, as far as that can be told before: where its thread stands, and the guest in it. */
  keyOf(move: number): number {
    const { m, threads } = this.#world;
    if (move >= threads) return -1 - move;
    const { at } = m.threads[move]!;
    let key = at * 256 + move;
    if (at === AT.guest) {
      const vcpu = m.vcpus[move]!;
      const { depth } = vcpu;
      if (depth > 0) key += 0x1_0000 * (1 + vcpu.frame(depth - 1) * 32 + vcpu.frame_at(depth - 1));
      else if (vcpu.current > 0) key += 0x400_0000 * (1 + m.tasks[vcpu.current - 1]!.pc + 64 * vcpu.current);
    }
    return key;
  }

  /** Moves to the front of `moves` those that have to be tried, and returns how many: all, where nothing less will do. */
  choose(moves: Int32Array, count: number): number {
    if (count < 2) return count;
    let all = 0;
    let unmet = -1;
    for (let index = 0; index < count; index += 1) {
      const move = moves[index]!;
      const bit = this.#bitOf(move);
      all |= bit;
      if (bit !== 0) continue;
      this.#footprints.meet(move);
      if (unmet < 0) unmet = index;
    }
    // Nothing is known of it: it is tried first, alone, and all that is done now will be done again.
    if (unmet >= 0) {
      const move = moves[unmet]!;
      moves[unmet] = moves[0]!;
      moves[0] = move;
      return 1;
    }
    let best = 0;
    let least = count;
    let tried = 0;
    for (let index = 0; index < count; index += 1) {
      const seed = this.#bitOf(moves[index]!);
      if ((tried & seed) !== 0) continue;
      tried |= seed;
      const mask = this.#closure(moves, count, seed, all);
      if (mask === 0) continue;
      const size = this.#sizeOf(moves, count, mask);
      if (size >= least) continue;
      best = mask;
      least = size;
      if (size === 1) break;
    }
    if (best === 0) return count;
    let front = 0;
    for (let index = 0; index < count; index += 1) {
      const move = moves[index]!;
      if ((this.#bitOf(move) & best) === 0) continue;
      moves[index] = moves[front]!;
      moves[front] = move;
      front += 1;
    }
    return front;
  }

  #sizeOf(moves: Int32Array, count: number, mask: number): number {
    let size = 0;
    for (let index = 0; index < count; index += 1) if ((this.#bitOf(moves[index]!) & mask) !== 0) size += 1;
    return size;
  }

  /** The classes that have to go along with one of them, or 0 if these are all, or if somebody would see it. */
  #closure(moves: Int32Array, count: number, seed: number, all: number): number {
    const { readers, writers } = this.#footprints;
    let mask = seed;
    for (;;) {
      const others = this.#potential(all & ~mask);
      let joined = 0;
      for (let index = 0; index < count; index += 1) {
        const move = moves[index]!;
        if ((this.#bitOf(move) & mask) === 0) continue;
        // What nobody has to let happen may as well never happen: it stands for no order without it.
        if (!this.#world.isFair(move)) return 0;
        const kind = this.#footprints.kindOf(this.keyOf(move));
        // A step that has never been taken is tried first, alone, so as to be known.
        if (!kind) return this.#bitOf(move) === seed ? seed : 0;
        if (kind.observed) return 0;
        const touched = touchedBy(kind, readers, writers);
        if ((touched & OBSERVER) !== 0) return 0;
        joined |= touched & others;
      }
      if (joined === 0) return mask;
      const before = mask;
      mask |= joined & all;
      // In the way is one that has no move now, or another of the same class: whoever may set it going has to come along.
      if (mask === before) mask |= others & all;
      if (mask === before || (mask & all) === all) return 0;
    }
  }

  /** Of these classes, and of those that they may set going, all. */
  #potential(outside: number): number {
    const { writers, learned } = this.#footprints;
    if (this.#asOf !== learned) {
      this.#asOf = learned;
      this.#met = this.#wakes.filter(({ move }) => this.#bitOf(move) !== 0);
    }
    const { threads, m } = this.#world;
    const { sources } = m.places;
    let classes = outside;
    for (;;) {
      const before = classes;
      for (const { cell, move } of this.#met) {
        const bit = this.#bitOf(move);
        if ((classes & bit) !== 0) continue;
        if (move < threads) {
          if (this.#on_rq[move] === 0 && (this.#footprints.wakersOf(move) & classes) !== 0) classes |= bit;
        } else if ((writers[cell]! & classes) !== 0) {
          // Whether a task may be preferred is asked of the task; it is not far off where it is not.
          if (move - threads >= sources || this.#due_ns[move - threads] === NEVER_NS) classes |= bit;
        }
      }
      if (classes === before) return classes;
    }
  }
}

/** Classes that read what a step writes, or write what it touches. */
function touchedBy(kind: Kind, readers: Int32Array, writers: Int32Array): number {
  let classes = 0;
  for (let index = 0; index < kind.count; index += 1) {
    const entry = kind.cells[index]!;
    const cell = entry >> 1;
    classes |= writers[cell]!;
    if ((entry & 1) === 1) classes |= readers[cell]!;
  }
  return classes;
}
