/**
 * Guards that no version lacks: single conditions of the kernel's or the guest's code, each with what it is for.
 *
 * A knob holds all of them. Taking one away, `guards remove recheck_requests`, gives a kernel that never was, and asks
 * whether any judgement would have noticed. What versions do differ in is a knob of its own, see knobs.ts.
 */
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';

interface Guard {
  readonly summary: string;
  readonly source: string;
  /** Why nothing here depends on it. */
  readonly weightless?: string;
}

export const GUARDS = {
  runnable_done: {
    summary: 'A vCPU whose done list is not empty is runnable.',
    source: 'kvm_arch_vcpu_runnable(), kvm_vcpu_has_events()',
  },
  runnable_interrupt: {
    summary: 'A vCPU with an interrupt that it may take is runnable.',
    source: 'kvm_arch_vcpu_runnable(), kvm_vcpu_has_events()',
  },
  recheck_requests: {
    summary: 'Requests are looked at once more when interrupts are off and the mode says IN_GUEST_MODE.',
    source: 'kvm_vcpu_exit_request()',
  },
  recheck_mode: {
    summary: 'A kick that came before the entry calls the entry off.',
    source: 'kvm_vcpu_exit_request()',
    weightless: 'whoever kicks a vCPU has made a request or sent a signal before, and the same look finds those',
  },
  cancel_raises_event: {
    summary: 'What was to go in with an entry that is called off is to go in with the next.',
    source: 'kvm_x86_ops.cancel_injection()',
  },
  sleeps_before_look: {
    summary: 'A vCPU says that it goes to sleep before it looks whether it should.',
    source: 'kvm_vcpu_block()',
  },
  timer_unblocks: { summary: 'An expired timer ends a block.', source: 'kvm_vcpu_check_block()' },
  done_lock: {
    summary: 'The done list is changed under async_pf.lock; without it each operation is a look and, later, its stores.',
    source: 'async_pf_execute(), kvm_check_async_pf_completion(), kvm_async_pf_wakeup_all()',
  },
  wake_after_append: { summary: 'A worker that is through wakes the vCPU.', source: 'async_pf_execute()' },
  kick_after_request: {
    summary: 'A worker that asks for the completion check kicks the vCPU.',
    source: 'kvm_arch_async_page_present_queued()',
  },
  ready_unmarks_gfn: {
    summary: 'A page that is ready is no longer outstanding.',
    source: 'kvm_del_async_pf_gfn()',
  },
  halt_when_not_told: {
    summary: 'A vCPU whose guest cannot be told is halted.',
    source: 'kvm_arch_async_page_not_present()',
  },
  mmu_notifier_retry: {
    summary: 'A page that was taken away since the fault began is not mapped.',
    source: 'mmu_invalidate_retry()',
  },
  guest_frees_slot: {
    summary: 'The guest frees the slot of the token once it has read it.',
    source: 'sysvec_kvm_asyncpf_interrupt()',
  },
  guest_acknowledges: {
    summary: 'The guest has the host look for the next completion.',
    source: 'sysvec_kvm_asyncpf_interrupt()',
  },
} as const satisfies Record<string, Guard>;

export type GuardName = keyof typeof GUARDS;

/** Why nothing in the model depends on a guard; null where something does. */
export function weightless(name: GuardName): string | null {
  const guard: Guard = GUARDS[name];
  return guard.weightless ?? null;
}

export const GUARD_NAMES = Object.keys(GUARDS) as readonly GuardName[];

/** One bit for each, in the order declared. */
export const GUARD = Object.fromEntries(GUARD_NAMES.map((name, index) => [name, 1 << index])) as {
  readonly [G in GuardName]: number;
};

export function guardBits(names: readonly GuardName[]): number {
  return names.reduce((bits, name) => bits | GUARD[name], 0);
}

/** Whether the vCPU's version still has a guard. */
export function guarded(m: Machine, vcpu: Vcpu, guard: number): boolean {
  if (m.cover !== null) m.cover.guard(guard);
  return (vcpu.guards & guard) !== 0;
}
