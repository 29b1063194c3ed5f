/**
 * Emptying both lists of a vCPU without telling its guest: kvm_clear_async_pf_completion_queue(), virt/kvm/async_pf.c.
 *
 * The vCPU thread does it when the guest switches the mechanism off or is reset; whoever destroys the VM, when that
 * thread is gone. What no version may do is to wait for a work item with async_pf.lock held: the item takes it too.
 */
import { AT, type At } from '../at.ts';
import { locked_out, spin_lock, spin_unlock } from '../host/spinlock.ts';
import { cancel_work_sync, flush_work } from '../host/workqueue.ts';
import { VM_STATE } from '../life.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { mmdrop, mmput } from '../mm/exit_mmap.ts';
import { ASYNC_PF_PER_VCPU, ENTRY_NOTE, THREAD_KIND, type Thread, type Vcpu, type Work } from '../schema.ts';
import { free_work } from './async_pf.ts';
import { done_del_first } from './async_pf_done.ts';

const AGAIN = AT.kvm_clear_async_pf_completion_queue;
const CANCEL = AT['kvm_clear_async_pf_completion_queue.cancel'];
const DONE = AT['kvm_clear_async_pf_completion_queue.done'];
const FLUSH = AT['kvm_clear_async_pf_completion_queue.flush'];

export const CLEARING_STEPS: readonly At[] = [AGAIN, CANCEL, DONE, FLUSH];

/** Whether somebody empties the lists of a vCPU: its thread, or whoever destroys its VM. */
export function isClearing(m: Machine, vcpu: number): boolean {
  const { vm, thread } = m.places.vcpus[vcpu]!;
  return CLEARING_STEPS.includes(m.threads[thread]!.at) || m.vms[vm]!.state === VM_STATE.DESTROYING;
}

/** Whose lists: the thread's own, or those of the vCPU that it is about to free. */
function cleared_vcpu(m: Machine, thread: Thread): Vcpu {
  return thread.kind === THREAD_KIND.vcpu ? vcpu_of(m, thread) : m.vcpus[thread.vcpu - 1]!;
}

/**
 * Takes the next item of queue in hand. 2.6.38 leaves it there until it is cancelled, and holds no lock; since 4.9 it is
 * taken off first, under the lock, and one that bears its worker's mark is left for the done list.
 *
 * Models kvm_clear_async_pf_completion_queue(), virt/kvm/async_pf.c: the first loop.
 */
export function kvm_clear_async_pf_completion_queue(m: Machine, thread: Thread): At {
  const vcpu = cleared_vcpu(m, thread);
  const { clear, clear_done } = knobs_of(m, vcpu);
  if ((clear === 'locked_naive' || clear === 'unlock_around_cancel') && locked_out(m, thread, vcpu)) return AGAIN;
  if (clear === 'locked_naive') spin_lock(m, thread, vcpu);
  if (vcpu.apf_queue.length === 0) return DONE;
  const work = m.works[vcpu.apf_queue.at(0)]!;
  const marked = clear_done === 'skip' && work.completed === 1;
  if (marked || clear === 'unlock_around_cancel' || clear === 'flush') vcpu.apf_queue.shift();
  if (marked) return AGAIN;
  vcpu.completing = work.id + 1;
  return CANCEL;
}

/**
 * Cancels it, or waits until it has run. Cancelled, it is freed here; else it is on done by now, and freed from there.
 * 2.6.38 tells the two apart by the mark alone, and forgets the references of what it has cancelled.
 */
export function kvm_clear_async_pf_completion_queue_cancel(m: Machine, thread: Thread): At {
  const vcpu = cleared_vcpu(m, thread);
  const knobs = knobs_of(m, vcpu);
  const work = m.works[vcpu.completing - 1]!;
  const what = cancel_work_sync(m, thread, m.places.vcpus[vcpu.id]!.host, work);
  if (what === 'asleep') return CANCEL;
  vcpu.completing = 0;
  vcpu.apf_queue.remove(work.id);
  const by_mark = knobs.done_marker === 'page' || knobs.done_marker === 'done';
  if (by_mark ? !work.completed : what === 'cancelled') free_work(m, work);
  if (what !== 'cancelled') return AGAIN;
  return knobs.clear_cancelled === 'drops_refs' ? put_references(m, thread, vcpu) : leak_references(m, vcpu);
}

/** Those of an item that will never run. The VM's is not the last: whoever clears has one, or found none left. */
function put_references(m: Machine, thread: Thread, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  const { worker_mm_ref, worker_vm_ref } = knobs_of(m, vcpu);
  if (worker_vm_ref === 'yes') m.vms[vm]!.users_count -= 1;
  if (worker_mm_ref === 'mm_count') mmdrop(m, vm);
  return worker_mm_ref === 'mm_users' ? mmput(m, thread, vm, AGAIN) : AGAIN;
}

function leak_references(m: Machine, vcpu: Vcpu): At {
  const row = m.vms[vm_of_vcpu(m, vcpu)]!;
  const { worker_mm_ref, worker_vm_ref } = knobs_of(m, vcpu);
  if (worker_vm_ref === 'yes') row.nr_leaked_users += 1;
  if (worker_mm_ref === 'mm_count') row.nr_leaked_mm_count += 1;
  if (worker_mm_ref === 'mm_users') row.nr_leaked_mm_users += 1;
  return AGAIN;
}

/**
 * Frees what is on done: all of it under the lock, or, since 6.9, one item after the other, each when its function has
 * returned, for which the lock is dropped. Then nothing is outstanding any more. No worker appends by now, lock or none:
 * what was still to run has been cancelled or waited for.
 *
 * Models the second loop, and kvm_async_pf_hash_reset() after it, arch/x86/kvm/x86.c.
 */
export function kvm_clear_async_pf_completion_queue_done(m: Machine, thread: Thread): At {
  const vcpu = cleared_vcpu(m, thread);
  if (locked_out(m, thread, vcpu)) return DONE;
  if (knobs_of(m, vcpu).clear_done === 'flush') {
    const first = done_del_first(m, vcpu);
    if (first) {
      vcpu.completing = first.id + 1;
      return FLUSH;
    }
  }
  for (let work = done_del_first(m, vcpu); work; work = done_del_first(m, vcpu)) free_done(m, vcpu, work);
  if (vcpu.apf_lock !== 0) spin_unlock(m, vcpu);
  vcpu.apf_queued = 0;
  vcpu.apf_note = ENTRY_NOTE.none;
  vcpu.apf_note_item = 0;
  vcpu.apf_error_gfn = 0;
  for (let index = 0; index < ASYNC_PF_PER_VCPU; index += 1) vcpu.set_apf_gfns(index, 0);
  return thread.kind === THREAD_KIND.vcpu ? vcpu.check_return : AT.kvm_free_vcpus;
}

/** An item whose NULL page pointer did not mark it has been taken for cancelled, and is freed a second time. */
function free_done(m: Machine, vcpu: Vcpu, work: Work): void {
  if (work.used) {
    free_work(m, work);
    return;
  }
  m.vms[vm_of_vcpu(m, vcpu)]!.nr_items_freed_twice += 1;
}

/** Models kvm_flush_and_free_async_pf_work(), virt/kvm/async_pf.c, as called from here. */
export function kvm_clear_async_pf_completion_queue_flush(m: Machine, thread: Thread): At {
  const vcpu = cleared_vcpu(m, thread);
  const work = m.works[vcpu.completing - 1]!;
  if (!work.wakeup_all && !flush_work(m, thread, work)) return FLUSH;
  vcpu.completing = 0;
  free_done(m, vcpu, work);
  return DONE;
}
