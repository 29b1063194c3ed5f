/**
 * Every mutable field there is.
 *
 * The newcomer's mistake is to keep something elsewhere: a cache, a counter in a closure. It would survive a restore
 * and break time travel. Constants of a run (the program, where a VM's pages start) live in machine.ts instead.
 * `owner` comments say which threads may write a group of fields; src/sim/laws.ts enforces OWNERS on paranoid runs.
 */
import {
  array,
  bool,
  compileSchema,
  fifo,
  naming,
  numbered,
  oneOf,
  type Row,
  ref,
  table,
  u8,
  u16,
  u32,
  u53,
} from '../base/table.ts';
import { AT } from './at.ts';
import { written } from './classes.ts';
import { GUEST_CPU } from './guest/state.ts';
import { EVENTS, EXCEPTION } from './kvm/event_state.ts';
import { EXIT_REASON } from './kvm/exit_reason.ts';
import { NESTED, NESTED_OF_TASK } from './kvm/nested_state.ts';
import { LIFE, LIFE_COUNTERS, MODULE } from './life.ts';
import { MEMORY } from './memory.ts';
import { carried } from './migrate/moved.ts';
import { migrationTables, savedVcpu } from './migrate/tables.ts';
import { GUP_OF_THREAD, MEMORY_COUNTERS_OF_HOST, MEMORY_OF_VM, SWAP_OF_HOST } from './mm/columns.ts';
import type { OfVcpu } from './of_vcpu.ts';
import { DELAYS_OF_VM, LATE, ORDERS_OF_VM } from './ordered.ts';
import { vmmOfVcpu, vmmOfVm } from './vmm/fields.ts';

export const ASYNC_PF_PER_VCPU = 64;
/** Entries of a page table. */
export const TABLE_ENTRIES = 512;

/** Numbers as in include/uapi/linux/kvm.h. */
export const MP_STATE = numbered(['RUNNABLE', 'UNINITIALIZED', 'INIT_RECEIVED', 'HALTED', 'SIPI_RECEIVED']);

/** TASK_RUNNING and the two ways to sleep, of a host thread. */
export const TASK_STATE = numbered(['RUNNING', 'INTERRUPTIBLE', 'UNINTERRUPTIBLE']);
export const THREAD_KIND = numbered([
  'vcpu',
  'kworker',
  'kswapd',
  'vmm',
  'uffd',
  'migration',
  'incoming',
  'postcopy_fault',
]);
/** What a thread waits for: of userfault memory a page, and in the handler a message or the contents of a page. */
export const WAIT = numbered([
  'nothing',
  'page',
  'writeback',
  'io_request',
  'work_done',
  'userfault',
  'message',
  'fetch',
  'async_pf_lock',
  'thread_end',
  'mmap_lock',
  'link',
  'migration',
]);
export const VCPU_MODE = numbered(['OUTSIDE_GUEST_MODE', 'IN_GUEST_MODE', 'EXITING_GUEST_MODE']);
/** queue_work() to return: PENDING until a worker takes it, RUNNING until the function returns. */
export const WORK_STATE = numbered(['IDLE', 'PENDING', 'RUNNING']);
/** 2026: an item for the userfault handler, from the fault to READY. */
export const UF_STATE = numbered(['none', 'PENDING', 'ACCEPTED', 'COMPLETED']);
/** 2010: a single-slot note from the fault to the next entry; DOUBLE is the sentinel kvm_double_apf. */
export const ENTRY_NOTE = numbered(['none', 'item', 'DOUBLE']);

/** What a guest CPU executes above the current task's own instructions. */
export const FRAME = numbered(['none', 'setup', 'exc_page_fault', 'irq', 'apf_ready', 'nmi', 'exc_other', 'smm']);
/** Where inside a handler the guest is. */
export const FRAME_AT = numbered([
  'entry',
  'body',
  'eoi',
  'token',
  'wake',
  'clear',
  'hlt',
  'halted',
  'int_msr',
  'en_msr',
  'iret',
  'map',
  'unmap',
  'wait',
  'remap',
  // The #PF handler up to 5.7: back in RCU's view, half of it done.
  'rcu',
  'reload',
  // arm64: the event is to be ended.
  'sdei',
]);
export const GUEST_TASK = numbered(['RUNNABLE', 'PARKED', 'SLEEPING', 'DONE', 'NEW']);
/** States of an APF node in the guest's hash. */
export const NODE = numbered(['free', 'parked', 'halted', 'dummy']);
export const ACTION = numbered(['armed', 'waiting', 'done']);
export const HOLD = numbered(['off', 'armed', 'holding', 'over']);

/** Deepest nest of guest handlers: a #PF, an interrupt inside it, and one more of each. */
export const FRAMES_MAX = 6;

/** All tables but those whose columns follow from another's. */
const tables = {
  clock: table(
    {},
    {
      now_ns: u53,
      step: u53,
      rng_a: u32,
      rng_b: u32,
      rng_c: u32,
      rng_d: u32,
      current_thread: u16,
      events: u53,
      hash_a: u32,
      hash_b: u32,
      /** Of a schedule that goes round: the fingerprint of the state in which it begins to. */
      round_high: u32,
      round_low: u32,
    },
  ),

  /** What is due next: the nodes of two EventQueues, host CPUs and everything else, and the order they share. */
  cpu_event: table({}, { time_ns: u53, order: u53, source: u32 }),
  event: table({}, { time_ns: u53, order: u53, source: u32 }),
  event_order: table({}, { order: u53 }),

  /** A host: its free frames and its workqueue. Owner: whoever runs on that host, under the locks the kernel has. */
  host: table(
    {
      /** Frames given back, and how many were ever taken: those above have never been used. */
      free_head: u32,
      frames_used: u32,
      workqueue: fifo('works', 'work'),
      io_queue: fifo('ios', 'io'),
      nr_io_active: u16,
      /** Threads that sleep until a request or a write ends. */
      nr_io_waiters: u16,
      fail_alloc: u16,
      fail_swap_read: u16,
      ...SWAP_OF_HOST,
      evict: fifo('evictions', 'eviction'),
      kvm_module: oneOf(MODULE),
    },
    {
      /** Work functions that ran on in a module that was gone. */
      nr_module_text_uses: u32,
      ...MEMORY_COUNTERS_OF_HOST,
    },
  ),

  /** A host CPU. Owner: the thread on it and whoever wakes a thread there. */
  cpu: table(
    {},
    {
      current: ref('thread'),
      need_resched: bool,
      guest_op: bool,
      charged_ns: u53,
      min_vruntime_ns: u53,
      slice_start_ns: u53,
      runqueue: fifo('threads', 'thread'),
    },
  ),

  /** A host thread; `at` is its program counter. Owner: itself; a waker sets task_state. */
  thread: table(
    {
      at: oneOf(AT),
      kind: oneOf(THREAD_KIND),
      task_state: oneOf(TASK_STATE),
      wait: oneOf(WAIT),
      wait_id: naming(u32, 'wait_id'),
      ...GUP_OF_THREAD,
      /** A kworker's item, and the local copies of it that outlive the item; kswapd's place in its work. */
      work: ref('work'),
      first: bool,
      page: u32,
      vcpu: ref('vcpu'),
      cr2_or_gpa: u53,
      cursor: naming(u32, 'cursor'),
      /** A worker that holds a reference of its own to the address space; the VM that a thread destroys. */
      mm_ref: bool,
      destroying: ref('vm'),
      /** Where mmput() goes on after the last reference. */
      exit_mmap_return: oneOf(AT),
      held: bool,
      /** SIGKILL is pending. */
      killed: bool,
      on_rq: bool,
    },
    { cpu: u16, on_cpu: bool, vruntime_ns: u53, charge_ns: u53, bound_cpu: ref('cpu') },
  ),

  vm: table(
    {
      mmu_invalidate_seq: u32,
      mmu_invalidate_in_progress: u16,
      memslot_generation: u32,
      lru_head: u32,
      lru_tail: u32,
      nr_charged_pages: u32,
      fail_token_write: u16,
      nr_dummies: u16,
      ...MEMORY_OF_VM,
      /** Items that the handler is to be told of: the ring, or what the VMM has passed on. */
      uf_notify: fifo('works', 'work'),
      ...ORDERS_OF_VM,
      fail_guest_alloc: u16,
      tdp_l4: array(u32, 'tdp_l4'),
      memslot_changes: fifo('memslot_changes', 'memslot_change'),
      ...vmmOfVm,
      ...LIFE,
    },
    {
      nr_faults: u32,
      nr_minor_faults: u32,
      nr_evictions: u32,
      nr_userfaults: u32,
      ...DELAYS_OF_VM,
      ...LIFE_COUNTERS,
    },
  ),

  memslot: table({ base_gfn: u32, npages: u32, userspace_addr: u53, invalid: bool }),

  /** Owner: the vCPU's own thread, but for requests, mode (a kicker's cmpxchg), done (workers), lapic bits (senders). */
  vcpu: table(
    {
      mode: oneOf(VCPU_MODE),
      requests: u32,
      mp_state: oneOf(MP_STATE),
      waiting: bool,
      /** Between vcpu_block() and its end, polling, asleep or about to be. */
      in_block: bool,
      signal_pending: bool,
      ...vmmOfVcpu,
      /** An exception whose delivery the next fault interrupts: put there by a scenario. */
      delivering: oneOf(EXCEPTION),
      immediate_exit: bool,

      apf_halted: bool,
      apf_en_val: naming(u53, 'area'),
      /** Copies of its bits 1 and 2, as of the last time that it was set with bit 0: up to 2026 what is read (B14). */
      apf_send_always: bool,
      apf_delivery_as_pf_vmexit: bool,
      /** apf.data, a gfn_to_hva_cache: where the shared area is, as of which memslots. */
      apf_data_gpa: naming(u53, 'area'),
      apf_data_hva: naming(u53, 'area'),
      apf_data_generation: u32,
      apf_int_vector: u8,
      apf_pageready_pending: bool,
      apf_id: u32,
      apf_queued: u16,
      /** async_pf.lock, by the thread that holds it from one step to another; 0 where it is free between steps. */
      apf_lock: ref('thread'),
      /** A list operation without that lock, or on a list of another thread's, has cut items off. */
      apf_list_corrupt: bool,
      apf_queue: fifo('apf_queue', 'work'),
      apf_done: fifo('apf_queue', 'work'),
      /** The list_head of done where no lock protects it, see kvm/async_pf_done.ts. */
      apf_done_next: ref('work'),
      apf_done_prev: ref('work'),
      /** gfn + 1, 0 for ~0: open addressing as kvm_add_async_pf_gfn(). */
      apf_gfns: array(u32, ASYNC_PF_PER_VCPU),
      /** gfn + 1 whose next fault is to be synchronous, since a worker could not get it. */
      apf_error_gfn: u32,
      apf_note: oneOf(ENTRY_NOTE),
      apf_note_item: ref('work'),

      ...EVENTS,
      ...NESTED,

      lapic_enabled: bool,
      lapic_irr: array(u32, 8),
      lapic_isr: array(u32, 8),
      /** Vectors of LAPIC timers that have expired and that the vCPU thread has not injected yet. */
      lapic_timer_pending: array(u32, 8),

      exit_reason: oneOf(EXIT_REASON),
      msr: u32,
      msr_data: naming(u53, 'msr_data'),

      /** CR0.PG; the address space in CR3, by its number; the linear address of the last guest page fault. */
      cr0_pg: bool,
      cr3: u16,
      cr2: naming(u53, 'address_or_token'),
      /** kvm-unit-tests: the page of the heap, + 1, whose entry its #PF handler has taken out. */
      test_phys: u32,
      /** Writes to control registers that the guest is to do next, CR bits of guest/cr.ts, and what goes into CR3. */
      cr_write: u8,
      cr3_next: u16,
      /** A write to a table of the guest's that the host has to emulate: number of the entry + 1, and its bits. */
      pte_index: u32,
      pte_bits: u8,

      /** The fault's address: guest-physical where the map is direct (TDP, or guest paging off), else guest-virtual. */
      cr2_or_gpa: u53,
      fault_page: u32,
      fault_write: bool,
      /** There is an entry, and it does not allow the access. */
      fault_present: bool,
      /** The page + 1 whose access user space has carried out, as no memslot has it. */
      mmio_page: u32,
      fault_mmu_seq: u32,
      fault_prefault: bool,
      completing: ref('work'),
      /** The item of the exit that the VMM is to answer, + 1. */
      uf_item: ref('work'),
      check_return: oneOf(AT),
      request_next: u8,

      rflags_if: bool,
      shadow: bool,
      cpl3: bool,
      /** The 64 bytes shared with the guest: flags or reason, and the token. Pinned guest memory. */
      area_flags: u8,
      area_token: naming(u32, 'token'),
      /** They belong to another kernel by now, which does not know of them. */
      area_abandoned: bool,

      current: ref('task'),
      guest_need_resched: bool,
      /** Explored: the task that is to go next, of several that could. */
      preferred: ref('task'),
      ...GUEST_CPU,
      depth: u8,
      frame: array(u8, FRAMES_MAX),
      frame_at: array(u8, FRAMES_MAX),
      frame_op: array(u8, FRAMES_MAX),
      frame_vector: array(u8, FRAMES_MAX),
      frame_token: array(naming(u32, 'token'), FRAMES_MAX),
      frame_if: array(u8, FRAMES_MAX),
      frame_cpl3: array(u8, FRAMES_MAX),
      /** The handler has told RCU that the CPU is in use. */
      frame_rcu: array(u8, FRAMES_MAX),
      in_hlt: bool,
      panicked: bool,
    },
    {
      op_left_ns: u53,
      /** What was left of the operation that each handler interrupted. */
      /** CR2 when each handler began: what that of a #PF ought to find there. */
      frame_cr2: array(naming(u53, 'address_or_token'), FRAMES_MAX),
      frame_left_ns: array(u53, FRAMES_MAX),
      switched_ns: u53,
      blocked_since_ns: u53,
      /** Whether it has slept since then; how long it polls before it does. */
      waited: bool,
      halt_poll_ns: u32,
      nr_entries: u32,
      nr_exits: u32,
      nr_entry_checks: u32,
      nr_gfn_probes: u32,
      nr_synthetic_halts: u32,
      nr_kicks: u32,
      /** Memory references of page walks, where the guest's tables are walked: in all, and of the last one. */
      nr_walk_refs: u53,
      walk_refs: u8,
      nr_tlb_flushes: u32,
      work_ns: u53,
    },
  ),

  /** A struct kvm_async_pf. Owner: the vCPU thread; between queue_work() and its return, the worker. */
  work: table(
    {
      used: bool,
      state: oneOf(WORK_STATE),
      vcpu: ref('vcpu'),
      cr2_or_gpa: u53,
      /** What the address was resolved in: a direct map, or the address space in CR3. */
      direct_map: bool,
      cr3: u16,
      gfn: u32,
      page: u32,
      token: naming(u32, 'token'),
      wakeup_all: bool,
      notpresent_injected: bool,
      /** The mark that the worker leaves: page != NULL, done, or vcpu == NULL, by version. */
      completed: bool,
      page_pin: u32,
      /** The page pointer is whatever was on the worker's stack. */
      page_garbage: bool,
      uf_state: oneOf(UF_STATE),
      /** The worker could not get the page, where this version keeps that. */
      failed: bool,
      /** Its list_head on done where no lock protects that. */
      link_next: ref('work'),
      link_prev: ref('work'),
    },
    { cpu: ref('cpu') },
  ),

  /** A guest task. Owner: the vCPU it runs on. */
  task: table(
    {
      state: oneOf(GUEST_TASK),
      pc: u16,
      repeat: array(u32, 4),
      cpl3: bool,
      rflags_if: bool,
      preempt_count: u8,
      /** Nesting of rcu_read_lock(). */
      rcu_depth: u8,
      /** It has preemption off and waits for a lock. */
      spinning: bool,
      /** The guest CPU it runs on, or waits for. */
      vcpu: naming(u16, 'vcpu'),
      token: naming(u32, 'token'),
      cursor: u32,
      /** An access put in front of the next operation by the scenario: page + 1, and 1 << 31 for a write. */
      injected: u32,
      /** The page that the current read or write goes to, + 1, once chosen: a retry goes to the same. */
      target: u32,
      /** It has faulted and has not got the page yet. */
      resuming: bool,
      ...NESTED_OF_TASK,
    },
    {
      vruntime_ns: u53,
      work_ns: u53,
      op_left_ns: u53,
      nr_accesses: u53,
      nr_faults: u32,
      rng_a: u32,
      rng_b: u32,
      rng_c: u32,
      rng_d: u32,
      paced_ns: u53,
      l2_left_ns: u53,
    },
  ),

  /**
   * Entries of the guest's async_pf_sleepers: one per task, one per vCPU for its idle task, then room for dummies.
   * Owner: the guest, under the bucket's lock.
   */
  node: table({ state: oneOf(NODE), token: naming(u32, 'token'), vcpu: ref('vcpu') }, { since_ns: u53 }),
  /** Spinlocks of the guests, by VM. Owner: the guest. */
  lock: table({ owner: ref('task') }),

  ...MEMORY,

  /** What the scenario has ordered to come late. */
  late: table(LATE),

  /** The scenario's timed actions and holds. */
  action: table({ state: oneOf(ACTION), fired: u32 }),
  hold: table({ state: oneOf(HOLD) }, {}),
  ...migrationTables,
  /** What a VMM has read and keeps under a name: of one vCPU, or of a whole VM. */
  saved: table({ taken: bool }),
} as const;

export const schema = {
  ...tables,
  /** One vCPU as saved; `apf_halted` is not part of that, and kept to tell what the save has left out. */
  saved_vcpu: table({ ...savedVcpu, ...carried(tables.vcpu.fields) }, carried(tables.vcpu.unhashed)),
  /** What the guest's own memory holds of its tasks and its token table, as saved. */
  saved_task: table(tables.task.fields, { ...tables.task.unhashed, sleep_left_ns: u53 }),
  saved_node: table(tables.node.fields, tables.node.unhashed),
  saved_lock: table(tables.lock.fields, tables.lock.unhashed),
} as const;

export const compiledSchema = compileSchema(schema, written);
export type S = typeof schema;

export type Clock = Row<S['clock']>;
export type Host = Row<S['host']>;
export type Cpu = Row<S['cpu']>;
export type Thread = Row<S['thread']> & { readonly runs: Vcpu | null };
export type Vm = Row<S['vm']>;
export type Memslot = Row<S['memslot']>;
export type Vcpu = Row<S['vcpu']> & OfVcpu;
export type Work = Row<S['work']>;
export type Task = Row<S['task']>;
export type Node = Row<S['node']>;
export type Lock = Row<S['lock']>;
export type Io = Row<S['io']>;
export type Late = Row<S['late']>;
export type Action = Row<S['action']>;
export type Hold = Row<S['hold']>;
export type Saved = Row<S['saved']>;
export type SavedVcpu = Row<S['saved_vcpu']>;
