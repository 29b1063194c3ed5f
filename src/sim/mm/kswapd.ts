/**
 * kswapd, as far as scenarios need it: it carries out `evict`, page by page, in the three steps others can see.
 * Differs: it does what ksmd does as well, `merge`.
 */
import { AT, type At } from '../at.ts';
import { schedule } from '../host/sched.ts';
import { row_now, vm_now } from '../incarnation.ts';
import type { Machine } from '../machine.ts';
import type { ActionOp } from '../program.ts';
import { TASK_STATE, type Thread } from '../schema.ts';
import { try_to_merge_with_ksm_page } from './ksm.ts';
import { swap_is_full } from './oom.ts';
import { vm_of_page } from './page.ts';
import { can_evict, evict_page } from './reclaim.ts';

/** The page that the VM's list ends or begins with, until so many have been taken. */
function by_age(m: Machine, op: Extract<ActionOp, { readonly op: 'evict_part' }>, taken: number): number | undefined {
  const { lru_head, lru_tail } = m.vms[vm_now(m, op.vm)]!;
  const stored = op.from === 'cold' ? lru_tail : lru_head;
  return taken < op.count && stored !== 0 ? m.frame.hva(stored - 1) - 1 : undefined;
}

/** Takes the next page, or sleeps. Models kswapd(), mm/vmscan.c. */
export function kswapd(m: Machine, thread: Thread): At {
  const { evict } = m.hosts[m.places.threads[thread.id]!.host]!;
  while (evict.length > 0) {
    const { op, pages } = m.places.evictions[evict.at(0)]!;
    const page = op.op === 'evict_part' ? by_age(m, op, thread.cursor) : pages[thread.cursor];
    if (page !== undefined) {
      thread.cursor += 1;
      thread.page = row_now(m, 'page', page);
      return AT.mmu_notifier_invalidate_range_start;
    }
    evict.shift();
    thread.cursor = 0;
  }
  thread.page = 0;
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return AT.kswapd;
}

/**
 * Models kvm_mmu_notifier_invalidate_range_start(), virt/kvm/kvm_main.c.
 * Differs: the guest's leaf goes in the next step, together with the host's pte.
 */
export function mmu_notifier_invalidate_range_start(m: Machine, thread: Thread): At {
  m.vms[vm_of_page(m, thread.page)]!.mmu_invalidate_in_progress += 1;
  return AT.try_to_unmap;
}

/** The zap, and the page to swap. A page that is locked, pinned or gone already is left alone. */
export function try_to_unmap(m: Machine, thread: Thread): At {
  const { op, pages } = m.places.evictions[m.hosts[m.places.threads[thread.id]!.host]!.evict.at(0)]!;
  if (op.op === 'merge') try_to_merge_with_ksm_page(m, thread.page, row_now(m, 'page', pages[0]!));
  else if (!evict_page(m, thread.page) && can_evict(m, thread.page)) swap_is_full(m, thread.page);
  return AT.mmu_notifier_invalidate_range_end;
}

/** Models kvm_mmu_notifier_invalidate_range_end(), virt/kvm/kvm_main.c. */
export function mmu_notifier_invalidate_range_end(m: Machine, thread: Thread): At {
  const vm = m.vms[vm_of_page(m, thread.page)]!;
  vm.mmu_invalidate_seq += 1;
  vm.mmu_invalidate_in_progress -= 1;
  return AT.kswapd;
}
