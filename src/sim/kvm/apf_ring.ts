/** Faults that a userfault handler is to be told of through KVM: one list for each VM, whoever writes into it. */
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { type Thread, UF_STATE, type Vcpu, type Work } from '../schema.ts';

export function push_notification(m: Machine, vm: number, work: Work): void {
  m.vms[vm]!.uf_notify.push(work.id);
}

/** How many entries of a vCPU nobody has read yet. */
export function ring_entries_of(m: Machine, vcpu: Vcpu, vm: number): number {
  const { uf_notify } = m.vms[vm]!;
  let waiting = 0;
  for (let index = 0; index < uf_notify.length; index += 1)
    if (m.works[uf_notify.at(index)]!.vcpu === vcpu.id + 1) waiting += 1;
  return waiting;
}

/** The next of them, taken into the handler thread's own variables; false where there is none. */
export function read_notification(m: Machine, thread: Thread, vm: number): boolean {
  const id = m.vms[vm]!.uf_notify.shift();
  if (id < 0) return false;
  const work = m.works[id]!;
  thread.page = work.page;
  thread.vcpu = work.vcpu;
  m.observe?.(OBS.notified, vm, work.page, -1);
  return true;
}

/** The item is freed, and nobody need be told of it any more. Differs: what stands in a ring would be read all the same. */
export function forget_notification(m: Machine, work: Work): void {
  if (work.uf_state === UF_STATE.none) return;
  m.vms[m.vcpus[work.vcpu - 1]!.vm]!.uf_notify.remove(work.id);
  work.uf_state = UF_STATE.none;
}
