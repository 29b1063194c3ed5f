/** The exception queue of a vCPU: at most one, pending or injected. What is done with it is event.ts. */
import type { Vcpu } from '../schema.ts';
import { EXCEPTION } from './event_state.ts';

export const VECTOR = { DE: 0, DF: 8, TS: 10, NP: 11, SS: 12, GP: 13, PF: 14 } as const;

/** Something was being delivered and must be delivered again. Models kvm_event_needs_reinjection(). */
export function kvm_event_needs_reinjection(vcpu: Vcpu): boolean {
  return vcpu.exception === EXCEPTION.injected || vcpu.irq_injected === 1 || vcpu.nmi_injected === 1;
}

export function set_exception(vcpu: Vcpu, nr: number, error_code: number, token: number): void {
  vcpu.exception = EXCEPTION.pending;
  vcpu.exception_nr = nr;
  vcpu.exception_error_code = error_code;
  vcpu.exception_token = token;
  vcpu.exception_payload = 0;
  vcpu.exception_has_payload = 0;
}

/** Nothing is pending or injected any more. Models kvm_clear_exception_queue(). */
export function kvm_clear_exception_queue(vcpu: Vcpu): void {
  set_exception(vcpu, 0, 0, 0);
  vcpu.exception = EXCEPTION.none;
}
