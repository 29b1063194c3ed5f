/**
 * Interrupt controllers that a VMM emulates itself: with `irqchip split` the PIC, with `irqchip user` the LAPIC too.
 *
 * The VMM's LAPIC uses the columns of the kernel's, which then has none. To hand an interrupt in, the vCPU must be out of
 * KVM_RUN and the guest ready for it; else the VMM asks for an exit when it is. HLT ends KVM_RUN, and the thread sleeps
 * in the VMM. Models kvm_arch_pre_run(), kvm_arch_process_async_events() and qemu_wait_io_event() of QEMU.
 */
import { AT, type At } from '../at.ts';
import { schedule, wake_up_process } from '../host/sched.ts';
import { kvm_pic_set_irq, kvm_vcpu_ready_for_interrupt_injection } from '../kvm/irq.ts';
import { apic_set_irr, kvm_apic_ack_interrupt, kvm_apic_has_interrupt, kvm_apic_set_irq } from '../kvm/lapic.ts';
import { kvm_inject_nmi, note_sender, send_nmi } from '../kvm/nmi.ts';
import { kvm_vcpu_kick } from '../kvm/requests.ts';
import { lapic_in_kernel, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { TASK_STATE, type Thread, type Vcpu } from '../schema.ts';

/** An interrupt of a device, at whichever controller is where; `pic` is the line of the PIC. */
export function device_irq(m: Machine, vcpu: Vcpu, vector: number, via: 'lapic' | 'pic'): void {
  const { irqchip } = vmSpec(m, vm_of_vcpu(m, vcpu));
  if (via === 'pic') {
    if (irqchip === 'kernel') kvm_pic_set_irq(m, vcpu, vector);
    else pic_deliver_irq(m, vcpu, vector);
  } else if (irqchip === 'user') apic_deliver_irq(m, vcpu, vector);
  else kvm_apic_set_irq(m, vcpu, vector);
}

/** An NMI from outside of the CPU, by a row of places.nmis: a message to the LAPIC, or to the VMM. */
export function device_nmi(m: Machine, vcpu: Vcpu, sender: number): void {
  if (lapic_in_kernel(m, vcpu)) {
    send_nmi(m, vcpu, sender);
    return;
  }
  note_sender(vcpu, sender);
  cpu_nmi(m, vcpu);
}

/** An interrupt for the VMM's LAPIC. Models apic_set_irq() of QEMU. */
export function apic_deliver_irq(m: Machine, vcpu: Vcpu, vector: number): void {
  if (!vcpu.lapic_enabled) return;
  apic_set_irr(vcpu, vector);
  cpu_interrupt(m, vcpu);
}

/** A line of the VMM's PIC. */
function pic_deliver_irq(m: Machine, vcpu: Vcpu, vector: number): void {
  vcpu.vmm_ext_vector = vector + 1;
  cpu_interrupt(m, vcpu);
}

/** An NMI: KVM_NMI, once the vCPU is out of KVM_RUN. */
function cpu_nmi(m: Machine, vcpu: Vcpu): void {
  vcpu.vmm_nmi = 1;
  cpu_interrupt(m, vcpu);
}

/** Has the vCPU thread look. Models cpu_interrupt() and qemu_cpu_kick() of QEMU. */
function cpu_interrupt(m: Machine, vcpu: Vcpu): void {
  const thread = m.threads[m.places.vcpus[vcpu.id]!.thread]!;
  if (thread.at === AT.userspace) {
    wake_up_process(m, thread);
    return;
  }
  vcpu.signal_pending = 1;
  kvm_vcpu_kick(m, vcpu);
}

/** Whether the VMM has an interrupt for the guest. */
function has_work(m: Machine, vcpu: Vcpu): boolean {
  return vcpu.vmm_ext_vector !== 0 || (!lapic_in_kernel(m, vcpu) && kvm_apic_has_interrupt(vcpu) >= 0);
}

/** What the vCPU thread does before KVM_RUN: sleeps in a HLT, hands in what can be, asks for a window for the rest. */
export function kvm_arch_pre_run(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vcpu.vmm_nmi) {
    vcpu.vmm_halted = 0;
    return AT.kvm_vcpu_ioctl_nmi;
  }
  const has = has_work(m, vcpu);
  if (vcpu.vmm_halted) {
    if (!has || !vcpu.rflags_if) {
      thread.task_state = TASK_STATE.INTERRUPTIBLE;
      schedule(m, thread);
      return AT.userspace;
    }
    vcpu.vmm_halted = 0;
  }
  if (has && kvm_vcpu_ready_for_interrupt_injection(m, vcpu)) return AT.kvm_vcpu_ioctl_interrupt;
  vcpu.request_interrupt_window = has ? 1 : 0;
  return AT.kvm_arch_vcpu_ioctl_run;
}

/** The next vector that the VMM hands in: of its PIC, else of its LAPIC, which takes it into service. */
export function cpu_get_pic_interrupt(vcpu: Vcpu): number {
  if (vcpu.vmm_ext_vector !== 0) {
    const vector = vcpu.vmm_ext_vector - 1;
    vcpu.vmm_ext_vector = 0;
    return vector;
  }
  const vector = kvm_apic_has_interrupt(vcpu);
  kvm_apic_ack_interrupt(vcpu, vector);
  return vector;
}

/** KVM_NMI. Models kvm_vcpu_ioctl_nmi(), arch/x86/kvm/x86.c. */
export function kvm_vcpu_ioctl_nmi(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  vcpu.vmm_nmi = 0;
  kvm_inject_nmi(m, vcpu);
  return AT.userspace;
}
