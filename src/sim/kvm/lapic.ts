/** The local APIC as far as it decides what is delivered when: IRR, ISR, the software enable, the timer. */

import { TP } from '../../trace/all.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { as_ordered } from '../order.ts';
import { ORDERED } from '../ordered.ts';
import type { Vcpu } from '../schema.ts';
import { KVM_REQ_APF_READY, KVM_REQ_EVENT, KVM_REQ_UNBLOCK, kvm_make_request, kvm_vcpu_kick } from './requests.ts';

/** The highest vector of a register of 256 bits, of which these are 32. */
function vector_of(index: number, bits: number): number {
  return index * 32 + 31 - Math.clz32(bits);
}

export function apic_find_highest_irr(vcpu: Vcpu): number {
  for (let index = 7; index >= 0; index -= 1) {
    const bits = vcpu.lapic_irr(index);
    if (bits !== 0) return vector_of(index, bits);
  }
  return -1;
}
export function apic_find_highest_isr(vcpu: Vcpu): number {
  for (let index = 7; index >= 0; index -= 1) {
    const bits = vcpu.lapic_isr(index);
    if (bits !== 0) return vector_of(index, bits);
  }
  return -1;
}

/**
 * The vector that could be taken now, ignoring RFLAGS.IF: of a higher class than what is in service, LAPIC enabled. -1
 * for none. Class 0, the vectors below 16, is higher than nothing: a vector 0 that was never set stays in IRR for ever.
 *
 * Models kvm_apic_has_interrupt() and apic_has_interrupt_for_ppr(), arch/x86/kvm/lapic.c. Differs: TPR is 0.
 */
export function kvm_apic_has_interrupt(vcpu: Vcpu): number {
  if (!vcpu.lapic_enabled) return -1;
  const vector = apic_find_highest_irr(vcpu);
  if (vector < 0) return -1;
  const in_service = Math.max(apic_find_highest_isr(vcpu), 0);
  return vector >> 4 <= in_service >> 4 ? -1 : vector;
}

/** False where the bit was set already. */
export function apic_set_irr(vcpu: Vcpu, vector: number): boolean {
  const index = vector >> 5;
  const irr = vcpu.lapic_irr(index);
  const bit = 1 << (vector & 31);
  vcpu.set_lapic_irr(index, irr | bit);
  return (irr & bit) === 0;
}

/** Moves a vector from IRR to ISR. */
export function kvm_apic_ack_interrupt(vcpu: Vcpu, vector: number): void {
  const bit = 1 << (vector & 31);
  const index = vector >> 5;
  vcpu.set_lapic_irr(index, vcpu.lapic_irr(index) & ~bit);
  vcpu.set_lapic_isr(index, vcpu.lapic_isr(index) | bit);
}

/**
 * Raises a fixed interrupt on a vCPU. Disabled in software, the LAPIC takes nothing but what wakes it otherwise.
 *
 * Models kvm_apic_set_irq() and __apic_accept_irq(), arch/x86/kvm/lapic.c.
 */
export function kvm_apic_set_irq(m: Machine, vcpu: Vcpu, vector: number): void {
  as_ordered(m, ORDERED.interrupt, vcpu, vector, set_irr);
}

/** The vector stands in IRR, and the vCPU is made to look. Models __apic_accept_irq(), arch/x86/kvm/lapic.c. */
export function set_irr(m: Machine, vcpu: Vcpu, vector: number): void {
  if (!vcpu.lapic_enabled) return;
  const coalesced = !apic_set_irr(vcpu, vector);
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  if (m.emit) m.emit(TP.kvm_apic_accept_irq, m.places.vcpus[vcpu.id]!.vcpu_id, 0, 0, vector, coalesced ? 1 : 0);
  kvm_vcpu_kick(m, vcpu);
}

/** The guest's EOI: ends what is in service. Returns the vector, or -1. */
export function apic_set_eoi(vcpu: Vcpu): number {
  const vector = apic_find_highest_isr(vcpu);
  if (vector < 0) return -1;
  const index = vector >> 5;
  vcpu.set_lapic_isr(index, vcpu.lapic_isr(index) & ~(1 << (vector & 31)));
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  return vector;
}

/**
 * A LAPIC timer of a vCPU has expired. Expiries of one vector that nobody has taken yet are one, and kick once.
 *
 * Models apic_timer_expired(), arch/x86/kvm/lapic.c.
 * Differs: a scenario may give a vCPU several timers, each with a vector of its own.
 */
export function apic_timer_expired(m: Machine, vcpu: Vcpu, vector: number): void {
  const pending = vcpu.lapic_timer_pending(vector >> 5);
  const bit = 1 << (vector & 31);
  if ((pending & bit) !== 0) return;
  vcpu.set_lapic_timer_pending(vector >> 5, pending | bit);
  kvm_make_request(KVM_REQ_UNBLOCK, vcpu);
  kvm_vcpu_kick(m, vcpu);
}

/** Vector of an expired timer that is still to be injected, or -1. */
export function pending_timer(vcpu: Vcpu): number {
  for (let index = 7; index >= 0; index -= 1) {
    const bits = vcpu.lapic_timer_pending(index);
    if (bits !== 0) return vector_of(index, bits);
  }
  return -1;
}

/** Models kvm_inject_apic_timer_irqs(), arch/x86/kvm/lapic.c. */
export function kvm_inject_pending_timer_irqs(m: Machine, vcpu: Vcpu): void {
  for (let vector = pending_timer(vcpu); vector >= 0; vector = pending_timer(vcpu)) {
    vcpu.set_lapic_timer_pending(vector >> 5, vcpu.lapic_timer_pending(vector >> 5) & ~(1 << (vector & 31)));
    kvm_apic_set_irq(m, vcpu, vector);
  }
}

/** The guest, or a scenario in its place, writes SPIV. Models apic_set_spiv(), arch/x86/kvm/lapic.c. */
export function apic_set_spiv(m: Machine, vcpu: Vcpu, enabled: boolean, rearm_apf: boolean): void {
  const was = vcpu.lapic_enabled;
  vcpu.lapic_enabled = enabled ? 1 : 0;
  if (!enabled || was) return;
  m.observe?.(OBS.lapic_enabled, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  if (rearm_apf) {
    kvm_make_request(KVM_REQ_APF_READY, vcpu);
    kvm_vcpu_kick(m, vcpu);
  }
}
