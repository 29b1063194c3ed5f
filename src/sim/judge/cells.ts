/**
 * The memory of the judgements: numbered cells and logs of samples, all of it saved and restored with the machine.
 *
 * Cells are handed out while a program's judgements are compiled and never after. A log only grows; its full chunks
 * are never written again, so a save shares them and copies the last one.
 */
import type { EntityKind } from '../attributes/attribute.ts';
import type { EventPattern } from '../expr.ts';

const CHUNK = 256;

/** A kind of things, of which each cell is about one, in the order of their rows; or events that are counted. */
export type About = EntityKind | readonly EventPattern[];

interface LogState {
  readonly chunks: readonly Float64Array[];
  readonly length: number;
}

/** Numbers in the order in which they came. */
export class Log {
  #chunks: Float64Array[] = [];
  #length = 0;
  /** The samples in order of size, and how many they were then: a cache, which a restore drops. */
  #sorted: Float64Array | null = null;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#chunks[Math.floor(index / CHUNK)]![index % CHUNK]!;
  }

  push(value: number): void {
    const offset = this.#length % CHUNK;
    if (offset === 0) this.#chunks.push(new Float64Array(CHUNK));
    this.#chunks[this.#chunks.length - 1]![offset] = value;
    this.#length += 1;
  }

  sorted(): Float64Array {
    if (this.#sorted?.length !== this.#length) {
      this.#sorted = Float64Array.from({ length: this.#length }, (_, index) => this.at(index)).sort();
    }
    return this.#sorted;
  }

  /** Forgets all samples. */
  clear(): void {
    this.#chunks = [];
    this.#length = 0;
    this.#sorted = null;
  }

  save(): LogState {
    const full = Math.floor(this.#length / CHUNK);
    return { chunks: this.#chunks.map((chunk, index) => (index < full ? chunk : chunk.slice())), length: this.#length };
  }

  restore(state: LogState): void {
    const full = Math.floor(state.length / CHUNK);
    this.#chunks = state.chunks.map((chunk, index) => (index < full ? chunk : chunk.slice()));
    this.#length = state.length;
    this.#sorted = null;
  }
}

export interface CellsState {
  readonly values: Float64Array;
  readonly logs: readonly LogState[];
  readonly texts: readonly string[];
}

/** Indices are handed out by the three `new…()`; the values live until the run ends. */
export class Cells {
  /** The numbers; grows only while judgements are compiled. */
  values = new Float64Array(64);
  readonly texts: string[] = [];
  /** Cells that are about something in particular. */
  readonly about: { readonly first: number; readonly count: number; readonly about: About }[] = [];
  readonly #logs: Log[] = [];
  #taken = 0;

  newCells(count: number, value = 0, about: About | null = null): number {
    const first = this.#taken;
    this.#taken += count;
    if (about !== null) this.about.push({ first, count, about });
    if (this.#taken > this.values.length) {
      const wider = new Float64Array(Math.max(this.#taken, 2 * this.values.length));
      wider.set(this.values);
      this.values = wider;
    }
    this.values.fill(value, first, this.#taken);
    return first;
  }

  newText(): number {
    return this.texts.push('') - 1;
  }

  newLog(): Log {
    const log = new Log();
    this.#logs.push(log);
    return log;
  }

  /** Numbers that copyTo() would write now. */
  get size(): number {
    let size = this.#taken;
    for (const log of this.#logs) size += 1 + log.length;
    return size;
  }

  /** All that is remembered but the texts, as plain numbers. */
  copyTo(into: Float64Array, offset: number): void {
    for (let index = 0; index < this.#taken; index += 1) into[offset + index] = this.values[index]!;
    let at = offset + this.#taken;
    for (const log of this.#logs) {
      into[at] = log.length;
      at += 1;
      for (let index = 0; index < log.length; index += 1) into[at + index] = log.at(index);
      at += log.length;
    }
  }

  copyFrom(from: Float64Array, offset: number): void {
    for (let index = 0; index < this.#taken; index += 1) this.values[index] = from[offset + index]!;
    let at = offset + this.#taken;
    for (const log of this.#logs) {
      const length = from[at]!;
      at += 1;
      log.clear();
      for (let index = 0; index < length; index += 1) log.push(from[at + index]!);
      at += length;
    }
  }

  save(): CellsState {
    return {
      values: this.values.slice(0, this.#taken),
      logs: this.#logs.map(log => log.save()),
      texts: this.texts.slice(),
    };
  }

  restore(state: CellsState): void {
    this.values.set(state.values);
    for (const [index, log] of this.#logs.entries()) log.restore(state.logs[index]!);
    state.texts.forEach((text, index) => {
      this.texts[index] = text;
    });
  }
}
