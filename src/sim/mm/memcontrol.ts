/** Charging pages to a VM's container, and what has to go for them. */
import type { Machine } from '../machine.ts';
import type { Thread } from '../schema.ts';
import { limit_pages, reclaim_page } from './reclaim.ts';

/** Charges one page to the VM's container, reclaiming as it must. False: nothing to be had now. */
export function make_room(m: Machine, thread: Thread, vm: number, host: number): boolean {
  const row = m.vms[vm]!;
  const limit = limit_pages(m, vm);
  while (row.nr_charged_pages >= limit) {
    if (!reclaim_page(m, vm)) break;
    thread.charge_ns += m.costs[host]!.charge_ns.reclaim_page;
  }
  // The host's own free pages: take from whichever VM holds most.
  for (let tries = 0; m.hosts[host]!.nr_free_pages === 0 && tries < 64; tries += 1) {
    if (!largest_first(m, host).some(victim => reclaim_page(m, victim))) break;
  }
  return row.nr_charged_pages < limit || (m.hosts[host]!.nr_io_active === 0 && holds_pinned(m, vm));
}

/** Pages that old workers pin are let go in time, so the container may go over its limit for them; else all would wait. */
function holds_pinned(m: Machine, vm: number): boolean {
  for (let stored = m.vms[vm]!.lru_head; stored !== 0; stored = m.frame.next(stored - 1)) {
    if (m.frame.pins(stored - 1) > 0) return true;
  }
  return false;
}

/** The VMs of a host, the one that holds most before the others. */
function largest_first(m: Machine, host: number): readonly number[] {
  const charged = (vm: number) => m.vms[vm]!.nr_charged_pages;
  const vms = m.program.vms.flatMap((spec, vm) => (spec.host === host ? [vm] : []));
  return vms.sort((a, b) => charged(b) - charged(a));
}
