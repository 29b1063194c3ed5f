/**
 * The guest's half: parking a task on a token, and waking it.
 *
 * Models arch/x86/kernel/kvm.c. A parked task's node is on its own stack, here its own row; a wake that comes before
 * its task has parked leaves a dummy. Each function is one step, as it holds the bucket's lock throughout.
 * Differs: the 256 buckets are not told apart; no two tokens ever wait for the same bucket's lock.
 */

import { APF_BROADCAST } from '../kvm/async_pf_x86.ts';
import { knobsOfVm, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { FRAME_AT, GUEST_TASK, NODE, type Node, type Vcpu } from '../schema.ts';
import { pop_frame, set_frame_at } from './frames.ts';
import { guest_schedule, wake_task } from './sched.ts';

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
  node.vcpu = 0;
}

/**
 * Waits for a token: returns at once if the wake came first; else parks the task and schedules, or, where the guest
 * cannot schedule, halts in the handler until an interrupt takes the node away.
 *
 * Models kvm_async_pf_task_wait_schedule() and, up to 5.7, the halted mode of kvm_async_pf_task_wait().
 */
export function kvm_async_pf_task_wait(m: Machine, vcpu: Vcpu, token: number): void {
  const vm = vm_of_vcpu(m, vcpu);
  if (take_dummy(m, vm, token)) {
    set_frame_at(vcpu, FRAME_AT.iret);
    return;
  }
  const node = own_node(m, vcpu);
  node.token = token;
  node.vcpu = vcpu.id + 1;
  if (!may_schedule(m, vcpu, vm)) {
    node.state = NODE.halted;
    set_frame_at(vcpu, FRAME_AT.hlt);
    return;
  }
  node.state = NODE.parked;
  const task = m.tasks[vcpu.current - 1]!;
  task.state = GUEST_TASK.PARKED;
  task.token = token;
  m.observe?.(OBS.parks, vm, task.id, -1);
  // The handler's frame stays on the task's own stack: it returns when the task runs again.
  pop_frame(vcpu);
  guest_schedule(m, vcpu);
}

/** Linux since 5.8 always may; before, not from the idle task, with preemption off, or inside another handler. */
function may_schedule(m: Machine, vcpu: Vcpu, vm: number): boolean {
  if (vcpu.current === 0 || vcpu.depth > 1) return false;
  const answer = vmSpec(m, vm).guest.on_not_present;
  if (answer !== 'kernel') return answer === 'schedule';
  return knobsOfVm(m, vm).notify === 'pf_then_interrupt' || m.tasks[vcpu.current - 1]!.preempt_count === 0;
}

/** Whether the handler that halts on this vCPU must go on doing so. */
export function still_halted(m: Machine, vcpu: Vcpu): boolean {
  return own_node(m, vcpu).state === NODE.halted;
}

/** Models kvm_async_pf_task_wake(), arch/x86/kernel/kvm.c. */
export function kvm_async_pf_task_wake(m: Machine, vcpu: Vcpu, token: number): void {
  const vm = vm_of_vcpu(m, vcpu);
  if (token === APF_BROADCAST) {
    apf_task_wake_all(m, vcpu);
    return;
  }
  const place = m.places.vms[vm]!;
  const spec = vmSpec(m, vm);
  const found =
    find_node(m, place.first_task, spec.guest.tasks.length, token) ??
    find_node(m, m.tasks.length + place.first_vcpu, spec.vcpus, token);
  if (found !== null) wake_node(m, found);
  else if (knobsOfVm(m, vm).early_wake === 'dummy') leave_dummy(m, vcpu, vm, token);
}

/** The node that waits for a token, among so many from `first`. */
function find_node(m: Machine, first: number, count: number, token: number): Node | null {
  for (let id = first; id < first + count; id += 1) {
    const node = m.nodes[id]!;
    if (node.state !== NODE.free && node.token === token) return node;
  }
  return null;
}

/** Models apf_task_wake_all(), arch/x86/kernel/kvm.c: everything that waits on this CPU; its dummies go as well. */
export function apf_task_wake_all(m: Machine, vcpu: Vcpu): void {
  for (const node of m.nodes) if (node.state !== NODE.free && node.vcpu === vcpu.id + 1) wake_node(m, node);
}

/**
 * Takes a node off its bucket and wakes what sleeps on it. Differs: a handler that halts looks again by itself; Linux
 * sends its CPU an interrupt, which is this CPU, as tasks stay on theirs here.
 */
function wake_node(m: Machine, node: Node): void {
  const { state } = node;
  if (state === NODE.dummy) m.vms[m.places.vcpus[node.vcpu - 1]!.vm]!.nr_dummies -= 1;
  free_node(node);
  if (state !== NODE.parked) return;
  const task = m.tasks[node.id]!;
  task.token = 0;
  m.observe?.(OBS.wakes, m.places.tasks[task.id]!.vm, task.id, -1);
  wake_task(m, task);
}

/** Differs: the table has room for so many dummies as there can be items; Linux allocates until memory is short. */
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
    const own = m.vm_of_vcpu[node.vcpu - 1] === vm;
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
  for (let id = first_dummy(m); id < m.nodes.length; id += 1) {
    const node = m.nodes[id]!;
    if (node.state !== NODE.dummy || node.token !== token || m.places.vcpus[node.vcpu - 1]!.vm !== vm) continue;
    free_node(node);
    row.nr_dummies -= 1;
    return true;
  }
  return false;
}
