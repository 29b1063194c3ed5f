/** vcpu->requests: bits that make a vCPU thread look at something before it enters the guest. */

import { resched_cpu, wake_up_process } from '../host/sched.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { as_ordered } from '../order.ts';
import { ORDERED } from '../ordered.ts';
import { VCPU_MODE, type Vcpu } from '../schema.ts';

export const KVM_REQ_APF_HALT = 1;
export const KVM_REQ_APF_READY = 2;
export const KVM_REQ_EVENT = 4;
export const KVM_REQ_NMI = 8;
export const KVM_REQ_UNHALT = 16;
export const KVM_REQ_UNBLOCK = 32;
export const KVM_REQ_TRIPLE_FAULT = 64;
export const KVM_REQ_SMI = 128;
export const KVM_REQ_PMI = 256;
export const KVM_REQ_TLB_FLUSH = 512;
export const KVM_REQ_DIRTY_RING_SOFT_FULL = 0x1000;

/** Names for views, in bit order. */
export const KVM_REQ_NAMES = [
  'APF_HALT',
  'APF_READY',
  'EVENT',
  'NMI',
  'UNHALT',
  'UNBLOCK',
  'TRIPLE_FAULT',
  'SMI',
  'PMI',
  'TLB_FLUSH',
] as const;

/**
 * Order in which vcpu_enter_guest() looks, by the version that brought it; UNHALT and UNBLOCK are looked at elsewhere.
 * Between 5.8 and 6.1 nothing moved. 2.6.39 has none of SMI, NMI, PMI and APF_READY there: SMI and NMI came in the order
 * of 5.8, and what 2.6.39 has is in it as well.
 */
export const REQUEST_ORDER = {
  linux_5_8: [
    KVM_REQ_TLB_FLUSH,
    KVM_REQ_TRIPLE_FAULT,
    KVM_REQ_APF_HALT,
    KVM_REQ_SMI,
    KVM_REQ_NMI,
    KVM_REQ_PMI,
    KVM_REQ_APF_READY,
  ],
  linux_6_12: [
    KVM_REQ_TLB_FLUSH,
    KVM_REQ_TRIPLE_FAULT,
    KVM_REQ_APF_HALT,
    KVM_REQ_PMI,
    KVM_REQ_SMI,
    KVM_REQ_NMI,
    KVM_REQ_APF_READY,
  ],
} as const;

export function kvm_make_request(request: number, vcpu: Vcpu): void {
  vcpu.requests |= request;
}

export function kvm_test_request(request: number, vcpu: Vcpu): boolean {
  return (vcpu.requests & request) !== 0;
}

/** Tests and clears. */
export function kvm_check_request(request: number, vcpu: Vcpu): boolean {
  if ((vcpu.requests & request) === 0) return false;
  vcpu.requests &= ~request;
  return true;
}

/**
 * Whether anything is requested; if so the vCPU must not enter. UNBLOCK counts: a timer that expires on the way to the
 * entry, when no interrupt of its kicker can reach the guest yet, is seen in no other way.
 */
export function kvm_request_pending(vcpu: Vcpu): boolean {
  return vcpu.requests !== 0;
}

/** Wakes a vCPU thread that sleeps in kvm_vcpu_block(). Models rcuwait_wake_up(), kernel/exit.c. */
export function kvm_vcpu_wake_up(m: Machine, vcpu: Vcpu): boolean {
  if (!vcpu.waiting) return false;
  wake_up_process(m, m.threads[m.places.vcpus[vcpu.id]!.thread]!);
  return true;
}

/**
 * Wakes a sleeping vCPU, or makes a running one leave the guest.
 *
 * Models kvm_vcpu_kick(), virt/kvm/kvm_main.c. Differs: the cmpxchg of mode and the interrupt it sends are one step.
 */
export function kvm_vcpu_kick(m: Machine, vcpu: Vcpu): void {
  vcpu.nr_kicks += 1;
  m.observe?.(OBS.kick, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  as_ordered(m, ORDERED.kick, vcpu, 0, wake_or_interrupt);
}

export function wake_or_interrupt(m: Machine, vcpu: Vcpu): void {
  if (kvm_vcpu_wake_up(m, vcpu)) return;
  if (vcpu.mode !== VCPU_MODE.IN_GUEST_MODE) return;
  vcpu.mode = VCPU_MODE.EXITING_GUEST_MODE;
  as_ordered(m, ORDERED.ipi, vcpu, 0, send_reschedule_ipi);
}

/** Models smp_send_reschedule(). */
export function send_reschedule_ipi(m: Machine, vcpu: Vcpu): void {
  const thread = m.threads[m.places.vcpus[vcpu.id]!.thread]!;
  if (thread.on_cpu && m.clock.current_thread !== thread.id) {
    const cpu = m.cpus[thread.cpu]!;
    const need_resched = cpu.need_resched;
    resched_cpu(m, cpu);
    cpu.need_resched = need_resched;
  }
}
