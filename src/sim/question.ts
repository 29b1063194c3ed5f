/**
 * Something that is asked of a machine while its run stands still: what it is now, or whether it becomes so.
 *
 * A judge of its own answers, so the run does not notice. It knows only what comes from here on: what has to do with the
 * past is asked of another run, from the start to the same place.
 */
import type { Expr } from './expr.ts';
import { asksForWriters } from './judge/anywhere.ts';
import { Judge } from './judge/judge.ts';
import type { Program } from './program.ts';
import { byName, createSimulation, type Simulation } from './simulation.ts';

/** The program with nothing in it that judges or reports but the question. */
function asking(program: Program, values: readonly Expr[]): Program {
  const report = values.map(value => ({ title: '', value }));
  return { ...program, judgements: [], expectations: [], actions: program.actions.map(unasked), report };
}

/** Who only answers does not look at what starts the actions. */
function unasked(action: Program['actions'][number]): Program['actions'][number] {
  return action.trigger.kind === 'when' ? { ...action, trigger: { kind: 'start' } } : action;
}

function judgeOf({ machine }: Simulation, values: readonly Expr[]): Judge {
  return new Judge({ ...machine, program: asking(machine.program, values) });
}

/** What they are now, in words. */
export function answersTo(simulation: Simulation, values: readonly Expr[]): readonly string[] {
  const { program, clock } = simulation.machine;
  const writes = asksForWriters(asking(program, values));
  const here = writes ? null : judgeOf(simulation, values);
  if (here && !here.needs.observations && !here.needs.records && !here.needs.steps) return saidBy(here);
  const report = values.map(value => ({ title: '', value }));
  const again = createSimulation({ ...program, report });
  again.runUntil(Number.MAX_SAFE_INTEGER, clock.step);
  return saidBy(again.judge);
}

function saidBy(judge: Judge): readonly string[] {
  const holds = judge.columnsHold();
  return judge.report().map(({ value }, index) => {
    const truth = holds[index] ?? null;
    return truth === null ? value : truth ? 'true' : 'false';
  });
}

/** Waits for a condition to become so. Listens to the machine between listen() and the call of what that returns. */
export class Awaited {
  readonly #simulation: Simulation;
  readonly #judge: Judge;
  #was: boolean;

  /** Null where a run that is under way cannot tell. */
  static of(simulation: Simulation, condition: Expr): Awaited | null {
    return asksForWriters(asking(simulation.machine.program, [condition])) ? null : new Awaited(simulation, condition);
  }

  private constructor(simulation: Simulation, condition: Expr) {
    this.#simulation = simulation;
    this.#judge = judgeOf(simulation, [condition]);
    this.#was = this.#holds;
  }

  get #holds(): boolean {
    return this.#judge.columnsHold()[0] ?? false;
  }

  listen(): () => void {
    const { machine } = this.#simulation;
    const judge = this.#judge;
    const { emit, observe } = machine;
    const observing = byName(machine, (observation, vm, a, b) => judge.observe(observation, vm, a, b));
    machine.emit = (id, ...args) => {
      emit?.(id, ...args);
      if (judge.needs.records) judge.emit(id, ...args);
    };
    if (judge.needs.observations)
      machine.observe = (observation, vm, a, b) => {
        observe?.(observation, vm, a, b);
        observing(observation, vm, a, b);
      };
    return () => {
      machine.emit = emit;
      machine.observe = observe;
    };
  }

  /** After each step: whether it has become so in it. */
  stepped(): boolean {
    const judge = this.#judge;
    if (judge.needs.steps) judge.stepped();
    const was = this.#was;
    this.#was = this.#holds;
    return this.#was && !was;
  }
}
