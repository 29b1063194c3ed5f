/**
 * A vCPU is reset: by INIT, or by a VMM that resets the VM.
 *
 * What the newcomer overlooks is what stays: requests, tokens handed out, and since 5.8 the mark that a ready event has
 * not been acknowledged, which nobody is going to do any more.
 */
import { AT, type At } from '../at.ts';
import { start_guest_cpu } from '../guest/start.ts';
import { type Machine, vcpu_of } from '../machine.ts';
import { clear_fields } from '../migrate/copy.ts';
import type { Thread, Vcpu } from '../schema.ts';
import { run_on_cpu_done } from '../vmm/monitor.ts';
import { KVM_REQ_EVENT, kvm_make_request } from './requests.ts';

/**
 * Registers, events, LAPIC and MSRs go back to where they began, the synthetic halt ends, and what is outstanding is
 * dropped without a word to the guest.
 *
 * Models kvm_vcpu_reset(), arch/x86/kvm/x86.c. Differs: for a reset of the VM a VMM writes all that with the ioctls for
 * it, which leave the synthetic halt alone; here the vCPU is reset by the kernel.
 */
export function reset_vcpu(m: Machine, vcpu: Vcpu, then: At): At {
  // What has come in since, a SIPI behind an INIT, is not part of it.
  const { apic_pending_events } = vcpu;
  for (const by of ['regs', 'sregs', 'msrs', 'mp_state', 'lapic', 'events', 'ram'] as const) clear_fields(m, vcpu, by);
  vcpu.apf_halted = 0;
  vcpu.apf_note_item = 0;
  vcpu.apic_pending_events = apic_pending_events;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  vcpu.check_return = then;
  return AT.kvm_clear_async_pf_completion_queue;
}

/** For a VMM that resets the VM. */
export function kvm_vcpu_reset(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  vcpu.apic_pending_events = 0;
  return reset_vcpu(m, vcpu, AT['kvm_vcpu_reset.start']);
}

/** The guest's CPU begins anew. */
export function kvm_vcpu_reset_start(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  start_guest_cpu(m, vcpu.id);
  return run_on_cpu_done(m, vcpu);
}

/** The queues alone, as where the guest switches paging off. */
export function clear_queue(m: Machine, thread: Thread): At {
  vcpu_of(m, thread).check_return = AT['run_on_cpu.done'];
  return AT.kvm_clear_async_pf_completion_queue;
}
