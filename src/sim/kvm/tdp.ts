/**
 * The two-dimensional page tables of a VM: a 4-level radix tree with 4 KiB and 2 MiB leaves.
 *
 * The tree covers the memslot of the heap. Its tables stand at fixed places (the entry of a page in level 1 is the
 * page's own row), so a small VM has a small tree, but a walk goes through every level and stops at the first entry
 * that is not present, as the hardware's does.
 * Differs: tables, once linked, stay linked; the kernel frees empty ones when it zaps a root.
 */
import type { Machine } from '../machine.ts';

const PRESENT = 1;
const HUGE = 2;
const ACCESSED = 4;
const DIRTY = 8;
const WRITABLE = 16;
export const LEAF_SHIFT = 5;
const SHIFT = LEAF_SHIFT;

/**
 * The hardware's walk for one access: sets accessed and dirty bits. Returns the frame, or -1 for a violation: nothing is
 * mapped, or not for writing. What is dirty is writable, so a page that was written before needs no second look.
 */
export function tdp_access(m: Machine, vm: number, page: number, write: boolean): number {
  const place = m.places.vms[vm]!;
  const index = page - place.first_page;
  if ((m.vms[vm]!.tdp_l4(0) & PRESENT) === 0) return -1;
  if ((m.tdp_l3.entry(place.first_l3 + (index >>> 18)) & PRESENT) === 0) return -1;
  const l2 = place.first_l2 + (index >>> 9);
  const middle = m.tdp_l2.entry(l2);
  if ((middle & PRESENT) === 0) return -1;
  const bits = write ? ACCESSED | DIRTY : ACCESSED;
  if ((middle & HUGE) !== 0) {
    if ((middle & bits) !== bits) {
      if (write && (middle & WRITABLE) === 0) return -1;
      m.tdp_l2.set_entry(l2, middle | bits);
    }
    return (middle >>> SHIFT) + (index & 511);
  }
  const leaf = m.tdp.l1(page);
  if ((leaf & PRESENT) === 0) return -1;
  if ((leaf & bits) !== bits) {
    if (write && (leaf & WRITABLE) === 0) return -1;
    m.tdp.set_l1(page, leaf | bits);
  }
  return leaf >>> SHIFT;
}

/** The frame that a page is mapped to, or -1, without touching accessed bits. */
export function tdp_frame(m: Machine, vm: number, page: number): number {
  const place = m.places.vms[vm]!;
  const index = page - place.first_page;
  const middle = m.tdp_l2.entry(place.first_l2 + (index >>> 9));
  if ((middle & PRESENT) === 0) return -1;
  if ((middle & HUGE) !== 0) return (middle >>> SHIFT) + (index & 511);
  const leaf = m.tdp.l1(page);
  return (leaf & PRESENT) === 0 ? -1 : leaf >>> SHIFT;
}

/** Whether the guest may write the page without a fault. */
export function tdp_writable(m: Machine, vm: number, page: number): boolean {
  const place = m.places.vms[vm]!;
  const middle = m.tdp_l2.entry(place.first_l2 + ((page - place.first_page) >>> 9));
  if ((middle & PRESENT) === 0) return false;
  const leaf = (middle & HUGE) !== 0 ? middle : m.tdp.l1(page);
  return (leaf & (PRESENT | WRITABLE)) === (PRESENT | WRITABLE);
}

/** Whether the page is mapped. */
export function tdp_mapped(m: Machine, vm: number, page: number): boolean {
  return tdp_frame(m, vm, page) >= 0;
}

/**
 * Enters a 4 KiB leaf, linking what is missing above it. A page that is mapped already keeps its leaf and its bits, and
 * may become writable.
 *
 * Models kvm_tdp_mmu_map(), arch/x86/kvm/mmu/tdp_mmu.c.
 */
export function tdp_map(m: Machine, vm: number, page: number, pfn: number, writable: boolean): void {
  if (tdp_frame(m, vm, page) === pfn && (!writable || tdp_writable(m, vm, page))) return;
  const l2 = link_down_to_l2(m, vm, page);
  m.tdp_l2.set_entry(l2, PRESENT);
  const kept = tdp_frame(m, vm, page) === pfn ? m.tdp.l1(page) & (ACCESSED | DIRTY) : 0;
  m.tdp.set_l1(page, ((pfn << SHIFT) | PRESENT | (writable ? WRITABLE : 0) | kept) >>> 0);
}

/**
 * Enters a 2 MiB leaf for the range that holds `page`; `pfn` is the frame of the range's first page. The small leaves
 * go, and leave it what they knew. Models handle_removed_pt() below kvm_tdp_mmu_map(), arch/x86/kvm/mmu/tdp_mmu.c.
 */
export function tdp_map_huge(m: Machine, vm: number, page: number, pfn: number): void {
  if (tdp_huge(m, vm, page)) return;
  const place = m.places.vms[vm]!;
  const first = page - ((page - place.first_page) & 511);
  let bits = 0;
  for (let small = first; small < first + 512; small += 1) {
    bits |= m.tdp.l1(small) & (ACCESSED | DIRTY);
    m.tdp.set_l1(small, 0);
  }
  m.tdp_l2.set_entry(link_down_to_l2(m, vm, page), ((pfn << SHIFT) | PRESENT | HUGE | WRITABLE | bits) >>> 0);
}

function link_down_to_l2(m: Machine, vm: number, page: number): number {
  const place = m.places.vms[vm]!;
  const index = page - place.first_page;
  m.vms[vm]!.set_tdp_l4(0, PRESENT);
  m.tdp_l3.set_entry(place.first_l3 + (index >>> 18), PRESENT);
  return place.first_l2 + (index >>> 9);
}

/**
 * Removes the leaf over a page, all of it if it is huge. Returns whether the guest had written through it.
 * Models kvm_tdp_mmu_unmap_gfn_range(), arch/x86/kvm/mmu/tdp_mmu.c.
 */
export function tdp_zap(m: Machine, vm: number, page: number): boolean {
  const place = m.places.vms[vm]!;
  const l2 = place.first_l2 + ((page - place.first_page) >>> 9);
  const middle = m.tdp_l2.entry(l2);
  if ((middle & PRESENT) === 0) return false;
  if ((middle & HUGE) !== 0) {
    m.tdp_l2.set_entry(l2, 0);
    return (middle & DIRTY) !== 0;
  }
  const leaf = m.tdp.l1(page);
  m.tdp.set_l1(page, 0);
  return (leaf & PRESENT) !== 0 && (leaf & DIRTY) !== 0;
}

/**
 * Puts small leaves in the place of a huge one, for the same frames; they know what it knew.
 * Models tdp_mmu_split_huge_page(), arch/x86/kvm/mmu/tdp_mmu.c, as KVM does ahead of dirty logging since 5.18.
 */
export function tdp_split_huge_page(m: Machine, vm: number, page: number): void {
  const place = m.places.vms[vm]!;
  const first = page - ((page - place.first_page) & 511);
  const l2 = place.first_l2 + ((page - place.first_page) >>> 9);
  const middle = m.tdp_l2.entry(l2);
  const bits = middle & (PRESENT | ACCESSED | DIRTY | WRITABLE);
  const pfn = middle >>> SHIFT;
  m.tdp_l2.set_entry(l2, PRESENT);
  for (let index = 0; index < 512; index += 1) m.tdp.set_l1(first + index, (((pfn + index) << SHIFT) | bits) >>> 0);
}

/**
 * Makes a small leaf clean and read-only, so that the next write is noticed. Returns whether it was dirty.
 * Models clear_dirty_gfn_range() and wrprot_gfn_range(), arch/x86/kvm/mmu/tdp_mmu.c.
 */
export function tdp_clear_dirty(m: Machine, vm: number, page: number): boolean {
  if (tdp_huge(m, vm, page)) return false;
  const leaf = m.tdp.l1(page);
  if ((leaf & PRESENT) === 0) return false;
  m.tdp.set_l1(page, (leaf & ~(WRITABLE | DIRTY)) >>> 0);
  return (leaf & DIRTY) !== 0;
}

/** A write to a clean page that the CPU has logged by itself. */
export function tdp_allow_write(m: Machine, _vm: number, page: number): void {
  m.tdp.set_l1(page, (m.tdp.l1(page) | WRITABLE | ACCESSED | DIRTY) >>> 0);
}

/** Tests and clears the accessed bit. Models kvm_age_gfn(), arch/x86/kvm/mmu. */
export function tdp_age(m: Machine, vm: number, page: number): boolean {
  const place = m.places.vms[vm]!;
  const l2 = place.first_l2 + ((page - place.first_page) >>> 9);
  const middle = m.tdp_l2.entry(l2);
  if ((middle & PRESENT) === 0) return false;
  if ((middle & HUGE) !== 0) {
    m.tdp_l2.set_entry(l2, middle & ~ACCESSED);
    return (middle & ACCESSED) !== 0;
  }
  const leaf = m.tdp.l1(page);
  if ((leaf & ACCESSED) === 0) return false;
  m.tdp.set_l1(page, leaf & ~ACCESSED);
  return true;
}

/** Whether a huge leaf covers the page. */
export function tdp_huge(m: Machine, vm: number, page: number): boolean {
  const place = m.places.vms[vm]!;
  return (m.tdp_l2.entry(place.first_l2 + ((page - place.first_page) >>> 9)) & HUGE) !== 0;
}
