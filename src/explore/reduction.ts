/**
 * Which of the moves that could be made have to be tried: a persistent set, from learned footprints.
 *
 * Moves belong to classes: a vCPU, its items' workers, the device, the scenario, everybody else. Some of the classes may
 * go first, alone, if nothing that the others may still come to touches what their next steps touch, or is noticed by who
 * notices these: then whatever the others do can as well come after. What others may come to is everything that ever was
 * seen to follow where they stand; one that has no move now counts as soon as one of the others may set it going.
 */
import { NEVER_NS } from '../base/event_queue.ts';
import { SCRIPT_LOOKS } from '../sim/judge/hooks.ts';
import { type Footprints, OBSERVER } from './footprints.ts';
import { Futures } from './futures.ts';
import type { Kind } from './kind.ts';
import type { Standpoint } from './standpoint.ts';
import type { World } from './world.ts';

/** The part of the judgements that is none, but the scenario's `when`. */
const SCRIPT = 1 << SCRIPT_LOOKS;

/** A move that was ever met, and the cells of which one is written when it becomes one that can be made. */
interface Mover {
  readonly move: number;
  readonly cells: readonly number[];
  /** Who ever touches any of them. */
  readonly touchers: number;
  readonly bit: number;
}

export class Reduction {
  readonly #world: World;
  readonly #footprints: Footprints;
  readonly #standpoint: Standpoint;
  readonly #futures: Futures;
  /** Movers that were ever met: what never moves is in nobody's way. */
  #met: readonly Mover[] = [];
  readonly #cells: readonly (readonly number[])[];
  readonly #on_rq: ArrayLike<number>;
  readonly #due_ns: ArrayLike<number>;
  /** The moves that can be made, their kinds, and the bits of their classes. */
  #count = 0;
  readonly #kinds: Kind[] = [];
  readonly #bits: Int32Array;
  readonly #canMove: Uint8Array;
  /** Whoever else may act, and where they stand. */
  #others = 0;
  #acting = 0;
  readonly #other_kinds: Kind[] = [];
  readonly #other_bits: Int32Array;
  readonly #counted: Uint8Array;

  constructor(world: World, footprints: Footprints, standpoint: Standpoint) {
    this.#world = world;
    this.#footprints = footprints;
    this.#standpoint = standpoint;
    const { m } = world;
    this.#cells = Array.from({ length: world.moves }, (_, move) => this.#cellsOf(move));
    this.#futures = new Futures(
      footprints,
      kind => (kind === footprints.looking ? OBSERVER : this.#bitOf(standpoint.moveOf(kind.key))),
      new Set(this.#cells.flat()),
    );
    this.#on_rq = m.layout.column('thread', 'on_rq').values;
    this.#due_ns = m.layout.floats('event', 'time_ns');
    this.#bits = new Int32Array(world.moves);
    this.#canMove = new Uint8Array(world.moves);
    this.#counted = new Uint8Array(world.moves);
    this.#other_bits = new Int32Array(world.moves);
  }

  /** What is written when a thread is set going, a source gets something pending, or a task may be preferred. */
  #cellsOf(move: number): readonly number[] {
    const { threads, m } = this.#world;
    if (move < threads) return [this.#footprints.cells.named('thread.on_rq', move)];
    const { sources } = m.places;
    const id = move - threads;
    if (id < sources) return [this.#footprints.cells.source(id)];
    const { vm } = m.places.tasks[id - sources]!;
    const rivals = m.tasks.filter(task => m.places.tasks[task.id]!.vm === vm);
    const vcpus = m.vcpus.filter(({ id: vcpu }) => m.places.vcpus[vcpu]!.vm === vm);
    return [
      ...rivals.map(task => this.#footprints.cells.named('task.state', task.id)),
      ...vcpus.map(vcpu => this.#footprints.cells.named('vcpu.preferred', vcpu.id)),
    ];
  }

  /** The bit of the class of a move, or 0 if it has not been met yet: each is one, as long as there are bits. */
  #bitOf(move: number): number {
    const number = this.#footprints.classes[move]!;
    return number === 0 ? 0 : 1 << (number - 1);
  }

  #refresh(): void {
    if (!this.#futures.refresh()) return;
    this.#met = Array.from({ length: this.#world.moves }, (_, move) => ({
      move,
      cells: this.#cells[move]!,
      touchers: this.#cells[move]!.reduce((bits, cell) => bits | this.#futures.touchersOf(cell), 0),
      bit: this.#bitOf(move),
    })).filter(({ bit }) => bit !== 0);
  }

  /** Moves to the front of `moves` those that have to be tried, and returns how many: all, where nothing less will do. */
  choose(moves: Int32Array, count: number): number {
    if (count < 2) return count;
    this.#refresh();
    const bits = this.#bits;
    let all = 0;
    for (let index = 0; index < count; index += 1) {
      const move = moves[index]!;
      const bit = this.#bitOf(move);
      // Nothing is known of it: it is tried first, alone, and all that is done now will be done again.
      if (bit === 0) {
        this.#footprints.meet(move);
        return toFront(moves, index);
      }
      bits[index] = bit;
      all |= bit;
    }
    this.#count = count;
    this.#canMove.fill(0);
    for (let index = 0; index < count; index += 1) {
      const move = moves[index]!;
      this.#canMove[move] = 1;
      const kind = this.#footprints.kindOf(this.#standpoint.keyOf(move));
      // The same of a step that has never been taken.
      if (!kind) return toFront(moves, index);
      this.#kinds[index] = kind;
    }
    let best = 0;
    let tried = 0;
    for (let index = 0; index < count; index += 1) {
      const seed = bits[index]!;
      // What nobody has to let happen may as well never happen: alone, it stands for no order without it.
      if ((tried & seed) !== 0 || !this.#world.isFair(moves[index]!)) continue;
      tried |= seed;
      const mask = this.#closure(moves, seed, all);
      if (mask === 0) continue;
      const size = this.#sizeOf(mask);
      // One step alone is taken without a word; else those who were met first go on, so that not all get ahead a little.
      if (best !== 0 && size > 1 && (mask & -mask) >= (best & -best)) continue;
      best = mask;
      if (size === 1) break;
    }
    if (best === 0) return count;
    let front = 0;
    for (let index = 0; index < count; index += 1) {
      if ((bits[index]! & best) === 0) continue;
      const move = moves[index]!;
      moves[index] = moves[front]!;
      moves[front] = move;
      bits[index] = bits[front]!;
      front += 1;
    }
    return front;
  }

  #sizeOf(mask: number): number {
    let size = 0;
    for (let index = 0; index < this.#count; index += 1) if ((this.#bits[index]! & mask) !== 0) size += 1;
    return size;
  }

  /** The classes that have to go along with one of them, or 0 if these are all, or if what the scenario does depends on it. */
  #closure(moves: Int32Array, seed: number, all: number): number {
    let mask = seed;
    for (;;) {
      const others = this.#potential(moves, all & ~mask);
      let joined = 0;
      for (let index = 0; index < this.#count; index += 1) {
        if ((this.#bits[index]! & mask) === 0) continue;
        const conflicts = this.#conflicts(this.#kinds[index]!, joined);
        if (conflicts < 0) return 0;
        joined |= conflicts;
      }
      if (joined === 0) return mask;
      const before = mask;
      mask |= joined & all;
      // In the way is one that has no move now, or another of the same class: whoever may set it going has to come along.
      if (mask === before) mask |= others & all;
      if (mask === before || (mask & all) === all) return 0;
    }
  }

  /** The classes of the others, beside those that are known to be, whom a step gets in the way of; -1 if the scenario. */
  #conflicts(kind: Kind, known: number): number {
    const futures = this.#futures;
    const { looking } = this.#footprints;
    if ((futures.noticedBy(kind) & SCRIPT) !== 0) return -1;
    if (looking !== null && futures.conflict(kind, looking)) return -1;
    let classes = known;
    for (let other = 0; other < this.#others; other += 1) {
      const bit = this.#other_bits[other]!;
      if ((classes & bit) === 0 && futures.conflict(kind, this.#other_kinds[other]!)) classes |= bit;
    }
    return classes;
  }

  /** Of these classes, and of those that they may set going, all, and where they stand. */
  #potential(moves: Int32Array, outside: number): number {
    this.#others = 0;
    this.#acting = 0;
    this.#counted.fill(0);
    let classes = outside;
    for (let index = 0; index < this.#count; index += 1)
      if ((this.#bits[index]! & outside) !== 0) this.#count_in(moves[index]!, this.#bits[index]!);
    for (let looked = -1; looked !== this.#others; ) {
      looked = this.#others;
      for (const mover of this.#met) {
        const { move, bit } = mover;
        if (this.#counted[move] === 1 || this.#canMove[move] === 1 || !this.#maySetGoing(mover)) continue;
        this.#count_in(move, bit);
        classes |= bit;
      }
    }
    return classes;
  }

  #count_in(move: number, bit: number): void {
    this.#counted[move] = 1;
    const kind = this.#footprints.standing(this.#standpoint.keyOf(move));
    if (!kind) return;
    this.#other_kinds[this.#others] = kind;
    this.#other_bits[this.#others] = bit;
    this.#acting |= bit;
    this.#others += 1;
  }

  /** Whether any of the others may come to make it one that can be made. */
  #maySetGoing({ move, cells, touchers }: Mover): boolean {
    const { threads, m } = this.#world;
    const source = move - threads;
    if (move < threads) {
      // Held, or out of turn: what ends that is no matter of a cell.
      if (this.#on_rq[move] !== 0) return true;
      const wakers = this.#footprints.wakersOf(move);
      return (wakers & this.#acting) !== 0 && this.#mayWrite(cells, wakers);
    }
    if (source < m.places.sources && this.#due_ns[source] !== NEVER_NS) return !this.#world.isSpent(source);
    return (touchers & this.#acting) !== 0 && this.#mayWrite(cells, touchers);
  }

  #mayWrite(cells: readonly number[], classes: number): boolean {
    for (let other = 0; other < this.#others; other += 1) {
      if ((this.#other_bits[other]! & classes) === 0) continue;
      for (const cell of cells) if (this.#futures.writes(this.#other_kinds[other]!, cell)) return true;
    }
    return false;
  }
}

function toFront(moves: Int32Array, index: number): number {
  const move = moves[index]!;
  moves[index] = moves[0]!;
  moves[0] = move;
  return 1;
}
