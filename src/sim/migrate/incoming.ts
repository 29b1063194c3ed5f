/**
 * The destination of a migration: takes pages and the state of the vCPUs from the link, and starts the guest.
 *
 * After the switch to post-copy the guest runs while pages are missing. Whoever touches one without NOWAIT puts a message
 * on the VM's userfaultfd; a thread of its own reads that and asks the source, and the page is put in its place as soon
 * as it comes. With asynchronous page faults it is a kernel worker that waits, and the guest runs another task.
 *
 * Models process_incoming_migration_co(), migration/migration.c, ram_load(), migration/ram.c, and
 * postcopy_ram_fault_thread(), migration/postcopy-ram.c, of QEMU.
 */
import { AT, type At } from '../at.ts';
import { schedule, wake_up_process } from '../host/sched.ts';
import type { Machine } from '../machine.ts';
import { start_gup } from '../mm/gup.ts';
import { drop_share } from '../mm/ksm.ts';
import { kvm_unmap_gfn_range } from '../mm/mmu_notifier.ts';
import { pte_present, pte_special, pte_swap, pte_target } from '../mm/page.ts';
import { mfill_atomic, userfaultfd_ctx_read, userfaultfd_register } from '../mm/userfault.ts';
import { TASK_STATE, type Thread, WAIT } from '../schema.ts';
import { monitor_command } from '../vmm/monitor.ts';
import { wake_if } from './arrival.ts';
import { can_send, free_packet, send, wire_of } from './link.ts';
import { block_clear, block_has, block_set, HEADER_BYTES, RECEIVED, STALE } from './ram.ts';
import { MIGRATION_STATUS, PACKET } from './tables.ts';

/** What asking for a page takes on the way back: MIG_RP_MSG_REQ_PAGES. */
const REQUEST_BYTES = 16;

function of(m: Machine, thread: Thread) {
  const number = m.places.threads[thread.id]!.migration;
  const spec = m.program.migrations[number]!;
  return { number, spec, row: m.migrations[number]!, place: m.places.vms[spec.into]! };
}

function nap(m: Machine, thread: Thread, wait: (typeof WAIT)[keyof typeof WAIT], id: number, then: At): At {
  thread.wait = wait;
  thread.wait_id = id;
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return then;
}

/** Takes the next packet, or sleeps. A migration that came to nothing leaves nothing behind. */
export function process_incoming_migration(m: Machine, thread: Thread): At {
  const { number, row, place } = of(m, thread);
  thread.wait = WAIT.nothing;
  thread.wait_id = 0;
  if (row.dst_used && (row.status === MIGRATION_STATUS.failed || row.status === MIGRATION_STATUS.cancelled)) {
    thread.cursor = 0;
    return AT['process_incoming_migration.exit'];
  }
  const id = row.inbox.at(0);
  if (row.inbox.length === 0) return nap(m, thread, WAIT.migration, 0, AT.process_incoming_migration);
  const packet = m.packets[id]!;
  switch (packet.kind) {
    case PACKET.page:
      thread.page = place.first_page + packet.page;
      return AT.ram_load_page;
    case PACKET.device:
      thread.cursor = 0;
      return row.postcopy ? AT.postcopy_ram_discard : load_state(m, number);
    default:
      take(m, number);
      row.status = MIGRATION_STATUS.completed;
      wake_if(m, m.places.migrations[number]!.source, WAIT.migration);
      return AT.process_incoming_migration;
  }
}

function take(m: Machine, number: number): void {
  free_packet(m.packets[m.migrations[number]!.inbox.shift()]!);
}

/** A page goes where it belongs: into a hole that somebody may be waiting at, or over what is there. */
export function ram_load_page(m: Machine, thread: Thread): At {
  const { number, spec, row, place } = of(m, thread);
  if (thread.wait === WAIT.writeback) m.hosts[m.places.threads[thread.id]!.host]!.nr_io_waiters -= 1;
  thread.wait = WAIT.nothing;
  const index = thread.page - place.first_page;
  if (!m.vms[spec.into]!.postcopy) return start_gup(m, thread, thread.page, true, AT['ram_load_page.placed']);
  // One that came before the link went down and was sent again has been written since.
  if (!block_has(m, spec.into, index, RECEIVED)) {
    if (mfill_atomic(m, thread, thread.page) === 'no_frame') {
      m.hosts[m.places.threads[thread.id]!.host]!.nr_io_waiters += 1;
      thread.wait = WAIT.writeback;
      thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
      schedule(m, thread);
      return AT.ram_load_page;
    }
    block_set(m, spec.into, index, RECEIVED);
  }
  take(m, number);
  thread.page = 0;
  void row;
  return AT.process_incoming_migration;
}

export function ram_load_page_placed(m: Machine, thread: Thread): At {
  const { number, spec, place } = of(m, thread);
  thread.gup_result = 0;
  block_set(m, spec.into, thread.page - place.first_page, RECEIVED);
  take(m, number);
  thread.page = 0;
  return AT.process_incoming_migration;
}

/**
 * Forgets each page that was written after it was sent, and makes all that are not there missing. A page that is in swap
 * by now is read in first.
 *
 * Models ram_discard_range() and postcopy_ram_incoming_setup(). Differs: one page per step.
 */
export function postcopy_ram_discard(m: Machine, thread: Thread): At {
  const { number, spec, place } = of(m, thread);
  thread.gup_result = 0;
  const index = thread.cursor;
  if (index === place.pages) {
    thread.cursor = 0;
    m.vms[spec.into]!.postcopy = 1;
    return load_state(m, number);
  }
  const page = place.first_page + index;
  if (block_has(m, spec.into, index, STALE) || !block_has(m, spec.into, index, RECEIVED)) {
    if (pte_swap(m.hva.pte(page))) return start_gup(m, thread, page, false, AT.postcopy_ram_discard);
    zap_page(m, spec.into, page);
    block_clear(m, spec.into, index, RECEIVED | STALE);
    userfaultfd_register(m, page);
  }
  thread.cursor = index + 1;
  return AT.postcopy_ram_discard;
}

/** MADV_DONTNEED of one page. Models zap_pte_range(), mm/memory.c. */
function zap_page(m: Machine, vm: number, page: number): void {
  const pte = m.hva.pte(page);
  if (!pte_present(pte)) return;
  m.vms[vm]!.mmu_invalidate_seq += 1;
  kvm_unmap_gfn_range(m, vm, page);
  m.hva.set_pte(page, 0);
  if (!pte_special(pte)) drop_share(m, page, pte_target(pte));
}

/** The state of devices and vCPUs is here: each vCPU thread writes its own, then the guest runs. */
function load_state(m: Machine, number: number): At {
  take(m, number);
  monitor_command(m, m.program.migrations[number]!.into, m.places.migrations[number]!.in_command);
  return AT.process_incoming_migration;
}

/** The destination's process ends: its memory is given back, page by page. */
export function process_incoming_migration_exit(m: Machine, thread: Thread): At {
  const { number, spec, row, place } = of(m, thread);
  thread.gup_result = 0;
  const index = thread.cursor;
  if (index < place.pages) {
    const page = place.first_page + index;
    if (pte_swap(m.hva.pte(page))) return start_gup(m, thread, page, false, AT['process_incoming_migration.exit']);
    zap_page(m, spec.into, page);
    m.hva.set_pte(page, 0);
    block_clear(m, spec.into, index, RECEIVED | STALE);
    thread.cursor = index + 1;
    return AT['process_incoming_migration.exit'];
  }
  while (row.inbox.length > 0) take(m, number);
  thread.cursor = 0;
  row.dst_used = 0;
  return AT.process_incoming_migration;
}

// -- Pages that are missing -----------------------------------------------------------------------

/** Asks the source for the page that somebody waits for. Models migrate_send_rp_req_pages(). */
export function postcopy_ram_fault_thread(m: Machine, thread: Thread): At {
  const { number, spec, row, place } = of(m, thread);
  thread.wait = WAIT.nothing;
  thread.wait_id = 0;
  const wire = wire_of(m, number, 1);
  if (!m.wires[wire]!.up || !can_send(m, wire)) return nap(m, thread, WAIT.link, wire, AT.postcopy_ram_fault_thread);
  const page = userfaultfd_ctx_read(m, spec.into);
  if (page < 0) return nap(m, thread, WAIT.message, 0, AT.postcopy_ram_fault_thread);
  const index = page - place.first_page;
  if (block_has(m, spec.into, index, RECEIVED)) return AT.postcopy_ram_fault_thread;
  row.nr_requests += 1;
  send(m, wire, PACKET.request, number, index, HEADER_BYTES + REQUEST_BYTES);
  return AT.postcopy_ram_fault_thread;
}

/** The link is back: whoever still waits is asked for again. */
export function ask_again(m: Machine, number: number): void {
  const { into } = m.program.migrations[number]!;
  const row = m.vms[into]!;
  for (const thread of m.threads) {
    if (thread.wait !== WAIT.userfault || row.uffd_messages.has(thread.id)) continue;
    const { first_page, pages } = m.places.vms[into]!;
    if (thread.wait_id >= first_page && thread.wait_id < first_page + pages) row.uffd_messages.push(thread.id);
  }
  const fault = m.threads[m.places.migrations[number]!.fault]!;
  if (fault.wait === WAIT.message || fault.wait === WAIT.link) wake_up_process(m, fault);
}
