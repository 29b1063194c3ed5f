/**
 * One access of the guest to its memory.
 *
 * Where the guest's tables are as at boot for good, only the TDP tables decide, and nothing else is looked at: that is
 * the fast way, and the usual one. Else the hardware's two-dimensional walk is made for real, each step of the walk of
 * the guest's tables being an access by guest-physical address of its own.
 */
import { gpa_of_page } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { is_pml_write, pml_log_write } from '../kvm/dirty_log.ts';
import { EXIT_REASON } from '../kvm/exit_reason.ts';
import { l2_gpa_of_page } from '../kvm/nested_mmu.ts';
import { l2_access } from '../kvm/nested_spte.ts';
import { shadow_access, shadow_present } from '../kvm/shadow.ts';
import { tdp_access, tdp_huge } from '../kvm/tdp.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { pte_present, pte_target } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { FRAME, FRAME_AT, type Vcpu } from '../schema.ts';
import { push_frame } from './frames.ts';
import {
  gpa_of_entry,
  gva_of_page,
  index_of_page,
  make_guest_pte,
  PFERR_BITS,
  page_of_index,
  pte_page,
  pte_refuses,
  root_of,
  set_accessed,
  table_page,
} from './pgtable.ts';
import { tlb_fill, tlb_lookup } from './tlb.ts';
import { WALKS } from './walks.ts';

const PF_VECTOR = 14;
/** Levels of a page table, of either dimension. */
const LEVELS = 4;

/** True where it went through; else left_guest() says where the vCPU goes on. */
export function access_page(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const walks = vcpu.walks;
  if (walks !== WALKS.none) return walk(m, vcpu, page, write);
  if (tdp_access(m, vm_of_vcpu(m, vcpu), page, write) >= 0) return true;
  return violation(m, vcpu, page, gpa_of_page(m, page), write);
}

function walk(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  if (vcpu.guest_mode) return access_of_l2(m, vcpu, page, write);
  const walks = vcpu.walks;
  if (walks === WALKS.two_dimensional) return walk_and_access(m, vcpu, page, write);
  if (walks === WALKS.shadow) return walk_shadow(m, vcpu, page, write);
  if (tdp_access(m, vm_of_vcpu(m, vcpu), page, write) >= 0) return true;
  return violation(m, vcpu, page, gpa_of_page(m, page), write);
}

/** L2: through the shadow of L1's tables for it, or, where L1 shadows L2's own tables, through those of L1's memory. */
function access_of_l2(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  if (carried_out(vcpu, page)) return true;
  const { nested_tables, first_page } = m.places.vms[vm]!;
  if (nested_tables) {
    const pfn = l2_access(m, vm, page, write);
    if (pfn < 0) return npf(vcpu, page, l2_gpa_of_page(m, vm, page - first_page), write);
    reached(m, vcpu, page, pfn);
    return true;
  }
  return tdp_access(m, vm, page, write) >= 0 || violation(m, vcpu, page, gpa_of_page(m, page), write);
}

/** After an access that did not go through: an exit, or a #PF that the CPU has delivered without one. */
export function left_guest(vcpu: Vcpu): At {
  return vcpu.exit_reason === EXIT_REASON.none ? AT.guest : AT.handle_exit;
}

/** The TDP tables have no entry: an exit; unless it is a write that the CPU logs by itself, which goes on. */
function violation(m: Machine, vcpu: Vcpu, page: number, gpa: number, write: boolean): boolean {
  if (write && is_pml_write(m, vm_of_vcpu(m, vcpu), page)) {
    if (pml_log_write(m, vcpu, page)) return true;
    vcpu.exit_reason = EXIT_REASON.pml_full;
    return false;
  }
  return npf(vcpu, page, gpa, write);
}

/** The exit. */
function npf(vcpu: Vcpu, page: number, gpa: number, write: boolean): false {
  vcpu.cr2_or_gpa = gpa;
  vcpu.fault_page = page;
  vcpu.fault_write = write ? 1 : 0;
  vcpu.exit_reason = EXIT_REASON.npf;
  return false;
}

/** The two-dimensional walk, then the access. */
function walk_and_access(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  const { first_page } = m.places.vms[vm]!;
  if (carried_out(vcpu, page) || remembered(m, vcpu, page, write)) return true;
  vcpu.walk_refs = 0;
  let target = page;
  if (vcpu.cr0_pg) {
    const index = index_of_page(m, vm, vcpu.cr3, page - first_page);
    if (!reach_entry(m, vcpu, vm, index)) return false;
    const row = root_of(m, vm, vcpu.cr3) + index;
    const entry = m.gpt.entry(row);
    const refused = pte_refuses(entry, write, vcpu.cpl3 === 1);
    if (refused !== 0) return guest_page_fault(m, vcpu, page, refused & PFERR_BITS);
    set_accessed(m, row, write);
    target = first_page + pte_page(entry);
  }
  count_refs(vcpu, tdp_huge(m, vm, target) ? LEVELS - 1 : LEVELS);
  const pfn = tdp_access(m, vm, target, write);
  if (pfn < 0) return violation(m, vcpu, target, gpa_of_page(m, target), write);
  tlb_fill(m, vcpu, page, pfn, write);
  reached(m, vcpu, page, pfn);
  return true;
}

/**
 * The guest half of a walk: four tables, each found through the other dimension. Only the last may be missing there; the
 * hardware's accesses to a table count as writes, since it may have to set a bit.
 */
function reach_entry(m: Machine, vcpu: Vcpu, vm: number, index: number): boolean {
  count_refs(vcpu, (LEVELS - 1) * (LEVELS + 1) + LEVELS);
  const table = table_page(m, vm, vcpu.cr3, index);
  if (
    table >= 0 &&
    tdp_access(m, vm, table, true) < 0 &&
    !violation(m, vcpu, table, gpa_of_entry(m, vm, vcpu.cr3, index), true)
  )
    return false;
  count_refs(vcpu, 1);
  return true;
}

/** Without TDP: one walk, of the shadow that is loaded, or of the direct map where the guest's paging is off. */
function walk_shadow(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  if (carried_out(vcpu, page) || remembered(m, vcpu, page, write)) return true;
  vcpu.walk_refs = 0;
  count_refs(vcpu, LEVELS);
  let pfn: number;
  if (vcpu.cr0_pg) {
    const index = index_of_page(m, vm, vcpu.cr3, page - m.places.vms[vm]!.first_page);
    pfn = shadow_access(m, vm, vcpu.cr3, index, write);
    if (pfn < 0) {
      const present = shadow_present(m, vm, vcpu.cr3, index);
      return pf_exit(vcpu, page, gva_of_page(m, vcpu, page), write, present);
    }
  } else {
    pfn = tdp_access(m, vm, page, write);
    if (pfn < 0) return pf_exit(vcpu, page, gpa_of_page(m, page), write, false);
  }
  tlb_fill(m, vcpu, page, pfn, write);
  reached(m, vcpu, page, pfn);
  return true;
}

/** The shadow has no entry, or one that does not allow this: the #PF is the host's before it may be the guest's. */
function pf_exit(vcpu: Vcpu, page: number, address: number, write: boolean, present: boolean): false {
  npf(vcpu, page, address, write);
  vcpu.fault_present = present ? 1 : 0;
  vcpu.exit_reason = EXIT_REASON.pf;
  return false;
}

/**
 * A write of the guest kernel to an entry of its tables. Without TDP the tables are write-protected: an exit, and the
 * host does it. False where the table itself is missing, and the write is to be made again.
 */
export function write_table(m: Machine, vcpu: Vcpu, index: number, bits: number): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  if (vcpu.walks === WALKS.shadow) {
    vcpu.pte_index = index + 1;
    vcpu.pte_bits = bits;
    pf_exit(vcpu, vcpu.fault_page, gpa_of_entry(m, vm, vcpu.cr3, index), true, true);
    return true;
  }
  if (!access_table(m, vcpu, vcpu.cr3, index)) return false;
  const entry = make_guest_pte(page_of_index(m, vm, vcpu.cr3, index), bits);
  m.gpt.set_entry(root_of(m, vm, vcpu.cr3) + index, entry);
  return true;
}

/** An access of the guest kernel to one of its own tables, through its linear map of all memory. */
function access_table(m: Machine, vcpu: Vcpu, space: number, index: number): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  const table = table_page(m, vm, space, index);
  if (table < 0 || tdp_access(m, vm, table, true) >= 0) return true;
  return violation(m, vcpu, table, gpa_of_entry(m, vm, space, index), true);
}

/** Whether the TLB knows the way; then nobody walks, whatever the tables say by now. */
function remembered(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  const pfn = tlb_lookup(m, vcpu, page, write);
  if (pfn < 0) return false;
  vcpu.walk_refs = 0;
  reached(m, vcpu, page, pfn);
  return true;
}

/** Whether user space has done this access in the guest's stead. */
function carried_out(vcpu: Vcpu, page: number): boolean {
  if (vcpu.mmio_page !== page + 1) return false;
  vcpu.mmio_page = 0;
  return true;
}

function count_refs(vcpu: Vcpu, refs: number): void {
  vcpu.walk_refs += refs;
  vcpu.nr_walk_refs += refs;
}

/** A #PF of the guest's own tables: the CPU delivers it and nobody else is asked. */
function guest_page_fault(m: Machine, vcpu: Vcpu, page: number, _error_code: number): false {
  vcpu.cr2 = gva_of_page(m, vcpu, page);
  m.observe?.(OBS.guest_fault, vm_of_vcpu(m, vcpu), page, -1);
  push_frame(m, vcpu, FRAME.exc_page_fault, FRAME_AT.entry, PF_VECTOR, 0);
  return false;
}

/** Whether the frame is the page's that the program meant: no table, of anybody, may say otherwise. */
function reached(m: Machine, vcpu: Vcpu, page: number, pfn: number): void {
  if (!m.observe) return;
  const pte = m.hva.pte(page);
  if (!pte_present(pte) || pte_target(pte) !== pfn) m.observe(OBS.wrong_page, vm_of_vcpu(m, vcpu), page, -1);
}
