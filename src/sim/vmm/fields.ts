/** What a VMM keeps about a VM and about each of its vCPU threads. */
import { array, bool, fifo, numbered, oneOf, ref, u8, u16, u32 } from '../../base/table.ts';
import { DIRTY_LOG } from '../migrate/tables.ts';

/** A save or a restore: first all vCPUs come out of KVM_RUN, then their state is read or written. */
export const TRANSFER = numbered(['none', 'stopping', 'transferring']);
/** What a VMM asks of a vCPU thread: QEMU's run_on_cpu(). */
export const VMM_WORK = numbered([
  'none',
  'stop',
  'query',
  'save',
  'get_mpstate',
  'set_mpstate',
  'load',
  'reset',
  'clear',
]);

export const vmmOfVm = {
  /** The incarnation that runs, + 1, where it is not this one; see incarnation.ts. */
  lives_in: ref('vm'),
  /** The migration away from here, + 1. */
  migrating: ref('migration'),
  dirty_log: oneOf(DIRTY_LOG),
  /** It runs while pages of it are still at the source. */
  postcopy: bool,
  /** The VMM: commands to carry out, the first being under way; whether its vCPUs stay out of KVM_RUN. */
  monitor: fifo('commands', 'command'),
  monitor_failed: bool,
  paused: bool,
  transfer: oneOf(TRANSFER),
} as const;

export const vmmOfVcpu = {
  /** Pages, + 1, that the CPU or KVM has noted as written; see kvm/dirty_log.ts. */
  pml: array(u32, 'pml'),
  pml_index: u16,
  dirty_ring: array(u32, 'dirty_ring'),
  dirty_index: u32,
  reset_index: u32,
  /** Auto-converge: the thread is to sleep for a while before it runs the guest again. */
  throttled: bool,
  /** What the VMM wants of the vCPU thread when it is out of KVM_RUN, and where to put or take the state. */
  vmm_work: oneOf(VMM_WORK),
  vmm_saved: ref('saved_vcpu'),
  vmm_mp_state: u8,
} as const;
