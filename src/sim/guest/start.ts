/** A guest that starts: at boot, and again when its VM is reset. */

import { seedStream } from '../../base/rng.ts';
import { fill_nested_tables } from '../kvm/nested_mmu.ts';
import { knobsOfVm, type Machine, vmSpec } from '../machine.ts';
import { clear_row } from '../migrate/copy.ts';
import { ready_by_interrupt } from '../protocol/notify.ts';
import { FRAME, FRAME_AT, GUEST_TASK, MP_STATE, NODE } from '../schema.ts';
import { push_frame } from './frames.ts';
import { fill_guest_tables } from './pgtable.ts';
import { rcu_idle_exit } from './rcu.ts';
import { set_mode } from './sections.ts';

/** A CPU of the guest, with whatever the guest does first on it. Differs: firmware and boot loader take no time. */
export function start_guest_cpu(m: Machine, id: number): void {
  const vcpu = m.vcpus[id]!;
  const { vm } = m.places.vcpus[id]!;
  vcpu.mp_state = MP_STATE.RUNNABLE;
  vcpu.cr0_pg = vmSpec(m, vm).guest.paging ? 1 : 0;
  vcpu.rflags_if = 1;
  vcpu.lapic_enabled = 1;
  vcpu.guest_need_resched = 1;
  rcu_idle_exit(vcpu);
  const { notify } = knobsOfVm(m, vm);
  if (vmSpec(m, vm).guest.apf && notify !== 'none') {
    push_frame(m, vcpu, FRAME.setup, ready_by_interrupt(knobsOfVm(m, vm)) ? FRAME_AT.int_msr : FRAME_AT.en_msr, 0, 0);
  }
}

/** A task at its beginning, on its own CPU. */
export function start_task(m: Machine, id: number): void {
  const place = m.places.tasks[id]!;
  const task = m.tasks[id]!;
  task.state = isForked(m, place.vm, place.index) ? GUEST_TASK.NEW : GUEST_TASK.RUNNABLE;
  task.vcpu = place.vcpu;
  task.rflags_if = 1;
  set_mode(task, place.spec);
  seedStream(task, m.program.seed, `task ${m.program.vms[place.vm]!.name}.${place.spec.name}`);
}

/** A task that another one starts does not run before. */
function isForked(m: Machine, vm: number, index: number): boolean {
  return vmSpec(m, vm).guest.tasks.some(task => task.ops.some(op => op.op === 'fork' && op.tasks.includes(index)));
}

/**
 * Another kernel begins in the guest's memory: it knows nothing of the tasks and tokens of the one before. What the
 * guest's tasks have done so far stays counted.
 */
export function restart_guest(m: Machine, vm: number): void {
  const { first_task, first_vcpu, first_lock } = m.places.vms[vm]!;
  const { guest } = vmSpec(m, vm);
  for (let lock = first_lock; lock < first_lock + guest.locks.length; lock += 1) clear_row(m, 'lock', lock);
  for (const node of m.nodes) {
    if (node.state === NODE.free || m.vcpus[node.vcpu - 1]!.vm !== vm) continue;
    clear_row(m, 'node', node.id);
  }
  m.vms[vm]!.nr_dummies = 0;
  for (let task = first_task; task < first_task + guest.tasks.length; task += 1) {
    m.queue.disarm(m.places.source.task + task);
    clear_row(m, 'task', task);
    start_task(m, task);
    m.tasks[task]!.vcpu += first_vcpu - m.places.vms[m.places.tasks[task]!.vm]!.first_vcpu;
  }
  fill_guest_tables(m, vm);
  fill_nested_tables(m, vm);
}
