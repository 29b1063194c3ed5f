/**
 * What each kind of step reads and writes, and which comes after which, as the state itself reports it: nothing here is
 * written down by hand.
 *
 * A cell is one field of one row. A kind of step is where a mover stands (standpoint.ts). What is not known yet is learned
 * while exploring; an exploration that learned anything is begun again, until one learns nothing. Its conclusions then rest
 * on footprints of every step that it took, and, since each order that it left out has the same steps, of those that it
 * did not take.
 *
 * What is learned is a list of facts, and counts from when they are applied: between two levels, by all threads, so that it
 * makes no difference who came by them, or in which order.
 */
import { assert } from '../base/assert.ts';
import { compiledSchema } from '../sim/schema.ts';
import { SEARCHED, SEARCHED_FIELDS } from '../sim/search.ts';
import { STANDING, STANDINGS } from '../sim/standing.ts';
import { Kind, READ, WRITE } from './kind.ts';
import type { Standpoint } from './standpoint.ts';
import type { Footprint, World } from './world.ts';

/** Who looks: the judgements, and the scenario's `when`. It has no move; its key is none of a step. */
export const OBSERVER = 1 << 30;
const LOOKING = Number.MIN_SAFE_INTEGER;

/** A thread's program counter is its own: where another sets it, that is where the thread goes on. */
const OWN: ReadonlySet<string> = new Set(['thread.at']);

const NO_PAGES = { values: [], first: 0, step: 1 };
const FREE = -1;

const AT_FIELD = compiledSchema.fieldNumber('thread.at');
const FRAME_HVA = compiledSchema.fieldNumber('frame.hva');
const WAIT_ID = compiledSchema.fieldNumber('thread.wait_id');
const ON_RQ = compiledSchema.fieldNumber('thread.on_rq');
/** Cells for the values of a field by which rows are looked for. */
const KEY_BITS = 8;
const KEY_VALUES = 2 ** KEY_BITS;
/** More than a program counter has values. */
const PLACES = 256;

/** Parts of the judgements that have a bit after the first, which is the scenario's; all others share the last one. */
const MOST_PARTS = 30;
/** Classes that have a bit; all others share the last one. */
const MOST_CLASSES = 30;

/** What a fact says, before what it says it of: two numbers. */
const MET = 1;
const KIND = 2;
const SEEN = 3;
const TOUCHES = 4;
const FOLLOWS = 5;
const WAKER = 6;
const WATCHED = 7;
const FACT = 3;

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
  /** By field, whether its rows are frames. Those are called by the page that they hold; see sim/meaning.ts. */
  #of_frames = new Uint8Array(compiledSchema.fields.length);
  #pages: { readonly values: ArrayLike<number>; readonly first: number; readonly step: number } = NO_PAGES;
  #counted = new Uint8Array(compiledSchema.fields.length);
  /** Cells beyond the fields: whether something is pending of each source. */
  #first_source = 0;
  /** And how much of each budget has been spent. */
  #first_group = 0;
  /** And for the values of each field by which rows are looked for, whether there are any; several to a cell. */
  first_key = 0;
  /** The field by which rows are being looked for. */
  #sought = -1;
  /** And where each thread stands: as such, and what standing.ts answers of it. Nobody but a judgement asks for that. */
  first_place = 0;
  readonly #kinds = new Map<number, Kind>();
  /** All kinds that are known, or come after one that is. */
  readonly kinds: Kind[] = [];
  /** What the scenario does when something is so. */
  looking: Kind | null = null;
  /** By cell, who looks at it, a bit for each part of the judgements. */
  watchers = new Int32Array(0);
  #noted_watchers = new Int32Array(0);
  /** By thread and where it stands, the classes that wrote whether it runs. */
  #wakers = new Int32Array(0);
  #noted_wakers = new Int32Array(0);
  #threads = 0;
  #frames = 0;
  #at: ArrayLike<number> = [];
  #standpoint: Standpoint | null = null;
  /** Class + 1 of each move; 0 for one that has not been met. Given out as they are met: most never are. */
  classes = new Uint8Array(0);
  #met = new Uint8Array(0);
  #nr_classes = 0;
  /** Facts that were applied, in that order, and facts that are to be. */
  readonly #history: number[] = [];
  readonly #noted: number[] = [];
  #kind: Kind | null = null;
  /** The move that is made, or OBSERVER; and the bit of its class. */
  #who = 0;
  #bit = 0;
  /** Where each thread stood before the move, and its program counter. */
  #keys = new Float64Array(0);
  #from = 0;
  /** The part that looks; the kind of step that lets it see something, if that is why it looks. */
  #part = 0;
  #seen: Kind | null = null;
  /** The thread, + 1, of which a question about its place is asked: what is read of that is the answer. */
  #asked = 0;
  /** What a fact is under other names: where names stand for others, whoever learns one learns them all. */
  images: readonly Image[] = [];
  #before: readonly [Kind | null, number, number] = [null, 0, 0];

  /** From here on it takes notes, of a machine and of all but the columns that cannot matter. */
  count({ m, moves, budgets }: World, ignored: ReadonlySet<string>, standpoint: Standpoint): void {
    let total = 0;
    // Where which free frame a page gets makes no difference, free ones are nobody's.
    const anonymous = ignored.has('host.free_head');
    this.#first = Int32Array.from(compiledSchema.fields, ({ table }) => {
      const first = total;
      const { capacity } = m.layout.tables[table as keyof typeof m.layout.tables];
      total += Math.max(1, table === 'frame' && anonymous ? m.hva.capacity : capacity);
      return first;
    });
    this.#counted = Uint8Array.from(compiledSchema.fields, ({ table, name, hashed }) =>
      hashed && !ignored.has(`${table}.${name}`) && !OWN.has(`${table}.${name}`) ? 1 : 0,
    );
    this.#of_frames = Uint8Array.from(compiledSchema.fields, ({ table }) => (table === 'frame' && anonymous ? 1 : 0));
    const { values, first, step } = m.layout.column('frame', 'hva');
    this.#pages = { values, first, step };
    this.#first_source = total;
    total += m.places.sources;
    this.#first_group = total;
    total += budgets.length;
    this.first_key = total;
    total += SEARCHED.length * KEY_VALUES;
    this.first_place = total;
    total += m.threads.length * (1 + STANDINGS);
    this.cells = total;
    this.#threads = m.threads.length;
    this.#frames = anonymous ? m.frame.capacity : 0;
    this.#at = m.layout.column('thread', 'at').values;
    this.#standpoint = standpoint;
    this.#keys = new Float64Array(m.threads.length);
    this.#wakers = new Int32Array(m.threads.length * PLACES);
    this.#noted_wakers = new Int32Array(m.threads.length * PLACES);
    this.#kinds.clear();
    this.kinds.length = 0;
    this.looking = null;
    this.#noted.length = 0;
    this.#history.length = 0;
    this.watchers = new Int32Array(total);
    this.#noted_watchers = new Int32Array(total);
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
      case WATCHED:
        return [this.#cellUnder(image, of), detail];
      case WAKER:
        return [image.move(Math.floor(of / PLACES)) * PLACES + (of % PLACES), image.move(detail)];
      case TOUCHES:
        return [this.#keyUnder(image, of), this.#cellUnder(image, detail >> 1) * 2 + (detail & 1)];
      case FOLLOWS:
        return [this.#keyUnder(image, of), this.#keyUnder(image, detail)];
      default:
        return [this.#keyUnder(image, of), detail];
    }
  }

  #keyUnder(image: Image, key: number): number {
    return key === LOOKING ? key : image.key(key);
  }

  #cellUnder(image: Image, cell: number): number {
    if (cell >= this.first_place) {
      const place = cell - this.first_place;
      const question = place % (1 + STANDINGS);
      return this.first_place + image.move((place - question) / (1 + STANDINGS)) * (1 + STANDINGS) + question;
    }
    // Budgets and values by which rows are looked for are the same under any names.
    if (cell >= this.#first_group) return cell;
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
      case WATCHED:
        return add(this.watchers, this.#noted_watchers, of, detail);
      case WAKER:
        return add(this.#wakers, this.#noted_wakers, of, this.#bitOf(detail));
      case FOLLOWS:
        return this.#kindAt(of).learnNext(this.#kindAt(detail));
      case SEEN:
        return this.#kindAt(of).learnSeen(detail);
      case KIND:
        return this.#kindAt(of).learn();
      default:
        assert(what === TOUCHES, 'footprints: a fact');
        return this.#kindAt(of).learnCell(detail >> 1, (detail & 1) === 1 ? WRITE : READ);
    }
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
      kind = new Kind(key, this.kinds.length);
      this.#kinds.set(key, kind);
      this.kinds.push(kind);
      if (key === LOOKING) this.looking = kind;
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
    if (cell >= this.first_place) return `place ${cell - this.first_place}`;
    if (cell >= this.first_key) return `key ${cell - this.first_key}`;
    if (cell >= this.#first_group) return `budget ${cell - this.#first_group}`;
    if (cell >= this.#first_source) return `source ${cell - this.#first_source}`;
    const field = this.#fieldOf(cell);
    const { table, name } = compiledSchema.fields[field]!;
    return `${table}[${cell - this.#first[field]!}].${name}`;
  }

  /** What is done from here on is done by a step of this kind, of the class of the move `who`; until end(). */
  begin(key: number, who: number): void {
    // What has just been met has no class yet. It will have one when it is met again.
    if (this.classes[who] === 0) {
      this.meet(who);
      return;
    }
    const keys = this.#keys;
    for (let thread = 0; thread < keys.length; thread += 1) keys[thread] = this.#standpoint!.keyOf(thread);
    this.#from = who < this.#threads ? this.#at[who]! : 0;
    this.#begin(key, who);
  }

  #begin(key: number, who: number): void {
    let kind = this.#kinds.get(key);
    if (!kind?.noted) {
      kind = this.#kindAt(key);
      kind.noted = true;
      this.#noted.push(KIND, key, 0);
    }
    this.#kind = kind;
    this.#who = who;
    this.#bit = this.#bitOf(who);
  }

  lookBegins(seen: boolean): void {
    this.#before = [this.#kind, this.#who, this.#bit];
    this.#seen = seen ? this.#kind : null;
    this.#begin(LOOKING, OBSERVER);
    this.#part = 1;
  }

  looks(part: number, owner: number): void {
    // Under other names the parts of a judgement are each other's.
    const bit = 1 << Math.min(this.images.length > 0 ? owner : part, MOST_PARTS);
    this.#part = bit;
    const kind = this.#seen;
    if (kind?.noteSeen(bit)) this.#noted.push(SEEN, kind.key, bit);
  }

  lookEnds(): void {
    this.#seen = null;
    [this.#kind, this.#who, this.#bit] = this.#before;
  }

  end(): void {
    const kind = this.#kind;
    if (kind === null) return;
    this.#kind = null;
    const who = this.#who;
    if (who < this.#threads) this.#stood(kind, who, STANDING[this.#from]! ^ STANDING[this.#at[who]!]!);
    const keys = this.#keys;
    for (let thread = 0; thread < keys.length; thread += 1) {
      const key = this.#standpoint!.keyOf(thread);
      if (key !== keys[thread]) this.#follows(keys[thread]!, key);
    }
  }

  #follows(key: number, next: number): void {
    if (this.#kindAt(key).noteNext(next)) this.#noted.push(FOLLOWS, key, next);
  }

  /** A judgement asks where a thread stands; see sim/standing.ts. */
  stands(question: number, thread: number): void {
    if (this.#who !== OBSERVER || this.#kind === null) return;
    this.#asked = thread + 1;
    this.#watch(this.first_place + thread * (1 + STANDINGS) + 1 + question);
  }

  /** A thread has gone on, and these answers about where it stands have changed. */
  #stood(kind: Kind, thread: number, answers: number): void {
    const first = this.first_place + thread * (1 + STANDINGS);
    this.#touch(kind, first, WRITE);
    for (let rest = answers; rest !== 0; rest &= rest - 1)
      this.#touch(kind, first + 32 - Math.clz32(rest & -rest), WRITE);
  }

  /** What is known of a kind of step; undefined where it has not been taken yet. */
  kindOf(key: number): Kind | undefined {
    const kind = this.#kinds.get(key);
    return kind?.known ? kind : undefined;
  }

  /** The same, of one that may only be known to come after another. */
  standing(key: number): Kind | undefined {
    return this.#kinds.get(key);
  }

  read(field: number, row: number): void {
    const kind = this.#kind;
    if (kind === null) return;
    if (this.#who === OBSERVER) {
      this.#look(field, row);
      return;
    }
    if (this.#counted[field] === 0 || field === this.#sought) return;
    const cell = this.#cellOf(field, row);
    if (cell !== FREE) this.#touch(kind, cell, READ);
  }

  #cellOf(field: number, row: number): number {
    if (this.#of_frames[field] === 0) return this.#first[field]! + row;
    const page = this.#pageOf(row);
    return page < 0 ? FREE : this.#first[field]! + page;
  }

  /** The page that a frame holds, -1 where it is free. */
  #pageOf(pfn: number): number {
    const { values, first, step } = this.#pages;
    return values[first + pfn * step]! - 1;
  }

  #look(field: number, row: number): void {
    if (field === AT_FIELD) {
      if (this.#asked !== row + 1) this.#watch(this.first_place + row * (1 + STANDINGS));
      this.#asked = 0;
    } else if (this.#counted[field] !== 0) {
      const cell = this.#cellOf(field, row);
      if (cell !== FREE) this.#watch(cell);
    }
  }

  #watch(cell: number): void {
    const part = this.#part;
    if ((this.#noted_watchers[cell]! & part) !== 0) return;
    this.#noted_watchers[cell] = this.#noted_watchers[cell]! | part;
    this.#noted.push(WATCHED, cell, part);
  }

  /** Writing what is there already says no more than that it is there. */
  write(field: number, row: number, was: number, is: number): void {
    const changes = was !== is;
    const kind = this.#kind;
    if (kind === null) return;
    if (field === AT_FIELD && row !== this.#who) this.#stood(kind, row, (1 << STANDINGS) - 1);
    if (this.#counted[field] === 0) return;
    if (field === ON_RQ && changes) this.#noteWaker(row);
    const cell = this.#cellOf(field, row);
    if (cell !== FREE) this.#touch(kind, cell, changes ? WRITE : READ);
    // A free frame gets a name.
    if (field === FRAME_HVA && cell === FREE && is > 0) this.#touch(kind, this.#first[field]! + is - 1, WRITE);
    const key = changes ? SEARCHED_FIELDS.indexOf(field) : -1;
    if (key < 0) return;
    this.#touch(kind, this.#keyCell(key, was), WRITE);
    this.#touch(kind, this.#keyCell(key, is), WRITE);
  }

  search(key: number, value: number): void {
    this.#sought = key < 0 ? -1 : SEARCHED_FIELDS[key]!;
    if (key >= 0 && this.#kind !== null && this.#who !== OBSERVER)
      this.#touch(this.#kind, this.#keyCell(key, value), READ);
  }

  /** Of all rows that have such a value in that field. */
  #keyCell(key: number, value: number): number {
    // Threads that wait for a frame wait for the page that it is to hold.
    const page = SEARCHED_FIELDS[key] === WAIT_ID && value < this.#frames ? this.#pageOf(value) : -1;
    // Under other names it may be any value.
    const what = this.images.length > 0 ? 0 : page < 0 ? value : page;
    return this.first_key + key * KEY_VALUES + (Math.imul(what, 0x9e37_79b1) >>> (32 - KEY_BITS));
  }

  spends(group: number): void {
    if (this.#kind !== null) this.#touch(this.#kind, this.#first_group + group, WRITE);
  }

  /** Something has become pending of a source, or no longer is: no field says so. */
  pending(source: number): void {
    if (this.#kind !== null) this.#touch(this.#kind, this.#first_source + source, WRITE);
  }

  #touch(kind: Kind, cell: number, how: number): void {
    if (kind.noteCell(cell, how)) this.#noted.push(TOUCHES, kind.key, cell * 2 + (how === WRITE ? 1 : 0));
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

/** Adds a bit, as noted and as applied; false if it had been applied. */
function add(applied: Int32Array, noted: Int32Array, at: number, bit: number): boolean {
  noted[at] = noted[at]! | bit;
  if ((applied[at]! & bit) !== 0) return false;
  applied[at] = applied[at]! | bit;
  return true;
}
