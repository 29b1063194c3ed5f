/**
 * Laws of the model: what no protocol version can break, so that a broken one is a bug of ours.
 *
 * Checked after every step of a paranoid run: time goes on, each frame and slot is in one place, lists and counters
 * agree, and nobody writes what is another's. What a version really gets wrong is a judgement of the standard library.
 */
import { Bug } from '../base/assert.ts';
import { AT, STEP_NAMES } from './at.ts';
import { NO_THREAD } from './engine.ts';
import { PTE_PRESENT, pte_page, root_of } from './guest/pgtable.ts';
import { tlb_frame } from './guest/tlb.ts';
import { guest_vm, vm_now } from './incarnation.ts';
import { CLEARING_STEPS, isClearing } from './kvm/async_pf_clear.ts';
import { l2_frame } from './kvm/nested_spte.ts';
import { L1_AT } from './kvm/nested_state.ts';
import { shadow_frame, shadow_writable } from './kvm/shadow.ts';
import { tdp_frame, tdp_writable } from './kvm/tdp.ts';
import { VM_END, VM_STATE } from './life.ts';
import { knobsOfVm, type Machine } from './machine.ts';
import { brokenMigration } from './migrate/laws.ts';
import { MMAP_LOCK } from './mm/columns.ts';
import { mmap_readers } from './mm/mmap_lock.ts';
import {
  has_flag,
  PG_ksm,
  PG_lru,
  PG_swapcache,
  PG_writeback,
  pte_present,
  pte_special,
  pte_swap,
  pte_target,
  pte_write,
  vm_of_page,
} from './mm/page.ts';
import { compiledSchema, THREAD_KIND, type Thread, VCPU_MODE, WAIT, WORK_STATE } from './schema.ts';
import { brokenVmm } from './vmm/laws.ts';

export interface Laws {
  wrote(field: number, row: number): void;
  check(): void;
}

/** vCPU fields that other threads may write: the ways in which the kernel lets one CPU reach another. */
const SHARED_VCPU_FIELDS = new Set([
  'requests',
  'mode',
  'apf_done',
  'apf_done_next',
  'apf_done_prev',
  'apf_list_corrupt',
  'apf_queue',
  'lapic_irr',
  // Where a worker tells the guest itself (s390).
  'area_ring',
  'area_ring_length',
  'lapic_timer_pending',
  'nmi_queued',
  'apic_pending_events',
  'nmi_senders',
  'nr_kicks',
  'pml',
  'pml_index',
  'dirty_ring',
  'dirty_index',
  'reset_index',
  'throttled',
  'vmm_work',
  'vmm_saved',
  'vmm_mp_state',
  'op_left_ns',
  // What one guest CPU does to another's scheduler.
  'guest_need_resched',
  'guest_ipi',
  'switched_ns',
  'work_ns',
  'signal_pending',
  // async_pf.lock, by whoever takes it.
  'apf_lock',
]);
/** A check of every page is dear: on a big machine it is made once in so many steps. */
const PAGES_PER_STEP = 256;

export function createLaws(m: Machine): Laws {
  const { fields } = compiledSchema;
  let last_ns = m.clock.now_ns;
  let steps = 0;
  const pages = m.hva.capacity + m.frame.capacity;
  const every = Math.max(1, Math.ceil(pages / PAGES_PER_STEP));
  return {
    wrote(number, row) {
      const field = fields[number]!;
      const writer = m.clock.current_thread;
      if (field.table !== 'vcpu' || writer === NO_THREAD || SHARED_VCPU_FIELDS.has(field.name)) return;
      const thread = m.threads[writer]!;
      // Whoever destroys a VM has its vCPUs to himself.
      if (thread.destroying === m.vcpus[row]!.vm + 1) return;
      const owner = m.places.vcpus[row]!.thread;
      if (thread.kind !== THREAD_KIND.vcpu || owner === writer) {
        if (thread.kind === THREAD_KIND.vcpu) return;
      }
      broken(m, `only its own thread writes vcpu[${row}].${field.name}; ${m.places.threads[writer]!.comm} did`);
    },
    check() {
      if (m.clock.now_ns < last_ns) broken(m, `time went back from ${last_ns} to ${m.clock.now_ns} ns`);
      last_ns = m.clock.now_ns;
      steps += 1;
      checkLists(m);
      checkReferences(m);
      checkLocks(m);
      checkWaiters(m);
      checkNested(m);
      if (steps % every === 0) checkPages(m);
      if (steps % every === 0) checkMigrations(m);
    },
  };
}

function checkMigrations(m: Machine): void {
  for (let number = 0; number < m.migrations.length; number += 1) {
    const what = brokenMigration(m, number);
    if (what !== null) broken(m, what);
  }
  const what = brokenVmm(m);
  if (what !== null) broken(m, what);
}

function broken(m: Machine, what: string): never {
  const current = m.clock.current_thread;
  const actor = current === NO_THREAD ? 'a device, a timer or the scenario' : m.places.threads[current]!.comm;
  const at = current === NO_THREAD ? '' : `, now at ${STEP_NAMES[m.threads[current]!.at]}`;
  throw new Bug(`law of the model broken at step ${m.clock.step}, ${m.clock.now_ns} ns, by ${actor}${at}: ${what}`);
}

function checkLists(m: Machine): void {
  m.vcpus.forEach((vcpu, id) => {
    const name = `vcpu[${id}]`;
    const { lists, halt, schedule_work, wakeup_all_lock, guards } = knobsOfVm(m, m.places.vcpus[id]!.vm);
    const locked = wakeup_all_lock === 'yes' && guards.includes('done_lock');
    if (vcpu.apf_list_corrupt && lists !== 'move' && locked)
      broken(m, `${name}: a list is corrupt, and no operation on it is without its lock`);
    let outstanding = vcpu.apf_queue.length;
    for (let index = 0; index < vcpu.apf_queue.length; index += 1) {
      const work = m.works[vcpu.apf_queue.at(index)]!;
      if (!work.used || work.vcpu !== id + 1) broken(m, `${name}: what is on queue is an item of its own`);
    }
    for (let index = 0; index < vcpu.apf_done.length; index += 1) {
      const work = m.works[vcpu.apf_done.at(index)]!;
      if (!work.used && !may_free_twice(m, id)) broken(m, `${name}: what is on done is an item in use`);
      if (work.wakeup_all || lists === 'move') outstanding += 1;
    }
    if (vcpu.completing !== 0) {
      const work = m.works[vcpu.completing - 1]!;
      const counted = work.wakeup_all === 1 || !vcpu.apf_queue.has(work.id);
      const thread = m.threads[m.places.vcpus[id]!.thread]!;
      const setting_up =
        thread.at === AT.kvm_setup_async_pf ||
        thread.at === AT['kvm_async_pf_wakeup_all.append'] ||
        thread.at === AT['kvm_async_pf_wakeup_all.link'] ||
        thread.at === AT['kvm_setup_async_pf.link'] ||
        (thread.at === AT['kvm_setup_async_pf.schedule_work'] && !vcpu.apf_queue.has(work.id));
      const flushing = thread.wait === WAIT.work_done;
      if (counted && !setting_up && !flushing) outstanding += 1;
    }
    const clearing = isClearing(m, id);
    const early =
      halt === 'entry_check' || lists === 'move' || schedule_work === 'before_list' || vcpu.apf_list_corrupt;
    if (!clearing && !early && vcpu.apf_queued !== outstanding)
      broken(m, `${name}: queued is ${vcpu.apf_queued}, ${outstanding} items are outstanding`);
  });
  for (const work of m.works) {
    if (work.used) continue;
    if (work.state !== WORK_STATE.IDLE) broken(m, `work[${work.id}] is free but not idle`);
    if (work.vcpu || work.cr2_or_gpa || work.token || work.page_pin || work.completed || work.failed || work.wakeup_all)
      broken(m, `work[${work.id}] is free and not forgotten`);
  }
  for (const thread of m.threads) {
    if (thread.wait !== WAIT.nothing && !WAITING_STEPS.has(thread.at))
      broken(m, `${m.places.threads[thread.id]!.comm} waits for something at ${STEP_NAMES[thread.at]}`);
  }
}

/** An item that its worker could not mark, since GUP gave it no page, is taken for one that never ran. */
function may_free_twice(m: Machine, vcpu: number): boolean {
  const { done_marker, worker_page_init } = knobsOfVm(m, m.vcpus[vcpu]!.vm);
  return done_marker === 'page' && worker_page_init === 'null';
}

/** Each reference to a VM and to its process' address space is somebody's, or known to have been forgotten. */
function checkReferences(m: Machine): void {
  m.vms.forEach((vm, id) => {
    const { worker_vm_ref, worker_mm_ref } = knobsOfVm(m, id);
    const of_vm = holders(m, id, holdsVm);
    const of_mm = holders(m, id, holdsMm);
    const users = vm.open_fds + vm.nr_leaked_users + (worker_vm_ref === 'yes' ? of_vm : 0);
    if (vm.users_count !== users) broken(m, `vm ${id}: ${vm.users_count} references to it, ${users} holders`);
    const of_threads = m.threads.filter(thread => m.places.threads[thread.id]!.vm === id && hasMm(m, thread)).length;
    const mm_users = of_threads + vm.nr_leaked_mm_users + (worker_mm_ref === 'mm_users' ? of_mm : 0);
    if (vm.mm_users !== mm_users) broken(m, `vm ${id}: mm_users is ${vm.mm_users}, of ${mm_users} holders`);
    const own = (vm.mm_exited ? 0 : 1) + (vm.state === VM_STATE.DESTROYED ? 0 : 1);
    const mm_count = own + vm.nr_leaked_mm_count + (worker_mm_ref === 'mm_count' ? of_mm : 0);
    if (vm.mm_count !== mm_count) broken(m, `vm ${id}: mm_count is ${vm.mm_count}, of ${mm_count} holders`);
  });
}

/** Steps of a killed main thread that come after its exit_mm(). */
const LEAVES_MM = new Set<number>([AT.exit_mmap, AT.kvm_vcpu_release, AT.kvm_vm_release]);

/** A vCPU thread and the main thread of a VMM have the address space until they exit; a userfault handler has its own. */
function hasMm(m: Machine, thread: Thread): boolean {
  if (thread.kind === THREAD_KIND.vmm) {
    const { end, state } = m.vms[m.places.threads[thread.id]!.vm]!;
    // Told to end it may still be at something else; with the last vCPU thread gone it gives up its share.
    return end !== VM_END.kill || (state === VM_STATE.ENDING && !LEAVES_MM.has(thread.at));
  }
  if (thread.kind !== THREAD_KIND.vcpu) return false;
  return thread.at !== AT.off && thread.at !== AT['do_exit.notify'] && thread.exit_mmap_return !== AT['do_exit.notify'];
}

/** Items that are to run, and workers that run one and have not dropped their reference yet. */
function holders(m: Machine, vm: number, holds: (thread: Thread) => boolean): number {
  let found = 0;
  for (const work of m.works) {
    if (!work.used || work.wakeup_all || m.vcpus[work.vcpu - 1]!.vm !== vm) continue;
    const fresh = work.state === WORK_STATE.IDLE && isSettingUp(m, work.vcpu - 1, work.id);
    if (fresh || work.state === WORK_STATE.PENDING) found += 1;
  }
  for (const thread of m.threads) {
    if (thread.kind !== THREAD_KIND.kworker || !holds(thread)) continue;
    const vcpu = thread.vcpu !== 0 ? thread.vcpu : thread.work !== 0 ? m.works[thread.work - 1]!.vcpu : 0;
    if (vcpu !== 0 && m.vcpus[vcpu - 1]!.vm === vm) found += 1;
  }
  return found;
}

function isSettingUp(m: Machine, vcpu: number, work: number): boolean {
  const { completing, apf_done } = m.vcpus[vcpu]!;
  const { at } = m.threads[m.places.vcpus[vcpu]!.thread]!;
  const here =
    at === AT.kvm_setup_async_pf ||
    at === AT['kvm_setup_async_pf.link'] ||
    at === AT['kvm_setup_async_pf.schedule_work'];
  return here && completing === work + 1 && !apf_done.has(work);
}

const AFTER_PUT = new Set<number>([
  AT['async_pf_execute.return'],
  AT.kvm_destroy_vm,
  AT.kvm_free_vcpus,
  AT.kvm_arch_free_vm,
  ...CLEARING_STEPS,
]);

const holdsVm = (thread: Thread): boolean => !AFTER_PUT.has(thread.at);
const holdsMm = (thread: Thread): boolean =>
  holdsVm(thread) &&
  thread.at !== AT['async_pf_execute.put_vm'] &&
  thread.exit_mmap_return !== AT['async_pf_execute.put_vm'];

/** A read that ends looks for no more threads than the host counts. */
function checkWaiters(m: Machine): void {
  m.hosts.forEach((row, host) => {
    const waiting = m.threads.filter(
      ({ id, wait }) => wait === WAIT.page && m.places.threads[id]!.host === host,
    ).length;
    if (waiting !== row.nr_page_waiters)
      broken(m, `host ${host}: ${waiting} threads wait for a page, ${row.nr_page_waiters} are counted`);
  });
}

/** The mmap lock is held by those who say so: many readers, or one writer. */
function checkLocks(m: Machine): void {
  m.vms.forEach((row, vm) => {
    let waiting = 0;
    let writing = 0;
    for (const thread of m.threads) {
      if (thread.wait === WAIT.mmap_lock && thread.wait_id === vm) waiting += 1;
      if (thread.mmap_lock === MMAP_LOCK.writing && row.mmap_writer === thread.id + 1) writing += 1;
    }
    if (waiting !== row.mmap_waiters.length)
      broken(m, `vm ${vm}: ${waiting} threads wait for the mmap lock, ${row.mmap_waiters.length} are queued`);
    const readers = mmap_readers(m, vm);
    if ((row.mmap_writer === 0 ? 0 : 1) !== writing || (writing > 0 && readers > 0))
      broken(m, `vm ${vm}: the mmap lock has ${writing} writers and ${readers} readers`);
  });
  for (const { id, mmap_lock, mmap_vm } of m.threads)
    if ((mmap_lock === MMAP_LOCK.reading) !== mmap_vm > 0) broken(m, `thread ${id}: reads an mmap lock of nobody's`);
}

/** A CPU in L2 runs a task that is one, outside of all handlers of L1; what is queued for L1 is queued while L2 runs. */
function checkNested(m: Machine): void {
  for (const vcpu of m.vcpus) {
    if (vm_now(m, guest_vm(m, vcpu.vm)) !== vcpu.vm) continue;
    if (vcpu.exception_vmexit && !vcpu.guest_mode)
      broken(m, `vcpu[${vcpu.id}]: an exit is queued for a hypervisor that runs`);
    if (!vcpu.guest_mode) continue;
    if (vcpu.depth !== 0) broken(m, `vcpu[${vcpu.id}]: L2 runs inside of a handler of L1`);
    if (vcpu.current === 0 || m.tasks[vcpu.current - 1]!.l1_at !== L1_AT.l2)
      broken(m, `vcpu[${vcpu.id}]: in guest mode, and no L2 is loaded`);
  }
}

/** Steps to which a thread comes back after it has slept for something. */
const WAITING_STEPS = new Set<number>([
  AT['get_user_pages.wait'],
  AT.kvm_flush_and_free_async_pf_work,
  AT.userfaultfd_read,
  AT['get_user_pages.lock'],
  AT.kvm_faultin_pfn,
  AT.do_mmap,
  AT.do_madvise,
  AT['do_madvise.zap'],
  AT.mfill_atomic,
  AT.kvm_drain_async_pf,
  AT['vmm.join'],
  // Those that take async_pf.lock, or wait for a work item with it.
  AT['async_pf_execute.append'],
  AT.kvm_check_async_pf_completion,
  AT['kvm_check_async_pf_completion.entry'],
  AT['kvm_async_pf_wakeup_all.append'],
  ...CLEARING_STEPS,
  AT.migration_thread,
  AT.ram_save_iterate,
  AT.migration_completion,
  AT.qemu_savevm_state_complete,
  AT.migration_wait,
  AT.process_incoming_migration,
  AT.ram_load_page,
  AT.postcopy_ram_fault_thread,
]);

/** Tables of a guest name pages of its heap, and CR3 one of its address spaces. */
function checkGuestTables(m: Machine): void {
  m.places.vms.forEach(({ spaces, heap_pages, first_gpt }, vm) => {
    for (let row = first_gpt; row < first_gpt + spaces * heap_pages; row += 1)
      if (pte_page(m.gpt.entry(row)) >= heap_pages)
        broken(m, `vm ${vm}: entry ${row - first_gpt} of its guest's tables names no page of the heap`);
  });
  for (const vcpu of m.vcpus)
    if (vcpu.cr3 !== 0 && vcpu.cr3 >= m.places.vms[vcpu.vm]!.spaces)
      broken(m, `vcpu[${vcpu.id}]: there is no address space ${vcpu.cr3}`);
}

/** A shadow says what the guest's tables say, and has the frames that the host has. */
function checkShadows(m: Machine): void {
  m.places.vms.forEach(({ spaces, heap_pages, first_page }, vm) => {
    if (m.program.vms[vm]!.paging !== 'shadow') return;
    for (let space = 0; space < spaces; space += 1)
      for (let index = 0; index < heap_pages; index += 1) {
        const pfn = shadow_frame(m, vm, space, index);
        if (pfn < 0) continue;
        const entry = m.gpt.entry(root_of(m, vm, space) + index);
        if ((entry & PTE_PRESENT) === 0)
          broken(m, `vm ${vm}: address space ${space} has shadow entry ${index}, and its guest's tables have it not`);
        const pte = m.hva.pte(first_page + pte_page(entry));
        if (!pte_present(pte) || pte_target(pte) !== pfn)
          broken(m, `vm ${vm}: a shadow has page ${pte_page(entry)} in frame ${pfn}, and the host does not`);
        if (shadow_writable(m, vm, space, index) && !pte_write(pte))
          broken(m, `vm ${vm}: a shadow lets the guest write page ${pte_page(entry)}, and the host would copy it`);
      }
  });
}

/** Where running vCPUs are kicked to flush, what one in its guest remembers of a page is where the host has it. */
function checkTlbs(m: Machine): void {
  for (const vcpu of m.vcpus) {
    const vm = vcpu.vm;
    if (!m.program.vms[vm]!.tlb || knobsOfVm(m, vm).notifier_flush !== 'kick') continue;
    if (vcpu.mode !== VCPU_MODE.IN_GUEST_MODE || vcpu.requests !== 0) continue;
    const { first_page, heap_pages } = m.places.vms[vm]!;
    for (let page = first_page; page < first_page + heap_pages; page += 1) {
      const pfn = tlb_frame(m, vcpu, page);
      if (pfn < 0) continue;
      const pte = m.hva.pte(page);
      if (!pte_present(pte) || pte_target(pte) !== pfn)
        broken(m, `vcpu[${vcpu.id}] remembers page ${page} in frame ${pfn}, and the host does not have it there`);
    }
  }
}

/** What L2 reaches L1 has given to it, in the frames that the host has. */
function checkNestedTables(m: Machine): void {
  m.places.vms.forEach(({ nested_tables, heap_pages, first_page }, vm) => {
    if (!nested_tables) return;
    for (let page = first_page; page < first_page + heap_pages; page += 1) {
      const pfn = l2_frame(m, vm, page);
      if (pfn < 0) continue;
      const pte = m.hva.pte(page);
      if (!pte_present(pte) || pte_target(pte) !== pfn)
        broken(m, `vm ${vm}: its nested guest has page ${page - first_page} in frame ${pfn}, and the host does not`);
    }
  });
}

/** A frame has a last use only while a page is in it, of a VM whose host asks for it, and not in the time to come. */
function checkLastUse(m: Machine): void {
  for (let pfn = 0; pfn < m.frame_use.capacity; pfn += 1) {
    const last = m.frame_use.last_ns(pfn) - 1;
    if (last < 0) continue;
    const page = m.frame.hva(pfn) - 1;
    if (page < 0) broken(m, `frame ${pfn} is free, and was used at ${last} ns`);
    else if (m.program.hosts[m.program.vms[vm_of_page(m, page)]!.host]!.reclaim !== 'working_set')
      broken(m, `frame ${pfn} has a last use, and its host does not ask for it`);
    if (last > m.clock.now_ns) broken(m, `frame ${pfn} was last used at ${last} ns, which is yet to come`);
  }
}

function checkPages(m: Machine): void {
  checkTlbs(m);
  checkShadows(m);
  checkNestedTables(m);
  checkGuestTables(m);
  m.places.hosts.forEach((host, number) => {
    let free = 0;
    for (let pfn = m.hosts[number]!.free_head - 1; pfn >= 0; pfn = m.frame.next(pfn) - 1) free += 1;
    free += host.frames - m.hosts[number]!.frames_used;
    if (free !== m.hosts[number]!.nr_free_pages)
      broken(m, `host ${number}: ${free} frames on the free list, ${m.hosts[number]!.nr_free_pages} counted`);
    let used = 0;
    for (let pfn = host.first_frame; pfn < host.first_frame + host.frames; pfn += 1)
      if (m.frame.hva(pfn) !== 0) used += 1;
    if (free + used !== host.frames)
      broken(m, `host ${number}: ${free} free and ${used} used frames of ${host.frames}`);
  });
  checkLastUse(m);
  const sharers: Record<number, number> = {};
  m.places.vms.forEach((place, vm) => {
    let charged = 0;
    for (let page = place.first_page; page < place.first_page + place.pages; page += 1) {
      const pte = m.hva.pte(page);
      const mapped = tdp_frame(m, vm, page);
      if (mapped >= 0 && !(pte_present(pte) && pte_target(pte) === mapped))
        broken(m, `the guest has page ${page} in frame ${mapped}, and the host does not`);
      if (!pte_present(pte) && mapped >= 0) broken(m, `page ${page} is not there, and mapped for the guest`);
      if (pte_present(pte) && !pte_special(pte)) {
        const pfn = pte_target(pte);
        if (m.frame.hva(pfn) === page + 1) charged += 1;
        else if (has_flag(m, pfn, PG_ksm) && !pte_write(pte)) sharers[pfn] = (sharers[pfn] ?? 0) + 1;
        else broken(m, `page ${page} is in frame ${pfn}, which says ${m.frame.hva(pfn) - 1}`);
        if (!has_flag(m, pfn, PG_lru)) broken(m, `page ${page} is mapped and on no list`);
        if (tdp_writable(m, vm, page) && !pte_write(pte))
          broken(m, `the guest may write page ${page}, and the host not`);
      } else if (pte_swap(pte)) {
        const slot = pte_target(pte);
        if (m.slot.hva(slot) !== page + 1)
          broken(m, `page ${page} is in slot ${slot}, which says ${m.slot.hva(slot) - 1}`);
        const cached = m.slot.cache(slot) - 1;
        if (cached >= 0) {
          if (!has_flag(m, cached, PG_swapcache)) broken(m, `frame ${cached} is in the swap cache and not marked so`);
          if (!has_flag(m, cached, PG_writeback)) charged += 1;
        }
      }
    }
    if (charged !== m.vms[vm]!.nr_charged_pages)
      broken(m, `vm ${vm}: ${charged} pages, ${m.vms[vm]!.nr_charged_pages} charged`);
  });
  for (let pfn = 0; pfn < m.frame.capacity; pfn += 1) {
    if (m.share.others(pfn) !== (sharers[pfn] ?? 0))
      broken(m, `frame ${pfn} is shared with ${m.share.others(pfn)} pages, and ${sharers[pfn] ?? 0} map it`);
  }
  checkSlots(m);
}

/** A slot has the contents of the page that refers to it, or of one in memory whose frame knows the slot. */
function checkSlots(m: Machine): void {
  m.places.hosts.forEach((host, number) => {
    let used = 0;
    for (let slot = host.first_slot; slot < host.first_slot + host.slots; slot += 1) {
      const page = m.slot.hva(slot) - 1;
      if (page < 0) continue;
      used += 1;
      const pte = m.hva.pte(page);
      const cached = m.slot.cache(slot) - 1;
      const kept = pte_present(pte)
        ? cached >= 0 && pte_target(pte) === cached
        : pte_swap(pte) && pte_target(pte) === slot;
      // What is under way at the device when the address space goes keeps its slot until it is through.
      const under_way = m.vms[vm_of_page(m, page)]!.mm_exited === 1 && cached >= 0;
      if (!kept && !under_way) broken(m, `slot ${slot} is for page ${page}, which does not need it`);
      if (cached >= 0 && m.frame.slot(cached) !== slot + 1) broken(m, `slot ${slot} and frame ${cached} do not agree`);
    }
    if (used !== m.hosts[number]!.slots_used)
      broken(m, `host ${number}: ${used} slots in use, ${m.hosts[number]!.slots_used} counted`);
  });
}
