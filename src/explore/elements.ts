/**
 * What of a state is under another name where vCPUs have changed places: columns whose rows move or whose values name what
 * moves, and cells of the judgements.
 */
import { assert } from '../base/assert.ts';
import type { Column } from '../base/table.ts';
import type { Entity } from '../sim/expr.ts';
import type { Machine } from '../sim/machine.ts';
import type { Meaning } from '../sim/meaning.ts';
import { compiledSchema, type S } from '../sim/schema.ts';
import { textUnder } from './alike.ts';
import type { Renaming } from './renaming.ts';
import type { World } from './world.ts';

/** Values of one column of the state; `positions` count values of its type from the beginning of the state. */
export interface Part {
  readonly positions: Int32Array;
  /** What stands there names something of that kind; null for what is no name. */
  readonly of: string | null;
  readonly from: 0 | 1;
  readonly table: string;
  readonly rows: Int32Array;
  readonly per_row: number;
  /** The first of its elements. */
  readonly first: number;
  /** Whether 0 stays 0 whatever the names are. */
  readonly has_none: boolean;
}

/** By table, the vCPU that each row belongs to. */
export function ownersOf({ m }: World): ReadonlyMap<string, Int32Array> {
  const { places } = m;
  const none = (rows: number) => new Int32Array(rows).fill(-1);
  const thread = none(m.threads.length);
  const work = none(m.works.length);
  const node = none(m.nodes.length);
  const tlb = none(m.tlb.capacity);
  places.vcpus.forEach(({ thread: own, host, first_work, works, vm }, row) => {
    thread[own] = row;
    for (let item = first_work; item < first_work + works; item += 1) {
      work[item] = row;
      thread[places.hosts[host]!.workers[item]!] = row;
    }
    node[m.tasks.length + row] = row;
    const { first_tlb, first_vcpu, heap_pages } = places.vms[vm]!;
    if (m.program.vms[vm]!.tlb)
      tlb.fill(row, first_tlb + (row - first_vcpu) * heap_pages, first_tlb + (row - first_vcpu + 1) * heap_pages);
  });
  places.tasks.forEach(({ vcpu }, row) => {
    node[row] = vcpu;
  });
  const vcpu = Int32Array.from(places.vcpus, (_, row) => row);
  return new Map(Object.entries({ thread, work, node, tlb, vcpu, task: Int32Array.from(places.tasks, t => t.vcpu) }));
}

/** Columns whose rows move, and columns that name what moves, those of one type together. */
export function partsOf({ m }: World, ignored: ReadonlySet<string>, moved: ReadonlySet<string>) {
  const found: (Omit<Part, 'first'> & { readonly type: number })[] = [];
  const add = ({ values, first, step, length }: Column, table: string, naming: Part['of'], from: 0 | 1) => {
    const count = values.length === 0 ? 0 : Math.floor((values.length - first) / step) * length;
    if (count === 0) return;
    const start = first + values.byteOffset / values.BYTES_PER_ELEMENT;
    found.push({
      type: TYPES.indexOf(values.BYTES_PER_ELEMENT),
      positions: Int32Array.from(
        { length: count },
        (_, index) => start + Math.floor(index / length) * step + (index % length),
      ),
      of: naming,
      from,
      table,
      rows: Int32Array.from({ length: count }, (_, index) => Math.floor(index / length)),
      per_row: length,
      has_none: from === 1 || naming === 'token' || naming === 'address_or_token' || naming === 'area',
    });
  };
  for (const { table, name, kind, hashed } of compiledSchema.fields) {
    if (!hashed || ignored.has(`${table}.${name}`)) continue;
    const of = kind.naming !== null && NAMED.has(kind.naming.of) ? kind.naming.of : null;
    if (!moved.has(table) && of === null) continue;
    const from = kind.naming?.from ?? 0;
    const key = table as keyof S & string;
    if (kind.shape === 'fifo') {
      const { items, lengths } = m.layout.queues(key, name);
      if (items.length > 0) add(items, table, of, from);
      if (moved.has(table)) add(lengths, table, null, 0);
    } else add(m.layout.column(key, name), table, of, from);
  }
  let first = 0;
  const parts = TYPES.map((_, type) =>
    found
      .filter(part => part.type === type)
      .map(part => {
        const placed = { ...part, first };
        first += part.positions.length;
        return placed;
      }),
  );
  return {
    parts: parts.flat(),
    count: first,
    positions: parts.map(each => Int32Array.from(each.flatMap(({ positions }) => [...positions]))),
  };
}

/** Bytes of a value, of each type that a column may have. */
const TYPES: readonly number[] = [1, 2, 4, 8];

/** The values of a state's copy that may be under another name, as numbers one behind the other: by type, so as to be fast. */
export class Elements {
  readonly now: Float64Array;
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #positions: readonly Int32Array[];

  constructor({ words: { buffer } }: Meaning, { count, positions }: ReturnType<typeof partsOf>) {
    this.now = new Float64Array(count);
    this.#u8 = new Uint8Array(buffer);
    this.#u16 = new Uint16Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f64 = new Float64Array(buffer, 0, buffer.byteLength >>> 3);
    this.#positions = positions;
  }

  /** Reads them into `now`. */
  read(): void {
    const { now } = this;
    const [at8, at16, at32, at64] = this.#positions;
    let first = 0;
    for (let index = 0; index < at8!.length; index += 1) now[first + index] = this.#u8[at8![index]!]!;
    first += at8!.length;
    for (let index = 0; index < at16!.length; index += 1) now[first + index] = this.#u16[at16![index]!]!;
    first += at16!.length;
    for (let index = 0; index < at32!.length; index += 1) now[first + index] = this.#u32[at32![index]!]!;
    first += at32!.length;
    for (let index = 0; index < at64!.length; index += 1) now[first + index] = this.#f64[at64![index]!]!;
  }

  write(values: Float64Array): void {
    const [at8, at16, at32, at64] = this.#positions;
    let first = 0;
    for (let index = 0; index < at8!.length; index += 1) this.#u8[at8![index]!] = values[first + index]!;
    first += at8!.length;
    for (let index = 0; index < at16!.length; index += 1) this.#u16[at16![index]!] = values[first + index]!;
    first += at16!.length;
    for (let index = 0; index < at32!.length; index += 1) this.#u32[at32![index]!] = values[first + index]!;
    first += at32!.length;
    for (let index = 0; index < at64!.length; index += 1) this.#f64[at64![index]!] = values[first + index]!;
  }
}

/** Kinds of names that may change. */
const NAMED: ReadonlySet<string> = new Set([
  'thread',
  'vcpu',
  'work',
  'task',
  'nmi',
  'token',
  'address_or_token',
  'bucket',
  'area',
  'msr_data',
  'wait_id',
  'cursor',
]);

/** Where each stands among the numbers beside the machine, and by renaming which of these it becomes. */
export interface MovingCells {
  readonly at: readonly number[];
  readonly to: readonly (readonly number[])[];
}

/** Cells that are about rows of a table that moves, or about events of what moves. */
export function movingCells({ m, judge, spent }: World, renamings: readonly Renaming[]): MovingCells {
  const own = spent.length + 2;
  const { about } = judge.cells;
  const moving = about.filter(
    ({ about }) => typeof about !== 'string' || renamings.some(({ rows }) => rows.has(about)),
  );
  const firsts = new Map<(typeof moving)[number], number>();
  const at = moving.flatMap(block => {
    firsts.set(
      block,
      [...firsts.keys()].reduce((sum, { count }) => sum + count, 0),
    );
    return Array.from({ length: block.count }, (_, index) => own + block.first + index);
  });
  const plain = moving.map(({ about }) => textUnder(about, entity => entity));
  const to = renamings.map(renaming => {
    const renamed = moving.map(({ about }) => textUnder(about, entity => entityUnder(m, renaming, entity)));
    return moving.flatMap(({ about, count }, index) => {
      if (typeof about === 'string')
        return Array.from({ length: count }, (_, row) => firsts.get(moving[index]!)! + renaming.row(about, row));
      // The first that is about this becomes the first that is about that, and so on.
      const before = renamed.slice(0, index).filter(each => each === renamed[index]).length;
      const found = plain.flatMap((each, other) => (each === renamed[index] ? [moving[other]!] : []))[before];
      assert(found?.count === count, 'symmetry: cells of a judgement about what moves');
      return Array.from({ length: count }, (_, place) => firsts.get(found)! + place);
    });
  });
  return { at, to };
}

function entityUnder({ places }: Machine, renaming: Renaming, entity: Entity): Entity {
  const { kind, vm, id } = entity;
  const { first_vcpu, first_task } = places.vms[vm] ?? { first_vcpu: 0, first_task: 0 };
  if (kind === 'task') return { ...entity, id: renaming.row('task', first_task + id) - first_task };
  if (kind !== 'vcpu' && (kind !== 'thread' || id < 0)) return entity;
  return { ...entity, id: renaming.row('vcpu', first_vcpu + id) - first_vcpu };
}
