/** The moment at which a guest stops on one host, and that at which it runs on another. */
import { pending_timer } from '../kvm/lapic.ts';
import { KVM_REQ_UNBLOCK, kvm_make_request } from '../kvm/requests.ts';
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { WAIT } from '../schema.ts';
import { wake_if } from './arrival.ts';
import { MIGRATION_STATUS } from './tables.ts';

/** The source's vCPUs are out of KVM_RUN and their state is read; or one of them would not give it. */
export function vm_saved(m: Machine, migration: number, failed: boolean): void {
  const row = m.migrations[migration]!;
  row.vm_stopped = 1;
  if (failed) row.cancel = 1;
  wake_if(m, m.places.migrations[migration]!.source, WAIT.migration);
}

/** The destination's vCPUs have their state, and run from here on; or their MSRs could not be written. */
export function vm_loaded(m: Machine, migration: number, failed: boolean): void {
  const row = m.migrations[migration]!;
  const spec = m.program.migrations[migration]!;
  if (failed) row.status = MIGRATION_STATUS.failed;
  else {
    rehome(m, spec.out_of, spec.into);
    m.vms[spec.vm]!.lives_in = spec.into === spec.vm ? 0 : spec.into + 1;
    row.dst_started = 1;
    row.downtime_ns = m.clock.now_ns - row.stopped_ns;
    m.observe?.(OBS.switchover, spec.vm, migration, -1);
  }
  wake_if(m, m.places.migrations[migration]!.source, WAIT.migration);
}

/**
 * What refers to the vCPUs of one incarnation refers to those of the other: the guest's own tables name its CPUs, and
 * its timers go on by the guest's clock.
 */
export function rehome(m: Machine, from: number, to: number): void {
  const shift = m.places.vms[to]!.first_vcpu - m.places.vms[from]!.first_vcpu;
  const { first_vcpu, first_task } = m.places.vms[from]!;
  const { vcpus, guest } = m.program.vms[from]!;
  const isHere = (vcpu: number): boolean => vcpu >= first_vcpu && vcpu < first_vcpu + vcpus;
  for (let task = first_task; task < first_task + guest.tasks.length; task += 1)
    m.tasks[task]!.vcpu = m.tasks[task]!.vcpu + shift;
  for (let id = 0; id < vcpus; id += 1) {
    const idle = m.nodes[m.tasks.length + first_vcpu + id]!;
    const there = m.nodes[m.tasks.length + first_vcpu + id + shift]!;
    there.state = idle.state;
    there.token = idle.token;
    there.since_ns = idle.since_ns;
    there.vcpu = idle.vcpu;
    idle.state = 0;
    idle.token = 0;
    idle.since_ns = 0;
    idle.vcpu = 0;
    const source = m.vcpus[first_vcpu + id]!;
    const target = m.vcpus[first_vcpu + id + shift]!;
    for (let word = 0; word < 8; word += 1) {
      target.set_lapic_timer_pending(word, target.lapic_timer_pending(word) | source.lapic_timer_pending(word));
      source.set_lapic_timer_pending(word, 0);
    }
    if (pending_timer(target) >= 0) kvm_make_request(KVM_REQ_UNBLOCK, target);
  }
  for (const node of m.nodes) if (node.vcpu > 0 && isHere(node.vcpu - 1)) node.vcpu += shift;
  m.vms[to]!.nr_dummies = m.vms[from]!.nr_dummies;
  m.vms[from]!.nr_dummies = 0;
}
