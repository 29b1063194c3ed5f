/** What the faults of all kinds of maps have in common: what is mapped from what, and how a fault ends. */
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { WALKS } from '../guest/walks.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { GUP_RESULT } from '../mm/columns.ts';
import { OBS } from '../observe.ts';
import type { Thread, Vcpu } from '../schema.ts';

const EFAULT = 14;
const KVM_EXIT_UNKNOWN = 0;

/** Whether the map of the vCPU goes from guest-physical addresses: TDP, or guest paging off; not those of L2. Models root_role.direct. */
export function direct_map(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.walks === WALKS.shadow) return vcpu.cr0_pg === 0;
  return !in_nested_tables(m, vcpu);
}

/** Whether addresses are those of L2, which L1's tables take to its own. */
export function in_nested_tables(m: Machine, vcpu: Vcpu): boolean {
  return vcpu.guest_mode === 1 && m.places.vms[vcpu.vm]!.nested_tables;
}

/** Where a fault or a prefault goes on when it is over, whatever came of it. */
export function after_fault(vcpu: Vcpu): At {
  return vcpu.fault_prefault ? AT.kvm_arch_async_page_present : AT['vcpu_run.tail'];
}

/** Whether the page could not be got; asked once, before it is mapped. */
export function page_failed(thread: Thread): boolean {
  const failed = thread.gup_result === GUP_RESULT.fault;
  thread.gup_result = GUP_RESULT.none;
  return failed;
}

/**
 * A page that cannot be got is -EFAULT to user space. Models kvm_handle_error_pfn(), arch/x86/kvm/mmu/mmu.c.
 * Differs: this VMM then runs the vCPU again, where others stop the VM; an error in a prefault is ignored.
 */
export function kvm_handle_error_pfn(m: Machine, vcpu: Vcpu): At {
  if (vcpu.fault_prefault) return after_fault(vcpu);
  if (m.emit) m.emit(TP.kvm_userspace_exit, KVM_EXIT_UNKNOWN, -EFAULT);
  m.observe?.(OBS.efault, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
  return AT.userspace;
}
