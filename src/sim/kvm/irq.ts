/**
 * Where interrupts come from: the LAPIC, and past it the old PIC, whose line goes straight to the CPU as ExtINT.
 *
 * With both in the kernel a vCPU asks them. With the PIC in user space (split) the VMM hands its vectors in, by
 * KVM_INTERRUPT; with the LAPIC there as well, whatever the VMM hands in is injected as it is.
 */
import { TP } from '../../trace/all.ts';
import { lapic_in_kernel, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_apic_ack_interrupt, kvm_apic_has_interrupt } from './lapic.ts';
import { KVM_REQ_EVENT, kvm_make_request, kvm_vcpu_kick } from './requests.ts';

/** First vector of the PIC, as Linux sets it up. */
const PIC_VECTOR_BASE = 0x30;

/**
 * Whether the LAPIC lets the PIC's line through, on its LVT0: the boot CPU's in Linux, until the IOAPIC takes over.
 *
 * Models kvm_apic_accept_pic_intr(), arch/x86/kvm/lapic.c.
 */
export function kvm_apic_accept_pic_intr(m: Machine, vcpu: Vcpu): boolean {
  return m.places.vcpus[vcpu.id]!.vcpu_id === 0 && vmSpec(m, vm_of_vcpu(m, vcpu)).lvt0 === 'extint';
}

/** Models kvm_cpu_has_extint(), arch/x86/kvm/irq.c. */
function kvm_cpu_has_extint(m: Machine, vcpu: Vcpu): boolean {
  return vcpu.ext_vector !== 0 && kvm_apic_accept_pic_intr(m, vcpu);
}

/**
 * Whether there is an interrupt for the vCPU, whatever RFLAGS.IF says. With the LAPIC in user space that is one that the
 * VMM has handed in.
 *
 * Models kvm_cpu_has_interrupt() and kvm_cpu_has_injectable_intr(), arch/x86/kvm/irq.c.
 */
export function kvm_cpu_has_interrupt(m: Machine, vcpu: Vcpu): boolean {
  if (!lapic_in_kernel(m, vcpu)) return vcpu.irq_injected === 1;
  return kvm_apic_has_interrupt(vcpu) >= 0 || (vcpu.ext_vector !== 0 && kvm_cpu_has_extint(m, vcpu));
}

/** Takes it: from the PIC first, else from the LAPIC. Models kvm_cpu_get_interrupt(), arch/x86/kvm/irq.c. */
export function kvm_cpu_get_interrupt(m: Machine, vcpu: Vcpu): number {
  if (vcpu.ext_vector !== 0 && kvm_cpu_has_extint(m, vcpu)) {
    const vector = vcpu.ext_vector - 1;
    vcpu.ext_vector = 0;
    vcpu.irq_extint = 1;
    return vector;
  }
  const vector = kvm_apic_has_interrupt(vcpu);
  kvm_apic_ack_interrupt(vcpu, vector);
  return vector;
}

/**
 * A line of the PIC goes up. Differs: it has one vector at a time, without priorities or a mask of its own.
 *
 * Models kvm_pic_set_irq() and pic_unlock(), arch/x86/kvm/i8259.c.
 */
export function kvm_pic_set_irq(m: Machine, vcpu: Vcpu, vector: number): void {
  if (m.emit) m.emit(TP.kvm_pic_set_irq, 0, vector - PIC_VECTOR_BASE, 0, 0, vcpu.ext_vector === 0 ? 0 : 1);
  vcpu.ext_vector = vector + 1;
  if (!kvm_apic_accept_pic_intr(m, vcpu)) return;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  kvm_vcpu_kick(m, vcpu);
}

/**
 * Whether the VMM may hand an interrupt in: nothing is on its way, and with the LAPIC in the kernel its LVT0 allows it.
 *
 * Models kvm_cpu_accept_dm_intr(), arch/x86/kvm/x86.c.
 */
export function kvm_cpu_accept_dm_intr(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.exception !== EXCEPTION.none || vcpu.irq_injected || vcpu.nmi_injected) return false;
  return !lapic_in_kernel(m, vcpu) || kvm_apic_accept_pic_intr(m, vcpu);
}

/** And whether the guest would take it now. Models kvm_vcpu_ready_for_interrupt_injection(), arch/x86/kvm/x86.c. */
export function kvm_vcpu_ready_for_interrupt_injection(m: Machine, vcpu: Vcpu): boolean {
  return vcpu.rflags_if === 1 && vcpu.shadow === 0 && kvm_cpu_accept_dm_intr(m, vcpu);
}
