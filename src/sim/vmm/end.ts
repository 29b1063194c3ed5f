/** The word to the main thread of a VM's process that it is over: from its VMM, or as a signal that nobody can refuse. */
import { wake_up_process } from '../host/sched.ts';
import { VM_END, VM_STATE } from '../life.ts';
import type { Machine } from '../machine.ts';

/** Tells the main thread of a VM to end it. */
export function end_vm(m: Machine, vm: number, how: 'destroy' | 'kill'): void {
  const row = m.vms[vm]!;
  if (row.state !== VM_STATE.RUNNING) return;
  row.state = VM_STATE.ENDING;
  row.end = VM_END[how];
  wake_up_process(m, m.threads[m.places.vms[vm]!.vmm]!);
}
