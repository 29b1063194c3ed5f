/**
 * What can be taken away from a version, one thing at a time: a guard, a term of a gate, or a rule that it has and an
 * older one lacked.
 */
import { GUARD_NAMES, GUARDS, weightless } from './guards.ts';
import { KNOBS, type KnobName, type Knobs } from './knobs.ts';

export interface Mutation {
  /** `gate irqchip`, `guards recheck_requests`, `dequeue always`: as it would stand in a variant. */
  readonly name: string;
  readonly knob: KnobName;
  /** Of a set knob, what is taken out of it. */
  readonly element: string | null;
  readonly summary: string;
  /** Of what nothing in the model depends on: why. */
  readonly weightless: string | null;
  /** The version without it. */
  readonly knobs: Knobs;
}

/** The value of a knob with which the rule is not there: what the kernel had before, or what nobody ever would. */
const WITHOUT = {
  nested_event_request: 'no',
  synthetic: 'shared_mp_state',
  worker_wakes: 'vcpu_wait',
  completions_per_pass: 'one',
  gfn_probe: 'walks_all',
  dequeue: 'always',
  slot: 'overwrite',
  lapic_enable: 'nothing',
  alloc: 'may_sleep',
  schedule_work: 'before_list',
  clear: 'unlocked_owner_thread',
  clear_done: 'free',
  clear_cancelled: 'keeps_refs',
  worker_page_init: 'uninitialised',
  wakeup_all_lock: 'no',
  trace_pfn: 'when_printed',
  worker_mm_ref: 'mm_count',
  enable_bits: 'copied',
  lapic_check: 'none',
  crash_disables_apf: 'no',
  module_ref: 'file_descriptors',
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
  nmi_queue: 'flag',
  nmi_optin: 'ignore',
  cr2_written: 'when_queued',
  exception_merge: 'plain',
  retry_before_entry: 'off',
  prefault_checks: 'none',
  cr0_pg: 'nothing',
  notifier_flush: 'none',
  double_fault: 'second_token',
  not_present_write_failure: 'neither',
  destination: 'drop',
  early_wake: 'dropped',
  guest_eqs: 'ignored',
  guest_reentry: 'rcu_first',
  guest_schedulable: 'preempt_count',
  guest_dummy_alloc: 'under_lock',
} as const satisfies { readonly [K in KnobName]?: Knobs[K] };

/** Rules of which a version knows nothing that lacks what they are about. */
const ABOUT: { readonly [K in keyof typeof WITHOUT]?: (knobs: Knobs) => boolean } = {
  nmi_optin: ({ gate }) => gate.includes('nmi_allowed'),
};

/** All that can be taken away from a version with these knobs. */
export function mutationsOf(knobs: Knobs): readonly Mutation[] {
  const guards = GUARD_NAMES.filter(name => knobs.guards.includes(name)).map(name => ({
    name: `guards remove ${name}`,
    knob: 'guards' as const,
    element: name,
    summary: GUARDS[name].summary,
    weightless: weightless(name),
    knobs: { ...knobs, guards: knobs.guards.filter(each => each !== name) },
  }));
  const gate = knobs.gate.map(term => ({
    name: `gate remove ${term}`,
    knob: 'gate' as const,
    element: term,
    summary: KNOBS.gate.summary,
    weightless: null,
    knobs: { ...knobs, gate: knobs.gate.filter(each => each !== term) },
  }));
  const deliver = knobs.deliver.map(term => ({
    name: `deliver remove ${term}`,
    knob: 'deliver' as const,
    element: term,
    summary: KNOBS.deliver.summary,
    weightless: null,
    knobs: { ...knobs, deliver: knobs.deliver.filter(each => each !== term) },
  }));
  const rules = Object.entries(WITHOUT).flatMap(([name, value]) => {
    const knob = name as keyof typeof WITHOUT;
    if (knobs[knob] === value || ABOUT[knob]?.(knobs) === false) return [];
    const without = { ...knobs, [knob]: value };
    const { summary } = KNOBS[knob];
    return [{ name: `${knob} ${value}`, knob, element: null, summary, weightless: null, knobs: without }];
  });
  return [...guards, ...gate, ...deliver, ...rules];
}
