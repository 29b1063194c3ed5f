/**
 * Whether a fault may be asynchronous, and whether the guest can be told: the gates of asynchronous page faults.
 *
 * Everything here models arch/x86/kvm/x86.c; what is told, and how, is async_pf_x86.ts.
 */
import { knobs_of, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import type { Knobs } from '../protocol/knobs.ts';
import { NOTIFY } from '../protocol/notify.ts';
import { FRAME, type Vcpu } from '../schema.ts';
import { kvm_arch_interrupt_allowed } from './event.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_event_needs_reinjection } from './exception.ts';
import {
  KVM_ASYNC_PF_DELIVERY_AS_INT,
  KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT,
  KVM_ASYNC_PF_ENABLED,
  KVM_ASYNC_PF_SEND_ALWAYS,
} from './kvm_para.ts';
import { takes_apf_in_nmi } from './nmi.ts';

/** Whether the paravirtual mechanism is on for this vCPU. */
export function pv_enabled(m: Machine, vcpu: Vcpu): boolean {
  const knobs = knobs_of(m, vcpu);
  if (knobs.notify === 'none' || (vcpu.apf_en_val & KVM_ASYNC_PF_ENABLED) === 0) return false;
  return !knobs.deliver.includes('int_bit') || (vcpu.apf_en_val & KVM_ASYNC_PF_DELIVERY_AS_INT) !== 0;
}

/** Whether a term of the gate holds now. A switch, as each fault asks for several: a table of functions takes longer. */
function gate_holds(m: Machine, vcpu: Vcpu, term: Knobs['gate'][number]): boolean {
  switch (term) {
    case 'irqchip':
      return vmSpec(m, vm_of_vcpu(m, vcpu)).irqchip !== 'user';
    case 'reinjection':
      return !kvm_event_needs_reinjection(vcpu);
    case 'pending_exception':
      return vcpu.exception !== EXCEPTION.pending && !vcpu.exception_vmexit;
    case 'interrupt_allowed':
      return kvm_arch_interrupt_allowed(vcpu);
    case 'hlt_deliverable':
      return vmSpec(m, vm_of_vcpu(m, vcpu)).hlt_exits || kvm_can_deliver_async_pf(m, vcpu);
    case 'deliverable':
      return kvm_can_deliver_async_pf(m, vcpu);
    case 'nested_optin':
      return !vcpu.guest_mode || l1_takes_exits(m, vcpu);
    case 'nmi_allowed':
      return nmi_allowed_or_optin(m, vcpu);
    case 'user_mode_only':
      return vcpu.cpl3 === 1;
    case 'lapic_enabled':
      return vcpu.lapic_enabled === 1;
  }
}

/**
 * Whether the fault may be asynchronous.
 *
 * Models kvm_can_do_async_pf().
 */
export function kvm_can_do_async_pf(m: Machine, vcpu: Vcpu): boolean {
  const { gate } = knobs_of(m, vcpu);
  for (const term of gate) {
    const holds = gate_holds(m, vcpu, term);
    if (m.cover !== null) m.cover.gate(term, holds);
    if (holds) continue;
    // The reviewer: "if the cpu can handle NMIs it can take an apf". Either kind of event will do, then.
    if (term !== 'interrupt_allowed' && term !== 'nmi_allowed') return false;
    const other = term === 'nmi_allowed' ? 'interrupt_allowed' : 'nmi_allowed';
    if (!gate.includes(other) || !gate_holds(m, vcpu, other)) return false;
  }
  return !refuses_halt(m, vcpu) || kvm_can_deliver_async_pf(m, vcpu);
}

/** Whether an NMI could be taken; inside of an NMI handler whether this version faults asynchronously all the same. */
function nmi_allowed_or_optin(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.nmi_injected || vcpu.shadow) return false;
  if (!vcpu.nmi_masked) return true;
  const { nmi_optin } = knobs_of(m, vcpu);
  return nmi_optin === 'ignore' || (nmi_optin === 'guest_flag' && takes_apf_in_nmi(m, vcpu));
}

/** The VMM has said that it does not want this VM's vCPUs halted by the host, and this version lets it say so. */
export function refuses_halt(m: Machine, vcpu: Vcpu): boolean {
  return knobs_of(m, vcpu).host_halt === 'opt_out' && !vmSpec(m, vm_of_vcpu(m, vcpu)).host_halt;
}

/** Whether the guest can be told. Models kvm_can_deliver_async_pf(). */
export function kvm_can_deliver_async_pf(m: Machine, vcpu: Vcpu): boolean {
  if (!pv_enabled(m, vcpu) || sdei_is_busy(m, vcpu)) return false;
  const { deliver, enable_bits } = knobs_of(m, vcpu);
  if (vcpu.guest_mode) {
    if (deliver.includes('nested_optin') && !l1_takes_exits(m, vcpu)) return false;
  } else if (!vcpu.cr0_pg && deliver.includes('paging')) return false;
  const asked = enable_bits === 'copied' ? vcpu.apf_send_always : vcpu.apf_en_val & KVM_ASYNC_PF_SEND_ALWAYS;
  if (asked !== 0) return true;
  if (deliver.includes('protected') && vmSpec(m, vm_of_vcpu(m, vcpu)).protected_state) return false;
  return !deliver.includes('cpl') || kvm_x86_get_cpl(m, vcpu) !== 0;
}

/** L1 has said that it takes what its guest faults on as #PF exits: as the MSR says, or as its copy does (B14). */
function l1_takes_exits(m: Machine, vcpu: Vcpu): boolean {
  if (knobs_of(m, vcpu).enable_bits === 'copied') return vcpu.apf_delivery_as_pf_vmexit === 1;
  return (vcpu.apf_en_val & KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT) !== 0;
}

/** An SDEI event is taken whatever is masked, but not inside its own handler, nor before that has read the reason. */
function sdei_is_busy(m: Machine, vcpu: Vcpu): boolean {
  if (NOTIFY[knobs_of(m, vcpu).notify].not_present !== 'sdei') return false;
  if (vcpu.area_flags !== 0) return true;
  for (let level = 0; level < vcpu.depth; level += 1) if (vcpu.frame(level) === FRAME.exc_page_fault) return true;
  return false;
}

/**
 * The privilege level as the host reads it. Of a guest whose registers are encrypted the field that it reads means
 * nothing (B13). Differs: there the model reads 3, the value with which that does harm.
 */
export function kvm_x86_get_cpl(m: Machine, vcpu: Vcpu): number {
  return vcpu.cpl3 === 1 || vmSpec(m, vm_of_vcpu(m, vcpu)).protected_state ? 3 : 0;
}
