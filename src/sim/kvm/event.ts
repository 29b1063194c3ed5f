/**
 * Exceptions and interrupts on their way into the guest.
 *
 * Pending: not yet written to the entry fields. Injected: written, and to be written again if the delivery was cut
 * short. Both #PFs of asynchronous page faults and real interrupts go through here.
 */

import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import { EXCEPTION, type Thread, type Vcpu } from '../schema.ts';
import { kvm_apic_ack_interrupt, kvm_apic_has_interrupt } from './lapic.ts';
import { KVM_REQ_EVENT, kvm_check_request, kvm_make_request } from './requests.ts';

const DF_VECTOR = 8;
const PF_VECTOR = 14;

/** Models svm_interrupt_allowed() / vmx_interrupt_allowed(). */
export function kvm_arch_interrupt_allowed(vcpu: Vcpu): boolean {
  return vcpu.rflags_if === 1 && vcpu.shadow === 0;
}

/** Something was being delivered and must be delivered again. Models kvm_event_needs_reinjection(). */
export function kvm_event_needs_reinjection(vcpu: Vcpu): boolean {
  return vcpu.exception === EXCEPTION.injected || vcpu.irq_injected === 1 || vcpu.nmi_injected === 1;
}

/**
 * Queues a #PF for the guest. A second one while the first is on its way makes a double fault.
 *
 * Models kvm_multiple_exception(), arch/x86/kvm/x86.c. Differs: #PF is the only exception here.
 */
export function kvm_queue_exception(m: Machine, vcpu: Vcpu, nr: number, token: number): void {
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  if (vcpu.exception !== EXCEPTION.none) {
    vcpu.exception = EXCEPTION.pending;
    vcpu.exception_nr = DF_VECTOR;
    vcpu.exception_token = 0;
    m.observe?.(OBS.double_fault, vm_of_vcpu(m, vcpu), vcpu.id, -1);
    return;
  }
  vcpu.exception = EXCEPTION.pending;
  vcpu.exception_nr = nr;
  vcpu.exception_token = token;
}

/**
 * Decides what goes in with this entry: what was being delivered first, then a new exception, then an interrupt.
 *
 * Models kvm_check_and_inject_events(), arch/x86/kvm/x86.c (inject_pending_event() before 6.1).
 * Differs: no NMI, SMI or nested event; up to 4.x an interrupt behind an exception waited for the interrupt window, here
 * in every version for an immediate exit.
 */
export function kvm_check_and_inject_events(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (!kvm_check_request(KVM_REQ_EVENT, vcpu)) return AT['vcpu_enter_guest.in_guest_mode'];
  if (vcpu.exception === EXCEPTION.injected) trace_exception(m, vcpu, true);
  else if (vcpu.exception === EXCEPTION.pending) {
    vcpu.exception = EXCEPTION.injected;
    trace_exception(m, vcpu, false);
    m.observe?.(OBS.injected, vm_of_vcpu(m, vcpu), vcpu.id, -1);
    // An interrupt whose delivery was cut short waits behind the exception.
    if (vcpu.irq_injected) vcpu.immediate_exit = 1;
  } else if (vcpu.irq_injected && m.emit) m.emit(TP.kvm_inj_virq, vcpu.irq_vector, 0, 1);
  inject_irq(m, vcpu);
  return AT['vcpu_enter_guest.in_guest_mode'];
}

function trace_exception(m: Machine, vcpu: Vcpu, reinjected: boolean): void {
  if (m.emit) m.emit(TP.kvm_inj_exception, vcpu.exception_nr, 1, 0, reinjected ? 1 : 0);
}

function inject_irq(m: Machine, vcpu: Vcpu): void {
  const vector = kvm_apic_has_interrupt(vcpu);
  if (vector < 0) return;
  const busy = vcpu.exception !== EXCEPTION.none || vcpu.irq_injected === 1;
  if (!kvm_arch_interrupt_allowed(vcpu)) {
    vcpu.irq_window = 1;
    return;
  }
  // Allowed by the architecture, but something else goes in with this entry: come back at once.
  if (busy) {
    vcpu.immediate_exit = 1;
    return;
  }
  kvm_apic_ack_interrupt(vcpu, vector);
  vcpu.irq_injected = 1;
  vcpu.irq_vector = vector;
  if (m.emit) m.emit(TP.kvm_inj_virq, vector, 0, 0);
  if (kvm_apic_has_interrupt(vcpu) >= 0) vcpu.irq_window = 1;
}

/** The entry was called off: what was to go in is still to go in. Models kvm_x86_ops.cancel_injection(). */
export function cancel_injection(m: Machine, vcpu: Vcpu): void {
  const cut_short = vcpu.exception === EXCEPTION.injected || vcpu.irq_injected === 1;
  const lost = !guarded(m, vcpu, GUARD.cancel_raises_event);
  if (!lost && (cut_short || vcpu.immediate_exit)) kvm_make_request(KVM_REQ_EVENT, vcpu);
  vcpu.immediate_exit = 0;
}

export const VECTOR = { DF: DF_VECTOR, PF: PF_VECTOR } as const;
