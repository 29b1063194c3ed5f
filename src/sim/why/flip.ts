/** Who could make a term of the runnable predicate hold, from where things stand: nobody, when the wake-up is lost. */
import { durationText } from '../../base/duration.ts';
import { NEVER_NS } from '../../base/event_queue.ts';
import { RUNNABLE_TERMS } from '../kvm/block.ts';
import { kvm_arch_interrupt_allowed } from '../kvm/event.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import type { ActionOp } from '../program.ts';
import { ACTION, type Vcpu } from '../schema.ts';
import { itemText } from './faults.ts';

type Flip = (m: Machine, vcpu: Vcpu) => readonly string[];

/**
 * By the text of the term. The others nobody sets for a thread that sleeps: mp_state and apf.halted least of all, which
 * the thread itself puts right once another term has let it go.
 */
const FLIPS: ReadonlyMap<string, Flip> = new Map<string, Flip>([
  ['async_pf.done is not empty', outstanding],
  ['interrupts are allowed and the LAPIC has one', interrupts],
]);

/** Who could still flip each term that does not hold, in the order of RUNNABLE_TERMS. */
export function couldFlip(m: Machine, vcpu: Vcpu): readonly (readonly string[])[] {
  return RUNNABLE_TERMS.map(term => (term.holds(m, vcpu) ? [] : (FLIPS.get(term.text)?.(m, vcpu) ?? [])));
}

function outstanding(m: Machine, vcpu: Vcpu): readonly string[] {
  return vcpu.apf_queue
    .toArray()
    .map(id => m.works[id]!)
    .filter(work => !work.completed)
    .map(work => itemText(m, work));
}

/** With interrupts off in the guest only the scenario can change anything. */
function interrupts(m: Machine, vcpu: Vcpu): readonly string[] {
  const vm = vm_of_vcpu(m, vcpu);
  const { vcpu_id } = m.places.vcpus[vcpu.id]!;
  const timers = m.places.timers.flatMap((timer, id) => {
    const due_ns = m.queue.dueNs(m.places.source.timer + id);
    return timer.vcpu === vcpu.id && due_ns !== NEVER_NS ? [`timer ${timer.name}, due at ${durationText(due_ns)}`] : [];
  });
  const sleeps = (m.places.tasksOf[vcpu.id] ?? []).flatMap(id => {
    const due_ns = m.queue.dueNs(m.places.source.task + id);
    const name = m.places.tasks[id]?.spec.name ?? '';
    return due_ns === NEVER_NS ? [] : [`the sleep of ${name}, over at ${durationText(due_ns)}`];
  });
  const reaches = (op: ActionOp) => 'vcpu' in op && op.vm === vm && op.vcpu === vcpu_id && op.op !== 'get_mpstate';
  const acts = m.program.actions.flatMap((action, id) => {
    if (m.actions[id]!.state === ACTION.done || !action.ops.some(reaches)) return [];
    const due_ns = m.queue.dueNs(m.places.source.action + id);
    return [`the scenario, line ${action.place.line}${due_ns === NEVER_NS ? '' : `, at ${durationText(due_ns)}`}`];
  });
  return kvm_arch_interrupt_allowed(vcpu) ? [...timers, ...sleeps, ...acts] : acts;
}
