/**
 * Taking pages away: the LRU scan with young bits, and what evicting one page does.
 *
 * A faulting thread that meets the container's limit reclaims in its own context, in one step; a scenario's `evict`
 * is carried out by kswapd in three (notifier start, zap, notifier end), since others can look in between.
 */
import { assert } from '../../base/assert.ts';
import { look_at_victims } from '../ahead.ts';
import { kvm_age_gfn } from '../kvm/notifier.ts';
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { kvm_unmap_gfn_range } from './mmu_notifier.ts';
import {
  free_frame,
  has_flag,
  lru_add,
  lru_del,
  make_swap_pte,
  PG_ksm,
  PG_locked,
  PG_lru,
  PG_mlocked,
  PG_swapcache,
  PG_uptodate,
  PG_writeback,
  PTE_DIRTY,
  PTE_YOUNG,
  pte_present,
  pte_special,
  pte_swap,
  pte_target,
  vm_of_page,
} from './page.ts';
import {
  add_to_swap_cache,
  delete_from_swap_cache,
  get_swap_page,
  io_available,
  lookup_swap_cache,
  swap_writepage,
  wake_memory_waiters,
} from './swap.ts';

/** Pages a VM may hold: its container's limit, or what the host can give. */
export function limit_pages(m: Machine, vm: number): number {
  const spec = m.program.vms[vm]!;
  return Math.min(spec.memory_limit_pages ?? Number.MAX_SAFE_INTEGER, m.places.hosts[spec.host]!.frames);
}

/**
 * Makes room for one more page of a VM: frees or starts writing out one page of it. False when nothing could be done.
 *
 * Models shrink_page_list() by way of try_charge(), mm/vmscan.c and mm/memcontrol.c.
 * Differs: one list with a second chance in place of active and inactive; a page under writeback counts as gone; a page
 * of KSM is passed by, where the kernel unmaps it from all that share it.
 */
export function reclaim_page(m: Machine, vm: number): boolean {
  const row = m.vms[vm]!;
  const host = m.program.vms[vm]!.host;
  const { swap, reclaim } = m.program.hosts[host]!;
  if (!swap || !io_available(m, host)) return false;
  if (reclaim === 'clock') return reclaim_by_clock(m, vm, host);
  if (reclaim === 'working_set') return reclaim_by_working_set(m, vm, host);
  let scanned = 0;
  let full = false;
  const most = 2 * row.nr_charged_pages + 2;
  while (row.lru_tail !== 0 && scanned < most) {
    scanned += 1;
    const pfn = row.lru_tail - 1;
    const page = m.frame.hva(pfn) - 1;
    lru_del(m, vm, pfn);
    if (m.frame.pins(pfn) > 0 || has_flag(m, pfn, PG_locked | PG_writeback | PG_ksm | PG_mlocked)) {
      lru_add(m, vm, pfn);
      continue;
    }
    if ((full && m.frame.slot(pfn) === 0) || (page_referenced(m, vm, page) && scanned <= row.nr_charged_pages)) {
      lru_add(m, vm, pfn);
      continue;
    }
    if (unmap_and_release(m, vm, host, page, pfn, false)) {
      row.mmu_invalidate_seq += 1;
      if (m.looks_ahead) look_at_victims(m, vm);
      return true;
    }
    // Swap is full, and no page in memory has a slot; one that was read ahead in vain may go all the same.
    full = true;
    lru_add(m, vm, pfn);
  }
  return false;
}

/**
 * The clock: a hand goes round the pages of the VM. What was used since it last came by is passed, once.
 * No kernel's policy; a yardstick for those who compare.
 */
function reclaim_by_clock(m: Machine, vm: number, host: number): boolean {
  const row = m.vms[vm]!;
  const { first_page, pages } = m.places.vms[vm]!;
  for (let scanned = 0; scanned < 2 * pages; scanned += 1) {
    const page = first_page + row.clock_hand;
    row.clock_hand = row.clock_hand + 1 === pages ? 0 : row.clock_hand + 1;
    const pfn = candidate(m, page);
    if (pfn < 0 || (scanned < pages && page_referenced(m, vm, page))) continue;
    if (take(m, vm, host, page, pfn)) return true;
  }
  return false;
}

/**
 * WSClock: the hand goes round the pages of the VM. What was used since it last came by, or has come in since, counts as
 * used now; what was not used for longer than the window is taken. If a whole round finds none, the one that was used
 * longest ago goes, and among those the first that nobody has touched since. No kernel's policy; a yardstick.
 *
 * Models WSClock, Carr and Hennessy, 1981.
 * Differs: ages count time of the host, where the paper has each process's own. A dirty page is taken like a clean one,
 * and is written while it counts as gone. Linux tells a working set otherwise, by the distance at which an evicted page
 * is faulted in again, mm/workingset.c: no part of this.
 */
function reclaim_by_working_set(m: Machine, vm: number, host: number): boolean {
  const row = m.vms[vm]!;
  const { first_page, pages } = m.places.vms[vm]!;
  const now = m.clock.now_ns + 1;
  const window = m.program.hosts[host]!.reclaim_window_ns;
  let oldest = -1;
  let last = Number.MAX_SAFE_INTEGER;
  let idle = false;
  for (let scanned = 0; scanned < pages; scanned += 1) {
    const page = first_page + row.clock_hand;
    row.clock_hand = row.clock_hand + 1 === pages ? 0 : row.clock_hand + 1;
    const pfn = candidate(m, page);
    if (pfn < 0) continue;
    const used = page_referenced(m, vm, page);
    if (used || m.frame_use.last_ns(pfn) === 0) m.frame_use.set_last_ns(pfn, now);
    const then = m.frame_use.last_ns(pfn);
    if (now - then > window && take(m, vm, host, page, pfn)) return true;
    if (then < last || (then === last && !used && !idle)) {
      oldest = page;
      last = then;
      idle = !used;
    }
  }
  return oldest >= 0 && take_oldest(m, vm, host, oldest);
}

/** The page itself, and the hand goes on behind it; or, with swap full, any that has its slot yet. */
function take_oldest(m: Machine, vm: number, host: number, oldest: number): boolean {
  const row = m.vms[vm]!;
  const { first_page, pages } = m.places.vms[vm]!;
  row.clock_hand = oldest - first_page;
  for (let scanned = 0; scanned < pages; scanned += 1) {
    const page = first_page + row.clock_hand;
    row.clock_hand = row.clock_hand + 1 === pages ? 0 : row.clock_hand + 1;
    const pfn = candidate(m, page);
    if (pfn >= 0 && take(m, vm, host, page, pfn)) return true;
  }
  return false;
}

/** The frame that a page could be taken from now, or -1. */
function candidate(m: Machine, page: number): number {
  return can_evict(m, page) ? pte_target(m.hva.pte(page)) : read_in_vain(m, page);
}

/** Takes it; false, with the page unharmed, when there is no swap slot for it. */
function take(m: Machine, vm: number, host: number, page: number, pfn: number): boolean {
  lru_del(m, vm, pfn);
  if (!unmap_and_release(m, vm, host, page, pfn, false)) {
    lru_add(m, vm, pfn);
    return false;
  }
  m.vms[vm]!.mmu_invalidate_seq += 1;
  return true;
}

/** The frame of a page that was read ahead and that nobody has mapped, or -1. */
function read_in_vain(m: Machine, page: number): number {
  const pte = m.hva.pte(page);
  const pfn = pte_swap(pte) ? lookup_swap_cache(m, pte_target(pte)) : -1;
  return pfn >= 0 && has_flag(m, pfn, PG_lru) && !has_flag(m, pfn, PG_locked | PG_writeback) ? pfn : -1;
}

/** Models page_referenced(), mm/rmap.c, with kvm_age_hva() below it. */
function page_referenced(m: Machine, vm: number, page: number): boolean {
  const pte = m.hva.pte(page);
  const young = (pte & PTE_YOUNG) !== 0;
  if (young) m.hva.set_pte(page, pte & ~PTE_YOUNG);
  return kvm_age_gfn(m, vm, page) || young;
}

/** Whether a page may be taken now. */
export function can_evict(m: Machine, page: number): boolean {
  const pte = m.hva.pte(page);
  if (!pte_present(pte) || pte_special(pte)) return false;
  const pfn = pte_target(pte);
  return m.frame.pins(pfn) === 0 && !has_flag(m, pfn, PG_locked | PG_writeback | PG_ksm | PG_mlocked);
}

/**
 * Unmaps a page from guest and host and lets its frame go, by way of the device if its contents are newer than swap.
 * `at_once`: the write takes no time (a scenario's `evict`). The frame is off the LRU list when this is called.
 * Returns false, with the page unharmed, when there is no swap slot for it.
 *
 * Models try_to_unmap() and pageout(), mm/rmap.c and mm/vmscan.c.
 */
export function unmap_and_release(
  m: Machine,
  vm: number,
  host: number,
  page: number,
  pfn: number,
  at_once: boolean,
): boolean {
  const pte = m.hva.pte(page);
  const mapped = pte_present(pte);
  if (mapped && m.frame.slot(pfn) === 0) {
    const slot = get_swap_page(m, host, page);
    if (slot < 0) return false;
    add_to_swap_cache(m, slot, pfn);
    m.hva.set_pte(page, pte | PTE_DIRTY);
  }
  const slot = m.frame.slot(pfn) - 1;
  const dirty = mapped && (kvm_unmap_gfn_range(m, vm, page) || (m.hva.pte(page) & PTE_DIRTY) !== 0);
  if (mapped) m.hva.set_pte(page, make_swap_pte(slot));
  m.vms[vm]!.nr_charged_pages -= 1;
  if (dirty && !at_once) swap_writepage(m, host, pfn);
  else {
    if (has_flag(m, pfn, PG_swapcache)) delete_from_swap_cache(m, pfn);
    free_frame(m, host, pfn);
  }
  // A page that was read ahead and never used leaves the cache, and is taken from nobody.
  if (mapped) {
    m.vms[vm]!.nr_evictions += 1;
    m.observe?.(OBS.evicted, vm, page, -1);
  }
  return true;
}

/** kswapd's part of an `evict`: takes the page off its list and out of memory. False when it may not go now. */
export function evict_page(m: Machine, page: number): boolean {
  const vm = vm_of_page(m, page);
  if (!can_evict(m, page)) return false;
  const pfn = pte_target(m.hva.pte(page));
  assert(has_flag(m, pfn, PG_lru) && has_flag(m, pfn, PG_uptodate), 'mm: a mapped page is on its list');
  const { host } = m.program.vms[vm]!;
  lru_del(m, vm, pfn);
  if (!unmap_and_release(m, vm, host, page, pfn, true)) {
    lru_add(m, vm, pfn);
    return false;
  }
  wake_memory_waiters(m, host);
  return true;
}
