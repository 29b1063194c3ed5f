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
import { SEARCHED_FIELDS } from '../sim/search.ts';
import { STANDING, STANDINGS } from '../sim/standing.ts';
import { Cells, FREE, type Image } from './cells.ts';
import { Kind, READ, WRITE } from './kind.ts';
import type { Standpoint } from './standpoint.ts';
import type { Footprint, World } from './world.ts';

/** Who looks: the judgements, and the scenario's `when`. It has no move; its key is none of a step. */
export const OBSERVER = 1 << 30;
const LOOKING = Number.MIN_SAFE_INTEGER;

/** A thread's program counter is its own: where another sets it, that is where the thread goes on. */
const OWN: ReadonlySet<string> = new Set(['thread.at']);

const AT_FIELD = compiledSchema.fieldNumber('thread.at');
const FRAME_HVA = compiledSchema.fieldNumber('frame.hva');
const ON_RQ = compiledSchema.fieldNumber('thread.on_rq');
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

export class Footprints implements Footprint {
  readonly cells = new Cells();
  #counted = new Uint8Array(compiledSchema.fields.length);
  /** The field by which rows are being looked for. */
  #sought = -1;
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
  #before_at = new Uint16Array(0);
  #from = 0;
  /** The part that looks; the kind of step that lets it see something, if that is why it looks. */
  #part = 0;
  #seen: Kind | null = null;
  /** The thread, + 1, of which a question about its place is asked: what is read of that is the answer. */
  #asked = 0;
  /** What a fact is under other names: where names stand for others, whoever learns one learns them all. */
  #images: readonly Image[] = [];
  /** What judgements fall into is told apart. */
  #apart = true;
  #before: readonly [Kind | null, number, number] = [null, 0, 0];

  /** From here on it takes notes, of a machine and of all but the columns that cannot matter. */
  count(world: World, ignored: ReadonlySet<string>, standpoint: Standpoint): void {
    const { m, moves } = world;
    this.cells.count(world, ignored);
    this.#counted = Uint8Array.from(compiledSchema.fields, ({ table, name, hashed }) =>
      hashed && !ignored.has(`${table}.${name}`) && !OWN.has(`${table}.${name}`) ? 1 : 0,
    );
    this.#threads = m.threads.length;
    this.#at = m.layout.column('thread', 'at').values;
    this.#standpoint = standpoint;
    this.#keys = new Float64Array(m.threads.length);
    this.#before_at = new Uint16Array(m.threads.length);
    this.#wakers = new Int32Array(m.threads.length * PLACES);
    this.#noted_wakers = new Int32Array(m.threads.length * PLACES);
    this.#kinds.clear();
    this.kinds.length = 0;
    this.looking = null;
    this.#noted.length = 0;
    this.#history.length = 0;
    this.watchers = new Int32Array(this.cells.length);
    this.#noted_watchers = new Int32Array(this.cells.length);
    this.classes = new Uint8Array(moves);
    this.#met = new Uint8Array(moves);
  }

  /** From here on names stand for others: these are all that they stand for. `parts`: how many the judgements have. */
  rename(images: readonly Image[], parts: number): void {
    this.#images = images;
    // Parts that share a bit have no names of their own.
    this.#apart = parts <= MOST_PARTS;
    this.cells.renamed = images.length > 0;
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
    for (const image of this.#images) {
      const [of_image, detail_image] = this.#imageOf(image, what, of, detail);
      this.#apply(what, of_image, detail_image);
    }
  }

  #imageOf(image: Image, what: number, of: number, detail: number): readonly [number, number] {
    switch (what) {
      case MET:
        return [image.move(of), detail];
      case WATCHED:
        return [this.cells.image(image, of), bitUnder(image, detail)];
      case WAKER:
        return [image.move(Math.floor(of / PLACES)) * PLACES + (of % PLACES), image.move(detail)];
      case TOUCHES:
        return [this.#keyUnder(image, of), this.cells.image(image, detail >> 1) * 2 + (detail & 1)];
      case FOLLOWS:
        return [this.#keyUnder(image, of), this.#keyUnder(image, detail)];
      case SEEN:
        return [this.#keyUnder(image, of), bitUnder(image, detail)];
      default:
        return [this.#keyUnder(image, of), detail];
    }
  }

  #keyUnder(image: Image, key: number): number {
    return key === LOOKING ? key : image.key(key);
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

  /** What is done from here on is done by a step of this kind, of the class of the move `who`; until end(). */
  begin(key: number, who: number): void {
    // What has just been met has no class yet. It will have one when it is met again.
    if (this.classes[who] === 0) {
      this.meet(who);
      return;
    }
    const standpoint = this.#standpoint!;
    for (const thread of standpoint.vcpu_threads) this.#keys[thread] = standpoint.keyOf(thread);
    this.#before_at.set(this.#at);
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
    const bit = 1 << Math.min(this.#apart ? part : owner, MOST_PARTS);
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
    const standpoint = this.#standpoint!;
    for (const thread of standpoint.vcpu_threads) {
      const key = standpoint.keyOf(thread);
      if (key !== this.#keys[thread]) this.#follows(this.#keys[thread]!, key);
    }
    for (let thread = 0; thread < this.#threads; thread += 1) {
      const [before, at] = [this.#before_at[thread]!, this.#at[thread]!];
      if (before === at || standpoint.vcpu_threads.includes(thread)) continue;
      this.#follows(standpoint.keyAt(thread, before), standpoint.keyAt(thread, at));
    }
  }

  #follows(key: number, next: number): void {
    if (this.#kindAt(key).noteNext(next)) this.#noted.push(FOLLOWS, key, next);
  }

  /** A judgement asks where a thread stands; see sim/standing.ts. */
  stands(question: number, thread: number): void {
    if (this.#who !== OBSERVER || this.#kind === null) return;
    this.#asked = thread + 1;
    this.#watch(this.cells.place(thread) + 1 + question);
  }

  /** A thread has gone on, and these answers about where it stands have changed. */
  #stood(kind: Kind, thread: number, answers: number): void {
    const first = this.cells.place(thread);
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
    const cell = this.cells.of(field, row);
    if (cell !== FREE) this.#touch(kind, cell, READ);
  }

  #look(field: number, row: number): void {
    if (field === AT_FIELD) {
      if (this.#asked !== row + 1) this.#watch(this.cells.place(row));
      this.#asked = 0;
    } else if (this.#counted[field] !== 0) {
      const cell = this.cells.of(field, row);
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
    const cell = this.cells.of(field, row);
    if (cell !== FREE) this.#touch(kind, cell, changes ? WRITE : READ);
    // A free frame gets a name.
    if (field === FRAME_HVA && cell === FREE && is > 0) this.#touch(kind, this.cells.under(field, is - 1), WRITE);
    const key = changes ? SEARCHED_FIELDS.indexOf(field) : -1;
    if (key < 0) return;
    this.#touch(kind, this.cells.key(key, was), WRITE);
    this.#touch(kind, this.cells.key(key, is), WRITE);
  }

  search(key: number, value: number): void {
    this.#sought = key < 0 ? -1 : SEARCHED_FIELDS[key]!;
    if (key >= 0 && this.#kind !== null && this.#who !== OBSERVER)
      this.#touch(this.#kind, this.cells.key(key, value), READ);
  }

  spends(group: number): void {
    if (this.#kind !== null) this.#touch(this.#kind, this.cells.budget(group), WRITE);
  }

  /** Something has become pending of a source, or no longer is: no field says so. */
  pending(source: number): void {
    if (this.#kind !== null) this.#touch(this.#kind, this.cells.source(source), WRITE);
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

/** A bit for one part of the judgements, under other names. */
function bitUnder(image: Image, bit: number): number {
  return 1 << Math.min(image.part(31 - Math.clz32(bit)), MOST_PARTS);
}

/** Adds a bit, as noted and as applied; false if it had been applied. */
function add(applied: Int32Array, noted: Int32Array, at: number, bit: number): boolean {
  noted[at] = noted[at]! | bit;
  if ((applied[at]! & bit) !== 0) return false;
  applied[at] = applied[at]! | bit;
  return true;
}
