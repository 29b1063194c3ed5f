/**
 * Every order of one program, to a verdict: which judgements hold however the actors are interleaved, and for each that
 * does not, a way there.
 */

import { judgementText } from '../sim/judge/text.ts';
import { conclude } from '../sim/judge/verdict.ts';
import type { JudgementResult, Verdict, Violation } from '../sim/outcome.ts';
import type { Judgement, Program } from '../sim/program.ts';
import { budgetNames } from './budgets.ts';
import type { Keeper, Resumed } from './checkpoint.ts';
import { endless, isPromise } from './liveness.ts';
import type { Threads } from './orders.ts';
import { type Progress, Search, type SearchResult } from './search.ts';
import { untimed } from './untimed.ts';
import { isWalk, walk } from './walks.ts';
import type { World } from './world.ts';

export const STRATEGIES = ['bfs', 'dfs', 'random', 'pct'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What may be left out, and is not with `--no-reduce`. */
export const REDUCTIONS = ['order', 'identity', 'symmetry'] as const;
export type ReductionName = (typeof REDUCTIONS)[number];

export interface ExploreOptions {
  readonly strategy: Strategy;
  /** Bounds: choices on a path, switches away from a thread that could go on, states. Null for none. */
  readonly depth: number | null;
  readonly preemptions: number | null;
  readonly states: number | null;
  readonly memory_bytes: number | null;
  /** Paths of `random` and `pct`, and where their choices come from. */
  readonly walks: number;
  readonly seed: number;
  readonly reductions: ReadonlySet<ReductionName>;
  /**
   * So many states are gone through in every order first: in a small world, learning what may be left out takes longer
   * than it saves, and the way to what fails is the shortest of all. Null to leave out what may be from the start.
   */
  readonly plain_first: number | null;
  /** Whole states instead of fingerprints. */
  readonly exact: boolean;
  /** Goes on after a judgement has failed that nobody expected to. */
  readonly all: boolean;
  readonly paranoid: boolean;
  /** Threads that share the work, and how to start one; null where there are no threads. */
  readonly workers: number;
  readonly threads: Threads | null;
  /** Who keeps checkpoints, and one to go on from. */
  readonly keeper: Keeper | null;
  readonly resume: Resumed | null;
  /** Told of each state in which nobody who has to move can, and its fingerprint; often of the same. */
  readonly quiescent: ((world: World, high: number, low: number) => void) | null;
  /** Called every thousand states or so; false to stop. */
  readonly progress: ((now: Progress) => boolean) | null;
}

export const DEFAULTS: ExploreOptions = {
  strategy: 'bfs',
  depth: null,
  preemptions: null,
  states: null,
  memory_bytes: 4 * 2 ** 30,
  walks: 1000,
  seed: 0,
  reductions: new Set(REDUCTIONS),
  plain_first: null,
  exact: false,
  all: false,
  paranoid: false,
  workers: 1,
  threads: null,
  keeper: null,
  resume: null,
  quiescent: null,
  progress: null,
};

/** A way to break a judgement: which thread or source makes each move, from the first state on. */
export interface Counterexample {
  readonly judgement: Judgement;
  readonly actual: string;
  readonly schedule: readonly number[];
  /** What then goes on for ever, round and round; null where the schedule ends it. */
  readonly cycle: readonly number[] | null;
}

export interface Exploration {
  /** The program as explored: without times. A schedule is one of this program. */
  readonly program: Program;
  readonly verdict: Verdict;
  readonly judgements: readonly JudgementResult[];
  readonly violations: readonly Violation[];
  readonly expected_failures: ReturnType<typeof conclude>['expected_failures'];
  readonly counterexamples: readonly Counterexample[];
  /** Judgements that only a clock can decide, and that an exploration leaves out. */
  readonly left_out: readonly Judgement[];
  readonly states: number;
  readonly transitions: number;
  readonly steps: number;
  readonly depth: number;
  /** Whether anything can go on for ever, and if so whether it was looked for what then never comes. */
  readonly endless: 'nothing' | 'judged' | 'not looked for';
  /** Why not everything was seen, in words; null where everything was. */
  readonly stopped: string | null;
  readonly bytes_per_state: number;
  /** That two states were taken for one: about n^2 / 2^65; 0 for an exact search. */
  readonly collision_odds: number;
  readonly reductions: readonly ReductionName[];
  /** How often at most what need not happen did: `tick` for what comes again and again, and what the file allows. */
  readonly budgets: Readonly<Record<string, number>>;
}

/** Why a program cannot be explored, or null. */
export function refusalOf(program: Program): string | null {
  return untimed(program).refusal;
}

export function explore(timed: Program, options: ExploreOptions = DEFAULTS): Exploration {
  const going = exploring(timed, options);
  for (;;) {
    const { done, value } = going.next();
    if (done) return value;
  }
}

/** The same in slices: it pauses now and then, for whoever has to look after something else, too. */
export function* exploring(timed: Program, asked: ExploreOptions): Generator<Progress, Exploration> {
  const { program, left_out } = untimed(timed);
  const walks = isWalk(asked);
  const plain = plainOf(asked);
  const first = plain && (yield* searched(program, plain));
  const small = first && first.states < (plain?.states ?? 0) ? first : null;
  const options = small ? { ...asked, reductions: plain?.reductions ?? asked.reductions } : asked;
  const result = small ?? (yield* walks ? walk(program, options) : searched(program, options));
  const { states, transitions, steps, depth, stopped, bytes } = result;
  const ways = result.found.map(
    ({ judgement, actual, path }): Counterexample => ({ judgement, actual, schedule: path, cycle: null }),
  );
  const failed = new Set(ways.map(({ judgement }) => judgement.name));
  const promises = program.judgements.filter(each => isPromise(each) && !failed.has(each.name));
  const looked_for = result.cyclic && stopped === null && promises.length > 0;
  const cycles = looked_for ? lassos(program, options, promises) : null;
  const counterexamples = [...ways, ...(cycles?.ways ?? [])];
  const judgements = program.judgements.map(judgement => {
    const way = counterexamples.find(each => each.judgement === judgement || each.judgement.name === judgement.name);
    // What was promised is not known to come while it is not known what goes on for ever.
    const seen = stopped === null && (cycles?.complete !== false || !isPromise(judgement));
    return resultOf(judgement, way, seen, result.reached.has(judgement.name));
  });
  return {
    program,
    ...conclude(program, judgements, 0, steps),
    judgements,
    counterexamples,
    left_out,
    states,
    transitions,
    steps,
    depth,
    endless:
      cycles === null ? (result.cyclic ? 'not looked for' : 'nothing') : cycles.complete ? 'judged' : 'not looked for',
    stopped,
    bytes_per_state: states === 0 ? 0 : bytes / states,
    collision_odds: options.exact ? 0 : states ** 2 / 2 ** 65,
    // A bound on preemptions is about orders, and a path has nothing to leave out.
    reductions: [...options.reductions].filter(
      each =>
        !walks &&
        (each !== 'order' || options.preemptions === null) &&
        (each !== 'symmetry' || (result.symmetric && !result.unlike)),
    ),
    budgets: budgetNames(program),
  };
}

/** Without symmetry, where it turns out that there is none. */
function* searched(program: Program, asked: ExploreOptions): Generator<Progress, SearchResult> {
  const without = { ...asked, reductions: new Set([...asked.reductions].filter(each => each !== 'symmetry')) };
  const before = asked.resume?.progress;
  if (before?.kind === 'search' && !before.symmetric) return yield* new Search(program, without).run();
  const result = yield* new Search(program, asked).run();
  return result.unlike ? yield* new Search(program, { ...without, resume: null }).run() : result;
}

/** The same in every order, for a world that may be small enough; null where that was not asked for. */
function plainOf(asked: ExploreOptions): ExploreOptions | null {
  const { strategy, plain_first, preemptions, reductions, states } = asked;
  if (plain_first === null || strategy !== 'bfs' || preemptions !== null || !reductions.has('order')) return null;
  const most = Math.min(plain_first, states ?? plain_first);
  // It is soon done again: a checkpoint is of what comes after it.
  const plain = new Set([...reductions].filter(each => each !== 'order'));
  return { ...asked, states: most, reductions: plain, keeper: null, resume: null };
}

/** States that are kept with all that leads from one to another, to find what goes on for ever. */
const MOST_STATES_OF_CYCLES = 300_000;

function lassos(program: Program, options: ExploreOptions, open: readonly Judgement[]) {
  // Here nothing is left out, so there are more of them.
  const most = Math.min(4 * (options.states ?? MOST_STATES_OF_CYCLES), MOST_STATES_OF_CYCLES);
  const { lassos, complete } = endless(program, most, new Set(open.map(({ name }) => name)));
  const ways = lassos.map(
    ({ judgement, stem, cycle }): Counterexample => ({
      judgement,
      actual: `it goes on for ever, ${cycle.length} steps round and round`,
      schedule: stem,
      cycle,
    }),
  );
  return { complete, ways };
}

function resultOf(
  judgement: Judgement,
  found: Counterexample | undefined,
  complete: boolean,
  reached: boolean,
): JudgementResult {
  const { name, kind, place } = judgement;
  const expected = judgementText(judgement);
  const blank = { name, kind, place, at_ns: null, expected, actual: '', message: '' };
  if (kind === 'sometimes') {
    if (reached) return { ...blank, holds: 'yes', step: null };
    const actual = complete ? 'it is reached in no order' : 'it was not reached';
    const message = `${kind} '${name}': expected ${expected}, found that ${actual}`;
    return { ...blank, holds: complete ? 'no' : 'undecided', step: null, actual, message };
  }
  if (found) {
    const step = found.schedule.length;
    const message = `violated: ${kind} '${name}' after ${step} steps: expected ${expected}, found ${found.actual}`;
    return { ...blank, holds: 'no', step, actual: found.actual, message };
  }
  if (complete) return { ...blank, holds: 'yes', step: null };
  const message = `undecided: ${kind} '${name}': not everything was seen`;
  return { ...blank, holds: 'undecided', step: null, message };
}
