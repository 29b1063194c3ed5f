/**
 * The state in which every run starts: hosts up, guests booted, each heap touched once from its first page to its
 * last. What did not fit is in swap; the rest is mapped. vCPU threads stand before KVM_RUN.
 */

import { seedStream } from '../base/rng.ts';
import { AT } from './at.ts';
import { fill_guest_tables, index_of_page } from './guest/pgtable.ts';
import { start_guest_cpu, start_task } from './guest/start.ts';
import { activate, SLICE_NS } from './host/sched.ts';
import { set_memory_regions } from './kvm/memslot.ts';
import { huge_frame } from './kvm/mmu.ts';
import { fill_nested_tables } from './kvm/nested_mmu.ts';
import { shadow_map } from './kvm/shadow.ts';
import { tdp_map, tdp_map_huge } from './kvm/tdp.ts';
import { type Machine, vmSpec } from './machine.ts';
import {
  lru_add,
  make_pte,
  make_swap_pte,
  PG_uptodate,
  PTE_DIRTY,
  pte_present,
  pte_target,
  set_flag,
  take_frame,
  zero_pfn,
} from './mm/page.ts';
import { limit_pages } from './mm/reclaim.ts';
import { add_to_swap_cache, get_swap_page } from './mm/swap.ts';
import { userfaultfd_register } from './mm/userfault.ts';
import { MP_STATE, TASK_STATE, THREAD_KIND, WAIT } from './schema.ts';

/** Frames kept free on a host for pages in flight: reads with their read-ahead, and pages being written. */
export function reserve_pages(m: Machine, host: number): number {
  const spec = m.program.hosts[host]!;
  return Math.min(
    spec.swap
      ? spec.swap.readahead_pages * (spec.workers + m.places.hosts[host]!.vcpuThreads.length) + spec.swap.depth + 16
      : 0,
    Math.floor(spec.ram_pages / 4),
  );
}

export function boot(m: Machine): void {
  m.cpu_queue.clear();
  m.queue.clear();
  seedStream(m.clock, m.program.seed, 'devices');
  m.frame.set_flags(zero_pfn(m), PG_uptodate);
  for (let host = 0; host < m.places.hosts.length; host += 1) bootHost(m, host);
  for (const wire of m.wires) wire.up = 1;
  for (let vm = 0; vm < m.program.vms.length; vm += 1) {
    set_memory_regions(m, vm);
    open_vm(m, vm);
    if (vmSpec(m, vm).incarnation_of !== null) {
      m.vms[vm]!.paused = 1;
      continue;
    }
    fill_guest_tables(m, vm);
    fill_nested_tables(m, vm);
    populate(m, vm);
  }
  for (let task = 0; task < m.tasks.length; task += 1) start_task(m, task);
  for (let id = 0; id < m.threads.length; id += 1) startThread(m, id);
  m.places.timers.forEach((timer, id) => {
    m.queue.arm(m.places.source.timer + id, 'period_ns' in timer.spec ? timer.spec.period_ns : 0);
  });
  m.places.nmis.forEach(({ period_ns }, id) => {
    if (period_ns !== null) m.queue.arm(m.places.source.nmi + id, period_ns);
  });
}

function bootHost(m: Machine, host: number): void {
  const place = m.places.hosts[host]!;
  const row = m.hosts[host]!;
  row.nr_free_pages = place.frames;
  // swapin_readahead_hits starts at 4, mm/swap_state.c; no fault is adjacent to the one before the first.
  row.ra_hits = 4;
  row.ra_offset = 0xffff_0000;
}

/** A VMM's process has opened its VM: it and each vCPU is a file, and each of its threads has the address space. */
function open_vm(m: Machine, vm: number): void {
  const spec = vmSpec(m, vm);
  const row = m.vms[vm]!;
  row.open_fds = spec.vcpus + 1;
  row.users_count = spec.vcpus + 1;
  row.mm_users = spec.vcpus + 1;
  // One for all of mm_users, one of the VM's.
  row.mm_count = 2;
}

/**
 * Touched once, ascending: the oldest pages had to go. What a userfault handler serves is missing; a guest that has
 * touched nothing yet has nothing.
 */
function populate(m: Machine, vm: number): void {
  const place = m.places.vms[vm]!;
  const spec = vmSpec(m, vm);
  const row = m.vms[vm]!;
  const room = Math.max(0, m.hosts[spec.host]!.nr_free_pages - reserve_pages(m, spec.host));
  const first_served = place.first_page + (spec.userfault?.first_page ?? 0);
  const served = spec.userfault?.pages ?? 0;
  for (let page = first_served; page < first_served + served; page += 1) userfaultfd_register(m, page);
  const touched = spec.guest.touched === 'all' ? place.pages - served : 0;
  const fits = Math.min(touched, limit_pages(m, vm), room);
  const first_resident = m.program.hosts[spec.host]!.swap ? touched - fits : 0;
  let swap_full = false;
  for (let index = 0; index < touched; index += 1) {
    const page = place.first_page + index + (place.first_page + index < first_served ? 0 : served);
    if (index < first_resident) {
      // To find no slot takes a look at each of them, and there is going to be none for the next page either.
      const slot: number = swap_full ? -1 : get_swap_page(m, spec.host, page);
      swap_full = slot < 0;
      if (!swap_full) m.hva.set_pte(page, make_swap_pte(slot));
      continue;
    }
    const pfn = take_frame(m, spec.host);
    if (pfn < 0) break; // Never touched, then: the first touch finds no memory, and says so.
    m.frame.set_hva(pfn, page + 1);
    set_flag(m, pfn, PG_uptodate);
    if (spec.backing === 'file') {
      const slot = get_swap_page(m, spec.host, page);
      if (slot >= 0) add_to_swap_cache(m, slot, pfn);
    }
    m.hva.set_pte(page, make_pte(pfn, PTE_DIRTY));
    lru_add(m, vm, pfn);
    row.nr_charged_pages += 1;
    if (!spec.huge_pages) map_at_boot(m, vm, page, pfn);
  }
  if (!spec.huge_pages) return;
  for (let page = place.first_page; page < place.first_page + place.pages; page += 512) {
    const pfn = huge_frame(m, vm, page);
    if (pfn >= 0) {
      tdp_map_huge(m, vm, page, pfn);
      continue;
    }
    for (let other = page; other < Math.min(page + 512, place.first_page + place.pages); other += 1) {
      if (pte_present(m.hva.pte(other))) tdp_map(m, vm, other, pte_target(m.hva.pte(other)), true);
    }
  }
}

/** The guest has touched it: its map has it, and in shadow tables that of every process. */
function map_at_boot(m: Machine, vm: number, page: number, pfn: number): void {
  const { first_page, heap_pages, spaces } = m.places.vms[vm]!;
  const spec = vmSpec(m, vm);
  if (spec.paging === 'tdp' || !spec.guest.paging) tdp_map(m, vm, page, pfn, true);
  else if (page < first_page + heap_pages)
    for (let space = 0; space < spaces; space += 1)
      shadow_map(m, vm, space, index_of_page(m, vm, space, page - first_page), pfn, true);
}

/** Where the threads of a migration stand until there is something to do. */
const MIGRATION_STEPS = [
  { kind: THREAD_KIND.migration, at: AT.migration_thread, wait: WAIT.migration },
  { kind: THREAD_KIND.incoming, at: AT.process_incoming_migration, wait: WAIT.migration },
  { kind: THREAD_KIND.postcopy_fault, at: AT.postcopy_ram_fault_thread, wait: WAIT.message },
] as const;

function startThread(m: Machine, id: number): void {
  const thread = m.threads[id]!;
  const place = m.places.threads[id]!;
  const host = m.places.hosts[place.host]!;
  thread.kind = place.kind;
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  thread.cpu = host.first_cpu;
  // Kernel threads have slept for long: the first time they are woken they run at once.
  if (place.kind !== THREAD_KIND.vcpu) thread.vruntime_ns = -SLICE_NS;
  if (place.kind === THREAD_KIND.kworker) {
    thread.at = AT.worker_thread;
    return;
  }
  if (place.kind === THREAD_KIND.kswapd) {
    thread.at = AT.kswapd;
    thread.cpu = host.first_cpu + host.cpus - 1;
    return;
  }
  if (place.kind === THREAD_KIND.vmm) {
    thread.at = AT.vmm;
    return;
  }
  if (place.kind === THREAD_KIND.uffd) {
    thread.at = AT.userfaultfd_read;
    thread.wait = WAIT.message;
    return;
  }
  const waiting = MIGRATION_STEPS.find(({ kind }) => kind === place.kind);
  if (waiting) {
    thread.at = waiting.at;
    thread.wait = waiting.wait;
    return;
  }
  thread.at = vmSpec(m, place.vm).irqchip === 'user' ? AT.kvm_put_msrs : AT.userspace;
  // An incarnation that waits for its guest: its vCPU threads stand before KVM_RUN, and the VM is not to run.
  if (vmSpec(m, place.vm).incarnation_of !== null) return;
  thread.task_state = TASK_STATE.RUNNING;
  const { vm, vcpu_id } = m.places.vcpus[place.vcpu]!;
  if (vcpu_id === 0 || vmSpec(m, vm).startup === 'all') start_guest_cpu(m, place.vcpu);
  else m.vcpus[place.vcpu]!.mp_state = MP_STATE.UNINITIALIZED;
  const pin = vmSpec(m, vm).pin[vcpu_id] ?? null;
  if (pin !== null) thread.bound_cpu = host.first_cpu + pin + 1;
  thread.cpu = pin === null ? host.first_cpu + (id % host.cpus) : host.first_cpu + pin;
  activate(m, thread);
}
