/**
 * Faults without TDP while the guest's paging is on: the host walks the guest's tables and fills in their shadow.
 *
 * In the kernel these are templates for each format of guest tables, hence the names; here the guest is a 64-bit one.
 */
import { TP } from '../../trace/all.ts';
import { gfn_of_page, index_of_gva } from '../addr.ts';
import { AT, type At } from '../at.ts';
import {
  make_guest_pte,
  PFERR_BITS,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_WRITABLE,
  page_of_index,
  pte_page,
  pte_refuses,
  root_of,
  set_accessed,
  table_page,
} from '../guest/pgtable.ts';
import { type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { DIRTY_LOG } from '../migrate/tables.ts';
import { start_gup } from '../mm/gup.ts';
import { pte_present, pte_target, pte_write } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Thread, Vcpu } from '../schema.ts';
import { mark_page_dirty_in_slot } from './dirty_log.ts';
import { kvm_inject_page_fault } from './event.ts';
import { after_fault, in_nested_tables, kvm_handle_error_pfn, page_failed } from './fault.ts';
import { nested_fetch, nested_page_fault } from './nested_mmu.ts';
import { shadow_map, shadow_zap_index } from './shadow.ts';

/**
 * Walks the guest's tables for the address of a fault. What they do not allow is the guest's to mend: it gets the #PF;
 * a prefault then simply ends. Reading a table that is itself in swap makes the vCPU thread wait for it, in every
 * version.
 *
 * Models FNAME(page_fault)() and FNAME(walk_addr)(), arch/x86/kvm/mmu/paging_tmpl.h.
 */
export function paging64_page_fault(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (in_nested_tables(m, vcpu)) return nested_page_fault(m, vcpu);
  const vm = vm_of_vcpu(m, vcpu);
  const index = index_of_gva(m, vm, vcpu.cr2_or_gpa);
  if (index < 0) return refuse(m, vcpu, 0);
  const table = table_page(m, vm, vcpu.cr3, index);
  if (page_failed(thread)) return refuse(m, vcpu, 0);
  if (table >= 0 && !pte_present(m.hva.pte(table))) return start_gup(m, thread, table, false, AT.paging64_page_fault);
  const row = root_of(m, vm, vcpu.cr3) + index;
  const write = vcpu.fault_write === 1;
  const user = !vcpu.fault_prefault && vcpu.cpl3 === 1;
  const refused = pte_refuses(m.gpt.entry(row), write, user);
  if (refused !== 0) return refuse(m, vcpu, refused & PFERR_BITS);
  if (!vcpu.fault_prefault) set_accessed(m, row, write);
  const page = m.places.vms[vm]!.first_page + pte_page(m.gpt.entry(row));
  if (vcpu.fault_prefault && page !== vcpu.fault_page) m.observe?.(OBS.misdirected, vm, vcpu.fault_page, page);
  vcpu.fault_page = page;
  return AT.kvm_faultin_pfn;
}

/** The guest's tables do not have it. Models kvm_inject_emulated_page_fault(), arch/x86/kvm/x86.c. */
function refuse(m: Machine, vcpu: Vcpu, error_code: number): At {
  if (vcpu.fault_prefault) {
    m.observe?.(OBS.misdirected, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
    return AT.kvm_arch_async_page_present;
  }
  m.observe?.(OBS.guest_fault, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
  kvm_inject_page_fault(m, vcpu, error_code, vcpu.cr2_or_gpa);
  return AT['vcpu_run.tail'];
}

/**
 * Enters the page in the shadow that is loaded, unless the range was taken away, or the guest's entry changed, since
 * the fault began. A read of a page that the guest has not dirtied is mapped read-only, so that its first write comes
 * here for the dirty bit.
 *
 * Models FNAME(fetch)(), arch/x86/kvm/mmu/paging_tmpl.h.
 */
export function paging64_fetch(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (in_nested_tables(m, vcpu)) return nested_fetch(m, thread);
  const vm = vm_of_vcpu(m, vcpu);
  if (page_failed(thread)) return kvm_handle_error_pfn(m, vcpu);
  const row = m.vms[vm]!;
  const index = index_of_gva(m, vm, vcpu.cr2_or_gpa);
  const stale = row.mmu_invalidate_in_progress > 0 || row.mmu_invalidate_seq !== vcpu.fault_mmu_seq;
  const pte = m.hva.pte(vcpu.fault_page);
  const entry = m.gpt.entry(root_of(m, vm, vcpu.cr3) + index);
  const changed = (entry & PTE_PRESENT) === 0 || m.places.vms[vm]!.first_page + pte_page(entry) !== vcpu.fault_page;
  if ((stale && guarded(m, vcpu, GUARD.mmu_notifier_retry)) || changed || !pte_present(pte)) return after_fault(vcpu);
  const writable = (entry & PTE_WRITABLE) !== 0 && (entry & PTE_DIRTY) !== 0 && pte_write(pte);
  if (m.emit) m.emit(TP.kvm_mmu_spte_requested, gfn_of_page(m, vcpu.fault_page), pte_target(pte), 1);
  shadow_map(m, vm, vcpu.cr3, index, pte_target(pte), writable);
  if (row.dirty_log !== DIRTY_LOG.off && writable) mark_page_dirty_in_slot(m, vcpu, vcpu.fault_page);
  m.observe?.(OBS.mapped, vm, vcpu.fault_page, -1);
  return after_fault(vcpu);
}

/**
 * The guest has written to one of its tables: the instruction is emulated, waiting for the table if it must, and what
 * the shadow had of that entry goes.
 *
 * Models page_fault_handle_page_track() and kvm_mmu_track_write(), arch/x86/kvm/mmu/mmu.c.
 */
export function kvm_mmu_track_write(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const vm = vm_of_vcpu(m, vcpu);
  const index = vcpu.pte_index - 1;
  const table = table_page(m, vm, vcpu.cr3, index);
  const failed = page_failed(thread);
  if (table >= 0 && !failed && !pte_present(m.hva.pte(table)))
    return start_gup(m, thread, table, true, AT.kvm_mmu_track_write);
  m.gpt.set_entry(
    root_of(m, vm, vcpu.cr3) + index,
    make_guest_pte(page_of_index(m, vm, vcpu.cr3, index), vcpu.pte_bits),
  );
  shadow_zap_index(m, vm, vcpu.cr3, index);
  vcpu.pte_index = 0;
  vcpu.pte_bits = 0;
  return AT['vcpu_run.tail'];
}
