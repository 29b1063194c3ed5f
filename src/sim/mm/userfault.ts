/**
 * userfaultfd: guest memory whose missing pages a process outside of KVM brings.
 *
 * A missing page has no frame, no slot and nothing in a file: its pte is a marker. Whoever touches it without NOWAIT
 * queues a message on the VM's descriptor and sleeps until UFFDIO_COPY has put a page there. A NOWAIT attempt gives up
 * and tells nobody, so that with asynchronous faults it is the worker that waits. The handler is a thread like any
 * other; the VMM keeps the descriptor open as well, so when the handler is killed nobody is told (as with Firecracker).
 */
import { AT, type At } from '../at.ts';
import { schedule, wake_up_process } from '../host/sched.ts';
import { read_notification } from '../kvm/apf_ring.ts';
import type { Machine } from '../machine.ts';
import { OBS } from '../observe.ts';
import { draw } from '../sample.ts';
import { TASK_STATE, type Thread, WAIT } from '../schema.ts';
import { make_room } from './memcontrol.ts';
import { out_of_memory } from './oom.ts';
import {
  lru_add,
  make_marker,
  make_pte,
  PG_uptodate,
  PTE_DIRTY,
  PTE_MARKER_MISSING,
  pte_marker,
  pte_present,
  pte_swap,
  set_flag,
  take_frame,
  vm_of_page,
} from './page.ts';

/** Whether a touch of the page has to wait for the handler. */
export function page_missing(m: Machine, page: number): boolean {
  return pte_marker(m.hva.pte(page)) === PTE_MARKER_MISSING;
}

/**
 * Registers one page that has no contents: from now on it is missing.
 *
 * Models userfaultfd_register() with UFFDIO_REGISTER_MODE_MISSING, fs/userfaultfd.c.
 * Differs: the kernel remembers the range; here each page of it that is empty has a mark.
 */
export function userfaultfd_register(m: Machine, page: number): void {
  const pte = m.hva.pte(page);
  if (!pte_present(pte) && !pte_swap(pte)) m.hva.set_pte(page, make_marker(PTE_MARKER_MISSING));
}

/**
 * A thread that may sleep has touched a missing page: its message is queued, and whoever reads the descriptor woken.
 * The caller goes to sleep. Models handle_userfault(), fs/userfaultfd.c, where it is not told to be quick.
 */
export function handle_userfault(m: Machine, thread: Thread, page: number): void {
  const vm = vm_of_page(m, page);
  thread.wait = WAIT.userfault;
  thread.wait_id = page;
  m.vms[vm]!.uffd_messages.push(thread.id);
  m.vms[vm]!.nr_userfaults += 1;
  m.observe?.(OBS.userfault, vm, page, -1);
  wake_reader(m, vm);
}

/** Wakes one thread that sleeps until there is something to read, if there is one. */
export function wake_reader(m: Machine, vm: number): void {
  for (const number of m.places.vms[vm]!.uffd_readers) {
    const reader = m.threads[number]!;
    if (reader.wait === WAIT.message && reader.task_state !== TASK_STATE.RUNNING) {
      wake_up_process(m, reader);
      return;
    }
  }
}

/** The sleeper is awake again: what it has not been asked for yet need not be brought for it any more. */
export function userfault_over(m: Machine, thread: Thread): void {
  m.vms[vm_of_page(m, thread.wait_id)]!.uffd_messages.remove(thread.id);
}

/**
 * Takes the oldest message: the page that somebody waits for, or -1 for none.
 *
 * Models userfaultfd_ctx_read(), fs/userfaultfd.c.
 */
export function userfaultfd_ctx_read(m: Machine, vm: number): number {
  const sleeper = m.vms[vm]!.uffd_messages.shift();
  return sleeper < 0 ? -1 : m.threads[sleeper]!.wait_id;
}

/**
 * UFFDIO_COPY of one page: a frame for it, mapped and dirty; the sleepers are woken. `present` where somebody was
 * quicker (-EEXIST), `no_frame` where the caller has to wait for memory and ask again.
 *
 * Models mfill_atomic_pte_copy(), mm/userfaultfd.c.
 */
export function mfill_atomic(m: Machine, thread: Thread, page: number): 'ok' | 'present' | 'no_frame' {
  if (!page_missing(m, page)) {
    wake_userfault(m, page);
    return 'present';
  }
  const vm = vm_of_page(m, page);
  const { host } = m.program.vms[vm]!;
  if (!make_room(m, thread, vm, host)) return 'no_frame';
  const pfn = take_frame(m, host);
  if (pfn < 0) return 'no_frame';
  set_flag(m, pfn, PG_uptodate);
  m.frame.set_hva(pfn, page + 1);
  m.hva.set_pte(page, make_pte(pfn, PTE_DIRTY));
  m.vms[vm]!.nr_charged_pages += 1;
  lru_add(m, vm, pfn);
  m.observe?.(OBS.copied, vm, page, -1);
  wake_userfault(m, page);
  return 'ok';
}

/** Wakes whoever sleeps for the page. Models wake_userfault(), fs/userfaultfd.c. */
function wake_userfault(m: Machine, page: number): void {
  for (const thread of m.threads) {
    if (thread.wait === WAIT.userfault && thread.wait_id === page) wake_up_process(m, thread);
  }
}

// -- The handler process --------------------------------------------------------------------------

/** Reads the next message, or sleeps until there is one. */
export function userfaultfd_read(m: Machine, thread: Thread): At {
  thread.wait = WAIT.nothing;
  if (thread.killed) return do_exit(m, thread);
  const { vm } = m.places.threads[thread.id]!;
  const page = userfaultfd_ctx_read(m, vm);
  if (page >= 0) thread.page = page;
  else if (!read_notification(m, thread, vm)) {
    thread.wait = WAIT.message;
    return sleep(m, thread, AT.userfaultfd_read);
  }
  return AT['uffd_handler.fetch'];
}

/** Fetches the contents from wherever the process keeps them, which takes its time. */
export function uffd_handler_fetch(m: Machine, thread: Thread): At {
  if (thread.killed) return do_exit(m, thread);
  const latency = m.draws.userfault[m.places.threads[thread.id]!.vm]!;
  m.queue.arm(source(m, thread), m.clock.now_ns + draw(latency, m.clock));
  thread.wait = WAIT.fetch;
  return sleep(m, thread, AT.mfill_atomic);
}

function source(m: Machine, thread: Thread): number {
  return m.places.source.handler + thread.id - m.places.first_handler;
}

/** The contents have come. */
export function fetched(m: Machine, handler: number): void {
  wake_up_process(m, m.threads[m.places.first_handler + handler]!);
}

/** ioctl(UFFDIO_COPY), which sleeps while memory is short. Models mfill_atomic(), mm/userfaultfd.c. */
export function uffd_handler_copy(m: Machine, thread: Thread): At {
  if (thread.wait === WAIT.writeback) m.hosts[m.places.threads[thread.id]!.host]!.nr_io_waiters -= 1;
  thread.wait = WAIT.nothing;
  if (thread.killed) return do_exit(m, thread);
  if (mfill_atomic(m, thread, thread.page) === 'no_frame') {
    const { host } = m.places.threads[thread.id]!;
    thread.wait = WAIT.writeback;
    m.hosts[host]!.nr_io_waiters += 1;
    if (m.hosts[host]!.nr_io_active === 0) out_of_memory(m, host, thread.page);
    thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
    schedule(m, thread);
    return AT.mfill_atomic;
  }
  // Told of it by KVM, it tells KVM.
  if (thread.vcpu !== 0) return AT.kvm_async_pf_complete;
  thread.page = 0;
  return AT.userfaultfd_read;
}

function sleep(m: Machine, thread: Thread, then: At): At {
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return then;
}

/** SIGKILL: a sleeping thread of the handler is woken to die, one that waits for memory dies when it is awake. */
export function kill_handler(m: Machine, vm: number): void {
  for (const number of m.places.vms[vm]!.uffd_readers) {
    const thread = m.threads[number]!;
    if (thread.at === AT.off) continue;
    thread.killed = 1;
    if (thread.task_state === TASK_STATE.INTERRUPTIBLE) wake_up_process(m, thread);
  }
}

/** Models do_exit(), kernel/exit.c. What it had read and not answered is forgotten. */
function do_exit(m: Machine, thread: Thread): At {
  m.queue.disarm(source(m, thread));
  thread.page = 0;
  thread.vcpu = 0;
  thread.wait = WAIT.nothing;
  return sleep(m, thread, AT.off);
}

/** Whether anybody is left who reads the descriptor of a VM. */
export function handler_lives(m: Machine, vm: number): boolean {
  return m.places.vms[vm]!.uffd_readers.some(number => {
    const thread = m.threads[number]!;
    return thread.at !== AT.off && thread.killed === 0;
  });
}
