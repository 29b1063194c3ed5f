/**
 * What goes on for ever without what was promised: a path to a cycle, and the cycle, every step of both a real one.
 *
 * All states are kept with all moves between them, so nothing is left out for symmetry or order here. What counts is a
 * cycle on which the judgement is open all the way round, and which is fair: an actor that could move at every state of it
 * does so somewhere on it. Fair are threads, requests,
 * timers that have been set, whatever is pending; what nobody has to let happen (ticks, acts within a budget) is not.
 */
import type { Judgement, Program } from '../sim/program.ts';
import { Turns } from './fairness.ts';
import { Level } from './frontier.ts';
import { Identity } from './identity.ts';
import { Packing } from './packing.ts';
import { type Round, Rounds } from './rounds.ts';
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
  return kind === 'eventually' || kind === 'order' || (onset !== null && kind !== 'sometimes');
}

/** Looks for cycles on which a judgement stays open all the way round. At most so many states are kept. */
export function endless(program: Program, most_states: number, open: ReadonlySet<string>): Liveness {
  const graph = new Graph(program, open);
  if (!graph.explore(most_states)) return { lassos: [], complete: false };
  const lassos = program.judgements.flatMap(judgement => {
    const round = graph.unfulfilled(judgement.name);
    if (!round) return [];
    const first = round.states.reduce((least, state) => Math.min(least, state));
    return [{ judgement, stem: graph.path(first), cycle: graph.rounds.tour(round, first) }];
  });
  return { lassos, complete: true };
}

class Graph {
  readonly #world: World;
  readonly #visited: Visited;
  readonly #moves: Int32Array;
  readonly #packing: Packing;
  readonly rounds: Rounds;
  /** Of each of the judgements in question, whether it would fail if nothing else came, state by state. */
  readonly #open: ReadonlyMap<string, boolean[]>;

  constructor(program: Program, open: ReadonlySet<string>) {
    this.#open = new Map([...open].map(name => [name, []]));
    this.#world = new World(program);
    this.rounds = new Rounds(move => this.#world.isFair(move));
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
    const turns = new Turns(world.m);
    const visit = (parent: number, chain: readonly number[]): number => {
      identity.update();
      const state = this.#visited.reach(identity.high, identity.low, parent, 0, chain);
      if (this.#visited.fresh) {
        frontier.push(state, packing);
        this.#judge(state);
      }
      return state;
    };
    visit(NO_PARENT, []);
    while (frontier.taken < frontier.length) {
      const state = frontier.read(frontier.take(1), packing);
      const count = world.enabled(this.#moves);
      const moves = this.#moves.slice(0, count);
      const waiting = turns.waiting();
      this.rounds.begin(state, waiting);
      moves.forEach((move, index) => {
        if (index > 0) packing.again();
        turns.note();
        world.take(move);
        this.rounds.add(move, visit(state, [move]), turns.passed(waiting));
      });
      if (this.#visited.size > most_states) return false;
    }
    this.rounds.begin(this.#visited.size);
    return true;
  }

  path(state: number): readonly number[] {
    return this.#visited.path(state);
  }

  /** Where it may go round for ever, while that judgement is open; or null. */
  unfulfilled(name: string): Round | null {
    return this.rounds.find(this.#open.get(name) ?? []);
  }

  /** Whether each judgement in question would fail if it went on without what it waits for. */
  #judge(state: number): void {
    if (this.#open.size === 0) return;
    const { judge } = this.#world;
    const before = judge.save();
    judge.finish('quiescent');
    for (const { name, holds } of judge.results()) {
      const open = this.#open.get(name);
      if (open) open[state] = holds === 'no';
    }
    judge.restore(before);
  }
}
