/**
 * Which state leads to which by which move, and how to go round for ever without leaving anybody out.
 *
 * Fair is what leaves nobody out who could move all the time and has to, some time. Whoever could not at one state of a
 * cycle need not be let at the others (weak fairness).
 */
import { Bug, present } from '../base/assert.ts';
import { components } from './components.ts';

export class Rounds {
  readonly #isFair: (move: number) => boolean;
  /** Where the edges of each state begin; of each edge the move, and the state it leads to. */
  readonly #begin: number[] = [];
  readonly #move: number[] = [];
  readonly #to: number[] = [];

  /** `isFair`: whether somebody has to make a move, some time. */
  constructor(isFair: (move: number) => boolean) {
    this.#isFair = isFair;
  }

  /** What is added now is of that state; one behind the last ends it. In order. */
  begin(state: number): void {
    this.#begin[state] = this.#move.length;
  }

  add(move: number, to: number): void {
    this.#move.push(move);
    this.#to.push(to);
  }

  /** States that can be reached from one another by way of such states, of each set of them that has a cycle. */
  components(open: readonly boolean[]): readonly (readonly number[])[] {
    const begin = [0];
    const to: number[] = [];
    open.forEach((is, state) => {
      if (is) for (const edge of this.#edges(state)) if (open[this.#to[edge]!]) to.push(this.#to[edge]!);
      begin.push(to.length);
    });
    return components(begin, to);
  }

  /** Whether nobody is left out who could move all the time. */
  isFair(component: readonly number[]): boolean {
    const inside = new Set(component);
    const moved = new Set(component.flatMap(state => this.#inner(state, inside).map(edge => this.#move[edge]!)));
    return this.#starved(component, moved) === null;
  }

  /** A move that somebody has to make, that could be made at each of these states, and is none of those; or null. */
  #starved(states: readonly number[], moved: ReadonlySet<number>): number | null {
    let always = this.#edges(states[0]!).map(edge => this.#move[edge]!);
    always = always.filter(move => !moved.has(move) && this.#isFair(move));
    for (const state of states) {
      if (always.length === 0) return null;
      const here = new Set(this.#edges(state).map(edge => this.#move[edge]!));
      always = always.filter(move => here.has(move));
    }
    return always[0] ?? null;
  }

  /**
   * A way round, from that state of the component to itself. It is fair as it is walked: whoever could move all the time
   * is let, or it goes by a state at which he could not; there is one, since the whole component is fair.
   */
  tour(component: readonly number[], first: number): readonly number[] {
    const inside = new Set(component);
    const edges: number[] = [];
    const visited = [first];
    const go = (way: readonly number[]) => {
      edges.push(...way);
      visited.push(...way.map(edge => this.#to[edge]!));
    };
    go(this.#way(first, inside, () => true));
    for (;;) {
      const moved = new Set(edges.map(edge => this.#move[edge]!));
      const starved = this.#starved(visited, moved);
      if (starved === null) break;
      const hasNot = (state: number) => this.#edges(state).every(edge => this.#move[edge] !== starved);
      go(this.#way(visited.at(-1)!, inside, edge => this.#move[edge] === starved || hasNot(this.#to[edge]!)));
    }
    if (visited.at(-1) !== first) go(this.#way(visited.at(-1)!, inside, edge => this.#to[edge] === first));
    return edges.map(edge => this.#move[edge]!);
  }

  #edges(state: number): readonly number[] {
    const begin = this.#begin[state]!;
    return Array.from({ length: this.#begin[state + 1]! - begin }, (_, index) => begin + index);
  }

  #inner(state: number, inside: ReadonlySet<number>): readonly number[] {
    return this.#edges(state).filter(edge => inside.has(this.#to[edge]!));
  }

  /** The shortest way within a component whose last step is as wanted. */
  #way(from: number, inside: ReadonlySet<number>, wanted: (edge: number) => boolean): readonly number[] {
    const by = new Map<number, { readonly before: number; readonly edge: number }>();
    const queue = [from];
    for (const state of queue) {
      for (const edge of this.#inner(state, inside)) {
        if (wanted(edge)) return [...this.#back(by, state, from), edge];
        const next = this.#to[edge]!;
        if (by.has(next) || next === from) continue;
        by.set(next, { before: state, edge });
        queue.push(next);
      }
    }
    throw new Bug('liveness: a component is connected');
  }

  #back(
    by: ReadonlyMap<number, { readonly before: number; readonly edge: number }>,
    last: number,
    from: number,
  ): readonly number[] {
    const edges: number[] = [];
    for (let state = last; state !== from; ) {
      const { before, edge } = present(by.get(state), 'liveness: a way back');
      edges.push(edge);
      state = before;
    }
    return edges.reverse();
  }
}
