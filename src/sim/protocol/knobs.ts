/**
 * Every way in which one version of the protocol differs from another: a knob, its values, what it means.
 *
 * A preset (presets.ts) is a named set of values; `variant mine extends linux_5_8 { wake request }` changes
 * single ones. The model reads knobs and never asks for a version. B01 and so on number real bugs of the kernel, see scenarios/bugs.
 */

import { GUARD_NAMES } from './guards.ts';

interface KnobDeclaration {
  /** Allowed words; for a set knob, its elements. */
  readonly values: readonly string[];
  /** A set knob holds any subset: `gate add nmi_allowed`, `gate remove irqchip`, `gate [irqchip]`. */
  readonly set?: true;
  readonly summary: string;
}

export const KNOBS = {
  resolve: {
    values: ['nowait', 'noio', 'wait'],
    summary:
      'How the fault first looks for its page: nowait starts the read and goes on; noio fails without starting it; wait sleeps in the fault, so that nothing is asynchronous.',
  },
  nowait_single_page: {
    values: ['retries', 'waits'],
    summary: 'With a read-ahead window of one page, whether NOWAIT retries or waits for the read (4.13 to 6.5).',
  },
  gate: {
    values: [
      'irqchip',
      'reinjection',
      'pending_exception',
      'interrupt_allowed',
      'hlt_deliverable',
      'deliverable',
      'nested_optin',
      'nmi_allowed',
      'user_mode_only',
      'lapic_enabled',
    ],
    set: true,
    summary:
      'Terms of kvm_can_do_async_pf(): all must hold, else the fault is synchronous; of interrupt_allowed and nmi_allowed one is enough.',
  },
  deliver: {
    values: ['cpl', 'int_bit', 'paging', 'protected', 'nested_optin'],
    set: true,
    summary: 'Terms of kvm_can_deliver_async_pf() besides EN bit 0: else the vCPU halts instead of the guest being told.',
  },
  nested_event_request: {
    values: ['no', 'yes'],
    summary: 'Whether queueing a #PF exit for a hypervisor requests the look at events that makes an exit of it (B35).',
  },
  nmi_optin: {
    values: ['none', 'guest_flag', 'ignore'],
    summary:
      'Whether a fault may be asynchronous in an NMI handler, where the gate has nmi_allowed: never, if the guest asked for it, or always.',
  },
  notify: {
    values: ['none', 'pf_both', 'pf_then_interrupt', 'sdei_ppi', 's390_pfault', 'userfault_ioctl', 'userfault_ring'],
    summary:
      'What the guest is told: nothing; #PF for both events; #PF for not-present and an interrupt for ready; an SDEI event and an interrupt (arm64); two external interrupts, the second raised by the worker (s390). With the last two, missing userfault memory is the business of the process behind it, told through an exit and ioctls, or through a ring.',
  },
  halt: {
    values: ['entry_check', 'at_fault', 'at_fault_with_unhalt', 'request'],
    summary:
      'Where the synthetic halt is decided: by the completion check at entry; in the fault, left only when something else wakes the vCPU; in the fault, undone by the completion; by KVM_REQ_APF_HALT.',
  },
  synthetic: {
    values: ['shared_mp_state', 'separate_flag'],
    summary: 'Where the synthetic halt is kept: in mp_state as HALTED (B01), or in apf.halted.',
  },
  wake: {
    values: ['done_list', 'request', 'none'],
    summary:
      'How the worker makes the vCPU look: the done list in the runnable predicate and a wake; KVM_REQ_APF_READY and a kick besides; or neither term nor request.',
  },
  worker_wakes: {
    values: ['what_blocks', 'vcpu_wait'],
    summary:
      "Whose sleepers the worker's last step wakes: those of the object that the vCPU blocks on, or those of vcpu->wait where an architecture blocks on another (B15, PowerPC).",
  },
  completion_check: {
    values: ['entry', 'every_pass', 'on_request_and_ack'],
    summary:
      'Where kvm_check_async_pf_completion() is called: at each entry, after each pass of the run loop, or on KVM_REQ_APF_READY and on the ACK that the guest then writes (B09).',
  },
  completions_per_pass: { values: ['one', 'all'], summary: 'How many completions one check delivers (B05).' },
  gfn_probe: { values: ['stops_at_empty', 'walks_all'], summary: 'Whether the search for a gfn ends at an empty slot (B04).' },
  dequeue: {
    values: ['always', 'can_inject', 'can_do_async_pf', 'token_free', 'lapic_and_token_free'],
    summary: 'When a completion may be delivered to a paravirtual guest.',
  },
  slot: {
    values: ['overwrite', 'one_with_ack', 'ring'],
    summary:
      'Where ready tokens wait for the guest: in one word, whatever stands in it; in one word that must be free; in a ring, whose interrupt is suppressed until the guest has emptied it.',
  },
  lapic_enable: { values: ['nothing', 'apf_ready'], summary: 'Whether enabling the LAPIC raises KVM_REQ_APF_READY.' },
  lists: { values: ['queue_and_done', 'move'], summary: 'Whether a completed item stays on queue, or moves to done.' },
  alloc: { values: ['nowait', 'may_sleep'], summary: 'Whether allocating the work item may sleep.' },
  schedule_work: { values: ['last', 'before_list'], summary: 'Whether the work is scheduled before the item is on the list (B10).' },
  clear: {
    values: ['unlocked_owner_thread', 'locked_naive', 'unlock_around_cancel', 'flush'],
    summary:
      "Which lock is held, and where, while the queues are cleared: none but for the done list; async_pf.lock throughout, the reviewer's fear; that lock, dropped around each cancel; or that lock for each look at the done list, whose items are flushed without it.",
  },
  clear_done: {
    values: ['free', 'skip', 'flush'],
    summary:
      'What clearing does with finished items: cancels them as well and frees them; leaves those on queue alone, by their mark, and frees them (B26); or waits until their function has returned (B27).',
  },
  clear_cancelled: {
    values: ['keeps_refs', 'drops_refs'],
    summary: 'Whether clearing drops the references of an item that it has cancelled; else the VM is never destroyed (until 3.12).',
  },
  done_marker: {
    values: ['page', 'done', 'vcpu_null', 'none'],
    summary:
      'What marks an item that its worker has finished: the page pointer, stored behind the append; a flag; the vcpu pointer set to NULL; or nothing.',
  },
  worker_page_init: {
    values: ['uninitialised', 'null'],
    summary: "What the worker's page pointer is where its GUP fails: whatever was on the stack (B02), or NULL.",
  },
  wakeup_all_lock: { values: ['no', 'yes'], summary: 'Whether a broadcast is appended to done under async_pf.lock.' },
  trace_pfn: {
    values: ['when_printed', 'when_recorded'],
    summary: "When the completed event makes a pfn of the worker's page pointer, which may point nowhere (B03).",
  },
  worker_mm_ref: {
    values: ['mm_count', 'mm_users', 'taken_by_worker'],
    summary: 'What keeps the address space for the worker (B24).',
  },
  worker_vm_ref: { values: ['yes', 'no'], summary: 'Whether an item holds a reference to the VM.' },
  enable_bits: {
    values: ['copied', 'read_from_msr'],
    summary:
      "Whether SEND_ALWAYS and DELIVERY_AS_PF_VMEXIT are looked up in copies made when the MSR was last set with bit 0, which go stale, or in the MSR's value (B14).",
  },
  lapic_check: {
    values: ['none', 'refuses_all', 'refuses_nonzero'],
    summary:
      'What writing the MSRs comes to where the LAPIC is not in the kernel: they are written, and a ready interrupt has nowhere to go; every write is refused, 0 as well; or all but 0 (B11).',
  },
  crash_disables_apf: {
    values: ['no', 'yes'],
    summary: 'Whether a guest kernel that crashes switches the mechanism off before another one takes its place (5.13).',
  },
  module_ref: {
    values: ['file_descriptors', 'vm'],
    summary: 'What keeps the kvm module loaded: open file descriptors, or every VM until it is destroyed (5.17).',
  },
  worker_page_ref: { values: ['yes', 'no'], summary: 'Whether the page stays pinned until the item is dequeued (B23).' },
  mmap_lock: {
    values: ['held_across_io', 'dropped'],
    summary: 'Whether a fault that sleeps for its page keeps the mmap lock, or drops it and takes it again (B25).',
  },
  worker_gup_error: {
    values: ['ignored', 'reported'],
    summary:
      "What becomes of an error of the worker's GUP (B28): nothing; or the next fault on the page is synchronous, so that it reaches user space.",
  },
  flush_on_dequeue: {
    values: ['yes', 'no'],
    summary: 'Whether the vCPU thread waits for the work function to return before it frees the item (6.9).',
  },
  token: { values: ['plain', 'nonzero'], summary: 'Whether tokens whose counter part is 0 are skipped.' },
  ready_event: {
    values: ['always', 'if_notpresent_injected'],
    summary: 'Whether ready is sent without a not-present having been injected.',
  },
  completion_mp_state: { values: ['untouched', 'runnable'], summary: 'Whether a completion sets mp_state to RUNNABLE (B06).' },
  completion_unhalts: {
    values: ['no', 'yes'],
    summary: 'Whether a completion ends the synthetic halt itself, besides making the vCPU runnable.',
  },
  runnable_requests: { values: ['off', 'event_only', 'all'], summary: 'Which request bits the runnable predicate reads.' },
  runnable_exception: { values: ['no', 'yes'], summary: 'Whether a pending exception makes a vCPU runnable.' },
  block: {
    values: ['unhalt_request', 'retest'],
    summary:
      'How leaving the block is told: KVM_REQ_UNHALT; or by testing runnability again, where KVM_REQ_UNBLOCK ends it as well as an expired timer.',
  },
  halt_polling: {
    values: ['none', 'every_block', 'halt_only'],
    summary: 'Whether a vCPU polls before it sleeps, where its host allows it: not before 4.0; up to 5.16 in the synthetic halt as well.',
  },
  hlt_emulation: { values: ['plain', 'has_events'], summary: 'Whether emulating HLT first looks for events.' },
  request_order: {
    values: ['linux_5_8', 'linux_6_12'],
    summary:
      'Order in which vcpu_enter_guest() looks at requests: SMI, NMI, PMI, so that the NMI that a counter asks for takes another round; or PMI first.',
  },
  init_sipi: {
    values: ['mp_state', 'pending_events'],
    summary: 'Who acts on an INIT or SIPI: its sender, in mp_state (up to 3.9), or the vCPU, which finds a bit.',
  },
  nmi_queue: {
    values: ['flag', 'counted'],
    summary: 'How NMIs are kept that have not been delivered: one flag (up to 3.1), or counted, two at most, behind KVM_REQ_NMI.',
  },
  behind_injected: {
    values: ['window', 'immediate_exit'],
    summary: 'How an event waits behind another that goes in with the same entry: for its window, or, since 5.8, for an immediate exit.',
  },
  cr2_written: {
    values: ['when_queued', 'when_injected'],
    summary: "When CR2 gets a #PF's address: when the exception is queued (up to 4.19), or with its injection.",
  },
  exception_merge: { values: ['plain', 'cancel_not_present'], summary: 'Whether a ready event cancels a pending not-present #PF (B07).' },
  retry_before_entry: {
    values: ['off', 'tdp_only', 'all'],
    summary: 'Whether a completed page is mapped before the guest retries: not; where the map is direct; or in shadow tables too.',
  },
  prefault_checks: {
    values: ['none', 'direct_map', 'direct_map_and_cr3'],
    summary: 'What prefault compares with the recorded context (B17, B18).',
  },
  notifier_flush: {
    values: ['kick', 'request', 'none'],
    summary:
      'How TLBs forget a page that is taken away, where the VM says `tlb on`: running vCPUs are kicked out of the guest to flush; they are only asked to, and flush at their next entry; or nobody flushes.',
  },
  cr0_pg: {
    values: ['nothing', 'clear', 'apf_ready'],
    summary:
      'What a change of CR0.PG does: nothing (B19); it clears the queue; or (6.19) nothing is cleared, and paging switched on raises KVM_REQ_APF_READY.',
  },
  double_fault: { values: ['halt', 'sync', 'second_token'], summary: 'What a repeated fault on an outstanding gfn does.' },
  not_present_write_failure: {
    values: ['halt', 'neither'],
    summary: "When the guest's area cannot be written: halt, or neither halt nor event.",
  },
  destination: {
    values: ['drop', 'wake_all', 'carry_tokens'],
    summary:
      'What the destination of a migration does about what is owed: nothing; writing EN sends a broadcast; or a save carries the tokens, and each is answered.',
  },
  broadcast_token: {
    values: ['set_before_trace', 'set_after_trace'],
    summary: "Whether the broadcast's ready line shows 0xffffffff or a stale value.",
  },
  save: { values: ['ignore', 'drain', 'mask', 'refuse'], summary: 'What saving a vCPU does about outstanding faults.' },
  query: { values: ['pure', 'same_as_save'], summary: 'Whether a query of the vCPUs does what a save does.' },
  early_wake: { values: ['dummy', 'dropped'], summary: 'What the guest does with a ready event whose task has not parked yet.' },
  guest_eqs: {
    values: ['ignored', 'left'],
    summary: "Whether the guest's #PF handler tells RCU that an idle CPU is in use again before it waits or wakes (B30).",
  },
  guest_reentry: {
    values: ['rcu_first', 'irqs_off_first'],
    summary: "What a not-present handler does first when its HLT is over: RCU's view of the CPU, or interrupts off (B31).",
  },
  guest_schedulable: {
    values: ['preempt_count', 'sections_too'],
    summary:
      'What the guest asks before it schedules in a not-present handler: the preempt count alone, which some kernels do not keep; or RCU sections, and whether the kernel was interrupted, as well (B32).',
  },
  guest_dummy_alloc: {
    values: ['under_lock', 'unlocked'],
    summary: "Whether the guest allocates the note of an early wake with the bucket's raw lock held (B33).",
  },
  trace_mode: { values: ['unlabelled', 'labelled'], summary: 'Whether the tracepoints say which kind of address they hold.' },
  trace_format: { values: ['v6', '2.6.38', '4.19', '5.8', '6.1', '6.12'], summary: 'Whose text the tracepoints are printed in.' },
  guards: {
    values: GUARD_NAMES,
    set: true,
    summary: 'Conditions that every version has; here to be taken away, one at a time, by `apflab mutate`.',
  },
  host_halt: {
    values: ['always', 'opt_out'],
    summary:
      'Whether a VM may refuse to be halted by the host (lkml, Nov 2024): a fault that the guest cannot be told of is then synchronous.',
  },
} as const satisfies Record<string, KnobDeclaration>;

export type KnobName = keyof typeof KNOBS;

type SetKnobName = { [K in KnobName]: (typeof KNOBS)[K] extends { readonly set: true } ? K : never }[KnobName];

/** One value for each knob; a set knob has the sorted list of its elements. */
export type Knobs = {
  readonly [K in KnobName]: K extends SetKnobName ? readonly (typeof KNOBS)[K]['values'][number][] : (typeof KNOBS)[K]['values'][number];
};

export const KNOB_NAMES = Object.keys(KNOBS) as readonly KnobName[];

export function isSetKnob(name: KnobName): boolean {
  return 'set' in KNOBS[name];
}
