/**
 * The source of a migration: QEMU's migration thread, which sends a VM's memory while its guest goes on writing it.
 *
 * Pre-copy sends all pages, then in rounds those that were written meanwhile, until the rest fits into the downtime that
 * is allowed; then the vCPUs stop, and the rest goes with their state. Post-copy stops first and sends afterwards, what
 * is asked for before all else. Reading a page of the guest is a get_user_pages() of this thread: what is in swap is
 * read in, beside the guest's own faults.
 *
 * Models migration_thread(), migration/migration.c, and ram_save_iterate(), migration/ram.c, of QEMU.
 * Differs: a page of zeros is sent whole; the destination's start is known to the source at once.
 */
import { AT, type At } from '../at.ts';
import { schedule } from '../host/sched.ts';
import { dirty_log_start, dirty_log_stop, kvm_get_dirty_log } from '../kvm/dirty_log.ts';
import type { Machine } from '../machine.ts';
import { GUP_RESULT } from '../mm/columns.ts';
import { start_gup } from '../mm/gup.ts';
import { OBS } from '../observe.ts';
import { TASK_STATE, type Thread, WAIT } from '../schema.ts';
import { monitor_command, vm_resume } from '../vmm/monitor.ts';
import { wake_if } from './arrival.ts';
import { can_send, drop_packets, free_packet, send, wire_of } from './link.ts';
import {
  block_clear,
  block_has,
  block_set,
  DIRTY,
  HEADER_BYTES,
  next_dirty,
  PAGE_BYTES,
  RECEIVED,
  STALE,
} from './ram.ts';
import { DIRTY_LOG, MIGRATION_STATUS, type Migration, PACKET } from './tables.ts';
import { throttle_guest_down, throttle_stop } from './throttle.ts';

/** What a vCPU and its share of the devices come to, on the wire. */
export const DEVICE_BYTES_PER_VCPU = 16 * 1024;

function of(m: Machine, thread: Thread) {
  const number = m.places.threads[thread.id]!.migration;
  const spec = m.program.migrations[number]!;
  return { number, spec, row: m.migrations[number]!, place: m.places.vms[spec.out_of]!, wire: wire_of(m, number, 0) };
}

function nap(m: Machine, thread: Thread, wait: (typeof WAIT)[keyof typeof WAIT], id: number, then: At): At {
  thread.wait = wait;
  thread.wait_id = id;
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return then;
}

function awake(thread: Thread): void {
  thread.wait = WAIT.nothing;
  thread.wait_id = 0;
}

/** `migrate NAME`: begins, unless it is under way, the VM is not there, or the destination has not tidied up yet. */
export function migrate_start(m: Machine, number: number): void {
  const row = m.migrations[number]!;
  const spec = m.program.migrations[number]!;
  const { none, completed, failed, cancelled } = MIGRATION_STATUS;
  const idle = [none, completed, failed, cancelled].some(status => status === row.status);
  const here = m.vms[spec.vm]!.lives_in === (spec.out_of === spec.vm ? 0 : spec.out_of + 1);
  if (!idle || !here || row.dst_used || m.vms[spec.out_of]!.migrating !== 0) return;
  row.status = MIGRATION_STATUS.setup;
  wake_if(m, m.places.migrations[number]!.source, WAIT.migration);
}

/** `cancel NAME`. Too late once the destination may be running. */
export function migrate_cancel(m: Machine, number: number): void {
  const row = m.migrations[number]!;
  if (row.status !== MIGRATION_STATUS.setup && row.status !== MIGRATION_STATUS.active) return;
  row.cancel = 1;
}

/** Waits to be told, then sets up: logging on, every page to be sent. Models ram_save_setup(). */
export function migration_thread(m: Machine, thread: Thread): At {
  const { number, spec, row, place, wire } = of(m, thread);
  awake(thread);
  if (row.status !== MIGRATION_STATUS.setup) return nap(m, thread, WAIT.migration, 0, AT.migration_thread);
  row.start_ns = m.clock.now_ns;
  row.round_start_ns = m.clock.now_ns;
  row.downtime_ns = 0;
  row.total_ns = 0;
  row.sent_bytes = 0;
  row.sent_pages = 0;
  row.round = 1;
  row.round_bytes = 0;
  row.round_pages = 0;
  row.cursor = 0;
  row.dst_used = 1;
  row.nr_dirty = place.pages;
  for (let index = 0; index < place.pages; index += 1) {
    block_set(m, spec.out_of, index, DIRTY);
    block_clear(m, spec.into, index, RECEIVED);
  }
  m.vms[spec.out_of]!.migrating = number + 1;
  if (!m.wires[wire]!.up) return migrate_fail(m, number, MIGRATION_STATUS.failed);
  if (spec.mode === 'postcopy') {
    row.postcopy = 1;
    return migration_completion(m, thread);
  }
  dirty_log_start(m, spec.out_of, DIRTY_LOG[spec.dirty_log]);
  row.status = MIGRATION_STATUS.active;
  return AT.ram_save_iterate;
}

/** What ends it early: it is cancelled, takes too long, or the link is down. Null to go on. */
function interrupted(m: Machine, thread: Thread): At | null {
  const { number, spec, row, wire } = of(m, thread);
  if (row.cancel) return migrate_fail(m, number, MIGRATION_STATUS.cancelled);
  const over = spec.give_up_ns !== null && m.clock.now_ns - row.start_ns > spec.give_up_ns;
  if (over && row.status === MIGRATION_STATUS.active) return migrate_fail(m, number, MIGRATION_STATUS.cancelled);
  if (m.wires[wire]!.up) return null;
  if (row.status === MIGRATION_STATUS.postcopy_active) return postcopy_pause(m, thread);
  return migrate_fail(m, number, MIGRATION_STATUS.failed);
}

/**
 * The next page: one that was asked for, else the next in the bitmap. Reads it, which may take a read of the swap device.
 *
 * Models ram_find_and_save_block().
 */
export function ram_save_iterate(m: Machine, thread: Thread): At {
  awake(thread);
  const early = interrupted(m, thread);
  if (early !== null) return early;
  const { spec, row, place, wire } = of(m, thread);
  if (!can_send(m, wire)) return nap(m, thread, WAIT.link, wire, AT.ram_save_iterate);
  let index = requested(m, row, spec.out_of);
  if (index < 0) {
    index = next_dirty(m, spec.out_of, row.cursor);
    if (index < 0 && row.status === MIGRATION_STATUS.postcopy_active) index = next_dirty(m, spec.out_of, 0);
    if (index >= 0) row.cursor = index + 1;
  }
  if (index < 0) return AT['ram_save_iterate.end'];
  block_clear(m, spec.out_of, index, DIRTY);
  row.nr_dirty -= 1;
  thread.page = place.first_page + index;
  return start_gup(m, thread, thread.page, false, AT.ram_save_page);
}

/** A page that the destination waits for, if it has not been sent since. Models get_queued_page(). */
function requested(m: Machine, row: Migration, vm: number): number {
  for (let id = row.requests.shift(); id >= 0; id = row.requests.shift()) {
    const packet = m.packets[id]!;
    const { page } = packet;
    free_packet(packet);
    if (block_has(m, vm, page, DIRTY)) return page;
  }
  return -1;
}

/** Puts the page, behind its header, into the socket. Models save_normal_page(). */
export function ram_save_page(m: Machine, thread: Thread): At {
  const { number, row, place, wire } = of(m, thread);
  const failed = thread.gup_result === GUP_RESULT.fault;
  const index = thread.page - place.first_page;
  thread.gup_result = GUP_RESULT.none;
  thread.page = 0;
  if (failed) {
    // A page that cannot be read cannot be sent.
    block_set(m, m.program.migrations[number]!.out_of, index, DIRTY);
    row.nr_dirty += 1;
    return row.status === MIGRATION_STATUS.postcopy_active
      ? AT.ram_save_iterate
      : migrate_fail(m, number, MIGRATION_STATUS.failed);
  }
  if (!m.wires[wire]!.up) {
    block_set(m, m.program.migrations[number]!.out_of, index, DIRTY);
    row.nr_dirty += 1;
    return AT.ram_save_iterate;
  }
  const bytes = HEADER_BYTES + PAGE_BYTES;
  row.round_bytes += bytes;
  row.round_pages += 1;
  row.sent_bytes += bytes;
  row.sent_pages += 1;
  send(m, wire, PACKET.page, number, index, bytes);
  return AT.ram_save_iterate;
}

/**
 * All that was in the bitmap is sent. In pre-copy: what was written meanwhile is another round, or little enough to stop
 * for; with the vCPUs stopped, their state is what is left. In post-copy that is the end.
 *
 * Models migration_iteration_run() and migration_bitmap_sync().
 */
export function ram_save_iterate_end(m: Machine, thread: Thread): At {
  const early = interrupted(m, thread);
  if (early !== null) return early;
  const { number, spec, row, place, wire } = of(m, thread);
  if (row.status === MIGRATION_STATUS.device) return AT.qemu_savevm_state_complete;
  if (row.status === MIGRATION_STATUS.postcopy_active) {
    if (row.eof_sent === 0) send(m, wire, PACKET.eof, number, 0, HEADER_BYTES);
    row.eof_sent = 1;
    return AT.migration_wait;
  }
  row.nr_dirty += kvm_get_dirty_log(m, spec.out_of);
  thread.charge_ns += place.pages;
  const { bytes_per_s } = m.program.links[spec.link]!;
  const left_bytes = row.nr_dirty * (HEADER_BYTES + PAGE_BYTES);
  if (left_bytes <= (bytes_per_s * spec.max_downtime_ns) / 1e9) return migration_completion(m, thread);
  if (spec.postcopy_from_round !== null && row.round + 1 >= spec.postcopy_from_round) {
    row.postcopy = 1;
    return migration_completion(m, thread);
  }
  // Half of what was sent is dirty again, for the second time: the guest is too fast.
  const high = spec.auto_converge !== null && left_bytes * 2 > row.round_bytes;
  row.high_rounds = high ? row.high_rounds + 1 : 0;
  if (high && row.high_rounds >= 2) {
    row.high_rounds = 0;
    throttle_guest_down(m, number);
  }
  row.round += 1;
  row.cursor = 0;
  row.round_bytes = 0;
  row.round_pages = 0;
  row.round_start_ns = m.clock.now_ns;
  return AT.ram_save_iterate;
}

/** Stops the vCPUs and has their state read. Models migration_completion() and postcopy_start(). */
function migration_completion(m: Machine, thread: Thread): At {
  const { number, spec, row } = of(m, thread);
  row.status = MIGRATION_STATUS.device;
  row.stopped_ns = m.clock.now_ns;
  monitor_command(m, spec.out_of, m.places.migrations[number]!.out_command);
  return AT.migration_completion;
}

/** The vCPUs are out: in pre-copy what they have written last is sent, in post-copy their state goes first. */
export function migration_completion_stopped(m: Machine, thread: Thread): At {
  awake(thread);
  const { spec, row } = of(m, thread);
  if (row.vm_stopped === 0) return nap(m, thread, WAIT.migration, 0, AT.migration_completion);
  const early = interrupted(m, thread);
  if (early !== null) return early;
  row.nr_dirty += kvm_get_dirty_log(m, spec.out_of);
  row.cursor = 0;
  if (row.postcopy) return AT.qemu_savevm_state_complete;
  return AT.ram_save_iterate;
}

/**
 * The state of devices and vCPUs. To post-copy it adds which pages the destination has and must forget again.
 *
 * Models qemu_savevm_state_complete_precopy() and ram_postcopy_send_discard_bitmap().
 */
export function qemu_savevm_state_complete(m: Machine, thread: Thread): At {
  awake(thread);
  const early = interrupted(m, thread);
  if (early !== null) return early;
  const { number, spec, row, place, wire } = of(m, thread);
  if (!can_send(m, wire)) return nap(m, thread, WAIT.link, wire, AT.qemu_savevm_state_complete);
  let bytes = DEVICE_BYTES_PER_VCPU * m.program.vms[spec.out_of]!.vcpus;
  if (row.postcopy) {
    bytes += Math.ceil(place.pages / 8);
    for (let index = 0; index < place.pages; index += 1)
      if (block_has(m, spec.out_of, index, DIRTY)) block_set(m, spec.into, index, STALE);
  }
  row.sent_bytes += bytes;
  send(m, wire, PACKET.device, number, 0, bytes);
  return AT.migration_wait;
}

/** Nothing to send: waits for the destination. */
export function migration_wait(m: Machine, thread: Thread): At {
  awake(thread);
  const { number, spec, row, wire } = of(m, thread);
  if (row.status === MIGRATION_STATUS.completed) return migration_end(m, number);
  if (row.status === MIGRATION_STATUS.postcopy_paused) {
    return m.wires[wire]!.up ? postcopy_recover(m, thread) : nap(m, thread, WAIT.migration, 0, AT.migration_wait);
  }
  if (row.dst_started && row.status === MIGRATION_STATUS.device) {
    dirty_log_stop(m, spec.out_of);
    throttle_stop(m, number);
    row.status = row.postcopy ? MIGRATION_STATUS.postcopy_active : MIGRATION_STATUS.completed;
    return row.postcopy ? AT.ram_save_iterate : migration_end(m, number);
  }
  if (row.status === MIGRATION_STATUS.failed) return migrate_fail(m, number, MIGRATION_STATUS.failed);
  if (!m.wires[wire]!.up && !row.committed) return migrate_fail(m, number, MIGRATION_STATUS.failed);
  if (!m.wires[wire]!.up && row.status === MIGRATION_STATUS.postcopy_active) return postcopy_pause(m, thread);
  if (row.status === MIGRATION_STATUS.postcopy_active && row.requests.length > 0) return AT.ram_save_iterate;
  return nap(m, thread, WAIT.migration, 0, AT.migration_wait);
}

/** Done: the source keeps nothing but a stopped VM. */
function migration_end(m: Machine, number: number): At {
  const spec = m.program.migrations[number]!;
  const row = m.migrations[number]!;
  row.total_ns = m.clock.now_ns - row.start_ns;
  m.vms[spec.out_of]!.migrating = 0;
  forget(m, number);
  row.dst_used = 0;
  m.observe?.(OBS.migrated, spec.vm, number, -1);
  return AT.migration_thread;
}

/** It came to nothing: the guest goes on where it is, and the destination tidies up. Models migrate_fd_cleanup(). */
function migrate_fail(
  m: Machine,
  number: number,
  status: (typeof MIGRATION_STATUS)[keyof typeof MIGRATION_STATUS],
): At {
  const spec = m.program.migrations[number]!;
  const row = m.migrations[number]!;
  row.total_ns = m.clock.now_ns - row.start_ns;
  row.status = status;
  m.vms[spec.out_of]!.migrating = 0;
  dirty_log_stop(m, spec.out_of);
  throttle_stop(m, number);
  drop_packets(m, wire_of(m, number, 0), number);
  drop_packets(m, wire_of(m, number, 1), number);
  for (let index = 0; index < m.places.vms[spec.out_of]!.pages; index += 1) block_clear(m, spec.out_of, index, DIRTY);
  if (row.vm_stopped) vm_resume(m, spec.out_of);
  forget(m, number);
  wake_if(m, m.places.migrations[number]!.incoming, WAIT.migration);
  m.observe?.(OBS.migration_failed, spec.vm, number, -1);
  return AT.migration_thread;
}

function forget(m: Machine, number: number): void {
  const row = m.migrations[number]!;
  row.round = row.status === MIGRATION_STATUS.completed ? row.round : 0;
  row.cursor = 0;
  row.nr_dirty = 0;
  row.postcopy = 0;
  row.cancel = 0;
  row.high_rounds = 0;
  row.vm_stopped = 0;
  row.committed = 0;
  row.eof_sent = 0;
  row.dst_started = 0;
  for (let id = row.requests.shift(); id >= 0; id = row.requests.shift()) free_packet(m.packets[id]!);
}

// -- Post-copy over a link that goes down ---------------------------------------------------------

/** Waits for the link; the destination runs on with what it has. Models postcopy_pause(). */
function postcopy_pause(m: Machine, thread: Thread): At {
  const { row } = of(m, thread);
  row.status = MIGRATION_STATUS.postcopy_paused;
  return nap(m, thread, WAIT.migration, 0, AT.migration_wait);
}

/**
 * The link is back: what the destination has not got is to be sent, whatever was sent before.
 *
 * Models ram_resume_prepare(), which has the destination send its bitmap of received pages.
 */
function postcopy_recover(m: Machine, thread: Thread): At {
  const { spec, row, place } = of(m, thread);
  row.nr_dirty = 0;
  row.cursor = 0;
  row.eof_sent = 0;
  for (let index = 0; index < place.pages; index += 1) {
    if (block_has(m, spec.into, index, RECEIVED)) {
      block_clear(m, spec.out_of, index, DIRTY);
      continue;
    }
    block_set(m, spec.out_of, index, DIRTY);
    row.nr_dirty += 1;
  }
  row.status = MIGRATION_STATUS.postcopy_active;
  return AT.ram_save_iterate;
}
