/**
 * The protocols that ship, each a set of knob values with where it comes from.
 *
 * A preset says only what differs from the one it extends, so reading down the chain is reading the history.
 * Sources: the kernel's own code and the messages to linux-mm, as named with each.
 */
import { GUARD_NAMES } from './guards.ts';
import { KNOB_NAMES, type Knobs } from './knobs.ts';

export interface Preset {
  readonly name: string;
  readonly summary: string;
  /** posted: sent to the list; merged: released; proposed: asked for, never written; reconstruction: ours. */
  readonly provenance: 'posted' | 'merged' | 'proposed' | 'reconstruction';
  readonly source: string;
  readonly extends: string | null;
  readonly changes: Partial<Knobs>;
}

const v6: Knobs = {
  resolve: 'nowait',
  nowait_single_page: 'retries',
  gate: ['interrupt_allowed', 'irqchip', 'pending_exception', 'reinjection'],
  deliver: [],
  nested_event_request: 'yes',
  nmi_optin: 'none',
  notify: 'none',
  halt: 'entry_check',
  synthetic: 'shared_mp_state',
  wake: 'done_list',
  worker_wakes: 'what_blocks',
  completion_check: 'entry',
  completions_per_pass: 'one',
  gfn_probe: 'walks_all',
  dequeue: 'always',
  slot: 'one_with_ack',
  lapic_enable: 'nothing',
  lists: 'queue_and_done',
  alloc: 'nowait',
  schedule_work: 'before_list',
  clear: 'unlocked_owner_thread',
  clear_done: 'free',
  clear_cancelled: 'keeps_refs',
  done_marker: 'page',
  worker_page_init: 'uninitialised',
  wakeup_all_lock: 'no',
  trace_pfn: 'when_printed',
  worker_mm_ref: 'mm_count',
  worker_vm_ref: 'yes',
  module_ref: 'file_descriptors',
  enable_bits: 'copied',
  lapic_check: 'none',
  crash_disables_apf: 'no',
  worker_page_ref: 'yes',
  mmap_lock: 'held_across_io',
  worker_gup_error: 'ignored',
  flush_on_dequeue: 'no',
  token: 'plain',
  ready_event: 'always',
  completion_mp_state: 'untouched',
  completion_unhalts: 'no',
  runnable_requests: 'off',
  runnable_exception: 'no',
  block: 'unhalt_request',
  halt_polling: 'none',
  hlt_emulation: 'plain',
  request_order: 'linux_5_8',
  init_sipi: 'mp_state',
  nmi_queue: 'flag',
  behind_injected: 'window',
  cr2_written: 'when_queued',
  exception_merge: 'plain',
  retry_before_entry: 'off',
  prefault_checks: 'none',
  cr0_pg: 'nothing',
  notifier_flush: 'kick',
  double_fault: 'halt',
  not_present_write_failure: 'neither',
  destination: 'drop',
  broadcast_token: 'set_after_trace',
  save: 'ignore',
  query: 'pure',
  early_wake: 'dummy',
  guest_eqs: 'ignored',
  guest_reentry: 'rcu_first',
  guest_schedulable: 'preempt_count',
  guest_dummy_alloc: 'under_lock',
  trace_mode: 'unlabelled',
  trace_format: 'v6',
  host_halt: 'always',
  guards: GUARD_NAMES,
};

export const PRESETS: readonly Preset[] = [
  {
    name: 'v6',
    summary: 'Patch 02/12 of the sixth posting, the text under review: halts in mp_state, by a check at each entry.',
    provenance: 'posted',
    source: 'linux-mm, 4 Oct 2010, [PATCH v6 02/12]; the read is started by NOWAIT as from 2.6.39',
    extends: null,
    changes: v6,
  },
  {
    name: 'sync',
    summary: 'No asynchronous page faults: the vCPU thread sleeps in the fault.',
    provenance: 'reconstruction',
    source: 'linux_6_12 with the mechanism off',
    extends: 'linux_6_12',
    changes: { resolve: 'wait' },
  },
  {
    name: 'v6_at_fault',
    summary: 'The reviewer: halt when starting the page fault, un-halt on completion.',
    provenance: 'proposed',
    source: 'review mail, 9 Oct 2010; our reconstruction of what was asked',
    extends: 'v6',
    changes: { halt: 'at_fault_with_unhalt', completion_mp_state: 'runnable', completion_unhalts: 'yes' },
  },
  {
    name: 'v6_request',
    summary: 'The reviewer: let the worker raise a KVM_REQ that triggers the check, and halt by request.',
    provenance: 'proposed',
    source: 'review mail, 9 Oct 2010; our reconstruction of what was asked',
    extends: 'v6',
    changes: { halt: 'request', wake: 'request', completion_check: 'on_request_and_ack', completions_per_pass: 'all' },
  },
  {
    name: 'v6_list_move',
    summary: 'The reviewer: move a completed item from queue to done, saving a link field.',
    provenance: 'proposed',
    source: 'review mail, 9 Oct 2010; our reconstruction of what was asked',
    extends: 'v6',
    changes: { lists: 'move' },
  },
  {
    name: 'v6_drain_on_save',
    summary: 'The reviewer: drain the queues in any save or restore ioctl, with the consequence that a query drains too.',
    provenance: 'proposed',
    source: 'review mail, 9 Oct 2010; our reconstruction of what was asked',
    extends: 'v6',
    changes: { save: 'drain', query: 'same_as_save' },
  },
  {
    name: 'v6_nmi_naive',
    summary: 'The reviewer: a CPU that can handle NMIs can take a fault, in an NMI handler too; then withdrawn as very dangerous.',
    provenance: 'reconstruction',
    source: 'review mail, 9 Oct 2010; our reconstruction of what was asked, and withdrawn two sentences later',
    extends: 'v6',
    changes: {
      gate: ['interrupt_allowed', 'irqchip', 'nmi_allowed', 'pending_exception', 'reinjection'],
      nmi_optin: 'ignore',
    },
  },
  {
    name: 'v6_nmi_optin',
    summary: 'The reviewer: not "without the guest enabling apf-in-nmi".',
    provenance: 'reconstruction',
    source: 'review mail, 9 Oct 2010; our reconstruction of what was judged not worth the complexity',
    extends: 'v6_nmi_naive',
    changes: { nmi_optin: 'guest_flag' },
  },
  {
    name: 'v7',
    summary: 'Seventh posting: halt by request, a separate flag, paravirtual delivery by #PF.',
    provenance: 'posted',
    source: 'linux-mm, 14 Oct 2010; its run loop from memory',
    extends: 'v6',
    changes: {
      halt: 'request',
      synthetic: 'separate_flag',
      completion_check: 'every_pass',
      notify: 'pf_both',
      deliver: ['cpl'],
      dequeue: 'can_inject',
      destination: 'wake_all',
      retry_before_entry: 'tdp_only',
      done_marker: 'done',
      worker_page_init: 'null',
      wakeup_all_lock: 'yes',
      trace_pfn: 'when_recorded',
      trace_format: '2.6.38',
    },
  },
  {
    name: 'linux_2_6_39',
    summary: 'The code of 2.6.38 with the NOWAIT of 2.6.39: the first kernel that takes asynchronous faults.',
    provenance: 'merged',
    source: 'arch/x86/kvm/x86.c and virt/kvm/async_pf.c of 2.6.38 to 3.0',
    extends: 'v7',
    changes: {
      completions_per_pass: 'all',
      completion_unhalts: 'yes',
      gfn_probe: 'stops_at_empty',
      prefault_checks: 'direct_map_and_cr3',
      retry_before_entry: 'all',
      cr0_pg: 'clear',
    },
  },
  {
    name: 'linux_4_19',
    summary: 'End of the era of #PF for both events.',
    provenance: 'merged',
    source: 'virt/kvm/async_pf.c and arch/x86/kvm/x86.c of 4.19',
    extends: 'linux_2_6_39',
    changes: {
      nowait_single_page: 'waits',
      gate: ['interrupt_allowed', 'irqchip', 'nested_optin', 'pending_exception', 'reinjection'],
      dequeue: 'can_do_async_pf',
      worker_mm_ref: 'mm_users',
      mmap_lock: 'dropped',
      worker_page_ref: 'no',
      clear: 'unlock_around_cancel',
      clear_done: 'skip',
      clear_cancelled: 'drops_refs',
      done_marker: 'vcpu_null',
      completion_mp_state: 'runnable',
      runnable_requests: 'all',
      runnable_exception: 'yes',
      init_sipi: 'pending_events',
      nmi_queue: 'counted',
      halt_polling: 'every_block',
      exception_merge: 'cancel_not_present',
      broadcast_token: 'set_before_trace',
      guest_eqs: 'left',
      guest_reentry: 'irqs_off_first',
      guest_schedulable: 'sections_too',
      trace_format: '4.19',
    },
  },
  {
    name: 'linux_5_8',
    summary: 'Ready by interrupt, one token at a time, acknowledged through an MSR.',
    provenance: 'merged',
    source: 'virt/kvm/async_pf.c and arch/x86/kvm/x86.c of 5.8 to 5.12',
    extends: 'linux_4_19',
    changes: {
      gate: ['hlt_deliverable', 'interrupt_allowed', 'irqchip', 'pending_exception', 'reinjection'],
      deliver: ['cpl', 'int_bit', 'nested_optin'],
      notify: 'pf_then_interrupt',
      wake: 'request',
      completion_check: 'on_request_and_ack',
      dequeue: 'token_free',
      schedule_work: 'last',
      lapic_check: 'refuses_nonzero',
      ready_event: 'if_notpresent_injected',
      not_present_write_failure: 'halt',
      behind_injected: 'immediate_exit',
      cr2_written: 'when_injected',
      exception_merge: 'plain',
      trace_format: '5.8',
    },
  },
  {
    name: 'linux_6_1',
    summary: 'Linux 6.1, the kernel of most recordings.',
    provenance: 'merged',
    source: 'virt/kvm/async_pf.c and arch/x86/kvm/x86.c of 6.1.20',
    extends: 'linux_5_8',
    changes: {
      deliver: ['cpl', 'int_bit', 'nested_optin', 'paging'],
      nested_event_request: 'no',
      dequeue: 'lapic_and_token_free',
      lapic_enable: 'apf_ready',
      token: 'nonzero',
      block: 'retest',
      halt_polling: 'halt_only',
      module_ref: 'vm',
      crash_disables_apf: 'yes',
      guest_dummy_alloc: 'unlocked',
      trace_format: '6.1',
    },
  },
  {
    name: 'linux_6_12',
    summary: 'Linux 6.9 to 6.14: the vCPU flushes each work item, the worker takes its own reference.',
    provenance: 'merged',
    source: 'virt/kvm/async_pf.c and arch/x86/kvm/x86.c of 6.12.33',
    extends: 'linux_6_1',
    changes: {
      nowait_single_page: 'retries',
      worker_mm_ref: 'taken_by_worker',
      worker_vm_ref: 'no',
      clear: 'flush',
      clear_done: 'flush',
      done_marker: 'none',
      flush_on_dequeue: 'yes',
      hlt_emulation: 'has_events',
      request_order: 'linux_6_12',
      trace_format: '6.12',
    },
  },
  {
    name: 'protected_6_15',
    summary: 'Linux 6.15 to 6.18: no event for a guest whose privilege level the host cannot read, unless it takes them at any.',
    provenance: 'merged',
    source: 'commit b9595d1ddef8, "KVM: x86: Don\'t inject PV async #PF if SEND_ALWAYS=0 and guest state is protected"',
    extends: 'linux_6_12',
    changes: { deliver: ['cpl', 'int_bit', 'nested_optin', 'paging', 'protected'] },
  },
  {
    name: 's390_pfault',
    summary: 's390 as KVM has it: external interrupts for both events, the second sent by the worker; no synthetic halt.',
    provenance: 'reconstruction',
    source: 'arch/s390/kvm/kvm-s390.c, interrupt.c and diag.c as public copies show them; over the x86 machine of linux_6_12',
    extends: 'linux_6_12',
    changes: {
      notify: 's390_pfault',
      gate: ['deliverable', 'interrupt_allowed', 'irqchip', 'pending_exception', 'reinjection'],
      deliver: ['cpl'],
      completion_check: 'every_pass',
      wake: 'done_list',
      dequeue: 'always',
      double_fault: 'second_token',
      retry_before_entry: 'off',
      destination: 'drop',
      completion_mp_state: 'untouched',
    },
  },
  {
    name: 'arm64_sdei',
    summary: 'arm64 as proposed in 2021: an SDEI event for not-present, a PPI for ready; never merged.',
    provenance: 'reconstruction',
    source:
      'kvmarm, 15 Aug 2021, "Support Asynchronous Page Fault" with Documentation/virt/kvm/arm/apf.rst; over the x86 machine of linux_6_12',
    extends: 'linux_6_12',
    changes: {
      notify: 'sdei_ppi',
      gate: ['deliverable', 'irqchip', 'pending_exception', 'reinjection'],
      deliver: ['cpl'],
    },
  },
  {
    name: 'userfault_2026',
    summary: "Firecracker's series of 2026: missing userfault memory goes to its handler through a ring, with no exit.",
    provenance: 'posted',
    source: 'firecracker-microvm/firecracker, pull requests 5746, 5977 and 5979, resources/hiding_ci/linux_patches/30-async-pf',
    extends: 'linux_6_12',
    changes: { notify: 'userfault_ring' },
  },
];

/** What runs where nothing is said: the newest that most guests of most hosts meet. */
export const DEFAULT_PRESET = 'linux_6_12';

export const PRESET_NAMES: readonly string[] = PRESETS.map(preset => preset.name);

export function presetNamed(name: string): Preset | undefined {
  return PRESETS.find(preset => preset.name === name);
}

/** The full set of knob values of a preset. Throws for a name that is not one: check with presetNamed() first. */
export function knobsOf(name: string): Knobs {
  const preset = presetNamed(name);
  if (!preset) throw new Error(`no preset named ${name}`);
  return preset.extends === null ? { ...v6, ...preset.changes } : { ...knobsOf(preset.extends), ...preset.changes };
}

/** Names of the knobs in which two sets differ, in the order declared. */
export function knobsThatDiffer(a: Knobs, b: Knobs): readonly (keyof Knobs)[] {
  return KNOB_NAMES.filter(name => String(a[name]) !== String(b[name]));
}
