/** Interrupts from one vCPU to another. */
import { TP } from '../../trace/all.ts';
import { lapic_in_kernel, type Machine, vm_of_vcpu } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { apic_deliver_irq } from '../vmm/irqchip.ts';
import { kvm_apic_set_irq } from './lapic.ts';

const UPPER = 0x1_0000_0000;
const APIC_ICR = 0x300;

/**
 * The guest has written its ICR: raises the vector on the vCPU it names.
 *
 * Models kvm_apic_send_ipi() and kvm_x2apic_icr_write(), arch/x86/kvm/lapic.c. Differs: one destination, fixed delivery.
 */
export function kvm_apic_send_ipi(m: Machine, vcpu: Vcpu): void {
  const dest = Math.floor(vcpu.msr_data / UPPER);
  const icr_low = vcpu.msr_data % UPPER;
  const vm = vm_of_vcpu(m, vcpu);
  const in_kernel = lapic_in_kernel(m, vcpu);
  if (m.emit && in_kernel) m.emit(TP.kvm_apic_ipi, icr_low, dest);
  if (dest < m.program.vms[vm]!.vcpus) {
    const to = m.vcpus[m.places.vms[vm]!.first_vcpu + dest]!;
    if (in_kernel) kvm_apic_set_irq(m, to, icr_low & 0xff);
    else apic_deliver_irq(m, to, icr_low & 0xff);
  }
  if (!in_kernel) return;
  if (m.emit) m.emit(TP.kvm_apic, 1, APIC_ICR, vcpu.msr_data);
}
