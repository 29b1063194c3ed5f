/**
 * Host page tables of guest memory, frames, and the LRU list of a VM.
 *
 * One pte per guest page, indexed by its row in `hva`: absent, present with a frame, or a swap entry. Frames carry the
 * reverse map and, while they are in the swap cache, their slot. Ids in links are stored as id + 1; 0 is none.
 */
import { assert } from '../../base/assert.ts';
import type { Machine } from '../machine.ts';

// pte bits.
export const PTE_PRESENT = 1;
export const PTE_SWAP = 2;
export const PTE_YOUNG = 4;
export const PTE_DIRTY = 8;
/** Not to be written through: the zero page, or one that is shared. */
export const PTE_RDONLY = 16;
/** The zero page, which is no frame of the host's. */
export const PTE_SPECIAL = 32;
export const PTE_SHIFT = 6;
/** All that a pte says besides what it leads to. */
export const PTE_BITS = (1 << PTE_SHIFT) - 1;

// Frame flags, as in include/linux/page-flags.h.
export const PG_locked = 1;
export const PG_uptodate = 2;
export const PG_writeback = 4;
export const PG_swapcache = 8;
export const PG_readahead = 16;
export const PG_lru = 32;
export const PG_error = 64;
export const PG_ksm = 128;
export const PG_mlocked = 256;

/**
 * A pte that is neither present nor a swap entry may say why there is nothing, as the kernel's pte markers do.
 * MISSING: userfault memory that its handler has not brought yet. DISCARDED: given back to the host; a touch finds zeroes.
 * BEYOND_EOF: its file has become shorter.
 */
export const PTE_MARKER_MISSING = 1;
export const PTE_MARKER_DISCARDED = 2;
export const PTE_MARKER_BEYOND_EOF = 3;

export function pte_none(pte: number): boolean {
  return pte === 0;
}
/** The marker of a pte, 0 for none. */
export function pte_marker(pte: number): number {
  return (pte & (PTE_PRESENT | PTE_SWAP)) === 0 ? pte >>> PTE_SHIFT : 0;
}
export function make_marker(marker: number): number {
  return marker << PTE_SHIFT;
}

export function pte_present(pte: number): boolean {
  return (pte & PTE_PRESENT) !== 0;
}
export function pte_swap(pte: number): boolean {
  return (pte & PTE_SWAP) !== 0;
}
/** Present, and a write may go through. */
export function pte_write(pte: number): boolean {
  return (pte & (PTE_PRESENT | PTE_RDONLY)) === PTE_PRESENT;
}
export function pte_special(pte: number): boolean {
  return (pte & PTE_SPECIAL) !== 0;
}
/** The frame of a present pte, or the slot of a swap pte. */
export function pte_target(pte: number): number {
  return pte >>> PTE_SHIFT;
}
export function make_pte(pfn: number, flags: number): number {
  return ((pfn << PTE_SHIFT) | PTE_PRESENT | flags) >>> 0;
}
export function make_swap_pte(slot: number): number {
  return ((slot << PTE_SHIFT) | PTE_SWAP) >>> 0;
}

/** The page of zeroes that whoever reads memory nobody has written shares: a frame behind all those of the hosts. */
export function zero_pfn(m: Machine): number {
  return m.frame.capacity - 1;
}

/** Takes a free frame of the host, the last one freed, else the lowest that was never used; -1 for none. */
export function take_frame(m: Machine, host: number): number {
  const row = m.hosts[host]!;
  if (row.nr_free_pages === 0) return -1;
  row.nr_free_pages -= 1;
  const head = row.free_head;
  if (head === 0) {
    const unused = m.places.hosts[host]!.first_frame + row.frames_used;
    row.frames_used += 1;
    return unused;
  }
  const pfn = head - 1;
  row.free_head = m.frame.next(pfn);
  m.frame.set_next(pfn, 0);
  return pfn;
}

/** Gives a frame back. It must be on no list, mapped nowhere and idle. */
export function free_frame(m: Machine, host: number, pfn: number): void {
  assert(m.frame.pins(pfn) === 0, 'mm: a freed frame is not pinned');
  const row = m.hosts[host]!;
  m.frame.set_flags(pfn, 0);
  m.frame.set_hva(pfn, 0);
  m.frame.set_slot(pfn, 0);
  m.frame.set_prev(pfn, 0);
  m.frame.set_next(pfn, row.free_head);
  if (m.frame_use.capacity > 0) m.frame_use.set_last_ns(pfn, 0);
  row.free_head = pfn + 1;
  row.nr_free_pages += 1;
}

export function set_flag(m: Machine, pfn: number, flag: number): void {
  m.frame.set_flags(pfn, m.frame.flags(pfn) | flag);
}
export function clear_flag(m: Machine, pfn: number, flag: number): void {
  m.frame.set_flags(pfn, m.frame.flags(pfn) & ~flag);
}
export function has_flag(m: Machine, pfn: number, flag: number): boolean {
  return (m.frame.flags(pfn) & flag) !== 0;
}

/** Puts a frame at the young end of the VM's list. */
export function lru_add(m: Machine, vm: number, pfn: number): void {
  const row = m.vms[vm]!;
  const head = row.lru_head;
  m.frame.set_prev(pfn, 0);
  m.frame.set_next(pfn, head);
  if (head !== 0) m.frame.set_prev(head - 1, pfn + 1);
  else row.lru_tail = pfn + 1;
  row.lru_head = pfn + 1;
  set_flag(m, pfn, PG_lru);
}

export function lru_del(m: Machine, vm: number, pfn: number): void {
  const row = m.vms[vm]!;
  const prev = m.frame.prev(pfn);
  const next = m.frame.next(pfn);
  if (prev !== 0) m.frame.set_next(prev - 1, next);
  else row.lru_head = next;
  if (next !== 0) m.frame.set_prev(next - 1, prev);
  else row.lru_tail = prev;
  m.frame.set_prev(pfn, 0);
  m.frame.set_next(pfn, 0);
  clear_flag(m, pfn, PG_lru);
}

/** VM that a page row belongs to. */
export function vm_of_page(m: Machine, page: number): number {
  const vms = m.places.vms;
  let vm = vms.length - 1;
  while (vms[vm]!.first_page > page) vm -= 1;
  return vm;
}
