/**
 * The lock of a VM process's address space: many readers, or one writer. Faults read, mmap() and its like write.
 *
 * First come, first served: once a writer waits, new readers queue behind it, so one fault that sleeps with the lock held
 * can stop every other fault of the VM (B25). Whoever lets go hands the lock to the next.
 */
import { schedule, wake_up_process } from '../host/sched.ts';
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { TASK_STATE, type Thread, type Vm, WAIT } from '../schema.ts';
import { MMAP_LOCK } from './columns.ts';

/** Takes the lock, or goes to sleep for it: it is held when the thread is awake again. Models mmap_read_lock(). */
export function mmap_read_lock(m: Machine, thread: Thread, vm: number): boolean {
  if (thread.mmap_lock === MMAP_LOCK.reading) return true;
  const row = m.vms[vm]!;
  if (row.mmap_writer === 0 && row.n_mmap_waiters === 0) {
    thread.mmap_lock = MMAP_LOCK.reading;
    thread.mmap_vm = vm + 1;
    return true;
  }
  return wait_for_lock(m, thread, row, MMAP_LOCK.to_read);
}

/** The same for writing. Models mmap_write_lock(). */
export function mmap_write_lock(m: Machine, thread: Thread, vm: number): boolean {
  if (thread.mmap_lock === MMAP_LOCK.writing) return true;
  const row = m.vms[vm]!;
  if (row.mmap_writer === 0 && mmap_readers(m, vm) === 0 && row.n_mmap_waiters === 0) {
    row.mmap_writer = thread.id + 1;
    thread.mmap_lock = MMAP_LOCK.writing;
    return true;
  }
  return wait_for_lock(m, thread, row, MMAP_LOCK.to_write);
}

/** How many threads read: each says so itself, as none of them asks for the others. */
export function mmap_readers(m: Machine, vm: number): number {
  const { thread: rows } = m;
  let readers = 0;
  for (let id = 0; id < rows.capacity; id += 1) if (rows.mmap_vm(id) === vm + 1) readers += 1;
  return readers;
}

function wait_for_lock(
  m: Machine,
  thread: Thread,
  row: Vm,
  wanted: typeof MMAP_LOCK.to_read | typeof MMAP_LOCK.to_write,
): false {
  // Woken for something else, it still stands in the queue.
  if (thread.mmap_lock !== wanted) {
    thread.mmap_lock = wanted;
    thread.wait = WAIT.mmap_lock;
    thread.wait_id = row.id;
    row.mmap_waiters.push(thread.id);
    m.observe?.(OBS.lock_wait, row.id, thread.id, -1);
  }
  thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
  schedule(m, thread);
  return false;
}

/** Lets go of the lock, however it was held; nothing if it was not. Models mmap_read_unlock(), mmap_write_unlock(). */
export function mmap_unlock(m: Machine, thread: Thread, vm: number): void {
  const row = m.vms[vm]!;
  if (thread.mmap_lock === MMAP_LOCK.reading) thread.mmap_vm = 0;
  else if (thread.mmap_lock === MMAP_LOCK.writing) row.mmap_writer = 0;
  else return;
  thread.mmap_lock = MMAP_LOCK.none;
  hand_over(m, row);
}

/** The writer at the head of the queue, or all readers before the next writer. Models rwsem_mark_wake(). */
function hand_over(m: Machine, row: Vm): void {
  while (row.n_mmap_waiters > 0 && row.mmap_writer === 0) {
    const next = m.threads[row.mmap_waiters.at(0)]!;
    if (next.mmap_lock === MMAP_LOCK.to_write) {
      if (mmap_readers(m, row.id) > 0) return;
      row.mmap_writer = next.id + 1;
      next.mmap_lock = MMAP_LOCK.writing;
    } else {
      next.mmap_lock = MMAP_LOCK.reading;
      next.mmap_vm = row.id + 1;
    }
    row.mmap_waiters.shift();
    next.wait = WAIT.nothing;
    next.wait_id = 0;
    wake_up_process(m, next);
  }
}
