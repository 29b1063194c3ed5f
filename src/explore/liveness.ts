/**
 * What goes on for ever without what was promised: a path to a cycle, and the cycle, every step of both a real one.
 *
 * All states are kept with all moves between them, so nothing is left out for symmetry or order here. A cycle counts only
 * if it is fair: an actor that could move at every state of it does so somewhere on it. Fair are threads, requests,
 * timers that have been set, whatever is pending; what nobody has to let happen (ticks, acts within a budget) is not.
 */
import { assert } from '../base/assert.ts';
import type { Judgement, Program } from '../sim/program.ts';
import { components } from './components.ts';
import { Level } from './frontier.ts';
import { Identity } from './identity.ts';
import { Packing } from './packing.ts';
import { NO_PARENT, Visited } from './visited.ts';
import { World } from './world.ts';

export interface Lasso {
  readonly judgement: Judgement;
  /** Moves to the cycle, and round it. */
  readonly stem: readonly number[];
  readonly cycle: readonly number[];
}

export interface Liveness {
  readonly lassos: readonly Lasso[];
  /** False where there were more states than asked for. */
  readonly complete: boolean;
}

/** What must come some time, not only if all comes to an end. */
export function isPromise({ kind, onset }: Judgement): boolean {
  return kind === 'eventually' || kind === 'order' || onset !== null;
}

/** Looks for cycles on which a judgement that is still open stays open. At most so many states are kept. */
export function endless(program: Program, most_states: number, open: ReadonlySet<string>): Liveness {
  const graph = new Graph(program);
  if (!graph.explore(most_states)) return { lassos: [], complete: false };
  const lassos: Lasso[] = [];
  const left = new Set(open);
  for (const component of graph.components()) {
    if (left.size === 0) break;
    if (!graph.isFair(component)) continue;
    const stem = graph.path(component[0]!);
    for (const judgement of graph.pending(component, left)) {
      left.delete(judgement.name);
      lassos.push({ judgement, stem, cycle: graph.tour(component) });
    }
  }
  return { lassos, complete: true };
}

class Graph {
  readonly #world: World;
  readonly #visited: Visited;
  readonly #moves: Int32Array;
  readonly #packing: Packing;
  /** Edges of each state: where its own begin, the move, the state it leads to. */
  readonly #begin: number[] = [];
  readonly #move: number[] = [];
  readonly #to: number[] = [];

  constructor(program: Program) {
    this.#world = new World(program);
    this.#moves = new Int32Array(this.#world.moves);
    this.#visited = new Visited(this.#world.moves);
    this.#packing = new Packing(this.#world);
  }

  /** Everything, breadth first; false if that is more than asked for. */
  explore(most_states: number): boolean {
    const world = this.#world;
    const identity = new Identity(world, new Set());
    const packing = this.#packing;
    const frontier = new Level(packing.most_bytes);
    const visit = (parent: number, chain: readonly number[]): number => {
      identity.update();
      const state = this.#visited.reach(identity.high, identity.low, parent, 0, chain);
      if (this.#visited.fresh) frontier.push(state, packing);
      return state;
    };
    visit(NO_PARENT, []);
    while (frontier.taken < frontier.length) {
      const state = frontier.read(frontier.take(1), packing);
      const count = world.enabled(this.#moves);
      const moves = this.#moves.slice(0, count);
      this.#begin[state] = this.#move.length;
      moves.forEach((move, index) => {
        if (index > 0) packing.again();
        world.take(move);
        this.#move.push(move);
        this.#to.push(visit(state, [move]));
      });
      if (this.#visited.size > most_states) return false;
    }
    this.#begin.push(this.#move.length);
    return true;
  }

  path(state: number): readonly number[] {
    return this.#visited.path(state);
  }

  /** States that can be reached from one another, of each set of them that has a cycle. */
  components(): readonly (readonly number[])[] {
    return components(this.#begin, this.#to);
  }

  /** Whether nobody is left out who could move all the time. */
  isFair(component: readonly number[]): boolean {
    const inside = new Set(component);
    const moved = new Set(this.#inner(component, inside).map(edge => this.#move[edge]!));
    const here = component.map(state => new Set(this.#edges(state).map(edge => this.#move[edge]!)));
    const always = [...here[0]!].filter(move => here.every(moves => moves.has(move)));
    return always.every(move => moved.has(move) || !this.#world.isFair(move));
  }

  /** Of these judgements the ones that would fail if it went on like that: undecided, and not so at any state. */
  pending(component: readonly number[], names: ReadonlySet<string>): readonly Judgement[] {
    const world = this.#world;
    const { judgements } = world.m.program;
    const open = new Set(names);
    for (const state of component) {
      this.#goTo(this.path(state));
      const before = world.judge.save();
      world.judge.finish('quiescent');
      for (const { name, holds } of world.judge.results()) if (holds !== 'no') open.delete(name);
      world.judge.restore(before);
      if (open.size === 0) break;
    }
    return judgements.filter(({ name, kind }) => open.has(name) && kind !== 'sometimes');
  }

  /** A way round the cycle, from its first state to itself, on which each actor moves that ever does on it. */
  tour(component: readonly number[]): readonly number[] {
    const inside = new Set(component);
    const start = component[0]!;
    const moves: number[] = [];
    let at = start;
    const wanted = new Map<number, number>();
    for (const state of component)
      for (const edge of this.#edges(state))
        if (inside.has(this.#to[edge]!) && !wanted.has(this.#move[edge]!)) wanted.set(this.#move[edge]!, state);
    for (const [move, from] of wanted) {
      if (moves.includes(move)) continue;
      moves.push(...this.#way(at, from, inside), move);
      at = this.#to[this.#edges(from).find(edge => this.#move[edge] === move)!]!;
    }
    moves.push(...this.#way(at, start, inside));
    return moves;
  }

  #edges(state: number): readonly number[] {
    const begin = this.#begin[state]!;
    return Array.from({ length: this.#begin[state + 1]! - begin }, (_, index) => begin + index);
  }

  #inner(component: readonly number[], inside: ReadonlySet<number>): readonly number[] {
    return component.flatMap(state => this.#edges(state).filter(edge => inside.has(this.#to[edge]!)));
  }

  /** The shortest way between two states of a component. */
  #way(from: number, to: number, inside: ReadonlySet<number>): readonly number[] {
    const before = new Map<number, { readonly state: number; readonly move: number }>();
    const queue = [from];
    for (const state of queue) {
      if (state === to) break;
      for (const edge of this.#edges(state)) {
        const next = this.#to[edge]!;
        if (!inside.has(next) || before.has(next) || next === from) continue;
        before.set(next, { state, move: this.#move[edge]! });
        queue.push(next);
      }
    }
    const moves: number[] = [];
    for (let at = to; at !== from; ) {
      const step = before.get(at);
      assert(step !== undefined, 'liveness: a component is connected');
      moves.push(step.move);
      at = step.state;
    }
    return moves.reverse();
  }

  #goTo(moves: readonly number[]): void {
    this.#packing.first();
    for (const move of moves) this.#world.take(move);
  }
}
