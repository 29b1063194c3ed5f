/**
 * A guest that runs guests: VMRUN, and what makes L2 stop for L1. Models arch/x86/kvm/svm/nested.c, and as far as it
 * looks the same from outside arch/x86/kvm/vmx/nested.c.
 *
 * Differs: L1 intercepts interrupts, NMIs, HLT and hypercalls, and #PF where it shadows L2's tables; no virtual
 * interrupts, so L1 injects nothing into L2; VMLOAD, VMSAVE and the many VMREADs of VMX are not there.
 */
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { guest_rip, vmrun_rip } from '../guest/rip.ts';
import { GUEST_WORK } from '../guest/work.ts';
import { knobs_of, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import type { Knobs } from '../protocol/knobs.ts';
import type { Vcpu } from '../schema.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_clear_exception_queue, kvm_event_needs_reinjection, VECTOR } from './exception.ts';
import { EXIT_CODE, EXIT_REASON, EXIT_REASONS, type ExitReason } from './exit_reason.ts';
import { kvm_cpu_has_interrupt } from './irq.ts';
import { L1_AT } from './nested_state.ts';
import { isSvm, WINDOW } from './nmi.ts';
import { KVM_REQ_EVENT, kvm_make_request } from './requests.ts';

/** Where L1 keeps the control block of its guest, and its guest's tables: guest-physical addresses of L1. */
const VMCB12_GPA = 0x21_0000;
const NESTED_CR3 = 0x40_0000;
const GUEST_CR3 = 0x2000;
/** int_ctl: V_INTR_MASKING. */
const INT_CTL = 0x100_0000;
/** INTR, NMI, HLT, SHUTDOWN; VMRUN and VMMCALL; and #PF among the exceptions. */
const INTERCEPTS = [0x8100_0003, 0x3, 0] as const;
const INTERCEPT_PF = 1 << VECTOR.PF;
const VMX_PF_INFO = 0x8000_0b0e;

/** Whether this version asks L1, by bit 2 of EN, before it tells it of what L2 faults on; else B20. */
export function asks_l1(knobs: Knobs): boolean {
  return knobs.gate.includes('nested_optin') || knobs.deliver.includes('nested_optin');
}

/** Whether L1 wants to see the #PFs of its guest: those that shadow have to. */
function l1_intercepts_pf(m: Machine, vcpu: Vcpu): boolean {
  return vmSpec(m, vm_of_vcpu(m, vcpu)).nested === 'shadow';
}

/**
 * Enters L2, with the registers that L1 has for it. What waits for L1 makes it come out again at once.
 *
 * Models nested_svm_vmrun() and enter_svm_guest_mode(), arch/x86/kvm/svm/nested.c; nested_vmx_run() of VMX.
 */
export function nested_svm_vmrun(m: Machine, vcpu: Vcpu): At {
  const task = m.tasks[vcpu.current - 1]!;
  const npt = !l1_intercepts_pf(m, vcpu);
  const l1_rip = vmrun_rip();
  vcpu.guest_mode = 1;
  vcpu.gif_masked = 0;
  vcpu.nested_run_pending = 1;
  vcpu.guest_work &= ~GUEST_WORK.hypervisor;
  vcpu.exit_window &= ~(WINDOW.irq | WINDOW.nmi);
  vcpu.cpl3 = task.l2_cpl3;
  vcpu.rflags_if = task.l2_if;
  vcpu.op_left_ns = task.l2_left_ns;
  task.l1_at = L1_AT.l2;
  task.l1_exit = EXIT_REASON.none;
  if (vcpu.nmi_pending > 0 || kvm_cpu_has_interrupt(m, vcpu)) kvm_make_request(KVM_REQ_EVENT, vcpu);
  if (m.emit) {
    const isa = isSvm(m, vcpu) ? 2 : 1;
    m.emit(
      TP.kvm_nested_vmenter,
      l1_rip,
      VMCB12_GPA,
      guest_rip(m, vcpu),
      INT_CTL,
      0,
      npt ? 1 : 0,
      npt ? NESTED_CR3 : GUEST_CR3,
      isa,
    );
    if (isa === 2) m.emit(TP.kvm_nested_intercepts, 0, 0, npt ? 0 : INTERCEPT_PF, ...INTERCEPTS);
  }
  m.observe?.(OBS.vmrun, vm_of_vcpu(m, vcpu), task.id, -1);
  return AT['vcpu_run.tail'];
}

/**
 * L2 stops for L1, which goes on behind its VMRUN with the reason: the way of everything that L1 intercepts. What was
 * still to be delivered to L2 does not end up in L1.
 *
 * Models nested_svm_vmexit(), arch/x86/kvm/svm/nested.c, and nested_vmx_vmexit() of VMX.
 */
export function nested_svm_vmexit(m: Machine, vcpu: Vcpu, reason: ExitReason, token: number): void {
  const task = m.tasks[vcpu.current - 1]!;
  if (m.emit) {
    const { svm, vmx } = EXIT_CODE[EXIT_REASONS[reason]!];
    if (isSvm(m, vcpu)) m.emit(TP.kvm_nested_vmexit_inject, svm, 0, token, 0, 0, 2);
    else m.emit(TP.kvm_nested_vmexit_inject, vmx, token, 0, reason === EXIT_REASON.pf ? VMX_PF_INFO : 0, 0, 1);
  }
  task.l2_cpl3 = vcpu.cpl3;
  task.l2_if = vcpu.rflags_if;
  task.l2_left_ns = vcpu.op_left_ns;
  task.l1_at = L1_AT.exit;
  task.l1_exit = reason;
  task.l1_info = token;
  vcpu.guest_mode = 0;
  vcpu.gif_masked = isSvm(m, vcpu) ? 1 : 0;
  vcpu.nested_run_pending = 0;
  forget_exception_vmexit(vcpu);
  kvm_clear_exception_queue(vcpu);
  vcpu.guest_work |= GUEST_WORK.hypervisor;
  vcpu.op_left_ns = 0;
  vcpu.cpl3 = 0;
  vcpu.rflags_if = 0;
  vcpu.shadow = 0;
  vcpu.in_hlt = 0;
  m.observe?.(OBS.reflected, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}

/**
 * The first look at an exit out of L2: what was queued for L1 and did not go in is gone; what L1 intercepts is L1's.
 * True where the exit is dealt with.
 *
 * Models kvm_clear_exception_queue() as svm_complete_interrupts() calls it, and nested_svm_exit_handled().
 */
export function nested_svm_exit_handled(m: Machine, vcpu: Vcpu, reason: ExitReason): boolean {
  vcpu.nested_run_pending = 0;
  drop_exception_vmexit(m, vcpu);
  switch (reason) {
    case EXIT_REASON.hlt:
    case EXIT_REASON.vmmcall:
      nested_svm_vmexit(m, vcpu, reason, 0);
      return true;
    default:
      return false;
  }
}

/**
 * Queues a #PF exit to L1 for a fault of L2: its payload is the token. From 6.1 on nobody requests the look at events
 * that would make an exit of it (B35).
 *
 * Models kvm_queue_exception_vmexit(), arch/x86/kvm/x86.c; before 6.1 kvm_inject_page_fault() with nested_apf_token.
 */
export function kvm_queue_exception_vmexit(m: Machine, vcpu: Vcpu, token: number): void {
  vcpu.exception_vmexit = 1;
  vcpu.exception_vmexit_token = token;
  if (knobs_of(m, vcpu).nested_event_request === 'yes') kvm_make_request(KVM_REQ_EVENT, vcpu);
}

function forget_exception_vmexit(vcpu: Vcpu): void {
  vcpu.exception_vmexit = 0;
  vcpu.exception_vmexit_token = 0;
}

/** Any exit, and any entry that is called off, clears the exception queue; what is queued for L1 is part of that. */
export function drop_exception_vmexit(m: Machine, vcpu: Vcpu): void {
  if (!vcpu.exception_vmexit) return;
  forget_exception_vmexit(vcpu);
  m.observe?.(OBS.l1_exit_dropped, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}

/**
 * What makes L2 stop for L1 before it is entered: a queued #PF exit, an NMI, an interrupt. False where that has to wait
 * until L2 has been entered once, or behind an event that goes in: then it comes out again at once.
 *
 * Models svm_check_nested_events(), arch/x86/kvm/svm/nested.c, and vmx_check_nested_events().
 */
export function kvm_check_nested_events(m: Machine, vcpu: Vcpu): boolean {
  const token = exception_for_l1(m, vcpu);
  // Since 5.8 an exception of L2's own goes in before an interrupt takes it out; before, it is dropped on the way out.
  const own = token < 0 && vcpu.exception === EXCEPTION.pending;
  if (own && knobs_of(m, vcpu).behind_injected === 'immediate_exit') {
    if (vcpu.nested_run_pending) vcpu.immediate_exit = 1;
    return vcpu.nested_run_pending === 0;
  }
  const irq = kvm_cpu_has_interrupt(m, vcpu);
  if (token < 0 && vcpu.nmi_pending === 0 && !irq) return true;
  // A token that comes with VMRUN itself, a ready #PF up to 5.7, makes L1 go on before L2 has run (exit_required).
  if ((vcpu.nested_run_pending && token < 0) || kvm_event_needs_reinjection(vcpu)) {
    vcpu.immediate_exit = 1;
    return false;
  }
  if (token >= 0) {
    kvm_clear_exception_queue(vcpu);
    nested_svm_vmexit(m, vcpu, EXIT_REASON.pf, token);
    m.observe?.(OBS.l1_told, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  } else if (vcpu.nmi_pending > 0) nested_svm_vmexit(m, vcpu, EXIT_REASON.nmi, 0);
  else {
    if (m.emit) m.emit(TP.kvm_nested_intr_vmexit, guest_rip(m, vcpu));
    nested_svm_vmexit(m, vcpu, EXIT_REASON.interrupt, 0);
  }
  return true;
}

/** Token of an exception that is to be an exit to L1: queued as one, or a #PF for L2 that L1 happens to intercept. */
function exception_for_l1(m: Machine, vcpu: Vcpu): number {
  if (vcpu.exception_vmexit) return vcpu.exception_vmexit_token;
  const pf = vcpu.exception === EXCEPTION.pending && vcpu.exception_nr === VECTOR.PF;
  return pf && l1_intercepts_pf(m, vcpu) ? vcpu.exception_token : -1;
}

/** L1 takes interrupts again. Models stgi_interception() and svm_set_gif(), arch/x86/kvm/svm/svm.c. */
export function stgi_interception(m: Machine, vcpu: Vcpu): At {
  vcpu.gif_masked = 0;
  if (vcpu.smi_pending || vcpu.nmi_pending > 0 || kvm_cpu_has_interrupt(m, vcpu)) kvm_make_request(KVM_REQ_EVENT, vcpu);
  return AT['vcpu_run.tail'];
}

/** And takes none. Models clgi_interception(): a window that was asked for is no longer wanted. */
export function clgi_interception(vcpu: Vcpu): At {
  vcpu.gif_masked = 1;
  vcpu.exit_window &= ~WINDOW.irq;
  return AT['vcpu_run.tail'];
}
