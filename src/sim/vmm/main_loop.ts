/**
 * The main thread of a VM's process: sleeps until it is told to do something with the whole VM.
 *
 * vCPU threads are kvm/vcpu.ts. What the main thread is to do is state of its VM, so a request is not lost on it.
 */
import { AT, type At } from '../at.ts';
import { schedule } from '../host/sched.ts';
import type { Machine } from '../machine.ts';
import { TASK_STATE, type Thread } from '../schema.ts';

/** Waits for the next request. Stands for the event loop of a VMM. */
export function vmm(m: Machine, thread: Thread): At {
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return AT.vmm;
}
