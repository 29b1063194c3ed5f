/**
 * What a guest kernel may not be interrupted in: sections with preemption off, spinlocks, RCU read-side sections.
 *
 * The model always knows in which section a task is; what the kernel knows depends on how it is built: without
 * preemption it does not count, and preempt_disable() and rcu_read_lock() leave no trace.
 */
import { L1_AT } from '../kvm/nested_state.ts';
import type { Machine } from '../machine.ts';
import type { GuestSpec, TaskSpec } from '../program.ts';
import { GUEST_TASK, type Task, type Thread, type Vcpu } from '../schema.ts';
import { guest_schedule, place_task } from './sched.ts';
import { GUEST_WORK } from './work.ts';

/** How long a CPU spins before it looks at the lock again. */
const SPIN_NS = 1000;

/** The kernel keeps a preempt count, and can be preempted in kernel mode: CONFIG_PREEMPT. */
export function is_preemptible(spec: GuestSpec): boolean {
  return spec.preempt === 'full' || spec.preempt === 'rt';
}

/** Whether the task must not be taken off its CPU, whatever its kernel knows of that. */
export function in_atomic(spec: GuestSpec, task: Task): boolean {
  return task.preempt_count > 0 || (task.rcu_depth > 0 && !is_preemptible(spec));
}

/**
 * Gives way if another task should run and this kernel may be preempted here. Models preempt_schedule() and, where the
 * kernel only gives way by itself, cond_resched(). Differs: there, the end of each operation is such a place.
 */
export function resched_point(m: Machine, vcpu: Vcpu, spec: GuestSpec, task: Task): void {
  if (!vcpu.guest_need_resched || in_atomic(spec, task)) return;
  if (vcpu.cpl3 === 1 || is_preemptible(spec)) guest_schedule(m, vcpu);
  else if (spec.preempt === 'voluntary') vcpu.guest_work |= GUEST_WORK.resched;
}

/** Models preempt_enable(). */
export function preempt_enable(m: Machine, vcpu: Vcpu, spec: GuestSpec, task: Task): void {
  if (task.preempt_count > 0) task.preempt_count -= 1;
  resched_point(m, vcpu, spec, task);
}

/** Takes a lock, or spins for it with preemption off; true once it is taken. Models spin_lock(). */
export function spin_lock(m: Machine, thread: Thread, task: Task, lock: number): boolean {
  const row = m.locks[lock]!;
  if (!task.spinning) task.preempt_count += 1;
  if (row.owner === 0) {
    row.owner = task.id + 1;
    task.spinning = 0;
    return true;
  }
  task.spinning = 1;
  thread.charge_ns += SPIN_NS;
  return false;
}

/** Models spin_unlock(). One that does not hold it changes nothing. */
export function spin_unlock(m: Machine, vcpu: Vcpu, spec: GuestSpec, task: Task, lock: number): void {
  const row = m.locks[lock]!;
  if (row.owner !== task.id + 1) return;
  row.owner = 0;
  preempt_enable(m, vcpu, spec, task);
}

/** Models rcu_read_unlock(). */
export function rcu_read_unlock(m: Machine, vcpu: Vcpu, spec: GuestSpec, task: Task): void {
  if (task.rcu_depth > 0) task.rcu_depth -= 1;
  resched_point(m, vcpu, spec, task);
}

/** Its privilege level at its beginning; a hypervisor's thread is in its kernel, and its guest at the level given. */
export function set_mode(task: Task, spec: TaskSpec): void {
  const cpl3 = spec.mode === 'user' ? 1 : 0;
  task.cpl3 = spec.nested ? 0 : cpl3;
  if (!spec.nested) return;
  task.l1_at = L1_AT.clgi;
  task.l2_cpl3 = cpl3;
  task.l2_if = 1;
}

/** Starts the first of these tasks that does not run; does nothing if all do. Models wake_up_new_task(). */
export function fork(m: Machine, vcpu: Vcpu, first_task: number, tasks: readonly number[]): void {
  for (const number of tasks) {
    const task = m.tasks[first_task + number]!;
    if (task.state !== GUEST_TASK.NEW && task.state !== GUEST_TASK.DONE) continue;
    const { spec, vcpu: home } = m.places.tasks[task.id]!;
    task.pc = 0;
    set_mode(task, spec);
    task.rflags_if = 1;
    if (!spec.any) task.vcpu = home;
    task.state = GUEST_TASK.RUNNABLE;
    place_task(m, task, vcpu);
    return;
  }
}
