/**
 * The system workqueue, as far as KVM's items use it: a queue per host and a pool of kworkers.
 *
 * Items start in the order in which they were queued, and run on the CPU that queued them; a worker that sleeps is
 * replaced by another, so that many wait at once. `workers N` is the size of the pool.
 */
import { AT, type At } from '../at.ts';
import type { Machine } from '../machine.ts';
import { TASK_STATE, type Thread, WORK_STATE, type Work } from '../schema.ts';
import { schedule, wake_up_process } from './sched.ts';

/** Models queue_work(), kernel/workqueue.c. */
export function queue_work(m: Machine, host: number, work: Work): void {
  m.hosts[host]!.workqueue.push(work.id);
  for (const number of m.places.hosts[host]!.workers) {
    const worker = m.threads[number]!;
    if (worker.task_state !== TASK_STATE.INTERRUPTIBLE || worker.held) continue;
    worker.bound_cpu = work.cpu;
    wake_up_process(m, worker);
    return;
  }
}

/** Takes a pending item out of the queue: its function will never run. Models cancel_work_sync() where it succeeds. */
export function work_cancelled(m: Machine, host: number, work: Work): void {
  m.hosts[host]!.workqueue.remove(work.id);
  work.state = WORK_STATE.IDLE;
}

/**
 * Takes the next item, or goes to sleep. Models worker_thread(), kernel/workqueue.c.
 * Differs: one pool serves all CPUs of a host, so a worker that goes on to the next item does so on the CPU it is on.
 */
export function worker_thread(m: Machine, thread: Thread): At {
  const host = m.places.threads[thread.id]!.host;
  const id = m.hosts[host]!.workqueue.shift();
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
