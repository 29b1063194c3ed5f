/**
 * Which state leads to which by which move, and how to go round for ever without leaving anybody out.
 *
 * Fair is what leaves nobody out who could move all the time and has to, some time. Whoever could not at one state of a
 * cycle need not be let at the others (weak fairness). And who waits to be picked all the time is not passed over.
 */
import { Bug, present } from '../base/assert.ts';
import { components } from './components.ts';

/** States that can be reached from one another, by moves that pass none of these over. */
export interface Round {
  readonly states: readonly number[];
  readonly passing: ReadonlySet<number>;
}

const NOBODY: readonly number[] = [];

export class Rounds {
  readonly #isFair: (move: number) => boolean;
  /** Where the edges of each state begin; of each edge the move, and the state it leads to. */
  readonly #begin: number[] = [];
  readonly #move: number[] = [];
  readonly #to: number[] = [];
  /** Who waits to be picked at each state; and who does so before and after a move that picks another. */
  readonly #waiting: (readonly number[])[] = [];
  readonly #passed: (readonly number[])[] = [];

  /** `isFair`: whether somebody has to make a move, some time. */
  constructor(isFair: (move: number) => boolean) {
    this.#isFair = isFair;
  }

  /** What is added now is of that state; one behind the last ends it. In order. */
  begin(state: number, waiting: readonly number[] = NOBODY): void {
    this.#begin[state] = this.#move.length;
    this.#waiting[state] = waiting;
  }

  add(move: number, to: number, passed: readonly number[] = NOBODY): void {
    this.#move.push(move);
    this.#to.push(to);
    this.#passed.push(passed);
  }

  /** A set of such states in which it may go round for ever, fairly; null where there is none. */
  find(open: readonly boolean[]): Round | null {
    const left = [{ open, passing: new Set<number>() }];
    for (const { open, passing } of left)
      for (const states of this.#components(open, passing)) {
        const round = { states, passing };
        const task = this.#passedIn(round);
        if (task === null) {
          if (this.#starved(states, this.#movesOf(round)) === null) return round;
          continue;
        }
        // It may not be passed over for ever: perhaps one can go round without.
        const inside: boolean[] = Array.from({ length: open.length }, () => false);
        for (const state of states) inside[state] = true;
        left.push({ open: inside, passing: new Set([...passing, task]) });
      }
    return null;
  }

  #components(open: readonly boolean[], passing: ReadonlySet<number>): readonly (readonly number[])[] {
    const begin = [0];
    const to: number[] = [];
    open.forEach((is, state) => {
      if (is)
        for (const edge of this.#edges(state))
          if (open[this.#to[edge]!] && !this.#passes(edge, passing)) to.push(this.#to[edge]!);
      begin.push(to.length);
    });
    return components(begin, to);
  }

  #passes(edge: number, tasks: ReadonlySet<number>): boolean {
    return tasks.size > 0 && this.#passed[edge]!.some(task => tasks.has(task));
  }

  /** One that waits at all of these states, and is passed over; or null. */
  #passedIn(round: Round): number | null {
    const [first = 0] = round.states;
    const always = this.#waiting[first]!.filter(task =>
      round.states.every(state => this.#waiting[state]!.includes(task)),
    );
    if (always.length === 0) return null;
    const inside = new Set(round.states);
    const passed = round.states.flatMap(state =>
      this.#inner(state, inside, round.passing).flatMap(edge => this.#passed[edge]!),
    );
    return always.find(task => passed.includes(task)) ?? null;
  }

  #movesOf({ states, passing }: Round): ReadonlySet<number> {
    const inside = new Set(states);
    return new Set(states.flatMap(state => this.#inner(state, inside, passing).map(edge => this.#move[edge]!)));
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
   * A way round, from that state of it to itself. It is fair as it is walked: whoever could move all the time is let, and
   * whoever waits is picked; or it goes by a state at which he could not, or does not. There is one, or it were not fair.
   */
  tour(round: Round, first: number): readonly number[] {
    const edges: number[] = [];
    const visited = [first];
    const go = (wanted: (edge: number) => boolean) => {
      const way = this.#way(visited.at(-1)!, round, wanted);
      edges.push(...way);
      visited.push(...way.map(edge => this.#to[edge]!));
    };
    go(() => true);
    for (;;) {
      const starved = this.#starved(visited, new Set(edges.map(edge => this.#move[edge]!)));
      if (starved !== null) {
        const hasNot = (state: number) => this.#edges(state).every(edge => this.#move[edge] !== starved);
        go(edge => this.#move[edge] === starved || hasNot(this.#to[edge]!));
        continue;
      }
      const passed = edges.flatMap(edge => this.#passed[edge]!);
      const task = passed.find(each => visited.every(state => this.#waiting[state]!.includes(each)));
      if (task !== undefined) go(edge => !this.#waiting[this.#to[edge]!]!.includes(task));
      else if (visited.at(-1) === first) return edges.map(edge => this.#move[edge]!);
      else go(edge => this.#to[edge] === first);
    }
  }

  #edges(state: number): readonly number[] {
    const begin = this.#begin[state]!;
    return Array.from({ length: this.#begin[state + 1]! - begin }, (_, index) => begin + index);
  }

  #inner(state: number, inside: ReadonlySet<number>, passing: ReadonlySet<number>): readonly number[] {
    return this.#edges(state).filter(edge => inside.has(this.#to[edge]!) && !this.#passes(edge, passing));
  }

  /** The shortest way within it whose last step is as wanted. */
  #way(from: number, { states, passing }: Round, wanted: (edge: number) => boolean): readonly number[] {
    const inside = new Set(states);
    const by = new Map<number, { readonly before: number; readonly edge: number }>();
    const queue = [from];
    for (const state of queue) {
      for (const edge of this.#inner(state, inside, passing)) {
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
