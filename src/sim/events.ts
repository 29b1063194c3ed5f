/**
 * The pending events of a timed run: a 4-ary heap of (time, order, what) in three typed columns.
 *
 * Every source of events (a host CPU, a request at the swap device, a timer, a sleeping task, an action) has at most
 * one event pending. Moving or cancelling one leaves the old entry in the heap, to be dropped when it comes up: its
 * order number is no longer the source's. Ties in time go to the one armed first.
 */
import type { Machine } from './machine.ts';

/** Nothing is pending before this. */
export const NEVER_NS = Number.MAX_SAFE_INTEGER;

/** Sets when a source fires next, in place of what it had. */
export function arm(m: Machine, source: number, time_ns: number): void {
  const clock = m.clock;
  const order = clock.sequence + 1;
  clock.sequence = order;
  m.source.set_order(source, order);
  m.source.set_time_ns(source, time_ns);
  if (clock.heap_length >= m.event.capacity) dropStale(m);
  let hole = clock.heap_length;
  clock.heap_length = hole + 1;
  const event = m.event;
  while (hole > 0) {
    const parent = (hole - 1) >> 2;
    const parent_ns = event.time_ns(parent);
    if (parent_ns < time_ns || parent_ns === time_ns) break; // Armed earlier, so its order is lower.
    move(m, parent, hole);
    hole = parent;
  }
  event.set_time_ns(hole, time_ns);
  event.set_order(hole, order);
  event.set_what(hole, source);
}

export function disarm(m: Machine, source: number): void {
  m.source.set_order(source, 0);
}

export function isArmed(m: Machine, source: number): boolean {
  return m.source.order(source) !== 0;
}

/** Time of the next event, or NEVER_NS. Drops stale entries on the way. */
export function nextTime(m: Machine): number {
  while (m.clock.heap_length > 0) {
    if (m.source.order(m.event.what(0)) === m.event.order(0)) return m.event.time_ns(0);
    removeTop(m);
  }
  return NEVER_NS;
}

/** Takes the next event and returns its source, or -1. The caller sets the clock to nextTime() first. */
export function takeNext(m: Machine): number {
  if (nextTime(m) === NEVER_NS) return -1;
  const source = m.event.what(0);
  m.source.set_order(source, 0);
  removeTop(m);
  return source;
}

function move(m: Machine, from: number, to: number): void {
  const event = m.event;
  event.set_time_ns(to, event.time_ns(from));
  event.set_order(to, event.order(from));
  event.set_what(to, event.what(from));
}

function before(m: Machine, a: number, b: number): boolean {
  const a_ns = m.event.time_ns(a);
  const b_ns = m.event.time_ns(b);
  return a_ns < b_ns || (a_ns === b_ns && m.event.order(a) < m.event.order(b));
}

function removeTop(m: Machine): void {
  const last = m.clock.heap_length - 1;
  m.clock.heap_length = last;
  if (last > 0) sink(m, 0, last);
}

/** Puts entry `last` into the hole, lifting smaller children; `last` entries remain. */
function sink(m: Machine, start: number, last: number): void {
  let hole = start;
  for (;;) {
    const first = 4 * hole + 1;
    if (first >= last) break;
    let least = first;
    const end = Math.min(first + 4, last);
    for (let child = first + 1; child < end; child += 1) if (before(m, child, least)) least = child;
    if (!before(m, least, last)) break;
    move(m, least, hole);
    hole = least;
  }
  move(m, last, hole);
}

/** Rebuilds the heap without stale entries; there is room for four times the sources, so this is rare. */
function dropStale(m: Machine): void {
  const { event, source } = m;
  let kept = 0;
  for (let index = 0; index < m.clock.heap_length; index += 1) {
    if (source.order(event.what(index)) !== event.order(index)) continue;
    if (kept !== index) move(m, index, kept);
    kept += 1;
  }
  m.clock.heap_length = kept;
  for (let root = (kept - 2) >> 2; root >= 0; root -= 1) settle(m, root, kept);
}

/** Restores heap order below one entry by swaps; used only when rebuilding. */
function settle(m: Machine, start: number, length: number): void {
  let at = start;
  for (;;) {
    const first = 4 * at + 1;
    if (first >= length) return;
    let least = first;
    for (let child = first + 1; child < Math.min(first + 4, length); child += 1) if (before(m, child, least)) least = child;
    if (!before(m, least, at)) return;
    const time_ns = m.event.time_ns(at);
    const order = m.event.order(at);
    const what = m.event.what(at);
    move(m, least, at);
    m.event.set_time_ns(least, time_ns);
    m.event.set_order(least, order);
    m.event.set_what(least, what);
    at = least;
  }
}
