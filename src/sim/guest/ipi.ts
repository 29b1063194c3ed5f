/**
 * One guest CPU makes another look: the reschedule interrupt, through the LAPIC's ICR and so through an exit.
 *
 * Whoever wakes a task only notes that the other CPU is owed an interrupt; the exit is the waker's next step, as it is
 * one instruction of the guest. Models native_smp_send_reschedule().
 */
import { AT, type At } from '../at.ts';
import { EXIT_REASON } from '../kvm/exit_reason.ts';
import { lapic_in_kernel, type Machine, vm_of_vcpu } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { GUEST_WORK } from './work.ts';

export const RESCHEDULE_VECTOR = 0xfd;
/** x2APIC ICR: the destination in the upper half, the vector below. */
export const MSR_X2APIC_ICR = 0x830;
const UPPER = 0x1_0000_0000;

/** The CPU `to`, which may be the sender, is to get a reschedule interrupt. */
export function smp_send_reschedule(sender: Vcpu, to: Vcpu): void {
  to.guest_ipi = 1;
  sender.guest_work |= GUEST_WORK.ipi;
}

/** Writes the ICR for the first CPU that is owed one. */
export function send_owed_ipi(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  const { first_vcpu } = m.places.vms[vm]!;
  for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) {
    const to = m.vcpus[first_vcpu + id]!;
    if (!to.guest_ipi) continue;
    to.guest_ipi = 0;
    vcpu.msr = MSR_X2APIC_ICR;
    vcpu.msr_data = id * UPPER + RESCHEDULE_VECTOR;
    vcpu.exit_reason = lapic_in_kernel(m, vcpu) ? EXIT_REASON.msr : EXIT_REASON.mmio;
    return AT.handle_exit;
  }
  vcpu.guest_work &= ~GUEST_WORK.ipi;
  return AT.guest;
}
