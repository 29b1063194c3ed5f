/** What the MMU notifier does to a page's mappings, of whichever kind the VM has: virt/kvm/kvm_main.c. */
import { has_tlb } from '../guest/tlb.ts';
import { knobsOfVm, type Machine } from '../machine.ts';
import { l2_age_page, l2_frame, l2_zap_page } from './nested_spte.ts';
import { KVM_REQ_TLB_FLUSH, kvm_make_request, kvm_vcpu_kick } from './requests.ts';
import { shadow_age_page, shadow_clear_dirty, shadow_mapped, shadow_zap_page } from './shadow.ts';
import { tdp_age, tdp_clear_dirty, tdp_mapped, tdp_zap } from './tdp.ts';

/** Removes the leaves over a page. Returns whether the guest had written through one. Models kvm_unmap_gfn_range(). */
export function kvm_unmap_gfn(m: Machine, vm: number, page: number): boolean {
  const of_l2 = l2_zap_page(m, vm, page);
  const dirty = tdp_zap(m, vm, page) || of_l2;
  kvm_flush_remote_tlbs(m, vm);
  return hasShadows(m, vm) ? shadow_zap_page(m, vm, page) || dirty : dirty;
}

/**
 * Drops all that the guest reaches, with its address space or the VM itself: nobody runs it any more, so nobody flushes.
 * Models kvm_arch_flush_shadow_all(), arch/x86/kvm/mmu/mmu.c.
 */
export function kvm_flush_shadow_all(m: Machine, vm: number): void {
  const { first_page, pages } = m.places.vms[vm]!;
  for (let page = first_page; page < first_page + pages; page += 1) {
    l2_zap_page(m, vm, page);
    tdp_zap(m, vm, page);
    if (hasShadows(m, vm)) shadow_zap_page(m, vm, page);
  }
}

/** Tests and clears accessed bits. Models kvm_age_gfn(). */
export function kvm_age_gfn(m: Machine, vm: number, page: number): boolean {
  const of_l2 = l2_age_page(m, vm, page);
  const young = tdp_age(m, vm, page) || of_l2;
  return hasShadows(m, vm) ? shadow_age_page(m, vm, page) || young : young;
}

/**
 * Makes the page clean and read-only, so that its next write is noticed. Returns whether it was dirty. The TLBs are for
 * the caller to flush, once. Models kvm_mmu_slot_gfn_write_protect(), arch/x86/kvm/mmu/mmu.c.
 */
export function kvm_write_protect_gfn(m: Machine, vm: number, page: number): boolean {
  const dirty = tdp_clear_dirty(m, vm, page);
  return hasShadows(m, vm) ? shadow_clear_dirty(m, vm, page) || dirty : dirty;
}

/** Whether the guest reaches the page without a fault. */
export function mapped_for_guest(m: Machine, vm: number, page: number): boolean {
  return tdp_mapped(m, vm, page) || l2_frame(m, vm, page) >= 0 || (hasShadows(m, vm) && shadow_mapped(m, vm, page));
}

function hasShadows(m: Machine, vm: number): boolean {
  return m.program.vms[vm]!.paging === 'shadow';
}

/**
 * Something was taken out of the tables: no vCPU of the VM may use what its CPU remembers. One that runs is made to
 * leave, and flushes before it enters again.
 *
 * Models kvm_flush_remote_tlbs() and kvm_make_all_cpus_request(), virt/kvm/kvm_main.c. Differs: nobody waits for the
 * vCPUs to have left; one that has been told to leave makes no access before it does.
 */
export function kvm_flush_remote_tlbs(m: Machine, vm: number): void {
  if (!has_tlb(m, vm)) return;
  const { notifier_flush } = knobsOfVm(m, vm);
  if (notifier_flush === 'none') return;
  const { first_vcpu } = m.places.vms[vm]!;
  for (let id = first_vcpu; id < first_vcpu + m.program.vms[vm]!.vcpus; id += 1) {
    const vcpu = m.vcpus[id]!;
    kvm_make_request(KVM_REQ_TLB_FLUSH, vcpu);
    if (notifier_flush === 'kick') kvm_vcpu_kick(m, vcpu);
  }
}
