/**
 * The host's scheduler: which thread a CPU runs, in the manner of CFS.
 *
 * A thread's own state (task_state) is the kernel's: a sleeper is woken by setting it RUNNING, whoever does so. The
 * rest here is policy of timed runs. The explorer ignores it: a thread may step when it is RUNNING and not held.
 */
import { NEVER_NS } from '../../base/event_queue.ts';
import { TP } from '../../trace/all.ts';
import { count_work } from '../guest/sched.ts';
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { type Cpu, TASK_STATE, type Thread } from '../schema.ts';

/** sysctl_sched_latency divided among few threads; as on a server with HZ=250. */
export const SLICE_NS = 3_000_000;
const WAKEUP_GRANULARITY_NS = 1_000_000;

/** Models try_to_wake_up(), kernel/sched/core.c. */
export function wake_up_process(m: Machine, thread: Thread): void {
  if (thread.task_state === TASK_STATE.RUNNING) return;
  thread.task_state = TASK_STATE.RUNNING;
  m.observe?.(OBS.wakeup, -1, thread.id, -1);
  // Still on its way to sleep: schedule() will see that it need not.
  if (thread.on_rq) return;
  if (!thread.held) activate(m, thread);
}

/** The thread gives up its CPU if it still wants to sleep. Models schedule(). */
export function schedule(m: Machine, thread: Thread): void {
  if (thread.task_state !== TASK_STATE.RUNNING) deactivate(m, thread);
}

/**
 * Charges the thread on a CPU for the time since it was last charged. Models update_curr(), kernel/sched/fair.c.
 */
export function update_curr(m: Machine, cpu: Cpu, thread: Thread): void {
  const now_ns = m.clock.now_ns;
  const vruntime_ns = thread.vruntime_ns + now_ns - cpu.charged_ns;
  cpu.charged_ns = now_ns;
  thread.vruntime_ns = vruntime_ns;
  if (cpu.n_runqueue === 1) cpu.min_vruntime_ns = vruntime_ns;
}

/**
 * Puts a runnable thread on a run queue, and makes the CPU look if it should run at once. Explored, there is no CPU.
 */
export function activate(m: Machine, thread: Thread): void {
  thread.on_rq = 1;
  if (!m.timed) return;
  const host = m.places.threads[thread.id]!.host;
  const number = select_cpu(m, thread, host);
  const cpu = m.cpus[number]!;
  const current = cpu.current === 0 ? null : m.threads[cpu.current - 1]!;
  if (current) update_curr(m, cpu, current);
  thread.cpu = number as 0;
  cpu.runqueue.push(thread.id);
  thread.vruntime_ns = Math.max(thread.vruntime_ns, cpu.min_vruntime_ns - SLICE_NS / 2);
  if (m.emit) {
    const place = m.places.threads[thread.id]!;
    m.emit(TP.sched_wakeup, thread.id + 1, place.pid, 120, number - m.places.hosts[host]!.first_cpu, 1);
  }
  if (!current) {
    if (m.cpu_queue.dueNs(number) === NEVER_NS)
      m.cpu_queue.arm(number, m.clock.now_ns + m.costs[host]!.charge_ns.wake_idle_cpu);
    return;
  }
  if (thread.vruntime_ns + WAKEUP_GRANULARITY_NS < current.vruntime_ns) resched_cpu(m, cpu);
  else if (cpu.guest_op) interrupt_guest(m, cpu, 0); // It now has to share: its operation is cut at the slice.
}

export function deactivate(m: Machine, thread: Thread): void {
  thread.on_rq = 0;
  if (!m.timed) return;
  const cpu = m.cpus[thread.cpu]!;
  cpu.runqueue.remove(thread.id);
}

/** Models select_task_rq(): where it was if that is idle, else any idle one, else where it was. */
function select_cpu(m: Machine, thread: Thread, host: number): number {
  if (thread.bound_cpu !== 0) return thread.bound_cpu - 1;
  const before = thread.cpu;
  if (m.cpus[before]!.n_runqueue === 0) return before;
  const place = m.places.hosts[host]!;
  for (let number = place.first_cpu; number < place.first_cpu + place.cpus; number += 1) {
    if (m.cpus[number]!.n_runqueue === 0) return number;
  }
  return before;
}

/** Models resched_curr(). */
export function resched_cpu(m: Machine, cpu: Cpu): void {
  cpu.need_resched = 1;
  if (cpu.guest_op) interrupt_guest(m, cpu, m.costs[m.places.cpus[cpu.id]!.host]!.charge_ns.ipi);
}

/** Cuts short the guest operation that a CPU is in, after `delay_ns`; what is left of it is kept. */
export function interrupt_guest(m: Machine, cpu: Cpu, delay_ns: number): void {
  const at_ns = m.clock.now_ns + delay_ns;
  const end_ns = m.cpu_queue.dueNs(cpu.id);
  if (at_ns >= end_ns) return;
  const thread = m.threads[cpu.current - 1]!;
  const vcpu = m.vcpus[m.places.threads[thread.id]!.vcpu]!;
  const left_ns = end_ns - at_ns;
  vcpu.op_left_ns += left_ns;
  count_work(m, vcpu, -left_ns);
  m.cpu_queue.arm(cpu.id, at_ns);
}

/** The thread that a CPU should run now: least virtual runtime, lowest id among equals. -1 for none. */
export function pick_next(m: Machine, cpu: Cpu): number {
  let best = -1;
  let least = 0;
  for (let index = 0; index < cpu.n_runqueue; index += 1) {
    const id = cpu.runqueue.at(index);
    const vruntime_ns = m.threads[id]!.vruntime_ns;
    if (best < 0 || vruntime_ns < least || (vruntime_ns === least && id < best)) {
      best = id;
      least = vruntime_ns;
    }
  }
  return best;
}

/** Takes a thread off its CPU until release(): a scenario's `hold`. */
export function hold_thread(m: Machine, thread: Thread): void {
  thread.held = 1;
  if (thread.on_rq) deactivate(m, thread);
}

export function release_thread(m: Machine, thread: Thread): void {
  if (!thread.held) return;
  thread.held = 0;
  if (thread.task_state === TASK_STATE.RUNNING && !thread.on_rq) activate(m, thread);
}

/** Switches a CPU to a thread, or to idle with null. */
export function context_switch(m: Machine, cpu: Cpu, next: Thread | null): void {
  const host = m.places.cpus[cpu.id]!.host;
  if (m.emit) {
    const previous = cpu.current === 0 ? null : m.threads[cpu.current - 1]!;
    const pid = (thread: Thread | null) => (thread ? m.places.threads[thread.id]!.pid : 0);
    m.emit(
      TP.sched_switch,
      previous ? previous.id + 1 : 0,
      pid(previous),
      120,
      prev_state(previous),
      next ? next.id + 1 : 0,
      pid(next),
      120,
    );
  }
  if (cpu.current !== 0) m.threads[cpu.current - 1]!.on_cpu = 0;
  cpu.current = next ? next.id + 1 : 0;
  cpu.need_resched = 0;
  cpu.slice_start_ns = m.clock.now_ns;
  cpu.charged_ns = m.clock.now_ns;
  if (next) {
    next.on_cpu = 1;
    next.charge_ns += m.costs[host]!.charge_ns.context_switch;
  } else m.cpu_queue.disarm(cpu.id);
}

/** As the record has it: 0 runnable (256 with the preempted bit), 1 interruptible, 2 uninterruptible. */
function prev_state(thread: Thread | null): number {
  if (!thread) return 0;
  return thread.on_rq ? 256 : thread.task_state;
}
