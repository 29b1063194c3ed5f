/**
 * Memory that stands in no file: pages nobody has touched, the zero page, copies on write.
 *
 * Reading what was never written maps the one page of zeroes; a write gives the page a frame of its own. So does a write
 * to a page that is shared. The guest's leaf is read-only as long as the host's pte is.
 */
import type { Machine } from '../machine.ts';
import type { Thread } from '../schema.ts';
import { drop_share, release_frame } from './ksm.ts';
import { alloc_anon_folio } from './memcontrol.ts';
import { mmu_notifier_invalidate } from './mmu_notifier.ts';
import {
  make_pte,
  PTE_DIRTY,
  PTE_RDONLY,
  PTE_SPECIAL,
  PTE_YOUNG,
  pte_present,
  pte_special,
  pte_target,
  pte_write,
  vm_of_page,
  zero_pfn,
} from './page.ts';

/** Models do_anonymous_page(), mm/memory.c. */
export function do_anonymous_page(m: Machine, thread: Thread, page: number, write: boolean): 'ok' | 'no_frame' {
  if (!write) {
    m.hva.set_pte(page, make_pte(zero_pfn(m), PTE_YOUNG | PTE_RDONLY | PTE_SPECIAL));
    count_minor_fault(m, page);
    return 'ok';
  }
  const pfn = alloc_anon_folio(m, thread, page);
  if (pfn < 0) return 'no_frame';
  m.hva.set_pte(page, make_pte(pfn, PTE_YOUNG | PTE_DIRTY));
  count_minor_fault(m, page);
  return 'ok';
}

/**
 * A write to a page that is mapped read-only: it gets a frame of its own, and the guest's leaf goes. `again` where the
 * page was taken away while room was made.
 *
 * Models do_wp_page() and wp_page_copy(), mm/memory.c. A page of KSM is copied even when nobody shares it any more.
 */
export function do_wp_page(m: Machine, thread: Thread, page: number): 'ok' | 'no_frame' | 'again' {
  const pfn = alloc_anon_folio(m, thread, page);
  if (pfn < 0) return 'no_frame';
  const old = m.hva.pte(page);
  if (!pte_present(old) || pte_write(old)) {
    release_frame(m, vm_of_page(m, page), pfn);
    return 'again';
  }
  if (!pte_special(old)) drop_share(m, page, pte_target(old));
  m.hva.set_pte(page, make_pte(pfn, PTE_YOUNG | PTE_DIRTY));
  mmu_notifier_invalidate(m, vm_of_page(m, page), page);
  count_minor_fault(m, page);
  return 'ok';
}

export function count_minor_fault(m: Machine, page: number): void {
  const vm = vm_of_page(m, page);
  m.hosts[m.program.vms[vm]!.host]!.pgfault += 1;
  m.vms[vm]!.nr_minor_faults += 1;
}
