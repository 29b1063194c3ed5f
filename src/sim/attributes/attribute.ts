/**
 * How something that a scenario can ask about is declared: its type, what stands behind it, how it is read.
 *
 * Every value is a number: a quantity, 0 or 1, the index of a word, the row of another entity (-1 for none). Readers
 * only look, and allocate nothing, since an `always` reads them after every step.
 */

import type { Dimension } from '../expr.ts';
import type { Machine } from '../machine.ts';
import type { schema } from '../schema.ts';

export type EntityKind =
  | 'host'
  | 'swap'
  | 'vm'
  | 'vcpu'
  | 'task'
  | 'page'
  | 'irq'
  | 'timer'
  | 'nmi'
  | 'nmi_state'
  | 'thread'
  | 'saved'
  | 'saved_vcpu'
  | 'migration'
  | 'link'
  | 'ledger'
  | 'work'
  | 'handler';
export type AddressKind = 'gva' | 'gpa' | 'hva' | 'gfn' | 'pfn';

type S = typeof schema;
/** A mutable field of the schema, `vcpu.mp_state`. */
export type FieldName = {
  [T in keyof S & string]: `${T}.${keyof (S[T]['fields'] & S[T]['unhashed']) & string}`;
}[keyof S & string];

export type ValueType =
  | { readonly t: 'quantity'; readonly dimension: Dimension }
  | { readonly t: 'truth' }
  | { readonly t: 'words'; readonly words: readonly string[] }
  | { readonly t: 'address'; readonly kind: AddressKind }
  | { readonly t: 'entity'; readonly kind: EntityKind };

export interface Attribute {
  readonly type: ValueType;
  readonly summary: string;
  /** The field whose writers `writers(x.name)` reports; null where the value is computed. */
  readonly field: FieldName | null;
  /** Its value is a name that only the program gives, such as a number of a vCPU; where `field` does not say so. */
  readonly names?: true;
  read(m: Machine, row: number): number;
  /** What stands behind the value, for messages; empty for nothing to add. */
  readonly tell?: (m: Machine, row: number) => string;
}

/** What `for`, `each` and `count` go over. Positions without a member give -1 and are passed over. */
export interface Collection {
  readonly of: EntityKind;
  readonly summary: string;
  /** The field whose writers `writers(x.name)` reports; null where members are looked for. */
  readonly field: FieldName | null;
  positions(m: Machine, row: number): number;
  at(m: Machine, row: number, position: number): number;
}

export interface State {
  /** Words that may stand in brackets; without one any of them will do. */
  readonly args: readonly string[];
  readonly summary: string;
  /** `arg` is an index into args, -1 for none given. */
  holds(m: Machine, row: number, arg: number): boolean;
}

/** Samples gathered during a run, for p99 and the like; judge/series.ts knows how each comes about. */
export interface Series {
  readonly dimension: Dimension;
  readonly summary: string;
  readonly source: 'stall' | 'swap_read' | 'synthetic_halt';
}

/** All there is to ask about one kind of entity. */
export interface Description {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly collections: Readonly<Record<string, Collection>>;
  readonly states: Readonly<Record<string, State>>;
  readonly series: Readonly<Record<string, Series>>;
}

type Read = (m: Machine, row: number) => number;

export function quantity(dimension: Dimension, summary: string, read: Read, field: FieldName | null = null): Attribute {
  return { type: { t: 'quantity', dimension }, summary, field, read };
}

export function count(summary: string, read: Read, field: FieldName | null = null): Attribute {
  return quantity('none', summary, read, field);
}

export function truth(
  summary: string,
  holds: (m: Machine, row: number) => boolean,
  field: FieldName | null = null,
): Attribute {
  return { type: { t: 'truth' }, summary, field, read: (m, row) => (holds(m, row) ? 1 : 0) };
}

export function words(of: readonly string[], summary: string, read: Read, field: FieldName | null = null): Attribute {
  return { type: { t: 'words', words: of }, summary, field, read };
}

export function address(kind: AddressKind, summary: string, read: Read, field: FieldName | null = null): Attribute {
  return { type: { t: 'address', kind }, summary, field, read };
}

export function entity(kind: EntityKind, summary: string, read: Read, field: FieldName | null = null): Attribute {
  return { type: { t: 'entity', kind }, summary, field, read };
}

/** A state without words in brackets. */
export function state(summary: string, holds: (m: Machine, row: number) => boolean): State {
  return { args: [], summary, holds };
}

interface Queue {
  readonly length: number;
  at(index: number): number;
}

export function fifoOf(
  of: EntityKind,
  summary: string,
  queue: (m: Machine, row: number) => Queue,
  field: FieldName,
): Collection {
  return {
    of,
    summary,
    field,
    positions: (m, row) => queue(m, row).length,
    at: (m, row, place) => queue(m, row).at(place),
  };
}
