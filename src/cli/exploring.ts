/** One program to its verdict in every order: the options, the slices, the line that says how far it is. */
import { printable } from '../base/printable.ts';
import { didYouMean } from '../dsl/suggest.ts';
import {
  DEFAULTS,
  type Exploration,
  type ExploreOptions,
  exploring,
  REDUCTIONS,
  type ReductionName,
  refusalOf,
} from '../explore/explore.ts';
import type { Progress as Reached } from '../explore/search.ts';
import type { End, Explored } from '../report/result.ts';
import { repeatCommand } from '../sim/judge/verdict.ts';
import type { Program, View } from '../sim/program.ts';
import type { Args } from './args.ts';
import { identityOf, keeperOf, nameOf, readCheckpoint } from './checkpoint.ts';
import { turn } from './execute.ts';
import { foundIn } from './found.ts';
import { duration } from './progress.ts';
import { Refusal } from './refusal.ts';
import type { Conduct } from './runner.ts';
import { shownOf } from './shown.ts';
import type { Terminal } from './terminal.ts';
import { newThreads } from './threads.ts';
import {
  ALL,
  CHECKPOINT,
  DEPTH,
  EXACT,
  MEMORY,
  NO_REDUCE,
  PREEMPTIONS,
  REDUCTIONS_FLAG,
  RESUME,
  SHOW,
  STATES,
  STRATEGY,
  TIMING,
  VIEWS,
  WALKS,
  WORKERS,
} from './verbs.ts';

const CHECKPOINT_MS = 10_000;

/** Throws a Refusal where the flags ask for what there is not. */
export function explorerOf(args: Args, terminal: Terminal): NonNullable<Conduct['explore']> {
  const reductions = reductionsOf(args);
  const shown = viewsOf(args);
  const keeping = keepingOf(args, terminal);
  let said_alone = false;
  return async (program, going) => {
    const refusal = refusalOf(program);
    if (refusal !== null) return refused(program, refusal);
    const options = { ...optionsOf(program, args, reductions), paranoid: going.paranoid };
    if (options.workers > 1 && options.strategy === 'dfs' && !said_alone) {
      said_alone = true;
      terminal.err.write(`note: ${options.strategy} is for one thread; --workers makes no difference\n`);
    }
    const started_ms = terminal.now_ms();
    const kept = keeping(program, options);
    const slices = exploring(program, { ...options, ...kept, progress: () => !going.interrupted() });
    const pace = new Pace(terminal, options);
    for (;;) {
      const { done, value } = slices.next();
      if (done) {
        const seconds = args.get(TIMING) ? (terminal.now_ms() - started_ms) / 1000 : null;
        const repeat = `${repeatCommand(value.program)}${flagsOf(args)}`;
        const violations = value.violations.map(violation => ({ ...violation, repeat }));
        const exploration = { ...value, violations };
        return { kind: 'explored', exploration, options, seconds, repeat, ...toldOf(exploration, shown) };
      }
      pace.reached(value);
      going.progress.line(() => `${pace.text(value)}  ${printable(going.title)}`);
      await turn();
    }
  };
}

/** What was found, told. The file may ask for views of what breaks a judgement that it does not expect to break. */
function toldOf(exploration: Exploration, shown: readonly View[]): Pick<Explored, 'found' | 'views'> {
  const { program, violations } = exploration;
  const { show = [], write = [], exports = [], shrink = false } = program.exploration?.reaction ?? {};
  const asked = VIEWS.filter(view => violations.length > 0 && show.includes(view));
  const whole = shown.length === 0 && !shrink && show.length + write.length + exports.length > 0;
  const views = shown.length > 0 ? shown : asked;
  const wanted = violations.length > 0 ? exports : [];
  const found = foundIn(exploration, whole).map(outcome => {
    return {
      property: outcome.program.schedule?.breaks ?? '',
      ...shownOf(outcome.program, { views, exports: wanted }),
    };
  });
  return { found, views };
}

function viewsOf(args: Args): readonly View[] {
  return args.get(SHOW).map(word => {
    const view = VIEWS.find(each => each === word);
    if (view === undefined) throw new Refusal(`no view '${word}'`, didYouMean(word, VIEWS, 'views'));
    return view;
  });
}

/** Where how far it is is kept, and where it goes on from: of each exploration. */
function keepingOf(args: Args, { now_ms }: Terminal) {
  const path = args.get(CHECKPOINT);
  const from = args.get(RESUME);
  const stored = from === null ? null : readCheckpoint(from);
  return (program: Program, options: ExploreOptions): Pick<ExploreOptions, 'keeper' | 'resume'> => {
    if (path === null && stored === null) return { keeper: null, resume: null };
    const of = nameOf(program);
    const identity = identityOf(program, options);
    if (stored !== null && stored.identity !== identity) {
      const differs = stored.of === of ? 'the file or the options are others now' : `this is ${of}`;
      throw new Refusal(`${from} is of ${stored.of}; ${differs}`, 'choose one with --grep and --variants');
    }
    return {
      keeper: path === null ? null : keeperOf(path, of, identity, now_ms, CHECKPOINT_MS),
      resume: stored?.resumed ?? null,
    };
  };
}

function reductionsOf(args: Args): ReadonlySet<ReductionName> | null {
  const named = args.get(REDUCTIONS_FLAG);
  if (args.get(NO_REDUCE)) {
    if (named.length > 0) throw new Refusal('--no-reduce leaves nothing for --reductions');
    return new Set();
  }
  if (named.length === 0) return null;
  return new Set(
    named.map(word => {
      const found = REDUCTIONS.find(each => each === word);
      if (found === undefined) throw new Refusal(`no reduction '${word}'`, didYouMean(word, REDUCTIONS, 'reductions'));
      return found;
    }),
  );
}

/** Where nobody says what to leave out, nothing is in a world of no more states. */
export const SMALL_WORLD_STATES = 30_000;

/** The command line over the file, over what we think best. */
function optionsOf(program: Program, args: Args, reductions: ReadonlySet<ReductionName> | null): ExploreOptions {
  const said = program.exploration;
  const workers = Math.max(1, args.get(WORKERS) ?? 1);
  return {
    ...DEFAULTS,
    strategy: args.get(STRATEGY) ?? said?.strategy ?? DEFAULTS.strategy,
    depth: args.get(DEPTH) ?? said?.depth ?? DEFAULTS.depth,
    preemptions: args.get(PREEMPTIONS) ?? said?.preemptions ?? DEFAULTS.preemptions,
    states: args.get(STATES) ?? said?.states ?? DEFAULTS.states,
    memory_bytes: args.get(MEMORY) ?? DEFAULTS.memory_bytes,
    walks: args.get(WALKS) ?? DEFAULTS.walks,
    workers,
    threads: workers > 1 ? newThreads() : null,
    seed: program.seed,
    reductions: reductions ?? DEFAULTS.reductions,
    plain_first: reductions === null ? SMALL_WORLD_STATES : null,
    exact: args.get(EXACT),
    all: args.get(ALL),
  };
}

/** The flags that decide what is covered, as they were given. */
function flagsOf(args: Args): string {
  const values = [STRATEGY, DEPTH, PREEMPTIONS, STATES, MEMORY, WALKS].flatMap(flag => {
    const value = args.get<number | string | null>(flag);
    return value === null ? [] : [` --${flag.name} ${value}${flag === MEMORY ? 'B' : ''}`];
  });
  const reductions = args.get(REDUCTIONS_FLAG);
  const switches = [NO_REDUCE, EXACT, ALL].flatMap(flag => (args.get(flag) ? [` --${flag.name}`] : []));
  return [...values, ...(reductions.length > 0 ? [` --reductions ${reductions.join()}`] : []), ...switches].join('');
}

function refused({ place }: Program, message: string): End {
  const { file, line, column } = place;
  const help = 'name the pages: read page(1), or scan';
  return {
    kind: 'invalid',
    problems: [{ file, line, column, severity: 'error', code: 'unexplorable', message, help }],
  };
}

/** How far one exploration is, and how long it may still take where a bound says so. */
class Pace {
  readonly #terminal: Terminal;
  readonly #options: ExploreOptions;
  readonly #started_ms: number;
  /** When the depth that it is at was reached, and how long the one before took. */
  #depth = 0;
  #entered_ms: number;
  #level_ms = 0;

  constructor(terminal: Terminal, options: ExploreOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#started_ms = terminal.now_ms();
    this.#entered_ms = this.#started_ms;
  }

  reached({ depth }: Reached): void {
    if (depth === this.#depth) return;
    const now_ms = this.#terminal.now_ms();
    this.#level_ms = (now_ms - this.#entered_ms) / Math.max(1, depth - this.#depth);
    this.#depth = depth;
    this.#entered_ms = now_ms;
  }

  text({ states, frontier, depth, bytes }: Reached): string {
    const most = this.#options;
    const spent_ms = Math.max(1, this.#terminal.now_ms() - this.#started_ms);
    const rate = (1000 * states) / spent_ms;
    const left_s = Math.min(
      most.states === null ? Number.POSITIVE_INFINITY : (most.states - states) / Math.max(1, rate),
      // Levels mostly grow, and later shrink: no more than a guess.
      most.depth === null ? Number.POSITIVE_INFINITY : ((most.depth - depth) * this.#level_ms) / 1000,
    );
    const left = Number.isFinite(left_s) ? `, ~${duration(Math.max(0, left_s))} left` : '';
    const per_s = rate >= 10_000 ? `${Math.round(rate / 1000)}k` : String(Math.round(rate));
    return `${states} states, ${per_s}/s, ${frontier} ahead, depth ${depth}, ${Math.ceil(bytes / 2 ** 20)}MiB${left}`;
  }
}
