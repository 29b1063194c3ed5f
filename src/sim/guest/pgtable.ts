/**
 * The guest's own page tables: which page of memory a linear address means to the guest.
 *
 * A root is the row of the first entry of one table tree. Its last level is real, one entry for each page of the heap;
 * the three levels above it never change, so they are counted in a walk and not stored. Each process has the heap at
 * another address: page i of the heap is entry i of the first, and entries further on in the next one, so that one
 * linear address means different pages in different processes.
 * Differs: no large pages in guest tables; the upper levels are always present and never reclaimed.
 */
import { gva_of_index } from '../addr.ts';
import type { Machine } from '../machine.ts';
import { HEAP_GFN, TABLES_GFN } from '../places.ts';
import { TABLE_ENTRIES, type Vcpu } from '../schema.ts';

export const PTE_PRESENT = 1;
export const PTE_WRITABLE = 2;
export const PTE_USER = 4;
export const PTE_ACCESSED = 8;
export const PTE_DIRTY = 16;
const SHIFT = 5;
const PAGE_BYTES = 4096;
const PTE_BYTES = 8;

/** Bits of a page fault's error code. */
export const PFERR_PRESENT = 1;
export const PFERR_WRITE = 2;
export const PFERR_USER = 4;

/** The page of the heap that an entry names. */
export function pte_page(entry: number): number {
  return entry >>> SHIFT;
}

export function make_guest_pte(heap_page: number, bits: number): number {
  return ((heap_page << SHIFT) | bits) >>> 0;
}

/** Row of the first entry of an address space: what its CR3 stands for. */
export function root_of(m: Machine, vm: number, space: number): number {
  const place = m.places.vms[vm]!;
  return place.first_gpt + space * place.heap_pages;
}

/** How far the heap of an address space is moved against that of the first. */
function displacement(m: Machine, vm: number, space: number): number {
  const { heap_pages, spaces } = m.places.vms[vm]!;
  return Math.floor((space * heap_pages) / Math.max(1, spaces));
}

/** Where a process has a page of the heap: the number of its entry. */
export function index_of_page(m: Machine, vm: number, space: number, heap_page: number): number {
  return (heap_page + displacement(m, vm, space)) % m.places.vms[vm]!.heap_pages;
}

/** The page of the heap that belongs at an entry of a process, whatever its tables say now. */
export function page_of_index(m: Machine, vm: number, space: number, index: number): number {
  const { heap_pages } = m.places.vms[vm]!;
  return (index + heap_pages - displacement(m, vm, space)) % heap_pages;
}

/** At boot every process has all of the heap. */
export function fill_guest_tables(m: Machine, vm: number): void {
  const { spaces, heap_pages } = m.places.vms[vm]!;
  const bits = PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
  for (let space = 0; space < spaces; space += 1) {
    const root = root_of(m, vm, space);
    for (let index = 0; index < heap_pages; index += 1)
      m.gpt.set_entry(root + index, make_guest_pte(page_of_index(m, vm, space, index), bits));
  }
}

/** Row in `hva` of the leaf table that holds an entry, or -1 where the tables are pinned kernel memory. */
export function table_page(m: Machine, vm: number, space: number, index: number): number {
  const { first_page, heap_pages, tables } = m.places.vms[vm]!;
  return tables === 0 ? -1 : first_page + heap_pages + space * tables + Math.floor(index / TABLE_ENTRIES);
}

/** Guest-physical address of an entry. */
export function gpa_of_entry(m: Machine, vm: number, space: number, index: number): number {
  const { heap_pages, tables } = m.places.vms[vm]!;
  const table = Math.floor(index / TABLE_ENTRIES);
  const gfn =
    tables === 0
      ? TABLES_GFN + space * Math.ceil(heap_pages / TABLE_ENTRIES) + table
      : HEAP_GFN + heap_pages + space * tables + table;
  return gfn * PAGE_BYTES + (index % TABLE_ENTRIES) * PTE_BYTES;
}

/** Why an entry does not let an access through, as the bits of an error code; 0 where it does. */
export function pte_refuses(entry: number, write: boolean, user: boolean): number {
  const access = (write ? PFERR_WRITE : 0) | (user ? PFERR_USER : 0);
  // Present is said in the error code of what is refused; a fault without any bit is a read by the kernel.
  if ((entry & PTE_PRESENT) === 0) return NOT_PRESENT | access;
  if (write && (entry & PTE_WRITABLE) === 0) return NOT_PRESENT | PFERR_PRESENT | access;
  if (user && (entry & PTE_USER) === 0) return NOT_PRESENT | PFERR_PRESENT | access;
  return 0;
}

/** Above the bits of an error code: tells "refused, error code 0" from "let through". */
const NOT_PRESENT = 0x100;
export const PFERR_BITS = 0xff;

/** What a walker leaves in the entry it used. */
export function set_accessed(m: Machine, row: number, write: boolean): void {
  const entry = m.gpt.entry(row);
  const bits = write ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED;
  if ((entry & bits) !== bits) m.gpt.set_entry(row, (entry | bits) >>> 0);
}

/** Linear address of a page in the address space that the vCPU has loaded; guest-physical with paging off. */
export function gva_of_page(m: Machine, vcpu: Vcpu, page: number): number {
  const vm = vcpu.vm;
  const heap_page = page - m.places.vms[vm]!.first_page;
  return gva_of_index(heap_page, index_of_page(m, vm, vcpu.cr3, heap_page));
}

/** Whether any process has the page. Where nobody looks at the tables, all have everything. */
export function mapped_by_guest(m: Machine, vm: number, heap_page: number): boolean {
  const { spaces } = m.places.vms[vm]!;
  for (let space = 0; space < spaces; space += 1) {
    const row = root_of(m, vm, space) + index_of_page(m, vm, space, heap_page);
    if ((m.gpt.entry(row) & PTE_PRESENT) !== 0) return true;
  }
  return spaces === 0;
}
