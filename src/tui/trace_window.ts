/**
 * The last few events up to some place that a filter lets through.
 *
 * Filters may let through one event in a million, so the search remembers what it found and goes on in slices; while
 * time moves on, only what is new is looked at.
 */
export type Accepts = (index: number) => boolean;

/** Events looked at in one go, and matches remembered. */
const SLICE = 100_000;
const KEPT = 4096;

export class TraceWindow {
  /** Numbers of events that match, newest first; complete from #bottom up to #top. */
  #found: number[] = [];
  #top = 0;
  #bottom = 0;
  #filter = '';

  /** The `count` newest matching events before `end`, leaving out `back` of them; oldest first. */
  numbers(
    end: number,
    count: number,
    back: number,
    first: number,
    filter: string,
    accepts: Accepts,
  ): readonly number[] {
    if (filter !== this.#filter || end > this.#top + SLICE || end < this.#bottom) this.#restart(end, filter);
    this.#extendUp(end, accepts);
    let after = 0;
    while (after < this.#found.length && (this.#found[after] ?? 0) >= end) after += 1;
    this.#extendDown(after + back + count, Math.max(first, this.#bottom - SLICE), accepts);
    return this.#found.slice(after + back, after + back + count).reverse();
  }

  #restart(end: number, filter: string): void {
    this.#found = [];
    this.#top = end;
    this.#bottom = end;
    this.#filter = filter;
  }

  #extendUp(end: number, accepts: Accepts): void {
    const fresh: number[] = [];
    for (let index = end - 1; index >= this.#top; index -= 1) if (accepts(index)) fresh.push(index);
    this.#top = Math.max(this.#top, end);
    if (fresh.length === 0) return;
    const dropped = this.#found.length > KEPT;
    this.#found = [...fresh, ...this.#found.slice(0, KEPT)];
    if (dropped) this.#bottom = this.#found.at(-1) ?? this.#top;
  }

  #extendDown(wanted: number, limit: number, accepts: Accepts): void {
    while (this.#found.length < wanted && this.#bottom > limit) {
      this.#bottom -= 1;
      if (accepts(this.#bottom)) this.#found.push(this.#bottom);
    }
  }
}
