/** Giving memory back: the page's frame and slot go, and with them its contents. The next touch finds zeroes. */
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { drop_share } from './ksm.ts';
import { kvm_unmap_gfn_range } from './mmu_notifier.ts';
import {
  free_frame,
  has_flag,
  lru_del,
  make_marker,
  PG_locked,
  PG_lru,
  PG_mlocked,
  PG_writeback,
  PTE_MARKER_BEYOND_EOF,
  PTE_MARKER_DISCARDED,
  PTE_MARKER_MISSING,
  pte_present,
  pte_special,
  pte_swap,
  pte_target,
  vm_of_page,
} from './page.ts';
import { delete_from_swap_cache, lookup_swap_cache, swap_free, wake_memory_waiters } from './swap.ts';

/**
 * Gives one page back, or, `truncated`, takes it away with the end of its file. False where it is just being read or written: ask again when that is over.
 *
 * Models zap_pte_range(), mm/memory.c, and truncate_inode_pages_range(), mm/truncate.c. Differs: a page that somebody holds is left alone, where the kernel only unmaps it;
 * a mark remembers that the page was given back, which decides nothing.
 */
export function discard_page(m: Machine, page: number, truncated: boolean): boolean {
  const pte = m.hva.pte(page);
  if (pte_present(pte) && !pte_special(pte)) {
    const pfn = pte_target(pte);
    if (has_flag(m, pfn, PG_locked | PG_writeback)) return false;
    if (m.frame.pins(pfn) > 0 || has_flag(m, pfn, PG_mlocked)) return true;
  }
  if (truncated) return zap(m, page, PTE_MARKER_BEYOND_EOF);
  return zap(m, page, served_by_handler(m, page) ? PTE_MARKER_MISSING : PTE_MARKER_DISCARDED);
}

/** Takes the page out of guest, host and swap, and leaves a mark. The page is neither held nor being written. */
export function zap(m: Machine, page: number, marker: number): boolean {
  const vm = vm_of_page(m, page);
  const pte = m.hva.pte(page);
  if (pte_swap(pte) && !forget_swap(m, vm, pte_target(pte))) return false;
  if (pte_present(pte)) {
    kvm_unmap_gfn_range(m, vm, page);
    if (!pte_special(pte)) drop_share(m, page, pte_target(pte));
  }
  m.hva.set_pte(page, make_marker(marker));
  m.observe?.(OBS.discarded, vm, page, -1);
  return true;
}

/** Frees a slot, and the frame that was read ahead or is about to be mapped. Models free_swap_and_cache(). */
function forget_swap(m: Machine, vm: number, slot: number): boolean {
  const cached = lookup_swap_cache(m, slot);
  const { host } = m.program.vms[vm]!;
  if (cached >= 0) {
    if (has_flag(m, cached, PG_locked | PG_writeback)) return false;
    if (has_flag(m, cached, PG_lru)) lru_del(m, vm, cached);
    delete_from_swap_cache(m, cached);
    free_frame(m, host, cached);
    m.vms[vm]!.nr_charged_pages -= 1;
    wake_memory_waiters(m, host);
  }
  swap_free(m, slot);
  return true;
}

function served_by_handler(m: Machine, page: number): boolean {
  const vm = vm_of_page(m, page);
  const { userfault } = m.program.vms[vm]!;
  if (!userfault) return false;
  const index = page - m.places.vms[vm]!.first_page - userfault.first_page;
  return index >= 0 && index < userfault.pages;
}
