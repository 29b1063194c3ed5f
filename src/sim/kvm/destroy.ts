/**
 * The end of a VM: references to struct kvm, the last of which takes it apart, in whichever thread drops it.
 *
 * The newcomer's mistake is to expect that in the VMM. Up to 6.8 a work item holds a reference as well, so the last one
 * may be a worker's, at the end of the very work function that clearing the queues wants to wait for (B26).
 */
import { AT, type At } from '../at.ts';
import { guest_vm, vm_now } from '../incarnation.ts';
import { MODULE, VM_STATE } from '../life.ts';
import { knobsOfVm, type Machine, vmSpec } from '../machine.ts';
import { mmdrop } from '../mm/exit_mmap.ts';
import { OBS } from '../observe.ts';
import { compiledSchema, NODE, THREAD_KIND, type Thread } from '../schema.ts';
import { kvm_flush_shadow_all } from './notifier.ts';

/** Models kvm_get_kvm(), virt/kvm/kvm_main.c. */
export function kvm_get_kvm(m: Machine, vm: number): void {
  m.vms[vm]!.users_count += 1;
}

/** Drops a reference; the last one takes the thread by way of kvm_destroy_vm(). Models kvm_put_kvm(), virt/kvm/kvm_main.c. */
export function kvm_put_kvm(m: Machine, thread: Thread, vm: number, then: At): At {
  const row = m.vms[vm]!;
  row.users_count -= 1;
  if (row.users_count > 0) return then;
  thread.destroying = vm + 1;
  thread.cursor = 0;
  return AT.kvm_destroy_vm;
}

/**
 * Begins to take the VM apart: nobody finds it any more.
 *
 * Models kvm_destroy_vm(), virt/kvm/kvm_main.c. Differs: no buses and devices.
 */
export function kvm_destroy_vm(m: Machine, thread: Thread): At {
  m.vms[thread.destroying - 1]!.state = VM_STATE.DESTROYING;
  return AT.kvm_free_vcpus;
}

/** Empties the queues of one vCPU after the other. Models kvm_free_vcpus(), arch/x86/kvm/x86.c (kvm_arch_destroy_vm() of today). */
export function kvm_free_vcpus(m: Machine, thread: Thread): At {
  const vm = thread.destroying - 1;
  if (thread.cursor === vmSpec(m, vm).vcpus) return AT.kvm_arch_free_vm;
  thread.vcpu = m.places.vms[vm]!.first_vcpu + thread.cursor + 1;
  thread.cursor += 1;
  return AT.kvm_clear_async_pf_completion_queue;
}

/**
 * The vCPUs, the guest's page tables and the VM are gone, and with the VM its references to address space and module.
 *
 * Models the end of kvm_destroy_vm(), virt/kvm/kvm_main.c. Differs: the guest's tasks, whose memory ends with the VMM,
 * end here.
 */
export function kvm_arch_free_vm(m: Machine, thread: Thread): At {
  const vm = thread.destroying - 1;
  const row = m.vms[vm]!;
  const place = m.places.vms[vm]!;
  const { vcpus } = vmSpec(m, vm);
  if (vm_now(m, guest_vm(m, vm)) === vm) end_guest(m, guest_vm(m, vm), vm);
  for (let vcpu = place.first_vcpu; vcpu < place.first_vcpu + vcpus; vcpu += 1) clear_row(m, 'vcpu', vcpu);
  kvm_flush_shadow_all(m, vm);
  row.nr_dummies = 0;
  row.state = VM_STATE.DESTROYED;
  mmdrop(m, vm);
  m.observe?.(OBS.destroyed, vm, vm, -1);
  module_put(m, vmSpec(m, vm).host);
  thread.destroying = 0;
  thread.vcpu = 0;
  thread.cursor = 0;
  return thread.kind === THREAD_KIND.kworker ? AT['async_pf_execute.return'] : AT.vmm;
}

/** Zeroes a row that is free again; its queues are empty by now. */
function clear_row(m: Machine, table: 'vcpu' | 'task' | 'node', row: number): void {
  for (const field of compiledSchema.fields) {
    if (field.table !== table || !field.hashed || field.kind.shape === 'fifo') continue;
    const { values, first, step, length } = m.layout.column(table, field.name);
    values.fill(0, first + row * step, first + row * step + length);
  }
}

/** A guest that has not moved away ends with its VM: its tasks, who waits for a token, and what would wake them. */
function end_guest(m: Machine, guest: number, vm: number): void {
  const { first_task } = m.places.vms[guest]!;
  m.places.timers.forEach((timer, id) => {
    if (timer.vm === guest) m.queue.disarm(m.places.source.timer + id);
  });
  for (let task = first_task; task < first_task + vmSpec(m, guest).guest.tasks.length; task += 1) {
    m.queue.disarm(m.places.source.task + task);
    clear_row(m, 'task', task);
  }
  for (const node of m.nodes) {
    if (node.state === NODE.free || m.vcpus[node.vcpu - 1]!.vm !== vm) continue;
    clear_row(m, 'node', node.id);
  }
}

/** Whether anything keeps the module of a host loaded: open file descriptors, or, since 5.17, VMs. */
function module_in_use(m: Machine, host: number): boolean {
  return m.program.vms.some((spec, vm) => {
    if (spec.host !== host) return false;
    const { state, open_fds } = m.vms[vm]!;
    return knobsOfVm(m, vm).module_ref === 'vm' ? state !== VM_STATE.DESTROYED : open_fds > 0;
  });
}

/** A reference to the module is gone: who wants to unload it and found it in use may now. Models module_put(). */
export function module_put(m: Machine, host: number): void {
  const row = m.hosts[host]!;
  if (row.kvm_module !== MODULE.UNLOADING || module_in_use(m, host)) return;
  row.kvm_module = MODULE.UNLOADED;
  m.observe?.(OBS.module_unloaded, -1, host, -1);
}

/**
 * Unloads the kvm module of a host, as soon as nobody uses it. The system workqueue is not asked whether some function
 * of it still runs. Models delete_module(), kernel/module.c. Differs: rmmod that finds the module in use tries again until it is not.
 */
export function delete_module(m: Machine, host: number): void {
  const row = m.hosts[host]!;
  if (row.kvm_module !== MODULE.LOADED) return;
  row.kvm_module = MODULE.UNLOADING;
  module_put(m, host);
}
