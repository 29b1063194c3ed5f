/**
 * System management interrupts: firmware's own handler, in a mode of its own that NMIs and interrupts do not reach.
 *
 * Entering it blocks NMIs as an NMI would; RSM lifts that, unless the SMI had come into an NMI handler.
 */
import { TP } from '../../trace/all.ts';
import { pop_frame, push_frame } from '../guest/frames.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { FRAME, FRAME_AT, type Vcpu } from '../schema.ts';
import { KVM_REQ_EVENT, KVM_REQ_SMI, kvm_make_request, kvm_vcpu_kick } from './requests.ts';

/** Where the state of the CPU is put while it is in system management mode. */
const SMBASE = 0x3_0000;

/** The VMM asks for one: KVM_SMI. Models kvm_vcpu_ioctl_smi(), arch/x86/kvm/x86.c, and the kick of its sender. */
export function kvm_inject_smi(m: Machine, vcpu: Vcpu): void {
  kvm_make_request(KVM_REQ_SMI, vcpu);
  kvm_vcpu_kick(m, vcpu);
}

/** Models process_smi(), arch/x86/kvm/x86.c. */
export function process_smi(vcpu: Vcpu): void {
  vcpu.smi_pending = 1;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/** Models svm_smi_allowed() and vmx_smi_allowed(): not inside of the mode. Differs: nor in L2. */
export function kvm_smi_allowed(vcpu: Vcpu): boolean {
  return vcpu.smm === 0 && vcpu.guest_mode === 0 && vcpu.gif_masked === 0;
}

/** Goes in with this entry, in the place of an event. Models enter_smm(), arch/x86/kvm/x86.c. */
export function enter_smm(m: Machine, vcpu: Vcpu): void {
  vcpu.smi_pending = 0;
  vcpu.smm = 1;
  vcpu.smm_inside_nmi = vcpu.nmi_masked;
  vcpu.nmi_masked = 1;
  push_frame(m, vcpu, FRAME.smm, FRAME_AT.body, 0, 0);
  trace(m, vcpu, true);
  m.observe?.(OBS.smi, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}

/** The handler has executed RSM, which exits. Models emulator_leave_smm() and kvm_smm_changed(), arch/x86/kvm/x86.c. */
export function leave_smm(m: Machine, vcpu: Vcpu): void {
  vcpu.smm = 0;
  pop_frame(vcpu);
  if (!vcpu.smm_inside_nmi) vcpu.nmi_masked = 0;
  vcpu.smm_inside_nmi = 0;
  trace(m, vcpu, false);
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

function trace(m: Machine, vcpu: Vcpu, entering: boolean): void {
  if (m.emit) m.emit(TP.kvm_smm_transition, m.places.vcpus[vcpu.id]!.vcpu_id, SMBASE, entering ? 1 : 0);
}
