/**
 * The system workqueue, as far as KVM's items use it: a queue per host and a pool of kworkers.
 *
 * Items start in the order in which they were queued, and run on the CPU that queued them; a worker that sleeps is
 * replaced by another, so that many wait at once. `workers N` is the size of the pool.
 */
import { AT, type At } from '../at.ts';
import { VM_STATE } from '../life.ts';
import type { Machine } from '../machine.ts';
import { as_ordered } from '../order.ts';
import { ORDERED } from '../ordered.ts';
import { TASK_STATE, type Thread, type Vcpu, WAIT, WORK_STATE, type Work } from '../schema.ts';
import { schedule, wake_up_process } from './sched.ts';

/** Models queue_work(), kernel/workqueue.c. */
export function queue_work(m: Machine, work: Work): void {
  as_ordered(m, ORDERED.work, m.vcpus[work.vcpu - 1]!, work.id, insert_work);
}

/** An item that stands in the queue already is not put there again. Models insert_work(), kernel/workqueue.c. */
export function insert_work(m: Machine, vcpu: Vcpu, id: number): void {
  const { host } = m.places.vcpus[vcpu.id]!;
  const work = m.works[id]!;
  if (work.state !== WORK_STATE.PENDING || m.hosts[host]!.workqueue.has(id)) return;
  if (!m.timed) {
    begin_at_once(m, work, m.threads[worker_of(m, work)]!);
    return;
  }
  m.hosts[host]!.workqueue.push(id);
  for (const number of m.places.hosts[host]!.workers) {
    const worker = m.threads[number]!;
    if (worker.task_state !== TASK_STATE.INTERRUPTIBLE || worker.held) continue;
    worker.bound_cpu = work.cpu;
    wake_up_process(m, worker);
    return;
  }
}

/**
 * Explored, an item that nobody can cancel is taken as soon as it is queued: whether it is taken sooner or later is
 * nobody's business, as only the worker's first step in it is.
 */
function begin_at_once(m: Machine, work: Work, worker: Thread): void {
  wake_up_process(m, worker);
  if (m.cancels_work) return;
  work.state = WORK_STATE.RUNNING;
  worker.work = work.id + 1;
  worker.at = AT.async_pf_execute;
}

/** Whether the worker of a row has not returned from what was in it before. */
export function is_in_tail(m: Machine, host: number, id: number): boolean {
  return m.threads[m.places.hosts[host]!.workers[id]!]!.at !== AT.worker_thread;
}

/** Explored, each item has a worker of its own: one that sleeps would be replaced by another, so all may run at once. */
export function worker_of(m: Machine, work: Work): number {
  const { host } = m.places.vcpus[work.vcpu - 1]!;
  return m.places.hosts[host]!.workers[work.id]!;
}

/**
 * Has an item not run: takes one that is pending out of the queue, and waits for one that runs. `asleep`: it runs, and
 * the thread sleeps until it has returned, then asks again.
 *
 * Models cancel_work_sync(), kernel/workqueue.c.
 */
export function cancel_work_sync(
  m: Machine,
  thread: Thread,
  host: number,
  work: Work,
): 'cancelled' | 'asleep' | 'returned' {
  if (work.state === WORK_STATE.PENDING) {
    m.hosts[host]!.workqueue.remove(work.id);
    work.state = WORK_STATE.IDLE;
    return 'cancelled';
  }
  return flush_work(m, thread, work) ? 'returned' : 'asleep';
}

/** Sleeps until the work function of an item has returned; true once it has. Models flush_work(), kernel/workqueue.c. */
export function flush_work(m: Machine, thread: Thread, work: Work): boolean {
  if (work.state === WORK_STATE.IDLE) {
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

/** The function of an item has returned: whoever waits for that goes on. */
export function work_returned(m: Machine, thread: Thread, work: Work): void {
  work.state = WORK_STATE.IDLE;
  const { host } = m.places.threads[thread.id]!;
  // Its own vCPU's thread is the one that would wait for it.
  wake_flusher(m, m.places.vcpus[work.vcpu - 1]!.thread, work);
  // Whoever destroys a VM, a worker perhaps, clears the queues in place of its vCPU threads.
  const { vm } = m.places.vcpus[work.vcpu - 1]!;
  if (m.vms[vm]!.state === VM_STATE.RUNNING) return;
  wake_flusher(m, m.places.vms[vm]!.vmm, work);
  for (const worker of m.places.hosts[host]!.workers) wake_flusher(m, worker, work);
}

function wake_flusher(m: Machine, number: number, work: Work): void {
  const waiter = m.threads[number]!;
  if (waiter.wait === WAIT.work_done && waiter.wait_id === work.id) wake_up_process(m, waiter);
}

/**
 * Takes the next item, or goes to sleep. Models worker_thread(), kernel/workqueue.c.
 * Differs: one pool serves all CPUs of a host, so a worker that goes on to the next item does so on the CPU it is on.
 */
export function worker_thread(m: Machine, thread: Thread): At {
  const host = m.places.threads[thread.id]!.host;
  const id = m.timed ? m.hosts[host]!.workqueue.shift() : pendingOf(m, host, thread);
  if (id < 0) {
    thread.task_state = TASK_STATE.INTERRUPTIBLE;
    schedule(m, thread);
    return AT.worker_thread;
  }
  const work = m.works[id]!;
  work.state = WORK_STATE.RUNNING;
  thread.work = id + 1;
  return AT.async_pf_execute;
}

/** The item of an explored worker, or -1 where it has not been queued. */
function pendingOf(m: Machine, host: number, thread: Thread): number {
  const id = m.places.hosts[host]!.workers.indexOf(thread.id);
  return m.works[id]!.state === WORK_STATE.PENDING ? id : -1;
}

/** Explored: whether a worker's item has been queued again. */
export function work_waits(m: Machine, thread: Thread): boolean {
  return pendingOf(m, m.places.threads[thread.id]!.host, thread) >= 0;
}
