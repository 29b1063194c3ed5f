/**
 * Whether the machine has got stuck, and how: what a scenario calls `deadlock`.
 *
 * A cycle of waits is one whatever else goes on, and is named as soon as it is closed. The other kinds are only sure when
 * nothing can happen any more: while a timer ticks, it may rescue a wake-up that was lost.
 */
import { NEVER_NS } from '../../base/event_queue.ts';
import { isOwed, isWaiting } from '../attributes/guest.ts';
import { threadIsStuck } from '../attributes/stuck.ts';
import { blocked, markedHalted, runnable } from '../attributes/vcpu.ts';
import type { Machine } from '../machine.ts';
import { TASK_STATE, THREAD_KIND, type Thread, WAIT } from '../schema.ts';
import { vcpu_thread_left } from '../vmm/main_loop.ts';
import { whereIsThread } from '../why.ts';
import { nameOf } from './name.ts';

export interface Deadlock {
  readonly kind: 'lock cycle' | 'lost wake' | 'owed completion' | 'empty runnable';
  readonly text: string;
}

/** What stands still for good, or null. Allocates only where something does. */
export function deadlockOf(m: Machine): Deadlock | null {
  const first = cycleFrom(m);
  if (first >= 0) return lockCycle(m, first);
  if (quiescent(m)) return lostWake(m) ?? owedCompletion(m) ?? emptyRunnable(m);
  for (let id = 0; id < m.threads.length; id += 1) if (threadIsStuck(m, m.threads[id]!)) return emptyRunnable(m);
  return null;
}

/** The thread that a thread waits for: the holder of the lock, the worker of the item, a thread that is to end. -1 for none. */
function waitsFor(m: Machine, thread: Thread): number {
  switch (thread.wait) {
    case WAIT.async_pf_lock:
      return m.vcpus[thread.wait_id]!.apf_lock - 1;
    case WAIT.work_done:
      for (let id = 0; id < m.threads.length; id += 1) {
        const other = m.threads[id]!;
        if (other.kind === THREAD_KIND.kworker && other.work === thread.wait_id + 1) return id;
      }
      return -1;
    case WAIT.thread_end:
      return vcpu_thread_left(m, m.places.threads[thread.id]!.vm);
    default:
      return -1;
  }
}

/** A thread on a cycle of waits, or -1. */
function cycleFrom(m: Machine): number {
  for (let id = 0; id < m.threads.length; id += 1) {
    let at = id;
    for (let steps = 0; at >= 0 && steps <= m.threads.length; steps += 1) {
      at = waitsFor(m, m.threads[at]!);
      if (at === id) return id;
    }
  }
  return -1;
}

function lockCycle(m: Machine, first: number): Deadlock {
  const waits: string[] = [];
  let at = first;
  do {
    const thread = m.threads[at]!;
    const next = waitsFor(m, thread);
    waits.push(`${commOf(m, at)} waits for ${waitedFor(m, thread, next)}`);
    at = next;
  } while (at !== first);
  return { kind: 'lock cycle', text: `${shortOf(m, first)}: ${waits.join('; ')}` };
}

const commOf = (m: Machine, thread: number): string => m.places.threads[thread]!.comm;

function waitedFor(m: Machine, thread: Thread, next: number): string {
  if (thread.wait === WAIT.async_pf_lock) return `async_pf.lock, which ${commOf(m, next)} holds`;
  if (thread.wait === WAIT.thread_end) return `${commOf(m, next)} to end`;
  return next === thread.id ? 'its own work to return' : `the work that ${commOf(m, next)} runs`;
}

function shortOf(m: Machine, first: number): string {
  const thread = m.threads[first]!;
  const next = waitsFor(m, thread);
  if (next === first) return 'the work waits for itself';
  const kinds = [thread.wait, m.threads[next]!.wait];
  const both = kinds.includes(WAIT.async_pf_lock) && kinds.includes(WAIT.work_done);
  return both ? 'cancel waits for the work, the work waits for the lock' : 'threads wait for one another';
}

/** No thread runs or is to run, and nothing is pending that could change that. */
function quiescent(m: Machine): boolean {
  if (m.queue.next_ns !== NEVER_NS) return false;
  for (let id = 0; id < m.threads.length; id += 1) {
    const { task_state, on_rq } = m.threads[id]!;
    if (on_rq === 1 || task_state === TASK_STATE.RUNNING) return false;
  }
  return true;
}

/** Something made a sleeper runnable and nobody has woken it. */
function lostWake(m: Machine): Deadlock | null {
  const vcpu = m.vcpus.find(({ id }) => blocked(m, id) && runnable(m, id));
  return vcpu
    ? { kind: 'lost wake', text: `${nameOf(m, 'vcpu', vcpu.id)} could run, sleeps, and nobody wakes it` }
    : null;
}

/** A task or a vCPU waits for a page, and nothing is left that would bring it. */
function owedCompletion(m: Machine): Deadlock | null {
  for (const node of m.nodes) {
    if (!isWaiting(node) || isOwed(m, node.vcpu - 1, node.token)) continue;
    const who =
      node.id < m.tasks.length ? nameOf(m, 'task', node.id) : `the idle task of ${nameOf(m, 'vcpu', node.vcpu - 1)}`;
    return {
      kind: 'owed completion',
      text: `${who} waits for token 0x${node.token.toString(16)}, and nothing holds that`,
    };
  }
  const halted = m.vcpus.find(
    vcpu => blocked(m, vcpu.id) && markedHalted(m, vcpu.id, 0) && vcpu.apf_queue.length + vcpu.apf_done.length === 0,
  );
  return halted
    ? {
        kind: 'owed completion',
        text: `${nameOf(m, 'vcpu', halted.id)} is halted for a page, and no item is left for it`,
      }
    : null;
}

/** Threads sleep for what nobody is left to do. */
function emptyRunnable(m: Machine): Deadlock | null {
  const stuck =
    m.threads.find(thread => threadIsStuck(m, thread)) ??
    m.threads.find(({ task_state, wait }) => task_state === TASK_STATE.UNINTERRUPTIBLE && wait !== WAIT.nothing);
  if (!stuck) return null;
  return {
    kind: 'empty runnable',
    text: `${commOf(m, stuck.id)} ${whereIsThread(stuck)}, and nothing runs that could end that`,
  };
}

export function deadlockText(m: Machine): string {
  const found = deadlockOf(m);
  return found ? `${found.kind}: ${found.text}` : 'nothing is stuck';
}
