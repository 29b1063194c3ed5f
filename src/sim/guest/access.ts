/**
 * One access of the guest to its memory.
 *
 * Where the guest's tables are as at boot for good, only the TDP tables decide, and nothing else is looked at: that is
 * the fast way, and the usual one. Else the hardware's two-dimensional walk is made for real, each step of the walk of
 * the guest's tables being an access by guest-physical address of its own.
 */
import { gpa_of_page } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { tdp_access, tdp_huge } from '../kvm/tdp.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { pte_present, pte_target } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { EXIT_REASON, FRAME, FRAME_AT, type Vcpu } from '../schema.ts';
import { push_frame } from './frames.ts';
import {
  gpa_of_entry,
  gva_of_page,
  index_of_page,
  PFERR_BITS,
  pte_page,
  pte_refuses,
  root_of,
  set_accessed,
  table_page,
} from './pgtable.ts';

const PF_VECTOR = 14;
/** Levels of a page table, of either dimension. */
const LEVELS = 4;

/** True where it went through; else left_guest() says where the vCPU goes on. */
export function access_page(m: Machine, vcpu: Vcpu, page: number, write: boolean): boolean {
  if (m.walks_of_vcpu[vcpu.id] === 1) return walk_and_access(m, vcpu, page, write);
  if (tdp_access(m, vm_of_vcpu(m, vcpu), page, write) >= 0) return true;
  return violation(m, vcpu, page, gpa_of_page(m, page), write);
}

/** After an access that did not go through: an exit, or a #PF that the CPU has delivered without one. */
export function left_guest(vcpu: Vcpu): At {
  return vcpu.exit_reason === EXIT_REASON.none ? AT.guest : AT.handle_exit;
}

/** The TDP tables have no entry: an exit. */
function violation(_m: Machine, vcpu: Vcpu, page: number, gpa: number, write: boolean): false {
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
  if (table >= 0 && tdp_access(m, vm, table, true) < 0)
    return violation(m, vcpu, table, gpa_of_entry(m, vm, vcpu.cr3, index), true);
  count_refs(vcpu, 1);
  return true;
}

/** An access of the guest kernel to one of its own tables, through its linear map of all memory. */
export function access_table(m: Machine, vcpu: Vcpu, space: number, index: number): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  const table = table_page(m, vm, space, index);
  if (table < 0 || tdp_access(m, vm, table, true) >= 0) return true;
  return violation(m, vcpu, table, gpa_of_entry(m, vm, space, index), true);
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
