/**
 * Shadow paging: for each address space of the guest, tables from linear address to frame that the hardware walks.
 *
 * The guest's own tables are only read by the host: a fault walks them, takes the page they name, and enters it in the
 * shadow of the address space that is loaded. They are write-protected, so that an edit of the guest comes to the host
 * and the shadow never says more than they do.
 * Differs: a table of the guest always stays write-protected and each write to it is emulated; the kernel lets a leaf
 * table go out of sync after the first and makes up for it when the guest flushes. Shadows are never recycled, and have
 * small leaves only.
 */
import { index_of_page } from '../guest/pgtable.ts';
import type { Machine } from '../machine.ts';

const PRESENT = 1;
const WRITABLE = 2;
const ACCESSED = 4;
const DIRTY = 8;
const SHIFT = 4;

/** Row of the first entry of the shadow of an address space. Shadows stand beside the tables that they shadow. */
function shadow_root(m: Machine, vm: number, space: number): number {
  const place = m.places.vms[vm]!;
  return place.first_spte + space * place.heap_pages;
}

/**
 * The hardware's walk of a shadow: sets accessed and dirty bits. Returns the frame, or -1 for a #PF exit, which
 * shadow_present() then tells apart.
 */
export function shadow_access(m: Machine, vm: number, space: number, index: number, write: boolean): number {
  const row = shadow_root(m, vm, space) + index;
  const spte = m.spte.entry(row);
  if ((spte & PRESENT) === 0 || (write && (spte & WRITABLE) === 0)) return -1;
  const bits = write ? ACCESSED | DIRTY : ACCESSED;
  if ((spte & bits) !== bits) m.spte.set_entry(row, (spte | bits) >>> 0);
  return spte >>> SHIFT;
}

/** Whether there is an entry, so that a fault on it was one of protection. */
export function shadow_present(m: Machine, vm: number, space: number, index: number): boolean {
  return (m.spte.entry(shadow_root(m, vm, space) + index) & PRESENT) !== 0;
}

/** The frame that a shadow has at an entry, or -1. */
export function shadow_frame(m: Machine, vm: number, space: number, index: number): number {
  const spte = m.spte.entry(shadow_root(m, vm, space) + index);
  return (spte & PRESENT) === 0 ? -1 : spte >>> SHIFT;
}

/** Whether the guest may write there without a fault. */
export function shadow_writable(m: Machine, vm: number, space: number, index: number): boolean {
  return (m.spte.entry(shadow_root(m, vm, space) + index) & WRITABLE) !== 0;
}

/** Enters a leaf, keeping what an entry for the same frame knew. Models mmu_set_spte(), arch/x86/kvm/mmu/mmu.c. */
export function shadow_map(m: Machine, vm: number, space: number, index: number, pfn: number, writable: boolean): void {
  const row = shadow_root(m, vm, space) + index;
  const old = m.spte.entry(row);
  const kept = (old & PRESENT) !== 0 && old >>> SHIFT === pfn ? old & (ACCESSED | DIRTY) : 0;
  m.spte.set_entry(row, ((pfn << SHIFT) | PRESENT | (writable ? WRITABLE : 0) | kept) >>> 0);
}

/** Drops one entry. Returns whether the guest had written through it. */
function zap_entry(m: Machine, row: number): boolean {
  const spte = m.spte.entry(row);
  if ((spte & PRESENT) === 0) return false;
  m.spte.set_entry(row, 0);
  return (spte & DIRTY) !== 0;
}

/** Drops a page from all shadows: the reverse map. Models kvm_zap_all_rmap_sptes(), arch/x86/kvm/mmu/mmu.c. */
export function shadow_zap_page(m: Machine, vm: number, page: number): boolean {
  const { first_page, heap_pages, spaces } = m.places.vms[vm]!;
  const heap_page = page - first_page;
  if (heap_page >= heap_pages) return false;
  let dirty = false;
  for (let space = 0; space < spaces; space += 1)
    if (zap_entry(m, shadow_root(m, vm, space) + index_of_page(m, vm, space, heap_page))) dirty = true;
  return dirty;
}

/** Makes a page clean and read-only in all shadows. Returns whether it was dirty in one. Models rmap_write_protect(). */
export function shadow_clear_dirty(m: Machine, vm: number, page: number): boolean {
  const { first_page, heap_pages, spaces } = m.places.vms[vm]!;
  const heap_page = page - first_page;
  if (heap_page >= heap_pages) return false;
  let dirty = false;
  for (let space = 0; space < spaces; space += 1) {
    const row = shadow_root(m, vm, space) + index_of_page(m, vm, space, heap_page);
    const spte = m.spte.entry(row);
    if ((spte & PRESENT) === 0) continue;
    m.spte.set_entry(row, (spte & ~(WRITABLE | DIRTY)) >>> 0);
    if ((spte & DIRTY) !== 0) dirty = true;
  }
  return dirty;
}

/** Tests and clears the accessed bits of a page in all shadows. Models kvm_rmap_age_gfn_range(). */
export function shadow_age_page(m: Machine, vm: number, page: number): boolean {
  const { first_page, heap_pages, spaces } = m.places.vms[vm]!;
  const heap_page = page - first_page;
  if (heap_page >= heap_pages) return false;
  let young = false;
  for (let space = 0; space < spaces; space += 1) {
    const row = shadow_root(m, vm, space) + index_of_page(m, vm, space, heap_page);
    const spte = m.spte.entry(row);
    if ((spte & ACCESSED) === 0) continue;
    m.spte.set_entry(row, spte & ~ACCESSED);
    young = true;
  }
  return young;
}

/** A write to an entry of the guest's tables has come to the host: what its shadow had is gone. Models kvm_mmu_track_write(). */
export function shadow_zap_index(m: Machine, vm: number, space: number, index: number): void {
  zap_entry(m, shadow_root(m, vm, space) + index);
}

/** Whether any process reaches the page without a fault. */
export function shadow_mapped(m: Machine, vm: number, page: number): boolean {
  const { first_page, heap_pages, spaces } = m.places.vms[vm]!;
  const heap_page = page - first_page;
  if (heap_page >= heap_pages) return false;
  for (let space = 0; space < spaces; space += 1)
    if (shadow_frame(m, vm, space, index_of_page(m, vm, space, heap_page)) >= 0) return true;
  return false;
}
