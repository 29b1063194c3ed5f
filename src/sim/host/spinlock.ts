/**
 * async_pf.lock where somebody holds it from one step to another. A section that is one step needs no lock in the
 * model, since nobody can look: then only whether another holds it is asked.
 *
 * Differs: whoever finds the lock taken gives its CPU to others until it is free, instead of burning time on it.
 */
import type { Machine } from '../machine.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import { TASK_STATE, type Thread, type Vcpu, WAIT } from '../schema.ts';
import { schedule, wake_up_process } from './sched.ts';

/** Whether the thread has to wait for the lock; it then comes back to the step it is in. */
export function locked_out(m: Machine, thread: Thread, vcpu: Vcpu): boolean {
  if (vcpu.apf_lock === 0 || vcpu.apf_lock === thread.id + 1) {
    if (thread.wait === WAIT.async_pf_lock) {
      thread.wait = WAIT.nothing;
      thread.wait_id = 0;
    }
    return false;
  }
  thread.wait = WAIT.async_pf_lock;
  thread.wait_id = vcpu.id;
  thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
  schedule(m, thread);
  return true;
}

/** Keeps the lock, where there is one, beyond this step; locked_out() has said that it is free. */
export function spin_lock(m: Machine, thread: Thread, vcpu: Vcpu): void {
  if (guarded(m, vcpu, GUARD.done_lock)) vcpu.apf_lock = thread.id + 1;
}

export function spin_unlock(m: Machine, vcpu: Vcpu): void {
  vcpu.apf_lock = 0;
  for (const thread of m.threads)
    if (thread.wait === WAIT.async_pf_lock && thread.wait_id === vcpu.id) wake_up_process(m, thread);
}
