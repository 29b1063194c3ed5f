/**
 * The timed engine: host CPUs, devices, timers and the scenario's actions take their turns in virtual time.
 *
 * One event at a time: a CPU runs one step of its thread and is busy for what the step costs; a device finishes a
 * request; a timer expires; an action is due. Which thread a CPU runs is host/sched.ts; what is pending, events.ts.
 */
import { assert } from '../base/assert.ts';
import { arm, NEVER_NS, nextTime, takeNext } from './events.ts';
import { apic_timer_expired } from './kvm/lapic.ts';
import { context_switch, pick_next, SLICE_NS } from './host/sched.ts';
import type { Machine } from './machine.ts';
import { end_swap_bio } from './mm/swap.ts';
import { wake_task } from './guest/sched.ts';
import type { Cpu, Thread } from './schema.ts';
import type { Script } from './script.ts';
import { PREEMPT_OFF, STEP_TABLE } from './steps.ts';

/** clock.current_thread when no thread runs: a device, a timer or the scenario acts. */
export const NO_THREAD = 0xffff;

/** What the simulation wants to be told; null where nobody asks. */
export interface EngineHooks {
  /** After each step of a thread and each event. */
  readonly stepped: (() => void) | null;
  /** Before the clock goes on to a time. */
  readonly passing: ((next_ns: number) => void) | null;
}

export type Over = 'time' | 'quiescent' | 'steps';

/** Runs until the clock would pass `until_ns`, at most `budget` events. Returns why the run is over, or null. */
export function runEngine(m: Machine, script: Script, hooks: EngineHooks, until_ns: number, budget: number): Over | null {
  const { clock } = m;
  const { limit_ns, limit_steps } = m.program;
  const end_ns = Math.min(until_ns, limit_ns);
  const last_step = Math.min(clock.step + budget, limit_steps);
  while (clock.step < last_step) {
    const next_ns = nextTime(m);
    if (next_ns > end_ns) {
      if (next_ns === NEVER_NS) return 'quiescent';
      return next_ns > limit_ns ? 'time' : null;
    }
    hooks.passing?.(next_ns);
    clock.now_ns = next_ns;
    const source = takeNext(m);
    if (source < m.places.source.io) runCpu(m, m.cpus[source]!, script, hooks, end_ns, last_step);
    else {
      clock.step += 1;
      clock.current_thread = NO_THREAD;
      fire(m, source, script);
      after(script, hooks);
    }
  }
  return clock.step >= limit_steps ? 'steps' : null;
}

function after(script: Script, hooks: EngineHooks): void {
  if (script.polls) script.poll();
  hooks.stepped?.();
}

/** Something other than a CPU is due. */
function fire(m: Machine, source: number, script: Script): void {
  const { source: first } = m.places;
  if (source >= first.action) script.fire(source - first.action);
  else if (source >= first.task) wake_task_of_sleep(m, source - first.task);
  else if (source >= first.timer) expire(m, source - first.timer);
  else end_swap_bio(m, source - first.io);
}

function expire(m: Machine, id: number): void {
  const timer = m.places.timers[id]!;
  apic_timer_expired(m, m.vcpus[timer.vcpu]!, timer.vector);
  if ('period_ns' in timer.spec) arm(m, m.places.source.timer + id, m.clock.now_ns + timer.spec.period_ns);
}

/**
 * A guest task's sleep is over. The guest's own timer would interrupt the CPU; here the interrupt is the tick's vector
 * of that vCPU if it has one, else a bare wake that the guest sees at its next look.
 */
function wake_task_of_sleep(m: Machine, id: number): void {
  wake_task(m, m.tasks[id]!);
  const { vcpu } = m.places.tasks[id]!;
  const timer = m.places.timers.find(other => other.vcpu === vcpu);
  apic_timer_expired(m, m.vcpus[vcpu]!, timer ? timer.vector : HRTIMER_VECTOR);
}

/** LOCAL_TIMER_VECTOR of Linux: a timer interrupt that is nobody's tick. */
const HRTIMER_VECTOR = 0xef;

/** Runs one CPU for as long as nothing else is due before its next step. */
function runCpu(m: Machine, cpu: Cpu, script: Script, hooks: EngineHooks, end_ns: number, last_step: number): void {
  const { clock } = m;
  const source = m.places.source.cpu + cpu.id;
  for (;;) {
    cpu.guest_op = 0;
    const thread = currentOrNext(m, cpu);
    if (!thread) return;
    if (script.holds && script.holdBack(thread)) {
      arm(m, source, clock.now_ns);
      return;
    }
    clock.step += 1;
    clock.current_thread = thread.id;
    const at = thread.at;
    const host = m.places.cpus[cpu.id]!.host;
    thread.at = STEP_TABLE[at]!(m, thread);
    const cost_ns = Math.max(1, m.costs[host]!.step_ns[at]! + thread.charge_ns);
    thread.charge_ns = 0;
    thread.vruntime_ns += cost_ns;
    thread.sum_exec_ns += cost_ns;
    if (cpu.runqueue.length === 1) cpu.min_vruntime_ns = thread.vruntime_ns;
    after(script, hooks);
    const next_ns = clock.now_ns + cost_ns;
    if (next_ns >= nextTime(m) || next_ns > end_ns || clock.step >= last_step) {
      arm(m, source, next_ns);
      return;
    }
    hooks.passing?.(next_ns);
    clock.now_ns = next_ns;
  }
}

/** The thread that the CPU runs now, after switching if it must; null when the CPU goes idle. */
function currentOrNext(m: Machine, cpu: Cpu): Thread | null {
  const current = cpu.current === 0 ? null : m.threads[cpu.current - 1]!;
  if (current?.on_rq) {
    if (cpu.runqueue.length > 1 && m.clock.now_ns - cpu.slice_start_ns >= SLICE_NS) cpu.need_resched = 1;
    if (!cpu.need_resched || PREEMPT_OFF[current.at] === 1) return current;
  }
  const next = pick_next(m, cpu);
  if (next < 0) {
    if (cpu.current !== 0) context_switch(m, cpu, null);
    return null;
  }
  const thread = m.threads[next]!;
  cpu.min_vruntime_ns = Math.max(cpu.min_vruntime_ns, thread.vruntime_ns);
  if (thread === current) {
    cpu.need_resched = 0;
    cpu.slice_start_ns = m.clock.now_ns;
  } else context_switch(m, cpu, thread);
  assert(thread.on_rq === 1, 'sched: what runs is on a run queue');
  return thread;
}
