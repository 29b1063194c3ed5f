/**
 * get_user_pages(): getting a guest page's frame, in whichever thread asks.
 *
 * Two forms. The NOWAIT attempt runs in the vCPU's fault and gives up rather than wait, having started the read. The
 * sleeping form is a little state machine of its own in the calling thread (a kworker, or a vCPU thread whose fault
 * is synchronous); it goes on at `gup_return` with `gup_result`.
 * Both look without the lock first, as get_user_pages_fast() does. Differs: a VM's process has one area of memory, so the
 * lock is that of the VM.
 */
import { AT, type At } from '../at.ts';
import { schedule } from '../host/sched.ts';
import { knobsOfVm, type Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { TASK_STATE, THREAD_KIND, type Thread, WAIT } from '../schema.ts';
import { count_minor_fault, do_anonymous_page, do_wp_page } from './anonymous.ts';
import { GUP_RESULT, MMAP_LOCK } from './columns.ts';
import { make_room } from './memcontrol.ts';
import { mmap_read_lock, mmap_unlock } from './mmap_lock.ts';
import { oom_victim, out_of_memory } from './oom.ts';
import {
  clear_flag,
  free_frame,
  has_flag,
  lru_add,
  lru_del,
  make_pte,
  PG_error,
  PG_locked,
  PG_lru,
  PG_readahead,
  PTE_DIRTY,
  PTE_MARKER_BEYOND_EOF,
  PTE_MARKER_MISSING,
  PTE_YOUNG,
  pte_marker,
  pte_present,
  pte_swap,
  pte_target,
  pte_write,
  vm_of_page,
} from './page.ts';
import {
  delete_from_swap_cache,
  folio_free_swap,
  lookup_swap_cache,
  should_try_to_free_swap,
  swap_cluster_readahead,
  swapin_nr_pages,
  wake_memory_waiters,
} from './swap.ts';
import { handle_userfault, userfault_over } from './userfault.ts';

/**
 * What an attempt came to: mapped; being read already; its read started now; its read failed; no memory right now;
 * the handler of userfault memory has to bring it; its file has no such page any more.
 */
type Attempt = 'ok' | 'locked' | 'submitted' | 'error' | 'no_frame' | 'no_request' | 'missing' | 'sigbus';

/**
 * One attempt to map a page in the host's page tables, starting a read if it must.
 *
 * Models handle_mm_fault() and do_swap_page(), mm/memory.c.
 * Differs: a page that is swapped in for reading may be written as well, where the kernel takes one more minor fault.
 */
function handle_mm_fault(m: Machine, thread: Thread, page: number, write: boolean): Attempt {
  const vm = vm_of_page(m, page);
  const host = m.program.vms[vm]!.host;
  const pte = m.hva.pte(page);
  if (pte_present(pte)) {
    if (write && !pte_write(pte)) {
      const copied = do_wp_page(m, thread, page);
      return copied === 'again' ? handle_mm_fault(m, thread, page, write) : copied;
    }
    m.hva.set_pte(page, pte | PTE_YOUNG | (write ? PTE_DIRTY : 0));
    return 'ok';
  }
  if (!pte_swap(pte)) {
    if (pte_marker(pte) === PTE_MARKER_MISSING) return 'missing';
    if (pte_marker(pte) === PTE_MARKER_BEYOND_EOF) return 'sigbus';
    return do_anonymous_page(m, thread, page, write);
  }
  const slot = pte_target(pte);
  const cached = lookup_swap_cache(m, slot);
  if (cached >= 0) {
    if (has_flag(m, cached, PG_locked)) return 'locked';
    if (has_flag(m, cached, PG_error)) return 'error';
    if (has_flag(m, cached, PG_readahead)) {
      clear_flag(m, cached, PG_readahead);
      m.hosts[host]!.ra_hits += 1;
    }
    count_minor_fault(m, page);
    map_frame(m, vm, page, cached, write);
    if (should_try_to_free_swap(m, host, write)) folio_free_swap(m, page, cached);
    return 'ok';
  }
  if (!make_room(m, thread, vm, host)) return 'no_frame';
  const pfn = swap_cluster_readahead(m, host, slot, swapin_nr_pages(m, host, slot));
  if (pfn === -1) return 'no_frame';
  if (pfn === -2) return 'no_request';
  m.hosts[host]!.pgmajfault += 1;
  thread.charge_ns += m.costs[host]!.charge_ns.submit_io;
  return 'submitted';
}

function map_frame(m: Machine, vm: number, page: number, pfn: number, write: boolean): void {
  m.frame.set_hva(pfn, page + 1);
  m.hva.set_pte(page, make_pte(pfn, PTE_YOUNG | (write ? PTE_DIRTY : 0)));
  // Off the list means that it was let go and is still being written: it is charged again.
  if (!has_flag(m, pfn, PG_lru)) {
    if (m.frame.slot(pfn) !== 0) m.vms[vm]!.nr_charged_pages += 1;
    lru_add(m, vm, pfn);
  }
}

/** Whoever has waited for a page whose read failed takes it out of the cache: the next fault reads it again. */
function drop_failed_page(m: Machine, page: number): void {
  const vm = vm_of_page(m, page);
  const { host } = m.program.vms[vm]!;
  const pfn = lookup_swap_cache(m, pte_target(m.hva.pte(page)));
  lru_del(m, vm, pfn);
  delete_from_swap_cache(m, pfn);
  free_frame(m, host, pfn);
  m.vms[vm]!.nr_charged_pages -= 1;
  wake_memory_waiters(m, host);
}

/**
 * hva_to_pfn() under FOLL_NOWAIT. `wait`: this version sleeps although it was told not to, since the window was one
 * page and the page was not cached; or memory is short, where every version may sleep. `lock`: it sleeps until it has the
 * mmap lock, which NOWAIT does not spare it.
 *
 * Models hva_to_pfn(), virt/kvm/kvm_main.c, which takes any failure in a valid range for one that waiting may cure.
 */
export function hva_to_pfn_nowait(
  m: Machine,
  thread: Thread,
  page: number,
  write: boolean,
  single_page_waits: boolean,
): 'ok' | 'retry' | 'wait' | 'lock' {
  const vm = vm_of_page(m, page);
  if (!gup_fast(m, page, write) && !mmap_read_lock(m, thread, vm)) return 'lock';
  const found = nowait(m, thread, page, write, single_page_waits);
  // Who waits goes on waiting where it is, with the lock.
  if (found !== 'wait') mmap_unlock(m, thread, vm);
  return found;
}

function nowait(
  m: Machine,
  thread: Thread,
  page: number,
  write: boolean,
  single_page_waits: boolean,
): 'ok' | 'retry' | 'wait' {
  switch (handle_mm_fault(m, thread, page, write)) {
    case 'ok':
      return 'ok';
    case 'error':
    case 'locked':
    case 'missing':
    case 'sigbus':
      return 'retry';
    case 'submitted':
      return single_page_waits && m.hosts[m.program.vms[vm_of_page(m, page)]!.host]!.ra_window === 1 ? 'wait' : 'retry';
    case 'no_frame':
    case 'no_request':
      return 'wait';
  }
}

/** Whether the page tables already have what is wanted. Models get_user_pages_fast_only(), mm/gup.c. */
function gup_fast(m: Machine, page: number, write: boolean): boolean {
  const pte = m.hva.pte(page);
  return write ? pte_write(pte) : pte_present(pte);
}

/** Whether the page can be had without starting anything: the rejected get_user_pages_noio(). */
export function resident(m: Machine, page: number): boolean {
  const pte = m.hva.pte(page);
  if (pte_present(pte)) return true;
  if (!pte_swap(pte)) return pte_marker(pte) !== PTE_MARKER_MISSING && pte_marker(pte) !== PTE_MARKER_BEYOND_EOF;
  const cached = lookup_swap_cache(m, pte_target(pte));
  return cached >= 0 && !has_flag(m, cached, PG_locked | PG_error);
}

/** Sends a thread into get_user_pages(), to go on at `then`; its first pass is part of this step. */
export function start_gup(m: Machine, thread: Thread, page: number, write: boolean, then: At): At {
  thread.gup_page = page;
  thread.gup_write = write ? 1 : 0;
  thread.gup_return = then;
  thread.gup_result = GUP_RESULT.none;
  thread.gup_keeps_lock = thread.mmap_lock === MMAP_LOCK.reading ? 1 : 0;
  return get_user_pages(m, thread);
}

/** The address space is gone, and somebody still looks a page up in it (B24). What he finds is no page here. */
function walk_freed_tables(m: Machine, vm: number): Attempt {
  m.vms[vm]!.nr_mm_uses_after_exit += 1;
  m.observe?.(OBS.mm_used_after_exit, vm, vm, -1);
  return 'error';
}

/** One pass: maps the page, or goes to sleep until it is worth another. */
function get_user_pages(m: Machine, thread: Thread): At {
  const page = thread.gup_page;
  const vm = vm_of_page(m, page);
  if (thread.kind === THREAD_KIND.kworker && m.vms[vm]!.fail_gup > 0) return fail_gup(m, thread, vm);
  const { mm_exited } = m.vms[vm]!;
  const locked = mm_exited || gup_fast(m, page, thread.gup_write !== 0) || mmap_read_lock(m, thread, vm);
  if (!locked) return AT['get_user_pages.lock'];
  const attempt = mm_exited ? walk_freed_tables(m, vm) : handle_mm_fault(m, thread, page, thread.gup_write !== 0);
  if (attempt === 'error' && !mm_exited) drop_failed_page(m, page);
  if (attempt === 'ok' || attempt === 'error' || attempt === 'sigbus') {
    return end_gup(m, thread, vm, attempt === 'ok' ? GUP_RESULT.ok : GUP_RESULT.fault);
  }
  const reading = attempt === 'locked' || attempt === 'submitted';
  if (attempt === 'missing') {
    mmap_unlock(m, thread, vm);
    handle_userfault(m, thread, page);
  } else if (reading) {
    if (knobsOfVm(m, vm).mmap_lock === 'dropped' && thread.gup_keeps_lock === 0) mmap_unlock(m, thread, vm);
    thread.wait = WAIT.page;
    m.hosts[m.program.vms[vm]!.host]!.nr_page_waiters += 1;
    thread.wait_id = lookup_swap_cache(m, pte_target(m.hva.pte(page)));
  } else {
    const { host } = m.program.vms[vm]!;
    if (m.hosts[host]!.nr_io_active === 0) {
      if (!oom_victim(m, vm)) out_of_memory(m, host, page);
      if (oom_victim(m, vm)) return end_gup(m, thread, vm, GUP_RESULT.fault);
    }
    thread.wait = attempt === 'no_frame' ? WAIT.writeback : WAIT.io_request;
    m.hosts[host]!.nr_io_waiters += 1;
  }
  thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
  if (reading) m.observe?.(OBS.swap_wait, vm, page, -1);
  schedule(m, thread);
  return AT['get_user_pages.wait'];
}

function end_gup(m: Machine, thread: Thread, vm: number, result: typeof GUP_RESULT.ok | typeof GUP_RESULT.fault): At {
  thread.gup_result = result;
  const then = thread.gup_return;
  thread.gup_page = 0;
  thread.gup_write = 0;
  thread.gup_return = AT.off;
  thread.gup_keeps_lock = 0;
  mmap_unlock(m, thread, vm);
  return then;
}

/** A scenario's `fail gup`: a worker gets -EFAULT, whatever the page is like. */
function fail_gup(m: Machine, thread: Thread, vm: number): At {
  m.vms[vm]!.fail_gup -= 1;
  return end_gup(m, thread, vm, GUP_RESULT.fault);
}

/** Woken with the lock: go on. */
export function get_user_pages_lock(m: Machine, thread: Thread): At {
  return get_user_pages(m, thread);
}

/** Woken: look again. */
export function get_user_pages_wait(m: Machine, thread: Thread): At {
  if (thread.wait === WAIT.userfault) userfault_over(m, thread);
  else if (thread.wait === WAIT.page) m.hosts[m.places.threads[thread.id]!.host]!.nr_page_waiters -= 1;
  else m.hosts[m.places.threads[thread.id]!.host]!.nr_io_waiters -= 1;
  thread.wait = WAIT.nothing;
  thread.wait_id = 0;
  return get_user_pages(m, thread);
}
