/**
 * What a VMM's main thread does to its own address space: mmap(), which writes the mmap lock, and madvise(), which gives
 * pages back to the host, one after the other.
 * Differs: it is also who makes the file behind the memory shorter, and takes the mmap lock for that.
 */
import { AT, type At } from '../at.ts';
import { schedule, wake_up_process } from '../host/sched.ts';
import { row_now } from '../incarnation.ts';
import { VM_STATE } from '../life.ts';
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { TASK_STATE, type Thread, WAIT } from '../schema.ts';
import { discard_page } from './discard.ts';
import { mmap_read_lock, mmap_unlock, mmap_write_lock } from './mmap_lock.ts';

/** The scenario has the VMM of a VM do something. */
export function queue_memory_job(m: Machine, vm: number, job: number): void {
  const { memory_jobs } = m.vms[vm]!;
  if (memory_jobs.has(job)) return;
  memory_jobs.push(job);
  wake_up_process(m, m.threads[m.places.vms[vm]!.vmm]!);
}

/** Where the main thread begins with what it is told to do; null where it is told nothing. */
export function begin_memory_job(m: Machine, thread: Thread): At | null {
  const { vm } = m.places.threads[thread.id]!;
  const { memory_jobs } = m.vms[vm]!;
  if (memory_jobs.length === 0 || m.vms[vm]!.state !== VM_STATE.RUNNING) return null;
  const { op } = m.places.memory_jobs[memory_jobs.at(0)]!.op;
  if (op === 'restore') return AT.qemu_loadvm_state;
  return op === 'mmap' ? AT.do_mmap : AT.do_madvise;
}

function end_of_job(m: Machine, thread: Thread): At {
  const { vm } = m.places.threads[thread.id]!;
  mmap_unlock(m, thread, vm);
  m.vms[vm]!.memory_jobs.shift();
  thread.cursor = 0;
  return AT.vmm;
}

/** Waits until it may write. Models vm_mmap_pgoff(), mm/util.c. */
export function do_mmap(m: Machine, thread: Thread): At {
  const { vm } = m.places.threads[thread.id]!;
  return mmap_write_lock(m, thread, vm) ? AT['do_mmap.done'] : AT.do_mmap;
}

/** A mapping more, somewhere else than the guest's memory. Models do_mmap(), mm/mmap.c. */
export function do_mmap_done(m: Machine, thread: Thread): At {
  m.observe?.(OBS.mmapped, m.places.threads[thread.id]!.vm, -1, -1);
  return end_of_job(m, thread);
}

/** The next page to be given back: the lock is read, and KVM told. Models do_madvise(), mm/madvise.c. */
export function do_madvise(m: Machine, thread: Thread): At {
  const { vm } = m.places.threads[thread.id]!;
  if (!mmap_read_lock(m, thread, vm)) return AT.do_madvise;
  const page = m.places.memory_jobs[m.vms[vm]!.memory_jobs.at(0)]!.pages[thread.cursor];
  if (page === undefined) return end_of_job(m, thread);
  thread.page = row_now(m, 'page', page);
  m.vms[vm]!.mmu_invalidate_in_progress += 1;
  return AT['do_madvise.zap'];
}

/**
 * Models zap_page_range_single(), mm/memory.c.
 * Differs: for a page that is just being read or written it waits until some request has ended, and tries again.
 */
export function do_madvise_zap(m: Machine, thread: Thread): At {
  const host = m.hosts[m.places.threads[thread.id]!.host]!;
  if (thread.wait === WAIT.writeback) host.nr_io_waiters -= 1;
  thread.wait = WAIT.nothing;
  const { op } = m.places.memory_jobs[m.vms[m.places.threads[thread.id]!.vm]!.memory_jobs.at(0)]!;
  if (discard_page(m, thread.page, op.op === 'truncate')) return AT['do_madvise.done'];
  thread.wait = WAIT.writeback;
  host.nr_io_waiters += 1;
  thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
  schedule(m, thread);
  return AT['do_madvise.zap'];
}

/** The end of the invalidation. */
export function do_madvise_done(m: Machine, thread: Thread): At {
  const row = m.vms[m.places.threads[thread.id]!.vm]!;
  row.mmu_invalidate_seq += 1;
  row.mmu_invalidate_in_progress -= 1;
  thread.cursor += 1;
  thread.page = 0;
  return AT.do_madvise;
}
