/**
 * A run whose order was chosen from outside: each event is the next move of a schedule, and nobody else moves.
 *
 * What an exploration has found is looked at like any other run. The clock goes on by what each step costs, so that a trace
 * reads like one; it decides nothing, and threads that would share a CPU are each on one of their own.
 */
import { assert } from '../base/assert.ts';
import { NEVER_NS } from '../base/event_queue.ts';
import { AT, stepNamed } from './at.ts';
import { type EngineHooks, fire, NO_THREAD, type Over } from './engine.ts';
import { may_prefer, prefer_task } from './guest/sched.ts';
import { work_waits } from './host/workqueue.ts';
import type { Machine } from './machine.ts';
import { hashOf } from './meaning.ts';
import type { Program, Schedule } from './program.ts';
import type { Thread } from './schema.ts';
import type { Script } from './script.ts';
import { STEP_TABLE } from './steps.ts';

/** Runs until the clock would pass `until_ns`, at most `budget` moves. Returns why the run is over, or null. */
export function runSchedule(
  m: Machine,
  { moves, end, cycle = 0 }: Schedule,
  script: Script,
  { stepped }: EngineHooks,
  until_ns: number,
  budget: number,
): Over | null {
  const { clock } = m;
  const yields = yieldsOf(m.program);
  const look = () => {
    if (script.polls) script.poll();
    stepped?.();
  };
  const last_step = Math.min(clock.step + budget, moves.length);
  while (clock.step < last_step) {
    if (clock.now_ns > until_ns) return null;
    const move = moves[clock.step]!;
    if (!canMove(m, move)) return 'steps';
    if (cycle > 0 && clock.step === moves.length - cycle) noteRound(m);
    clock.step += 1;
    clock.now_ns += takeMove(m, script, yields, look, move);
  }
  if (clock.step < moves.length) return null;
  return cycle > 0 && isRound(m) ? 'endless' : end;
}

/** Here it begins to go round. */
function noteRound(m: Machine): void {
  const { high, low } = hashOf(m);
  m.clock.round_high = high;
  m.clock.round_low = low;
}

/** It stands where it began to go round: the same again is possible, and again. */
function isRound(m: Machine): boolean {
  const { high, low } = hashOf(m);
  return m.clock.round_high === high && m.clock.round_low === low;
}

/** Who made a move, or is to: the thread, or else the source of events, as in places.ts; the other is -1. */
export function moverOf({ threads }: Machine, move: number): { readonly thread: number; readonly source: number } {
  return move < threads.length ? { thread: move, source: -1 } : { thread: -1, source: move - threads.length };
}

/** A schedule of another version may ask for what cannot be. */
function canMove(m: Machine, move: number): boolean {
  const { thread, source } = moverOf(m, move);
  const { sources } = m.places;
  if (source >= sources) return source - sources < m.tasks.length && may_prefer(m, source - sources);
  if (source >= 0) return m.queue.dueNs(source) !== NEVER_NS || isSpontaneous(m, source - m.places.source.action);
  const { at, on_rq, held } = m.threads[thread]!;
  return at !== AT.off && on_rq === 1 && !held;
}

function isSpontaneous(m: Machine, action: number): boolean {
  return m.program.actions[action]?.trigger.kind === 'budget';
}

/** Of a thread that may not be interrupted and does not come to an end. */
const LONGEST_SECTION = 1000;

/** Steps before which alone a thread may be interrupted, where only some are named; null for all. */
export function yieldsOf({ exploration }: Program): ReadonlySet<number> | null {
  const yields = exploration?.yields;
  return yields ? new Set(yields.map(stepNamed)) : null;
}

/** Makes a move of a machine without times; `look` is called after each step of it. Returns what it costs in ns. */
export function takeMove(
  m: Machine,
  script: Script,
  yields: ReadonlySet<number> | null,
  look: () => void,
  move: number,
): number {
  const source = move - m.threads.length;
  const { sources } = m.places;
  let cost_ns = 0;
  if (source < 0) cost_ns = goOn(m, script, yields, look, m.threads[move]!);
  else {
    m.clock.current_thread = NO_THREAD;
    if (source >= sources) prefer_task(m, source - sources);
    else {
      m.queue.disarm(source);
      fire(m, source, script);
      cost_ns = m.costs[0]!.charge_ns.ipi;
    }
  }
  look();
  return cost_ns;
}

/** One step, or all up to one at which the thread may be interrupted. */
function goOn(
  m: Machine,
  script: Script,
  yields: ReadonlySet<number> | null,
  look: () => void,
  thread: Thread,
): number {
  assert(!thread.held, 'scheduled: a thread that may step');
  if (script.holds && script.holdBack(thread)) return 0;
  let cost_ns = step(m, thread);
  for (let steps = 0; yields !== null && steps < LONGEST_SECTION; steps += 1) {
    if (yields.has(thread.at) || thread.at === AT.off || !thread.on_rq || thread.held) break;
    if (thread.at === AT.worker_thread && !work_waits(m, thread)) break;
    if (script.holds && script.holdBack(thread)) break;
    look();
    cost_ns += step(m, thread);
  }
  // Nobody can tell when a worker goes to sleep that has nothing to do.
  if (thread.at === AT.worker_thread && !work_waits(m, thread)) cost_ns += step(m, thread);
  return cost_ns;
}

function step(m: Machine, thread: Thread): number {
  const { step_ns } = m.costs[m.places.threads[thread.id]!.host]!;
  const cost_ns = step_ns[thread.at]!;
  m.clock.current_thread = thread.id;
  thread.at = STEP_TABLE[thread.at]!(m, thread);
  const charge_ns = Math.max(1, cost_ns + thread.charge_ns);
  thread.charge_ns = 0;
  m.cpus[thread.cpu]!.guest_op = 0;
  return charge_ns;
}
