/**
 * Faults on order: the next so many kicks, interrupts or work items of a VM are lost, come twice, or come late.
 *
 * Counters of the VM, used up where the thing would have happened. What is late waits in a row of its own.
 */
import { type Machine, vm_of_vcpu } from './machine.ts';
import { HOW, ORDERED, type OrderAct, type Ordered } from './ordered.ts';
import type { Vcpu } from './schema.ts';

export function order(m: Machine, vm: number, { how, what, times, ns }: OrderAct): void {
  const row = m.vms[vm]!;
  const at = ORDERED[what] * 3 + HOW[how];
  row.set_order(at, row.order(at) + times);
  row.orders += times;
  if (how === 'delay') row.set_order_delay_ns(ORDERED[what], ns);
}

export type Happens = (m: Machine, vcpu: Vcpu, argument: number) => void;

/** Something happens to a vCPU: as it should, unless the scenario has ordered otherwise. */
export function as_ordered(m: Machine, what: Ordered, vcpu: Vcpu, argument: number, happens: Happens): void {
  const row = m.vms[vm_of_vcpu(m, vcpu)]!;
  if (row.orders === 0) {
    happens(m, vcpu, argument);
    return;
  }
  if (used_up(m, row.id, what, HOW.drop)) return;
  if (used_up(m, row.id, what, HOW.duplicate)) happens(m, vcpu, argument);
  else if (used_up(m, row.id, what, HOW.delay) && comes_late(m, row.id, what, vcpu, argument)) return;
  happens(m, vcpu, argument);
}

/** Whether anything is ordered of this kind: for who has to choose another way then. */
export function is_ordered(m: Machine, what: Ordered, vcpu: Vcpu): boolean {
  const row = m.vms[vm_of_vcpu(m, vcpu)]!;
  if (row.orders === 0) return false;
  return row.order(what * 3) + row.order(what * 3 + 1) + row.order(what * 3 + 2) > 0;
}

function used_up(m: Machine, vm: number, what: Ordered, how: number): boolean {
  const row = m.vms[vm]!;
  const left = row.order(what * 3 + how);
  if (left === 0) return false;
  row.set_order(what * 3 + how, left - 1);
  row.orders -= 1;
  return true;
}

function comes_late(m: Machine, vm: number, what: Ordered, vcpu: Vcpu, argument: number): boolean {
  const late = m.lates.find(each => each.what === 0);
  if (!late) return false;
  late.what = what + 1;
  late.vcpu = vcpu.id + 1;
  late.argument = argument;
  m.queue.arm(m.places.source.late + late.id, m.clock.now_ns + m.vms[vm]!.order_delay_ns(what));
  return true;
}
