/**
 * Asynchronous page faults, the part that all architectures share: virt/kvm/async_pf.c.
 *
 * A work item stands on `queue` from its set-up to its dequeue, and on `done` as well once the worker has the page.
 * `queue` belongs to the vCPU thread; `done` to whoever holds async_pf.lock, which every step here takes and drops.
 */
import { assert } from '../../base/assert.ts';
import { TP } from '../../trace/all.ts';
import { gfn_of_page } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { schedule, wake_up_process } from '../host/sched.ts';
import { queue_work, work_cancelled } from '../host/workqueue.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { start_gup } from '../mm/gup.ts';
import { hva_of_page } from '../mm/mmu_notifier.ts';
import { pte_present, pte_target, vm_of_page } from '../mm/page.ts';
import { wake_memory_waiters } from '../mm/swap.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import {
  ASYNC_PF_PER_VCPU,
  ENTRY_NOTE,
  GUP_RESULT,
  TASK_STATE,
  type Thread,
  type Vcpu,
  WAIT,
  WORK_STATE,
  type Work,
} from '../schema.ts';
import {
  alloc_apf_token,
  kvm_arch_async_page_not_present,
  kvm_arch_can_dequeue_async_page_present,
} from './async_pf_x86.ts';
import { gfn_to_hva } from './memslot.ts';
import { KVM_REQ_APF_READY, kvm_make_request, kvm_vcpu_kick, kvm_vcpu_wake_up } from './requests.ts';

/** Pages that direct reclaim takes at a time, include/linux/swap.h. */
const SWAP_CLUSTER_MAX = 32;

/**
 * A row for an item, or null when GFP_NOWAIT finds no memory. An allocation that may sleep frees some first, and costs
 * the vCPU thread that time. Differs: what it frees is nobody's here.
 */
function alloc_work(m: Machine, vcpu: Vcpu): Work | null {
  const { host, thread } = m.places.vcpus[vcpu.id]!;
  const row = m.hosts[host]!;
  if (row.fail_alloc > 0) {
    row.fail_alloc -= 1;
    if (knobs_of(m, vcpu).alloc === 'nowait') return null;
    m.threads[thread]!.charge_ns += SWAP_CLUSTER_MAX * m.costs[host]!.charge_ns.reclaim_page;
  }
  for (const work of m.works) {
    if (work.used) continue;
    work.used = 1;
    work.vcpu = vcpu.id + 1;
    return work;
  }
  return null;
}

/** Gives an item back. A worker still in the tail of its function keeps only its local copies. */
export function free_work(m: Machine, work: Work): void {
  assert(work.used === 1, 'apf: an item is freed once');
  for (const thread of m.threads) if (thread.work === work.id + 1) thread.work = 0;
  unpin(m, work);
  work.used = 0;
  work.state = WORK_STATE.IDLE;
  work.cpu = 0;
  work.vcpu = 0;
  work.cr2_or_gpa = 0;
  work.gfn = 0;
  work.page = 0;
  work.token = 0;
  work.wakeup_all = 0;
  work.notpresent_injected = 0;
  work.completed = 0;
  work.failed = 0;
}

/** Drops the reference that old workers keep to the page (put_page). */
function unpin(m: Machine, work: Work): void {
  if (work.page_pin === 0) return;
  const pfn = work.page_pin - 1;
  m.frame.set_pins(pfn, m.frame.pins(pfn) - 1);
  work.page_pin = 0;
  wake_memory_waiters(m, m.program.vms[vm_of_page(m, work.page)]!.host);
}

/**
 * Sets up an item for the vCPU's fault. Returns it, or null where the fault must be handled synchronously.
 *
 * Models kvm_arch_setup_async_pf(), arch/x86/kvm/mmu/mmu.c, which takes a token whatever comes of it, and
 * kvm_setup_async_pf(), virt/kvm/async_pf.c, up to the allocation.
 */
export function kvm_setup_async_pf_item(m: Machine, vcpu: Vcpu): Work | null {
  const token = alloc_apf_token(m, vcpu);
  if (vcpu.apf_queued >= ASYNC_PF_PER_VCPU) return null;
  const gfn = gfn_of_page(m, vcpu.fault_page);
  if (gfn_to_hva(m, vm_of_vcpu(m, vcpu), gfn) === 0) return null;
  const work = alloc_work(m, vcpu);
  if (!work) return null;
  work.cr2_or_gpa = vcpu.cr2_or_gpa;
  work.gfn = gfn;
  work.page = vcpu.fault_page;
  work.token = token;
  m.observe?.(OBS.took_apf, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
  return work;
}

/** Puts the item on the list and tells the guest, or leaves a note for the entry as in 2010. */
export function kvm_setup_async_pf_list(m: Machine, vcpu: Vcpu, work: Work): void {
  vcpu.apf_queue.push(work.id);
  vcpu.apf_queued += 1;
  if (knobs_of(m, vcpu).halt === 'entry_check') {
    vcpu.apf_note = ENTRY_NOTE.item;
    vcpu.apf_note_item = work.id + 1;
    return;
  }
  work.notpresent_injected = kvm_arch_async_page_not_present(m, vcpu, work) ? 1 : 0;
}

/** Models schedule_work() in kvm_setup_async_pf(). */
export function kvm_schedule_work(m: Machine, thread: Thread, work: Work): void {
  work.state = WORK_STATE.PENDING;
  work.cpu = thread.cpu + 1;
  queue_work(m, m.places.vcpus[work.vcpu - 1]!.host, work);
}

// -- The worker -----------------------------------------------------------------------------------

/**
 * Begins the work function: fetches the page, for writing, whatever the guest's access was.
 *
 * Models async_pf_execute(), virt/kvm/async_pf.c: here up to the GUP.
 * Differs: no reference to the address space or the VM is taken or dropped, since neither goes away during a run.
 */
export function async_pf_execute(m: Machine, thread: Thread): At {
  const work = m.works[thread.work - 1]!;
  thread.page = work.page;
  thread.cr2_or_gpa = work.cr2_or_gpa;
  thread.vcpu = work.vcpu;
  return start_gup(m, thread, work.page, true, AT['async_pf_execute.append']);
}

/**
 * Appends the item to done, under the lock. From here on the vCPU thread may free it at any moment. What became of the
 * GUP is ignored, as in every released version; `worker_gup_error reported` is an RFC's remedy (B28).
 * Differs: in 2010 the mark (the page pointer) was set after the append, and read without the lock.
 */
export function async_pf_execute_append(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  const work = m.works[thread.work - 1]!;
  const knobs = knobs_of(m, vcpu);
  if (knobs.worker_gup_error === 'reported' && thread.gup_result === GUP_RESULT.fault) work.failed = 1;
  thread.gup_result = GUP_RESULT.none;
  thread.first = vcpu.apf_done.length === 0 ? 1 : 0;
  vcpu.apf_done.push(work.id);
  if (knobs.lists === 'move') vcpu.apf_queue.remove(work.id);
  work.completed = 1;
  if (knobs.worker_page_ref === 'yes') pin(m, work);
  m.observe?.(OBS.completed, vm_of_vcpu(m, vcpu), work.page, -1);
  return knobs.wake === 'request' ? AT['async_pf_execute.request'] : AT['async_pf_execute.trace'];
}

function pin(m: Machine, work: Work): void {
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

/**
 * Models kvm_arch_async_page_present_queued(), arch/x86/kvm/x86.c: the kick.
 * Differs: the look at pageready_pending and the kick are one step. In between the vCPU thread could only acknowledge,
 * and then looks at done itself, or deliver, and then the kick is one too many.
 */
export function async_pf_execute_kick(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  if (!vcpu.apf_pageready_pending && guarded(m, vcpu, GUARD.kick_after_request)) kvm_vcpu_kick(m, vcpu);
  return AT['async_pf_execute.trace'];
}

/** The record of the completion; its item may be gone, and its ready line printed already. */
export function async_pf_execute_trace(m: Machine, thread: Thread): At {
  if (m.emit) {
    const vm = m.places.vcpus[thread.vcpu - 1]!.vm;
    const pte = m.hva.pte(thread.page);
    m.emit(
      TP.kvm_async_pf_completed,
      hva_of_page(m, vm, thread.page),
      pte_present(pte) ? pte_target(pte) : 0,
      thread.cr2_or_gpa,
    );
  }
  return AT['async_pf_execute.wake'];
}

/** Wakes the vCPU's wait queue, whoever is on it. */
export function async_pf_execute_wake(m: Machine, thread: Thread): At {
  const vcpu = m.vcpus[thread.vcpu - 1]!;
  if (knobs_of(m, vcpu).wake !== 'none' && guarded(m, vcpu, GUARD.wake_after_append)) kvm_vcpu_wake_up(m, vcpu);
  return AT['async_pf_execute.put'];
}

/** The function returns: whoever flushes this item may go on. */
export function async_pf_execute_put(m: Machine, thread: Thread): At {
  const work = thread.work === 0 ? null : m.works[thread.work - 1]!;
  if (work) {
    work.state = WORK_STATE.IDLE;
    work_returned(m, thread, work);
  }
  thread.work = 0;
  thread.first = 0;
  thread.page = 0;
  thread.vcpu = 0;
  thread.cr2_or_gpa = 0;
  return AT.worker_thread;
}

function work_returned(m: Machine, thread: Thread, work: Work): void {
  for (const number of m.places.hosts[m.places.threads[thread.id]!.host]!.vcpuThreads) {
    const waiter = m.threads[number]!;
    if (waiter.wait === WAIT.work_done && waiter.wait_id === work.id) wake_up_process(m, waiter);
  }
}

/** Sleeps until the work function of an item has returned; true once it has. Models flush_work(). */
function flush_work(m: Machine, thread: Thread, work: Work): boolean {
  if (work.state !== WORK_STATE.RUNNING) {
    thread.wait = WAIT.nothing;
    thread.wait_id = 0;
    return true;
  }
  thread.wait = WAIT.work_done;
  thread.wait_id = work.id;
  thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
  schedule(m, thread);
  return false;
}

// -- The vCPU thread ------------------------------------------------------------------------------

/**
 * Takes the oldest finished item, if one may be delivered now. One per step: the kernel drops async_pf.lock before it
 * delivers, so a worker can finish between two.
 *
 * Models kvm_check_async_pf_completion(), virt/kvm/async_pf.c.
 */
export function kvm_check_async_pf_completion(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vcpu.apf_done.length === 0 || !kvm_arch_can_dequeue_async_page_present(m, vcpu)) return vcpu.check_return;
  vcpu.completing = vcpu.apf_done.shift() + 1;
  return AT.kvm_arch_async_page_ready;
}

/** Takes the item off queue, waits for its work function to return where this version does, and frees it. */
export function kvm_flush_and_free_async_pf_work(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const work = m.works[vcpu.completing - 1]!;
  const knobs = knobs_of(m, vcpu);
  const asleep_in_flush = thread.wait === WAIT.work_done;
  if (!asleep_in_flush) {
    if (!work.wakeup_all) vcpu.apf_queue.remove(work.id);
    vcpu.apf_queued -= 1;
  }
  if (knobs.flush_on_dequeue === 'yes' && !flush_work(m, thread, work)) return AT.kvm_flush_and_free_async_pf_work;
  vcpu.completing = 0;
  free_work(m, work);
  return knobs.completions_per_pass === 'all' ? AT.kvm_check_async_pf_completion : vcpu.check_return;
}

/**
 * Makes the guest wake every task, since what it waited for may have been lost.
 *
 * Models kvm_async_pf_wakeup_all(), virt/kvm/async_pf.c.
 * Differs: the look at done and the append are one step; a worker that came in between would have asked for the check.
 */
export function kvm_async_pf_wakeup_all(m: Machine, vcpu: Vcpu): void {
  if (vcpu.apf_done.length > 0) return;
  const work = alloc_work(m, vcpu);
  if (!work) return;
  work.wakeup_all = 1;
  work.completed = 1;
  vcpu.apf_done.push(work.id);
  vcpu.apf_queued += 1;
  if (knobs_of(m, vcpu).wake === 'request') {
    kvm_make_request(KVM_REQ_APF_READY, vcpu);
    if (!vcpu.apf_pageready_pending) kvm_vcpu_kick(m, vcpu);
  }
}

/**
 * Empties both lists without telling the guest, one item per step. Cancelling an item that runs waits for it.
 *
 * Models kvm_clear_async_pf_completion_queue(), virt/kvm/async_pf.c, and kvm_async_pf_hash_reset() after it.
 * Differs: 2.6.38 takes an item off queue after cancelling it, not before.
 */
export function kvm_clear_async_pf_completion_queue(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const { clear_done } = knobs_of(m, vcpu);
  const again = AT.kvm_clear_async_pf_completion_queue;
  if (vcpu.completing !== 0) {
    const work = m.works[vcpu.completing - 1]!;
    if (!flush_work(m, thread, work)) return again;
    vcpu.completing = 0;
    // What has run is on done by now, and is freed from there.
    if (!vcpu.apf_done.has(work.id)) free_work(m, work);
    return again;
  }
  const queued = vcpu.apf_queue.shift();
  if (queued >= 0) {
    const work = m.works[queued]!;
    if (clear_done === 'skip' && work.completed) return again;
    if (work.state === WORK_STATE.PENDING) work_cancelled(m, m.places.vcpus[vcpu.id]!.host, work);
    vcpu.completing = queued + 1;
    return again;
  }
  const done = vcpu.apf_done.shift();
  if (done >= 0) {
    if (clear_done === 'flush') vcpu.completing = done + 1;
    else free_work(m, m.works[done]!);
    return again;
  }
  vcpu.apf_queued = 0;
  vcpu.apf_note = ENTRY_NOTE.none;
  vcpu.apf_note_item = 0;
  vcpu.apf_error_gfn = 0;
  for (let index = 0; index < ASYNC_PF_PER_VCPU; index += 1) vcpu.set_apf_gfns(index, 0);
  return vcpu.check_return;
}
