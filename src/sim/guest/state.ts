/** What a guest's kernel keeps of each of its CPUs, besides the task it runs and the handlers it is in. */
import { array, bool, naming, u8, u16, u32 } from '../../base/table.ts';

/** Fields of a vCPU. Owner: the guest on it; a bit of work, a reschedule and a ready token may come from elsewhere. */
export const GUEST_CPU = {
  /** What it is to do before its next instruction: bits of guest/work.ts. */
  guest_work: u16,
  /** Taken out of use by the guest: it executes CLI; HLT until it is brought back. */
  guest_offline: bool,
  /** Another CPU, or this one, owes it a reschedule interrupt. */
  guest_ipi: bool,
  /** dynticks_nesting of RCU, and whether RCU watches this CPU. */
  rcu_nesting: u8,
  rcu_watching: bool,
  /** The next operation of the idle loop's own script. */
  idle_op: u8,
  /** The bucket of async_pf_sleepers whose raw lock it holds, + 1. */
  bucket_lock: naming(u16, 'bucket', 1),
  /** Ready tokens that wait for the guest, oldest first, where there is a ring or a list of external interrupts. */
  area_ring: array(naming(u32, 'token'), 'apf_ring'),
  area_ring_length: u8,
} as const;
