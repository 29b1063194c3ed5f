/**
 * Guest addresses of a page row, and back. The only place that converts one kind into another.
 *
 * A page row stands for one guest-physical page, the gfns from HEAP_GFN on. An access goes to one byte of it, always the
 * same, so that a trace shows the addresses of a program and not only page numbers.
 */
import type { Machine } from './machine.ts';
import { vm_of_page } from './mm/page.ts';
import { HEAP_GFN } from './places.ts';

const PAGE_BYTES = 4096;

export function gfn_of_page(m: Machine, page: number): number {
  return HEAP_GFN + page - m.places.vms[vm_of_page(m, page)]!.first_page;
}

/** Guest-physical address of an access to the page. */
export function gpa_of_page(m: Machine, page: number): number {
  const index = page - m.places.vms[vm_of_page(m, page)]!.first_page;
  return (HEAP_GFN + index) * PAGE_BYTES + ((index * 0x9e8) & 0xff8);
}
