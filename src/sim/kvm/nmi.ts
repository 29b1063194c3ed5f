/**
 * Non-maskable interrupts: how they come in, how many are kept, what blocks them, how the host learns that nothing does.
 *
 * The newcomer's mistake is to take IF for what blocks them. An NMI blocks the next ones from its delivery until an
 * IRET, and any IRET will do: that of an exception handler inside of the NMI handler lets the next NMI in too early.
 */
import { TP } from '../../trace/all.ts';
import { knobs_of, lapic_in_kernel, type Machine, vm_of_vcpu } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { NMI_IRET } from './event_state.ts';
import { EXIT_REASON } from './exit_reason.ts';
import { KVM_REQ_EVENT, KVM_REQ_NMI, kvm_make_request, kvm_vcpu_kick } from './requests.ts';

/** Exits that the host asks for: bits of vcpu.exit_window. `stepped`: the instruction that `step` waits for is done. */
export const WINDOW = { irq: 1, nmi: 2, step: 4, stepped: 8 } as const;

/** APIC_DM_NMI, as tracepoints print it. */
const APIC_DM_NMI = 0x400;
const MSI_ADDRESS = 0xfee0_0000;
const NMI_QUEUED_MAX = 255;

export function isSvm(m: Machine, vcpu: Vcpu): boolean {
  return m.program.hosts[m.places.vcpus[vcpu.id]!.host]!.isa === 'svm';
}

/**
 * Notes an NMI. Models kvm_inject_nmi(), arch/x86/kvm/x86.c: 2.6.38 sets a flag, so that two are one; since 3.2 they are
 * counted, and the vCPU thread sorts them out.
 */
export function kvm_inject_nmi(m: Machine, vcpu: Vcpu): void {
  if (knobs_of(m, vcpu).nmi_queue === 'flag') {
    vcpu.nmi_pending = 1;
    kvm_make_request(KVM_REQ_EVENT, vcpu);
    return;
  }
  vcpu.nmi_queued = Math.min(vcpu.nmi_queued + 1, NMI_QUEUED_MAX);
  kvm_make_request(KVM_REQ_NMI, vcpu);
}

/**
 * An NMI arrives at a LAPIC, as a message or from the vCPU's own local interrupts; `sender` is a row of places.nmis, -1
 * for none that a scenario could name. It does not matter whether the LAPIC is enabled.
 *
 * Models the NMI case of __apic_accept_irq(), arch/x86/kvm/lapic.c.
 */
function kvm_apic_accept_nmi(m: Machine, vcpu: Vcpu, sender: number): void {
  if (m.emit) m.emit(TP.kvm_apic_accept_irq, m.places.vcpus[vcpu.id]!.vcpu_id, APIC_DM_NMI, 0, 0, 0);
  note_sender(vcpu, sender);
  kvm_inject_nmi(m, vcpu);
  kvm_vcpu_kick(m, vcpu);
}

/** Remembers who sent it, for those who ask what the guest has taken. */
export function note_sender(vcpu: Vcpu, sender: number): void {
  if (sender >= 0 && !vcpu.nmi_senders.has(sender)) vcpu.nmi_senders.push(sender);
}

/**
 * The VMM, or a watchdog outside of the CPU, sends an NMI as a message: KVM_SIGNAL_MSI with delivery mode NMI.
 *
 * Models kvm_send_userspace_msi(), virt/kvm/irqchip.c.
 */
export function send_nmi(m: Machine, vcpu: Vcpu, sender: number): void {
  const { vcpu_id } = m.places.vcpus[vcpu.id]!;
  if (m.emit) m.emit(TP.kvm_msi_set_irq, MSI_ADDRESS + (vcpu_id << 12), APIC_DM_NMI);
  kvm_apic_accept_nmi(m, vcpu, sender);
}

/**
 * Of what has come in keeps as many as a CPU would: one running and one behind it.
 *
 * Models process_nmi(), arch/x86/kvm/x86.c.
 */
export function process_nmi(vcpu: Vcpu): void {
  const limit = vcpu.nmi_masked || vcpu.nmi_injected ? 1 : 2;
  vcpu.nmi_pending = Math.min(vcpu.nmi_pending + vcpu.nmi_queued, limit);
  vcpu.nmi_queued = 0;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/**
 * A performance counter has overflowed: its local interrupt is set up as an NMI, as a guest's NMI watchdog does.
 *
 * Models kvm_pmu_deliver_pmi(), arch/x86/kvm/pmu.c, and kvm_apic_local_deliver() for APIC_LVTPC.
 */
export function kvm_pmu_deliver_pmi(m: Machine, vcpu: Vcpu): void {
  if (lapic_in_kernel(m, vcpu)) kvm_apic_accept_nmi(m, vcpu, -1);
}

/** Models svm_nmi_allowed() and vmx_nmi_allowed(): neither blocked by an NMI before, nor in the shadow of STI or MOV SS. */
export function kvm_nmi_allowed(vcpu: Vcpu): boolean {
  return vcpu.guest_mode === 1 || (vcpu.nmi_masked === 0 && vcpu.shadow === 0 && vcpu.gif_masked === 0);
}

/** Writes an NMI to the entry fields. Models svm_inject_nmi(): from here on NMIs are blocked, and IRET is intercepted. */
export function inject_nmi(vcpu: Vcpu): void {
  vcpu.nmi_injected = 1;
  vcpu.nmi_masked = 1;
  vcpu.nmi_iret = NMI_IRET.none;
}

/**
 * Asks for an exit as soon as the next NMI could be taken. VMX has a window for it. SVM intercepts the IRET that ends the
 * blocking, and single-steps over whatever else is in the way: that IRET itself, or a shadow.
 *
 * Models svm_enable_nmi_window(), arch/x86/kvm/svm/svm.c, and vmx_enable_nmi_window(), arch/x86/kvm/vmx/vmx.c.
 * Differs: in the shadow of STI VMX asks for the interrupt window instead, which opens at the same moment.
 */
export function enable_nmi_window(m: Machine, vcpu: Vcpu): void {
  // STGI is an exit anyway.
  if (vcpu.gif_masked) return;
  if (!isSvm(m, vcpu)) vcpu.exit_window |= WINDOW.nmi;
  else if (!vcpu.nmi_masked || vcpu.nmi_iret !== NMI_IRET.none) vcpu.exit_window |= WINDOW.step;
}

/** Whether the guest's next IRET is intercepted. */
export function iret_intercepted(m: Machine, vcpu: Vcpu): boolean {
  return vcpu.nmi_masked === 1 && vcpu.nmi_iret === NMI_IRET.none && isSvm(m, vcpu);
}

/** The reason for which the guest must leave before its next instruction, of those that the host has asked for. */
export function window_opened(vcpu: Vcpu): (typeof EXIT_REASON)[keyof typeof EXIT_REASON] {
  const wanted = vcpu.exit_window;
  if ((wanted & WINDOW.stepped) !== 0) return EXIT_REASON.db;
  if ((wanted & WINDOW.nmi) !== 0 && kvm_nmi_allowed(vcpu)) return EXIT_REASON.iret;
  if ((wanted & WINDOW.irq) !== 0 && vcpu.rflags_if && !vcpu.shadow && !vcpu.gif_masked) return EXIT_REASON.vintr;
  // One instruction, and out again.
  if ((wanted & WINDOW.step) !== 0) vcpu.exit_window = wanted | WINDOW.stepped;
  return EXIT_REASON.none;
}

/** The guest is about to execute an IRET that ends the blocking. Models iret_interception(), arch/x86/kvm/svm/svm.c. */
export function iret_interception(vcpu: Vcpu): void {
  vcpu.nmi_iret = NMI_IRET.intercepted;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/** The guest has executed an IRET, of whatever handler. On SVM the host finds out at the next exit. */
export function iret_unblocks_nmi(vcpu: Vcpu): void {
  if (vcpu.nmi_iret === NMI_IRET.intercepted) vcpu.nmi_iret = NMI_IRET.executed;
  else if (vcpu.nmi_iret === NMI_IRET.none) vcpu.nmi_masked = 0;
}

/** The window has opened, or the single step is done. Models handle_nmi_window() of VMX and db_interception() of SVM. */
export function nmi_window_interception(vcpu: Vcpu, windows: number): void {
  vcpu.exit_window &= ~windows;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/** The look at where an intercepted IRET went to. Models the top of svm_complete_interrupts(). */
export function svm_complete_iret(vcpu: Vcpu): void {
  if (vcpu.nmi_iret !== NMI_IRET.executed) return;
  vcpu.nmi_iret = NMI_IRET.none;
  vcpu.nmi_masked = 0;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/** Whether an NMI that came now would not be held back by one before, as the guest itself would find. */
export function nmi_unmasked(vcpu: Vcpu): boolean {
  return vcpu.nmi_masked === 0 || vcpu.nmi_iret === NMI_IRET.executed;
}

/** The VM whose guest setting `apf_in_nmi` counts. */
export function takes_apf_in_nmi(m: Machine, vcpu: Vcpu): boolean {
  return m.program.vms[vm_of_vcpu(m, vcpu)]!.guest.apf_in_nmi;
}
