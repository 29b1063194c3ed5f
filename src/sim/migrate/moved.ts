/**
 * Which of a vCPU's fields travel: read by a VMM when it saves a VM, written when it restores or receives one.
 *
 * Every field of `vcpu` stands here with the ioctl that carries it. `ram` is guest memory: the words shared with the
 * host, and the stacks and variables of the guest's kernel. `stays` is what the kernel does not hand out: lists, the
 * synthetic halt, requests. The newcomer's mistake would be to carry those too; a destination has nothing to pay them
 * with, and wakes everybody instead.
 */

export type Carrier = 'regs' | 'sregs' | 'msrs' | 'mp_state' | 'lapic' | 'events' | 'ram' | 'stays';

export const CARRIER = {
  mode: 'stays',
  requests: 'stays',
  mp_state: 'mp_state',
  waiting: 'stays',
  in_block: 'stays',
  signal_pending: 'stays',
  pml: 'stays',
  pml_index: 'stays',
  dirty_ring: 'stays',
  dirty_index: 'stays',
  reset_index: 'stays',
  throttled: 'stays',
  vmm_work: 'stays',
  vmm_saved: 'stays',
  vmm_mp_state: 'stays',
  delivering: 'stays',
  immediate_exit: 'stays',

  apf_halted: 'stays',
  apf_en_val: 'msrs',
  apf_send_always: 'stays',
  apf_delivery_as_pf_vmexit: 'stays',
  apf_data_gpa: 'stays',
  apf_data_hva: 'stays',
  apf_data_generation: 'stays',
  apf_int_vector: 'msrs',
  apf_pageready_pending: 'stays',
  apf_id: 'stays',
  apf_queued: 'stays',
  apf_lock: 'stays',
  apf_list_corrupt: 'stays',
  apf_queue: 'stays',
  apf_done: 'stays',
  apf_done_next: 'stays',
  apf_done_prev: 'stays',
  apf_gfns: 'stays',
  apf_error_gfn: 'stays',
  apf_note: 'stays',
  apf_note_item: 'stays',

  exception: 'events',
  exception_nr: 'events',
  exception_error_code: 'events',
  exception_token: 'events',
  exception_payload: 'events',
  exception_has_payload: 'events',
  irq_injected: 'events',
  irq_vector: 'events',
  irq_extint: 'events',
  ext_vector: 'lapic',
  vmm_ext_vector: 'lapic',
  vmm_nmi: 'stays',
  vmm_halted: 'mp_state',
  request_interrupt_window: 'stays',
  nmi_queued: 'stays',
  nmi_pending: 'events',
  nmi_injected: 'events',
  nmi_masked: 'events',
  nmi_iret: 'stays',
  nmi_senders: 'stays',
  apic_pending_events: 'events',
  accept_return: 'stays',
  smi_pending: 'events',
  smm: 'events',
  smm_inside_nmi: 'events',
  exit_window: 'stays',

  // KVM_SET_NESTED_STATE, which goes with the registers here.
  guest_mode: 'sregs',
  gif_masked: 'sregs',
  nested_run_pending: 'sregs',
  exception_vmexit: 'stays',
  exception_vmexit_token: 'stays',

  lapic_enabled: 'lapic',
  lapic_irr: 'lapic',
  lapic_isr: 'lapic',
  lapic_timer_pending: 'lapic',

  exit_reason: 'stays',
  msr: 'stays',
  msr_data: 'stays',

  cr0_pg: 'sregs',
  cr3: 'sregs',
  cr2: 'sregs',
  test_phys: 'ram',
  cr_write: 'ram',
  cr3_next: 'ram',

  cr2_or_gpa: 'stays',
  fault_page: 'stays',
  fault_write: 'stays',
  fault_present: 'stays',
  mmio_page: 'stays',
  pte_index: 'stays',
  pte_bits: 'stays',
  fault_mmu_seq: 'stays',
  fault_prefault: 'stays',
  completing: 'stays',
  uf_item: 'stays',
  check_return: 'stays',
  request_next: 'stays',

  rflags_if: 'regs',
  shadow: 'events',
  cpl3: 'sregs',
  area_flags: 'ram',
  area_token: 'ram',
  area_abandoned: 'ram',
  area_ring: 'ram',
  area_ring_length: 'ram',

  current: 'ram',
  guest_need_resched: 'ram',
  preferred: 'stays',
  guest_work: 'ram',
  guest_offline: 'ram',
  guest_ipi: 'ram',
  rcu_nesting: 'ram',
  rcu_watching: 'ram',
  idle_op: 'ram',
  bucket_lock: 'ram',
  depth: 'ram',
  frame: 'ram',
  frame_at: 'ram',
  frame_op: 'ram',
  frame_vector: 'ram',
  frame_token: 'ram',
  frame_if: 'ram',
  frame_cpl3: 'ram',
  frame_rcu: 'ram',
  in_hlt: 'regs',
  panicked: 'ram',

  op_left_ns: 'regs',
  frame_cr2: 'ram',
  frame_left_ns: 'ram',
  switched_ns: 'ram',
  blocked_since_ns: 'stays',
  waited: 'stays',
  halt_poll_ns: 'stays',
  nr_entries: 'stays',
  nr_exits: 'stays',
  nr_entry_checks: 'stays',
  nr_gfn_probes: 'stays',
  nr_synthetic_halts: 'stays',
  nr_kicks: 'stays',
  nr_walk_refs: 'stays',
  walk_refs: 'stays',
  nr_tlb_flushes: 'stays',
  work_ns: 'ram',
} as const satisfies Readonly<Record<string, Carrier>>;

export type CarriedField = {
  [N in keyof typeof CARRIER]: (typeof CARRIER)[N] extends 'stays' ? never : N;
}[keyof typeof CARRIER];

/** Of some fields those that travel. Does not compile where a field has no carrier yet: give it one above. */
export function carried<F extends Readonly<Record<keyof F, unknown>>>(
  fields: F & { readonly [N in keyof F]: N extends keyof typeof CARRIER ? F[N] : never },
): Pick<F, keyof F & CarriedField> {
  const carrier: Readonly<Record<string, Carrier>> = CARRIER;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => carrier[name] !== 'stays')) as Pick<
    F,
    keyof F & CarriedField
  >;
}

/** Names of the fields that one ioctl carries. */
export function fieldsCarriedBy(by: Carrier): readonly string[] {
  return Object.entries(CARRIER).flatMap(([name, carrier]) => (carrier === by ? [name] : []));
}
