/**
 * The states that were reached, by 64-bit fingerprint: open addressing over one array of state numbers.
 *
 * Of each state it keeps the fingerprint, the state it was first reached from, and the moves that led there: 16 bytes, one
 * or two for each move, and 4 to 8 for the slots. Two states share a fingerprint with odds of about n^2 / 2^65 among n states.
 */
export const NO_PARENT = 0xffff_ffff;

export class Visited {
  #slots = new Uint32Array(1 << 12);
  #high = new Uint32Array(1 << 11);
  #low = new Uint32Array(1 << 11);
  #parent = new Uint32Array(1 << 11);
  /** Where the moves of each state begin, and the moves of all, one behind the other. */
  #begin = new Uint32Array(1 << 11);
  #moves = new Uint16Array(1 << 13);
  #moved = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#slots.byteLength + this.#high.length * 16 + this.#moves.byteLength;
  }

  /** The number of a state, or -1 if it is new; then it has the number `size` had before. */
  find(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const stored = slots[at]!;
      if (stored === 0) return -1;
      if (this.#high[stored - 1] === high && this.#low[stored - 1] === low) return stored - 1;
    }
  }

  /** `moves`: those that led from the parent to it. */
  add(high: number, low: number, parent: number, moves: readonly number[]): number {
    const state = this.#size;
    if (state === this.#high.length) this.#grow();
    if (state * 4 >= this.#slots.length * 3) this.#spread();
    this.#high[state] = high;
    this.#low[state] = low;
    this.#parent[state] = parent;
    this.#begin[state] = this.#moved;
    if (this.#moved + moves.length > this.#moves.length) {
      const wide = new Uint16Array(2 * (this.#moved + moves.length));
      wide.set(this.#moves);
      this.#moves = wide;
    }
    this.#moves.set(moves, this.#moved);
    this.#moved += moves.length;
    this.#size = state + 1;
    this.#place(state);
    return state;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
    this.#moved = 0;
  }

  /** The moves from the start to this state. */
  path(state: number): number[] {
    const parts: number[][] = [];
    for (let at = state; at !== NO_PARENT; at = this.#parent[at]!) {
      const end = at + 1 < this.#size ? this.#begin[at + 1]! : this.#moved;
      parts.push([...this.#moves.subarray(this.#begin[at]!, end)]);
    }
    return parts.reverse().flat();
  }

  #place(state: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = this.#low[state]! & mask;
    while (slots[at] !== 0) at = (at + 1) & mask;
    slots[at] = state + 1;
  }

  #grow(): void {
    const length = this.#high.length * 2;
    this.#high = wider(this.#high, length);
    this.#low = wider(this.#low, length);
    this.#parent = wider(this.#parent, length);
    this.#begin = wider(this.#begin, length);
  }

  #spread(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let state = 0; state < this.#size; state += 1) this.#place(state);
  }
}

function wider(of: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const array = new Uint32Array(length);
  array.set(of);
  return array;
}
