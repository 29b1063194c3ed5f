/** One access of the guest to its memory, through the TDP tables. */

import { gpa_of_page } from '../addr.ts';
import { tdp_access } from '../kvm/tdp.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import type { Vcpu } from '../schema.ts';

/** True where it went through; else the fault stands in the vCPU and the guest must exit. */
export function access_page(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  if (tdp_access(m, vm, page, write) >= 0) return true;
  vcpu.cr2_or_gpa = gpa_of_page(m, page);
  vcpu.fault_page = page;
  vcpu.fault_write = write ? 1 : 0;
  return false;
}
