/**
 * Who wants to know what: handlers by observation, by tracepoint, by field written, and after every step.
 *
 * Filled while judgements are compiled. What nobody asked for costs nothing: `needs` tells the simulation.
 */
import { tracepoints } from '../../trace/all.ts';
import type { EntityKind } from '../attributes/attribute.ts';
import type { Machine } from '../machine.ts';
import { OBSERVATION_NAMES } from '../observe.ts';
import { type Matcher, matches } from '../pattern.ts';
import { compiledSchema } from '../schema.ts';
import type { RecordNow } from './records.ts';

/** Told who looks at the machine from here on, and whose part that is: judgements, and what some fall into, are numbered. */
export type Looks = (part: number, owner: number) => void;

/** Who looks where no judgement does: the scenario's `when`. */
export const SCRIPT_LOOKS = 0;

type OnObservation = (observation: number, a: number, b: number) => void;

export class Hooks {
  readonly record: RecordNow;
  readonly steps: (() => void)[] = [];
  readonly #observations: readonly OnObservation[][] = OBSERVATION_NAMES.map(() => []);
  readonly #records: readonly (() => void)[][] = tracepoints.map(() => []);
  readonly #writes: readonly ((row: number) => void)[][] = compiledSchema.fields.map(() => []);

  /** Whose handlers are being added. */
  owner = SCRIPT_LOOKS;
  #owners = SCRIPT_LOOKS;
  readonly #groups: { readonly first: number; readonly kind: EntityKind; readonly rows: readonly number[] }[] = [];
  /** Null where nobody wants to know who looks. */
  readonly looks: Looks | null;

  constructor(record: RecordNow, looks: Looks | null) {
    this.record = record;
    this.looks = looks;
  }

  /** So many numbers for who looks; the first of them. */
  newParts(count: number): number {
    const first = this.#owners + 1;
    this.#owners += count;
    return first;
  }

  /** The same, one for each of these rows. */
  newPartsOf(kind: EntityKind, rows: readonly number[]): number {
    const first = this.newParts(rows.length);
    this.#groups.push({ first, kind, rows });
    return first;
  }

  get parts(): number {
    return this.#owners;
  }

  /** Whose part a part is, where rows go by other names. */
  partUnder(part: number, rowUnder: (kind: EntityKind, row: number) => number): number {
    const group = this.#groups.find(({ first, rows }) => part >= first && part < first + rows.length);
    if (!group) return part;
    const { first, kind, rows } = group;
    const place = rows.indexOf(rowUnder(kind, rows[part - first]!));
    return place < 0 ? part : first + place;
  }

  onStep(handler: () => void): void {
    this.steps.push(this.#owned(handler));
  }

  onObservation(observation: number, handler: OnObservation): void {
    this.#observations[observation]!.push(this.#owned(handler));
  }

  onEvent(m: Machine, matcher: Matcher, handler: () => void): void {
    const owned = this.#owned(handler);
    this.#observations[matcher.observation]!.push((observation, a, b) => {
      if (matches(m, matcher, observation, a, b)) owned();
    });
  }

  onRecord(tracepoint: number, handler: () => void): void {
    this.#records[tracepoint]!.push(this.#owned(handler));
  }

  onWrite(field: number, handler: (row: number) => void): void {
    this.#writes[field]!.push(this.#owned(handler));
  }

  /** A handler that says first whose it is. */
  #owned<A extends readonly number[]>(handler: (...args: A) => void): (...args: A) => void {
    const { looks, owner } = this;
    if (looks === null) return handler;
    return (...args) => {
      looks(owner, owner);
      handler(...args);
    };
  }

  wantsObservation(observation: number): boolean {
    return this.#observations[observation]!.length > 0;
  }

  wantsRecord(tracepoint: number): boolean {
    return this.#records[tracepoint]!.length > 0;
  }

  wantsRecords(): boolean {
    return this.#records.some(handlers => handlers.length > 0);
  }

  wantsWrite(field: number): boolean {
    return this.#writes[field]!.length > 0;
  }

  observed(observation: number, a: number, b: number): void {
    const handlers = this.#observations[observation]!;
    for (let index = 0; index < handlers.length; index += 1) handlers[index]!(observation, a, b);
  }

  recorded(): void {
    const handlers = this.#records[this.record.tracepoint]!;
    for (let index = 0; index < handlers.length; index += 1) handlers[index]!();
  }

  wrote(field: number, row: number): void {
    const handlers = this.#writes[field]!;
    for (let index = 0; index < handlers.length; index += 1) handlers[index]!(row);
  }

  stepped(): void {
    for (let index = 0; index < this.steps.length; index += 1) this.steps[index]!();
  }
}
