/** A scenario's host-side `touch`: the VMM has touched the page, and the read it took lies in the past. */
import type { Machine } from '../machine.ts';
import {
  clear_flag,
  has_flag,
  lru_add,
  make_pte,
  PG_locked,
  PG_lru,
  PG_mlocked,
  PG_uptodate,
  PTE_DIRTY,
  PTE_RDONLY,
  PTE_SPECIAL,
  PTE_YOUNG,
  pte_present,
  pte_swap,
  pte_target,
  pte_write,
  set_flag,
  take_frame,
  vm_of_page,
  zero_pfn,
} from './page.ts';
import { add_to_swap_cache, lookup_swap_cache, wake_memory_waiters } from './swap.ts';
import { page_missing } from './userfault.ts';

/** Makes a page resident at once. A page that is just being read, one that is missing, and a host without a free frame are left alone. */
export function fault_in_at_once(m: Machine, page: number, write: boolean): void {
  const vm = vm_of_page(m, page);
  const host = m.program.vms[vm]!.host;
  const pte = m.hva.pte(page);
  if (pte_present(pte) || page_missing(m, page)) return;
  if (!pte_swap(pte) && !write) {
    m.hva.set_pte(page, make_pte(zero_pfn(m), PTE_YOUNG | PTE_RDONLY | PTE_SPECIAL));
    return;
  }
  const cached = pte_swap(pte) ? lookup_swap_cache(m, pte_target(pte)) : -1;
  if (cached >= 0 && has_flag(m, cached, PG_locked)) return;
  const pfn = cached >= 0 ? cached : take_frame(m, host);
  if (pfn < 0) return;
  set_flag(m, pfn, PG_uptodate);
  m.frame.set_hva(pfn, page + 1);
  if (pte_swap(pte) && cached < 0) add_to_swap_cache(m, pte_target(pte), pfn);
  m.hva.set_pte(page, make_pte(pfn, PTE_YOUNG | (write ? PTE_DIRTY : 0)));
  if (has_flag(m, pfn, PG_lru)) return;
  m.vms[vm]!.nr_charged_pages += 1;
  lru_add(m, vm, pfn);
}

/** mlock() of one page by the VMM: brought in, and kept. Or munlock(). */
export function mlock_at_once(m: Machine, page: number, locked: boolean): void {
  if (locked) fault_in_at_once(m, page, true);
  const pte = m.hva.pte(page);
  if (!pte_write(pte)) return;
  if (locked) set_flag(m, pte_target(pte), PG_mlocked);
  else clear_flag(m, pte_target(pte), PG_mlocked);
  if (!locked) wake_memory_waiters(m, m.program.vms[vm_of_page(m, page)]!.host);
}
