/** Why a vCPU runs or does not, from the same predicate that the model uses. */
import { STEP_NAMES } from './at.ts';
import { kvm_arch_vcpu_runnable, RUNNABLE_TERMS } from './kvm/block.ts';
import type { Machine } from './machine.ts';
import { TASK_STATE, type Thread, type Vcpu, WAIT } from './schema.ts';

export interface WhyTerm {
  readonly text: string;
  readonly value: boolean;
  /** False where this version's predicate does not have the term. */
  readonly counts: boolean;
}

/** The terms of kvm_arch_vcpu_runnable() for this vCPU's version, with their values now. */
export function whyNotRunning(m: Machine, vcpu: Vcpu): readonly WhyTerm[] {
  return RUNNABLE_TERMS.map(term => ({ text: term.text, value: term.holds(m, vcpu), counts: term.when(m, vcpu) }));
}

/** What a host thread is doing, and, where it sleeps, what it sleeps for: the end of a sentence about it. */
export function whereIsThread(thread: Thread): string {
  const at = STEP_NAMES[thread.at]!;
  if (thread.held) return `is held by the scenario at ${at}`;
  if (thread.task_state === TASK_STATE.UNINTERRUPTIBLE) {
    return `sleeps in ${at}, waiting for ${WAITS[thread.wait] ?? 'nothing'}`;
  }
  if (thread.task_state === TASK_STATE.INTERRUPTIBLE)
    return thread.on_rq ? `goes to sleep in ${at}` : `sleeps in ${at}`;
  return thread.on_cpu ? `runs ${at}` : `waits for a host CPU at ${at}`;
}

const WAITS: readonly string[] = Object.keys(WAIT).map(name => name.replaceAll('_', ' '));

/** The same of a vCPU thread: where it sleeps as idle, whether it could run. */
export function whereIsVcpu(m: Machine, vcpu: Vcpu): string {
  const thread = threadOfVcpu(m, vcpu);
  const where = whereIsThread(thread);
  if (!isAsleep(thread)) return where;
  return `${where}, ${kvm_arch_vcpu_runnable(m, vcpu) ? 'runnable, and nobody has woken it' : 'not runnable'}`;
}

export function threadOfVcpu(m: Machine, vcpu: Vcpu): Thread {
  return m.threads[m.places.vcpus[vcpu.id]!.thread]!;
}

/** Asleep until somebody wakes it, unlike one that has only said that it will sleep. */
export function isAsleep(thread: Thread): boolean {
  return thread.task_state === TASK_STATE.INTERRUPTIBLE && !thread.on_rq;
}
