/**
 * One state for all that differ only in which vCPU is which.
 *
 * Of the ways to let vCPUs change places (interchange.ts) those are kept that leave the first state as it is. A state then
 * stands for all that they make of it: whatever can happen in one of them can happen in another, under other names. The
 * least of them is the one that is looked up. What each vCPU has by itself, names left out, puts most of them in an order;
 * only among those that are alike all orders are tried.
 */
import type { Meaning } from '../sim/meaning.ts';
import { NODE } from '../sim/schema.ts';
import { Elements, type MovingCells, movingCells, ownersOf, type Part, partsOf } from './elements.ts';
import { exchanges } from './interchange.ts';
import { composed, type Exchange, exchangeText, mostTokens, Renaming } from './renaming.ts';
import type { World } from './world.ts';

/** Orders of five vCPUs. More of them than five are exchanged among the first five only. */
const MOST_RENAMINGS = 120;

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
  /** Cells of the judgements that are about what moves. */
  readonly #cells: MovingCells;
  readonly #elements: Elements;
  /** Elements that are no names, with their owners; and those that are names. */
  readonly #plain: Int32Array;
  readonly #owned: Int32Array;
  readonly #names: readonly { readonly element: number; readonly part: Part; readonly row: number }[];
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
    const found = partsOf(world, ignored, moved);
    const { count } = found;
    this.#parts = found.parts;
    this.#elements = new Elements(meaning, found);
    const owners = ownersOf(world);
    this.#owner = new Int32Array(count).fill(-1);
    for (const { first, table, rows } of this.#parts) {
      const owner = owners.get(table);
      if (!owner || !moved.has(table)) continue;
      for (const [index, row] of rows.entries()) this.#owner[first + index] = owner[row]!;
    }
    this.#to = this.renamings.map(renaming => this.#targets(renaming));
    this.#from = group.map(({ vcpus }) => Int32Array.from(vcpus, (_, row) => vcpus.indexOf(row)));
    this.#cells = movingCells(world, this.renamings);
    const names = this.#parts.flatMap(part =>
      part.of === null ? [] : Array.from(part.rows, (row, index) => ({ element: part.first + index, part, row })),
    );
    this.#names = names;
    const named = new Set(names.map(({ element }) => element));
    this.#plain = Int32Array.from({ length: count }, (_, element) => element).filter(element => !named.has(element));
    this.#owned = this.#plain.filter(element => this.#owner[element]! >= 0);
    this.#best = new Float64Array(count);
    this.#other = new Float64Array(count);
    // What is beside the machine: who stepped last, then the cells.
    this.#beside = new Float64Array(1 + this.#cells.at.length);
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
    this.#elements.write(this.#best);
    this.#renameBeside(best);
  }

  /** The state under one renaming, in place of that which meaning.update() has read: for who doubts. */
  rename(index: number): void {
    this.#gather();
    this.#apply(index, this.#best);
    this.#elements.write(this.#best);
    this.#renameBeside(index);
  }

  #targets(renaming: Renaming): Int32Array {
    const to = new Int32Array(this.#owner.length);
    for (const { first, table, rows, per_row } of this.#parts)
      for (let index = 0; index < rows.length; index += 1)
        to[first + index] = first + renaming.row(table, rows[index]!) * per_row + (index % per_row);
    return to;
  }

  #gather(): void {
    this.#elements.read();
    const { now } = this.#elements;
    const owner = this.#owner;
    const owned = this.#owned;
    const signs = this.#signs.fill(0);
    for (let index = 0; index < owned.length; index += 1) {
      const element = owned[index]!;
      const vcpu = owner[element]!;
      const mixed = Math.imul(signs[vcpu]! ^ (now[element]! | 0), 0x85eb_ca6b);
      signs[vcpu] = mixed ^ (mixed >>> 13);
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
    const { now } = this.#elements;
    if (renaming < 0) {
      into.set(now);
      return;
    }
    const names = this.renamings[renaming]!;
    const to = this.#to[renaming]!;
    const plain = this.#plain;
    for (let index = 0; index < plain.length; index += 1) into[to[plain[index]!]!] = now[plain[index]!]!;
    for (const { element, part, row } of this.#names) {
      const value = now[element]!;
      const { of, from, table, has_none } = part;
      into[to[element]!] = value === 0 && has_none ? 0 : names.value(of ?? '', from, value, table, row);
    }
  }

  /** Who stepped last and the cells, as they are under a renaming. */
  #besideUnder(renaming: number): void {
    const { spent, beside } = this.#world;
    const { numbers } = beside;
    const names = this.renamings[renaming];
    const last = numbers[spent.length]!;
    this.#beside[0] = last === 0 || !names ? last : names.moves[last - 1]! + 1;
    const { at, to } = this.#cells;
    const places = to[renaming];
    for (let cell = 0; cell < at.length; cell += 1)
      this.#beside[1 + (places ? places[cell]! : cell)] = numbers[at[cell]!]!;
  }

  #renameBeside(renaming: number): void {
    if (renaming < 0) return;
    this.#besideUnder(renaming);
    const { spent, beside } = this.#world;
    const { numbers } = beside;
    numbers[spent.length] = this.#beside[0]!;
    this.#cells.at.forEach((at, cell) => {
      numbers[at] = this.#beside[1 + cell]!;
    });
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
