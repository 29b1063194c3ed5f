/**
 * One state for all that differ only in which vCPU is which.
 *
 * Of the ways to let vCPUs change places (interchange.ts) those are kept that leave the first state as it is. A state then
 * stands for all that they make of it: whatever can happen in one of them can happen in another, under other names. The
 * least of them is the one that is looked up. What each vCPU has by itself, names left out, puts most of them in an order;
 * only among those that are alike all orders are tried.
 */
import type { Column } from '../base/table.ts';
import type { Meaning } from '../sim/meaning.ts';
import { compiledSchema, NODE, type S } from '../sim/schema.ts';
import { exchanges } from './interchange.ts';
import { composed, type Exchange, exchangeText, mostTokens, Renaming } from './renaming.ts';
import type { World } from './world.ts';

/** Orders of five vCPUs. More of them than five are exchanged among the first five only. */
const MOST_RENAMINGS = 120;

/** Values of one column of the state, in the copy under canonical names. */
interface Part {
  readonly values: Column['values'];
  readonly positions: Int32Array;
  /** What stands there names something of that kind; null for what is no name. */
  readonly of: string | null;
  readonly from: 0 | 1;
  readonly table: string;
  readonly rows: Int32Array;
  /** The first of its elements. */
  readonly first: number;
  /** Whether 0 stays 0 whatever the names are. */
  readonly has_none: boolean;
}

export class Symmetry {
  /** All but the one that changes nothing. */
  readonly renamings: readonly Renaming[];
  readonly #world: World;
  readonly #parts: readonly Part[];
  /** By element, the vCPU that it belongs to, -1 for none. */
  readonly #owner: Int32Array;
  /** By renaming, where each element goes. */
  readonly #to: readonly Int32Array[];
  /** By renaming, whose place each vCPU takes. */
  readonly #from: readonly Int32Array[];
  /** Cells of the judgements that are about one thing each: where among the numbers beside, and of which table. */
  readonly #cells: readonly { readonly at: number; readonly count: number; readonly table: string }[];
  readonly #elements: Float64Array;
  readonly #best: Float64Array;
  readonly #other: Float64Array;
  readonly #beside: Float64Array;
  readonly #signs: Int32Array;
  readonly #most_tokens: readonly number[];

  /** `meaning`: of the world as it stands at its first state. Null where no two vCPUs may change places. */
  static of(world: World, meaning: Meaning, ignored: ReadonlySet<string>): Symmetry | null {
    const generators = exchanges(world.m).filter(each => keepsFirst(world, meaning, ignored, each));
    if (generators.length === 0) return null;
    return new Symmetry(world, meaning, ignored, generated(generators));
  }

  constructor(world: World, meaning: Meaning, ignored: ReadonlySet<string>, group: readonly Exchange[]) {
    const { m } = world;
    this.#world = world;
    this.renamings = group.map(each => new Renaming(m, each));
    const moved = new Set(this.renamings.flatMap(({ rows }) => [...rows.keys()]));
    this.#parts = partsOf(world, meaning, ignored, moved);
    const count = this.#parts.reduce((sum, { positions }) => sum + positions.length, 0);
    const owners = ownersOf(world);
    this.#owner = new Int32Array(count).fill(-1);
    for (const { first, table, rows } of this.#parts) {
      const owner = owners.get(table);
      if (!owner || !moved.has(table)) continue;
      for (const [index, row] of rows.entries()) this.#owner[first + index] = owner[row]!;
    }
    this.#to = this.renamings.map(renaming => this.#targets(renaming));
    this.#from = group.map(({ vcpus }) => Int32Array.from(vcpus, (_, row) => vcpus.indexOf(row)));
    const own = world.spent.length + 2;
    this.#cells = world.judge.cells.ofRows
      .filter(({ kind }) => moved.has(kind))
      .map(({ first, count, kind }) => ({ at: own + first, count, table: kind }));
    this.#elements = new Float64Array(count);
    this.#best = new Float64Array(count);
    this.#other = new Float64Array(count);
    // What is beside the machine: who stepped last, then the cells.
    this.#beside = new Float64Array(1 + this.#cells.reduce((sum, cells) => sum + cells.count, 0));
    this.#signs = new Int32Array(m.vcpus.length);
    this.#most_tokens = m.program.vms.map(({ vcpus }) => mostTokens(vcpus));
  }

  /**
   * Whether the world goes by numbers from here on, which another name would change: which of two interrupts that a CPU
   * owes others is sent first, which token is given up where there are too many, which share a bucket. It never comes to
   * that in small worlds.
   */
  isBroken(): boolean {
    const { m } = this.#world;
    for (let vm = 0; vm < m.vms.length; vm += 1) {
      const { first_vcpu } = m.places.vms[vm]!;
      const { vcpus } = m.program.vms[vm]!;
      let owed = 0;
      for (let id = first_vcpu; id < first_vcpu + vcpus; id += 1) {
        const vcpu = m.vcpus[id]!;
        owed += vcpu.guest_ipi;
        if (vcpus > 1 && vcpu.apf_id > this.#most_tokens[vm]!) return true;
      }
      if (owed > 1) return true;
    }
    const last = m.nodes[m.nodes.length - 1];
    return last !== undefined && last.state !== NODE.free;
  }

  /** Gives the state that meaning.update() has read, and what world.readBeside() has, the names that it goes by. */
  canonicalise(): void {
    this.#gather();
    const { length } = this.renamings;
    let found = -1;
    let pending = 0;
    // By what each vCPU has by itself; -1 is to leave all names as they are.
    for (let index = 0; index < length; index += 1) {
      const order = this.#compareSigns(found, index);
      if (order <= 0) continue;
      found = index;
      pending = 0;
    }
    for (let index = -1; index < length; index += 1)
      if (index !== found && this.#compareSigns(found, index) === 0) pending += 1;
    if (found === -1 && pending === 0) return;
    this.#apply(found, this.#best);
    let best = found;
    if (pending > 0)
      for (let index = -1; index < length; index += 1) {
        if (index === found || this.#compareSigns(found, index) !== 0) continue;
        this.#apply(index, this.#other);
        if (this.#compare(best, index) > 0) {
          this.#best.set(this.#other);
          best = index;
        }
      }
    if (best === -1) return;
    this.#scatter();
    this.#renameBeside(best);
  }

  /** The state under one renaming, in place of that which meaning.update() has read: for who doubts. */
  rename(index: number): void {
    this.#gather();
    this.#apply(index, this.#best);
    this.#scatter();
    this.#renameBeside(index);
  }

  #targets(renaming: Renaming): Int32Array {
    const to = new Int32Array(this.#owner.length);
    for (const { first, table, rows } of this.#parts) {
      const { length } = rows;
      // Rows stand one behind the other, each with as many values.
      const per_row = rows.filter(row => row === rows[0]).length;
      for (let index = 0; index < length; index += 1)
        to[first + index] = first + renaming.row(table, rows[index]!) * per_row + (index % per_row);
    }
    return to;
  }

  #gather(): void {
    const elements = this.#elements;
    const owner = this.#owner;
    const signs = this.#signs.fill(0);
    for (const { values, positions, first, of, has_none } of this.#parts) {
      const { length } = positions;
      for (let index = 0; index < length; index += 1) {
        const value = values[positions[index]!]!;
        const element = first + index;
        elements[element] = value;
        const vcpu = owner[element]!;
        if (vcpu < 0) continue;
        const sign = of === null ? value : has_none && value === 0 ? 1 : 0;
        const mixed = Math.imul(signs[vcpu]! ^ (sign | 0), 0x85eb_ca6b);
        signs[vcpu] = mixed ^ (mixed >>> 13);
      }
    }
  }

  #signUnder(renaming: number, vcpu: number): number {
    return this.#signs[renaming < 0 ? vcpu : this.#from[renaming]![vcpu]!]!;
  }

  #compareSigns(a: number, b: number): number {
    for (let vcpu = 0; vcpu < this.#signs.length; vcpu += 1) {
      const difference = this.#signUnder(a, vcpu) - this.#signUnder(b, vcpu);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Positive if what was found is more than the other: first by the machine, then by what is beside it. */
  #compare(found: number, other: number): number {
    const best = this.#best;
    const others = this.#other;
    for (let index = 0; index < best.length; index += 1)
      if (best[index] !== others[index]) return best[index]! - others[index]!;
    return this.#compareBeside(found, other);
  }

  #compareBeside(found: number, other: number): number {
    this.#besideUnder(found);
    const kept = this.#beside.slice();
    this.#besideUnder(other);
    for (let index = 0; index < kept.length; index += 1)
      if (kept[index] !== this.#beside[index]) return kept[index]! - this.#beside[index]!;
    return 0;
  }

  #apply(renaming: number, into: Float64Array): void {
    const elements = this.#elements;
    if (renaming < 0) {
      into.set(elements);
      return;
    }
    const names = this.renamings[renaming]!;
    const to = this.#to[renaming]!;
    for (const { first, positions, of, from, table, rows } of this.#parts) {
      const end = first + positions.length;
      if (of === null) for (let element = first; element < end; element += 1) into[to[element]!] = elements[element]!;
      else
        for (let element = first; element < end; element += 1)
          into[to[element]!] = names.value(of, from, elements[element]!, table, rows[element - first]!);
    }
  }

  #scatter(): void {
    for (const { values, positions, first } of this.#parts)
      for (let index = 0; index < positions.length; index += 1) values[positions[index]!] = this.#best[first + index]!;
  }

  /** Who stepped last and the cells, as they are under a renaming. */
  #besideUnder(renaming: number): void {
    const { spent, beside } = this.#world;
    const { numbers } = beside;
    const names = this.renamings[renaming];
    const last = numbers[spent.length]!;
    this.#beside[0] = last === 0 || !names ? last : names.moves[last - 1]! + 1;
    let first = 1;
    for (const { at, count, table } of this.#cells) {
      for (let row = 0; row < count; row += 1)
        this.#beside[first + (names?.row(table, row) ?? row)] = numbers[at + row]!;
      first += count;
    }
  }

  #renameBeside(renaming: number): void {
    if (renaming < 0) return;
    this.#besideUnder(renaming);
    const { spent, beside } = this.#world;
    const { numbers } = beside;
    numbers[spent.length] = this.#beside[0]!;
    let first = 1;
    for (const { at, count } of this.#cells) {
      for (let row = 0; row < count; row += 1) numbers[at + row] = this.#beside[first + row]!;
      first += count;
    }
  }
}

/** All that the generators make of one another, but for what changes nothing; of too many generators the first ones. */
function generated(generators: readonly Exchange[]): readonly Exchange[] {
  const closed = (of: readonly Exchange[]): readonly Exchange[] => {
    const found = new Map<string, Exchange>();
    let latest = of;
    while (latest.length > 0 && found.size <= MOST_RENAMINGS) {
      for (const each of latest) found.set(exchangeText(each), each);
      latest = latest
        .flatMap(each => of.map(next => composed(each, next)))
        .filter(each => !found.has(exchangeText(each)));
    }
    return [...found.values()];
  };
  for (let count = generators.length; ; count -= 1) {
    const group = closed(generators.slice(0, count));
    if (group.length <= MOST_RENAMINGS) return group.filter(({ vcpus }) => vcpus.some((to, row) => to !== row));
  }
}

/** The first state is the same under other names, and so are the moves that can be made in it. */
function keepsFirst(world: World, meaning: Meaning, ignored: ReadonlySet<string>, exchange: Exchange): boolean {
  const symmetry = new Symmetry(world, meaning, ignored, [exchange]);
  meaning.update();
  const count = world.readBeside();
  const words = meaning.words.slice();
  const beside = world.beside.numbers.slice(0, count);
  symmetry.rename(0);
  if (meaning.words.some((word, index) => word !== words[index])) return false;
  if (beside.some((number, index) => number !== world.beside.numbers[index])) return false;
  const moves = new Int32Array(world.moves);
  const enabled = new Set(moves.subarray(0, world.enabled(moves)));
  const renaming = symmetry.renamings[0]!;
  return [...enabled].every(move => enabled.has(renaming.moves[move]!));
}

/** By table, the vCPU that each row belongs to. */
function ownersOf({ m }: World): ReadonlyMap<string, Int32Array> {
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

/** Columns whose rows move, and columns that name what moves. */
function partsOf(
  { m }: World,
  meaning: Meaning,
  ignored: ReadonlySet<string>,
  moved: ReadonlySet<string>,
): readonly Part[] {
  const parts: Part[] = [];
  let first = 0;
  const add = ({ values, first: start, step, length }: Column, table: string, naming: Part['of'], from: 0 | 1) => {
    if (values.length === 0) return;
    const rows = Math.floor((values.length - start) / step) || 0;
    const count = rows * length;
    if (count === 0) return;
    const Values = values.constructor as Uint32ArrayConstructor;
    const copy = new Values(meaning.words.buffer, values.byteOffset, values.length);
    parts.push({
      values: copy,
      positions: Int32Array.from(
        { length: count },
        (_, index) => start + Math.floor(index / length) * step + (index % length),
      ),
      of: naming,
      from,
      table,
      rows: Int32Array.from({ length: count }, (_, index) => Math.floor(index / length)),
      first,
      has_none: from === 1 || naming === 'token' || naming === 'address_or_token' || naming === 'area',
    });
    first += count;
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
  return parts;
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
