/**
 * Mutation: every run once more without one of its guards, to see which judgement notices.
 *
 * A run that never asks for a guard is the same without it, so it is not repeated.
 */
import { caseTitle } from '../report/result.ts';
import { Cover, mattersTo } from '../sim/cover.ts';
import type { JudgementResult, Outcome } from '../sim/outcome.ts';
import type { Program } from '../sim/program.ts';
import { type Mutation, mutationsOf } from '../sim/protocol/mutations.ts';
import { execute } from './execute.ts';
import type { Plan } from './plan.ts';
import { Progress } from './progress.ts';
import type { PlannedRun } from './runner.ts';
import type { Terminal } from './terminal.ts';

/** Who noticed first that something was gone. */
export interface Kill {
  readonly file: string;
  readonly case_name: string;
  readonly variant: string;
  /** The judgement, or what else came of it. */
  readonly by: string;
  readonly line: number;
}

export interface Mutant {
  /** The change, as it would stand in a variant. */
  readonly change: string;
  readonly summary: string;
  /** Why nothing in the model depends on it, where nothing does. */
  readonly weightless: string | null;
  /** The variants that have what was taken away. */
  readonly variants: readonly string[];
  /** Of these, the ones of which some run asked for it: on the others nothing here depends on it. */
  readonly asked: ReadonlySet<string>;
  /** By variant, those on which somebody noticed. */
  readonly kills: ReadonlyMap<string, Kill>;
}

export interface Mutated {
  readonly mutants: readonly Mutant[];
  /** Runs that did not hold as they are, and so cannot notice anything. */
  readonly unfit: readonly string[];
  readonly runs: number;
  readonly interrupted: boolean;
}

export interface Bounds {
  /** Only these knobs and guards, of those that a case asks for; empty for all. */
  readonly knobs: readonly string[];
  /** One variant that notices is enough. */
  readonly first: boolean;
}

/** A run that holds as it is, without one of its guards. */
export interface Loss<Plain> {
  readonly file: string;
  readonly run: PlannedRun;
  readonly program: Program;
  readonly plain: Plain;
  readonly mutation: Mutation;
}

/** Whoever is mutated: how a program is tried as it is, null where it cannot be, and what is done with each loss. */
export interface Trial<Plain> {
  plain(program: Program, interrupted: () => boolean): Promise<Plain | null>;
  lose(loss: Loss<Plain>, interrupted: () => boolean): Promise<void>;
}

/** Takes each guard, by itself, from each run of a plan that holds as it is. */
export async function overLosses<Plain extends Judged>(
  plan: Plan,
  knobs: readonly string[],
  trial: Trial<Plain>,
  terminal: Terminal,
): Promise<Pick<Mutated, 'unfit' | 'interrupted'>> {
  const unfit: string[] = [];
  const planned = plan.files.flatMap(({ file, runs }) => runs.map(run => ({ file, run })));
  const progress = new Progress(terminal, planned.length);
  let stopped = false;
  const interrupted = () => stopped;
  const release = terminal.onInterrupt(() => {
    stopped = true;
  });
  try {
    for (const { file, run } of planned) {
      if (stopped) break;
      const { program } = run.lower();
      const title = `${file}: ${caseTitle(run)} on ${run.variant}`;
      progress.tick(title, 0);
      const plain = program && (await trial.plain(program, interrupted));
      if (!program || !plain || (plain.verdict !== 'pass' && plain.verdict !== 'xfail')) {
        if (!stopped) unfit.push(title);
        continue;
      }
      const all = mutationsIn(program, [knobs, run.mutated_knobs]);
      for (const [index, mutation] of all.entries()) {
        if (stopped) break;
        progress.tick(title, index / all.length);
        await trial.lose({ file, run, program, plain, mutation }, interrupted);
      }
      progress.step();
    }
  } finally {
    release();
    progress.clear();
  }
  return { unfit, interrupted: stopped };
}

export async function mutate(plan: Plan, { knobs, first }: Bounds, terminal: Terminal): Promise<Mutated> {
  const mutants = new Map<string, ReturnType<typeof newMutant>>();
  let runs = 0;
  const outcomeOf = async (program: Program, interrupted: () => boolean, cover: Cover | null = null) => {
    runs += 1;
    return execute(program, { paranoid: false, record: null, cover, interrupted, reached: () => {} });
  };
  const trial: Trial<Outcome & { readonly cover: Cover }> = {
    async plain(program, interrupted) {
      const cover = new Cover('nothing');
      const outcome = await outcomeOf(program, interrupted, cover);
      return outcome && { ...outcome, cover };
    },
    async lose({ file, run, program, plain, mutation }, interrupted) {
      const mutant = mutants.get(mutation.name) ?? newMutant(mutation);
      mutants.set(mutation.name, mutant);
      mutant.variants.add(run.variant);
      if (!mattersTo(plain.cover, mutation.knob, mutation.element)) return;
      mutant.asked.add(run.variant);
      if (mutant.kills.has(run.variant) || (first && mutant.kills.size > 0)) return;
      const kill = await killOf(program, plain, mutation, mutated => outcomeOf(mutated, interrupted));
      if (kill) mutant.kills.set(run.variant, { file, case_name: run.case_name, variant: run.variant, ...kill });
    },
  };
  const { unfit, interrupted } = await overLosses(plan, knobs, trial, terminal);
  return {
    mutants: [...mutants].map(([change, { summary, weightless, variants, asked, kills }]) => ({
      change,
      summary,
      weightless,
      variants: [...variants],
      asked,
      kills,
    })),
    unfit,
    runs,
    interrupted,
  };
}

function newMutant({ summary, weightless }: Mutation) {
  return { summary, weightless, variants: new Set<string>(), asked: new Set<string>(), kills: new Map<string, Kill>() };
}

/**
 * Of all kernels in it: a VM may move to a host that has another. Of each list that is not empty, the knob has to be on it,
 * or the guard itself.
 */
export function mutationsIn({ vms }: Program, lists: readonly (readonly string[])[]): readonly Mutation[] {
  const all = new Map<string, Mutation>();
  for (const { knobs } of vms) for (const each of mutationsOf(knobs)) if (!all.has(each.name)) all.set(each.name, each);
  const wanted = lists.filter(list => list.length > 0);
  return [...all.values()].filter(({ knob, element }) =>
    wanted.every(list => list.includes(knob) || (element !== null && list.includes(element))),
  );
}

/** The program on kernels without it, of those that have it. */
export function mutatedProgram(program: Program, { name }: Mutation): Program {
  const vms = program.vms.map(vm => {
    const without = mutationsOf(vm.knobs).find(each => each.name === name);
    return without ? { ...vm, knobs: without.knobs } : vm;
  });
  return { ...program, vms };
}

/** Null where the mutant gets away. */
async function killOf(
  program: Program,
  plain: Outcome,
  mutation: Mutation,
  outcomeOf: (program: Program) => Promise<Outcome | null>,
): Promise<Pick<Kill, 'by' | 'line'> | null> {
  try {
    const outcome = await outcomeOf(mutatedProgram(program, mutation));
    return outcome && noticed(plain, outcome, outcome.program.place.line);
  } catch (error) {
    // A kernel that never was may leave the model no way on: that has been noticed too.
    const message = error instanceof Error ? error.message : String(error);
    return { by: `the model: ${message.split('\n')[0]}`, line: program.place.line };
  }
}

type Judged = Pick<Outcome, 'judgements' | 'verdict'>;

/** The first judgement that stands otherwise than before, of those that count. `line`: of the case. */
export function noticed(
  plain: Judged,
  mutated: Judged,
  line: number,
  counts: (result: JudgementResult) => boolean = () => true,
): Pick<Kill, 'by' | 'line'> | null {
  const before = new Map(plain.judgements.map(each => [each.name, each.holds]));
  const found = mutated.judgements.find(each => counts(each) && each.holds !== before.get(each.name));
  if (found) return { by: found.name, line: found.place.line };
  return mutated.verdict === plain.verdict || mutated.verdict === 'inconclusive' ? null : { by: mutated.verdict, line };
}

/** Of the guards that a plan's variants have, how many somebody noticed the lack of. */
export function killed(mutants: readonly Mutant[]): number {
  return mutants.filter(({ kills }) => kills.size > 0).length;
}
