/** The VMM that starts a VM from a snapshot: its main thread reads the memory in, before any vCPU is given its state. */
import { AT, type At } from '../at.ts';
import { guest_vm, vm_now } from '../incarnation.ts';
import type { Machine } from '../machine.ts';
import { rehome } from '../migrate/switchover.ts';
import { GUP_RESULT } from '../mm/columns.ts';
import { start_gup } from '../mm/gup.ts';
import type { Thread } from '../schema.ts';
import { monitor_command } from './monitor.ts';

/**
 * The memory is filled from the snapshot, one page a step; then the vCPUs are given their state.
 * Models qemu_loadvm_state(), migration/savevm.c, and ram_load_precopy(), migration/ram.c, of QEMU.
 */
export function qemu_loadvm_state(m: Machine, thread: Thread): At {
  const { vm } = m.places.threads[thread.id]!;
  const { first_page, pages } = m.places.vms[vm]!;
  thread.gup_result = GUP_RESULT.none;
  if (thread.cursor < pages) {
    thread.cursor += 1;
    return start_gup(m, thread, first_page + thread.cursor - 1, true, AT.qemu_loadvm_state);
  }
  thread.cursor = 0;
  const { op } = m.places.memory_jobs[m.vms[vm]!.memory_jobs.shift()]!;
  const command = m.places.commands.findIndex(each => each.op === op);
  rehome(m, vm_now(m, guest_vm(m, vm)), vm);
  monitor_command(m, vm, command);
  return AT.vmm;
}
