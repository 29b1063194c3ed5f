/**
 * The work function of an asynchronous page fault: async_pf_execute(), virt/kvm/async_pf.c.
 *
 * Once the item is on done, the vCPU thread may free it at any moment: from there on the worker has only its own copies
 * of what it needs, and, in each version, something else that keeps VM, address space and module until it returns.
 */
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { locked_out, spin_lock, spin_unlock } from '../host/spinlock.ts';
import { work_returned } from '../host/workqueue.ts';
import { MODULE, VM_STATE } from '../life.ts';
import { knobs_of, type Machine, vm_of_vcpu } from '../machine.ts';
import { GUP_RESULT } from '../mm/columns.ts';
import { mmdrop, mmget_not_zero, mmput, mmput_own } from '../mm/exit_mmap.ts';
import { start_gup } from '../mm/gup.ts';
import { hva_of_page } from '../mm/mmu_notifier.ts';
import { pte_present, pte_target } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { as_ordered } from '../order.ts';
import { ORDERED } from '../ordered.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Knobs } from '../protocol/knobs.ts';
import { NOTIFY } from '../protocol/notify.ts';
import { THREAD_KIND, type Thread, type Vcpu, type Work } from '../schema.ts';
import { done_find_tail, done_is_locked, done_link } from './async_pf_done.ts';
import { kvm_arch_async_page_present_sync } from './async_pf_x86.ts';
import { kvm_put_kvm } from './destroy.ts';
import { KVM_REQ_APF_READY, kvm_make_request, kvm_vcpu_kick, kvm_vcpu_wake_up } from './requests.ts';

/** What page_to_pfn() makes of a page pointer that is NULL, with x86's vmemmap at 0xffffea0000000000. */
const PFN_OF_NULL = 0x58_0000_0000;

/**
 * Fetches the page, for writing, whatever the guest's access was. Since 6.9 the worker takes a reference to the address
 * space for that, and goes without the page where that is gone.
 */
export function async_pf_execute(m: Machine, thread: Thread): At {
  const work = m.works[thread.work - 1]!;
  thread.page = work.page;
  thread.cr2_or_gpa = work.cr2_or_gpa;
  thread.vcpu = work.vcpu;
  const vcpu = m.vcpus[work.vcpu - 1]!;
  if (knobs_of(m, vcpu).worker_mm_ref === 'taken_by_worker') {
    if (!mmget_not_zero(m, thread, vm_of_vcpu(m, vcpu))) return AT['async_pf_execute.append'];
  }
  const sync = NOTIFY[knobs_of(m, vcpu).notify].ready === 'external';
  return start_gup(m, thread, work.page, true, AT[sync ? 'async_pf_execute.present' : 'async_pf_execute.append']);
}

/** W4: where delivery is synchronous, the guest is told now (CONFIG_KVM_ASYNC_PF_SYNC, s390). */
export function async_pf_execute_present(m: Machine, thread: Thread): At {
  kvm_arch_async_page_present_sync(m, m.works[thread.work - 1]!);
  return AT['async_pf_execute.append'];
}

/**
 * Appends the item to done, under the lock. What became of the GUP is ignored, as in every released version;
 * `worker_gup_error reported` is an RFC's remedy (B28). In the sixth posting the mark is a store behind the append, and
 * is read without the lock: a step of its own, before which the lock is not dropped.
 */
export function async_pf_execute_append(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  if (thread.mm_ref) {
    const then = mmput_own(m, thread, vm_of_vcpu(m, vcpu), AT['async_pf_execute.append']);
    if (then !== AT['async_pf_execute.append']) return then;
  }
  if (locked_out(m, thread, vcpu)) return AT['async_pf_execute.append'];
  const work = m.works[thread.work - 1]!;
  if (knobs_of(m, vcpu).worker_gup_error === 'reported' && thread.gup_result === GUP_RESULT.fault) work.failed = 1;
  thread.first = vcpu.n_apf_done === 0 ? 1 : 0;
  if (!done_is_locked(m, vcpu)) {
    done_find_tail(thread, vcpu);
    return AT['async_pf_execute.link'];
  }
  vcpu.apf_done.push(work.id);
  return appended(m, thread, vcpu, work);
}

/** The second half of the list_add_tail() where done has no lock. */
export function async_pf_execute_link(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  const work = m.works[thread.work - 1]!;
  done_link(m, thread, vcpu, work);
  return appended(m, thread, vcpu, work);
}

function appended(m: Machine, thread: Thread, vcpu: Vcpu, work: Work): At {
  const knobs = knobs_of(m, vcpu);
  if (knobs.lists === 'move') vcpu.apf_queue.remove(work.id);
  m.observe?.(OBS.completed, vm_of_vcpu(m, vcpu), work.page, -1);
  if (knobs.done_marker === 'page') {
    spin_lock(m, thread, vcpu);
    return AT['async_pf_execute.mark'];
  }
  return mark(m, thread, work, knobs);
}

/** 2010: `apf->page = page`, and the lock is dropped. */
export function async_pf_execute_mark(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  if (thread.work === 0) {
    // Nothing kept the vCPU's thread from taking the item, and freeing it, before it was marked.
    m.vms[vm_of_vcpu(m, vcpu)]!.nr_item_uses_after_free += 1;
    return wake_step(knobs_of(m, vcpu));
  }
  const then = mark(m, thread, m.works[thread.work - 1]!, knobs_of(m, vcpu));
  if (vcpu.apf_lock !== 0) spin_unlock(m, vcpu);
  return then;
}

function mark(m: Machine, thread: Thread, work: Work, knobs: Knobs): At {
  const failed = thread.gup_result === GUP_RESULT.fault;
  if (knobs.worker_page_ref === 'yes') {
    if (!failed) get_page(m, work);
    else if (knobs.worker_page_init === 'uninitialised') work.page_garbage = 1;
  }
  // A pointer that is NULL marks nothing: whoever reads it takes the item for one that has not run.
  work.completed = knobs.done_marker === 'page' && failed && knobs.worker_page_init === 'null' ? 0 : 1;
  return wake_step(knobs);
}

function wake_step({ wake }: Knobs): At {
  return wake === 'request' ? AT['async_pf_execute.request'] : AT['async_pf_execute.trace'];
}

/** The reference that GUP has taken, and that old versions keep until the item is dequeued. */
function get_page(m: Machine, work: Work): void {
  const pte = m.hva.pte(work.page);
  if (!pte_present(pte)) return;
  const pfn = pte_target(pte);
  m.frame.set_pins(pfn, m.frame.pins(pfn) + 1);
  work.page_pin = pfn + 1;
}

/** Models kvm_arch_async_page_present_queued(), arch/x86/kvm/x86.c: the request. */
export function async_pf_execute_request(m: Machine, thread: Thread): At {
  if (!thread.first) return AT['async_pf_execute.trace'];
  kvm_make_request(KVM_REQ_APF_READY, m.vcpus[thread.vcpu - 1]!);
  return AT['async_pf_execute.kick'];
}

/** Models kvm_arch_async_page_present_queued(), arch/x86/kvm/x86.c: the look whether the guest has a token to acknowledge. */
export function async_pf_execute_kick(m: Machine, thread: Thread): At {
  const { apf_pageready_pending } = m.vcpus[thread.vcpu - 1]!;
  return apf_pageready_pending ? AT['async_pf_execute.trace'] : AT['async_pf_execute.kick_vcpu'];
}

/** Models kvm_arch_async_page_present_queued(), arch/x86/kvm/x86.c: the kick, perhaps one too many by now. */
export function async_pf_execute_kick_vcpu(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  if (guarded(m, vcpu, GUARD.kick_after_request)) kvm_vcpu_kick(m, vcpu);
  return AT['async_pf_execute.trace'];
}

/** The record of the completion; its item may be gone, and its ready line printed already. */
export function async_pf_execute_trace(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  const vm = vm_of_vcpu(m, vcpu);
  const failed = thread.gup_result === GUP_RESULT.fault;
  const bad = failed && knobs_of(m, vcpu).trace_pfn === 'when_printed';
  if (m.emit) {
    const pte = m.hva.pte(thread.page);
    const pfn = bad ? PFN_OF_NULL : pte_present(pte) ? pte_target(pte) : 0;
    m.emit(TP.kvm_async_pf_completed, hva_of_page(m, vm, thread.page), pfn, thread.cr2_or_gpa);
  }
  if (bad) m.observe?.(OBS.bad_record, vm, thread.page, -1);
  return AT['async_pf_execute.wake'];
}

/** Wakes the vCPU's wait queue, whoever is on it; nobody, where the vCPU blocks on something else (B15). */
export function async_pf_execute_wake(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  const { wake, worker_wakes } = knobs_of(m, vcpu);
  const reaches = wake !== 'none' && worker_wakes === 'what_blocks';
  if (reaches && guarded(m, vcpu, GUARD.wake_after_append)) as_ordered(m, ORDERED.completed, vcpu, 0, kvm_vcpu_wake_up);
  return AT['async_pf_execute.put'];
}

/** Drops the item's reference to the address space; the last one frees it, here and now. */
export function async_pf_execute_put(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  const vm = vm_of_vcpu(m, vcpu);
  if (m.vms[vm]!.state === VM_STATE.DESTROYED) {
    m.vms[vm]!.nr_vm_uses_after_free += 1;
    m.observe?.(OBS.vm_used_after_free, vm, vm, -1);
  }
  const { worker_mm_ref } = knobs_of(m, vcpu);
  if (worker_mm_ref === 'mm_count') mmdrop(m, vm);
  const put_vm = AT['async_pf_execute.put_vm'];
  const then = worker_mm_ref === 'mm_users' ? mmput(m, thread, vm, put_vm) : put_vm;
  return then === put_vm ? async_pf_execute_put_vm(m, thread) : then;
}

/** Drops its reference to the VM; the last one destroys it, from within this function. */
export function async_pf_execute_put_vm(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  const done = AT['async_pf_execute.return'];
  const then = knobs_of(m, vcpu).worker_vm_ref === 'yes' ? kvm_put_kvm(m, thread, vm_of_vcpu(m, vcpu), done) : done;
  return then === done ? async_pf_execute_return(m, thread) : then;
}

/** The function returns, which takes code to return from: whoever flushes this item may go on. */
export function async_pf_execute_return(m: Machine, thread: Thread): At {
  const host = m.hosts[m.places.threads[thread.id]!.host]!;
  if (host.kvm_module === MODULE.UNLOADED) {
    host.nr_module_text_uses += 1;
    m.observe?.(OBS.text_after_unload, -1, host.id, -1);
  }
  if (thread.work !== 0) work_returned(m, thread, m.works[thread.work - 1]!);
  thread.work = 0;
  thread.first = 0;
  thread.page = 0;
  thread.vcpu = 0;
  thread.cr2_or_gpa = 0;
  thread.gup_result = GUP_RESULT.none;
  // A handler that has said READY, or a VMM that has completed the fault at once, goes on with what it does.
  if (thread.kind === THREAD_KIND.vcpu) return AT.userspace;
  return thread.kind === THREAD_KIND.uffd ? AT.userfaultfd_read : AT.worker_thread;
}
