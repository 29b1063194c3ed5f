/**
 * The hypervisor inside a guest, as far as one of its vCPU threads goes: a loop around VMRUN.
 *
 * The thread is a task of the guest, and what it runs between VMRUN and #VMEXIT are the task's own operations. Whatever
 * else happens to the task, being scheduled away or parked, happens to it in this loop.
 */

import { AT, type At } from '../at.ts';
import { EXIT_REASON } from '../kvm/exit_reason.ts';
import { KVM_PV_REASON_PAGE_READY } from '../kvm/kvm_para.ts';
import { l1_map } from '../kvm/nested_mmu.ts';
import { L1_AT } from '../kvm/nested_state.ts';
import { isSvm } from '../kvm/nmi.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { FRAME, FRAME_AT, type Task, type Thread, type Vcpu } from '../schema.ts';
import { push_frame } from './frames.ts';
import { end_task, guest_schedule } from './sched.ts';

const PF_VECTOR = 14;

/** Leaves the guest for one of the instructions of a hypervisor. */
function svm_exit(m: Machine, vcpu: Vcpu, reason: (typeof EXIT_REASON)['clgi' | 'stgi' | 'vmrun']): At {
  // VMX has no global interrupt flag: there interrupts are off by RFLAGS alone.
  if (reason !== EXIT_REASON.vmrun && !isSvm(m, vcpu)) return AT.guest;
  vcpu.exit_reason = reason;
  return AT.handle_exit;
}

/**
 * One step of the loop.
 *
 * Models vcpu_run() and svm_vcpu_run() of the KVM that L1 is. Differs: L1 has nothing of its own to tell L2.
 */
export function run_hypervisor(m: Machine, thread: Thread, vcpu: Vcpu): At {
  const task = m.tasks[vcpu.current - 1]!;
  thread.charge_ns += vcpu.charge_ns.guest_handler;
  switch (task.l1_at) {
    case L1_AT.clgi:
      if (vcpu.guest_need_resched) {
        guest_schedule(m, vcpu);
        return AT.guest;
      }
      vcpu.rflags_if = 0;
      task.l1_at = L1_AT.vmrun;
      return svm_exit(m, vcpu, EXIT_REASON.clgi);
    case L1_AT.vmrun:
      return svm_exit(m, vcpu, EXIT_REASON.vmrun);
    case L1_AT.exit:
      if (task.l1_exit === EXIT_REASON.pf) read_and_reset_apf_flags(vcpu, task);
      task.l1_at = L1_AT.stgi;
      return AT.guest;
    case L1_AT.stgi:
      task.l1_at = L1_AT.sti;
      return svm_exit(m, vcpu, EXIT_REASON.stgi);
    case L1_AT.sti:
      task.l1_at = L1_AT.handle;
      vcpu.rflags_if = 1;
      vcpu.shadow = 1;
      return AT.guest;
    default:
      task.l1_at = L1_AT.clgi;
      handle_nested_exit(m, vcpu, task);
      return AT.guest;
  }
}

/** Before anything can fault again, or the thread be scheduled. Models kvm_read_and_reset_apf_flags(). */
function read_and_reset_apf_flags(vcpu: Vcpu, task: Task): void {
  task.l1_apf = vcpu.area_flags;
  vcpu.area_flags = 0;
}

/**
 * What L1 does about an exit of L2. For an asynchronous fault the vCPU thread itself waits, and L2 with it: neither
 * knows which of L2's tasks has met it.
 *
 * Models kvm_handle_page_fault(), arch/x86/kvm/mmu/mmu.c. Differs: L2's HLT ends at once, as L1 has no events for it.
 */
function handle_nested_exit(m: Machine, vcpu: Vcpu, task: Task): void {
  const { l1_exit, l1_info: token, l1_apf } = task;
  task.l1_exit = EXIT_REASON.none;
  task.l1_info = 0;
  task.l1_apf = 0;
  if (l1_exit === EXIT_REASON.vmmcall) end_task(m, vcpu, task);
  else if (l1_exit === EXIT_REASON.hlt) vcpu.guest_need_resched = 1;
  else if (l1_exit === EXIT_REASON.npf) l1_map(m, vm_of_vcpu(m, vcpu), token);
  else if (l1_exit === EXIT_REASON.pf) {
    if (l1_apf === 0) return;
    const at = l1_apf === KVM_PV_REASON_PAGE_READY ? FRAME_AT.wake : FRAME_AT.wait;
    push_frame(m, vcpu, FRAME.exc_page_fault, at, PF_VECTOR, token);
  }
}

/**
 * L2 takes a #PF that its hypervisor's host meant for its hypervisor: the address is a token, and nothing in L2 has it.
 * Differs: its handler is no step of its own; it finds nothing to mend, and returns to the access.
 */
export function l2_page_fault(m: Machine, vcpu: Vcpu): void {
  m.observe?.(OBS.l2_token_fault, vm_of_vcpu(m, vcpu), vcpu.current - 1, -1);
  m.threads[m.places.vcpus[vcpu.id]!.thread]!.charge_ns += vcpu.charge_ns.guest_handler;
}
