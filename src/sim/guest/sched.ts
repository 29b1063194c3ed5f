/**
 * The guest's scheduler: which task a vCPU runs.
 *
 * Least charged first. A task is charged by the guest's clock, so the time for which the host kept its vCPU halted is
 * charged to whichever task was current: that is what makes a halted vCPU's tasks lose their turn.
 */

import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { GUEST_TASK, type Task, type Vcpu } from '../schema.ts';

/** A task that slept may be this far behind the others when it wakes; models the sleeper credit of CFS. */
const SLEEPER_CREDIT_NS = 3_000_000;

/** Charges the current task for the time since it was last charged. Models update_curr(). */
export function update_curr(m: Machine, vcpu: Vcpu): void {
  const now_ns = m.clock.now_ns;
  if (vcpu.current !== 0) m.tasks[vcpu.current - 1]!.vruntime_ns += now_ns - vcpu.switched_ns;
  vcpu.switched_ns = now_ns;
}

/** Counts what the guest has computed: for the vCPU, and for its task unless a handler did it. HLT is no work. */
export function count_work(m: Machine, vcpu: Vcpu, ns: number): void {
  if (vcpu.in_hlt || vcpu.panicked) return;
  vcpu.work_ns += ns;
  if (vcpu.depth === 0 && vcpu.current !== 0) m.tasks[vcpu.current - 1]!.work_ns += ns;
}

/** Picks the task to run and switches to it. Models __schedule(). */
export function guest_schedule(m: Machine, vcpu: Vcpu): void {
  update_curr(m, vcpu);
  vcpu.guest_need_resched = 0;
  const next = pick_next_task(m, vcpu);
  if (next + 1 === vcpu.current) return;
  if (vcpu.current !== 0) {
    const previous = m.tasks[vcpu.current - 1]!;
    previous.op_left_ns = vcpu.op_left_ns;
    previous.cpl3 = vcpu.cpl3;
    previous.rflags_if = vcpu.rflags_if;
  }
  vcpu.current = next + 1;
  if (next < 0) {
    vcpu.op_left_ns = 0;
    vcpu.cpl3 = 0;
    vcpu.rflags_if = 1;
    return;
  }
  const task = m.tasks[next]!;
  vcpu.op_left_ns = task.op_left_ns;
  vcpu.cr3 = m.places.tasks[next]!.space;
  vcpu.cpl3 = task.cpl3;
  vcpu.rflags_if = task.rflags_if;
  const host = m.places.vcpus[vcpu.id]!.host;
  m.threads[m.places.vcpus[vcpu.id]!.thread]!.charge_ns += m.costs[host]!.charge_ns.guest_switch;
  const vm = vm_of_vcpu(m, vcpu);
  m.observe?.(OBS.switch_to, vm, next, -1);
}

/** The runnable task with the least charge, the first declared among equals; -1 for the idle task. */
function pick_next_task(m: Machine, vcpu: Vcpu): number {
  let best = -1;
  let least = 0;
  for (const id of m.places.tasksOf[vcpu.id]!) {
    const task = m.tasks[id]!;
    if (task.state !== GUEST_TASK.RUNNABLE) continue;
    if (best < 0 || task.vruntime_ns < least) {
      best = id;
      least = task.vruntime_ns;
    }
  }
  return best;
}

/** The timer's look at the current task. Models scheduler_tick(): gives way to any task that is behind it. */
export function scheduler_tick(m: Machine, vcpu: Vcpu): void {
  update_curr(m, vcpu);
  if (vcpu.current === 0) {
    vcpu.guest_need_resched = 1;
    return;
  }
  const charged_ns = m.tasks[vcpu.current - 1]!.vruntime_ns;
  for (const id of m.places.tasksOf[vcpu.id]!) {
    const task = m.tasks[id]!;
    if (task.state === GUEST_TASK.RUNNABLE && task.vruntime_ns < charged_ns) vcpu.guest_need_resched = 1;
  }
}

/** Makes a sleeping or parked task runnable, and its vCPU look whether it should run now. Models try_to_wake_up(). */
export function wake_task(m: Machine, task: Task): void {
  if (task.state === GUEST_TASK.DONE) return;
  task.state = GUEST_TASK.RUNNABLE;
  const vcpu = m.vcpus[m.places.tasks[task.id]!.vcpu]!;
  update_curr(m, vcpu);
  let others_ns = vcpu.current === 0 ? 0 : m.tasks[vcpu.current - 1]!.vruntime_ns;
  for (const id of m.places.tasksOf[vcpu.id]!) {
    const other = m.tasks[id]!;
    if (id !== task.id && other.state === GUEST_TASK.RUNNABLE)
      others_ns = Math.min(others_ns || other.vruntime_ns, other.vruntime_ns);
  }
  task.vruntime_ns = Math.max(task.vruntime_ns, others_ns - SLEEPER_CREDIT_NS);
  vcpu.guest_need_resched = 1;
}
