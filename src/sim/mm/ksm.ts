/**
 * Pages of the same contents that share one frame, read-only, until one of them is written: KSM.
 *
 * What pages contain is not modelled, so a scenario says which are the same. A shared frame is owned by, and charged to,
 * the first of its pages; `shares` counts the others.
 */
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { mmu_notifier_invalidate } from './mmu_notifier.ts';
import {
  clear_flag,
  free_frame,
  has_flag,
  lru_add,
  lru_del,
  make_pte,
  PG_ksm,
  PG_locked,
  PG_mlocked,
  PG_writeback,
  PTE_RDONLY,
  pte_present,
  pte_special,
  pte_target,
  set_flag,
  vm_of_page,
} from './page.ts';
import { free_swap, wake_memory_waiters } from './swap.ts';

/**
 * Lets `page` share the frame of `first`, which becomes a page of KSM when it is not one yet. Called for `first` itself
 * to begin with. A page that is away, held or being written is left as it is.
 *
 * Models try_to_merge_with_ksm_page() and replace_page(), mm/ksm.c.
 * Differs: the contents are taken to be equal; the order of the pages, not a tree of contents, says who shares with whom.
 */
export function try_to_merge_with_ksm_page(m: Machine, page: number, first: number): boolean {
  if (!mergeable(m, page) || !mergeable(m, first)) return false;
  const kpfn = pte_target(m.hva.pte(first));
  if (page === first) {
    if (m.frame.slot(kpfn) !== 0) free_swap(m, kpfn);
    set_flag(m, kpfn, PG_ksm);
    return protect(m, page, kpfn);
  }
  const pfn = pte_target(m.hva.pte(page));
  if (pfn === kpfn || !has_flag(m, kpfn, PG_ksm) || has_flag(m, pfn, PG_ksm)) return false;
  const vm = vm_of_page(m, page);
  protect(m, page, kpfn);
  m.share.set_others(kpfn, m.share.others(kpfn) + 1);
  own_by_lowest(m, kpfn, page);
  release_frame(m, vm, pfn);
  m.observe?.(OBS.merged, vm, page, -1);
  return true;
}

function mergeable(m: Machine, page: number): boolean {
  const pte = m.hva.pte(page);
  if (!pte_present(pte) || pte_special(pte)) return false;
  if (m.program.vms[vm_of_page(m, page)]!.backing === 'file') return false;
  const pfn = pte_target(pte);
  return m.frame.pins(pfn) === 0 && !has_flag(m, pfn, PG_locked | PG_writeback | PG_mlocked);
}

function protect(m: Machine, page: number, kpfn: number): boolean {
  m.hva.set_pte(page, make_pte(kpfn, PTE_RDONLY));
  mmu_notifier_invalidate(m, vm_of_page(m, page), page);
  return true;
}

/** The first of the pages that share a frame owns it: which one that is must not depend on who came when. */
function own_by_lowest(m: Machine, pfn: number, page: number): void {
  const owner = m.frame.hva(pfn) - 1;
  if (page < owner) move_charge(m, pfn, owner, page);
}

function move_charge(m: Machine, pfn: number, from: number, to: number): void {
  const [old_vm, new_vm] = [vm_of_page(m, from), vm_of_page(m, to)];
  m.frame.set_hva(pfn, to + 1);
  if (old_vm === new_vm) return;
  lru_del(m, old_vm, pfn);
  m.vms[old_vm]!.nr_charged_pages -= 1;
  lru_add(m, new_vm, pfn);
  m.vms[new_vm]!.nr_charged_pages += 1;
}

/** A page does not map a frame any more: the others keep it, or it is free. */
export function drop_share(m: Machine, page: number, pfn: number): void {
  const shares = m.share.others(pfn);
  if (shares === 0) {
    release_frame(m, vm_of_page(m, page), pfn);
    return;
  }
  m.share.set_others(pfn, shares - 1);
  if (m.frame.hva(pfn) === page + 1) move_charge(m, pfn, page, next_sharer(m, page, pfn));
}

function next_sharer(m: Machine, page: number, pfn: number): number {
  for (let other = 0; other < m.hva.capacity; other += 1) {
    const pte = m.hva.pte(other);
    if (other !== page && pte_present(pte) && !pte_special(pte) && pte_target(pte) === pfn) return other;
  }
  return page;
}

/** Gives back a frame that nobody maps any more, with its swap slot if it has one. */
export function release_frame(m: Machine, vm: number, pfn: number): void {
  const { host } = m.program.vms[vm]!;
  if (m.frame.slot(pfn) !== 0) free_swap(m, pfn);
  lru_del(m, vm, pfn);
  clear_flag(m, pfn, PG_ksm);
  free_frame(m, host, pfn);
  m.vms[vm]!.nr_charged_pages -= 1;
  wake_memory_waiters(m, host);
}
