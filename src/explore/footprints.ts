/**
 * What each kind of step reads and writes, as the state itself reports it: nothing here is written down by hand.
 *
 * A cell is one field of one row. Steps are told apart by where they stand (a thread's program counter, and in a guest the
 * guest's), and belong to classes: the actors that may step. What is not known yet is learned while exploring; an
 * exploration that learned anything is begun again, until one learns nothing. Its conclusions then rest on footprints of
 * every step that it took, and, since each order that it left out has the same steps, of those that it did not take.
 */
import type { Machine } from '../sim/machine.ts';
import { compiledSchema } from '../sim/schema.ts';
import type { Footprint } from './world.ts';

/** The class of who looks: the judgements. And its key. */
export const OBSERVER = 1 << 30;
const LOOKING = Number.MIN_SAFE_INTEGER;

/** A thread's program counter is its own: where another sets it, it also sets the thread going, which is noted. */
const OWN: ReadonlySet<string> = new Set(['thread.at']);

const ON_RQ = compiledSchema.fieldNumber('thread.on_rq');
/** More than a program counter has values. */
const PLACES = 256;

const READ = 1;
const WRITE = 2;

/** What one kind of step does. */
export interface Kind {
  readonly flags: Uint8Array;
  /** Cells it reads or writes, in the order in which that was learned: cell * 2, + 1 if it writes. */
  cells: Int32Array;
  count: number;
  /** It lets be seen what some judgement watches. */
  observed: boolean;
}

export class Footprints implements Footprint {
  cells = 0;
  #first = new Int32Array(compiledSchema.fields.length);
  #counted = new Uint8Array(compiledSchema.fields.length);
  readonly #kinds = new Map<number, Kind>();
  /** By cell, the classes that ever read or wrote it, a bit each. */
  readers = new Int32Array(0);
  writers = new Int32Array(0);
  /** How much has been learned in all. */
  learned = 0;
  /** By thread and where it stands, the classes that wrote whether it runs. */
  #wakers = new Int32Array(0);
  #at: ArrayLike<number> = [];
  #kind: Kind | null = null;
  #bit = 0;
  #before: Kind | null = null;
  #bitBefore = 0;

  /** From here on it takes notes, of a machine and of all but the columns that cannot matter. */
  count(m: Machine, ignored: ReadonlySet<string>): void {
    let total = 0;
    this.#first = Int32Array.from(compiledSchema.fields, ({ table }) => {
      const first = total;
      total += Math.max(1, m.layout.tables[table as keyof typeof m.layout.tables].capacity);
      return first;
    });
    this.#counted = Uint8Array.from(compiledSchema.fields, ({ table, name, hashed }) =>
      hashed && !ignored.has(`${table}.${name}`) && !OWN.has(`${table}.${name}`) ? 1 : 0,
    );
    this.cells = total;
    this.#at = m.layout.column('thread', 'at').values;
    this.#wakers = new Int32Array(m.threads.length * PLACES);
    this.#kinds.clear();
    this.readers = new Int32Array(total);
    this.writers = new Int32Array(total);
  }

  cell(field: string, row: number): number {
    return this.#first[compiledSchema.fieldNumber(field)!]! + row;
  }

  cellName(cell: number): string {
    let field = 0;
    while (field + 1 < this.#first.length && this.#first[field + 1]! <= cell) field += 1;
    const { table, name } = compiledSchema.fields[field]!;
    return `${table}[${cell - this.#first[field]!}].${name}`;
  }

  /** What is done from here on is done by a step of this kind, of this class; `end()` when it is over. */
  begin(key: number, bit: number): Kind {
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = { flags: new Uint8Array(this.cells), cells: new Int32Array(16), count: 0, observed: false };
      this.#kinds.set(key, kind);
      this.learned += 1;
    }
    this.#kind = kind;
    this.#bit = bit;
    return kind;
  }

  lookBegins(seen: boolean): void {
    const kind = this.#kind;
    if (seen && kind !== null && !kind.observed) {
      kind.observed = true;
      this.learned += 1;
    }
    this.#before = kind;
    this.#bitBefore = this.#bit;
    this.begin(LOOKING, OBSERVER);
  }

  lookEnds(): void {
    this.#kind = this.#before;
    this.#bit = this.#bitBefore;
  }

  end(): void {
    this.#kind = null;
  }

  kindOf(key: number): Kind | undefined {
    return this.#kinds.get(key);
  }

  read(field: number, row: number): void {
    const kind = this.#kind;
    if (kind === null || this.#counted[field] === 0) return;
    const cell = this.#first[field]! + row;
    if ((this.readers[cell]! & this.#bit) === 0) {
      this.readers[cell] = this.readers[cell]! | this.#bit;
      this.learned += 1;
    }
    if ((kind.flags[cell]! & READ) !== 0) return;
    kind.flags[cell] = kind.flags[cell]! | READ;
    this.#note(kind, cell * 2);
  }

  write(field: number, row: number): void {
    const kind = this.#kind;
    if (kind === null || this.#counted[field] === 0) return;
    if (field === ON_RQ) this.#noteWaker(row);
    const cell = this.#first[field]! + row;
    if ((this.writers[cell]! & this.#bit) === 0) {
      this.writers[cell] = this.writers[cell]! | this.#bit;
      this.learned += 1;
    }
    if ((kind.flags[cell]! & WRITE) !== 0) return;
    kind.flags[cell] = kind.flags[cell]! | WRITE;
    this.#note(kind, cell * 2 + 1);
  }

  /** The classes that were ever seen to set a thread going from where it stands now, if that is a place to sleep. */
  wakersOf(thread: number): number {
    return this.#wakers[thread * PLACES + this.#at[thread]!]!;
  }

  #noteWaker(thread: number): void {
    const place = thread * PLACES + this.#at[thread]!;
    if ((this.#wakers[place]! & this.#bit) !== 0) return;
    this.#wakers[place] = this.#wakers[place]! | this.#bit;
    this.learned += 1;
  }

  #note(kind: Kind, entry: number): void {
    if (kind.count === kind.cells.length) {
      const wider = new Int32Array(kind.count * 2);
      wider.set(kind.cells);
      kind.cells = wider;
    }
    kind.cells[kind.count] = entry;
    kind.count += 1;
    this.learned += 1;
  }
}
