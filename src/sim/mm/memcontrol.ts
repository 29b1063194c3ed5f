/** Charging pages to a VM's container, and what has to go for them. */
import type { Machine } from '../machine.ts';
import type { Thread } from '../schema.ts';
import { lru_add, PG_uptodate, set_flag, take_frame, vm_of_page } from './page.ts';
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

/** A frame for a page that has none, charged and on the list of its VM; -1 where there is none to be had now. */
export function alloc_anon_folio(m: Machine, thread: Thread, page: number): number {
  const vm = vm_of_page(m, page);
  const { host } = m.program.vms[vm]!;
  if (!make_room(m, thread, vm, host)) return -1;
  const pfn = take_frame(m, host);
  if (pfn < 0) return -1;
  set_flag(m, pfn, PG_uptodate);
  m.frame.set_hva(pfn, page + 1);
  m.vms[vm]!.nr_charged_pages += 1;
  lru_add(m, vm, pfn);
  return pfn;
}
