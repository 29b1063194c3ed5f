/**
 * What of a vCPU stands between an event and its handler: exceptions, NMIs, interrupts, SMIs, and what each brings.
 *
 * Pending: not yet written to the entry fields. Injected: written, and to be written again if the delivery is cut short.
 */

import { bool, fifo, naming, numbered, oneOf, u8, u16, u32, u53 } from '../../base/table.ts';
import { AT } from '../at.ts';

export const EXCEPTION = numbered(['none', 'pending', 'injected']);
/** SVM: how far an IRET is that ends the blocking of NMIs. HF_IRET_MASK is set until the exit after it was executed. */
export const NMI_IRET = numbered(['none', 'intercepted', 'executed']);

/** Columns of a vCPU. */
export const EVENTS = {
  exception: oneOf(EXCEPTION),
  exception_nr: u8,
  exception_error_code: u16,
  /** Of an asynchronous fault's #PF the token, also to be found in CR2; else 0. */
  exception_token: naming(u32, 'token'),
  /** What CR2 is to hold, while it is not there yet: from 4.20 on until the injection. */
  exception_payload: naming(u53, 'address_or_token'),
  exception_has_payload: bool,
  irq_injected: bool,
  irq_vector: u8,
  /** It comes from the PIC: its end goes there too. */
  irq_extint: bool,
  /** The vector, + 1, that the PIC in the kernel raises, or that the VMM has handed in for the LAPIC to let through. */
  ext_vector: u16,
  /** The VMM's own controllers: a vector of its PIC, + 1, and an NMI to hand in; a HLT that it waits in. */
  vmm_ext_vector: u16,
  vmm_nmi: bool,
  vmm_halted: bool,
  /** It wants KVM_RUN to end when the guest can take an interrupt. */
  request_interrupt_window: bool,
  /** NMIs that have come in since the vCPU last looked; anybody adds. */
  nmi_queued: u8,
  nmi_pending: u8,
  nmi_injected: bool,
  /** From the injection of an NMI until an IRET: HF_NMI_MASK, on VMX the bit in the interruptibility state. */
  nmi_masked: bool,
  nmi_iret: oneOf(NMI_IRET),
  /** Who sent what the guest has not taken yet; NMIs themselves are all alike. */
  nmi_senders: fifo('nmis', 'nmi'),
  /** apic->pending_events, and where to go on once they are accepted. */
  apic_pending_events: u8,
  accept_return: oneOf(AT),
  smi_pending: bool,
  /** In system management mode; whether it was entered from an NMI handler. */
  smm: bool,
  smm_inside_nmi: bool,
  /** Exits that the host has asked for, WINDOW bits of kvm/nmi.ts. */
  exit_window: u8,
} as const;
