/** Columns of the memory manager: what a thread, a VM and a host have for its sake. */
import { bool, fifo, numbered, oneOf, ref, u16, u32, u53 } from '../../base/table.ts';
import { AT } from '../at.ts';

export const GUP_RESULT = numbered(['none', 'ok', 'retry', 'fault']);
/** How a thread stands to the mmap lock of the VM whose page it is after. */
export const MMAP_LOCK = numbered(['none', 'reading', 'writing', 'to_read', 'to_write']);

/** Of a host thread. */
export const GUP_OF_THREAD = {
  /** get_user_pages(): the page, whether to write, where to go on, and what came of it. */
  gup_page: u32,
  gup_write: bool,
  gup_return: oneOf(AT),
  gup_result: oneOf(GUP_RESULT),
  /** It sleeps for its page with the mmap lock held, whatever this version does else. */
  gup_keeps_lock: bool,
  mmap_lock: oneOf(MMAP_LOCK),
  /** The VM of the lock that it reads. */
  mmap_vm: ref('vm'),
} as const;

/** Of a VM. */
export const MEMORY_OF_VM = {
  /** Where the hand of the clock stands, with or without a window, counted from its first page. */
  clock_hand: u32,
  /** The mmap lock of its process: who writes, who waits. Who reads, the threads know. */
  mmap_writer: ref('thread'),
  mmap_waiters: fifo('threads', 'thread'),
  /** Of these the next so many fail: GUP in a worker, schedule_work(). */
  fail_gup: u16,
  fail_work: u16,
  /** What its VMM's main thread is to do with the address space. */
  memory_jobs: fifo('memory_jobs', 'memory_job'),
  /** Threads whose messages the userfault handler has not read yet. */
  uffd_messages: fifo('threads', 'thread'),
} as const;

/** Of a host: its swap device. */
export const SWAP_OF_HOST = {
  /** Swap slots in use, and where the search for a free one goes on. */
  slots_used: u32,
  slot_next: u32,
  /** Read-ahead: last offset asked for, hits since, window then. Models swapin_nr_pages(), mm/swap_state.c. */
  ra_offset: u32,
  ra_hits: u16,
  ra_window: u16,
} as const;

/** Of a host, and unhashed: what follows from its frames and threads, and what has happened so far. */
export const MEMORY_COUNTERS_OF_HOST = {
  nr_free_pages: u32,
  /** Threads that sleep until a page has been read. */
  nr_page_waiters: u16,
  pgmajfault: u32,
  pgfault: u32,
  pswpin: u32,
  pswpout: u32,
  /** An `evict` that found no free swap slot: how often, and the first time. */
  evict_full: u32,
  evict_full_page: u32,
  evict_full_ns: u53,
  evict_full_step: u53,
  oom: u32,
  oom_page: u32,
  oom_ns: u53,
  oom_step: u53,
  /** VMMs that were killed for their memory. */
  nr_oom_kills: u32,
} as const;
