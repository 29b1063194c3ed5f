/** VM exits: what each reason does before the run loop goes round again. */
import { unreachable } from '../../base/assert.ts';
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { MSR_X2APIC_ICR } from '../guest/ipi.ts';
import { guest_rip } from '../guest/rip.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { EXCEPTION, EXIT_REASON, MP_STATE, type Thread, VCPU_MODE, type Vcpu } from '../schema.ts';
import { MSR_KVM_ASYNC_PF_ACK, MSR_KVM_ASYNC_PF_EN, MSR_KVM_ASYNC_PF_INT, pv_enabled } from './async_pf_x86.ts';
import { kvm_vcpu_has_events } from './block.ts';
import { VECTOR } from './event.ts';
import { kvm_apic_send_ipi } from './ipi.ts';
import { apic_set_eoi } from './lapic.ts';
import { kvm_gfn_to_hva_cache_init } from './memslot.ts';
import { fault_error_code, page_fault } from './mmu.ts';
import { iret_interception, nmi_window_interception, svm_complete_iret, WINDOW } from './nmi.ts';
import { KVM_REQ_EVENT, kvm_make_request } from './requests.ts';

/** x2APIC EOI. */
export const MSR_X2APIC_EOI = 0x80b;
const APIC_EOI = 0xb0;

type Reason = (typeof EXIT_REASON)[keyof typeof EXIT_REASON];

/** Architectural numbers of the reasons: SVM's exit codes and VMX's basic reasons. */
const EXIT_CODE: { readonly [R in keyof typeof EXIT_REASON]: { readonly svm: number; readonly vmx: number } } = {
  none: { svm: 0, vmx: 0 },
  npf: { svm: 0x400, vmx: 48 },
  interrupt: { svm: 0x60, vmx: 1 },
  vintr: { svm: 0x64, vmx: 7 },
  hlt: { svm: 0x78, vmx: 12 },
  msr: { svm: 0x7c, vmx: 32 },
  cpuid: { svm: 0x72, vmx: 10 },
  nmi: { svm: 0x61, vmx: 0 },
  // SVM's intercepted IRET, VMX's NMI window.
  iret: { svm: 0x74, vmx: 8 },
  db: { svm: 0x41, vmx: 0 },
};
const REASONS = Object.keys(EXIT_REASON) as readonly (keyof typeof EXIT_REASON)[];

function trace_exit(m: Machine, vcpu: Vcpu, reason: Reason): void {
  if (!m.emit) return;
  const place = m.places.vcpus[vcpu.id]!;
  const svm = m.program.hosts[place.host]!.isa === 'svm';
  const fault = reason === EXIT_REASON.npf;
  const code = EXIT_CODE[REASONS[reason]!][svm ? 'svm' : 'vmx'];
  const write = vcpu.fault_write === 1;
  // SVM: EXITINFO1 and 2 are error code and gpa of a fault, and 1 for a WRMSR. VMX: info1 is the qualification.
  const info1 = fault
    ? svm
      ? fault_error_code(m, vcpu)
      : write
        ? 0x182
        : 0x181
    : reason === EXIT_REASON.msr && svm
      ? 1
      : 0;
  const info2 = fault && svm ? vcpu.cr2_or_gpa : 0;
  m.emit(TP.kvm_exit, code, guest_rip(m, vcpu), svm ? 2 : 1, info1, info2, 0, 0, place.vcpu_id);
}

/** Models svm_handle_exit() / vmx_handle_exit() and the handlers below. */
export function handle_exit(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const reason = vcpu.exit_reason;
  vcpu.mode = VCPU_MODE.OUTSIDE_GUEST_MODE;
  vcpu.immediate_exit = 0;
  vcpu.exit_reason = EXIT_REASON.none;
  vcpu.nr_exits += 1;
  trace_exit(m, vcpu, reason);
  m.observe?.(OBS.exit, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  svm_complete_iret(vcpu);
  switch (reason) {
    case EXIT_REASON.npf:
      interrupted_delivery(vcpu);
      return page_fault(m, vcpu, vcpu.cr2_or_gpa, vcpu.fault_page, vcpu.fault_write === 1, false);
    case EXIT_REASON.vintr:
      vcpu.exit_window &= ~WINDOW.irq;
      kvm_make_request(KVM_REQ_EVENT, vcpu);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.hlt:
      kvm_emulate_halt(m, vcpu);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.msr:
      return kvm_set_msr_common(m, vcpu);
    case EXIT_REASON.iret:
      if (vcpu.nmi_masked) iret_interception(vcpu);
      else nmi_window_interception(vcpu, WINDOW.nmi);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.db:
      nmi_window_interception(vcpu, WINDOW.step | WINDOW.stepped);
      return AT['vcpu_run.tail'];
    case EXIT_REASON.interrupt:
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
  vcpu.exception = vcpu.delivering;
  vcpu.exception_nr = VECTOR.PF;
  vcpu.exception_token = 0;
  vcpu.delivering = EXCEPTION.none;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/**
 * Models kvm_emulate_halt() and __kvm_emulate_halt(), arch/x86/kvm/x86.c.
 * Differs: with the LAPIC in user space HLT would be an exit to there; here the vCPU waits in the kernel all the same.
 */
function kvm_emulate_halt(m: Machine, vcpu: Vcpu): void {
  m.observe?.(OBS.hlt, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  if (knobs_of(m, vcpu).hlt_emulation === 'has_events' && kvm_vcpu_has_events(m, vcpu)) return;
  vcpu.mp_state = MP_STATE.HALTED;
}

/**
 * Without a LAPIC in the kernel there is nothing to raise the ready interrupt on: since 5.8 the MSRs are refused then,
 * with a #GP that Linux survives. Writing 0 is not (B11).
 */
function refuses_apf_msr(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.msr !== MSR_KVM_ASYNC_PF_INT && vcpu.msr !== MSR_KVM_ASYNC_PF_EN) return false;
  const by_interrupt = knobs_of(m, vcpu).notify === 'pf_then_interrupt';
  return by_interrupt && vcpu.msr_data !== 0 && vmSpec(m, vm_of_vcpu(m, vcpu)).irqchip === 'user';
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
      vcpu.apf_pageready_pending = 0;
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
  return knobs_of(m, vcpu).destination === 'wake_all' ? AT.kvm_async_pf_wakeup_all : then;
}

/** The rest of the exit of a WRMSR. */
export function handle_exit_wrmsr_done(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (m.emit) m.emit(TP.kvm_msr, 1, vcpu.msr, vcpu.msr_data, refuses_apf_msr(m, vcpu) ? 1 : 0);
  vcpu.msr = 0;
  vcpu.msr_data = 0;
  return AT['vcpu_run.tail'];
}
