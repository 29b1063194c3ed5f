/**
 * Swap slots, the swap cache, and the device behind them.
 *
 * A page whose memory is a file has a slot for good, so that the swap cache is its page cache. Differs: the file stands on
 * the device that swap is on, and what is asked about slots counts its pages.
 *
 * Pages that stand in neighbouring slots and are asked for together travel in one request. A page being read stands
 * in the swap cache, locked; whoever needs it sleeps until it is unlocked.
 */

import { next32 } from '../../base/rng.ts';
import { wake_up_process } from '../host/sched.ts';
import type { Machine } from '../machine.ts';
import { IO } from '../memory.ts';
import { OBS } from '../observe.ts';
import { draw } from '../sample.ts';
import { TASK_STATE, WAIT } from '../schema.ts';
import { looked, looks_for } from '../search.ts';
import { held_read_ns } from './held.ts';
import {
  clear_flag,
  free_frame,
  has_flag,
  lru_add,
  lru_del,
  PG_error,
  PG_locked,
  PG_lru,
  PG_readahead,
  PG_swapcache,
  PG_uptodate,
  PG_writeback,
  PTE_DIRTY,
  pte_present,
  pte_target,
  set_flag,
  take_frame,
  vm_of_page,
} from './page.ts';

/**
 * Takes a free slot for a page, or returns -1 when swap is full. The search goes on where the last one ended, so pages
 * that are evicted one after the other stand beside each other. Once half of the slots are in use, one whose page is in
 * memory, unchanged, is taken away from it.
 *
 * Models get_swap_page() and scan_swap_map(), mm/swapfile.c. Differs: no clusters of 256 slots, and one device.
 */
export function get_swap_page(m: Machine, host: number, page: number): number {
  const row = m.hosts[host]!;
  const { first_slot, slots } = m.places.hosts[host]!;
  if (row.slots_used === slots && !vm_swap_full(m, host)) return -1;
  for (let scanned = 0; scanned < slots; scanned += 1) {
    const slot = first_slot + row.slot_next;
    row.slot_next = row.slot_next + 1 === slots ? 0 : row.slot_next + 1;
    if (m.slot.hva(slot) !== 0 && !reclaim_swap(m, host, slot)) continue;
    row.slots_used += 1;
    m.slot.set_hva(slot, page + 1);
    return slot;
  }
  return -1;
}

/** Models vm_swap_full(), include/linux/swap.h. */
function vm_swap_full(m: Machine, host: number): boolean {
  const { slots } = m.places.hosts[host]!;
  return (slots - m.hosts[host]!.slots_used) * 2 < slots;
}

/** Frees a slot that only the swap cache still holds. Models __try_to_reclaim_swap(), mm/swapfile.c. */
function reclaim_swap(m: Machine, host: number, slot: number): boolean {
  const pfn = m.slot.cache(slot) - 1;
  return pfn >= 0 && vm_swap_full(m, host) && folio_free_swap(m, m.slot.hva(slot) - 1, pfn);
}

/**
 * A page that is mapped gives up its slot: what is in swap is, or is going to be, older than the page.
 *
 * Models folio_free_swap(), mm/swapfile.c.
 */
export function folio_free_swap(m: Machine, page: number, pfn: number): boolean {
  const pte = m.hva.pte(page);
  if (!pte_present(pte) || pte_target(pte) !== pfn || has_flag(m, pfn, PG_locked | PG_writeback)) return false;
  // The page of a file has its place there for good.
  if (m.program.vms[vm_of_page(m, page)]!.backing === 'file') return false;
  free_swap(m, pfn);
  m.hva.set_pte(page, pte | PTE_DIRTY);
  return true;
}

/** Takes a frame out of the swap cache, and frees its slot. */
export function free_swap(m: Machine, pfn: number): void {
  const slot = m.frame.slot(pfn) - 1;
  delete_from_swap_cache(m, pfn);
  swap_free(m, slot);
}

/** Nobody needs what is in the slot any more. Models swap_free(), mm/swapfile.c. */
export function swap_free(m: Machine, slot: number): void {
  const host = m.program.vms[vm_of_page(m, m.slot.hva(slot) - 1)]!.host;
  m.slot.set_hva(slot, 0);
  m.hosts[host]!.slots_used -= 1;
}

/**
 * Whether a page that was just mapped need not keep its slot: it is to be written, or swap gets full.
 *
 * Models should_try_to_free_swap(), mm/memory.c.
 */
export function should_try_to_free_swap(m: Machine, host: number, write: boolean): boolean {
  return write || vm_swap_full(m, host);
}

/** Frame of a slot in the swap cache, or -1. */
export function lookup_swap_cache(m: Machine, slot: number): number {
  return m.slot.cache(slot) - 1;
}

export function add_to_swap_cache(m: Machine, slot: number, pfn: number): void {
  m.slot.set_cache(slot, pfn + 1);
  m.frame.set_slot(pfn, slot + 1);
  set_flag(m, pfn, PG_swapcache);
}

/** Takes a frame out of the swap cache; its slot keeps the contents. */
export function delete_from_swap_cache(m: Machine, pfn: number): void {
  const slot = m.frame.slot(pfn) - 1;
  m.slot.set_cache(slot, 0);
  m.frame.set_slot(pfn, 0);
  clear_flag(m, pfn, PG_swapcache);
}

/**
 * How many slots around the one asked for are worth reading.
 *
 * Models swapin_nr_pages() and __swapin_nr_pages(), mm/swap_state.c. Differs: one history per host, as for cluster
 * read-ahead, where non-rotational swap keeps one per memory area.
 */
export function swapin_nr_pages(m: Machine, host: number, offset: number): number {
  const row = m.hosts[host]!;
  const most = m.program.hosts[host]!.swap?.readahead_pages ?? 1;
  if (most <= 1) {
    row.ra_window = 1;
    return 1;
  }
  const hits = row.ra_hits;
  row.ra_hits = 0;
  let pages = hits + 2;
  if (pages === 2) {
    if (offset !== row.ra_offset + 1 && offset !== row.ra_offset - 1) pages = 1;
    row.ra_offset = offset;
  } else {
    let rounded = 4;
    while (rounded < pages) rounded <<= 1;
    pages = rounded;
  }
  pages = Math.max(Math.min(pages, most), row.ra_window >>> 1);
  row.ra_window = pages;
  return pages;
}

/**
 * Starts the read of a slot and of its neighbours in the window. Returns the frame of the slot, locked in the swap
 * cache; -1 when there is no frame, -2 when there is no request left.
 *
 * Models swap_cluster_readahead(), mm/swap_state.c.
 */
export function swap_cluster_readahead(m: Machine, host: number, slot: number, pages: number): number {
  const place = m.places.hosts[host]!;
  if (free_requests(m) < runs_of_window(pages)) return -2;
  const wanted = take_frame(m, host);
  if (wanted < 0) return -1;
  begin_read(m, slot, wanted, false);

  const window = slot - place.first_slot;
  const start = place.first_slot + (window - (window % pages));
  const end = Math.min(start + pages, place.first_slot + place.slots);
  let run_start = -1;
  for (let other = start; other < end; other += 1) {
    if (other !== slot && !start_readahead(m, host, other)) {
      if (run_start >= 0) submit(m, host, run_start, other - run_start, false);
      run_start = -1;
      continue;
    }
    if (run_start < 0) run_start = other;
  }
  if (run_start >= 0) submit(m, host, run_start, end - run_start, false);
  return wanted;
}

/** Puts a neighbour in the swap cache for reading, if it is in use, not there yet, and there is room. */
function start_readahead(m: Machine, host: number, slot: number): boolean {
  const page = m.slot.hva(slot) - 1;
  if (page < 0 || m.slot.cache(slot) !== 0 || pte_present(m.hva.pte(page))) return false;
  if (m.hosts[host]!.nr_free_pages <= 8) return false;
  const pfn = take_frame(m, host);
  if (pfn < 0) return false;
  begin_read(m, slot, pfn, true);
  return true;
}

function begin_read(m: Machine, slot: number, pfn: number, readahead: boolean): void {
  const page = m.slot.hva(slot) - 1;
  m.frame.set_flags(pfn, readahead ? PG_locked | PG_readahead : PG_locked);
  m.frame.set_hva(pfn, page + 1);
  add_to_swap_cache(m, slot, pfn);
  const vm = vm_of_page(m, page);
  m.vms[vm]!.nr_charged_pages += 1;
  m.observe?.(OBS.swap_submit, vm, page, -1);
}

/** Writes a frame to its slot; there must be a request for it, see io_available(). */
export function swap_writepage(m: Machine, host: number, pfn: number): void {
  set_flag(m, pfn, PG_writeback);
  submit(m, host, m.frame.slot(pfn) - 1, 1, true);
}

/** Whether the device takes one more write; reads that are waited for have the last requests to themselves. */
export function io_available(m: Machine, host: number): boolean {
  return free_requests(m) > runs_of_window(m.program.hosts[host]!.swap?.readahead_pages ?? 1);
}

/** A window takes one request for each run of pages that are to be read, at worst every second one. */
function runs_of_window(pages: number): number {
  return (pages >>> 1) + 1;
}

function free_requests(m: Machine): number {
  let used = 0;
  for (const host of m.hosts) used += host.n_io_queue + host.nr_io_active;
  return m.ios.length - used;
}

function submit(m: Machine, host: number, slot: number, pages: number, write: boolean): void {
  // Explored, requests for different pages have rows of their own: which of them comes first makes no difference then.
  let id = m.timed ? 0 : m.slot.hva(slot) - 1;
  while (m.ios[id]!.state !== IO.free) id = id + 1 === m.ios.length ? 0 : id + 1;
  const io = m.ios[id]!;
  io.state = IO.queued;
  io.host = host as 0;
  io.write = write ? 1 : 0;
  io.slot = slot;
  io.pages = pages;
  io.error = 0;
  io.submitted_ns = m.clock.now_ns;
  m.hosts[host]!.io_queue.push(id);
  start_io(m, host);
}

/** Gives queued requests to the device while it has room. */
function start_io(m: Machine, host: number): void {
  const row = m.hosts[host]!;
  const spec = m.program.hosts[host]!.swap!;
  while (row.nr_io_active < spec.depth && row.n_io_queue > 0) {
    const id = row.io_queue.shift();
    const io = m.ios[id]!;
    io.state = IO.active;
    row.nr_io_active += 1;
    const draws = m.draws.swap[host]!;
    let service_ns = draw(io.write ? draws.write : draws.read, m.clock);
    if (!io.write) {
      // Asked only where there are holds: a time that is returned is a number that V8 allocates.
      for (let n = 0; m.holds.length > 0 && n < io.pages; n += 1)
        service_ns = Math.max(service_ns, held_read_ns(m, m.slot.hva(io.slot + n) - 1));
      if (row.fail_swap_read > 0) {
        row.fail_swap_read -= 1;
        io.error = 1;
      } else if (spec.error_ppm > 0 && next32(m.clock) % 1_000_000 < spec.error_ppm) io.error = 1;
    }
    m.queue.arm(m.places.source.io + id, m.clock.now_ns + service_ns);
  }
}

/** The device has finished a request. Models end_swap_bio_read() and end_swap_bio_write(), mm/page_io.c. */
export function end_swap_bio(m: Machine, id: number): void {
  const io = m.ios[id]!;
  const host = io.host;
  for (let n = 0; n < io.pages; n += 1) {
    if (io.write) end_write(m, host, io.slot + n);
    else end_read(m, host, io.slot + n, io.error !== 0);
  }
  io.state = IO.free;
  io.write = 0;
  io.slot = 0;
  io.pages = 0;
  io.error = 0;
  m.hosts[host]!.nr_io_active -= 1;
  start_io(m, host);
  wake_memory_waiters(m, host);
}

function end_read(m: Machine, host: number, slot: number, error: boolean): void {
  const pfn = m.slot.cache(slot) - 1;
  const page = m.slot.hva(slot) - 1;
  const vm = vm_of_page(m, page);
  m.hosts[host]!.pswpin += 1;
  clear_flag(m, pfn, PG_locked);
  if (error) set_flag(m, pfn, PG_error);
  else set_flag(m, pfn, PG_uptodate);
  if (!m.vms[vm]!.mm_exited) lru_add(m, vm, pfn);
  m.observe?.(OBS.swap_read, vm, page, -1);
  wake_page_waiters(m, host, pfn);
  if (m.vms[vm]!.mm_exited) release_orphan(m, vm, pfn);
}

function end_write(m: Machine, host: number, slot: number): void {
  const pfn = m.slot.cache(slot) - 1;
  const page = m.slot.hva(slot) - 1;
  m.hosts[host]!.pswpout += 1;
  clear_flag(m, pfn, PG_writeback);
  const vm = vm_of_page(m, page);
  if (m.vms[vm]!.mm_exited) {
    release_orphan(m, vm, pfn);
    return;
  }
  // Wanted again meanwhile: it stays, now clean. Else it is free at last.
  if (!pte_present(m.hva.pte(page))) {
    delete_from_swap_cache(m, pfn);
    free_frame(m, host, pfn);
  } else if (!has_flag(m, pfn, PG_uptodate)) set_flag(m, pfn, PG_uptodate);
}

/** Frees the frame of a page that nobody maps any more, unless it is busy: then whoever ends that asks again. */
export function release_orphan(m: Machine, vm: number, pfn: number): void {
  if (has_flag(m, pfn, PG_lru)) lru_del(m, vm, pfn);
  if (m.frame.pins(pfn) > 0 || has_flag(m, pfn, PG_locked | PG_writeback)) return;
  if (has_flag(m, pfn, PG_swapcache)) free_swap(m, pfn);
  free_frame(m, m.program.vms[vm]!.host, pfn);
}

/**
 * Has those look again who found no frame or no request: to be called whenever there may be one, since a request has
 * ended (a page that was read can be reclaimed, as one that was written), a frame is free, or a page no longer pinned.
 */
export function wake_memory_waiters(m: Machine, host: number): void {
  if (m.hosts[host]!.nr_io_waiters === 0) return;
  wake_waiters(m, host, WAIT.io_request);
  wake_waiters(m, host, WAIT.writeback);
}

/** Wakes the threads of a host that sleep for this. */
function wake_waiters(m: Machine, host: number, wait: number): void {
  const { vcpuThreads, workers, processes } = m.places.hosts[host]!;
  const { thread: rows } = m;
  for (const threads of [vcpuThreads, workers, processes])
    for (const number of threads) if (rows.wait(number) === wait) wake_waiter(m, number);
}

/** Wakes those that sleep until this page has been read. Models folio_wake_bit(), mm/filemap.c. */
function wake_page_waiters(m: Machine, host: number, pfn: number): void {
  const { vcpuThreads, workers, processes } = m.places.hosts[host]!;
  if (!m.timed) {
    const { thread: rows } = m;
    const all = [...vcpuThreads, ...workers, ...processes];
    looks_for(m, 'thread.wait_id', pfn);
    const waiting = all.filter(id => rows.wait_id(id) === pfn);
    looked(m);
    for (const id of waiting) if (rows.wait(id) === WAIT.page) wake_waiter(m, id);
    return;
  }
  let left = m.hosts[host]!.nr_page_waiters;
  left = wake_page_waiters_among(m, vcpuThreads, pfn, left);
  left = wake_page_waiters_among(m, workers, pfn, left);
  wake_page_waiters_among(m, processes, pfn, left);
}

/** Looks no further than the last thread that sleeps for a page, be it another; returns how many are elsewhere. */
function wake_page_waiters_among(m: Machine, threads: readonly number[], pfn: number, waiters: number): number {
  // By column: each read that ends comes by here.
  const { thread: rows } = m;
  let left = waiters;
  for (let index = 0; left > 0 && index < threads.length; index += 1) {
    const number = threads[index]!;
    if (rows.wait(number) !== WAIT.page) continue;
    left -= 1;
    if (rows.wait_id(number) === pfn) wake_waiter(m, number);
  }
  return left;
}

function wake_waiter(m: Machine, number: number): void {
  const thread = m.threads[number]!;
  if (thread.task_state === TASK_STATE.UNINTERRUPTIBLE) wake_up_process(m, thread);
}
