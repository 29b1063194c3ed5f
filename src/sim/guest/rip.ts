/** Where the guest's instruction pointer would be: synthetic, but stable and different for each place. */
import { L1_AT } from '../kvm/nested_state.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';

const KERNEL_TEXT = 0x10_0000;
const IDLE_RIP = 0x10_0dc3;
/** L1's hypervisor: where each place of its loop is. */
const HYPERVISOR_TEXT = 0x10_2000;
const USER_TEXT = 0x40_1000;

export function guest_rip(m: Machine, vcpu: Vcpu): number {
  if (vcpu.depth > 0) return KERNEL_TEXT + vcpu.frame(vcpu.depth - 1) * 0x100 + vcpu.frame_at(vcpu.depth - 1) * 0x10;
  if (vcpu.current === 0) return IDLE_RIP;
  const task = m.tasks[vcpu.current - 1]!;
  if (task.l1_at !== L1_AT.none && task.l1_at !== L1_AT.l2) return HYPERVISOR_TEXT + task.l1_at * 0x10;
  return USER_TEXT + m.places.tasks[task.id]!.index * 0x1000 + task.pc * 4;
}

/** Behind the VMRUN of L1's hypervisor. */
export function vmrun_rip(): number {
  return HYPERVISOR_TEXT + L1_AT.exit * 0x10;
}
