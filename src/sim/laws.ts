/**
 * Laws of the model: what no protocol version can break, so that a broken one is a bug of ours.
 *
 * Checked after every step of a paranoid run: time goes on, each frame and slot is in one place, lists and counters
 * agree, and nobody writes what is another's. What a version really gets wrong is a judgement of the standard library.
 */
import { Bug } from '../base/assert.ts';
import { AT, STEP_NAMES } from './at.ts';
import { NO_THREAD } from './engine.ts';
import { pte_page } from './guest/pgtable.ts';
import { tdp_frame, tdp_writable } from './kvm/tdp.ts';
import { knobsOfVm, type Machine } from './machine.ts';
import {
  has_flag,
  PG_ksm,
  PG_lru,
  PG_swapcache,
  PG_writeback,
  pte_marker,
  pte_present,
  pte_special,
  pte_swap,
  pte_target,
  pte_write,
} from './mm/page.ts';
import { compiledSchema, THREAD_KIND, WAIT, WORK_STATE } from './schema.ts';

export interface Laws {
  wrote(field: number, row: number): void;
  check(): void;
}

/** vCPU fields that other threads may write: the ways in which the kernel lets one CPU reach another. */
const SHARED_VCPU_FIELDS = new Set([
  'requests',
  'mode',
  'apf_done',
  'apf_queue',
  'lapic_irr',
  'lapic_timer_pending',
  'nmi_queued',
  'nmi_senders',
  'nr_kicks',
  'vmm_work',
  'vmm_saved',
  'vmm_mp_state',
  'signal_pending',
  'op_left_ns',
  // What one guest CPU does to another's scheduler.
  'guest_need_resched',
  'guest_ipi',
  'switched_ns',
  'work_ns',
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
      if (steps % every === 0) checkPages(m);
    },
  };
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
    const { lists, halt } = knobsOfVm(m, m.places.vcpus[id]!.vm);
    let outstanding = vcpu.apf_queue.length;
    for (let index = 0; index < vcpu.apf_queue.length; index += 1) {
      const work = m.works[vcpu.apf_queue.at(index)]!;
      if (!work.used || work.vcpu !== id + 1) broken(m, `${name}: what is on queue is an item of its own`);
    }
    for (let index = 0; index < vcpu.apf_done.length; index += 1) {
      const work = m.works[vcpu.apf_done.at(index)]!;
      if (!work.used) broken(m, `${name}: what is on done is an item in use`);
      if (work.wakeup_all || lists === 'move') outstanding += 1;
    }
    if (vcpu.completing !== 0) {
      const work = m.works[vcpu.completing - 1]!;
      const counted = work.wakeup_all === 1 || !vcpu.apf_queue.has(work.id);
      const thread = m.threads[m.places.vcpus[id]!.thread]!;
      const setting_up =
        thread.at === AT.kvm_setup_async_pf ||
        (thread.at === AT['kvm_setup_async_pf.schedule_work'] && !vcpu.apf_queue.has(work.id));
      const flushing = thread.wait === WAIT.work_done;
      if (counted && !setting_up && !flushing) outstanding += 1;
    }
    const clearing = m.threads[m.places.vcpus[id]!.thread]!.at === AT.kvm_clear_async_pf_completion_queue;
    const early =
      halt === 'entry_check' ||
      lists === 'move' ||
      knobsOfVm(m, m.places.vcpus[id]!.vm).schedule_work === 'before_list';
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

/** Steps to which a thread comes back after it has slept for something. */
const WAITING_STEPS = new Set<number>([
  AT['get_user_pages.wait'],
  AT.kvm_flush_and_free_async_pf_work,
  AT.kvm_clear_async_pf_completion_queue,
  AT.userfaultfd_read,
  AT.mfill_atomic,
  AT.kvm_drain_async_pf,
]);

/** Tables of a guest name pages of its heap, and CR3 one of its address spaces. */
function checkGuestTables(m: Machine): void {
  m.places.vms.forEach(({ spaces, heap_pages, first_gpt }, vm) => {
    for (let row = first_gpt; row < first_gpt + spaces * heap_pages; row += 1)
      if (pte_page(m.gpt.entry(row)) >= heap_pages)
        broken(m, `vm ${vm}: entry ${row - first_gpt} of its guest's tables names no page of the heap`);
  });
  for (const vcpu of m.vcpus)
    if (vcpu.cr3 !== 0 && vcpu.cr3 >= m.places.vms[m.vm_of_vcpu[vcpu.id]!]!.spaces)
      broken(m, `vcpu[${vcpu.id}]: there is no address space ${vcpu.cr3}`);
}

function checkPages(m: Machine): void {
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
  const sharers: Record<number, number> = {};
  m.places.vms.forEach((place, vm) => {
    let charged = 0;
    for (let page = place.first_page; page < place.first_page + place.pages; page += 1) {
      const pte = m.hva.pte(page);
      const mapped = tdp_frame(m, vm, page);
      if (mapped >= 0 && !(pte_present(pte) && pte_target(pte) === mapped))
        broken(m, `the guest has page ${page} in frame ${mapped}, and the host does not`);
      if (pte_marker(pte) !== 0 && mapped >= 0) broken(m, `page ${page} is missing and mapped for the guest`);
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
      if (!kept) broken(m, `slot ${slot} is for page ${page}, which does not need it`);
      if (cached >= 0 && m.frame.slot(cached) !== slot + 1) broken(m, `slot ${slot} and frame ${cached} do not agree`);
    }
    if (used !== m.hosts[number]!.slots_used)
      broken(m, `host ${number}: ${used} slots in use, ${m.hosts[number]!.slots_used} counted`);
  });
}
