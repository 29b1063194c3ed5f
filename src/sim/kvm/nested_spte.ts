/** The shadow of L1's tables for L2: entries from an address of L2 to a frame. They stand among the shadow entries. */
import type { Machine } from '../machine.ts';

const PRESENT = 1;
const WRITABLE = 2;
const ACCESSED = 4;
const DIRTY = 8;
const SHIFT = 4;

function row_of_page(m: Machine, vm: number, page: number): number {
  const { first_page, heap_pages, first_spte, nested_tables } = m.places.vms[vm]!;
  const heap_page = page - first_page;
  if (!nested_tables || heap_page >= heap_pages) return -1;
  return first_spte + ((heap_page + (heap_pages >>> 1)) % heap_pages);
}

/** The hardware's walk for an access of L2: the frame, or -1 for an exit. */
export function l2_access(m: Machine, vm: number, page: number, write: boolean): number {
  const row = row_of_page(m, vm, page);
  const spte = m.spte.entry(row);
  if ((spte & PRESENT) === 0 || (write && (spte & WRITABLE) === 0)) return -1;
  const bits = write ? ACCESSED | DIRTY : ACCESSED;
  if ((spte & bits) !== bits) m.spte.set_entry(row, (spte | bits) >>> 0);
  return spte >>> SHIFT;
}

export function l2_map(m: Machine, vm: number, index: number, pfn: number, writable: boolean): void {
  const row = m.places.vms[vm]!.first_spte + index;
  const old = m.spte.entry(row);
  const kept = (old & PRESENT) !== 0 && old >>> SHIFT === pfn ? old & (ACCESSED | DIRTY) : 0;
  m.spte.set_entry(row, ((pfn << SHIFT) | PRESENT | (writable ? WRITABLE : 0) | kept) >>> 0);
}

/** Drops a page of L1 from what L2 has, by the reverse map. Returns whether L2 had written through it. */
export function l2_zap_page(m: Machine, vm: number, page: number): boolean {
  const row = row_of_page(m, vm, page);
  if (row < 0) return false;
  const spte = m.spte.entry(row);
  if ((spte & PRESENT) === 0) return false;
  m.spte.set_entry(row, 0);
  return (spte & DIRTY) !== 0;
}

/** Tests and clears the accessed bit. */
export function l2_age_page(m: Machine, vm: number, page: number): boolean {
  const row = row_of_page(m, vm, page);
  if (row < 0) return false;
  const spte = m.spte.entry(row);
  if ((spte & ACCESSED) === 0) return false;
  m.spte.set_entry(row, spte & ~ACCESSED);
  return true;
}

/** The frame that L2 has for a page of L1, or -1. */
export function l2_frame(m: Machine, vm: number, page: number): number {
  const row = row_of_page(m, vm, page);
  const spte = row < 0 ? 0 : m.spte.entry(row);
  return (spte & PRESENT) === 0 ? -1 : spte >>> SHIFT;
}
