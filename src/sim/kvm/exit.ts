/** VM exits: what each reason does before the run loop goes round again. */

import { unreachable } from '../../base/assert.ts';
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { MSR_X2APIC_ICR } from '../guest/ipi.ts';
import { guest_rip } from '../guest/rip.ts';
import { knobs_of, lapic_in_kernel, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { MP_STATE, type Thread, VCPU_MODE, type Vcpu } from '../schema.ts';
import { pv_enabled } from './async_pf_gate.ts';
import { apf_acknowledged } from './async_pf_x86.ts';
import { kvm_vcpu_has_events } from './block.ts';
import { exit_is_cr3, handle_cr, handle_invlpg, svm_cr_exit_code } from './cr.ts';
import { flush_pml_buffer } from './dirty_log.ts';
import { kvm_queue_exception_e } from './event.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_clear_exception_queue, VECTOR } from './exception.ts';
import { EXIT_CODE, EXIT_REASON, EXIT_REASONS, type ExitReason } from './exit_reason.ts';
import { kvm_apic_send_ipi } from './ipi.ts';
import {
  KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT,
  KVM_ASYNC_PF_SEND_ALWAYS,
  MSR_KVM_ASYNC_PF_ACK,
  MSR_KVM_ASYNC_PF_EN,
  MSR_KVM_ASYNC_PF_INT,
} from './kvm_para.ts';
import { apic_set_eoi } from './lapic.ts';
import { kvm_gfn_to_hva_cache_init } from './memslot.ts';
import { fault_error_code, kvm_mmu_page_fault } from './mmu.ts';
import { clgi_interception, nested_svm_exit_handled, nested_svm_vmrun, stgi_interception } from './nested.ts';
import { iret_interception, nmi_window_interception, svm_complete_iret, WINDOW } from './nmi.ts';
import { KVM_REQ_EVENT, kvm_make_request } from './requests.ts';
import { leave_smm } from './smi.ts';

/** x2APIC EOI. */
export const MSR_X2APIC_EOI = 0x80b;
const APIC_EOI = 0xb0;
const MSR_X2APIC = 0x800;
const APIC_BASE = 0xfee0_0000;
const UPPER = 0x1_0000_0000;
const KVM_TRACE_MMIO_WRITE = 2;
const PIC_MASTER_CMD = 0x20;
const PIC_EOI_COMMAND = 0x20;
const KVM_EXIT_IO = 2;
const KVM_EXIT_HLT = 5;
const KVM_EXIT_MMIO = 6;

function trace_exit(m: Machine, vcpu: Vcpu, reason: ExitReason): void {
  if (!m.emit) return;
  const { host, vcpu_id } = m.places.vcpus[vcpu.id]!;
  const rip = guest_rip(m, vcpu);
  if (m.program.hosts[host]!.isa === 'svm') {
    const cr = reason === EXIT_REASON.cr_write;
    const code = cr ? svm_cr_exit_code(vcpu) : EXIT_CODE[EXIT_REASONS[reason]!].svm;
    const info1 = svm_info1(m, vcpu, reason);
    const info2 = is_fault(reason) ? vcpu.cr2_or_gpa : 0;
    m.emit(TP.kvm_exit, code, rip, 2, info1, info2, 0, 0, vcpu_id);
    if (vcpu.guest_mode) m.emit(TP.kvm_nested_vmexit, code, rip, 2, info1, info2, 0, 0, vcpu_id);
    return;
  }
  // A #PF is told by the interruption information, and its error code and address stand where an exception's do.
  const pf = reason === EXIT_REASON.pf;
  const error_code = pf ? fault_error_code(m, vcpu) : 0;
  const code = EXIT_CODE[EXIT_REASONS[reason]!].vmx;
  const qualification = vmx_qualification(vcpu, reason);
  m.emit(TP.kvm_exit, code, rip, 1, qualification, 0, pf ? VMX_PF_INFO : 0, error_code, vcpu_id);
  if (vcpu.guest_mode)
    m.emit(TP.kvm_nested_vmexit, code, rip, 1, qualification, 0, pf ? VMX_PF_INFO : 0, error_code, vcpu_id);
}

const is_fault = (reason: ExitReason): boolean => reason === EXIT_REASON.npf || reason === EXIT_REASON.pf;
/** Valid, with an error code, a hardware exception, vector 14. */
const VMX_PF_INFO = 0x8000_0b0e;

/** EXITINFO1: the error code of a fault, 1 for a WRMSR. */
function svm_info1(m: Machine, vcpu: Vcpu, reason: ExitReason): number {
  if (is_fault(reason)) return fault_error_code(m, vcpu);
  return reason === EXIT_REASON.msr ? 1 : 0;
}

/** Of an EPT violation the kind of access, of a #PF its address, of a write to a control register which one. */
function vmx_qualification(vcpu: Vcpu, reason: ExitReason): number {
  if (reason === EXIT_REASON.npf) return vcpu.fault_write === 1 ? 0x182 : 0x181;
  if (reason === EXIT_REASON.pf) return vcpu.cr2_or_gpa;
  return reason === EXIT_REASON.cr_write && exit_is_cr3(vcpu) ? 3 : 0;
}

/** Models svm_handle_exit() / vmx_handle_exit() and the handlers below. */
export function handle_exit(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const reason = vcpu.exit_reason;
  vcpu.mode = VCPU_MODE.OUTSIDE_GUEST_MODE;
  vcpu.immediate_exit = 0;
  vcpu.exit_reason = EXIT_REASON.none;
  vcpu.nr_exits += 1;
  if (vcpu.pml_index > 0) flush_pml_buffer(m, vcpu);
  trace_exit(m, vcpu, reason);
  m.observe?.(OBS.exit, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  svm_complete_iret(vcpu);
  if (vcpu.guest_mode && nested_svm_exit_handled(m, vcpu, reason)) return AT['vcpu_run.tail'];
  switch (reason) {
    case EXIT_REASON.npf:
    case EXIT_REASON.pf:
      interrupted_delivery(vcpu);
      return kvm_mmu_page_fault(m, vcpu);
    case EXIT_REASON.cr_write:
      return handle_cr(m, vcpu);
    case EXIT_REASON.invlpg:
      return handle_invlpg(vcpu);
    case EXIT_REASON.vintr:
      vcpu.exit_window &= ~WINDOW.irq;
      kvm_make_request(KVM_REQ_EVENT, vcpu);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.hlt:
      return kvm_emulate_halt(m, vcpu);
    case EXIT_REASON.mmio:
      return handle_apic_mmio(m, vcpu);
    case EXIT_REASON.io:
      return handle_pic_eoi(m, vcpu);
    case EXIT_REASON.msr:
      return kvm_set_msr_common(m, vcpu);
    case EXIT_REASON.iret:
      if (vcpu.nmi_masked) iret_interception(vcpu);
      else nmi_window_interception(vcpu, WINDOW.nmi);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.rsm:
      leave_smm(m, vcpu);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.db:
      nmi_window_interception(vcpu, WINDOW.step | WINDOW.stepped);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.vmrun:
      return nested_svm_vmrun(m, vcpu);
    case EXIT_REASON.stgi:
      return stgi_interception(m, vcpu);
    case EXIT_REASON.clgi:
      return clgi_interception(vcpu);
    case EXIT_REASON.vmmcall:
    case EXIT_REASON.interrupt:
    case EXIT_REASON.pml_full:
    case EXIT_REASON.none:
    case EXIT_REASON.cpuid:
    case EXIT_REASON.nmi:
      return AT['vcpu_run.tail'];
    default:
      return unreachable(reason);
  }
}

/**
 * The fault came while an exception was being delivered, so that is to be delivered again; `pending` stands for one
 * that has not got that far. Models svm_complete_interrupts() / __vmx_complete_interrupts().
 */
function interrupted_delivery(vcpu: Vcpu): void {
  if (vcpu.delivering === EXCEPTION.none) return;
  kvm_clear_exception_queue(vcpu);
  vcpu.exception = vcpu.delivering;
  vcpu.exception_nr = VECTOR.PF;
  vcpu.delivering = EXCEPTION.none;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/**
 * Models kvm_emulate_halt() and __kvm_emulate_halt(), arch/x86/kvm/x86.c. With the LAPIC in user space HLT ends KVM_RUN.
 */
function kvm_emulate_halt(m: Machine, vcpu: Vcpu): At {
  m.observe?.(OBS.hlt, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  if (!lapic_in_kernel(m, vcpu)) {
    vcpu.vmm_halted = 1;
    return exit_to_userspace(m, KVM_EXIT_HLT);
  }
  if (knobs_of(m, vcpu).hlt_emulation !== 'has_events' || !kvm_vcpu_has_events(m, vcpu))
    vcpu.mp_state = MP_STATE.HALTED;
  return AT['vcpu_run.tail'];
}

function exit_to_userspace(m: Machine, reason: number): At {
  if (m.emit) m.emit(TP.kvm_userspace_exit, reason, 0);
  return AT.userspace;
}

/** A write to a LAPIC that the VMM emulates, in a page that is no memory; it finds the register in vcpu.msr. */
function handle_apic_mmio(m: Machine, vcpu: Vcpu): At {
  const register = (vcpu.msr - MSR_X2APIC) * 16;
  if (m.emit) m.emit(TP.kvm_mmio, KVM_TRACE_MMIO_WRITE, 4, APIC_BASE + register, vcpu.msr_data % UPPER);
  return exit_to_userspace(m, KVM_EXIT_MMIO);
}

/** The end of an interrupt that came from the PIC, at its port. */
function handle_pic_eoi(m: Machine, vcpu: Vcpu): At {
  if (m.emit) m.emit(TP.kvm_pio, 1, PIC_MASTER_CMD, 1, 1, PIC_EOI_COMMAND);
  const in_kernel = vmSpec(m, vm_of_vcpu(m, vcpu)).irqchip === 'kernel';
  return in_kernel ? AT['vcpu_run.tail'] : exit_to_userspace(m, KVM_EXIT_IO);
}

/**
 * Without a LAPIC in the kernel there is nothing to raise the ready interrupt on: since 5.8 the MSRs are refused then,
 * with a #GP that Linux survives; whether writing 0 is as well, B11 is about.
 */
function refuses_apf_msr(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.msr !== MSR_KVM_ASYNC_PF_INT && vcpu.msr !== MSR_KVM_ASYNC_PF_EN) return false;
  const { lapic_check } = knobs_of(m, vcpu);
  if (lapic_check === 'none' || vmSpec(m, vm_of_vcpu(m, vcpu)).irqchip !== 'user') return false;
  return lapic_check === 'refuses_all' || vcpu.msr_data !== 0;
}

/**
 * Models kvm_set_msr_common() as far as EOI and the APF MSRs go, arch/x86/kvm/x86.c.
 * Differs: the guest never sets a reserved bit, and its CPUID shows every feature that its version knows.
 */
function kvm_set_msr_common(m: Machine, vcpu: Vcpu): At {
  const done = AT['handle_exit.wrmsr_done'];
  if (refuses_apf_msr(m, vcpu)) return done;
  switch (vcpu.msr) {
    case MSR_X2APIC_EOI: {
      if (m.emit) m.emit(TP.kvm_apic, 1, APIC_EOI, 0);
      const vector = apic_set_eoi(vcpu);
      if (m.emit) m.emit(TP.kvm_eoi, m.places.vcpus[vcpu.id]!.vcpu_id, vector);
      return done;
    }
    case MSR_X2APIC_ICR:
      kvm_apic_send_ipi(m, vcpu);
      return done;
    case MSR_KVM_ASYNC_PF_INT:
      vcpu.apf_int_vector = vcpu.msr_data;
      return done;
    case MSR_KVM_ASYNC_PF_EN:
      return kvm_pv_enable_async_pf(m, vcpu, vcpu.msr_data, done);
    case MSR_KVM_ASYNC_PF_ACK:
      m.observe?.(OBS.ack, vm_of_vcpu(m, vcpu), vcpu.id, -1);
      apf_acknowledged(m, vcpu);
      vcpu.check_return = done;
      return AT.kvm_check_async_pf_completion;
    default:
      return done;
  }
}

/** The EN MSR is written, by the guest or by a VMM, who goes on at `then`. Models kvm_pv_enable_async_pf(), arch/x86/kvm/x86.c. */
export function kvm_pv_enable_async_pf(m: Machine, vcpu: Vcpu, data: number, then: At): At {
  vcpu.apf_en_val = data;
  vcpu.check_return = then;
  if (!pv_enabled(m, vcpu)) return AT.kvm_clear_async_pf_completion_queue;
  // Bits 63:6 are the guest-physical address of the 64-byte area.
  kvm_gfn_to_hva_cache_init(m, vcpu, vm_of_vcpu(m, vcpu), data - (data % 64));
  const { enable_bits, destination } = knobs_of(m, vcpu);
  if (enable_bits === 'copied') {
    vcpu.apf_send_always = (data & KVM_ASYNC_PF_SEND_ALWAYS) !== 0 ? 1 : 0;
    vcpu.apf_delivery_as_pf_vmexit = (data & KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT) !== 0 ? 1 : 0;
  }
  return destination === 'wake_all' ? AT.kvm_async_pf_wakeup_all : then;
}

/** The rest of the exit of a WRMSR. */
export function handle_exit_wrmsr_done(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const refused = refuses_apf_msr(m, vcpu);
  if (m.emit) m.emit(TP.kvm_msr, 1, vcpu.msr, vcpu.msr_data, refused ? 1 : 0);
  if (refused) kvm_queue_exception_e(m, vcpu, VECTOR.GP, 0);
  vcpu.msr = 0;
  vcpu.msr_data = 0;
  return AT['vcpu_run.tail'];
}
