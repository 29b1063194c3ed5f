/**
 * What is due next, among a fixed number of sources each of which has at most one event pending.
 *
 * A tournament with four players a match: each node holds the time, the order and the source of the earliest event
 * below it. Arming, moving and cancelling an event replay the matches above its source, and stop where the winner
 * stays. Ties in time go to the one armed first. All of it lies in arrays that the caller owns, so it is part of a
 * snapshot like anything else; nothing is allocated, and nothing stale is left behind.
 */

/** The time of a source that has nothing pending. */
export const NEVER_NS = Number.MAX_SAFE_INTEGER;

/** Nodes that a queue over so many sources needs in each array. */
export function nodesFor(sources: number): number {
  let total = 1;
  for (let width = roundUp(sources); ; width = roundUp(width / 4)) {
    total += width;
    if (width === 4) return total;
  }
}

/** A level has whole matches: at least one. */
function roundUp(players: number): number {
  return Math.max(4, Math.ceil(players / 4) * 4);
}

export class EventQueue {
  readonly #time_ns: Float64Array;
  readonly #order: Float64Array;
  readonly #source: Uint32Array;
  readonly #counter: Float64Array;
  /** First node of each level, leaves first; the last is the root. */
  readonly #first: readonly number[];
  readonly #root: number;

  /** `counter`: one number, the order last given; queues that share it agree on who was armed first. */
  constructor(sources: number, time_ns: Float64Array, order: Float64Array, source: Uint32Array, counter: Float64Array) {
    this.#time_ns = time_ns;
    this.#order = order;
    this.#source = source;
    this.#counter = counter;
    const first = [0];
    let at = 0;
    for (let width = roundUp(sources); ; width = roundUp(width / 4)) {
      at += width;
      first.push(at);
      if (width === 4) break;
    }
    this.#first = first;
    this.#root = at;
  }

  /** Nothing pending. */
  clear(): void {
    this.#time_ns.fill(NEVER_NS);
    this.#order.fill(0);
    this.#source.fill(0);
  }

  /** Time of the next event, or NEVER_NS. */
  get next_ns(): number {
    return this.#time_ns[this.#root]!;
  }

  /** Its order, to compare with that of another queue at the same time. */
  get nextOrder(): number {
    return this.#order[this.#root]!;
  }

  /** Whose it is; only while next_ns is not NEVER_NS. */
  get nextSource(): number {
    return this.#source[this.#root]!;
  }

  /** Time at which a source is due, or NEVER_NS. */
  dueNs(source: number): number {
    return this.#time_ns[source]!;
  }

  /** Goes up with each arm(), here and in queues that share the counter: as long as it stands, nothing came nearer. */
  get armings(): number {
    return this.#counter[0]!;
  }

  /** Sets when a source is due, in place of what it had. */
  arm(source: number, time_ns: number): void {
    const order = this.#counter[0]! + 1;
    this.#counter[0] = order;
    this.#time_ns[source] = time_ns;
    this.#order[source] = order;
    this.#source[source] = source;
    this.#replay(source);
  }

  disarm(source: number): void {
    if (this.#time_ns[source] === NEVER_NS) return;
    this.#time_ns[source] = NEVER_NS;
    this.#order[source] = 0;
    this.#replay(source);
  }

  /** Plays the matches above a source again. Its time is read here: for a number handed over, V8 would allocate. */
  #replay(source: number): void {
    const times = this.#time_ns;
    const orders = this.#order;
    const sources = this.#source;
    const first = this.#first;
    const time_ns = times[source]!;
    const order = orders[source]!;
    let node = source;
    let below = 0;
    for (let level = 1; level < first.length; level += 1) {
      const above = first[level]!;
      const match = (node - below) >> 2;
      const parent = above + match;
      const winner_ns = times[parent]!;
      if (sources[parent] !== source || winner_ns === NEVER_NS) {
        // Somebody else leads: this one either takes the lead or changes nothing above.
        if (time_ns > winner_ns || (time_ns === winner_ns && (order > orders[parent]! || time_ns === NEVER_NS))) return;
        times[parent] = time_ns;
        orders[parent] = order;
        sources[parent] = source;
        node = parent;
        below = above;
        continue;
      }
      let best = below + match * 4;
      const end = best + 4;
      let best_ns = times[best]!;
      for (let child = best + 1; child < end; child += 1) {
        const child_ns = times[child]!;
        if (child_ns < best_ns || (child_ns === best_ns && orders[child]! < orders[best]!)) {
          best = child;
          best_ns = child_ns;
        }
      }
      times[parent] = best_ns;
      orders[parent] = orders[best]!;
      sources[parent] = sources[best]!;
      node = parent;
      below = above;
    }
  }
}
