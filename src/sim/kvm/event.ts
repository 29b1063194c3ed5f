/**
 * Exceptions and interrupts on their way into the guest.
 *
 * Pending: not yet written to the entry fields. Injected: written, and to be written again if the delivery was cut
 * short. Both #PFs of asynchronous page faults and real interrupts go through here.
 */

import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { knobs_of, lapic_in_kernel, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Thread, Vcpu } from '../schema.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_event_needs_reinjection, set_exception, VECTOR } from './exception.ts';
import { kvm_cpu_accept_dm_intr, kvm_cpu_get_interrupt, kvm_cpu_has_interrupt } from './irq.ts';
import { drop_exception_vmexit, kvm_check_nested_events } from './nested.ts';
import { enable_nmi_window, inject_nmi, kvm_nmi_allowed, WINDOW } from './nmi.ts';
import { KVM_REQ_EVENT, KVM_REQ_TRIPLE_FAULT, kvm_check_request, kvm_make_request } from './requests.ts';
import { enter_smm, kvm_smi_allowed } from './smi.ts';
import { accept_events, kvm_apic_has_events } from './startup.ts';

/** Models svm_interrupt_allowed() / vmx_interrupt_allowed(). */
export function kvm_arch_interrupt_allowed(vcpu: Vcpu): boolean {
  // L1 has its guest exit for them.
  if (vcpu.guest_mode) return true;
  return vcpu.rflags_if === 1 && vcpu.shadow === 0 && vcpu.gif_masked === 0;
}

const CONTRIBUTORY: readonly number[] = [VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP];

/** What two exceptions make of each other. Models exception_class(), arch/x86/kvm/x86.c. */
function exception_class(nr: number): 'benign' | 'contributory' | 'pf' {
  if (nr === VECTOR.PF) return 'pf';
  return CONTRIBUTORY.includes(nr) ? 'contributory' : 'benign';
}

/**
 * Queues an exception behind which no other stands yet. Of two, a contributory one behind another or behind a #PF makes
 * a #DF, and one behind a #DF shuts the guest down; else the later takes the place of the earlier, whose instruction
 * will bring it again. False where what was queued is not the exception itself.
 *
 * Models kvm_multiple_exception(), arch/x86/kvm/x86.c.
 */
function kvm_multiple_exception(m: Machine, vcpu: Vcpu, nr: number, error_code: number, token: number): boolean {
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  if (vcpu.exception !== EXCEPTION.none) {
    if (vcpu.exception_nr === VECTOR.DF) {
      kvm_make_request(KVM_REQ_TRIPLE_FAULT, vcpu);
      return false;
    }
    const before = exception_class(vcpu.exception_nr);
    const after = exception_class(nr);
    if ((before === 'contributory' && after === 'contributory') || (before === 'pf' && after !== 'benign')) {
      set_exception(vcpu, VECTOR.DF, 0, 0);
      m.observe?.(OBS.double_fault, vm_of_vcpu(m, vcpu), vcpu.id, -1);
      return false;
    }
  }
  set_exception(vcpu, nr, error_code, token);
  return true;
}

/** Queues an exception with an error code. Models kvm_queue_exception_e(), arch/x86/kvm/x86.c. */
export function kvm_queue_exception_e(m: Machine, vcpu: Vcpu, nr: number, error_code: number): void {
  kvm_multiple_exception(m, vcpu, nr, error_code, 0);
}

/**
 * Queues a #PF. Its address goes to CR2: at once up to 4.19, whatever becomes of the exception; since then with it, as
 * its payload. `token` is that of an asynchronous fault, which is the address as well; 0 for any other.
 *
 * Models kvm_inject_page_fault(), arch/x86/kvm/x86.c.
 */
export function kvm_inject_page_fault(m: Machine, vcpu: Vcpu, error_code: number, address: number, token = 0): void {
  const at_once = knobs_of(m, vcpu).cr2_written === 'when_queued';
  if (at_once) vcpu.cr2 = address;
  if (!kvm_multiple_exception(m, vcpu, VECTOR.PF, error_code, token) || at_once) return;
  vcpu.exception_payload = address;
  vcpu.exception_has_payload = 1;
}

/** CR2 gets what the exception has brought for it. Models kvm_deliver_exception_payload(), arch/x86/kvm/x86.c. */
export function kvm_deliver_exception_payload(vcpu: Vcpu): void {
  if (!vcpu.exception_has_payload) return;
  vcpu.cr2 = vcpu.exception_payload;
  vcpu.exception_payload = 0;
  vcpu.exception_has_payload = 0;
}

/**
 * Decides what goes in with this entry: what was being delivered first, then a new exception, an NMI, an interrupt.
 *
 * Models kvm_check_and_inject_events(), arch/x86/kvm/x86.c (inject_pending_event() before 6.1). What has to wait behind
 * something that goes in makes the vCPU come back at once since 5.8; before, it waited for its window.
 */
export function kvm_check_and_inject_events(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (kvm_apic_has_events(vcpu)) return accept_events(vcpu, AT.kvm_check_and_inject_events);
  const asked = vcpu.request_interrupt_window === 1;
  if (!kvm_check_request(KVM_REQ_EVENT, vcpu) && !asked) return AT['vcpu_enter_guest.in_guest_mode'];
  inject_pending_event(m, vcpu);
  // The VMM wants to know when it can hand an interrupt in.
  if (asked && kvm_cpu_accept_dm_intr(m, vcpu)) vcpu.exit_window |= WINDOW.irq;
  return AT['vcpu_enter_guest.in_guest_mode'];
}

function inject_pending_event(m: Machine, vcpu: Vcpu): void {
  const reinjected = reinject(m, vcpu);
  if (vcpu.guest_mode && !kvm_check_nested_events(m, vcpu)) return;
  let can_inject = !reinjected && !inject_exception(m, vcpu);
  if (vcpu.smi_pending) {
    if (!can_inject && comes_back_at_once(m, vcpu)) return;
    if (can_inject && kvm_smi_allowed(vcpu)) {
      enter_smm(m, vcpu);
      can_inject = false;
    }
  }
  if (vcpu.nmi_pending > 0) {
    if (!can_inject && comes_back_at_once(m, vcpu)) return;
    if (can_inject && kvm_nmi_allowed(vcpu)) {
      vcpu.nmi_pending -= 1;
      inject_nmi(vcpu);
      can_inject = false;
    }
    if (vcpu.nmi_pending > 0) enable_nmi_window(m, vcpu);
  }
  inject_irq(m, vcpu, can_inject);
}

/** What the exit says was being delivered, or what an entry that was called off would have delivered. */
function reinject(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.exception === EXCEPTION.injected) {
    trace_exception(m, vcpu, true);
    return true;
  }
  if (vcpu.exception === EXCEPTION.pending) return false;
  if (vcpu.nmi_injected) return true;
  if (!vcpu.irq_injected) return false;
  if (m.emit) m.emit(TP.kvm_inj_virq, vcpu.irq_vector, 0, 1);
  return true;
}

function inject_exception(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.exception !== EXCEPTION.pending) return false;
  vcpu.exception = EXCEPTION.injected;
  trace_exception(m, vcpu, false);
  kvm_deliver_exception_payload(vcpu);
  if (vcpu.exception_nr === VECTOR.PF) m.observe?.(OBS.injected, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  // An interrupt or NMI whose delivery was cut short waits behind the exception.
  if (vcpu.irq_injected || vcpu.nmi_injected) vcpu.immediate_exit = 1;
  return true;
}

function trace_exception(m: Machine, vcpu: Vcpu, reinjected: boolean): void {
  if (m.emit) m.emit(TP.kvm_inj_exception, vcpu.exception_nr, 1, vcpu.exception_error_code, reinjected ? 1 : 0);
}

/** Something else goes in with this entry: since 5.8 the entry is followed by an exit at once. */
function comes_back_at_once(m: Machine, vcpu: Vcpu): boolean {
  if (knobs_of(m, vcpu).behind_injected !== 'immediate_exit') return false;
  vcpu.immediate_exit = 1;
  return true;
}

function inject_irq(m: Machine, vcpu: Vcpu, can_inject: boolean): void {
  if (!kvm_cpu_has_interrupt(m, vcpu)) return;
  if (!can_inject && comes_back_at_once(m, vcpu)) return;
  if (!can_inject || !kvm_arch_interrupt_allowed(vcpu)) {
    vcpu.exit_window |= WINDOW.irq;
    return;
  }
  const vector = kvm_cpu_get_interrupt(m, vcpu);
  vcpu.irq_injected = 1;
  vcpu.irq_vector = vector;
  if (m.emit) m.emit(TP.kvm_inj_virq, vector, 0, 0);
  if (lapic_in_kernel(m, vcpu) && kvm_cpu_has_interrupt(m, vcpu)) vcpu.exit_window |= WINDOW.irq;
}

/** The entry was called off: what was to go in is still to go in. Models kvm_x86_ops.cancel_injection(). */
export function cancel_injection(m: Machine, vcpu: Vcpu): void {
  const lost = !guarded(m, vcpu, GUARD.cancel_raises_event);
  if (!lost && (kvm_event_needs_reinjection(vcpu) || vcpu.immediate_exit)) kvm_make_request(KVM_REQ_EVENT, vcpu);
  vcpu.immediate_exit = 0;
  drop_exception_vmexit(m, vcpu);
}
