/** What is known of one kind of step: the cells that it touches, who may see it, and what comes after it. */

export const READ = 1;
export const WRITE = 2;
/** The same bits, of what has been applied. */
const APPLIED = 2;
const FLAG_BITS = 4;
const FEWEST = 32;

export class Kind {
  readonly key: number;
  /** Its place among all kinds. */
  readonly index: number;
  /** It was taken: noted, and applied. */
  noted = false;
  known = false;
  /** Who watches for what it lets be seen, a bit each. */
  seen_by = 0;
  #noted_seen = 0;
  /** Cells it reads or writes, in the order in which that was learned: cell * 2, + 1 if it writes. */
  readonly cells: number[] = [];
  /** Kinds that its mover was seen to stand at next. */
  readonly next: Kind[] = [];
  #noted_next: number[] = [];
  /** A table of cells by hash: the cell + 1, and in the lowest bits what is noted and applied of it. */
  #table = new Int32Array(FEWEST);
  #used = 0;

  constructor(key: number, index: number) {
    this.key = key;
    this.index = index;
  }

  /** Each of these says whether it was news. */
  learn(): boolean {
    this.noted = true;
    if (this.known) return false;
    this.known = true;
    return true;
  }

  noteSeen(bit: number): boolean {
    if ((this.#noted_seen & bit) !== 0) return false;
    this.#noted_seen |= bit;
    return true;
  }

  learnSeen(bit: number): boolean {
    this.#noted_seen |= bit;
    if ((this.seen_by & bit) !== 0) return false;
    this.seen_by |= bit;
    return true;
  }

  noteNext(key: number): boolean {
    if (this.#noted_next.includes(key)) return false;
    this.#noted_next.push(key);
    return true;
  }

  learnNext(next: Kind): boolean {
    this.noteNext(next.key);
    if (this.next.includes(next)) return false;
    this.next.push(next);
    return true;
  }

  noteCell(cell: number, how: number): boolean {
    const at = this.#find(cell);
    const entry = this.#table[at]!;
    if (entry !== 0 && (entry & how) !== 0) return false;
    this.#put(at, cell, how);
    return true;
  }

  learnCell(cell: number, how: number): boolean {
    const at = this.#find(cell);
    if ((this.#table[at]! & (how << APPLIED)) !== 0) return false;
    this.#put(at, cell, how | (how << APPLIED));
    this.cells.push(cell * 2 + (how === WRITE ? 1 : 0));
    return true;
  }

  /** Where a cell is in the table, or would be. */
  #find(cell: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    const wanted = cell + 1;
    for (let at = Math.imul(wanted, 0x9e37_79b1) & mask; ; at = (at + 1) & mask) {
      const entry = table[at]!;
      if (entry === 0 || entry >>> FLAG_BITS === wanted) return at;
    }
  }

  #put(at: number, cell: number, flags: number): void {
    const table = this.#table;
    const entry = table[at]!;
    table[at] = entry | ((cell + 1) << FLAG_BITS) | flags;
    if (entry !== 0) return;
    this.#used += 1;
    if (2 * this.#used <= table.length) return;
    this.#table = new Int32Array(2 * table.length);
    for (const each of table) if (each !== 0) this.#table[this.#find((each >>> FLAG_BITS) - 1)] = each;
  }
}
