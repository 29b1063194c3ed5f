/**
 * Asynchronous faults that no worker brings: missing userfault memory goes to the process behind it.
 *
 * Models the series of 2026, firecracker-microvm/firecracker resources/hiding_ci/linux_patches/30-async-pf, patches
 * 0085 to 0091. A fault sets up an item as ever, but schedules no work. Either the vCPU exits to its VMM, which accepts
 * the item (or says that the page is there already) and passes the address on; or KVM writes it into a ring that the
 * handler reads, with no exit at all. When the handler has brought the page it says READY, and the item goes to done.
 */
import { TP } from '../../trace/all.ts';
import { gfn_of_page } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { guest_rip } from '../guest/rip.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { start_gup } from '../mm/gup.ts';
import { page_missing, wake_reader } from '../mm/userfault.ts';
import { NOTIFY } from '../protocol/notify.ts';
import { type Thread, UF_STATE, type Vcpu, type Work } from '../schema.ts';
import { push_notification, ring_entries_of } from './apf_ring.ts';
import { kvm_setup_async_pf_item, kvm_setup_async_pf_list } from './async_pf.ts';
import { kvm_can_do_async_pf } from './async_pf_gate.ts';
import { kvm_find_async_pf_gfn, repeated_fault } from './async_pf_x86.ts';

const EFAULT = 14;
const KVM_EXIT_MEMORY_FAULT = 39;
/** Entries of the notification ring of one vCPU; one stays empty, as CIRC_SPACE() counts. */
const KVM_APF_RING_SIZE = 64;

/** Whether the fault is the handler's business and not a worker's. Models kvm_do_userfault() as far as that. */
export function is_userfault(m: Machine, vcpu: Vcpu, page: number): boolean {
  return NOTIFY[knobs_of(m, vcpu).notify].userfault !== 'worker' && page_missing(m, page);
}

/**
 * Sets up an item that the handler will complete, and tells of it. Where the gate is closed the exit to the VMM is plain,
 * and its thread waits for the page.
 *
 * Models the userfault branch of __kvm_mmu_faultin_pfn(), arch/x86/kvm/mmu/mmu.c, patch 0089.
 */
export function kvm_faultin_pfn_userfault(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vcpu.fault_prefault) return AT.kvm_arch_async_page_present;
  const work = kvm_can_do_async_pf(m, vcpu) ? set_up(m, vcpu) : null;
  if (work === 'repeated') return AT['vcpu_run.tail'];
  if (work !== null && signal_exitless(m, vcpu, work)) return AT['vcpu_run.tail'];
  vcpu.uf_item = work === null ? 0 : work.id + 1;
  if (m.emit) m.emit(TP.kvm_userspace_exit, KVM_EXIT_MEMORY_FAULT, -EFAULT);
  return AT['userspace.memory_fault'];
}

function set_up(m: Machine, vcpu: Vcpu): Work | 'repeated' | null {
  const gfn = gfn_of_page(m, vcpu.fault_page);
  if (m.emit) m.emit(TP.kvm_try_async_get_page, vcpu.cr2_or_gpa, gfn, -1);
  if (kvm_find_async_pf_gfn(m, vcpu, gfn)) {
    if (m.emit) m.emit(TP.kvm_async_pf_repeated_fault, vcpu.cr2_or_gpa, gfn, guest_rip(m, vcpu));
    repeated_fault(m, vcpu);
    return 'repeated';
  }
  const work = kvm_setup_async_pf_item(m, vcpu);
  if (!work) return null;
  work.uf_state = UF_STATE.PENDING;
  kvm_setup_async_pf_list(m, vcpu, work, true);
  return work;
}

/**
 * Writes the fault into the ring and wakes the handler, if this version has a ring and there is room in it. The handler
 * is woken for the first entry only: it reads until the ring is empty.
 *
 * Models kvm_apf_signal_exitless(), virt/kvm/async_pf.c, patch 0090, with the suppression of its third posting.
 */
function signal_exitless(m: Machine, vcpu: Vcpu, work: Work): boolean {
  if (NOTIFY[knobs_of(m, vcpu).notify].userfault !== 'ring') return false;
  const vm = vm_of_vcpu(m, vcpu);
  if (ring_entries_of(m, vcpu, vm) >= KVM_APF_RING_SIZE - 1) return false;
  notify_handler(m, vm, work);
  return true;
}

function notify_handler(m: Machine, vm: number, work: Work): void {
  work.uf_state = UF_STATE.ACCEPTED;
  push_notification(m, vm, work);
  wake_reader(m, vm);
}

/**
 * The VMM answers KVM_EXIT_MEMORY_FAULT. With the APF flag: the page is there by now, KVM_APF_OP_SYNC_COMPLETE; or it
 * accepts, KVM_APF_OP_ACCEPT, and passes the fault on. Without: it touches the page itself, and waits.
 *
 * Models kvm_async_pf_sync_complete() and kvm_async_pf_accept(), virt/kvm/async_pf.c, patch 0087.
 */
export function userspace_memory_fault(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const work = vcpu.uf_item === 0 ? null : m.works[vcpu.uf_item - 1]!;
  vcpu.uf_item = 0;
  if (work === null) return start_gup(m, thread, vcpu.fault_page, true, AT.userspace);
  if (page_missing(m, work.page)) {
    notify_handler(m, vm_of_vcpu(m, vcpu), work);
    return AT.userspace;
  }
  return begin_completion(m, thread, work);
}

/**
 * The handler has put the page there, and says so for the vCPU and address it was told: KVM_APF_OP_READY, from a thread
 * that is no vCPU's. An item that is gone by now is -ENOENT.
 *
 * Models kvm_async_pf_complete(), virt/kvm/async_pf.c, patch 0087, up to the append.
 * Differs: with a ring the handler writes the address into a second one, which a kworker drains; here it completes the
 * item itself, as through the ioctl.
 */
export function kvm_async_pf_complete(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  for (let index = 0; index < vcpu.apf_queue.length; index += 1) {
    const work = m.works[vcpu.apf_queue.at(index)]!;
    if (work.page === thread.page && work.uf_state === UF_STATE.ACCEPTED) return begin_completion(m, thread, work);
  }
  thread.vcpu = 0;
  thread.page = 0;
  return AT.userfaultfd_read;
}

/** From here on it is as with a worker: append, request, kick, trace, wake. */
function begin_completion(_m: Machine, thread: Thread, work: Work): At {
  work.uf_state = UF_STATE.COMPLETED;
  thread.work = work.id + 1;
  thread.vcpu = work.vcpu;
  thread.page = work.page;
  thread.cr2_or_gpa = work.cr2_or_gpa;
  return AT['async_pf_execute.append'];
}
