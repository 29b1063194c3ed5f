/**
 * The guest's half: parking a task on a token, and waking it.
 *
 * Models arch/x86/kernel/kvm.c. A parked task's node is on its own stack, here its own row; a wake that comes before
 * its task has parked leaves a dummy, which is allocated. A bucket's raw lock is held for one step where the guest has
 * one CPU and interrupts are off; with several, taking it and what is done under it are two, so that others may spin.
 */

import { APF_BROADCAST } from '../kvm/kvm_para.ts';
import { L1_AT } from '../kvm/nested_state.ts';
import { knobsOfVm, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { NOTIFY } from '../protocol/notify.ts';
import { FRAME_AT, GUEST_TASK, NODE, type Node, type Task, type Vcpu } from '../schema.ts';
import { looked, looks_for } from '../search.ts';
import { pop_frame, set_frame_at } from './frames.ts';
import { smp_send_reschedule } from './ipi.ts';
import { rcu_irq_enter, rcu_use } from './rcu.ts';
import { guest_schedule, wake_task } from './sched.ts';
import { in_atomic, is_preemptible } from './sections.ts';

/** The node of whatever runs on the vCPU: its task's, or that of its idle task. */
function own_node(m: Machine, vcpu: Vcpu): Node {
  return m.nodes[vcpu.current !== 0 ? vcpu.current - 1 : m.tasks.length + vcpu.id]!;
}

function first_dummy(m: Machine): number {
  return m.tasks.length + m.vcpus.length;
}

function free_node(node: Node): void {
  node.state = NODE.free;
  node.token = 0;
  node.since_ns = 0;
  node.vcpu = 0;
}

// -- The 256 buckets ------------------------------------------------------------------------------

/** Models hash_32(token, KVM_TASK_SLEEP_HASHBITS): the bucket of async_pf_sleepers that a token belongs to. */
export function sleeper_bucket(token: number): number {
  return Math.imul(token >>> 0, 0x61c88647) >>> 24;
}

/**
 * Takes the raw lock of a token's bucket; false where the caller's step ends here, spinning, or holding it from now on.
 * Differs: where nobody could contend, one CPU with interrupts off, taking it is no step of its own.
 */
function raw_spin_lock(m: Machine, vcpu: Vcpu, vm: number, token: number): boolean {
  const { vcpus } = vmSpec(m, vm);
  if (vcpus === 1) return true;
  const held = sleeper_bucket(token) + 1;
  if (vcpu.bucket_lock === held) return true;
  const { first_vcpu } = m.places.vms[vm]!;
  looks_for(m, 'vcpu.bucket_lock', held);
  let free = true;
  for (let id = first_vcpu; id < first_vcpu + vcpus; id += 1) if (m.vcpus[id]!.bucket_lock === held) free = false;
  looked(m);
  if (!free) return false;
  vcpu.bucket_lock = held;
  return false;
}

function raw_spin_unlock(vcpu: Vcpu): void {
  vcpu.bucket_lock = 0;
}

// -- Waiting --------------------------------------------------------------------------------------

/** The handler of an idle CPU tells RCU that the CPU is in use, where its version knows that it must (B30). */
export function leave_eqs(m: Machine, vcpu: Vcpu): void {
  const top = vcpu.depth - 1;
  if (vcpu.frame_rcu(top) !== 0 || knobsOfVm(m, vm_of_vcpu(m, vcpu)).guest_eqs === 'ignored') return;
  rcu_irq_enter(vcpu);
  vcpu.set_frame_rcu(top, 1);
}

/**
 * Waits for a token: returns at once if the wake came first; else parks the task and schedules, or, where the guest
 * cannot schedule, halts in the handler until an interrupt takes the node away.
 *
 * Models kvm_async_pf_task_wait_schedule() and, up to 5.7, the halted mode of kvm_async_pf_task_wait().
 */
export function kvm_async_pf_task_wait(m: Machine, vcpu: Vcpu, token: number): void {
  const vm = vm_of_vcpu(m, vcpu);
  set_frame_at(vcpu, FRAME_AT.wait);
  if (!raw_spin_lock(m, vcpu, vm, token)) return;
  if (take_dummy(m, vm, token)) {
    raw_spin_unlock(vcpu);
    set_frame_at(vcpu, FRAME_AT.iret);
    return;
  }
  raw_spin_unlock(vcpu);
  rcu_use(m, vcpu);
  if (!may_schedule(m, vcpu, vm)) {
    const node = own_node(m, vcpu);
    node.token = token;
    node.since_ns = m.clock.now_ns;
    node.vcpu = vcpu.id + 1;
    node.state = NODE.halted;
    set_frame_at(vcpu, FRAME_AT.hlt);
    return;
  }
  forbidden_sleep(m, vm, mark_parked(m, vcpu, vm, token));
  // The handler's frame stays on the task's own stack: it returns when the task runs again.
  pop_frame(vcpu);
  guest_schedule(m, vcpu);
}

/**
 * arm64: the event's handler only marks the task, sends its own CPU a reschedule interrupt, and ends the event; the task
 * gives way on the way back to user mode. The idle task has no such way, and waits in the handler.
 *
 * Models kvm_async_pf_sdei_handler(), arch/arm64/kernel/kvm.c of the posted series.
 */
export function kvm_async_pf_sdei_handler(m: Machine, vcpu: Vcpu, token: number): void {
  const vm = vm_of_vcpu(m, vcpu);
  if (vcpu.current === 0 || vcpu.depth > 1) {
    kvm_async_pf_task_wait(m, vcpu, token);
    return;
  }
  set_frame_at(vcpu, FRAME_AT.wait);
  if (!raw_spin_lock(m, vcpu, vm, token)) return;
  set_frame_at(vcpu, FRAME_AT.sdei);
  if (!take_dummy(m, vm, token)) {
    mark_parked(m, vcpu, vm, token);
    smp_send_reschedule(vcpu, vcpu);
  }
  raw_spin_unlock(vcpu);
}

/** The current task waits for the token from now on, whether it has left the CPU yet or not. */
function mark_parked(m: Machine, vcpu: Vcpu, vm: number, token: number): Task {
  const node = own_node(m, vcpu);
  node.token = token;
  node.since_ns = m.clock.now_ns;
  node.vcpu = vcpu.id + 1;
  node.state = NODE.parked;
  const task = m.tasks[vcpu.current - 1]!;
  task.state = GUEST_TASK.PARKED;
  task.token = token;
  m.observe?.(OBS.parks, vm, task.id, -1);
  return task;
}

/** What the kernel's own debugging would say of this sleep (B32). */
function forbidden_sleep(m: Machine, vm: number, task: Task): void {
  if (in_atomic(vmSpec(m, vm).guest, task)) m.observe?.(OBS.scheduling_while_atomic, vm, task.id, -1);
  else if (task.rcu_depth > 0) m.observe?.(OBS.blocks_in_rcu, vm, task.id, -1);
}

/**
 * Linux since 5.8 always may, as it is told of user mode only; before, not from the idle task, not inside another
 * handler, and not where it knows of a section that forbids it. What it knows, see guest_schedulable.
 */
function may_schedule(m: Machine, vcpu: Vcpu, vm: number): boolean {
  if (vcpu.current === 0 || vcpu.depth > 1) return false;
  const { guest } = vmSpec(m, vm);
  if (guest.on_not_present !== 'kernel') return guest.on_not_present === 'schedule';
  const knobs = knobsOfVm(m, vm);
  const { guest_schedulable } = knobs;
  if (NOTIFY[knobs.notify].ready !== 'pf') return true;
  const task = m.tasks[vcpu.current - 1]!;
  // A hypervisor waits for its guest's page outside of any handler: interrupt_kernel is 0.
  if (task.l1_at !== L1_AT.none) return true;
  if (guest_schedulable === 'preempt_count') return !is_preemptible(guest) || task.preempt_count === 0;
  return is_preemptible(guest)
    ? task.preempt_count === 0 && task.rcu_depth === 0
    : vcpu.frame_cpl3(vcpu.depth - 1) === 1;
}

/** Whether the handler that halts on this vCPU must go on doing so. */
export function still_halted(m: Machine, vcpu: Vcpu): boolean {
  return own_node(m, vcpu).state === NODE.halted;
}

// -- Waking ---------------------------------------------------------------------------------------

/**
 * Wakes whoever waits for a token, or notes the token for a task that has not parked yet; false where it has to be
 * tried again: the bucket's lock was not to be had, or there was no memory for the note.
 *
 * Models kvm_async_pf_task_wake(), arch/x86/kernel/kvm.c.
 */
export function kvm_async_pf_task_wake(m: Machine, vcpu: Vcpu, token: number): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  rcu_use(m, vcpu);
  if (token === APF_BROADCAST) {
    apf_task_wake_all(m, vcpu);
    return true;
  }
  if (!raw_spin_lock(m, vcpu, vm, token)) return false;
  const place = m.places.vms[vm]!;
  const spec = vmSpec(m, vm);
  const found =
    find_node(m, place.first_task, spec.guest.tasks.length, token) ??
    find_node(m, m.tasks.length + place.first_vcpu, spec.vcpus, token);
  if (found !== null) wake_node(m, vcpu, found);
  else if (knobsOfVm(m, vm).early_wake === 'dummy' && !early_wake(m, vcpu, vm, token)) return false;
  raw_spin_unlock(vcpu);
  return true;
}

/**
 * Leaves a note for a task that is still on its way to park. Up to 5.19 it is allocated with the lock held; since, in
 * a round of its own without it, and then everything is looked at again. No memory: let go, relax, look again.
 */
function early_wake(m: Machine, vcpu: Vcpu, vm: number, token: number): boolean {
  const top = vcpu.depth - 1;
  const unlocked = knobsOfVm(m, vm).guest_dummy_alloc === 'unlocked';
  if (!unlocked && vmSpec(m, vm).guest.preempt === 'rt') m.observe?.(OBS.sleeping_in_atomic, vm, vcpu.id, -1);
  if (vcpu.frame_op(top) === 0) {
    if (unlocked) raw_spin_unlock(vcpu);
    const allocated = kzalloc_dummy(m, vm);
    if (unlocked && allocated) vcpu.set_frame_op(top, 1);
    if (unlocked || !allocated) {
      raw_spin_unlock(vcpu);
      return false;
    }
  }
  leave_dummy(m, vcpu, vm, token);
  return true;
}

function kzalloc_dummy(m: Machine, vm: number): boolean {
  const row = m.vms[vm]!;
  if (row.fail_guest_alloc === 0) return true;
  row.fail_guest_alloc -= 1;
  return false;
}

/** The first node with a token at or after `from`; `end` where there is none before that. */
function with_token(m: Machine, from: number, end: number, token: number): number {
  looks_for(m, 'node.token', token);
  let id = from;
  while (id < end && m.nodes[id]!.token !== token) id += 1;
  looked(m);
  return id;
}

/** The node that waits for a token, among so many from `first`. */
function find_node(m: Machine, first: number, count: number, token: number): Node | null {
  const end = first + count;
  for (let id = with_token(m, first, end, token); id < end; id = with_token(m, id + 1, end, token))
    if (m.nodes[id]!.state !== NODE.free) return m.nodes[id]!;
  return null;
}

/**
 * Models apf_task_wake_all(), arch/x86/kernel/kvm.c: everything that waits on this CPU; its dummies go as well.
 * Differs: it goes through the buckets in one step, and so never waits for the lock of one.
 */
export function apf_task_wake_all(m: Machine, vcpu: Vcpu): void {
  looks_for(m, 'node.vcpu', vcpu.id + 1);
  const own = m.nodes.filter(node => node.vcpu === vcpu.id + 1);
  looked(m);
  for (const node of own) if (node.state !== NODE.free) wake_node(m, vcpu, node);
}

/**
 * Takes a node off its bucket and wakes what sleeps on it; a handler that halts is sent a reschedule interrupt.
 *
 * Models apf_task_wake_one(), arch/x86/kernel/kvm.c.
 */
function wake_node(m: Machine, vcpu: Vcpu, node: Node): void {
  const { state } = node;
  const on = m.vcpus[node.vcpu - 1]!;
  const vm = on.vm;
  if (state === NODE.dummy) m.vms[vm]!.nr_dummies -= 1;
  free_node(node);
  if (state === NODE.halted && vmSpec(m, vm).guest.on_not_present === 'kernel') smp_send_reschedule(vcpu, on);
  if (state !== NODE.parked) return;
  const task = m.tasks[node.id]!;
  task.token = 0;
  m.observe?.(OBS.wakes, vm, task.id, -1);
  wake_task(m, task, vcpu);
}

/**
 * Notes a token whose task has not parked yet. Differs: a kernel that is told of pages it never waited for keeps such
 * notes for ever; here there is room for so many, then that with the lowest token, the oldest, is given up.
 */
function leave_dummy(m: Machine, vcpu: Vcpu, vm: number, token: number): void {
  let place: Node | null = null;
  for (let id = first_dummy(m); id < m.nodes.length; id += 1) {
    const node = m.nodes[id]!;
    if (node.state === NODE.free) {
      place = node;
      m.vms[vm]!.nr_dummies += 1;
      break;
    }
    const own = m.vcpus[node.vcpu - 1]!.vm === vm;
    if (own && (!place || node.token < place.token)) place = node;
  }
  if (!place) return;
  place.state = NODE.dummy;
  place.token = token;
  place.vcpu = vcpu.id + 1;
}

function take_dummy(m: Machine, vm: number, token: number): boolean {
  const row = m.vms[vm]!;
  if (row.nr_dummies === 0) return false;
  const end = m.nodes.length;
  for (let id = with_token(m, first_dummy(m), end, token); id < end; id = with_token(m, id + 1, end, token)) {
    const node = m.nodes[id]!;
    if (node.state !== NODE.dummy || m.places.vcpus[node.vcpu - 1]!.vm !== vm) continue;
    free_node(node);
    row.nr_dummies -= 1;
    return true;
  }
  return false;
}
