/**
 * What each value of the knob `notify` means: how the guest hears of a missing page, how of one that is ready, and who
 * brings it.
 *
 * Two architectures and one posted series are here besides x86, as data over the same machine: what they write to
 * registers of their own is written to the MSRs here, and their events go the ways of a #PF and of a LAPIC interrupt.
 */
import type { Knobs } from './knobs.ts';

export interface Notify {
  /** How not-present gets in: as #PF; as an SDEI event, which no mask holds back; as an external interrupt. */
  readonly not_present: 'nothing' | 'pf' | 'sdei' | 'external';
  /** How ready does: #PF; the interrupt that EN's bit 3 asks for; an external interrupt that the worker raises itself. */
  readonly ready: 'nothing' | 'pf' | 'interrupt' | 'external';
  /** Missing userfault memory: who is told. The handler by its VMM, after an exit; the handler through a ring. */
  readonly userfault: 'worker' | 'ioctl' | 'ring';
}

export const NOTIFY: { readonly [N in Knobs['notify']]: Notify } = {
  none: { not_present: 'nothing', ready: 'nothing', userfault: 'worker' },
  pf_both: { not_present: 'pf', ready: 'pf', userfault: 'worker' },
  pf_then_interrupt: { not_present: 'pf', ready: 'interrupt', userfault: 'worker' },
  sdei_ppi: { not_present: 'sdei', ready: 'interrupt', userfault: 'worker' },
  s390_pfault: { not_present: 'external', ready: 'external', userfault: 'worker' },
  userfault_ioctl: { not_present: 'pf', ready: 'interrupt', userfault: 'ioctl' },
  userfault_ring: { not_present: 'pf', ready: 'interrupt', userfault: 'ring' },
};

/** Ready comes as an interrupt that the guest has given a vector for, and acknowledges. */
export function ready_by_interrupt(knobs: Knobs): boolean {
  return NOTIFY[knobs.notify].ready === 'interrupt';
}

/** Linux of that time takes not-present in user mode only, and in kernel mode panics. */
export function user_mode_only(knobs: Knobs): boolean {
  return ready_by_interrupt(knobs) && NOTIFY[knobs.notify].not_present === 'pf';
}
