/**
 * Where everything of a program stands in the tables: which rows belong to which VM, and the other way round.
 *
 * Fixed for a run. Rows of all VMs share a table; `first` and `of` go between a VM's own numbering and the row.
 */

import { evictionsOf, memoryJobsOf, type PageJob } from './mm/jobs.ts';
import { LATE_PER_VM } from './ordered.ts';
import type { ActionOp, HandlerOp, IrqSpec, Program, TaskSpec, TimerSpec } from './program.ts';
import { TABLE_ENTRIES, THREAD_KIND } from './schema.ts';
import {
  addressSpaces,
  changesMemslots,
  hasNestedTables,
  itemsOf,
  type MemslotChange,
  nodesOf,
  worksOf,
} from './sizes.ts';
import { type MonitorPlaces, placeCommands } from './vmm/places.ts';

/** gfn of the first heap page: guest-physical 0x1000000, as in the recordings. Below lies the guest's kernel area. */
export const HEAP_GFN = 0x1000;
/** Linear address of the first heap page. */
export const HEAP_GVA = 0x7f00_0100_0000;
/** Host-virtual address of guest-physical 0 of the first VM; one per VM, 64 GiB apart. */
export const VM_HVA = 0x7fea_0000_0000;
export const VM_HVA_STRIDE = 0x10_0000_0000;
/** gfn of the first page table of the guest, where those are part of its pinned kernel area. */
export const TABLES_GFN = 0x400;
/** First pid handed out; ids are synthetic but stable. */
export const FIRST_PID = 4711;

/** What the VMM's process is called. */
export const VMM_COMM = 'qemu-kvm';

export const TIMER_VECTOR_FIRST = 0xec;
export const IRQ_VECTOR_FIRST = 0x31;
/** HYPERVISOR_CALLBACK_VECTOR of Linux; kvm-unit-tests uses the same. */
export const APF_VECTOR = 0xf3;

export interface ThreadPlace {
  readonly kind: (typeof THREAD_KIND)[keyof typeof THREAD_KIND];
  readonly host: number;
  /** vCPU row of a vCPU thread, else -1. */
  readonly vcpu: number;
  /** The VM whose process it belongs to, -1 for the kernel's own threads. */
  readonly vm: number;
  /** The migration that it works for, else -1. */
  readonly migration: number;
  readonly pid: number;
  readonly comm: string;
}

export interface VcpuPlace {
  readonly vm: number;
  readonly host: number;
  /** The number the guest and the tracepoints know it by. */
  readonly vcpu_id: number;
  readonly thread: number;
  /** What its idle task does over and over. */
  readonly idle: readonly HandlerOp[];
  /** The vCPU's row in the first incarnation of its VM: a scenario names it by that. */
  readonly guest_cpu: number;
  /** Rows of its items: the first, and how many. */
  readonly first_work: number;
  readonly works: number;
}

export interface Interrupt {
  readonly vm: number;
  readonly vcpu: number;
  readonly vector: number;
  readonly name: string;
  readonly spec: IrqSpec | TimerSpec;
  /** Timer row, or -1 for a device interrupt. */
  readonly timer: number;
}

/** A sender of NMIs: an `nmi` of the guest on one of its vCPUs, or one that the scenario names. */
export interface NmiSender {
  readonly name: string;
  /** -1 for one of the scenario's, whose name is the same everywhere. */
  readonly vm: number;
  readonly vcpu: number;
  readonly period_ns: number | null;
}

export interface Places {
  readonly threads: readonly ThreadPlace[];
  readonly vcpus: readonly VcpuPlace[];
  readonly tasks: readonly {
    readonly vm: number;
    readonly vcpu: number;
    readonly spec: TaskSpec;
    readonly index: number;
    /** Number of its address space. */
    readonly space: number;
    readonly prio: number;
  }[];
  readonly cpus: readonly { readonly host: number; readonly number: number }[];
  /** Timers and device interrupts together; `irq` entities are indices into this. */
  readonly interrupts: readonly Interrupt[];
  readonly timers: readonly Interrupt[];
  /** interrupt index by vCPU row and vector, -1 where none. */
  readonly interruptAt: readonly Int16Array[];
  readonly vms: readonly {
    /** The main thread of its VMM. */
    readonly vmm: number;
    readonly first_vcpu: number;
    readonly first_task: number;
    readonly first_page: number;
    readonly first_lock: number;
    /** Rows of the tasks that its guest may move between CPUs. */
    readonly movable: readonly number[];
    readonly first_l2: number;
    readonly first_l3: number;
    /** Rows of ram_block, where the VM is one that can move; else none. */
    readonly first_block: number;
    /** Rows of its memory: the heap, then the leaf tables of its guest's address spaces where those may be reclaimed. */
    readonly pages: number;
    readonly heap_pages: number;
    readonly host: number;
    /** Threads that read the VM's userfaultfd. */
    readonly uffd_readers: readonly number[];
    /** Its memslots: the guest kernel's own low memory, and those of the heap; whether any is ever changed. */
    readonly first_memslot: number;
    readonly memslots: number;
    readonly memslots_change: boolean;
    /** Address spaces whose tables are looked at; 0 where they are as at boot for good. */
    readonly spaces: number;
    /** Row of the first entry of its first address space. */
    readonly first_gpt: number;
    /** Whether its guest has tables for guests of its own, and the row of their first entry. */
    readonly nested_tables: boolean;
    readonly first_npt: number;
    /** Row of the first entry of its first shadow. */
    readonly first_spte: number;
    /** And of the TLB of its first vCPU. */
    readonly first_tlb: number;
    /** Leaf tables of one address space that are pages of the rows above; 0 where they are pinned kernel memory. */
    readonly tables: number;
  }[];
  readonly hosts: readonly {
    readonly first_cpu: number;
    readonly cpus: number;
    readonly first_frame: number;
    readonly frames: number;
    readonly first_slot: number;
    readonly slots: number;
    readonly kswapd: number;
    readonly workers: readonly number[];
    readonly vcpuThreads: readonly number[];
    /** Threads of its VMs that are no vCPUs: of VMMs and of userfault handlers. */
    readonly processes: readonly number[];
  }[];
  /** Threads that may complete an item of each vCPU: workers, explored those of its items, and its VMM's own. */
  readonly workersOf: readonly (readonly number[])[];
  /** Tasks that each vCPU row may come to run, in order of declaration; which are on its queue, task.vcpu says. */
  readonly tasksOf: readonly (readonly number[])[];
  readonly nmis: readonly NmiSender[];
  readonly holds: readonly {
    readonly action: number;
    readonly op: Extract<ActionOp, { readonly op: 'hold_event' | 'hold_actor' }>;
  }[];
  /** What is saved under a name: of which VM, and its vCPUs, `first` among the rows of saved_vcpu. */
  readonly saved: MonitorPlaces['saved'];
  /** Each act that a VMM carries out, one after the other, and what migrations have VMMs do. */
  readonly commands: MonitorPlaces['commands'];
  /** Threads of each migration, its commands to either VMM, and what travels of its vCPUs. */
  readonly migrations: MonitorPlaces['migrations'];
  /** Texts of the scenario's marks, each once. */
  readonly marks: readonly string[];
  /** Each change of a memslot that the scenario has the VMM make. */
  readonly memslot_changes: readonly { readonly action: number; readonly op: MemslotChange }[];
  /** Each `evict` or `merge` of the scenario; kswapd's queue holds indices into this. */
  readonly evictions: readonly PageJob[];
  /** The first thread of a userfault handler; they stand together, behind all others. */
  readonly first_handler: number;
  /** What VMMs are to do with their address spaces. */
  readonly memory_jobs: readonly PageJob[];
  /** Rows for what the scenario has ordered to come late. */
  readonly lates: number;
  /** Requests that swap devices can have outstanding, over all hosts. */
  readonly ios: number;
  /** Number of event sources besides CPUs: requests at swap devices, timers, sleeping tasks, userfault handlers, actions. */
  readonly sources: number;
  readonly source: {
    readonly io: number;
    readonly timer: number;
    readonly task: number;
    readonly handler: number;
    readonly action: number;
    readonly nmi: number;
    readonly wire: number;
    readonly throttle: number;
    readonly throttle_sleep: number;
    readonly late: number;
  };
}

export function place(program: Program): Places {
  const threads: ThreadPlace[] = [];
  const vcpus: VcpuPlace[] = [];
  const tasks: Places['tasks'][number][] = [];
  const cpus: { host: number; number: number }[] = [];
  const interrupts: Interrupt[] = [];
  let pid = FIRST_PID;
  let first_page = 0;
  let first_block = 0;
  let first_lock = 0;
  let first_work = 0;
  let first_l2 = 0;
  let first_l3 = 0;
  let first_gpt = 0;
  const placedVms: Pick<
    Places['vms'][number],
    'first_vcpu' | 'first_task' | 'first_gpt' | 'first_npt' | 'first_lock'
  >[] = [];
  let first_spte = 0;
  let first_memslot = 0;
  let first_tlb = 0;
  const vms = program.vms.map((spec, vm) => {
    const first_vcpu = vcpus.length;
    const first = spec.incarnation_of === null ? null : placedVms[spec.incarnation_of]!;
    const first_task = first?.first_task ?? tasks.length;
    const { heap_pages } = spec.guest;
    const spaces = addressSpaces(program, vm);
    const tables = spec.guest.page_tables === 'swappable' ? Math.ceil(heap_pages / TABLE_ENTRIES) : 0;
    const pages = heap_pages + spaces * tables;
    const works = itemsOf(spec, pages);
    const vmm_pid = pid;
    pid += 1;
    for (let id = 0; id < spec.vcpus; id += 1) {
      const idle = spec.guest.idles.find(each => each.vcpu === id)?.body ?? [];
      const guest_cpu = (first?.first_vcpu ?? first_vcpu) + id;
      const thread = threads.length;
      vcpus.push({ vm, host: spec.host, vcpu_id: id, thread, guest_cpu, idle, first_work, works });
      first_work += works;
      threads.push({
        kind: THREAD_KIND.vcpu,
        host: spec.host,
        vcpu: first_vcpu + id,
        vm,
        migration: -1,
        pid,
        comm: `CPU ${id}/KVM`,
      });
      pid += 1;
    }
    // Of a guest that moves there is one, however many incarnations its VM has.
    const own = first ? [] : spec.guest.tasks;
    own.forEach((task, index) => {
      const space = spec.guest.address_spaces === 'per_task' ? index : 0;
      tasks.push({ vm, vcpu: first_vcpu + task.vcpu, spec: task, index, space, prio: task.prio });
    });
    const movable = spec.guest.tasks.flatMap((task, index) => (task.any && spec.vcpus > 1 ? [first_task + index] : []));
    const nested_tables = hasNestedTables(spec);
    const placed = {
      vmm_pid,
      first_vcpu,
      first_task,
      first_page,
      first_lock: first?.first_lock ?? first_lock,
      movable,
      first_l2,
      first_l3,
      first_block,
      pages,
      heap_pages,
      host: spec.host,
      spaces,
      first_gpt: first?.first_gpt ?? first_gpt,
      nested_tables,
      first_npt: first?.first_npt ?? first_gpt + spaces * heap_pages,
      first_spte,
      first_tlb,
      first_memslot,
      memslots: 1 + spec.memslots,
      memslots_change: changesMemslots(program, vm),
      tables,
    };
    placedVms.push(placed);
    if (!first) {
      first_lock += spec.guest.locks.length;
      first_gpt += (spaces + (nested_tables ? 1 : 0)) * heap_pages;
    }
    // Shadows are the host's: each incarnation has its own.
    first_memslot += 1 + spec.memslots;
    if (spec.tlb) first_tlb += spec.vcpus * heap_pages;
    if (spec.paging === 'shadow') first_spte += spaces * heap_pages;
    else if (nested_tables) first_spte += heap_pages;
    first_page += pages;
    if (program.migrations.some(({ out_of, into }) => vm === out_of || vm === into)) first_block += pages;
    first_l2 += Math.ceil(pages / 512);
    first_l3 += Math.ceil(pages / (512 * 512));
    return placed;
  });
  const interruptAt = vcpus.map(() => new Int16Array(256).fill(-1));
  program.vms.forEach((spec, vm) => {
    const next = new Map<number, number>();
    const add = (item: IrqSpec | TimerSpec, base: number, timer: boolean) => {
      const vcpu = vms[vm]!.first_vcpu + item.vcpu;
      const taken = next.get(vcpu * 512 + base) ?? 0;
      next.set(vcpu * 512 + base, taken + 1);
      const vector = timer ? base - taken : base + taken;
      interruptAt[vcpu]![vector] = interrupts.length;
      interrupts.push({
        vm,
        vcpu,
        vector,
        name: item.name,
        spec: item,
        timer: timer ? interrupts.filter(other => other.timer >= 0).length : -1,
      });
    };
    if (spec.incarnation_of !== null) return;
    for (const timer of spec.guest.timers) add(timer, TIMER_VECTOR_FIRST, true);
    for (const irq of spec.guest.irqs) add(irq, IRQ_VECTOR_FIRST, false);
  });
  let first_frame = 0;
  let first_slot = 0;
  const hosts = program.hosts.map((spec, host) => {
    const first_cpu = cpus.length;
    for (let number = 0; number < spec.cpus; number += 1) cpus.push({ host, number });
    const kswapd = threads.length;
    threads.push({ kind: THREAD_KIND.kswapd, host, vcpu: -1, vm: -1, migration: -1, pid: 60 + host, comm: 'kswapd0' });
    const workers: number[] = [];
    const pool = program.untimed ? worksOf(program, vms) : spec.workers;
    for (let n = 0; n < pool; n += 1) {
      workers.push(threads.length);
      threads.push({
        kind: THREAD_KIND.kworker,
        host,
        vcpu: -1,
        vm: -1,
        migration: -1,
        pid: 80 + n,
        comm: `kworker/${n % spec.cpus}:${Math.floor(n / spec.cpus)}`,
      });
    }
    const placed = {
      first_cpu,
      cpus: spec.cpus,
      first_frame,
      frames: spec.ram_pages,
      first_slot,
      slots: spec.swap?.size_pages ?? 0,
      kswapd,
      workers,
      vcpuThreads: vcpus.flatMap(vcpu => (vcpu.host === host ? [vcpu.thread] : [])),
    };
    first_frame += spec.ram_pages;
    first_slot += placed.slots;
    return placed;
  });
  // Behind the threads of the hosts, so that what happens without them keeps its numbers.
  const vmms = vms.map((placed, vm) => {
    const vmm = threads.length;
    threads.push({
      kind: THREAD_KIND.vmm,
      host: placed.host,
      vcpu: -1,
      vm,
      migration: -1,
      pid: placed.vmm_pid,
      comm: VMM_COMM,
    });
    return { ...placed, vmm };
  });
  const migrationThreads = program.migrations.map(({ out_of, into }, migration) => {
    const ids = { source: threads.length, incoming: threads.length + 1, fault: threads.length + 2 };
    const thread = (kind: ThreadPlace['kind'], vm: number, comm: string) =>
      threads.push({ kind, host: program.vms[vm]!.host, vcpu: -1, vm, migration, pid: pid++, comm });
    thread(THREAD_KIND.migration, out_of, 'live_migration');
    thread(THREAD_KIND.incoming, into, 'qemu-kvm');
    thread(THREAD_KIND.postcopy_fault, into, 'postcopy/fault');
    return ids;
  });
  const first_handler = threads.length;
  program.vms.forEach(({ host, userfault }, vm) => {
    for (let n = 0; n < (userfault?.threads ?? 0); n += 1) {
      threads.push({ kind: THREAD_KIND.uffd, host, vcpu: -1, vm, migration: -1, pid, comm: userfault?.name ?? '' });
      pid += 1;
    }
  });
  const numbers = (fits: (thread: ThreadPlace) => boolean) =>
    threads.flatMap((thread, number) => (fits(thread) ? [number] : []));
  const holds = program.actions.flatMap((action, index) =>
    action.ops.flatMap(op => (op.op === 'hold_event' || op.op === 'hold_actor' ? [{ action: index, op }] : [])),
  );
  const { commands, saved, migrations } = placeCommands(program, nodesOf(program, vms), migrationThreads);
  const marks = [
    ...new Set(program.actions.flatMap(action => action.ops.flatMap(op => (op.op === 'mark' ? [op.name] : [])))),
  ];
  const nmis: NmiSender[] = program.vms.flatMap((spec, vm) =>
    spec.guest.nmis.flatMap(({ name, vcpus: on, period_ns }) =>
      on.map(vcpu => ({ name, vm, vcpu: vms[vm]!.first_vcpu + vcpu, period_ns })),
    ),
  );
  for (const { ops } of program.actions)
    for (const op of ops)
      if (op.op === 'nmi' && !nmis.some(({ name, vm }) => name === op.name && vm < 0))
        nmis.push({ name: op.name, vm: -1, vcpu: -1, period_ns: null });
  const memslot_changes = program.actions.flatMap((action, index) =>
    action.ops.flatMap(op => (op.op === 'memslot' ? [{ action: index, op }] : [])),
  );
  const evictions = evictionsOf(program, vms);
  const memory_jobs = memoryJobsOf(program, vms);
  const timers = interrupts.filter(interrupt => interrupt.timer >= 0);
  const ios = program.untimed
    ? vms.reduce((total, { pages }) => total + pages, 2)
    : Math.min(
        60_000,
        program.hosts.reduce((total, { swap }) => total + (swap ? 2 * swap.depth + swap.readahead_pages : 0), 0) +
          4 * threads.length +
          32,
      );
  const source = {
    io: 0,
    timer: 0,
    task: 0,
    handler: 0,
    action: 0,
    nmi: 0,
    wire: 0,
    throttle: 0,
    throttle_sleep: 0,
    late: 0,
  };
  source.timer = source.io + ios;
  source.task = source.timer + timers.length;
  source.handler = source.task + tasks.length;
  source.action = source.handler + threads.length - first_handler;
  source.nmi = source.action + program.actions.length;
  source.wire = source.nmi + nmis.length;
  source.throttle = source.wire + 4 * program.links.length;
  source.throttle_sleep = source.throttle + program.migrations.length;
  source.late = source.throttle_sleep + (program.migrations.length > 0 ? vcpus.length : 0);
  const delays = program.actions.some(({ ops }) => ops.some(op => op.op === 'order' && op.how === 'delay'));
  const lates = delays ? LATE_PER_VM * program.vms.length : 0;
  return {
    threads,
    vcpus,
    tasks,
    cpus,
    interrupts,
    timers,
    interruptAt: vcpus.map(({ guest_cpu }) => interruptAt[guest_cpu]!),
    vms: vmms.map((placed, vm) => ({
      ...placed,
      uffd_readers: numbers(
        ({ kind, vm: of }) => of === vm && (kind === THREAD_KIND.uffd || kind === THREAD_KIND.postcopy_fault),
      ),
    })),
    hosts: hosts.map((placed, host) => ({
      ...placed,
      processes: numbers(thread => thread.host === host && thread.vm >= 0 && thread.vcpu < 0),
    })),
    first_handler,
    workersOf: vcpus.map(({ host, vm, first_work, works }) => {
      const { workers } = hosts[host]!;
      const own = threads.flatMap((thread, id) => (thread.vm === vm && thread.vcpu < 0 ? [id] : []));
      return [...(program.untimed ? workers.slice(first_work, first_work + works) : workers), ...own];
    }),
    tasksOf: vcpus.map(({ guest_cpu }) => {
      const { vm } = vcpus[guest_cpu]!;
      const anywhere = takesCpusAway(program, vm);
      return tasks.flatMap((task, index) =>
        task.vcpu === guest_cpu || (task.vm === vm && (task.spec.any || anywhere)) ? [index] : [],
      );
    }),
    nmis,
    holds,
    saved,
    commands,
    migrations,
    marks,
    evictions,
    memory_jobs,
    memslot_changes,
    ios,
    lates,
    sources: source.late + lates,
    source,
  };
}

/** A guest that takes a CPU out of use moves its tasks, whatever they are bound to. */
function takesCpusAway(program: Program, vm: number): boolean {
  return program.actions.some(({ ops }) => ops.some(op => op.op === 'guest_cpu' && op.vm === vm && !op.online));
}
