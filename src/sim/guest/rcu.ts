/**
 * Whether the guest's RCU watches a CPU: not while its idle task waits, the extended quiescent state.
 *
 * Models kernel/rcu/tree.c as far as one number and one bit go: dynticks_nesting, and whether `dynticks` is odd.
 * Differs: user mode is never an extended quiescent state here (no nohz_full).
 */

import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import type { Vcpu } from '../schema.ts';

/** Models rcu_idle_enter(): from here on the idle task must not use RCU. */
export function rcu_idle_enter(vcpu: Vcpu): void {
  vcpu.rcu_nesting = 0;
  vcpu.rcu_watching = 0;
}

/** Models rcu_idle_exit(). */
export function rcu_idle_exit(vcpu: Vcpu): void {
  vcpu.rcu_nesting = 1;
  vcpu.rcu_watching = 1;
}

/** Models rcu_irq_enter(), with interrupts off, so that both halves are one step. */
export function rcu_irq_enter(vcpu: Vcpu): void {
  rcu_irq_enter_nesting(vcpu);
  rcu_irq_enter_watching(vcpu);
}

/** Its first half: the count. An interrupt that comes here finds it above zero and leaves the other half alone (B31). */
export function rcu_irq_enter_nesting(vcpu: Vcpu): void {
  vcpu.rcu_nesting += 1;
}

/** Its second half: RCU watches. */
export function rcu_irq_enter_watching(vcpu: Vcpu): void {
  if (vcpu.rcu_nesting === 1) vcpu.rcu_watching = 1;
}

/** Models rcu_irq_exit(). */
export function rcu_irq_exit(vcpu: Vcpu): void {
  vcpu.rcu_nesting -= 1;
  if (vcpu.rcu_nesting === 0) vcpu.rcu_watching = 0;
}

/** Code that has to be watched: a wake-up, the scheduler. Models RCU_LOCKDEP_WARN(!rcu_is_watching()). */
export function rcu_use(m: Machine, vcpu: Vcpu): void {
  if (!vcpu.rcu_watching) m.observe?.(OBS.rcu_illegal_use, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}
