/**
 * Memory of a guest's guest, where its hypervisor has two-dimensional tables as well: L1's tables take an address of L2
 * to one of L1, the host's take that to a frame, and the hardware can walk but one: the host's shadow of both together.
 *
 * Nobody but L1 knows what an address of L2 means. L2 has the heap half its length further on than L1, so that the same
 * number is another page to each of them.
 * Differs: one L2 address space for all guests of L1, and small leaves only.
 */
import { TP } from '../../trace/all.ts';
import { gfn_of_page, index_of_l2_gpa, l2_gpa_of_index } from '../addr.ts';
import { AT, type At } from '../at.ts';
import {
  make_guest_pte,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_USER,
  PTE_WRITABLE,
  pte_page,
  pte_refuses,
  set_accessed,
} from '../guest/pgtable.ts';
import { type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { DIRTY_LOG } from '../migrate/tables.ts';
import { pte_present, pte_target, pte_write } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Thread, Vcpu } from '../schema.ts';
import { mark_page_dirty_in_slot } from './dirty_log.ts';
import { EXIT_REASON } from './exit_reason.ts';
import { after_fault, kvm_handle_error_pfn, page_failed } from './fault.ts';
import { nested_svm_vmexit } from './nested.ts';
import { l2_map } from './nested_spte.ts';

/**
 * Walks L1's tables for an address of L2. What they do not have is L1's to mend, and L2 stops for it.
 *
 * Models FNAME(page_fault)() as the shadow of nested tables has it, and nested_svm_inject_npf_exit().
 */
export function nested_page_fault(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  const { first_npt, first_page } = m.places.vms[vm]!;
  const index = index_of_l2_gpa(m, vm, vcpu.cr2_or_gpa);
  const write = vcpu.fault_write === 1;
  const entry = index < 0 ? 0 : m.gpt.entry(first_npt + index);
  if (pte_refuses(entry, write, false) !== 0) {
    if (vcpu.fault_prefault) {
      m.observe?.(OBS.misdirected, vm, vcpu.fault_page, -1);
      return AT.kvm_arch_async_page_present;
    }
    nested_svm_vmexit(m, vcpu, EXIT_REASON.npf, vcpu.cr2_or_gpa);
    return AT['vcpu_run.tail'];
  }
  if (!vcpu.fault_prefault) set_accessed(m, first_npt + index, write);
  const page = first_page + pte_page(entry);
  if (vcpu.fault_prefault && page !== vcpu.fault_page) m.observe?.(OBS.misdirected, vm, vcpu.fault_page, page);
  vcpu.fault_page = page;
  return AT.kvm_faultin_pfn;
}

/** Enters what was found in the shadow of L1's tables. Models FNAME(fetch)(), arch/x86/kvm/mmu/paging_tmpl.h. */
export function nested_fetch(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const vm = vm_of_vcpu(m, vcpu);
  if (page_failed(thread)) return kvm_handle_error_pfn(m, vcpu);
  const row = m.vms[vm]!;
  const { first_npt, first_page } = m.places.vms[vm]!;
  const index = index_of_l2_gpa(m, vm, vcpu.cr2_or_gpa);
  const stale = row.mmu_invalidate_in_progress > 0 || row.mmu_invalidate_seq !== vcpu.fault_mmu_seq;
  const pte = m.hva.pte(vcpu.fault_page);
  const entry = m.gpt.entry(first_npt + index);
  const changed = (entry & PTE_PRESENT) === 0 || first_page + pte_page(entry) !== vcpu.fault_page;
  if ((stale && guarded(m, vcpu, GUARD.mmu_notifier_retry)) || changed || !pte_present(pte)) return after_fault(vcpu);
  const logged = row.dirty_log !== DIRTY_LOG.off;
  const writable = pte_write(pte) && (!logged || vcpu.fault_write === 1);
  if (m.emit) m.emit(TP.kvm_mmu_spte_requested, gfn_of_page(m, vcpu.fault_page), pte_target(pte), 1);
  l2_map(m, vm, index, pte_target(pte), writable);
  if (logged && writable) mark_page_dirty_in_slot(m, vcpu, vcpu.fault_page);
  m.observe?.(OBS.mapped, vm, vcpu.fault_page, -1);
  return after_fault(vcpu);
}

/** L1 maps a page for its guest. Models what its own kvm_mmu_page_fault() does. Differs: in no time. */
export function l1_map(m: Machine, vm: number, l2_gpa: number): void {
  const { first_npt, heap_pages } = m.places.vms[vm]!;
  const index = index_of_l2_gpa(m, vm, l2_gpa);
  if (index >= 0) m.gpt.set_entry(first_npt + index, make_guest_pte(l1_page_of_index(index, heap_pages), NPTE));
}

const NPTE = PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED | PTE_DIRTY;

/** L1 has given all of the heap to its guest; where its own heap is untouched, that has nothing either. */
export function fill_nested_tables(m: Machine, vm: number): void {
  const { first_npt, heap_pages, nested_tables } = m.places.vms[vm]!;
  if (!nested_tables) return;
  const all = m.program.vms[vm]!.guest.touched === 'all';
  for (let index = 0; index < heap_pages; index += 1)
    m.gpt.set_entry(first_npt + index, all ? make_guest_pte(l1_page_of_index(index, heap_pages), NPTE) : 0);
}

function l1_page_of_index(index: number, heap_pages: number): number {
  return (index + heap_pages - (heap_pages >>> 1)) % heap_pages;
}

/** Address of an access of L2 to a page of the heap. */
export function l2_gpa_of_page(m: Machine, vm: number, heap_page: number): number {
  return l2_gpa_of_index(heap_page, l2_index_of_page(heap_page, m.places.vms[vm]!.heap_pages));
}

function l2_index_of_page(heap_page: number, heap_pages: number): number {
  return (heap_page + (heap_pages >>> 1)) % heap_pages;
}
