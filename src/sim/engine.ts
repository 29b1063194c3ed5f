/**
 * The timed engine: host CPUs, devices, timers and the scenario's actions take their turns in virtual time.
 *
 * One event at a time: a CPU runs one step of its thread and is busy for what the step costs; a device finishes a
 * request; a timer expires; an action is due. Which thread a CPU runs is host/sched.ts; what is pending, base/event_queue.ts.
 */
import { assert } from '../base/assert.ts';
import { NEVER_NS } from '../base/event_queue.ts';
import { wake_task } from './guest/sched.ts';
import { context_switch, pick_next, SLICE_NS, update_curr } from './host/sched.ts';
import { vcpu_now } from './incarnation.ts';
import { apic_timer_expired } from './kvm/lapic.ts';
import { happens_late } from './late.ts';
import { lapic_in_kernel, type Machine } from './machine.ts';
import { wire_event } from './migrate/link.ts';
import { throttle_over, tick as throttle_tick } from './migrate/throttle.ts';
import { end_swap_bio } from './mm/swap.ts';
import { fetched } from './mm/userfault.ts';
import type { Cpu, Thread, Vcpu } from './schema.ts';
import type { Script } from './script.ts';
import { PREEMPT_OFF, STEP_TABLE } from './steps.ts';
import { apic_deliver_irq, device_nmi } from './vmm/irqchip.ts';

/** clock.current_thread when no thread runs: a device, a timer or the scenario acts. */
export const NO_THREAD = 0xffff;

/** What the simulation wants to be told. */
export interface EngineHooks {
  /** After each step of a thread and each event; null where nobody asks. */
  readonly stepped: (() => void) | null;
  /** Before the clock goes beyond `due_ns`. */
  readonly deadlines: { readonly due_ns: number; pass(next_ns: number): void };
}

/** Endless: it stands where it has stood before, and goes round. */
export type Over = 'time' | 'quiescent' | 'steps' | 'endless';

/**
 * Steps between two returns to runEngine(). V8 runs a call to its end in the code that it began with: a loop that never
 * returned would stay in what was compiled before there was anything to go by.
 */
const STRETCH_STEPS = 4096;

/** Runs until the clock would pass `until_ns`, at most `budget` events. Returns why the run is over, or null. */
export function runEngine(
  m: Machine,
  script: Script,
  hooks: EngineHooks,
  until_ns: number,
  budget: number,
): Over | null {
  const { clock, cpu_queue, queue } = m;
  const { limit_ns, limit_steps } = m.program;
  const end_ns = Math.min(until_ns, limit_ns);
  const last_step = Math.min(clock.step + budget, limit_steps);
  while (clock.step < last_step) {
    const next_ns = Math.min(cpu_queue.next_ns, queue.next_ns);
    if (next_ns === NEVER_NS) return 'quiescent';
    if (next_ns > end_ns) return next_ns > limit_ns ? 'time' : null;
    runStretch(m, script, hooks, end_ns, Math.min(clock.step + STRETCH_STEPS, last_step));
  }
  return clock.step >= limit_steps ? 'steps' : null;
}

/** Whatever is due next takes its turn, until the time or the steps are up. */
function runStretch(m: Machine, script: Script, hooks: EngineHooks, end_ns: number, last_step: number): void {
  const { clock, cpu_queue, queue } = m;
  while (clock.step < last_step) {
    const cpu_ns = cpu_queue.next_ns;
    const other_ns = queue.next_ns;
    const cpu_first = cpu_ns < other_ns || (cpu_ns === other_ns && cpu_queue.nextOrder < queue.nextOrder);
    const next_ns = cpu_first ? cpu_ns : other_ns;
    if (next_ns > end_ns) return;
    if (next_ns > hooks.deadlines.due_ns) hooks.deadlines.pass(next_ns);
    clock.now_ns = next_ns;
    if (cpu_first) {
      const number = cpu_queue.nextSource;
      cpu_queue.disarm(number);
      runCpu(m, m.cpus[number]!, script, hooks, end_ns, last_step);
    } else {
      const source = queue.nextSource;
      queue.disarm(source);
      clock.step += 1;
      clock.current_thread = NO_THREAD;
      fire(m, source, script);
      if (script.polls) script.poll();
      hooks.stepped?.();
    }
  }
}

/** Something other than a CPU is due. */
export function fire(m: Machine, source: number, script: Script): void {
  const { source: first } = m.places;
  if (source >= first.late) happens_late(m, source - first.late);
  else if (source >= first.throttle_sleep) throttle_over(m, source - first.throttle_sleep);
  else if (source >= first.throttle) throttle_tick(m, source - first.throttle);
  else if (source >= first.wire) wire_event(m, source - first.wire);
  else if (source >= first.nmi) watchdog(m, source - first.nmi);
  else if (source >= first.action) script.fire(source - first.action);
  else if (source >= first.handler) fetched(m, source - first.handler);
  else if (source >= first.task) wake_task_of_sleep(m, source - first.task);
  else if (source >= first.timer) expire(m, source - first.timer);
  else end_swap_bio(m, source - first.io);
}

/** A timer of the LAPIC, be it the kernel's or the VMM's. */
function timer_expired(m: Machine, vcpu: Vcpu, vector: number): void {
  if (lapic_in_kernel(m, vcpu)) apic_timer_expired(m, vcpu, vector);
  else apic_deliver_irq(m, vcpu, vector);
}

function expire(m: Machine, id: number): void {
  const timer = m.places.timers[id]!;
  timer_expired(m, vcpu_now(m, timer.vcpu), timer.vector);
  if ('period_ns' in timer.spec) m.queue.arm(m.places.source.timer + id, m.clock.now_ns + timer.spec.period_ns);
}

/** A sender of NMIs is due: a watchdog outside of the CPU, whose message goes to the LAPIC. */
function watchdog(m: Machine, id: number): void {
  const { vcpu, period_ns } = m.places.nmis[id]!;
  device_nmi(m, vcpu_now(m, vcpu), id);
  if (period_ns !== null) m.queue.arm(m.places.source.nmi + id, m.clock.now_ns + period_ns);
}

/**
 * A guest task's sleep is over. The guest's own timer would interrupt the CPU; here the interrupt is the tick's vector
 * of that vCPU if it has one, else a bare wake that the guest sees at its next look.
 */
function wake_task_of_sleep(m: Machine, id: number): void {
  const task = m.tasks[id]!;
  wake_task(m, task, null);
  const { vcpu } = task;
  const timer = m.places.timers.find(other => other.vcpu === m.guest_of_vcpu[vcpu]);
  timer_expired(m, m.vcpus[vcpu]!, timer ? timer.vector : HRTIMER_VECTOR);
}

/** LOCAL_TIMER_VECTOR of Linux: a timer interrupt that is nobody's tick. */
const HRTIMER_VECTOR = 0xef;

/**
 * Runs one CPU for as long as nothing else is due before its next step.
 *
 * The hot loop of a run: what cannot change between two steps of a thread is kept in locals, and when something else is
 * due is asked again only after something has been armed.
 */
function runCpu(m: Machine, cpu: Cpu, script: Script, hooks: EngineHooks, end_ns: number, last_step: number): void {
  const { clock, cpu_queue, queue } = m;
  const step_ns = m.step_ns_of_cpu[cpu.id]!;
  const { deadlines, stepped } = hooks;
  const { holds, polls } = script;
  let { now_ns, step } = clock;
  let armings = -1;
  let horizon_ns = 0;
  for (;;) {
    const thread = currentOrNext(m, cpu);
    if (thread === null) {
      cpu.guest_op = 0;
      return;
    }
    let { at } = thread;
    clock.current_thread = thread.id;
    do {
      cpu.guest_op = 0;
      if (holds && script.holdBack(thread)) {
        cpu_queue.arm(cpu.id, now_ns);
        return;
      }
      clock.step = step += 1;
      const cost_ns = step_ns[at]!;
      const step_at = STEP_TABLE[at]!;
      thread.at = step_at(m, thread);
      at = thread.at;
      const next_ns = now_ns + Math.max(1, cost_ns + thread.charge_ns);
      thread.charge_ns = 0;
      if (polls) script.poll();
      if (stepped !== null) stepped();
      if (armings !== queue.armings) {
        armings = queue.armings;
        horizon_ns = Math.min(cpu_queue.next_ns, queue.next_ns, end_ns + 1);
      }
      if (next_ns >= horizon_ns || step >= last_step) {
        cpu_queue.arm(cpu.id, next_ns);
        return;
      }
      if (next_ns > deadlines.due_ns) deadlines.pass(next_ns);
      clock.now_ns = now_ns = next_ns;
    } while (goesOn(cpu, thread));
  }
}

/** Whether there is nothing to decide: the thread runs on, and nobody else wants the CPU. */
function goesOn(cpu: Cpu, thread: Thread): boolean {
  return thread.on_rq === 1 && cpu.need_resched === 0 && cpu.n_runqueue === 1;
}

/** The thread that the CPU runs now, after switching if it must; null when the CPU goes idle. */
function currentOrNext(m: Machine, cpu: Cpu): Thread | null {
  const current = cpu.current === 0 ? null : m.threads[cpu.current - 1]!;
  if (current?.on_rq) {
    if (cpu.n_runqueue > 1 && m.clock.now_ns - cpu.slice_start_ns >= SLICE_NS) cpu.need_resched = 1;
    if (!cpu.need_resched || PREEMPT_OFF[current.at] === 1) return current;
  }
  return switchThread(m, cpu, current);
}

function switchThread(m: Machine, cpu: Cpu, current: Thread | null): Thread | null {
  if (current) update_curr(m, cpu, current);
  const next = pick_next(m, cpu);
  if (next < 0) {
    if (current) context_switch(m, cpu, null);
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
