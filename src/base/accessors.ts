/**
 * The classes through which state is read and written: source text made from the fields of a schema, and compiled.
 *
 * Two flavours: the plain one, and a recording one that reports each read and write to a probe. The second serves ownership
 * checks and, later, footprints; it never changes what a step does.
 */
import type { Probe } from './fifo.ts';
import type { FieldInfo } from './table.ts';

/** By the number of the field: columns, and how many values of them a row has; of a fifo, the column of its lengths. */
type TableClass = new (
  columns: readonly unknown[],
  lengths: readonly (number | Uint16Array)[],
  capacity: number,
  probe: Probe | null,
) => object;
type RowClass = new (table: object, id: number) => object;

/** The classes of a table, made when they are first asked for: a program without rows of it needs no class for them. */
interface CompiledTable {
  readonly table: TableClass;
  readonly row: RowClass;
}

/** Makes the accessor classes, by table. */
export type Classes = () => Readonly<Record<string, CompiledTable>>;

/** All tables in one go: a compilation of its own for each costs more than what is in it. */
export function compileTables(of: Fields, recording: boolean): ReturnType<Classes> {
  return new Function(`'use strict';return ${classSource(of, recording)};`)() as ReturnType<Classes>;
}

/** A state as large as this is looked at for long enough to be worth code of its own, and is not in the caches. */
export const LARGE_BYTES = 1 << 20;
/** V8 keeps apart four kinds of objects at one place in the code. Beyond that each access is a search. */
const OWN_CLASSES_MOST = 2;
let own_classes = 0;

/** Whether a machine with so many bytes of state is to have classes of its own. */
export function wantsOwnClasses(bytes: number): boolean {
  return bytes >= LARGE_BYTES && own_classes < OWN_CLASSES_MOST;
}

/**
 * Classes for one layout, with addresses in the buffer as constants: V8 then makes of an access one instruction, where it
 * otherwise loads table, column and address first. The first large machines of a process have them; see the bench.
 */
export function compileOwnClasses(
  { schema, fields }: Fields,
  addresses: readonly Address[],
  buffer: ArrayBuffer,
): ReturnType<Classes> {
  const sources = Object.keys(schema).map(
    name => `${JSON.stringify(name)}:${sourceOfTable(name, fields, false, addresses)}`,
  );
  own_classes += 1;
  return new Function('b', `'use strict';return {${sources.join(',\n')}};`)(buffer) as ReturnType<Classes>;
}

const VIEWS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f64: Float64Array,
} as const;

/**
 * Views of the buffer for one table, each from the first of its columns on, and where a field is in them.
 *
 * V8 inlines whatever has less than 27 bytes of bytecode, however much it has inlined already. A setter that adds a
 * number beyond 16 bits, or whose view is a scope further out, has 30: hot loops then called it.
 */
class OwnViews {
  readonly #views = new Map<string, { readonly type: keyof typeof VIEWS; readonly first: number }>();

  constructor(table: string, fields: readonly FieldInfo[], addresses: readonly Address[]) {
    fields.forEach((field, number) => {
      if (field.table !== table) return;
      const { first, length } = addresses[number]!;
      this.#begin(field, field.kind.type, first);
      if (field.kind.shape === 'fifo') this.#begin(field, 'u16', length);
    });
  }

  #begin(field: FieldInfo, type: keyof typeof VIEWS, first: number): void {
    const name = OwnViews.nameOf(field, type);
    this.#views.set(name, { type, first: Math.min(first, this.#views.get(name)?.first ?? first) });
  }

  /** Columns of one type stand together, but for hashed and unhashed ones, and records. */
  static nameOf({ kind, hashed, record }: FieldInfo, type: keyof typeof VIEWS = kind.type): string {
    return `${type}${hashed ? '' : '_unhashed'}${record ? '_record' : ''}`;
  }

  /** Where an address is, counted from the beginning of its view. */
  within(view: string, address: number): number {
    return address - this.#views.get(view)!.first;
  }

  declarations(): string {
    const views = [...this.#views].map(([view, { type, first }]) => {
      const { name, BYTES_PER_ELEMENT } = VIEWS[type];
      return `${view}=new ${name}(b,${first * BYTES_PER_ELEMENT})`;
    });
    return views.length === 0 ? '' : `const ${views.join(',')};`;
  }
}

/** What accessors are made for. */
interface Fields {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly fields: readonly FieldInfo[];
}

/** The expression of an object with the classes of each table: what Classes returns. */
export function classSource({ schema, fields }: Fields, recording: boolean): string {
  const sources = Object.keys(schema).map(name => `${JSON.stringify(name)}:${sourceOfTable(name, fields, recording)}`);
  return `{${sources.join(',\n')}}`;
}

/**
 * Where a field's values stand in the buffer: the first of them, counted in values, and how many a row has; of a fifo,
 * where the first of its lengths stands.
 */
export interface Address {
  readonly first: number;
  readonly length: number;
}

/** The source of both classes of a table; only names out of our own schema get in. */
function sourceOfTable(
  tableName: string,
  fields: readonly FieldInfo[],
  recording: boolean,
  addresses: readonly Address[] | null = null,
): string {
  const inits: string[] = [];
  const methods: string[] = [];
  const accessors: string[] = [];
  const rowInits: string[] = [];
  const own = addresses ? new OwnViews(tableName, fields, addresses) : null;
  const firstInRecord = fields.find(field => field.table === tableName)?.record?.index;
  fields.forEach((field, number) => {
    if (field.table !== tableName) return;
    const { name, kind, record } = field;
    const column = record ? 'record' : `c_${name}`;
    const address = addresses?.[number];
    const ownView = OwnViews.nameOf(field);
    const first = own && address ? own.within(ownView, address.first) : 0;
    const at = (id: string) => {
      const start = first + (record?.index ?? 0);
      return `${start === 0 ? '' : `${start}+`}${id}${record ? `*${record.words}` : ''}`;
    };
    const view = (holder: string) => (own ? ownView : `${holder}.${column}`);
    const read = recording ? (id: string) => `this.probe.read(${number},${id});` : () => '';
    const write = recording
      ? (id: string, element: string) => `this.probe.write(${number},${id},${element},+v);`
      : () => '';
    if (record === null || record.index === firstInRecord) inits.push(`this.${column}=columns[${number}];`);
    if (kind.shape === 'scalar') {
      methods.push(`${name}(id){${read('id')}return ${view('this')}[${at('id')}]}`);
      const element = `${view('this')}[${at('id')}]`;
      methods.push(`set_${name}(id,v){${write('id', element)}${element}=v}`);
      const rowRead = recording ? `t.probe.read(${number},this.id);` : '';
      const stored = `${view('t')}[${at('this.id')}]`;
      const rowWrite = recording ? `t.probe.write(${number},this.id,${stored},+v);` : '';
      const holder = address ? '' : 'const t=this.t;';
      accessors.push(`get ${name}(){${holder}${rowRead}return ${view('t')}[${at('this.id')}]}`);
      accessors.push(`set ${name}(v){${holder}${rowWrite}${stored}=v}`);
    } else if (kind.shape === 'array') {
      inits.push(`this.n_${name}=lengths[${number}];`);
      const element = address ? `${ownView}[${first}+id*${address.length}+i]` : `this.${column}[id*this.n_${name}+i]`;
      methods.push(`${name}(id,i){${read('id')}return ${element}}`);
      methods.push(`set_${name}(id,i,v){${write('id', element)}${element}=v}`);
      accessors.push(`${name}(i){return this.t.${name}(this.id,i)}`);
      accessors.push(`set_${name}(i,v){this.t.set_${name}(this.id,i,v)}`);
    } else {
      rowInits.push(`this.${name}=table.${column}[id];`);
      inits.push(`this.n_${name}=lengths[${number}];`);
      const lengths = OwnViews.nameOf(field, 'u16');
      const length =
        own && address ? `${lengths}[${own.within(lengths, address.length)}+this.id]` : `this.t.n_${name}[this.id]`;
      accessors.push(`get n_${name}(){${recording ? `this.t.probe.read(${number},this.id);` : ''}return ${length}}`);
    }
  });
  const table = `class TableOf_${tableName}{constructor(columns,lengths,capacity,probe){this.capacity=capacity;this.probe=probe;${inits.join('')}}${methods.join('\n')}}`;
  const row = `class RowOf_${tableName}{constructor(table,id){this.t=table;this.id=id;${rowInits.join('')}}${accessors.join('\n')}}`;
  // Nothing between the views and the classes: see OwnViews.
  if (own) return `(()=>{${own.declarations()}return{table:${table},row:${row}}})()`;
  return `(()=>{let T,R;return{get table(){return T??=${table}},get row(){return R??=${row}}}})()`;
}
