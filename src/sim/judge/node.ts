/**
 * What an expression becomes: closures over the machine and the cells, typed by what they give.
 *
 * `get` runs after every step and allocates nothing; `why` and `show` run once, when something has to be said.
 */
import { Bug } from '../../base/assert.ts';
import type { Collection, EntityKind } from '../attributes/attribute.ts';
import type { Dimension } from '../expr.ts';
import type { Machine } from '../machine.ts';
import type { Recorded } from './baseline.ts';
import type { Cells, Log } from './cells.ts';
import type { Hooks } from './hooks.ts';

/** When a value can change: after any step, or only with these observations and records. */
export interface Depends {
  readonly step: boolean;
  readonly observations: ReadonlySet<number>;
  /** Numbers of tracepoints. */
  readonly records: ReadonlySet<number>;
}

interface Common {
  readonly text: string;
  readonly depends: Depends;
  /** The value in words. */
  show(): string;
}

export interface TruthNode extends Common {
  readonly t: 'truth';
  get(): boolean;
  /** Why it is what it is now: `web.vcpu[0].mp_state is HALTED`. */
  why(): string;
}
export interface NumberNode extends Common {
  readonly t: 'number';
  readonly dimension: Dimension;
  get(): number;
}
/** One of several words, as its index; below zero where there is none. */
export interface WordsNode extends Common {
  readonly t: 'words';
  readonly words: readonly string[];
  get(): number;
}
/** A word as written; what it means depends on what it stands beside. */
interface WordNode extends Common {
  readonly t: 'word';
}
export interface EntityNode extends Common {
  readonly t: 'entity';
  readonly kind: EntityKind;
  get(): number;
}
export interface RowsNode extends Common {
  readonly t: 'rows';
  readonly kind: EntityKind;
  positions(): number;
  /** A row, or -1 for a position that is to be passed over. */
  at(position: number): number;
}
export interface ListNode extends Common {
  readonly t: 'list';
  readonly items: readonly Node[];
}
/** The same property of each of several things that come and go: turn() sets `item` to the one at a place, if there is one. */
export interface SeveralNode extends Common {
  readonly t: 'several';
  readonly item: Node;
  positions(): number;
  turn(position: number): boolean;
}
/** A text that the moment gives, for reports. */
interface TextNode extends Common {
  readonly t: 'text';
}
/** Samples of the run so far. */
export interface SeriesNode extends Common {
  readonly t: 'series';
  readonly dimension: Dimension;
  readonly samples: Log;
}
/** A set of threads; the id after the last stands for devices and the scenario. */
export interface ThreadsNode extends Common {
  readonly t: 'threads';
  has(thread: number): boolean;
}
/** The record that is being judged, or an address in it. */
interface RecordNode extends Common {
  readonly t: 'record' | 'record_address';
}
/** The records of some tracepoints. */
export interface RecordsNode extends Common {
  readonly t: 'records';
  readonly tracepoints: readonly number[];
}

/** Those of the run that was recorded before. */
export interface RecordedNode extends Common {
  readonly t: 'recorded';
  readonly tracepoints: readonly number[];
}

export type Node =
  | TruthNode
  | NumberNode
  | WordsNode
  | WordNode
  | EntityNode
  | RowsNode
  | ListNode
  | SeveralNode
  | TextNode
  | SeriesNode
  | ThreadsNode
  | RecordNode
  | RecordsNode
  | RecordedNode;

/** The row that a quantifier's variable stands for just now. */
export interface Variable {
  readonly kind: EntityKind | 'record';
  row: number;
}

/** Part of a run, ends included. */
export interface Window {
  readonly from_ns: number;
  readonly to_ns: number;
}

export const WHOLE_RUN: Window = { from_ns: 0, to_ns: Number.POSITIVE_INFINITY };

/** The judge's own clock: the machine's, but for a deadline that is judged before the clock passes it. */
export interface Now {
  ns: number;
  /** What a decision made now is dated. */
  stamp_ns: number;
}

/** A count of events, and the cell that says from which count on events count. */
export interface Base {
  readonly count: number;
  readonly base: number;
}

export interface Context {
  /** What the run that was recorded before has traced. */
  readonly baseline: () => readonly Recorded[];
  readonly m: Machine;
  readonly cells: Cells;
  readonly hooks: Hooks;
  readonly now: Now;
  readonly window: Window;
  /** Over which rates are taken; null for all of the window. */
  readonly rate_window_ns: number | null;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Of the judgement that is being compiled. */
  readonly bases: Base[];
  /** Its events may open obligations, and then those count that came since. */
  readonly obliges: boolean;
  /** Of a judgement that fails as soon as this is not so: a quantifier that says it of each falls into parts. */
  readonly wanted: boolean | null;
  /** A deadline has come or gone. */
  reschedule(): void;
}

export const CONSTANT: Depends = { step: false, observations: new Set(), records: new Set() };
export const EVERY_STEP: Depends = { ...CONSTANT, step: true };

export function dependsOnAll(nodes: readonly { readonly depends: Depends }[]): Depends {
  return {
    step: nodes.some(node => node.depends.step),
    observations: new Set(nodes.flatMap(node => [...node.depends.observations])),
    records: new Set(nodes.flatMap(node => [...node.depends.records])),
  };
}

/** The checker has let something through that cannot be judged; naming it finds the hole. */
export function unjudgeable(what: string): never {
  throw new Bug(`judge: ${what}`);
}

export function asTruth(node: Node): TruthNode {
  return node.t === 'truth' ? node : unjudgeable(`'${node.text}' is no condition`);
}

export function asNumber(node: Node): NumberNode {
  return node.t === 'number' ? node : unjudgeable(`'${node.text}' is no quantity`);
}

/** A collection of one entity, as rows. */
export function rowsOf(m: Machine, owner: EntityNode, collection: Collection, text: string): RowsNode {
  return {
    t: 'rows',
    kind: collection.of,
    text,
    depends: EVERY_STEP,
    positions: () => (owner.get() < 0 ? 0 : collection.positions(m, owner.get())),
    at: position => collection.at(m, owner.get(), position),
    show: () => `${owner.get() < 0 ? 0 : collection.positions(m, owner.get())} of them`,
  };
}
