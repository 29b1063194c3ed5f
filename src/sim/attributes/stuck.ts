/**
 * Who waits for what can never come: a page whose userfault handler is dead, and whatever waits for such a waiter.
 *
 * Only what is sure counts. A thread that the scenario holds, or that waits for a slow device, may still go on.
 */
import { AT } from '../at.ts';
import type { Machine } from '../machine.ts';
import { MMAP_LOCK } from '../mm/columns.ts';
import { vm_of_page } from '../mm/page.ts';
import { handler_lives } from '../mm/userfault.ts';
import { GUEST_TASK, type Task, THREAD_KIND, type Thread, WAIT, WORK_STATE, type Work } from '../schema.ts';

const INJECTED_PAGE = 0x7fff_ffff;

/** Whether nobody can ever wake the thread. */
export function threadIsStuck(m: Machine, thread: Thread): boolean {
  if (thread.wait === WAIT.userfault) return !handler_lives(m, vm_of_page(m, thread.wait_id));
  if (thread.wait === WAIT.mmap_lock) return lockIsStuck(m, thread.wait_id);
  return thread.wait === WAIT.work_done && workIsStuck(m, m.works[thread.wait_id]!);
}

/** Whether somebody who holds the mmap lock of a VM's process is stuck with it. */
function lockIsStuck(m: Machine, vm: number): boolean {
  return m.threads.some(
    thread =>
      thread.mmap_lock === MMAP_LOCK.reading &&
      thread.wait !== WAIT.mmap_lock &&
      thread.gup_return !== AT.off &&
      vm_of_page(m, thread.gup_page) === vm &&
      threadIsStuck(m, thread),
  );
}

/** Whether an item can never be completed: its worker is stuck, or every worker that could take it. */
function workIsStuck(m: Machine, work: Work): boolean {
  if (work.used === 0 || work.completed === 1) return false;
  if (work.state === WORK_STATE.PENDING) {
    const { host } = m.places.vcpus[work.vcpu - 1]!;
    return m.places.hosts[host]!.workers.every(number => threadIsStuck(m, m.threads[number]!));
  }
  return m.threads.some(
    thread => thread.kind === THREAD_KIND.kworker && thread.work === work.id + 1 && threadIsStuck(m, thread),
  );
}

/** A vCPU whose thread is stuck runs nothing any more. */
export function vcpuIsStuck(m: Machine, row: number): boolean {
  return threadIsStuck(m, m.threads[m.places.vcpus[row]!.thread]!);
}

/** With its vCPU; or parked, or halted again and again, for an item that is never completed. */
export function taskIsStuck(m: Machine, row: number): boolean {
  const task = m.tasks[row]!;
  if (task.state === GUEST_TASK.DONE) return false;
  const { vcpu } = task;
  const { vm } = m.places.vcpus[vcpu]!;
  if (vcpuIsStuck(m, vcpu)) return true;
  if (task.resuming === 0) return false;
  const page = pageOf(m, vm, task);
  return m.works.some(work => work.vcpu === vcpu + 1 && work.page === page && workIsStuck(m, work));
}

/** The page that the current access of a task goes to. */
function pageOf(m: Machine, vm: number, task: Task): number {
  const page = task.injected !== 0 ? task.injected & INJECTED_PAGE : task.target;
  return m.places.vms[vm]!.first_page + page - 1;
}
