/**
 * Numbers for whatever a step can touch: fields of rows, and what stands in no field.
 *
 * In this order: each field of each row; of each source, whether anything is pending; how much of each budget has been
 * spent; of each field by which rows are looked for, whether there are any with a value; and where each thread stands, as
 * such and by what standing.ts answers of it.
 */
import { compiledSchema } from '../sim/schema.ts';
import { SEARCHED, type Searched } from '../sim/search.ts';
import { STANDINGS } from '../sim/standing.ts';
import type { World } from './world.ts';

/** Cells for the values of a field by which rows are looked for: several to a cell. */
const KEY_BITS = 8;
const KEY_VALUES = 2 ** KEY_BITS;
const HALF = KEY_BITS / 2;
const HALF_MASK = 2 ** HALF - 1;
/** A token is a counter and below it the vCPU's number. */
const TOKEN_CPU_BITS = 12;

/** Of a free frame: nobody's. */
export const FREE = -1;

/** What moves, kinds of steps, rows and sources are under other names. */
export interface Image {
  move(move: number): number;
  key(key: number): number;
  row(table: string, row: number): number;
  source(source: number): number;
  /** Parts of the judgements; see Hooks in sim/judge/hooks.ts. */
  part(part: number): number;
}

export class Cells {
  length = 0;
  #first = new Int32Array(compiledSchema.fields.length);
  /** By field, whether its rows are frames. Those are called by the page that they hold; see sim/meaning.ts. */
  #of_frames = new Uint8Array(compiledSchema.fields.length);
  #pages: { readonly values: ArrayLike<number>; readonly first: number; readonly step: number } = NO_PAGES;
  #frames = 0;
  #first_source = 0;
  #first_budget = 0;
  /** From here on: whether there are rows with a value. Whoever adds one is in nobody's way who adds another. */
  first_key = 0;
  /** From here on: where threads stand. Nobody but a judgement asks for that. */
  first_place = 0;
  /** Names stand for others. */
  renamed = false;
  #vms = 1;
  #vcpus = 1;

  /** Gives the numbers. */
  count({ m, budgets }: World, ignored: ReadonlySet<string>): void {
    let total = 0;
    // Where which free frame a page gets makes no difference, free ones are nobody's.
    const anonymous = ignored.has('host.free_head');
    this.#first = Int32Array.from(compiledSchema.fields, ({ table }) => {
      const first = total;
      const { capacity } = m.layout.tables[table as keyof typeof m.layout.tables];
      total += Math.max(1, table === 'frame' && anonymous ? m.hva.capacity : capacity);
      return first;
    });
    this.#of_frames = Uint8Array.from(compiledSchema.fields, ({ table }) => (table === 'frame' && anonymous ? 1 : 0));
    const { values, first, step } = m.layout.column('frame', 'hva');
    this.#pages = { values, first, step };
    this.#frames = anonymous ? m.frame.capacity : 0;
    this.#vms = m.vms.length;
    this.#vcpus = m.vcpus.length;
    this.#first_source = total;
    this.#first_budget = this.#first_source + m.places.sources;
    this.first_key = this.#first_budget + budgets.length;
    this.first_place = this.first_key + SEARCHED.length * KEY_VALUES;
    this.length = this.first_place + m.threads.length * (1 + STANDINGS);
  }

  /** Of a field by its number; FREE where its row is a free frame. */
  of(field: number, row: number): number {
    if (this.#of_frames[field] === 0) return this.#first[field]! + row;
    const page = this.#pageOf(row);
    return page < 0 ? FREE : this.#first[field]! + page;
  }

  /** Of a field of whatever is called by this number: of a frame, the page that it is to hold. */
  under(field: number, row: number): number {
    return this.#first[field]! + row;
  }

  named(field: string, row: number): number {
    return this.#first[compiledSchema.fieldNumber(field)!]! + row;
  }

  source(source: number): number {
    return this.#first_source + source;
  }

  budget(group: number): number {
    return this.#first_budget + group;
  }

  /** Of all rows that have such a value in that field, by its number in SEARCHED. */
  key(key: number, value: number): number {
    return this.first_key + key * KEY_VALUES + this.#valueAt(SEARCHED[key]!, value);
  }

  #valueAt(field: Searched, value: number): number {
    switch (field) {
      case 'thread.wait_id': {
        // Threads that wait for a frame wait for the page that it is to hold.
        const page = value < this.#frames ? this.#pageOf(value) : -1;
        return (page < 0 ? value : page) & (KEY_VALUES - 1);
      }
      case 'node.vcpu':
        return value & (KEY_VALUES - 1);
      case 'node.token':
        // Under other names it is another vCPU's; of which VM, it does not say.
        if (this.renamed && this.#vms > 1) return 0;
        return (((value >>> TOKEN_CPU_BITS) & HALF_MASK) << HALF) | (value & HALF_MASK);
      case 'vcpu.bucket_lock':
        return this.renamed ? 0 : value & (KEY_VALUES - 1);
    }
  }

  #imageOfKey(image: Image, cell: number): number {
    const value = (cell - this.first_key) % KEY_VALUES;
    const vcpu = (id: number) => (id < this.#vcpus ? image.row('vcpu', id) : id);
    switch (SEARCHED[Math.floor((cell - this.first_key) / KEY_VALUES)]!) {
      case 'node.vcpu':
        return value === 0 ? cell : cell - value + vcpu(value - 1) + 1;
      case 'node.token':
        return value === 0 ? cell : cell - (value & HALF_MASK) + vcpu(value & HALF_MASK);
      default:
        return cell;
    }
  }

  /** Where a thread stands; behind it the answers of standing.ts. */
  place(thread: number): number {
    return this.first_place + thread * (1 + STANDINGS);
  }

  /** The same cell under other names. */
  image(image: Image, cell: number): number {
    if (cell >= this.first_place) {
      const question = (cell - this.first_place) % (1 + STANDINGS);
      return this.place(image.move((cell - question - this.first_place) / (1 + STANDINGS))) + question;
    }
    if (cell >= this.first_key) return this.#imageOfKey(image, cell);
    // Budgets are the same under any names.
    if (cell >= this.#first_budget) return cell;
    if (cell >= this.#first_source) return this.source(image.source(cell - this.#first_source));
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

  /** The page that a frame holds, -1 where it is free. */
  #pageOf(pfn: number): number {
    const { values, first, step } = this.#pages;
    return values[first + pfn * step]! - 1;
  }
}

const NO_PAGES = { values: [], first: 0, step: 1 };
