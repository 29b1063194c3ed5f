/**
 * What a scenario can ask about a record of the trace: `each t in trace(kvm_async_pf_*): t.address.kind is known`.
 *
 * Any field of the tracepoint may be asked for by its name; besides there are these.
 */
import type { ValueType } from './attribute.ts';

/** Kinds that a record's address can be said to have; `unknown` where the record does not say. */
export const RECORD_ADDRESS_KINDS = ['unknown', 'gva', 'gpa', 'hva', 'l2gpa'] as const;

interface RecordAttribute {
  readonly type: ValueType | { readonly t: 'name' } | { readonly t: 'record_address' };
  readonly summary: string;
}

export const RECORD: Readonly<Record<'name' | 'time' | 'vcpu' | 'thread' | 'address', RecordAttribute>> = {
  name: { type: { t: 'name' }, summary: 'Which tracepoint.' },
  time: { type: { t: 'quantity', dimension: 'time' }, summary: 'When.' },
  vcpu: { type: { t: 'entity', kind: 'vcpu' }, summary: 'The vCPU whose thread, or whose work item, it was.' },
  thread: { type: { t: 'entity', kind: 'thread' }, summary: 'The thread that ran.' },
  address: {
    type: { t: 'record_address' },
    summary: 'The address that it holds; its `.kind` is what the record says about it, not what we know.',
  },
};

/**
 * Fields that hold an address, and what their name alone tells. `by_mode`: guest-physical or guest-virtual, as the
 * vCPU's paging mode has it, which only a labelled record tells.
 */
export const ADDRESS_FIELDS: Readonly<Record<string, 'by_mode' | 'gpa' | 'hva'>> = {
  address: 'hva',
  hva: 'hva',
  gpa: 'gpa',
  gva: 'by_mode',
  cr2_or_gpa: 'by_mode',
  fault_address: 'by_mode',
};
