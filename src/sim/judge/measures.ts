/**
 * What has to be watched while the run goes on: events, times, samples, writers, records.
 *
 * Each measure hands out its cells and registers its hooks when it is compiled; afterwards `get` only reads cells.
 */
import type { Attribute, Collection } from '../attributes/attribute.ts';
import type { EventPattern, Expr } from '../expr.ts';
import type { Machine } from '../machine.ts';
import { matcherOf } from '../pattern.ts';
import { compiledSchema, schema } from '../schema.ts';
import { momentText } from './moment.ts';
import {
  asNumber,
  CONSTANT,
  type Context,
  type Depends,
  type EntityNode,
  EVERY_STEP,
  type Node,
  type NumberNode,
  type RecordsNode,
  type SeriesNode,
  type SeveralNode,
  type ThreadsNode,
  type TruthNode,
  unjudgeable,
} from './node.ts';
import { followSeries } from './series.ts';
import { eventText, quantityText, threadText } from './text.ts';

const inside = ({ now, window }: Context): boolean => now.ns >= window.from_ns && now.ns <= window.to_ns;

function onObservations(event: EventPattern, context: Context): Depends {
  return { ...CONSTANT, observations: new Set([matcherOf(context.m.places, event).observation]) };
}

/** Counts the event inside the window, up to so many; the cell after the count is the time of the last. */
function counter(context: Context, event: EventPattern, most = Number.POSITIVE_INFINITY): number {
  const { m, cells, hooks, now } = context;
  const count = cells.newCells(2, 0, [event]);
  hooks.onEvent(m, matcherOf(m.places, event), () => {
    if (!inside(context) || cells.values[count]! >= most) return;
    cells.values[count] = cells.values[count]! + 1;
    cells.values[count + 1] = now.ns;
  });
  return count;
}

/** True once the event has happened; for an obligation, once it has happened since that began. */
export function happened(context: Context, event: EventPattern): TruthNode {
  const { cells } = context;
  // Explored, what happens for ever must come back to where it was: once is enough, where nothing asks since when.
  const count = counter(context, event, context.m.timed || context.obliges ? Number.POSITIVE_INFINITY : 1);
  const base = newBase(context, count, event);
  const text = eventText(event);
  const get = () => cells.values[count]! > cells.values[base]!;
  const why = () =>
    get() ? `${text} happened${momentText(context.m, ' at ', cells.values[count + 1]!)}` : `${text} has not happened`;
  return {
    t: 'truth',
    text,
    depends: onObservations(event, context),
    get,
    why,
    show: () => (get() ? 'true' : 'false'),
  };
}

/** Which of two events came first, of those inside the window. True from then on, if it was the one. */
export function before(context: Context, event: EventPattern, other: EventPattern, text: string): TruthNode {
  const { m, cells, hooks, now } = context;
  // 0: neither yet, 1: the one, 2: the other; and when.
  const first = cells.newCells(2, 0, [event, other]);
  [event, other].forEach((each, index) => {
    hooks.onEvent(m, matcherOf(m.places, each), () => {
      if (cells.values[first] !== 0 || !inside(context)) return;
      cells.values[first] = index + 1;
      cells.values[first + 1] = now.ns;
    });
  });
  const get = () => cells.values[first] === 1;
  const why = () => {
    if (cells.values[first] === 0) return `neither ${eventText(event)} nor ${eventText(other)} has happened`;
    return `${eventText(get() ? event : other)} came first${momentText(m, ', at ', cells.values[first + 1]!)}`;
  };
  const observations = [event, other].map(each => matcherOf(m.places, each).observation);
  const depends = { ...CONSTANT, observations: new Set(observations) };
  return { t: 'truth', text, depends, get, why, show: () => (get() ? 'true' : 'false') };
}

/** The cell from which counting starts; `eventually` moves it to where the obligation it looks at began. */
function newBase({ cells, bases }: Context, count: number, event: EventPattern): number {
  const base = cells.newCells(1, 0, [event]);
  bases.push({ count, base });
  return base;
}

export function countEvents(context: Context, event: EventPattern, window_ns: number | null, text: string): NumberNode {
  const { cells } = context;
  if (window_ns !== null) {
    const recent = sliding(context, event, window_ns);
    return { t: 'number', dimension: 'none', text, depends: EVERY_STEP, get: recent, show: () => String(recent()) };
  }
  const count = counter(context, event);
  const base = newBase(context, count, event);
  const get = () => cells.values[count]! - cells.values[base]!;
  return {
    t: 'number',
    dimension: 'none',
    text,
    depends: onObservations(event, context),
    get,
    show: () => String(get()),
  };
}

/** Events in the last `window_ns`: times in a log, and where in it the window begins. */
function sliding(context: Context, event: EventPattern, window_ns: number): () => number {
  const { m, cells, hooks, now } = context;
  const times = cells.newLog();
  const first = cells.newCells(1);
  hooks.onEvent(m, matcherOf(m.places, event), () => {
    if (inside(context)) times.push(now.ns);
  });
  return () => {
    let from = cells.values[first]!;
    while (from < times.length && times.at(from) <= now.ns - window_ns) from += 1;
    cells.values[first] = from;
    return times.length - from;
  };
}

const PER_SECOND = 1e9;

/** Over the whole window, or a sliding part of it; per second. */
export function rateEvents(context: Context, event: EventPattern, window_ns: number | null, text: string): NumberNode {
  const { cells, now, window } = context;
  const show = (get: () => number) => () => quantityText(get(), 'frequency');
  if (window_ns !== null) {
    const recent = sliding(context, event, window_ns);
    const get = () => (recent() * PER_SECOND) / window_ns;
    return { t: 'number', dimension: 'frequency', text, depends: EVERY_STEP, get, show: show(get) };
  }
  const count = counter(context, event);
  const get = () => {
    const elapsed_ns = Math.min(now.ns, window.to_ns) - window.from_ns;
    return elapsed_ns <= 0 ? 0 : (cells.values[count]! * PER_SECOND) / elapsed_ns;
  };
  return { t: 'number', dimension: 'frequency', text, depends: EVERY_STEP, get, show: show(get) };
}

/** The longest unbroken time for which a condition held, as far as it lies in the window. */
export function maxTime(context: Context, of: TruthNode, text: string): NumberNode {
  const { cells, now, window } = context;
  const longest = cells.newCells(1);
  const since = cells.newCells(1, -1);
  const running = () => {
    const began = cells.values[since]!;
    return began < 0 ? 0 : Math.max(0, Math.min(now.ns, window.to_ns) - began);
  };
  const look = () => {
    const { values } = cells;
    if (now.ns < window.from_ns) {
      values[since] = of.get() ? window.from_ns : -1;
    } else if (of.get()) {
      if (values[since]! < 0) values[since] = now.ns;
    } else if (values[since]! >= 0) {
      values[longest] = Math.max(values[longest]!, running());
      values[since] = -1;
    }
  };
  whenever(context, of.depends, look);
  const get = () => Math.max(cells.values[longest]!, running());
  return { t: 'number', dimension: 'time', text, depends: EVERY_STEP, get, show: () => quantityText(get(), 'time') };
}

/** Calls `look` whenever something that depends so may have changed. */
export function whenever({ hooks }: Context, depends: Depends, look: () => void): void {
  if (depends.step) hooks.onStep(look);
  for (const observation of depends.observations) hooks.onObservation(observation, look);
  for (const tracepoint of depends.records) hooks.onRecord(tracepoint, look);
}

type AggregateName = Extract<Expr, { readonly k: 'aggregate' }>['fn'];

/** p50 is the middle value or the mean of the two; the others the value at floor(q (n - 1)). */
function percentile(sorted: ArrayLike<number>, per_cent: number): number {
  const n = sorted.length;
  if (n === 0) return Number.NaN;
  if (per_cent === 50) return (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
  return sorted[Math.floor((per_cent * (n - 1)) / 100)]!;
}

const total = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index]!;
  return sum;
};

/** Over samples in order of size. Of no samples the count and the sum are 0 and the rest is nothing. */
const AGGREGATES: Readonly<Record<AggregateName, (sorted: ArrayLike<number>) => number>> = {
  count: sorted => sorted.length,
  sum: total,
  mean: sorted => total(sorted) / sorted.length,
  min: sorted => sorted[0] ?? Number.NaN,
  max: sorted => sorted[sorted.length - 1] ?? Number.NaN,
  p50: sorted => percentile(sorted, 50),
  p90: sorted => percentile(sorted, 90),
  p95: sorted => percentile(sorted, 95),
  p99: sorted => percentile(sorted, 99),
};

/** `count(trace(kvm_async_pf_*))`: the records of the window. */
export function countRecords(context: Context, { tracepoints }: RecordsNode, text: string): NumberNode {
  const { cells, hooks } = context;
  const count = cells.newCells(1);
  for (const tracepoint of tracepoints)
    hooks.onRecord(tracepoint, () => {
      if (inside(context)) cells.values[count] = cells.values[count]! + 1;
    });
  const get = () => cells.values[count]!;
  const depends = { ...CONSTANT, records: new Set(tracepoints) };
  return { t: 'number', dimension: 'none', text, depends, get, show: () => String(get()) };
}

export function aggregate(fn: AggregateName, of: Node, text: string): NumberNode {
  const compute = AGGREGATES[fn];
  const over = samplesOf(of);
  const dimension = fn === 'count' ? 'none' : over.dimension;
  const get = () => compute(over.sorted());
  return { t: 'number', dimension, text, depends: of.depends, get, show: () => quantityText(get(), dimension) };
}

function samplesOf(of: Node): { readonly dimension: NumberNode['dimension']; sorted(): ArrayLike<number> } {
  if (of.t === 'series') return { dimension: of.dimension, sorted: () => of.samples.sorted() };
  if (of.t === 'number') return { dimension: of.dimension, sorted: () => [of.get()] };
  if (of.t === 'rows')
    return {
      dimension: 'none',
      sorted: () => Array.from({ length: of.positions() }, (_, at) => of.at(at)).filter(row => row >= 0),
    };
  if (of.t === 'several') return { dimension: asNumber(of.item).dimension, sorted: () => valuesOf(of) };
  if (of.t !== 'list') return unjudgeable(`'${of.text}' has no samples`);
  const series = of.items.flatMap(item => (item.t === 'series' ? [item] : []));
  if (series.length > 0 && series.length === of.items.length)
    return {
      dimension: series[0]!.dimension,
      sorted: () => Float64Array.from(series.flatMap(each => [...each.samples.sorted()])).sort(),
    };
  const items = of.items.map(asNumber);
  return {
    dimension: items[0]?.dimension ?? 'none',
    sorted: () => Float64Array.from(items, item => item.get()).sort(),
  };
}

function valuesOf(of: SeveralNode): ArrayLike<number> {
  const item = asNumber(of.item);
  const values: number[] = [];
  for (let position = 0; position < of.positions(); position += 1) if (of.turn(position)) values.push(item.get());
  return Float64Array.from(values).sort();
}

export function series(
  context: Context,
  owner: EntityNode,
  source: Parameters<typeof followSeries>[1],
  dimension: NumberNode['dimension'],
  text: string,
): SeriesNode {
  if (owner.depends !== CONSTANT)
    unjudgeable(`'${text}': samples are gathered for one ${owner.kind} that is known from the start`);
  const samples = context.cells.newLog();
  followSeries(context, source, owner.kind, owner.get(), ns => samples.push(ns));
  return { t: 'series', dimension, samples, text, depends: EVERY_STEP, show: () => `${samples.length} samples` };
}

function isTable(name: string): name is keyof typeof schema {
  return Object.hasOwn(schema, name);
}

/** Threads that have written a field, as a bit set for each row of its table; 32 threads to a cell. */
export function writers(context: Context, owner: EntityNode, of: Attribute | Collection, text: string): ThreadsNode {
  const { m, cells, hooks } = context;
  if (of.field === null) unjudgeable(`'${text}': no single field stands behind it`);
  const number = compiledSchema.fieldNumber(of.field) ?? unjudgeable(`no field ${of.field}`);
  const threads = m.places.threads.length;
  const perRow = Math.ceil((threads + 1) / 32);
  const { table } = compiledSchema.fields[number]!;
  const rows = isTable(table) ? m.layout.tables[table].capacity : 0;
  const bits = cells.newCells(rows * perRow);
  hooks.onWrite(number, row => {
    if (!inside(context)) return;
    const thread = Math.min(m.clock.current_thread, threads);
    const cell = bits + row * perRow + (thread >> 5);
    cells.values[cell] = (cells.values[cell]! | (1 << (thread & 31))) >>> 0;
  });
  const has = (thread: number) =>
    (cells.values[bits + owner.get() * perRow + (thread >> 5)]! & (1 << (thread & 31))) !== 0;
  return threadsNode(m, has, text);
}

/** The threads in any of the sets. */
export function anyOf(m: Machine, sets: readonly ThreadsNode[], text: string): ThreadsNode {
  return threadsNode(m, thread => sets.some(each => each.has(thread)), text);
}

function threadsNode(m: Machine, has: ThreadsNode['has'], text: string): ThreadsNode {
  const show = () => {
    const names = Array.from({ length: m.places.threads.length + 1 }, (_, thread) => thread).filter(has);
    return `[${names.map(thread => threadText(m, thread)).join(', ')}]`;
  };
  return { t: 'threads', has, text, depends: EVERY_STEP, show };
}
