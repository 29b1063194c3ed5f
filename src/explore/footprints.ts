/**
 * What each kind of step reads and writes, as the state itself reports it: nothing here is written down by hand.
 *
 * A cell is one field of one row. Steps are told apart by where they stand (a thread's program counter, and in a guest the
 * guest's), and belong to classes: the actors that may step. What is not known yet is learned while exploring; an
 * exploration that learned anything is begun again, until one learns nothing. Its conclusions then rest on footprints of
 * every step that it took, and, since each order that it left out has the same steps, of those that it did not take.
 *
 * What is learned is a list of facts, and counts from when they are applied: between two levels, by all threads, so that it
 * makes no difference who came by them, or in which order.
 */
import { assert } from '../base/assert.ts';
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
/** The same bits, of what has been applied. */
const APPLIED = 2;

/** Classes that have a bit; all others share the last one. */
const MOST_CLASSES = 30;

/** What a fact says, before what it says it of: two numbers. */
const MET = 1;
const KIND = 2;
const SEEN = 3;
const TOUCHES = 4;
const READER = 5;
const WRITER = 6;
const WAKER = 7;
const FACT = 3;

/** What one kind of step does. */
export interface Kind {
  readonly flags: Uint8Array;
  /** Cells it reads or writes, in the order in which that was learned: cell * 2, + 1 if it writes. */
  cells: Int32Array;
  count: number;
  /** It lets be seen what some judgement watches: noted, and applied. */
  noted: boolean;
  observed: boolean;
  known: boolean;
}

/** What moves, kinds of steps, rows and sources are under other names. */
export interface Image {
  move(move: number): number;
  key(key: number): number;
  row(table: string, row: number): number;
  source(source: number): number;
}

export class Footprints implements Footprint {
  cells = 0;
  #first = new Int32Array(compiledSchema.fields.length);
  #counted = new Uint8Array(compiledSchema.fields.length);
  /** Cells beyond the fields: whether something is pending of each source. */
  #first_source = 0;
  readonly #kinds = new Map<number, Kind>();
  /** By cell, the classes that ever read or wrote it, a bit each. */
  readers = new Int32Array(0);
  writers = new Int32Array(0);
  /** The same with what has been noted and not been applied yet. */
  #noted_readers = new Int32Array(0);
  #noted_writers = new Int32Array(0);
  /** By thread and where it stands, the classes that wrote whether it runs. */
  #wakers = new Int32Array(0);
  #noted_wakers = new Int32Array(0);
  #at: ArrayLike<number> = [];
  /** Class + 1 of each move; 0 for one that has not been met. Given out as they are met: most never are. */
  classes = new Uint8Array(0);
  #met = new Uint8Array(0);
  #nr_classes = 0;
  /** Facts that were applied, in that order, and facts that are to be. */
  readonly #history: number[] = [];
  readonly #noted: number[] = [];
  #kind: Kind | null = null;
  #key = 0;
  /** The move that is made, or OBSERVER; and the bit of its class. */
  #who = 0;
  #bit = 0;
  /** What a fact is under other names: where names stand for others, whoever learns one learns them all. */
  images: readonly Image[] = [];
  #before: readonly [Kind | null, number, number, number] = [null, 0, 0, 0];

  /** From here on it takes notes, of a machine and of all but the columns that cannot matter. */
  count(m: Machine, moves: number, ignored: ReadonlySet<string>): void {
    let total = 0;
    this.#first = Int32Array.from(compiledSchema.fields, ({ table }) => {
      const first = total;
      total += Math.max(1, m.layout.tables[table as keyof typeof m.layout.tables].capacity);
      return first;
    });
    this.#counted = Uint8Array.from(compiledSchema.fields, ({ table, name, hashed }) =>
      hashed && !ignored.has(`${table}.${name}`) && !OWN.has(`${table}.${name}`) ? 1 : 0,
    );
    this.#first_source = total;
    total += m.places.sources;
    this.cells = total;
    this.#at = m.layout.column('thread', 'at').values;
    this.#wakers = new Int32Array(m.threads.length * PLACES);
    this.#noted_wakers = new Int32Array(m.threads.length * PLACES);
    this.#kinds.clear();
    this.#noted.length = 0;
    this.#history.length = 0;
    this.readers = new Int32Array(total);
    this.writers = new Int32Array(total);
    this.#noted_readers = new Int32Array(total);
    this.#noted_writers = new Int32Array(total);
    this.classes = new Uint8Array(moves);
    this.#met = new Uint8Array(moves);
  }

  /** How much is known. */
  get learned(): number {
    return this.#history.length / FACT;
  }

  /** Facts that have not been applied yet. */
  get noted(): readonly number[] {
    return this.#noted;
  }

  /** Facts that have been, in order: whoever applies them one by one knows as much. */
  get history(): readonly number[] {
    return this.#history;
  }

  /** Facts that somebody has noted. */
  note(facts: readonly number[]): void {
    for (const fact of facts) this.#noted.push(fact);
  }

  /** Takes facts as true from now on, from several threads in any order; its own are done with. */
  apply(facts: readonly (readonly number[])[]): void {
    const met = facts.flatMap(each => each.filter((_, index) => index % FACT === 1 && each[index - 1] === MET));
    for (const move of [...new Set(met)].sort((a, b) => a - b)) this.#apply(MET, move, 0);
    for (const each of facts) this.repeat(each);
    this.#noted.length = 0;
  }

  /** Takes facts as true, one by one. */
  repeat(facts: readonly number[]): void {
    for (let at = 0; at < facts.length; at += FACT) this.#apply(facts[at]!, facts[at + 1]!, facts[at + 2]!);
  }

  #apply(what: number, of: number, detail: number): void {
    if (!this.#learn(what, of, detail)) return;
    this.#history.push(what, of, detail);
    for (const image of this.images) {
      const [of_image, detail_image] = this.#imageOf(image, what, of, detail);
      this.#apply(what, of_image, detail_image);
    }
  }

  #imageOf(image: Image, what: number, of: number, detail: number): readonly [number, number] {
    switch (what) {
      case MET:
        return [image.move(of), detail];
      case READER:
      case WRITER:
        return [this.#cellUnder(image, of), image.move(detail)];
      case WAKER:
        return [image.move(Math.floor(of / PLACES)) * PLACES + (of % PLACES), image.move(detail)];
      case TOUCHES:
        return [this.#keyUnder(image, of), this.#cellUnder(image, detail >> 1) * 2 + (detail & 1)];
      default:
        return [this.#keyUnder(image, of), detail];
    }
  }

  #keyUnder(image: Image, key: number): number {
    return key === LOOKING ? key : image.key(key);
  }

  #cellUnder(image: Image, cell: number): number {
    if (cell >= this.#first_source) return this.#first_source + image.source(cell - this.#first_source);
    const field = this.#fieldOf(cell);
    const first = this.#first[field]!;
    return first + image.row(compiledSchema.fields[field]!.table, cell - first);
  }

  #fieldOf(cell: number): number {
    let [field, end] = [0, this.#first.length];
    while (end - field > 1) {
      const middle = (field + end) >> 1;
      if (this.#first[middle]! <= cell) field = middle;
      else end = middle;
    }
    return field;
  }

  /** False if it was known. */
  #learn(what: number, of: number, detail: number): boolean {
    switch (what) {
      case MET:
        if (this.classes[of] !== 0) return false;
        this.#met[of] = 1;
        this.#nr_classes += 1;
        this.classes[of] = Math.min(this.#nr_classes, MOST_CLASSES);
        return true;
      case READER:
        return add(this.readers, this.#noted_readers, of, this.#bitOf(detail));
      case WRITER:
        return add(this.writers, this.#noted_writers, of, this.#bitOf(detail));
      case WAKER:
        return add(this.#wakers, this.#noted_wakers, of, this.#bitOf(detail));
      default:
        return this.#learnKind(what, this.#kindAt(of), detail);
    }
  }

  #learnKind(what: number, kind: Kind, entry: number): boolean {
    if (what === KIND) {
      if (kind.known) return false;
      kind.known = true;
      return true;
    }
    if (what === SEEN) {
      kind.noted = true;
      if (kind.observed) return false;
      kind.observed = true;
      return true;
    }
    assert(what === TOUCHES, 'footprints: a fact');
    const cell = entry >> 1;
    const flag = (entry & 1) === 1 ? WRITE : READ;
    const flags = kind.flags[cell]!;
    kind.flags[cell] = flags | flag | (flag << APPLIED);
    if ((flags & (flag << APPLIED)) !== 0) return false;
    if (kind.count === kind.cells.length) {
      const wider = new Int32Array(kind.count * 2);
      wider.set(kind.cells);
      kind.cells = wider;
    }
    kind.cells[kind.count] = entry;
    kind.count += 1;
    return true;
  }

  /** A move that can be made, and that none has met before. */
  meet(move: number): void {
    if (this.#met[move] === 1) return;
    this.#met[move] = 1;
    this.#noted.push(MET, move, 0);
  }

  #bitOf(who: number): number {
    return who === OBSERVER ? OBSERVER : 1 << (this.classes[who]! - 1);
  }

  #kindAt(key: number): Kind {
    let kind = this.#kinds.get(key);
    if (!kind) {
      const flags = new Uint8Array(this.cells);
      kind = { flags, cells: new Int32Array(16), count: 0, noted: false, observed: false, known: false };
      this.#kinds.set(key, kind);
    }
    return kind;
  }

  cell(field: string, row: number): number {
    return this.#first[compiledSchema.fieldNumber(field)!]! + row;
  }

  sourceCell(source: number): number {
    return this.#first_source + source;
  }

  cellName(cell: number): string {
    if (cell >= this.#first_source) return `source ${cell - this.#first_source}`;
    let field = 0;
    while (field + 1 < this.#first.length && this.#first[field + 1]! <= cell) field += 1;
    const { table, name } = compiledSchema.fields[field]!;
    return `${table}[${cell - this.#first[field]!}].${name}`;
  }

  /** What is done from here on is done by a step of this kind, of the class of the move `who`; until end(). */
  begin(key: number, who: number): void {
    // What has just been met has no class yet. It will have one when it is met again.
    if (who !== OBSERVER && this.classes[who] === 0) {
      this.meet(who);
      return;
    }
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = this.#kindAt(key);
      this.#noted.push(KIND, key, 0);
    }
    this.#kind = kind;
    this.#key = key;
    this.#who = who;
    this.#bit = this.#bitOf(who);
  }

  lookBegins(seen: boolean): void {
    const kind = this.#kind;
    if (seen && kind !== null && !kind.noted) {
      kind.noted = true;
      this.#noted.push(SEEN, this.#key, 0);
    }
    this.#before = [kind, this.#key, this.#who, this.#bit];
    this.begin(LOOKING, OBSERVER);
  }

  lookEnds(): void {
    [this.#kind, this.#key, this.#who, this.#bit] = this.#before;
  }

  end(): void {
    this.#kind = null;
  }

  /** What is known of a kind of step; undefined where it has not been taken yet. */
  kindOf(key: number): Kind | undefined {
    const kind = this.#kinds.get(key);
    return kind?.known ? kind : undefined;
  }

  read(field: number, row: number): void {
    const kind = this.#kind;
    if (kind === null || this.#counted[field] === 0) return;
    const cell = this.#first[field]! + row;
    if ((this.#noted_readers[cell]! & this.#bit) === 0) {
      this.#noted_readers[cell] = this.#noted_readers[cell]! | this.#bit;
      this.#noted.push(READER, cell, this.#who);
    }
    if ((kind.flags[cell]! & READ) !== 0) return;
    kind.flags[cell] = kind.flags[cell]! | READ;
    this.#noted.push(TOUCHES, this.#key, cell * 2);
  }

  write(field: number, row: number): void {
    const kind = this.#kind;
    if (kind === null || this.#counted[field] === 0) return;
    if (field === ON_RQ) this.#noteWaker(row);
    this.#wrote(kind, this.#first[field]! + row);
  }

  /** Something has become pending of a source, or no longer is: no field says so. */
  pending(source: number): void {
    if (this.#kind !== null) this.#wrote(this.#kind, this.#first_source + source);
  }

  #wrote(kind: Kind, cell: number): void {
    if ((this.#noted_writers[cell]! & this.#bit) === 0) {
      this.#noted_writers[cell] = this.#noted_writers[cell]! | this.#bit;
      this.#noted.push(WRITER, cell, this.#who);
    }
    if ((kind.flags[cell]! & WRITE) !== 0) return;
    kind.flags[cell] = kind.flags[cell]! | WRITE;
    this.#noted.push(TOUCHES, this.#key, cell * 2 + 1);
  }

  /** The classes that were ever seen to set a thread going from where it stands now, if that is a place to sleep. */
  wakersOf(thread: number): number {
    return this.#wakers[thread * PLACES + this.#at[thread]!]!;
  }

  #noteWaker(thread: number): void {
    const place = thread * PLACES + this.#at[thread]!;
    if ((this.#noted_wakers[place]! & this.#bit) !== 0) return;
    this.#noted_wakers[place] = this.#noted_wakers[place]! | this.#bit;
    this.#noted.push(WAKER, place, this.#who);
  }
}

/** Adds the bit of a class, as noted and as applied; false if it had been applied. */
function add(applied: Int32Array, noted: Int32Array, at: number, bit: number): boolean {
  noted[at] = noted[at]! | bit;
  if ((applied[at]! & bit) !== 0) return false;
  applied[at] = applied[at]! | bit;
  return true;
}
