/**
 * Asynchronous page faults, the part that all architectures share: virt/kvm/async_pf.c. Its worker is
 * async_pf_execute.ts, the clearing of its queues async_pf_clear.ts.
 *
 * A work item stands on `queue` from its set-up to its dequeue, and on `done` as well once the worker has the page.
 * `queue` belongs to the vCPU thread; `done` to whoever holds async_pf.lock. A section under the lock that is one step
 * only asks whether somebody else has it; see host/spinlock.ts.
 */

import { assert } from '../../base/assert.ts';
import { gfn_of_page } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { locked_out } from '../host/spinlock.ts';
import { flush_work, is_in_tail, queue_work, worker_of } from '../host/workqueue.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { vm_of_page } from '../mm/page.ts';
import { release_orphan, wake_memory_waiters } from '../mm/swap.ts';
import { OBS } from '../observe.ts';
import {
  ASYNC_PF_PER_VCPU,
  ENTRY_NOTE,
  type Thread,
  UF_STATE,
  type Vcpu,
  WAIT,
  WORK_STATE,
  type Work,
} from '../schema.ts';
import { forget_notification } from './apf_ring.ts';
import {
  done_add_tail,
  done_find_next,
  done_find_tail,
  done_is_locked,
  done_link,
  done_unlink,
} from './async_pf_done.ts';
import {
  alloc_apf_token,
  kvm_add_async_pf_gfn,
  kvm_arch_async_page_not_present,
  kvm_arch_can_dequeue_async_page_present,
} from './async_pf_x86.ts';
import { kvm_get_kvm } from './destroy.ts';
import { direct_map } from './fault.ts';
import { gfn_to_hva } from './memslot.ts';
import { KVM_REQ_APF_READY, kvm_make_request, kvm_vcpu_kick } from './requests.ts';

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
  const { first_work, works } = m.places.vcpus[vcpu.id]!;
  for (let id = first_work; id < first_work + works; id += 1) {
    const work = m.works[id]!;
    // Explored, a row has a worker of its own, who may be in the tail of the function for the item before.
    if (work.used || (!m.timed && is_in_tail(m, host, id))) continue;
    work.used = 1;
    work.vcpu = vcpu.id + 1;
    return work;
  }
  return null;
}

/**
 * Gives an item back, and with it the page that old workers keep. A worker still in the tail of its function has only
 * its local copies left.
 */
export function free_work(m: Machine, work: Work): void {
  assert(work.used === 1, 'apf: an item is freed once');
  const { thread: threads } = m;
  const worker = m.timed ? -1 : worker_of(m, work);
  if (worker >= 0) {
    if (threads.work(worker) === work.id + 1) threads.set_work(worker, 0);
  } else if (work.state === WORK_STATE.RUNNING || work.uf_state !== UF_STATE.none) {
    for (let id = 0; id < threads.capacity; id += 1) if (threads.work(id) === work.id + 1) threads.set_work(id, 0);
  }
  put_page(m, work);
  forget_notification(m, work);
  work.used = 0;
  work.state = WORK_STATE.IDLE;
  work.cpu = 0;
  work.vcpu = 0;
  work.cr2_or_gpa = 0;
  work.direct_map = 0;
  work.cr3 = 0;
  work.gfn = 0;
  work.page = 0;
  work.token = 0;
  work.wakeup_all = 0;
  work.notpresent_injected = 0;
  work.completed = 0;
  work.failed = 0;
  work.link_next = 0;
  work.link_prev = 0;
}

/** Drops the reference that old workers keep to the page, or to whatever they took for one. Models put_page(). */
function put_page(m: Machine, work: Work): void {
  const vm = m.places.vcpus[work.vcpu - 1]!.vm;
  if (work.page_garbage) {
    work.page_garbage = 0;
    m.vms[vm]!.nr_stray_page_puts += 1;
    m.observe?.(OBS.stray_put, vm, work.vcpu - 1, -1);
  }
  if (work.page_pin === 0) return;
  const pfn = work.page_pin - 1;
  m.frame.set_pins(pfn, m.frame.pins(pfn) - 1);
  work.page_pin = 0;
  if (m.vms[vm]!.mm_exited) release_orphan(m, vm, pfn);
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
  work.direct_map = direct_map(m, vcpu) ? 1 : 0;
  work.cr3 = vcpu.cr3;
  work.gfn = gfn;
  work.page = vcpu.fault_page;
  work.token = token;
  get_references(m, vcpu);
  m.observe?.(OBS.took_apf, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
  return work;
}

/** What the item holds until its function ends, or it is cancelled: some of the address space, and of the VM. */
function get_references(m: Machine, vcpu: Vcpu): void {
  const vm = vm_of_vcpu(m, vcpu);
  const { worker_mm_ref, worker_vm_ref } = knobs_of(m, vcpu);
  if (worker_mm_ref === 'mm_users') m.vms[vm]!.mm_users += 1;
  else if (worker_mm_ref === 'mm_count') m.vms[vm]!.mm_count += 1;
  if (worker_vm_ref === 'yes') kvm_get_kvm(m, vm);
}

/** Puts the item on the list and tells the guest, or leaves a note for the entry as in 2010. */
export function kvm_setup_async_pf_list(m: Machine, vcpu: Vcpu, work: Work, whole: boolean): void {
  if (whole) vcpu.apf_queue.push(work.id);
  vcpu.apf_queued += 1;
  if (knobs_of(m, vcpu).halt === 'entry_check') {
    vcpu.apf_note = ENTRY_NOTE.item;
    vcpu.apf_note_item = work.id + 1;
    return;
  }
  work.notpresent_injected = kvm_arch_async_page_not_present(m, vcpu, work) ? 1 : 0;
}

/** The item is given up, with its references: nobody else has seen it. Models the end of kvm_setup_async_pf() up to 5.7. */
export function kvm_retry_sync(m: Machine, vcpu: Vcpu, work: Work): void {
  const row = m.vms[vm_of_vcpu(m, vcpu)]!;
  const { worker_mm_ref, worker_vm_ref } = knobs_of(m, vcpu);
  // Neither is the last one: the vCPU's thread has its own.
  if (worker_mm_ref === 'mm_users') row.mm_users -= 1;
  else if (worker_mm_ref === 'mm_count') row.mm_count -= 1;
  if (worker_vm_ref === 'yes') row.users_count -= 1;
  free_work(m, work);
}

/**
 * Models schedule_work() in kvm_setup_async_pf(). Up to 5.7 it might fail, and the fault was then synchronous; since 5.8
 * nobody looks, and an item that is not scheduled is one that never runs.
 */
export function kvm_schedule_work(m: Machine, thread: Thread, work: Work): boolean {
  const vm = m.vms[vm_of_vcpu(m, m.vcpus[work.vcpu - 1]!)]!;
  if (vm.fail_work > 0) {
    vm.fail_work -= 1;
    return knobs_of(m, m.vcpus[work.vcpu - 1]!).schedule_work === 'last';
  }
  work.state = WORK_STATE.PENDING;
  work.cpu = thread.cpu + 1;
  queue_work(m, work);
  return true;
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
  if (vcpu.n_apf_done === 0 || !kvm_arch_can_dequeue_async_page_present(m, vcpu)) return vcpu.check_return;
  if (locked_out(m, thread, vcpu)) return AT.kvm_check_async_pf_completion;
  if (!done_is_locked(m, vcpu)) {
    done_find_next(thread, m.works[vcpu.apf_done.at(0)]!);
    return AT['kvm_check_async_pf_completion.unlink'];
  }
  vcpu.completing = vcpu.apf_done.shift() + 1;
  return AT.kvm_arch_async_page_ready;
}

/** The second half of the list_del() where done has no lock. */
export function kvm_check_async_pf_completion_unlink(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  vcpu.completing = done_unlink(m, thread, vcpu).id + 1;
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
 * No kernel's: an item that came with the state of a vCPU, its page taken for present. False where there is no room.
 */
export function kvm_async_pf_carry(
  m: Machine,
  vcpu: Vcpu,
  token: number,
  page: number,
  gpa: number,
  gfn: number,
): boolean {
  if (vcpu.apf_queued >= ASYNC_PF_PER_VCPU) return false;
  const work = alloc_work(m, vcpu);
  if (!work) return false;
  work.token = token;
  work.page = page;
  work.cr2_or_gpa = gpa;
  work.gfn = gfn;
  work.notpresent_injected = 1;
  work.completed = 1;
  vcpu.apf_queue.push(work.id);
  done_add_tail(m, vcpu, work);
  vcpu.apf_queued += 1;
  kvm_add_async_pf_gfn(vcpu, gfn);
  kvm_make_request(KVM_REQ_APF_READY, vcpu);
  return true;
}

/**
 * Makes the guest wake every task, since what it waited for may have been lost.
 *
 * Models kvm_async_pf_wakeup_all(), virt/kvm/async_pf.c, up to the look at the done list. Goes on at check_return.
 */
export function kvm_async_pf_wakeup_all(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vcpu.n_apf_done > 0) return vcpu.check_return;
  const work = alloc_work(m, vcpu);
  if (!work) return vcpu.check_return;
  work.wakeup_all = 1;
  work.completed = 1;
  vcpu.completing = work.id + 1;
  return AT['kvm_async_pf_wakeup_all.append'];
}

/**
 * Appends the broadcast, under the lock; the sixth posting forgot that: what a worker has appended since the list was
 * looked at is then no longer on it.
 */
export function kvm_async_pf_wakeup_all_append(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const { wakeup_all_lock } = knobs_of(m, vcpu);
  if (wakeup_all_lock === 'yes' && locked_out(m, thread, vcpu)) return AT['kvm_async_pf_wakeup_all.append'];
  const first = vcpu.n_apf_done === 0;
  if (!done_is_locked(m, vcpu)) {
    thread.first = first ? 1 : 0;
    done_find_tail(thread, vcpu);
    return AT['kvm_async_pf_wakeup_all.link'];
  }
  if (wakeup_all_lock === 'no') {
    while (vcpu.apf_done.shift() >= 0) vcpu.apf_list_corrupt = 1;
  }
  vcpu.apf_done.push(vcpu.completing - 1);
  return broadcast_appended(m, vcpu, first);
}

/** The second half of the list_add_tail() where done has no lock. */
export function kvm_async_pf_wakeup_all_link(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const first = thread.first === 1;
  thread.first = 0;
  done_link(m, thread, vcpu, m.works[vcpu.completing - 1]!);
  return broadcast_appended(m, vcpu, first);
}

function broadcast_appended(m: Machine, vcpu: Vcpu, first: boolean): At {
  vcpu.completing = 0;
  vcpu.apf_queued += 1;
  if (knobs_of(m, vcpu).wake === 'request' && first) {
    kvm_make_request(KVM_REQ_APF_READY, vcpu);
    if (!vcpu.apf_pageready_pending) kvm_vcpu_kick(m, vcpu);
  }
  return vcpu.check_return;
}
