/**
 * From a schema to one buffer, and windows on it.
 *
 * A schema names tables, a table names fields; layOut() places every field as a column in one ArrayBuffer, hashed
 * columns first, so that a snapshot is one copy and a fingerprint covers one byte range. Accessors are compiled
 * from the schema, once for the program's life and for any number of machines: all machines share one hidden class,
 * which is what keeps `vcpu.mp_state` as cheap as an array access. Large machines have theirs compiled to constants.
 */

import { type Address, type Classes, compileOwnClasses, compileTables, wantsOwnClasses } from './accessors.ts';
import { assert, present } from './assert.ts';
import { Fifo, type Probe } from './fifo.ts';

type ColumnType = 'u8' | 'u16' | 'u32' | 'f64';

/** What a column without rows looks at. */
const EMPTY = {
  u8: new Uint8Array(),
  u16: new Uint16Array(),
  u32: new Uint32Array(),
  f64: new Float64Array(),
} as const;

const CONSTRUCTORS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array } as const;

/** Values that are names: of rows, `from` 1 where 0 is none, or of what only the program can tell. */
export interface Naming {
  readonly of: string;
  readonly from: 0 | 1;
}

/** One field: how it is stored, and how many of it a row has (1 for a scalar). */
export interface Kind<V extends number> {
  readonly type: ColumnType;
  readonly length: number | string;
  readonly shape: 'scalar' | 'array' | 'fifo';
  /** Names of the values of an enumeration, in numeric order. */
  readonly names: readonly string[] | null;
  /** What its values name, for whoever gives other names: a table whose rows they are, or a word for what else. */
  readonly naming: Naming | null;
  /** Never present; carries V. */
  readonly value?: V;
}

interface ArrayKind extends Kind<number> {
  readonly shape: 'array';
}
interface FifoKind extends Kind<number> {
  readonly shape: 'fifo';
}

function scalar<V extends number = number>(
  type: ColumnType,
  names: readonly string[] | null = null,
): Kind<V> & { readonly shape: 'scalar' } {
  return { type, length: 1, shape: 'scalar', names, naming: null };
}

export const u8 = scalar('u8');
export const u16 = scalar('u16');
export const u32 = scalar('u32');
/** An integer up to 2^53: a time, an address. */
export const u53 = scalar('f64');
export const bool = scalar<0 | 1>('u8', ['no', 'yes']);
/** A row of another table stored as id + 1; 0 is none. */
export function ref(table: string): Kind<number> & { readonly shape: 'scalar' } {
  return naming(u16, table, 1);
}

/** The same field, whose values name something. */
export function naming<K extends Kind<number>>(kind: K, of: string, from: Naming['from'] = 0): K {
  return { ...kind, naming: { of, from } };
}

/** Constants of an enumeration: `numbered(['A', 'B'])` is `{ A: 0, B: 1 }` with literal types. */
export type Numbered<T extends readonly string[]> = {
  readonly [I in keyof T & `${number}` as T[I]]: I extends `${infer N extends number}` ? N : never;
};

export function numbered<const T extends readonly string[]>(names: T): Numbered<T> {
  return Object.freeze(Object.fromEntries(names.map((name, index) => [name, index]))) as Numbered<T>;
}

export function oneOf<V extends number>(
  constants: Readonly<Record<string, V>>,
): Kind<V> & { readonly shape: 'scalar' } {
  return scalar<V>('u8', Object.keys(constants));
}

/** A fixed number of values per row; a string names a capacity given to layOut(). */
export function array(of: Kind<number>, length: number | string): ArrayKind {
  return { type: of.type, length, shape: 'array', names: of.names, naming: of.naming };
}

/** A left-aligned queue of row ids of a table, zeroed behind its end: equal queues have equal bytes. */
export function fifo(length: number | string, of: string): FifoKind {
  return { type: 'u16', length, shape: 'fifo', names: null, naming: { of, from: 1 } };
}

export type TableSchema = Readonly<Record<string, Kind<number> & { readonly shape: 'scalar' | 'array' | 'fifo' }>>;

export interface TableDeclaration<F extends TableSchema = TableSchema, T extends TableSchema = TableSchema> {
  /** What can happen next depends on these; they are hashed. */
  readonly fields: F;
  /** Clocks, counters, random streams: copied with a snapshot, not hashed. */
  readonly unhashed: T;
  /** The record that its rows are parts of; null where each field is a column of its own. */
  readonly record: string | null;
}

export function table<F extends TableSchema, T extends TableSchema = Record<never, never>>(
  fields: F,
  unhashed?: T,
): TableDeclaration<F, T> {
  return { fields, unhashed: unhashed ?? ({} as T), record: null };
}

/**
 * A long table whose rows are looked up at random: its words, and those of other tables of the same record and length,
 * stand together row by row, so that who looks at one of them finds the others in the same cache line.
 */
export function inRecord<F extends TableSchema>(record: string, fields: F): TableDeclaration<F, Record<never, never>> {
  for (const { type, shape } of Object.values(fields))
    assert(type === 'u32' && shape === 'scalar', 'table: a record is made of words');
  return { fields, unhashed: {}, record };
}

export type Schema = Readonly<Record<string, TableDeclaration>>;

type FieldsOf<D> = D extends TableDeclaration<infer F, infer T> ? F & T : never;
type ScalarValue<K> = K extends Kind<infer V> ? V : never;
type ScalarNames<F> = { [N in keyof F]: F[N] extends { readonly shape: 'scalar' } ? N : never }[keyof F];
type ArrayNames<F> = { [N in keyof F]: F[N] extends ArrayKind ? N : never }[keyof F];
type FifoNames<F> = { [N in keyof F]: F[N] extends FifoKind ? N : never }[keyof F];

/** Access by id, for tables too long to have row objects. */
export type Table<D> = {
  readonly [N in ScalarNames<FieldsOf<D>> & string]: (id: number) => ScalarValue<FieldsOf<D>[N]>;
} & {
  readonly [N in ScalarNames<FieldsOf<D>> & string as `set_${N}`]: (
    id: number,
    value: ScalarValue<FieldsOf<D>[N]>,
  ) => void;
} & {
  readonly [N in ArrayNames<FieldsOf<D>> & string]: (id: number, index: number) => number;
} & {
  readonly [N in ArrayNames<FieldsOf<D>> & string as `set_${N}`]: (id: number, index: number, value: number) => void;
} & { readonly capacity: number };

/** One row as an object; holds nothing but its id. */
export type Row<D> = { readonly id: number } & {
  [N in ScalarNames<FieldsOf<D>> & string]: ScalarValue<FieldsOf<D>[N]>;
} & {
  readonly [N in ArrayNames<FieldsOf<D>> & string]: (index: number) => number;
} & {
  readonly [N in ArrayNames<FieldsOf<D>> & string as `set_${N}`]: (index: number, value: number) => void;
} & {
  readonly [N in FifoNames<FieldsOf<D>> & string]: Fifo;
} & {
  /** The length of a fifo, for hot paths: cheaper than asking the fifo. */
  readonly [N in FifoNames<FieldsOf<D>> & string as `n_${N}`]: number;
};

export interface FieldInfo {
  readonly table: string;
  readonly name: string;
  readonly kind: Kind<number>;
  readonly hashed: boolean;
  /** Where it stands in a record, and how many words that has. */
  readonly record: { readonly name: string; readonly index: number; readonly words: number } | null;
}

/** Everything derived from a schema once: field numbers and accessor classes. */
export interface CompiledSchema<S extends Schema> {
  readonly schema: S;
  readonly fields: readonly FieldInfo[];
  /** Number of a field, by `table.name`. */
  fieldNumber(name: string): number | undefined;
  /** The accessor classes of each table, compiled when they are first asked for: most programs want one flavour. */
  classes(recording: boolean): ReturnType<Classes>;
}

/** `written`: the plain classes, where somebody has compiled them before (see classSource()). */
export function compileSchema<S extends Schema>(schema: S, written: Classes | null = null): CompiledSchema<S> {
  const fields: FieldInfo[] = [];
  const words = new Map<string, number>();
  for (const { record, fields } of Object.values(schema))
    if (record !== null) words.set(record, (words.get(record) ?? 0) + Object.keys(fields).length);
  const placed = new Map<string, number>();
  const placeIn = (record: string | null): FieldInfo['record'] => {
    if (record === null) return null;
    const index = placed.get(record) ?? 0;
    placed.set(record, index + 1);
    return { name: record, index, words: words.get(record)! };
  };
  for (const [tableName, declaration] of Object.entries(schema)) {
    for (const hashed of [true, false]) {
      for (const [name, kind] of Object.entries(hashed ? declaration.fields : declaration.unhashed)) {
        fields.push({ table: tableName, name, kind, hashed, record: placeIn(declaration.record) });
      }
    }
  }
  const flavours = new Map<boolean, ReturnType<Classes>>();
  const classes = (recording: boolean) => {
    const compiled =
      flavours.get(recording) ?? (recording || !written ? compileTables({ schema, fields }, recording) : written());
    flavours.set(recording, compiled);
    return compiled;
  };
  let numbers: ReadonlyMap<string, number> | null = null;
  const fieldNumber = (name: string) => {
    numbers ??= new Map(fields.map((field, number) => [`${field.table}.${field.name}`, number]));
    return numbers.get(name);
  };
  return { schema, fields, fieldNumber, classes };
}

/** Where a field's values are: those of a row, `length` of them, stand from `first + row * step`. */
export interface Column {
  readonly values: Uint8Array | Uint16Array | Uint32Array | Float64Array;
  readonly first: number;
  readonly step: number;
  readonly length: number;
}

export interface Layout<S extends Schema> {
  readonly buffer: ArrayBuffer;
  /** Bytes [0, hashed_bytes) decide what can happen next. */
  readonly hashed_bytes: number;
  readonly tables: { readonly [N in keyof S]: Table<S[N]> };
  row<N extends keyof S & string>(name: N, id: number): Row<S[N]>;
  /** A whole column, for code that works on it in bulk. */
  column(table: keyof S & string, field: string): Column;
  /** Of a fifo: its items, and how many of them there are in each row. */
  queues(table: keyof S & string, field: string): { readonly items: Column; readonly lengths: Column };
  floats(table: keyof S & string, field: string): Float64Array;
  words(table: keyof S & string, field: string): Uint32Array;
  /** All rows of a table as objects; for tables with few rows. */
  rows<N extends keyof S & string>(name: N): readonly Row<S[N]>[];
}

export interface Capacities {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Lengths of arrays and fifos that the schema names by a word. */
  readonly lengths: Readonly<Record<string, number>>;
}

/** Places all columns, widest first within each half, so that nothing needs padding, and makes the accessors. */
export function layOut<S extends Schema>(
  compiled: CompiledSchema<S>,
  capacities: Capacities,
  probe: Probe | null = null,
): Layout<S> {
  const lengthOf = (kind: Kind<number>): number => {
    if (typeof kind.length === 'number') return kind.length;
    const length = capacities.lengths[kind.length];
    if (length === undefined) throw new Error(`no length given for '${kind.length}'`);
    return length;
  };
  interface Placed {
    readonly number: number;
    readonly type: ColumnType;
    readonly count: number;
    offset: number;
  }
  // By what decides about their order: hashed or not, and the type.
  const groups = new Map<string, Placed[]>();
  const placing = (number: number, hashed: boolean, type: ColumnType, count: number): Placed => {
    const column = { number, type, count, offset: 0 };
    const group = `${hashed} ${type}`;
    const others = groups.get(group);
    if (others) others.push(column);
    else groups.set(group, [column]);
    return column;
  };
  const widths = compiled.fields.map(({ kind }) => lengthOf(kind));
  /** Of a fifo, where its lengths are. */
  const fifo_lengths = new Map<number, Placed>();
  const items = compiled.fields.map(({ table, kind, hashed, record }, number) => {
    const rows = capacities.rows[table] ?? 0;
    // The first field of a record has room for all of them.
    const per_row = record === null ? widths[number]! : record.index === 0 ? record.words : 0;
    const column = placing(number, hashed, kind.type, rows * per_row);
    if (kind.shape === 'fifo') fifo_lengths.set(number, placing(number, hashed, 'u16', rows));
    return column;
  });
  let offset = 0;
  let hashed_bytes = 0;
  for (const hashed of [true, false]) {
    for (const type of ['f64', 'u32', 'u16', 'u8'] as const) {
      for (const column of groups.get(`${hashed} ${type}`) ?? []) {
        column.offset = offset;
        offset += column.count * CONSTRUCTORS[type].BYTES_PER_ELEMENT;
      }
    }
    offset = Math.ceil(offset / 8) * 8;
    if (hashed) hashed_bytes = offset;
  }
  const buffer = new ArrayBuffer(offset);
  const records = new Map<string, Placed>();
  for (const column of items) {
    const { record } = compiled.fields[column.number]!;
    if (record?.index === 0) records.set(record.name, column);
  }
  const view = (column: Placed): Column['values'] => {
    const { record, table: tableName } = compiled.fields[column.number]!;
    const { type, offset, count } = record ? records.get(record.name)! : column;
    assert(!record || count === capacities.rows[tableName]! * record.words, 'table: tables of a record are as long');
    return count === 0 ? EMPTY[type] : new CONSTRUCTORS[type](buffer, offset, count);
  };

  const addressOf = (column: Placed): Address => {
    const { record } = compiled.fields[column.number]!;
    const { type, offset } = record ? records.get(record.name)! : column;
    const fifo = fifo_lengths.get(column.number);
    const length = fifo ? fifo.offset / Uint16Array.BYTES_PER_ELEMENT : widths[column.number]!;
    return { first: offset / CONSTRUCTORS[type].BYTES_PER_ELEMENT, length };
  };
  const own = probe === null && wantsOwnClasses(offset);
  const classes = own ? compileOwnClasses(compiled, items.map(addressOf), buffer) : compiled.classes(probe !== null);
  const columns = items.map(column => {
    const { table: tableName, kind } = compiled.fields[column.number]!;
    if (kind.shape !== 'fifo') return view(column);
    const lengths = fifo_lengths.get(column.number)!;
    const width = widths[column.number]!;
    return Array.from(
      { length: capacities.rows[tableName] ?? 0 },
      (_, id) =>
        new Fifo(
          new Uint16Array(buffer, column.offset + id * width * 2, width),
          new Uint16Array(buffer, lengths.offset + id * 2, 1),
          id,
          column.number,
          probe,
        ),
    );
  });

  const lengths: (number | Uint16Array)[] = [...widths];
  for (const [number, { offset, count }] of fifo_lengths) lengths[number] = new Uint16Array(buffer, offset, count);
  const tables: Record<string, object> = {};
  for (const name of Object.keys(compiled.schema)) {
    tables[name] = new classes[name]!.table(columns, lengths, capacities.rows[name] ?? 0, probe);
  }
  const row = (name: string, id: number) => new classes[name]!.row(tables[name]!, id);
  const numberOf = (table: string, field: string) =>
    present(compiled.fieldNumber(`${table}.${field}`), `table: a field ${table}.${field}`);
  return {
    buffer,
    hashed_bytes,
    tables: tables as Layout<S>['tables'],
    row: ((name: string, id: number) => row(name, id)) as Layout<S>['row'],
    column(table, field) {
      const number = numberOf(table, field);
      const values = columns[number]!;
      assert(!Array.isArray(values), `table: ${table}.${field} is a column`);
      const { record } = compiled.fields[number]!;
      const length = widths[number]!;
      return { values, first: record?.index ?? 0, step: record?.words ?? length, length };
    },
    queues(table, field) {
      const number = numberOf(table, field);
      const placed = fifo_lengths.get(number);
      assert(placed !== undefined, `table: ${table}.${field} is a fifo`);
      const width = widths[number]!;
      const { offset, count } = items[number]!;
      const item_values = new Uint16Array(buffer, offset, count);
      const length_values = new Uint16Array(buffer, placed.offset, placed.count);
      return {
        items: { values: item_values, first: 0, step: width, length: width },
        lengths: { values: length_values, first: 0, step: 1, length: 1 },
      };
    },
    floats(table, field) {
      const column = columns[numberOf(table, field)];
      assert(column instanceof Float64Array, `table: ${table}.${field} is a column of 64-bit floats`);
      return column;
    },
    words(table, field) {
      const column = columns[numberOf(table, field)];
      assert(column instanceof Uint32Array, `table: ${table}.${field} is a column of 32-bit words`);
      return column;
    },
    rows: ((name: string) =>
      Array.from({ length: capacities.rows[name] ?? 0 }, (_, id) => row(name, id))) as Layout<S>['rows'],
  };
}
