/**
 * TLBs: what a CPU remembers of its walks while it runs a vCPU, and how the host has it forget.
 *
 * Modelled where the VM says `tlb on`, since else nobody could tell: who takes a page away has every vCPU flush before
 * the page is anybody else's, so an access finds what a walk would find. With it a flush that is left out is seen, as an
 * access that reaches another page's memory.
 * Differs: a TLB has room for all pages and never loses an entry by itself; entries are tagged with the vCPU and its
 * address space, so a switch between processes flushes nothing.
 */
import { type Machine, vm_of_vcpu } from '../machine.ts';
import type { Vcpu } from '../schema.ts';

const VALID = 1;
const WRITABLE = 2;
export const TLB_SHIFT = 2;
/** The tag of linear addresses that are guest-physical ones. */
const NO_PAGING = 0xffff;

function row_of(m: Machine, vcpu: Vcpu, page: number): number {
  const place = m.places.vms[vm_of_vcpu(m, vcpu)]!;
  return place.first_tlb + (vcpu.id - place.first_vcpu) * place.heap_pages + page - place.first_page;
}

export function has_tlb(m: Machine, vm: number): boolean {
  return m.program.vms[vm]!.tlb;
}

const tag_of = (vcpu: Vcpu): number => (vcpu.cr0_pg ? vcpu.cr3 : NO_PAGING);

/** The frame that the vCPU's CPU remembers for an access, or -1: then it walks. */
export function tlb_lookup(m: Machine, vcpu: Vcpu, page: number, write: boolean): number {
  if (!has_tlb(m, vm_of_vcpu(m, vcpu))) return -1;
  const row = row_of(m, vcpu, page);
  const entry = m.tlb.entry(row);
  if ((entry & VALID) === 0 || m.tlb.tag(row) !== tag_of(vcpu)) return -1;
  return write && (entry & WRITABLE) === 0 ? -1 : entry >>> TLB_SHIFT;
}

/** What a walk has found. A page that was only read is walked again for the first write, which sets dirty bits. */
export function tlb_fill(m: Machine, vcpu: Vcpu, page: number, pfn: number, write: boolean): void {
  if (!has_tlb(m, vm_of_vcpu(m, vcpu))) return;
  const row = row_of(m, vcpu, page);
  m.tlb.set_entry(row, ((pfn << TLB_SHIFT) | VALID | (write ? WRITABLE : 0)) >>> 0);
  m.tlb.set_tag(row, tag_of(vcpu));
}

/** Forgets one page: INVLPG. */
export function tlb_flush_page(m: Machine, vcpu: Vcpu, page: number): void {
  if (has_tlb(m, vm_of_vcpu(m, vcpu))) forget(m, row_of(m, vcpu, page));
}

function forget(m: Machine, row: number): void {
  m.tlb.set_entry(row, 0);
  m.tlb.set_tag(row, 0);
}

/** Forgets everything. Models kvm_vcpu_flush_tlb_all(), arch/x86/kvm/x86.c. */
export function tlb_flush(m: Machine, vcpu: Vcpu): void {
  const vm = vm_of_vcpu(m, vcpu);
  if (!has_tlb(m, vm)) return;
  const { first_page, heap_pages } = m.places.vms[vm]!;
  const first = row_of(m, vcpu, first_page);
  for (let row = first; row < first + heap_pages; row += 1) if (m.tlb.entry(row) !== 0) forget(m, row);
  vcpu.nr_tlb_flushes += 1;
}

/** Whether a vCPU that runs in its guest remembers a frame for a page, and which; -1 for none. For the laws. */
export function tlb_frame(m: Machine, vcpu: Vcpu, page: number): number {
  const entry = m.tlb.entry(row_of(m, vcpu, page));
  return (entry & VALID) === 0 ? -1 : entry >>> TLB_SHIFT;
}
