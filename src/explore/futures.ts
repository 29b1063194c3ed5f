/**
 * What each mover may still come to: of every kind of step, what it and all that may follow it touch, as sets of cells.
 *
 * Only cells that more than one class touches are told apart, since only about those anybody can get in anybody's way. As
 * much of it as was learned; made anew whenever there is more.
 */
import type { Footprints } from './footprints.ts';
import type { Kind } from './kind.ts';

const WORD = 32;

export class Futures {
  readonly #footprints: Footprints;
  readonly #classOf: (kind: Kind) => number;
  #asOf = -1;
  /** By cell, its number among the shared, + 1. */
  readonly #shared = new Map<number, number>();
  #words = 0;
  /** By cell, the classes that touch it. */
  readonly #touchers = new Map<number, number>();
  /** By word, which of the cells say that there are rows with some value: of these there may be more than one. */
  #sets = new Uint32Array(0);
  /** By kind and word: read and written by the step itself, and by it and whatever may follow. */
  #reads = new Uint32Array(0);
  #writes = new Uint32Array(0);
  #future_reads = new Uint32Array(0);
  #future_writes = new Uint32Array(0);
  /** By kind, who may notice it or what follows, as parts of the judgements. */
  #parts = new Int32Array(0);
  #future_parts = new Int32Array(0);

  /** Cells of which somebody asks, whoever touches them. */
  readonly #asked: ReadonlySet<number>;

  /** `classOf`: the bit of the class whose steps are of a kind. */
  constructor(footprints: Footprints, classOf: (kind: Kind) => number, asked: ReadonlySet<number>) {
    this.#asked = asked;
    this.#footprints = footprints;
    this.#classOf = classOf;
  }

  /** Makes use of what has been learned since; true if there was any. */
  refresh(): boolean {
    const { learned } = this.#footprints;
    if (this.#asOf === learned) return false;
    this.#asOf = learned;
    this.#share();
    this.#gather();
    this.#follow();
    return true;
  }

  #share(): void {
    const { kinds } = this.#footprints;
    const { first_key, first_place } = this.#footprints.cells;
    const classes = this.#touchers;
    classes.clear();
    this.#shared.clear();
    for (const kind of kinds) {
      if (!kind.known) continue;
      const bit = this.#classOf(kind);
      for (const entry of kind.cells) {
        const cell = entry >> 1;
        // Where a thread stands, only judgements ask.
        if (cell >= first_place) continue;
        const before = classes.get(cell) ?? 0;
        const now = before | bit;
        if (now === before) continue;
        classes.set(cell, now);
        if ((before !== 0 || this.#asked.has(cell)) && !this.#shared.has(cell))
          this.#shared.set(cell, this.#shared.size);
      }
    }
    this.#words = Math.ceil(this.#shared.size / WORD);
    this.#sets = new Uint32Array(this.#words);
    for (const [cell, number] of this.#shared) {
      const word = Math.floor(number / WORD);
      if (cell >= first_key) this.#sets[word] = this.#sets[word]! | (1 << (number % WORD));
    }
  }

  #gather(): void {
    const { kinds, watchers } = this.#footprints;
    const words = this.#words;
    this.#reads = new Uint32Array(kinds.length * words);
    this.#writes = new Uint32Array(kinds.length * words);
    this.#parts = new Int32Array(kinds.length);
    for (const kind of kinds) {
      let parts = kind.seen_by;
      for (const entry of kind.cells) {
        const writes = (entry & 1) === 1;
        if (writes) parts |= watchers[entry >> 1]!;
        const number = this.#shared.get(entry >> 1);
        if (number === undefined) continue;
        const at = kind.index * words + Math.floor(number / WORD);
        const bit = 1 << (number % WORD);
        const into = writes ? this.#writes : this.#reads;
        into[at] = into[at]! | bit;
      }
      this.#parts[kind.index] = parts;
    }
  }

  /** What follows a step is what follows the steps that come next: until nothing is added. */
  #follow(): void {
    const { kinds } = this.#footprints;
    const words = this.#words;
    this.#future_reads = this.#reads.slice();
    this.#future_writes = this.#writes.slice();
    this.#future_parts = this.#parts.slice();
    for (let changed = true; changed; ) {
      changed = false;
      for (let index = kinds.length - 1; index >= 0; index -= 1) {
        const kind = kinds[index]!;
        for (const next of kind.next) if (next !== kind && this.#add(index, next.index, words)) changed = true;
      }
    }
  }

  #add(index: number, next: number, words: number): boolean {
    let changed = false;
    for (const sets of [this.#future_reads, this.#future_writes]) {
      for (let word = 0; word < words; word += 1) {
        const before = sets[index * words + word]!;
        const now = (before | sets[next * words + word]!) >>> 0;
        if (now === before) continue;
        sets[index * words + word] = now;
        changed = true;
      }
    }
    const before = this.#future_parts[index]!;
    const now = before | this.#future_parts[next]!;
    this.#future_parts[index] = now;
    return changed || now !== before;
  }

  /** Whether what a mover that stands at `other` may do gets in the way of a step of this kind. */
  conflict({ index }: Kind, other: Kind): boolean {
    if ((this.#parts[index]! & this.#future_parts[other.index]!) !== 0) return true;
    const words = this.#words;
    const own = index * words;
    const theirs = other.index * words;
    for (let word = 0; word < words; word += 1) {
      const written = this.#future_writes[theirs + word]!;
      const own_writes = this.#writes[own + word]!;
      if ((written & (this.#reads[own + word]! | (own_writes & ~this.#sets[word]!))) !== 0) return true;
      if ((own_writes & this.#future_reads[theirs + word]!) !== 0) return true;
    }
    return false;
  }

  /** The classes that touch a cell, wherever they stand. */
  touchersOf(cell: number): number {
    return this.#touchers.get(cell) ?? 0;
  }

  /** Whether a mover that stands there may come to write a cell. */
  writes(other: Kind, cell: number): boolean {
    const number = this.#shared.get(cell);
    if (number === undefined) return false;
    const word = this.#future_writes[other.index * this.#words + Math.floor(number / WORD)]!;
    return (word & (1 << (number % WORD))) !== 0;
  }

  /** Parts of the judgements that may notice a step of this kind. */
  noticedBy({ index }: Kind): number {
    return this.#parts[index]!;
  }
}
