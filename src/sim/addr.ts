/**
 * Guest addresses of a page row, and back. The only place that converts one kind into another.
 *
 * A page row stands for one guest-physical page, the gfns from HEAP_GFN on. An access goes to one byte of it, always the
 * same, so that a trace shows the addresses of a program and not only page numbers.
 */
import type { Machine } from './machine.ts';
import { vm_of_page } from './mm/page.ts';
import { HEAP_GFN, HEAP_GVA } from './places.ts';

const PAGE_BYTES = 4096;

export function gfn_of_page(m: Machine, page: number): number {
  return HEAP_GFN + page - m.places.vms[vm_of_page(m, page)]!.first_page;
}

/** Guest-physical address of an access to the page. */
export function gpa_of_page(m: Machine, page: number): number {
  const index = page - m.places.vms[vm_of_page(m, page)]!.first_page;
  return (HEAP_GFN + index) * PAGE_BYTES + offset_in_page(index);
}

/** Linear address of an access to a page of the heap that a process has at this place of its own. */
export function gva_of_index(heap_page: number, index: number): number {
  return HEAP_GVA + index * PAGE_BYTES + offset_in_page(heap_page);
}

/** The place in a process's heap that a linear address lies in; -1 outside of the heap. */
export function index_of_gva(m: Machine, vm: number, gva: number): number {
  const index = Math.floor((gva - HEAP_GVA) / PAGE_BYTES);
  return index >= 0 && index < m.places.vms[vm]!.heap_pages ? index : -1;
}

/** What a nested guest has for a page of the heap at this place of its own memory. */
export function l2_gpa_of_index(heap_page: number, index: number): number {
  return (HEAP_GFN + index) * PAGE_BYTES + offset_in_page(heap_page);
}

/** The place in a nested guest's memory that an address of its own lies in; -1 outside of it. */
export function index_of_l2_gpa(m: Machine, vm: number, l2_gpa: number): number {
  const index = Math.floor(l2_gpa / PAGE_BYTES) - HEAP_GFN;
  return index >= 0 && index < m.places.vms[vm]!.heap_pages ? index : -1;
}

/** The page row of a guest-physical address; -1 where no memory that can be reclaimed is. */
export function page_of_gpa(m: Machine, vm: number, gpa: number): number {
  const index = Math.floor(gpa / PAGE_BYTES) - HEAP_GFN;
  const { first_page, pages } = m.places.vms[vm]!;
  return index >= 0 && index < pages ? first_page + index : -1;
}

function offset_in_page(index: number): number {
  return (index * 0x9e8) & 0xff8;
}
