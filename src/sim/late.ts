/** What a scenario has ordered to come late, comes. */
import { insert_work } from './host/workqueue.ts';
import { notify_ready } from './kvm/async_pf_x86.ts';
import { set_irr } from './kvm/lapic.ts';
import { kvm_vcpu_wake_up, send_reschedule_ipi, wake_or_interrupt } from './kvm/requests.ts';
import type { Machine } from './machine.ts';
import type { Happens } from './order.ts';
import { ORDERED_NAMES } from './ordered.ts';

const HAPPENS: Readonly<Record<(typeof ORDERED_NAMES)[number], Happens>> = {
  kick: wake_or_interrupt,
  ipi: send_reschedule_ipi,
  ready: notify_ready,
  completed: kvm_vcpu_wake_up,
  work: insert_work,
  interrupt: set_irr,
};

export function happens_late(m: Machine, id: number): void {
  const late = m.lates[id]!;
  const name = ORDERED_NAMES[late.what - 1]!;
  const vcpu = m.vcpus[late.vcpu - 1]!;
  const { argument } = late;
  late.what = 0;
  late.vcpu = 0;
  late.argument = 0;
  HAPPENS[name](m, vcpu, argument);
}
