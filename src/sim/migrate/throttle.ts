/**
 * Auto-converge: a guest that writes faster than the link carries is slowed down, its vCPU threads sleeping for a part of
 * each stretch of time.
 *
 * Models softmmu/cpu-throttle.c of QEMU: out of TIMESLICE / (1 - p) each vCPU runs TIMESLICE.
 */
import { wake_up_process } from '../host/sched.ts';
import { kvm_vcpu_kick } from '../kvm/requests.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';

/** CPU_THROTTLE_TIMESLICE_NS. */
const TIMESLICE_NS = 10_000_000;

function vcpusOf(m: Machine, migration: number): readonly Vcpu[] {
  const { out_of } = m.program.migrations[migration]!;
  const { first_vcpu } = m.places.vms[out_of]!;
  return m.vcpus.slice(first_vcpu, first_vcpu + m.program.vms[out_of]!.vcpus);
}

/** Slows the guest down, or further down. Models mig_throttle_guest_down(), migration/ram.c. */
export function throttle_guest_down(m: Machine, migration: number): void {
  const { auto_converge } = m.program.migrations[migration]!;
  if (!auto_converge) return;
  const row = m.migrations[migration]!;
  const { start, step, max } = auto_converge;
  const before = row.throttle_percent;
  row.throttle_percent = Math.min(max, before === 0 ? start : before + step);
  if (before === 0) tick(m, migration);
}

/** The timer's turn: every vCPU is to sleep. Models cpu_throttle_timer_tick(). */
export function tick(m: Machine, migration: number): void {
  const row = m.migrations[migration]!;
  if (row.throttle_percent === 0) return;
  for (const vcpu of vcpusOf(m, migration)) {
    vcpu.throttled = 1;
    vcpu.signal_pending = 1;
    kvm_vcpu_kick(m, vcpu);
  }
  m.queue.arm(m.places.source.throttle + migration, m.clock.now_ns + TIMESLICE_NS / (1 - row.throttle_percent / 100));
}

/** How long a vCPU thread sleeps now. Models cpu_throttle_thread(). */
export function throttle_sleep_ns(m: Machine, vcpu: Vcpu): number {
  const migrating = m.vms[vcpu.vm]!.migrating;
  const part = migrating === 0 ? 0 : m.migrations[migrating - 1]!.throttle_percent / 100;
  return Math.round((part / (1 - part)) * TIMESLICE_NS);
}

/** A vCPU has slept. */
export function throttle_over(m: Machine, vcpu: number): void {
  m.vcpus[vcpu]!.throttled = 0;
  wake_up_process(m, m.threads[m.places.vcpus[vcpu]!.thread]!);
}

export function throttle_stop(m: Machine, migration: number): void {
  m.migrations[migration]!.throttle_percent = 0;
  m.queue.disarm(m.places.source.throttle + migration);
  for (const vcpu of vcpusOf(m, migration)) {
    m.queue.disarm(m.places.source.throttle_sleep + vcpu.id);
    if (vcpu.throttled) throttle_over(m, vcpu.id);
  }
}
