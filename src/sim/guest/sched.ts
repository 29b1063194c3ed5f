/**
 * The guest's scheduler: which task a vCPU runs.
 *
 * The highest priority first, then the least charged. A task is charged by the guest's clock, so the time for which the
 * host kept its vCPU halted is charged to whichever task was current: that is what makes a halted vCPU's tasks lose
 * their turn. A task declared `on any` may be moved: to an idle CPU when it wakes, by an idle CPU that finds no work.
 */

import { assert } from '../../base/assert.ts';
import { L1_AT } from '../kvm/nested_state.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { GUEST_TASK, type Task, type Vcpu } from '../schema.ts';
import { load_cr3 } from './cr.ts';
import { smp_send_reschedule } from './ipi.ts';
import { rcu_idle_exit } from './rcu.ts';
import { GUEST_WORK } from './work.ts';

/** A task that slept may be this far behind the others when it wakes; models the sleeper credit of CFS. */
const SLEEPER_CREDIT_NS = 3_000_000;

/** Charges the current task for the time since it was last charged; where time is no matter, nothing. Models update_curr(). */
export function update_curr(m: Machine, vcpu: Vcpu): void {
  if (!m.timed) return;
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
  if (vcpu.current === 0) rcu_idle_exit(vcpu);
  const next = pick_next_task(m, vcpu);
  if (next + 1 === vcpu.current) return;
  if (vcpu.current !== 0) {
    const previous = m.tasks[vcpu.current - 1]!;
    previous.op_left_ns = vcpu.op_left_ns;
    previous.cpl3 = vcpu.cpl3;
    previous.rflags_if = vcpu.rflags_if;
  }
  vcpu.current = next + 1;
  vcpu.guest_work &= ~GUEST_WORK.hypervisor;
  if (next < 0) {
    vcpu.op_left_ns = 0;
    vcpu.cpl3 = 0;
    vcpu.rflags_if = 1;
    return;
  }
  const task = m.tasks[next]!;
  vcpu.op_left_ns = task.op_left_ns;
  load_cr3(vcpu, m.places.tasks[next]!.space);
  vcpu.cpl3 = task.cpl3;
  vcpu.rflags_if = task.rflags_if;
  if (task.l1_at !== L1_AT.none) vcpu.guest_work |= GUEST_WORK.hypervisor;
  const host = m.places.vcpus[vcpu.id]!.host;
  m.threads[m.places.vcpus[vcpu.id]!.thread]!.charge_ns += m.costs[host]!.charge_ns.guest_switch;
  const vm = vm_of_vcpu(m, vcpu);
  m.observe?.(OBS.switch_to, vm, next, -1);
}

/** The task is over. Models do_exit(). */
export function end_task(m: Machine, vcpu: Vcpu, task: Task): void {
  task.state = GUEST_TASK.DONE;
  m.observe?.(OBS.done, vm_of_vcpu(m, vcpu), task.id, -1);
  guest_schedule(m, vcpu);
}

/** The task to run, the first declared among equals; -1 for the idle task, after a look at what other CPUs have waiting. */
function pick_next_task(m: Machine, vcpu: Vcpu): number {
  if (vcpu.guest_offline) return -1;
  let best = -1;
  let least = 0;
  let highest = 0;
  for (const id of m.places.tasksOf[vcpu.id]!) {
    const task = m.tasks[id]!;
    if (task.state !== GUEST_TASK.RUNNABLE || task.vcpu !== vcpu.id) continue;
    const { prio } = m.places.tasks[id]!;
    const before = m.timed ? task.vruntime_ns < least : vcpu.preferred === id + 1;
    if (best < 0 || prio > highest || (prio === highest && before)) {
      best = id;
      highest = prio;
      least = task.vruntime_ns;
    }
  }
  vcpu.preferred = 0;
  return best < 0 ? newidle_balance(m, vcpu) : best;
}

/** Explored: whether it makes a difference that a task should go next, of those that could. */
export function may_prefer(m: Machine, id: number): boolean {
  const vcpu = m.vcpus[m.tasks[id]!.vcpu]!;
  if (vcpu.preferred !== 0 || !may_be_picked(m, id)) return false;
  const { prio } = m.places.tasks[id]!;
  // The first declared goes next in any case.
  return m.places.tasksOf[vcpu.id]!.some(
    other => other < id && can_go_on(m, other, vcpu) && m.places.tasks[other]!.prio === prio,
  );
}

/** Whether the task is among those of the highest priority that can go on, on its CPU. */
export function may_be_picked(m: Machine, id: number): boolean {
  const vcpu = m.vcpus[m.tasks[id]!.vcpu]!;
  const { prio } = m.places.tasks[id]!;
  if (!can_go_on(m, id, vcpu)) return false;
  return !m.places.tasksOf[vcpu.id]!.some(other => can_go_on(m, other, vcpu) && m.places.tasks[other]!.prio > prio);
}

function can_go_on(m: Machine, id: number, vcpu: Vcpu): boolean {
  const task = m.tasks[id]!;
  return task.state === GUEST_TASK.RUNNABLE && task.vcpu === vcpu.id;
}

/** Without a clock there is no least charged: each of the tasks with the highest priority may be the one that goes next. */
export function prefer_task(m: Machine, id: number): void {
  assert(may_prefer(m, id), 'sched: a task that could go next');
  m.vcpus[m.tasks[id]!.vcpu]!.preferred = id + 1;
}

/** Takes a task that waits behind another on its CPU; -1 where there is none. Models newidle_balance(). */
function newidle_balance(m: Machine, vcpu: Vcpu): number {
  for (const id of m.places.vms[vm_of_vcpu(m, vcpu)]!.movable) {
    const task = m.tasks[id]!;
    if (task.state !== GUEST_TASK.RUNNABLE || m.vcpus[task.vcpu]!.current === id + 1) continue;
    move_task(m, task, vcpu);
    return id;
  }
  return -1;
}

function move_task(m: Machine, task: Task, to: Vcpu): void {
  task.vcpu = to.id;
  m.observe?.(OBS.migrates, vm_of_vcpu(m, to), task.id, to.id);
}

/** The timer's look at the current task. Models scheduler_tick(): gives way to any task that is behind it. */
export function scheduler_tick(m: Machine, vcpu: Vcpu): void {
  update_curr(m, vcpu);
  if (vcpu.current === 0) {
    vcpu.guest_need_resched = 1;
    return;
  }
  const charged_ns = m.tasks[vcpu.current - 1]!.vruntime_ns;
  const mine = m.places.tasks[vcpu.current - 1]!.prio;
  for (const id of m.places.tasksOf[vcpu.id]!) {
    const task = m.tasks[id]!;
    if (task.state !== GUEST_TASK.RUNNABLE || task.vcpu !== vcpu.id) continue;
    const { prio } = m.places.tasks[id]!;
    const behind = m.timed ? task.vruntime_ns < charged_ns : id + 1 !== vcpu.current;
    if (prio > mine || (prio === mine && behind)) vcpu.guest_need_resched = 1;
  }
}

/** Makes a sleeping or parked task runnable, and its vCPU look whether it should run now. Models try_to_wake_up(). */
export function wake_task(m: Machine, task: Task, waker: Vcpu | null): void {
  if (task.state === GUEST_TASK.DONE || task.state === GUEST_TASK.NEW) return;
  task.state = GUEST_TASK.RUNNABLE;
  place_task(m, task, waker);
}

/** Puts a runnable task on a CPU's queue, beside what is there. Another CPU than the waker's is sent an interrupt. */
export function place_task(m: Machine, task: Task, waker: Vcpu | null): void {
  const before = m.vcpus[task.vcpu]!;
  const vcpu = select_task_rq(m, task, before, waker !== null);
  if (vcpu !== before) move_task(m, task, vcpu);
  update_curr(m, vcpu);
  let others_ns = vcpu.current === 0 ? 0 : m.tasks[vcpu.current - 1]!.vruntime_ns;
  for (const id of m.places.tasksOf[vcpu.id]!) {
    const other = m.tasks[id]!;
    if (id !== task.id && other.state === GUEST_TASK.RUNNABLE && other.vcpu === vcpu.id)
      others_ns = Math.min(others_ns || other.vruntime_ns, other.vruntime_ns);
  }
  task.vruntime_ns = Math.max(task.vruntime_ns, others_ns - SLEEPER_CREDIT_NS);
  vcpu.guest_need_resched = 1;
  if (waker && waker !== vcpu) smp_send_reschedule(waker, vcpu);
}

/**
 * Where it was, unless that CPU is busy and another idle, or it is gone. A timer's wake-up comes on the CPU itself and
 * looks no further. Models select_task_rq() and its fallback.
 */
function select_task_rq(m: Machine, task: Task, before: Vcpu, wide: boolean): Vcpu {
  const { spec } = m.places.tasks[task.id]!;
  const vm = vm_of_vcpu(m, before);
  if (wide && spec.any && before.current !== 0 && before.current !== task.id + 1) {
    const { first_vcpu } = m.places.vms[vm]!;
    for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) {
      const vcpu = m.vcpus[first_vcpu + id]!;
      if (vcpu.current === 0 && !vcpu.guest_offline && !vcpu.guest_need_resched) return vcpu;
    }
  }
  return before.guest_offline ? (online_vcpu(m, vm, before) ?? before) : before;
}

/** The first CPU in use of a VM besides this one. */
export function online_vcpu(m: Machine, vm: number, but: Vcpu): Vcpu | null {
  const { first_vcpu } = m.places.vms[vm]!;
  for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) {
    const vcpu = m.vcpus[first_vcpu + id]!;
    if (vcpu !== but && !vcpu.guest_offline) return vcpu;
  }
  return null;
}
