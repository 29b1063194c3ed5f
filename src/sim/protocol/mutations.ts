/**
 * What can be taken away from a version, one thing at a time: a guard, a term of a gate, or a rule that it has and an
 * older one lacked.
 */
import { GUARD_NAMES, GUARDS } from './guards.ts';
import { KNOBS, type KnobName, type Knobs } from './knobs.ts';

export interface Mutation {
  /** `gate irqchip`, `guards recheck_requests`, `dequeue always`: as it would stand in a variant. */
  readonly name: string;
  readonly knob: KnobName;
  readonly summary: string;
  /** The version without it. */
  readonly knobs: Knobs;
}

/** The value of a knob with which the rule is not there. */
const WITHOUT = {
  synthetic: 'shared_mp_state',
  completions_per_pass: 'one',
  gfn_probe: 'walks_all',
  dequeue: 'always',
  lapic_enable: 'nothing',
  alloc: 'may_sleep',
  schedule_work: 'before_list',
  flush_on_dequeue: 'no',
  token: 'plain',
  ready_event: 'always',
  completion_mp_state: 'untouched',
  completion_unhalts: 'no',
  runnable_exception: 'no',
  exception_merge: 'plain',
  retry_before_entry: 'off',
  double_fault: 'second_token',
  not_present_write_failure: 'neither',
  destination: 'drop',
  early_wake: 'dropped',
} as const satisfies { readonly [K in KnobName]?: Knobs[K] };

/** All that can be taken away from a version with these knobs. */
export function mutationsOf(knobs: Knobs): readonly Mutation[] {
  const guards = GUARD_NAMES.filter(name => knobs.guards.includes(name)).map(name => ({
    name: `guards remove ${name}`,
    knob: 'guards' as const,
    summary: GUARDS[name].summary,
    knobs: { ...knobs, guards: knobs.guards.filter(each => each !== name) },
  }));
  const gate = knobs.gate.map(term => ({
    name: `gate remove ${term}`,
    knob: 'gate' as const,
    summary: KNOBS.gate.summary,
    knobs: { ...knobs, gate: knobs.gate.filter(each => each !== term) },
  }));
  const deliver = knobs.deliver.map(term => ({
    name: `deliver remove ${term}`,
    knob: 'deliver' as const,
    summary: KNOBS.deliver.summary,
    knobs: { ...knobs, deliver: knobs.deliver.filter(each => each !== term) },
  }));
  const rules = Object.entries(WITHOUT).flatMap(([name, value]) => {
    const knob = name as keyof typeof WITHOUT;
    if (knobs[knob] === value) return [];
    return [{ name: `${knob} ${value}`, knob, summary: KNOBS[knob].summary, knobs: { ...knobs, [knob]: value } }];
  });
  return [...guards, ...gate, ...deliver, ...rules];
}
