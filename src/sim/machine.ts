/**
 * A machine: one buffer of state, the rows that look at it, and what never changes during a run.
 *
 * Everything that moves is in `layout.buffer`; the rest of this object is derived from the program and is the same
 * after a restore. The two callbacks, emit and observe, report and must not change anything.
 */
import { LARGE_BYTES } from '../base/accessors.ts';
import { EventQueue, nodesFor } from '../base/event_queue.ts';
import type { Probe } from '../base/fifo.ts';
import { type Capacities, type Layout, layOut, type Table } from '../base/table.ts';
import type { Emit } from '../trace/all.ts';
import { type Costs, costsOf } from './cost.ts';
import type { Cover } from './cover.ts';
import { type Draws, drawsOf } from './draws.ts';
import { PACKETS_PER_WIRE } from './migrate/packets.ts';
import { DIRTY_RING_ENTRIES, type Migration, type Packet, PML_ENTRIES, type Wire } from './migrate/tables.ts';
import { ofVcpu } from './of_vcpu.ts';
import { type Places, place } from './places.ts';
import type { Program, VmSpec } from './program.ts';

import type { Knobs } from './protocol/knobs.ts';
import { NOTIFY } from './protocol/notify.ts';
import {
  type Action,
  ASYNC_PF_PER_VCPU,
  type Clock,
  type Cpu,
  compiledSchema,
  type Hold,
  type Host,
  type Io,
  type Late,
  type Lock,
  type Memslot,
  type Node,
  type S,
  type Saved,
  type SavedVcpu,
  type Task,
  type Thread,
  type Vcpu,
  type Vm,
  type Work,
} from './schema.ts';
import { cancelsWork, nodesOf, outstandingOf, worksOf } from './sizes.ts';

/** Told of every observation: its number in observe.ts, the VM, and up to two ids. */
export type Observe = (observation: number, vm: number, a: number, b: number) => void;

export interface Machine {
  readonly program: Program;
  /** False where orders are explored: whoever explores steps the threads, and no CPU, clock or queue of times counts. */
  readonly timed: boolean;
  /** Whether anything in the program may cancel a work item before it runs. */
  readonly cancels_work: boolean;
  /** Its state is more than the caches of our own host hold for long. */
  readonly large: boolean;
  /** Whether to look ahead, see ahead.ts. Where accesses are recorded it would pass for what a step depends on. */
  readonly looks_ahead: boolean;
  readonly layout: Layout<S>;
  readonly places: Places;

  readonly clock: Clock;
  readonly hosts: readonly Host[];
  readonly cpus: readonly Cpu[];
  readonly threads: readonly Thread[];
  readonly vms: readonly Vm[];
  readonly memslots: readonly Memslot[];
  readonly vcpus: readonly Vcpu[];
  readonly works: readonly Work[];
  readonly tasks: readonly Task[];
  readonly nodes: readonly Node[];
  readonly locks: readonly Lock[];
  readonly ios: readonly Io[];
  readonly actions: readonly Action[];
  readonly lates: readonly Late[];
  readonly holds: readonly Hold[];
  readonly saveds: readonly Saved[];
  readonly saved_vcpus: readonly SavedVcpu[];
  readonly wires: readonly Wire[];
  readonly packets: readonly Packet[];
  readonly migrations: readonly Migration[];
  /** The threads by column, for who looks through all of them. */
  readonly thread: Table<S['thread']>;
  readonly ram_block: Table<S['ram_block']>;
  readonly frame: Table<S['frame']>;
  /** Without rows but where a host reclaims by working set. */
  readonly frame_use: Table<S['frame_use']>;
  readonly gpt: Table<S['gpt']>;
  readonly spte: Table<S['spte']>;
  readonly tlb: Table<S['tlb']>;
  readonly hva: Table<S['hva']>;
  readonly share: Table<S['share']>;
  readonly slot: Table<S['slot']>;
  readonly tdp: Table<S['tdp']>;
  readonly tdp_l2: Table<S['tdp_l2']>;
  readonly tdp_l3: Table<S['tdp_l3']>;
  /** When each host CPU takes its next step. */
  readonly cpu_queue: EventQueue;
  /** Pending events of devices, timers, sleeping tasks and actions; numbers in places.source. */
  readonly queue: EventQueue;

  readonly costs: readonly Costs[];
  /** By vCPU: its row in the first incarnation of its VM; a scenario names it by that. */
  readonly guest_of_vcpu: Uint16Array;
  /** By host CPU: what each step costs there. */
  readonly step_ns_of_cpu: readonly Costs['step_ns'][];
  /** Whatever is drawn from: quantiles and ranks, by where the program uses them. */
  readonly draws: Draws;
  /** Null when nobody listens: the model tests before it computes arguments. */
  emit: Emit | null;
  observe: Observe | null;
  /** Null but where somebody wants to know by what rows are looked for; see search.ts. */
  search: ((key: number, value: number) => void) | null;
  /** Null but where somebody wants to know what judgements ask of where threads stand; see standing.ts. */
  stood: ((question: number, thread: number) => void) | null;
  /** Null but where somebody wants to know what a run has reached. */
  cover: Cover | null;
}

/** Knobs of a VM. */
export function knobsOfVm(m: Machine, vm: number): Knobs {
  return m.program.vms[vm]!.knobs;
}

export function vmSpec(m: Machine, vm: number): VmSpec {
  return m.program.vms[vm]!;
}

/** Entries of a guest's tables, and of those for its own guests; there are no more in another incarnation. */
function guestEntries(vm: VmSpec, places: Places, id: number): number {
  const { spaces, nested_tables } = places.vms[id]!;
  return vm.incarnation_of === null ? (spaces + (nested_tables ? 1 : 0)) * vm.guest.heap_pages : 0;
}

/** Shadow entries of a VM: as many as its guest's tables have, if they are shadowed at all. */
function shadowEntries(vm: VmSpec, places: Places, id: number): number {
  const { spaces, nested_tables } = places.vms[id]!;
  if (vm.paging === 'shadow') return spaces * vm.guest.heap_pages;
  return nested_tables ? vm.guest.heap_pages : 0;
}

/** Ready tokens that may wait for the guest at once: one for each that can be outstanding, where they are listed. */
export function ring_entries({ knobs }: VmSpec): number {
  return knobs.slot === 'ring' || NOTIFY[knobs.notify].ready === 'external' ? ASYNC_PF_PER_VCPU + 1 : 1;
}

/** Rows and lengths that a program needs. Small programs get small states. */
function capacities(program: Program, places: Places): Capacities {
  const works = worksOf(program, places.vms);
  const pages = places.vms.reduce((total, vm) => total + vm.pages, 0);
  const threads = places.threads.length;
  const l2 = places.vms.reduce((total, vm) => total + Math.ceil(vm.pages / 512), 0);
  const l3 = places.vms.reduce((total, vm) => total + Math.ceil(vm.pages / (512 * 512)), 0);
  return {
    rows: {
      clock: 1,
      cpu_event: nodesFor(places.cpus.length),
      event: nodesFor(places.sources),
      event_order: 1,
      host: program.hosts.length,
      cpu: places.cpus.length,
      thread: threads,
      vm: program.vms.length,
      memslot: places.vms.reduce((total, vm) => total + vm.memslots, 0),
      vcpu: places.vcpus.length,
      work: works,
      task: places.tasks.length,
      node: nodesOf(program, places.vms),
      lock: program.vms.reduce((total, vm) => total + vm.guest.locks.length, 0),
      gpt: program.vms.reduce((total, vm, id) => total + guestEntries(vm, places, id), 0),
      spte: program.vms.reduce((total, vm, id) => total + shadowEntries(vm, places, id), 0),
      tlb: program.vms.reduce((total, vm) => total + (vm.tlb ? vm.vcpus * vm.guest.heap_pages : 0), 0),
      hva: pages,
      tdp: pages,
      tdp_l2: l2,
      tdp_l3: l3,
      share: program.hosts.reduce((total, host) => total + host.ram_pages, 1),
      frame: program.hosts.reduce((total, host) => total + host.ram_pages, 1),
      frame_use: program.hosts.some(({ reclaim }) => reclaim === 'working_set')
        ? program.hosts.reduce((total, host) => total + host.ram_pages, 1)
        : 0,
      slot: program.hosts.reduce((total, host) => total + (host.swap?.size_pages ?? 0), 0),
      io: places.ios,
      action: program.actions.length,
      late: places.lates,
      hold: places.holds.length,
      saved: places.saved.length,
      wire: 2 * program.links.length,
      packet: 2 * program.links.length * PACKETS_PER_WIRE,
      ram_block: places.vms.reduce(
        (total, { pages }, vm) =>
          total + (program.migrations.some(({ out_of, into }) => vm === out_of || vm === into) ? pages : 0),
        0,
      ),
      migration: program.migrations.length,
      saved_vcpu: places.saved.reduce((total, { vcpus }) => total + vcpus, 0),
      saved_task: places.saved.reduce((total, { tasks }) => total + tasks, 0),
      saved_node: places.saved.reduce((total, { nodes }) => total + nodes, 0),
      saved_lock: places.saved.reduce((total, { locks }) => total + locks, 0),
    },
    lengths: {
      works,
      ios: places.ios,
      evictions: places.evictions.length,
      memory_jobs: places.memory_jobs.length,
      memslot_changes: places.memslot_changes.length,
      commands: places.commands.length,
      carried: program.vms.some(({ knobs }) => knobs.destination === 'carry_tokens') ? ASYNC_PF_PER_VCPU : 0,
      packets: 2 * program.links.length * PACKETS_PER_WIRE,
      pml: program.migrations.some(({ dirty_log }) => dirty_log === 'pml') ? PML_ENTRIES : 0,
      dirty_ring: program.migrations.some(({ dirty_log }) => dirty_log === 'ring') ? DIRTY_RING_ENTRIES : 0,
      threads,
      apf_queue: Math.max(...program.vms.map((vm, id) => outstandingOf(vm, places.vms[id]!.pages)), 1) + 1,
      tdp_l4: 1,
      apf_ring: Math.max(...program.vms.map(ring_entries), 1),
      nmis: Math.max(1, places.nmis.length),
    },
  };
}

/** Makes an empty machine; boot.ts fills it. `probe` asks for the recording flavour of state. */
export function createMachine(program: Program, probe: Probe | null = null): Machine {
  const places = place(program);
  const layout = layOut(compiledSchema, capacities(program, places), probe);
  const costs = costsOf(program);
  const vcpus = layout.rows('vcpu').map((row, id) => Object.assign(row, ofVcpu(program, places, costs, id)));
  // Threads of vCPUs come first among the threads, in the same order.
  const threads = layout.rows('thread').map((row, id) => Object.assign(row, { runs: vcpus[id] ?? null }));
  const large = layout.buffer.byteLength >= LARGE_BYTES;
  return {
    program,
    timed: program.untimed !== true,
    cancels_work: cancelsWork(program),
    large,
    looks_ahead: large && probe === null,
    layout,
    places,
    clock: layout.row('clock', 0),
    hosts: layout.rows('host'),
    cpus: layout.rows('cpu'),
    threads,
    vms: layout.rows('vm'),
    memslots: layout.rows('memslot'),
    vcpus,
    works: layout.rows('work'),
    tasks: layout.rows('task'),
    nodes: layout.rows('node'),
    locks: layout.rows('lock'),
    ios: layout.rows('io'),
    actions: layout.rows('action'),
    lates: layout.rows('late'),
    holds: layout.rows('hold'),
    saveds: layout.rows('saved'),
    saved_vcpus: layout.rows('saved_vcpu'),
    wires: layout.rows('wire'),
    packets: layout.rows('packet'),
    migrations: layout.rows('migration'),
    thread: layout.tables.thread,
    ram_block: layout.tables.ram_block,
    frame: layout.tables.frame,
    frame_use: layout.tables.frame_use,
    gpt: layout.tables.gpt,
    spte: layout.tables.spte,
    tlb: layout.tables.tlb,
    hva: layout.tables.hva,
    share: layout.tables.share,
    slot: layout.tables.slot,
    tdp: layout.tables.tdp,
    tdp_l2: layout.tables.tdp_l2,
    tdp_l3: layout.tables.tdp_l3,
    cpu_queue: queueOver(layout, 'cpu_event', places.cpus.length),
    queue: queueOver(layout, 'event', places.sources),
    costs,
    guest_of_vcpu: Uint16Array.from(places.vcpus, vcpu => vcpu.guest_cpu),
    step_ns_of_cpu: places.cpus.map(cpu => costs[cpu.host]!.step_ns),
    draws: drawsOf(program),
    emit: null,
    observe: null,
    search: null,
    stood: null,
    cover: null,
  };
}

function queueOver(layout: Layout<S>, nodes: 'cpu_event' | 'event', sources: number): EventQueue {
  return new EventQueue(
    sources,
    layout.floats(nodes, 'time_ns'),
    layout.floats(nodes, 'order'),
    layout.words(nodes, 'source'),
    layout.floats('event_order', 'order'),
  );
}

/** The vCPU of a vCPU thread. */
export function vcpu_of(_m: Machine, thread: Thread): Vcpu {
  return thread.runs!;
}

export function vm_of_vcpu(_m: Machine, vcpu: Vcpu): number {
  return vcpu.vm;
}

export function knobs_of(_m: Machine, vcpu: Vcpu): Knobs {
  return vcpu.knobs;
}

/** Whether the kernel has a LAPIC for it, rather than the VMM. Models lapic_in_kernel(), arch/x86/kvm/lapic.h. */
export function lapic_in_kernel(m: Machine, vcpu: Vcpu): boolean {
  return m.program.vms[vcpu.vm]!.irqchip !== 'user';
}
