/**
 * The page fault of a guest, from the exit to the mapping; what is particular to shadow tables is in shadow.ts.
 *
 * The order is the kernel's: remember the invalidation sequence, look for the page without waiting, decide whether
 * the fault may be asynchronous, else look again and wait; then map, unless the page was taken away meanwhile.
 */
import { TP } from '../../trace/all.ts';
import { gfn_of_page, gpa_of_page, page_of_gpa } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { guest_rip } from '../guest/rip.ts';
import { WALKS } from '../guest/walks.ts';
import { knobs_of, knobsOfVm, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { DIRTY_LOG } from '../migrate/tables.ts';
import { MMAP_LOCK } from '../mm/columns.ts';
import { hva_to_pfn_nowait, resident, start_gup } from '../mm/gup.ts';
import { pte_present, pte_target, pte_write } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Thread, Vcpu, Work } from '../schema.ts';
import { kvm_retry_sync, kvm_schedule_work, kvm_setup_async_pf_item, kvm_setup_async_pf_list } from './async_pf.ts';
import { kvm_can_do_async_pf, refuses_halt } from './async_pf_gate.ts';
import { is_userfault } from './async_pf_userfault.ts';
import { kvm_find_async_pf_gfn, repeated_fault } from './async_pf_x86.ts';
import { mark_page_dirty_in_slot } from './dirty_log.ts';
import { after_fault, direct_map, kvm_handle_error_pfn, page_failed } from './fault.ts';
import { gfn_to_memslot } from './memslot.ts';
import { tdp_map, tdp_map_huge } from './tdp.ts';

/** PFERR_ bits that a recording shows for a fault on the final access: bit 32, user, and write. */
const PFERR_GUEST_FINAL = 0x1_0000_0000;
/** Bit 33 in its place: an access to one of the guest's tables, on the way to what it wanted. */
const PFERR_GUEST_PAGE = 0x2_0000_0000;
const KVM_EXIT_MMIO = 6;
/** Bits of an error code that the CPU gives for a #PF. */
const PFERR_PRESENT = 1;
const PFERR_WRITE = 2;
const PFERR_USER = 4;

/**
 * Begins a fault, within the step that found it: where the map is not direct, with a walk of the guest's tables.
 *
 * Models kvm_mmu_page_fault(), arch/x86/kvm/mmu/mmu.c.
 */
export function kvm_mmu_page_fault(m: Machine, vcpu: Vcpu): At {
  vcpu.fault_prefault = 0;
  const vm = vm_of_vcpu(m, vcpu);
  m.vms[vm]!.nr_faults += 1;
  if (m.emit)
    m.emit(
      TP.kvm_page_fault,
      m.places.vcpus[vcpu.id]!.vcpu_id,
      guest_rip(m, vcpu),
      vcpu.cr2_or_gpa,
      fault_error_code(m, vcpu),
    );
  if (vcpu.pte_index !== 0) return AT.kvm_mmu_track_write;
  m.observe?.(OBS.fault, vm, vcpu.fault_page, -1);
  return direct_map(m, vcpu) ? AT.kvm_faultin_pfn : AT.paging64_page_fault;
}

/** What the hardware says about a fault: of nested paging, or of a walk of the shadow tables. */
export function fault_error_code(m: Machine, vcpu: Vcpu): number {
  if (vcpu.walks === WALKS.shadow)
    return (
      (vcpu.fault_present ? PFERR_PRESENT : 0) | (vcpu.fault_write ? PFERR_WRITE : 0) | (vcpu.cpl3 ? PFERR_USER : 0)
    );
  const { first_page, heap_pages } = m.places.vms[vm_of_vcpu(m, vcpu)]!;
  const where = vcpu.fault_page < first_page + heap_pages ? PFERR_GUEST_FINAL : PFERR_GUEST_PAGE;
  return where + PFERR_USER + (vcpu.fault_write ? PFERR_WRITE : 0);
}

/**
 * No memory is there: the access is a device's, and user space carries it out. Models kvm_handle_noslot_fault() and
 * handle_emulation of MMIO, arch/x86/kvm. Differs: whoever reads gets something from this VMM, and writes go nowhere.
 */
function kvm_handle_noslot_fault(m: Machine, vcpu: Vcpu): At {
  if (vcpu.fault_prefault) return after_fault(vcpu);
  vcpu.mmio_page = vcpu.fault_page + 1;
  m.observe?.(OBS.mmio, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
  if (m.emit) {
    m.emit(TP.kvm_mmio, vcpu.fault_write ? 2 : 0, 1, gpa_of_page(m, vcpu.fault_page), 0);
    m.emit(TP.kvm_userspace_exit, KVM_EXIT_MMIO, 0);
  }
  return AT.userspace;
}

/** The step that maps what has been found. */
function map_step(m: Machine, vcpu: Vcpu): At {
  return direct_map(m, vcpu) ? AT.kvm_tdp_mmu_map : AT.paging64_fetch;
}

/**
 * Looks for the page without waiting for it.
 *
 * Models __kvm_faultin_pfn(), arch/x86/kvm/mmu/mmu.c (try_async_pf() before 5.16), up to the decision.
 */
export function kvm_faultin_pfn(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const vm = vm_of_vcpu(m, vcpu);
  const knobs = knobsOfVm(m, vm);
  // Come back from the mmap lock, it has looked at the slot and at the sequence before.
  if (thread.mmap_lock === MMAP_LOCK.none) {
    vcpu.fault_mmu_seq = m.vms[vm]!.mmu_invalidate_seq;
    if (m.places.vms[vm]!.memslots_change) {
      const slot = gfn_to_memslot(m, vm, gfn_of_page(m, vcpu.fault_page));
      if (slot === null) return kvm_handle_noslot_fault(m, vcpu);
      // Being deleted or moved: the same instruction faults again.
      if (slot.invalid) return after_fault(vcpu);
    }
  }
  const write = vcpu.fault_write === 1;
  if (vmSpec(m, vm).userfault && is_userfault(m, vcpu, vcpu.fault_page)) return AT['kvm_faultin_pfn.userfault'];
  if (knobs.resolve === 'wait') return AT['kvm_faultin_pfn.sync'];
  if (knobs.resolve === 'noio' && !resident(m, vcpu.fault_page)) {
    return vcpu.fault_prefault ? AT['kvm_faultin_pfn.sync'] : AT['kvm_faultin_pfn.async'];
  }
  switch (hva_to_pfn_nowait(m, thread, vcpu.fault_page, write, knobs.nowait_single_page === 'waits')) {
    case 'ok':
      return map_step(m, vcpu);
    case 'lock':
      return AT.kvm_faultin_pfn;
    case 'wait':
      return AT['kvm_faultin_pfn.sync'];
    case 'retry':
      return vcpu.fault_prefault ? AT['kvm_faultin_pfn.sync'] : AT['kvm_faultin_pfn.async'];
  }
}

/**
 * The decision: asynchronous, a repeated fault, or wait for the page after all.
 *
 * Models step d of __kvm_faultin_pfn() and kvm_arch_setup_async_pf(), arch/x86/kvm/mmu/mmu.c.
 */
export function kvm_faultin_pfn_async(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const knobs = knobs_of(m, vcpu);
  if (!kvm_can_do_async_pf(m, vcpu)) return AT['kvm_faultin_pfn.sync'];
  const gfn = gfn_of_page(m, vcpu.fault_page);
  if (vcpu.apf_error_gfn === gfn + 1) {
    // A worker could not get it; waiting for it ourselves brings the error to user space.
    vcpu.apf_error_gfn = 0;
    return AT['kvm_faultin_pfn.sync'];
  }
  if (m.emit) m.emit(TP.kvm_try_async_get_page, vcpu.cr2_or_gpa, gfn, -1);
  const repeated = kvm_find_async_pf_gfn(m, vcpu, gfn);
  if (repeated && (knobs.double_fault === 'sync' || refuses_halt(m, vcpu))) return AT['kvm_faultin_pfn.sync'];
  if (repeated && knobs.double_fault === 'halt') {
    if (m.emit && knobs.halt !== 'entry_check')
      m.emit(TP.kvm_async_pf_repeated_fault, vcpu.cr2_or_gpa, gfn, guest_rip(m, vcpu));
    repeated_fault(m, vcpu);
    return AT['vcpu_run.tail'];
  }
  const work = kvm_setup_async_pf_item(m, vcpu);
  if (!work) return AT['kvm_faultin_pfn.sync'];
  vcpu.completing = work.id + 1;
  return knobs.schedule_work === 'before_list' ? AT['kvm_setup_async_pf.schedule_work'] : AT.kvm_setup_async_pf;
}

/** The item on the list, and the guest told. */
export function kvm_setup_async_pf(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (knobs_of(m, vcpu).lists === 'move') {
    thread.cursor = last_queued(vcpu);
    return AT['kvm_setup_async_pf.link'];
  }
  return linked(m, vcpu, true);
}

/**
 * The second half of list_add_tail() where a worker unlinks from queue as well: what was last there may be gone, and the
 * item is then linked to nothing that the list knows.
 */
export function kvm_setup_async_pf_link(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const whole = thread.cursor === last_queued(vcpu) || thread.cursor === 0;
  if (!whole) vcpu.apf_list_corrupt = 1;
  thread.cursor = 0;
  return linked(m, vcpu, whole);
}

function last_queued({ apf_queue }: Vcpu): number {
  return apf_queue.length === 0 ? 0 : apf_queue.at(apf_queue.length - 1) + 1;
}

function linked(m: Machine, vcpu: Vcpu, whole: boolean): At {
  kvm_setup_async_pf_list(m, vcpu, m.works[vcpu.completing - 1]!, whole);
  if (knobs_of(m, vcpu).schedule_work === 'last') return AT['kvm_setup_async_pf.schedule_work'];
  vcpu.completing = 0;
  return AT['vcpu_run.tail'];
}

/** From here on a worker may run; up to 5.7 that is before the item is on the list. */
export function kvm_setup_async_pf_schedule_work(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const work = m.works[vcpu.completing - 1]!;
  if (!kvm_schedule_work(m, thread, work)) {
    kvm_retry_sync(m, vcpu, work);
    vcpu.completing = 0;
    return AT['kvm_faultin_pfn.sync'];
  }
  if (knobs_of(m, vcpu).schedule_work === 'before_list') return AT.kvm_setup_async_pf;
  vcpu.completing = 0;
  return AT['vcpu_run.tail'];
}

/**
 * Looks again, sleeping until the page is there. Models step e of __kvm_faultin_pfn().
 * Differs: since 6.x a signal ends the wait, here nothing does but the page.
 */
export function kvm_faultin_pfn_sync(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  return start_gup(m, thread, vcpu.fault_page, vcpu.fault_write === 1, map_step(m, vcpu));
}

/**
 * Maps what was found, under mmu_lock; the fault is tried again if a range was taken away since it began.
 *
 * Models kvm_tdp_mmu_page_fault() and mmu_invalidate_retry(), arch/x86/kvm/mmu; without TDP, direct_map() for a guest
 * whose paging is off, into the same tables.
 */
export function kvm_tdp_mmu_map(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const vm = vm_of_vcpu(m, vcpu);
  const row = m.vms[vm]!;
  const then = after_fault(vcpu);
  if (page_failed(thread)) return kvm_handle_error_pfn(m, vcpu);
  const stale = row.mmu_invalidate_in_progress > 0 || row.mmu_invalidate_seq !== vcpu.fault_mmu_seq;
  const pte = m.hva.pte(vcpu.fault_page);
  if ((stale && guarded(m, vcpu, GUARD.mmu_notifier_retry)) || !pte_present(pte)) return then;
  const huge = vmSpec(m, vm).huge_pages && row.dirty_log === DIRTY_LOG.off ? huge_frame(m, vm, vcpu.fault_page) : -1;
  if (m.emit) m.emit(TP.kvm_mmu_spte_requested, gfn_of_page(m, vcpu.fault_page), pte_target(pte), huge >= 0 ? 2 : 1);
  if (huge >= 0) tdp_map_huge(m, vm, vcpu.fault_page, huge);
  else tdp_map(m, vm, vcpu.fault_page, pte_target(pte), pte_write(pte));
  // A leaf that may be written is taken for written, be it a read that has brought it.
  if (row.dirty_log !== DIRTY_LOG.off && pte_write(pte)) mark_page_dirty_in_slot(m, vcpu, vcpu.fault_page);
  m.observe?.(OBS.mapped, vm, vcpu.fault_page, -1);
  return then;
}

/** First frame of the 2 MiB range around a page if the host backs all of it with one run of frames, else -1. */
export function huge_frame(m: Machine, vm: number, page: number): number {
  const place = m.places.vms[vm]!;
  const first = page - ((page - place.first_page) & 511);
  if (first + 512 > place.first_page + place.pages) return -1;
  const head = m.hva.pte(first);
  if (!pte_present(head)) return -1;
  const pfn = pte_target(head);
  for (let index = 1; index < 512; index += 1) {
    const pte = m.hva.pte(first + index);
    if (!pte_present(pte) || pte_target(pte) !== pfn + index) return -1;
  }
  return pfn;
}

/**
 * Maps the page for the guest before it retries, where this version does and thinks that it can.
 *
 * Models kvm_arch_async_page_ready(), arch/x86/kvm/x86.c. The address is resolved in whichever context the vCPU has by
 * now: what the recorded one is compared with is what keeps it from meaning something else there.
 */
export function kvm_arch_async_page_ready(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const work = m.works[vcpu.completing - 1]!;
  const skip = AT.kvm_arch_async_page_present;
  const { retry_before_entry, prefault_checks } = knobs_of(m, vcpu);
  if (work.wakeup_all || work.failed || retry_before_entry === 'off') return skip;
  const direct = direct_map(m, vcpu);
  if (!direct && retry_before_entry === 'tdp_only') return skip;
  if (prefault_checks !== 'none' && (work.direct_map === 1) !== direct) return skip;
  if (prefault_checks === 'direct_map_and_cr3' && !direct && work.cr3 !== vcpu.cr3) return skip;
  return prefault(m, vcpu, work);
}

/** A page fault on an item's behalf, for reading, that is neither asynchronous nor seen by the guest. */
function prefault(m: Machine, vcpu: Vcpu, work: Work): At {
  vcpu.cr2_or_gpa = work.cr2_or_gpa;
  vcpu.fault_page = work.page;
  vcpu.fault_write = 0;
  vcpu.fault_present = 0;
  vcpu.fault_prefault = 1;
  if (!direct_map(m, vcpu)) return AT.paging64_page_fault;
  const vm = vm_of_vcpu(m, vcpu);
  const page = page_of_gpa(m, vm, work.cr2_or_gpa);
  if (page !== work.page) m.observe?.(OBS.misdirected, vm, work.page, page);
  if (page < 0) return AT.kvm_arch_async_page_present;
  vcpu.fault_page = page;
  return AT.kvm_faultin_pfn;
}
