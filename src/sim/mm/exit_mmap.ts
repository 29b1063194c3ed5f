/**
 * The end of an address space: references to it, and what becomes of its pages when the last one is gone.
 *
 * mm_users keeps the mappings, mm_count only the structure. A worker that has no more than the latter may find itself
 * in page tables that are freed (B24).
 */
import { AT, type At } from '../at.ts';
import { kvm_flush_shadow_all } from '../kvm/notifier.ts';
import { type Machine, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import type { Thread } from '../schema.ts';
import { drop_share } from './ksm.ts';
import { has_flag, PG_writeback, pte_present, pte_special, pte_swap, pte_target } from './page.ts';
import { lookup_swap_cache, release_orphan, swap_free, wake_memory_waiters } from './swap.ts';

/** Takes a reference to the mappings unless they are gone. Models mmget_not_zero(), include/linux/sched/mm.h. */
export function mmget_not_zero(m: Machine, thread: Thread, vm: number): boolean {
  if (m.vms[vm]!.mm_users === 0 && !workers_have(m, vm)) return false;
  thread.mm_ref = 1;
  return true;
}

/** Drops that reference. */
export function mmput_own(m: Machine, thread: Thread, vm: number, then: At): At {
  thread.mm_ref = 0;
  return put_last(m, thread, vm, then);
}

/**
 * References that workers have taken for themselves stand with the workers, and not in mm_users: then none of them has to
 * look at the others', as long as there are any besides.
 */
function workers_have(m: Machine, vm: number): boolean {
  return m.threads.some(each => each.mm_ref && m.vcpus[each.vcpu - 1]!.vm === vm);
}

/** All references to a process's mappings, the kernel's mm_users. */
export function mm_users(m: Machine, vm: number): number {
  const of_workers = m.threads.filter(each => each.mm_ref && m.vcpus[each.vcpu - 1]!.vm === vm).length;
  return m.vms[vm]!.mm_users + of_workers;
}

/** Drops a reference to the mappings; the last one takes the thread by way of exit_mmap(). Models mmput(), kernel/fork.c. */
export function mmput(m: Machine, thread: Thread, vm: number, then: At): At {
  m.vms[vm]!.mm_users -= 1;
  return put_last(m, thread, vm, then);
}

function put_last(m: Machine, thread: Thread, vm: number, then: At): At {
  if (m.vms[vm]!.mm_users > 0 || workers_have(m, vm)) return then;
  thread.destroying = vm + 1;
  thread.exit_mmap_return = then;
  return AT.exit_mmap;
}

/** Drops a reference to the structure. Models mmdrop(), include/linux/sched/mm.h. */
export function mmdrop(m: Machine, vm: number): void {
  m.vms[vm]!.mm_count -= 1;
}

/**
 * Unmaps everything, from the guest first, and frees the page tables. A page that is being read or written, or that
 * somebody has pinned, is freed when that is over.
 *
 * Models exit_mmap(), mm/mmap.c, with mmu_notifier_release() and kvm_mmu_notifier_release() in it, and __mmput() around it.
 * Differs: one step, although its pages go one after the other.
 */
export function exit_mmap(m: Machine, thread: Thread): At {
  const vm = thread.destroying - 1;
  const row = m.vms[vm]!;
  const place = m.places.vms[vm]!;
  row.mmu_invalidate_seq += 1;
  row.mm_exited = 1;
  kvm_flush_shadow_all(m, vm);
  for (let page = place.first_page; page < place.first_page + place.pages; page += 1) {
    const pte = m.hva.pte(page);
    m.hva.set_pte(page, 0);
    if (pte_present(pte) && !pte_special(pte)) free_mapped(m, vm, page, pte_target(pte));
    else if (pte_swap(pte)) free_swap_and_cache(m, vm, pte_target(pte));
  }
  wake_memory_waiters(m, vmSpec(m, vm).host);
  mmdrop(m, vm);
  m.observe?.(OBS.mm_exited, vm, vm, -1);
  const then = thread.exit_mmap_return;
  thread.exit_mmap_return = AT.off;
  thread.destroying = 0;
  return then;
}

/** A frame that others map as well stays with them. */
function free_mapped(m: Machine, vm: number, page: number, pfn: number): void {
  if (m.share.others(pfn) > 0) {
    drop_share(m, page, pfn);
    return;
  }
  m.vms[vm]!.nr_charged_pages -= 1;
  release_orphan(m, vm, pfn);
}

/** The slot of an unmapped page; what the swap cache has of it goes as well. Models free_swap_and_cache(), mm/swapfile.c. */
function free_swap_and_cache(m: Machine, vm: number, slot: number): void {
  const cached = lookup_swap_cache(m, slot);
  if (cached < 0) {
    swap_free(m, slot);
    return;
  }
  // What is being written counts as gone already.
  if (!has_flag(m, cached, PG_writeback)) m.vms[vm]!.nr_charged_pages -= 1;
  release_orphan(m, vm, cached);
}
