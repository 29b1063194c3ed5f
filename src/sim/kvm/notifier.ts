/** What the MMU notifier does to a page's mappings, of whichever kind the VM has: virt/kvm/kvm_main.c. */
import type { Machine } from '../machine.ts';
import { shadow_age_page, shadow_mapped, shadow_zap_page } from './shadow.ts';
import { tdp_age, tdp_mapped, tdp_zap } from './tdp.ts';

/** Removes the leaves over a page. Returns whether the guest had written through one. Models kvm_unmap_gfn_range(). */
export function kvm_unmap_gfn(m: Machine, vm: number, page: number): boolean {
  const dirty = tdp_zap(m, vm, page);
  return hasShadows(m, vm) ? shadow_zap_page(m, vm, page) || dirty : dirty;
}

/** Tests and clears accessed bits. Models kvm_age_gfn(). */
export function kvm_age_gfn(m: Machine, vm: number, page: number): boolean {
  const young = tdp_age(m, vm, page);
  return hasShadows(m, vm) ? shadow_age_page(m, vm, page) || young : young;
}

/** Whether the guest reaches the page without a fault. */
export function mapped_for_guest(m: Machine, vm: number, page: number): boolean {
  return tdp_mapped(m, vm, page) || (hasShadows(m, vm) && shadow_mapped(m, vm, page));
}

function hasShadows(m: Machine, vm: number): boolean {
  return m.program.vms[vm]!.paging === 'shadow';
}
