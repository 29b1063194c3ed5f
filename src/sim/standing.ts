/**
 * What judgements ask about where a thread stands: whether its next step is one of several.
 *
 * Asked here, and not of `thread.at`, so that an exploration knows which steps a judgement could tell apart: those that go
 * from one of these places to another, not all that the thread takes.
 */
import { AT, STEP_NAMES } from './at.ts';
import type { Machine } from './machine.ts';

const PLACES = {
  /** A worker has finished an item, and is about to wake whoever waits for it. */
  about_to_wake: [
    AT['async_pf_execute.mark'],
    AT['async_pf_execute.request'],
    AT['async_pf_execute.kick'],
    AT['async_pf_execute.kick_vcpu'],
    AT['async_pf_execute.trace'],
    AT['async_pf_execute.wake'],
  ],
  checking: [
    AT.kvm_check_async_pf_completion,
    AT['kvm_check_async_pf_completion.entry'],
    AT['kvm_check_async_pf_completion.entry_unlink'],
    AT['kvm_check_async_pf_completion.unlink'],
    AT.kvm_arch_async_page_ready,
    AT.kvm_arch_async_page_present,
    AT['kvm_arch_async_page_present.raise'],
    AT.kvm_flush_and_free_async_pf_work,
  ],
  being_read: [
    AT.kvm_drain_async_pf,
    AT.kvm_arch_vcpu_ioctl_get_regs,
    AT.kvm_arch_vcpu_ioctl_get_sregs,
    AT['msr_io.get'],
    AT.kvm_arch_vcpu_ioctl_get_mpstate,
    AT.kvm_vcpu_ioctl_get_lapic,
    AT.kvm_vcpu_ioctl_x86_get_vcpu_events,
  ],
  blocking: [AT.kvm_vcpu_block, AT['kvm_vcpu_block.check'], AT['kvm_vcpu_block.schedule'], AT['kvm_vcpu_block.finish']],
  userspace: [AT.userspace],
  guest: [AT.guest],
  nothing_to_do: [AT.off, AT.worker_thread],
};

export type Standing = keyof typeof PLACES;

/** By place, a bit for each of these questions that it answers with yes. */
export const STANDING: Int32Array = Int32Array.from(STEP_NAMES, (_, at) =>
  Object.values(PLACES).reduce(
    (bits, places, number) => (places.some(each => each === at) ? bits | (1 << number) : bits),
    0,
  ),
);

/** How many questions there are. */
export const STANDINGS = Object.keys(PLACES).length;

const NUMBER: ReadonlyMap<string, number> = new Map(Object.keys(PLACES).map((name, number) => [name, number]));

export function stands(m: Machine, thread: number, where: Standing): boolean {
  const number = NUMBER.get(where)!;
  m.stood?.(number, thread);
  return (STANDING[m.threads[thread]!.at]! & (1 << number)) !== 0;
}
