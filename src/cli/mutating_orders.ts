/**
 * Mutation by exploration: every order of every run once more without one of its guards.
 *
 * What a timed run cannot say is said here: a guard that nobody misses although every order was tried carries no weight
 * in that world, on that variant.
 */
import { DEFAULTS, type Exploration, exploring, refusalOf } from '../explore/explore.ts';
import type { Program } from '../sim/program.ts';
import type { Mutation } from '../sim/protocol/mutations.ts';
import { turn } from './execute.ts';
import { mutatedProgram, noticed, overLosses, type Trial } from './mutating.ts';
import type { Plan } from './plan.ts';
import type { Terminal } from './terminal.ts';

/** What came of it on one variant, over all cases: found in one, or not in any order of any, or not decided in some. */
export interface Finding {
  readonly variant: string;
  readonly outcome: 'found' | 'survives' | 'undecided';
  /** The judgement that noticed, or what else came of it; null where nothing did. */
  readonly by: string | null;
  readonly file: string;
  readonly case_name: string | null;
  readonly line: number | null;
  /** Steps of the shortest way to it; null where there is none, or a cycle. */
  readonly steps: number | null;
  /** Looked at until then; of all cases, where nothing was found. */
  readonly states: number;
  readonly seconds: number;
  /** Why not everything was seen. */
  readonly stopped: string | null;
}

export interface OrderMutant {
  readonly change: string;
  readonly summary: string;
  readonly findings: readonly Finding[];
}

export interface OrdersMutated {
  readonly mutants: readonly OrderMutant[];
  /** Runs that do not hold in every order as they are, and so cannot notice anything. */
  readonly unfit: readonly string[];
  readonly explorations: number;
  readonly interrupted: boolean;
}

export interface OrderBounds {
  readonly knobs: readonly string[];
  /** At most so many states of each exploration. */
  readonly states: number;
}

export async function mutateOrders(
  plan: Plan,
  { knobs, states }: OrderBounds,
  terminal: Terminal,
): Promise<OrdersMutated> {
  const mutants = new Map<string, { readonly summary: string; readonly findings: Map<string, Finding> }>();
  let explorations = 0;
  const exploreAll = async (program: Program, interrupted: () => boolean): Promise<Exploration> => {
    explorations += 1;
    const slices = exploring(program, { ...DEFAULTS, states, progress: () => !interrupted() });
    for (;;) {
      const { done, value } = slices.next();
      if (done) return value;
      await turn();
    }
  };
  const trial: Trial<Exploration> = {
    plain: async (program, interrupted) => (refusalOf(program) === null ? exploreAll(program, interrupted) : null),
    async lose({ file, run, program, plain, mutation }, interrupted) {
      const mutant = mutants.get(mutation.name) ?? { summary: mutation.summary, findings: new Map() };
      mutants.set(mutation.name, mutant);
      const before = mutant.findings.get(run.variant);
      if (before?.outcome === 'found') return;
      const started_ms = terminal.now_ms();
      const found = await findingOf(program, plain, mutation, mutated => exploreAll(mutated, interrupted));
      const seconds = (terminal.now_ms() - started_ms) / 1000;
      const now: Finding = { variant: run.variant, file, case_name: run.case_name, seconds, ...found };
      if (!interrupted()) mutant.findings.set(run.variant, before ? together(before, now) : now);
    },
  };
  const { unfit, interrupted } = await overLosses(plan, knobs, trial, terminal);
  return {
    mutants: [...mutants].map(([change, { summary, findings }]) => ({
      change,
      summary,
      findings: [...findings.values()],
    })),
    unfit,
    explorations,
    interrupted,
  };
}

async function findingOf(
  program: Program,
  plain: Exploration,
  mutation: Mutation,
  exploreAll: (program: Program) => Promise<Exploration>,
): Promise<Omit<Finding, 'variant' | 'file' | 'case_name' | 'seconds'>> {
  const { line } = program.place;
  let mutated: Exploration;
  try {
    mutated = await exploreAll(mutatedProgram(program, mutation));
  } catch (error) {
    // A kernel that never was may leave the model no way on: that has been noticed too.
    const message = error instanceof Error ? error.message : String(error);
    const by = `the model: ${message.split('\n')[0]}`;
    return { outcome: 'found', by, line, steps: null, states: 0, stopped: null };
  }
  const { states, counterexamples, stopped } = mutated;
  const kill = noticed(plain, mutated, line, ({ holds }) => holds !== 'undecided');
  if (!kill) {
    const outcome = stopped === null ? 'survives' : 'undecided';
    return { outcome, by: null, line: null, steps: null, states, stopped };
  }
  const way = counterexamples.find(({ judgement }) => judgement.name === kill.by);
  const steps = way && way.cycle === null ? way.schedule.length : null;
  return { outcome: 'found', ...kill, steps, states, stopped: null };
}

/** Of two cases in which nothing was found before. */
function together(before: Finding, now: Finding): Finding {
  const seconds = before.seconds + now.seconds;
  if (now.outcome === 'found') return { ...now, seconds };
  const open = [before, now].find(({ outcome }) => outcome === 'undecided');
  const states = before.states + now.states;
  return { ...(open ?? before), case_name: null, states, seconds };
}
