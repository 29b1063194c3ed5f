/** One access of the guest to its memory, through the TDP tables. */

import { tdp_access } from '../kvm/tdp.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { HEAP_GFN } from '../places.ts';
import type { Vcpu } from '../schema.ts';

/** Guest-physical address of an access: somewhere in the page, always the same for the same page. */
export function gpa_of_access(m: Machine, vm: number, page: number): number {
  const index = page - m.places.vms[vm]!.first_page;
  return (HEAP_GFN + index) * 4096 + ((index * 0x9e8) & 0xff8);
}

/** True where it went through; else the fault stands in the vCPU and the guest must exit. */
export function access_page(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  if (tdp_access(m, vm, page, write) >= 0) return true;
  vcpu.fault_gpa = gpa_of_access(m, vm, page);
  vcpu.fault_page = page;
  vcpu.fault_write = write ? 1 : 0;
  return false;
}
