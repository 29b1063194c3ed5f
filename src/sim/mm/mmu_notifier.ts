/** How the host's memory manager tells KVM that a page is not where it was: the guest's leaf goes. */
import { TP } from '../../trace/all.ts';
import { kvm_unmap_gfn } from '../kvm/notifier.ts';
import { tdp_huge } from '../kvm/tdp.ts';
import type { Machine } from '../machine.ts';
import { HEAP_GFN, VM_HVA, VM_HVA_STRIDE } from '../places.ts';
import { PTE_DIRTY, pte_present } from './page.ts';

/** Host-virtual address of a page row. */
export function hva_of_page(m: Machine, vm: number, page: number): number {
  return VM_HVA + vm * VM_HVA_STRIDE + (HEAP_GFN + page - m.places.vms[vm]!.first_page) * 4096;
}

/**
 * Zaps the leaf over a page; a huge one drops with it all its pages, whose host ptes take over the dirty bit. Returns
 * whether the guest had written through it. Models kvm_unmap_gfn_range(), arch/x86/kvm/mmu/mmu.c.
 */
export function kvm_unmap_gfn_range(m: Machine, vm: number, page: number): boolean {
  if (m.emit) {
    const hva = hva_of_page(m, vm, page);
    m.emit(TP.kvm_unmap_hva_range, hva, hva + 4096);
  }
  if (!tdp_huge(m, vm, page)) return kvm_unmap_gfn(m, vm, page);
  const place = m.places.vms[vm]!;
  const first = page - ((page - place.first_page) & 511);
  const dirty = kvm_unmap_gfn(m, vm, page);
  if (dirty) {
    for (let other = first; other < Math.min(first + 512, place.first_page + place.pages); other += 1) {
      if (pte_present(m.hva.pte(other))) m.hva.set_pte(other, m.hva.pte(other) | PTE_DIRTY);
    }
  }
  return dirty;
}

/** Start and end of an invalidation in one step: a fault that looked before must look again. */
export function mmu_notifier_invalidate(m: Machine, vm: number, page: number): boolean {
  m.vms[vm]!.mmu_invalidate_seq += 1;
  return kvm_unmap_gfn_range(m, vm, page);
}
