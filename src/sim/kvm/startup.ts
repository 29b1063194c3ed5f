/**
 * INIT and start-up IPIs: how one CPU of a guest resets another, and has it begin.
 *
 * Up to 3.9 the sender writes the other's mp_state, whatever that is doing; since then it leaves a bit, and the vCPU's own
 * thread accepts it where it can. The first is the one place where mp_state is written by somebody else.
 */
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { start_guest_cpu } from '../guest/start.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { MP_STATE, type Thread, type Vcpu } from '../schema.ts';
import { KVM_REQ_EVENT, kvm_make_request, kvm_vcpu_kick } from './requests.ts';
import { reset_vcpu } from './reset.ts';

/** Bits of apic->pending_events. */
const KVM_APIC_INIT = 1;
const KVM_APIC_SIPI = 2;
const APIC_DM_INIT = 0x500;
const APIC_DM_STARTUP = 0x600;
/** The page in which Linux has its trampoline. */
const SIPI_VECTOR = 0x99;

function by_sender(m: Machine, vcpu: Vcpu): boolean {
  return knobs_of(m, vcpu).init_sipi === 'mp_state';
}

function look(m: Machine, vcpu: Vcpu): void {
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  kvm_vcpu_kick(m, vcpu);
}

/** An INIT arrives; it makes start-up IPIs before it void. Models its case of __apic_accept_irq(), arch/x86/kvm/lapic.c. */
export function kvm_apic_accept_init(m: Machine, vcpu: Vcpu): void {
  if (m.emit) m.emit(TP.kvm_apic_accept_irq, m.places.vcpus[vcpu.id]!.vcpu_id, APIC_DM_INIT, 0, 0, 0);
  if (by_sender(m, vcpu)) vcpu.mp_state = MP_STATE.INIT_RECEIVED;
  else vcpu.apic_pending_events = KVM_APIC_INIT;
  look(m, vcpu);
}

/** A start-up IPI arrives, and counts for a CPU that has been initialised. Models its case of __apic_accept_irq(). */
export function kvm_apic_accept_sipi(m: Machine, vcpu: Vcpu): void {
  if (m.emit) m.emit(TP.kvm_apic_accept_irq, m.places.vcpus[vcpu.id]!.vcpu_id, APIC_DM_STARTUP, 0, SIPI_VECTOR, 0);
  if (by_sender(m, vcpu)) {
    if (vcpu.mp_state !== MP_STATE.INIT_RECEIVED) return;
    vcpu.mp_state = MP_STATE.SIPI_RECEIVED;
  } else vcpu.apic_pending_events |= KVM_APIC_SIPI;
  look(m, vcpu);
}

/** Whether the vCPU has something to accept. Models kvm_apic_has_pending_init_or_sipi() and kvm_apic_init_sipi_allowed(). */
export function kvm_apic_has_events(vcpu: Vcpu): boolean {
  return vcpu.apic_pending_events !== 0 && vcpu.smm === 0;
}

/** Begins to accept them, to go on at `then`. */
export function accept_events(vcpu: Vcpu, then: At): At {
  vcpu.accept_return = then;
  return AT.kvm_apic_accept_events;
}

/**
 * INIT resets the vCPU, which drops its queue; the boot CPU begins again at once, the others wait for a SIPI.
 *
 * Models kvm_apic_accept_events(), arch/x86/kvm/lapic.c.
 */
export function kvm_apic_accept_events(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if ((vcpu.apic_pending_events & KVM_APIC_INIT) !== 0) {
    vcpu.apic_pending_events &= ~KVM_APIC_INIT;
    return reset_vcpu(m, vcpu, AT['kvm_apic_accept_events.reset']);
  }
  if ((vcpu.apic_pending_events & KVM_APIC_SIPI) !== 0) {
    vcpu.apic_pending_events &= ~KVM_APIC_SIPI;
    if (vcpu.mp_state === MP_STATE.INIT_RECEIVED) begin(m, vcpu);
  }
  const then = vcpu.accept_return;
  vcpu.accept_return = AT.off;
  return vcpu.mp_state === MP_STATE.INIT_RECEIVED ? AT['vcpu_run.tail'] : then;
}

/** Reset, it waits; the boot CPU does not. */
export function kvm_apic_accept_events_reset(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (m.places.vcpus[vcpu.id]!.vcpu_id === 0) begin(m, vcpu);
  else vcpu.mp_state = MP_STATE.INIT_RECEIVED;
  return AT.kvm_apic_accept_events;
}

/** Up to 3.9: KVM_RUN finds that a SIPI has come. */
export function kvm_arch_vcpu_reset(m: Machine, thread: Thread): At {
  begin(m, vcpu_of(m, thread));
  return AT.vcpu_run;
}

function begin(m: Machine, vcpu: Vcpu): void {
  start_guest_cpu(m, vcpu.id);
  m.observe?.(OBS.started, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}
