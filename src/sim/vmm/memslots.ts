/**
 * The VMM changes the memory of its guest: KVM_SET_USER_MEMORY_REGION, made by its main thread.
 *
 * A slot that goes away, or elsewhere, is first made invalid, and what the tables have of it is dropped; only then does
 * the change count. In between a fault in it is told to come again.
 * Differs: no grace period of SRCU between the halves; no step of ours holds on to a slot across another.
 */
import { AT, type At } from '../at.ts';
import { activate_memslot, invalidate_memslot } from '../kvm/memslot.ts';
import { kvm_unmap_gfn } from '../kvm/notifier.ts';
import { tdp_huge } from '../kvm/tdp.ts';
import type { Machine } from '../machine.ts';
import { PTE_DIRTY, pte_present } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { HEAP_GFN } from '../places.ts';
import type { Memslot, Thread } from '../schema.ts';

const vm_of = (m: Machine, thread: Thread): number => m.places.threads[thread.id]!.vm;

/** The first half of the first change that is asked for. Models kvm_set_memslot(), virt/kvm/kvm_main.c. */
export function kvm_set_memslot(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  const { op } = m.places.memslot_changes[m.vms[vm]!.memslot_changes.at(0)]!;
  if (op.change !== 'add') kvm_arch_flush_shadow_memslot(m, vm, invalidate_memslot(m, vm, op.slot));
  return AT['kvm_set_memslot.activate'];
}

/** And the second. */
export function kvm_set_memslot_activate(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  const { op } = m.places.memslot_changes[m.vms[vm]!.memslot_changes.shift()]!;
  activate_memslot(m, vm, op.slot, op.change);
  m.observe?.(OBS.memslot_changed, vm, vm, -1);
  return AT.vmm;
}

/**
 * Drops whatever the tables have of a slot. A fault under way that has looked already must look again: the kernel tells
 * by the root, which is obsolete, here the sequence of invalidations says so.
 *
 * Models kvm_arch_flush_shadow_memslot() and kvm_mmu_zap_all_fast(), arch/x86/kvm.
 */
function kvm_arch_flush_shadow_memslot(m: Machine, vm: number, slot: Memslot): void {
  const { first_page, pages } = m.places.vms[vm]!;
  m.vms[vm]!.mmu_invalidate_seq += 1;
  if (slot.base_gfn < HEAP_GFN) return;
  const first = first_page + slot.base_gfn - HEAP_GFN;
  for (let page = first; page < Math.min(first + slot.npages, first_page + pages); page += 1) {
    const span = tdp_huge(m, vm, page) ? 512 : 1;
    if (!kvm_unmap_gfn(m, vm, page)) continue;
    for (let other = page; other < Math.min(page + span, first_page + pages); other += 1) {
      const pte = m.hva.pte(other);
      if (pte_present(pte)) m.hva.set_pte(other, pte | PTE_DIRTY);
    }
  }
}
