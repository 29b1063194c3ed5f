/** Why a vCPU runs or does not, from the same predicate that the model uses. */
import { STEP_NAMES } from './at.ts';
import { kvm_arch_vcpu_runnable, RUNNABLE_TERMS } from './kvm/block.ts';
import type { Machine } from './machine.ts';
import { TASK_STATE, type Vcpu } from './schema.ts';

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

/** One line: what the vCPU thread is doing, and, where it sleeps, what it sleeps for. */
export function whereIsVcpu(m: Machine, vcpu: Vcpu): string {
  const thread = m.threads[m.places.vcpus[vcpu.id]!.thread]!;
  const at = STEP_NAMES[thread.at]!;
  if (thread.held) return `held by the scenario at ${at}`;
  if (thread.task_state === TASK_STATE.UNINTERRUPTIBLE) return `sleeps uninterruptibly in ${at}`;
  if (thread.task_state === TASK_STATE.INTERRUPTIBLE) {
    return `sleeps in kvm_vcpu_block(): ${kvm_arch_vcpu_runnable(m, vcpu) ? 'runnable, but nobody has woken it' : 'not runnable'}`;
  }
  return thread.on_cpu ? `runs ${at}` : `waits for a host CPU at ${at}`;
}
