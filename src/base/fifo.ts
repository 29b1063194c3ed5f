/** Queues of row ids inside rows, and who may listen to accesses of state. */

/** Told of each access of a recording machine; `field` indexes FieldInfo. */
export interface Probe {
  read(field: number, id: number): void;
  /** What it was, and what it is from now on; of a queue 0 and 1, or twice the same where nothing changes. */
  write(field: number, id: number, was: number, is: number): void;
}

/** A queue of row ids inside a row. Ids are stored as id + 1. */
export class Fifo {
  readonly #items: Uint16Array;
  readonly #length: Uint16Array;
  readonly #row: number;
  readonly #field: number;
  readonly #probe: Probe | null;

  constructor(items: Uint16Array, length: Uint16Array, row: number, field: number, probe: Probe | null) {
    this.#items = items;
    this.#length = length;
    this.#row = row;
    this.#field = field;
    this.#probe = probe;
  }

  get length(): number {
    this.#probe?.read(this.#field, this.#row);
    return this.#length[0]!;
  }

  at(index: number): number {
    this.#probe?.read(this.#field, this.#row);
    return this.#items[index]! - 1;
  }

  push(id: number): void {
    this.#probe?.write(this.#field, this.#row, 0, 1);
    const n = this.#length[0]!;
    if (n >= this.#items.length) throw new RangeError(`fifo is full at ${n}`);
    this.#items[n] = id + 1;
    this.#length[0] = n + 1;
  }

  /** Takes the oldest id, or returns -1. */
  shift(): number {
    const taken = this.#length[0]! > 0;
    this.#probe?.write(this.#field, this.#row, 0, taken ? 1 : 0);
    return taken ? this.#removeAt(0) : -1;
  }

  /** Takes the id out wherever it stands; false where it was not in. */
  remove(id: number): boolean {
    const index = this.indexOf(id);
    this.#probe?.write(this.#field, this.#row, 0, index < 0 ? 0 : 1);
    if (index < 0) return false;
    this.#removeAt(index);
    return true;
  }

  indexOf(id: number): number {
    this.#probe?.read(this.#field, this.#row);
    const n = this.#length[0]!;
    for (let i = 0; i < n; i += 1) if (this.#items[i] === id + 1) return i;
    return -1;
  }

  has(id: number): boolean {
    return this.indexOf(id) >= 0;
  }

  /** The ids, oldest first; a fresh array, for views and judgements. */
  toArray(): number[] {
    this.#probe?.read(this.#field, this.#row);
    return Array.from(this.#items.subarray(0, this.#length[0]!), stored => stored - 1);
  }

  #removeAt(index: number): number {
    const n = this.#length[0]! - 1;
    const id = this.#items[index]! - 1;
    const items = this.#items;
    for (let hole = index; hole < n; hole += 1) items[hole] = items[hole + 1]!;
    items[n] = 0;
    this.#length[0] = n;
    return id;
  }
}
