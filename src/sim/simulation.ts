/**
 * A program being run: machine, script, judge and recorder put together.
 *
 * Everything that moves is in the machine's buffer and the judge's cells, so save() and restore() are complete.
 */
import { assert } from '../base/assert.ts';
import { boot } from './boot.ts';
import type { Cover } from './cover.ts';
import { NO_THREAD, type Over, runEngine } from './engine.ts';
import { can_move, row_named } from './incarnation.ts';
import { asksForWriters } from './judge/anywhere.ts';
import type { Recorded } from './judge/baseline.ts';
import { Judge, type JudgeState } from './judge/judge.ts';
import { conclude, repeatCommand } from './judge/verdict.ts';
import { createLaws, type Laws } from './laws.ts';
import { createMachine, type Machine, type Observe } from './machine.ts';
import { notEvicted, outOfMemory } from './mm/oom.ts';
import { OBSERVATION_NAMES, OBSERVATIONS } from './observe.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';
import { type EventSink, recorder, traceHash } from './record.ts';
import { runSchedule } from './scheduled.ts';
import { createScript } from './script.ts';

export interface SimulationOptions {
  /** Check the laws of the model after each step; a broken one throws. */
  readonly paranoid?: boolean;
  readonly record?: EventSink | null;
  /** `off`: no tracepoint is evaluated at all, for speed; events and hash stay 0. `sched`: the scheduler's as well. */
  readonly trace?: 'on' | 'off' | 'sched';
  /** Told what of the model the run reaches. */
  readonly cover?: Cover | null;
}

export interface Snapshot {
  readonly bytes: ArrayBuffer;
  readonly judge: JudgeState;
  readonly over: Over | null;
}

export interface Simulation {
  readonly machine: Machine;
  readonly judge: Judge;
  readonly over: Over | null;
  /** One event; false when the run is over. */
  step(): boolean;
  runUntil(ns: number, steps?: number): void;
  /** Ends the judgements and says what came out. The run may be restored and continued afterwards. */
  outcome(): Outcome;
  /** `into`: a snapshot of this run that nobody needs any more; its memory is used again. */
  save(into?: Snapshot): Snapshot;
  restore(snapshot: Snapshot): void;
}

/** The run without the acts of its case, and nobody to judge it: what it traces. */
function baselineOf(program: Program): readonly Recorded[] {
  if (!program.baseline) return [];
  const actions = program.actions.slice(0, program.baseline.actions);
  const bare = { ...program, actions, baseline: null, judgements: [], expectations: [], report: [] };
  const records: Recorded[] = [];
  const simulation = createSimulation(bare);
  simulation.machine.emit = recorder(simulation.machine, null, (tracepoint, args) => {
    records.push({ tracepoint, fields: args.slice() });
  });
  simulation.runUntil(program.limit_ns, program.limit_steps);
  return records;
}

/** A scenario names things by their first incarnation, wherever they are. */
export function byName(m: Machine, observe: Observe): Observe {
  if (!can_move(m)) return observe;
  const kinds = OBSERVATION_NAMES.map(name => OBSERVATIONS[name].args);
  return (observation, vm, a, b) => {
    const [kind_a = '', kind_b = ''] = kinds[observation]!;
    observe(observation, row_named(m, 'vm', vm), row_named(m, kind_a, a), row_named(m, kind_b, b));
  };
}

export function createSimulation(program: Program, options: SimulationOptions = {}): Simulation {
  const { paranoid = false, record = null, trace = 'on', cover = null } = options;
  const writes = paranoid || asksForWriters(program);
  let judge: Judge | null = null;
  let laws: Laws | null = null;
  const machine = createMachine(
    cover ? cover.over(program) : program,
    writes
      ? {
          read() {},
          write(field, row) {
            laws?.wrote(field, row);
            judge?.wrote(field, row);
          },
        }
      : null,
  );
  boot(machine);
  machine.clock.current_thread = NO_THREAD;
  const judging = new Judge(machine, () => baselineOf(program));
  const needs = judging.needs;
  assert(trace !== 'off' || !needs.records, 'simulation: a judgement over trace() needs the trace');
  const checking = paranoid ? createLaws(machine) : null;
  judge = judging;
  laws = checking;
  const script = createScript(
    machine,
    program.actions.map((action, index) => (action.trigger.kind === 'when' ? () => judging.holds(index) : null)),
  );
  const also = cover
    ? (id: number, args: readonly number[]) => {
        cover.tracepoint(id);
        if (needs.records) judging.emit(id, ...args);
      }
    : needs.records
      ? (id: number, args: readonly number[]) => judging.emit(id, ...args)
      : null;
  machine.emit = trace === 'off' ? null : recorder(machine, record, also, trace === 'sched');
  machine.cover = cover;
  machine.observe =
    cover !== null ||
    needs.observations ||
    program.actions.some(action => action.trigger.kind === 'after') ||
    script.holds
      ? byName(machine, (observation, vm, a, b) => {
          cover?.event(observation);
          script.observe(observation, vm, a, b);
          if (needs.observations) judging.observe(observation, vm, a, b);
        })
      : null;
  const hooks = {
    stepped:
      needs.steps || checking || cover
        ? () => {
            checking?.check();
            cover?.stepped(machine);
            if (needs.steps) judging.stepped();
          }
        : null,
    deadlines: judging,
  };
  cover?.start(machine);
  script.start();
  const live = new Uint8Array(machine.layout.buffer);
  let over: Over | null = null;
  const { schedule } = program;
  const run = (until_ns: number, budget: number) => {
    if (over !== null) return;
    if (schedule) over = runSchedule(machine, schedule, script, hooks, until_ns, budget);
    else over = runEngine(machine, script, hooks, until_ns, budget);
  };
  return {
    machine,
    judge: judging,
    get over() {
      return over;
    },
    step() {
      run(Number.MAX_SAFE_INTEGER, 1);
      return over === null;
    },
    runUntil(ns, steps = Number.MAX_SAFE_INTEGER) {
      run(ns, steps);
    },
    outcome() {
      cover?.finish();
      const before = judging.save();
      const end = over ?? 'steps';
      // What does not come while it goes round never comes.
      judging.finish(end === 'endless' ? 'quiescent' : end);
      const round = end === 'endless' ? `, and the last ${schedule?.cycle ?? 0} steps go round for ever` : '';
      const judgements = judging.results().map(each => {
        return each.holds === 'no' ? { ...each, actual: each.actual + round, message: each.message + round } : each;
      });
      const { clock } = machine;
      const sim_ns = end === 'time' ? program.limit_ns : clock.now_ns;
      const starved = outOfMemory(machine, repeatCommand(program)) ?? notEvicted(machine, repeatCommand(program));
      const concluded = starved
        ? { verdict: 'invalid' as const, violations: [starved], expected_failures: [] }
        : conclude(program, judgements, sim_ns, clock.step);
      const report = judging.report();
      judging.restore(before);
      return {
        program,
        ...concluded,
        end,
        sim_ns,
        steps: clock.step,
        events: clock.events,
        trace_hash: traceHash(machine),
        judgements,
        report,
      };
    },
    save(into) {
      const bytes = into?.bytes ?? new ArrayBuffer(live.length);
      new Uint8Array(bytes).set(live);
      return { bytes, judge: judging.save(), over };
    },
    restore(snapshot) {
      live.set(new Uint8Array(snapshot.bytes));
      judging.restore(snapshot.judge);
      over = snapshot.over;
    },
  };
}
