/** What a scenario can ask about a VM, its tasks and its pages. */
import { mapped_by_guest } from '../guest/pgtable.ts';
import { EXCEPTION } from '../kvm/event_state.ts';
import { APF_BROADCAST } from '../kvm/kvm_para.ts';
import { mapped_for_guest } from '../kvm/notifier.ts';
import type { Machine } from '../machine.ts';
import { mmap_readers } from '../mm/mmap_lock.ts';
import {
  has_flag,
  PG_ksm,
  PG_locked,
  PG_mlocked,
  PG_uptodate,
  PTE_DIRTY,
  PTE_MARKER_BEYOND_EOF,
  PTE_MARKER_DISCARDED,
  PTE_YOUNG,
  pte_marker,
  pte_none,
  pte_present,
  pte_special,
  pte_swap,
  pte_target,
  vm_of_page,
} from '../mm/page.ts';
import { page_missing } from '../mm/userfault.ts';
import { APF_VECTOR, HEAP_GFN, HEAP_GVA, VM_HVA, VM_HVA_STRIDE } from '../places.ts';
import { NOTIFY } from '../protocol/notify.ts';
import { FRAME, FRAME_AT, GUEST_TASK, NODE, type Node, type Vcpu } from '../schema.ts';
import { stands } from '../standing.ts';
import { vm_stopped } from '../vmm/monitor.ts';
import { address, count, type Description, entity, quantity, state, truth, words } from './attribute.ts';
import { life } from './life.ts';
import { taskIsStuck } from './stuck.ts';

const IRQCHIPS = ['kernel', 'split', 'user'] as const;
const PAGINGS = ['tdp', 'shadow', 'nested', 'none'] as const;
const PAGE_BYTES = 4096;

function sumVcpus(m: Machine, vm: number, of: (vcpu: Machine['vcpus'][number]) => number): number {
  const { first_vcpu } = m.places.vms[vm]!;
  let total = 0;
  for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) total += of(m.vcpus[first_vcpu + id]!);
  return total;
}

function sumTasks(m: Machine, vm: number, of: (task: Machine['tasks'][number]) => number): number {
  const { first_task } = m.places.vms[vm]!;
  let total = 0;
  for (let id = 0; id < m.program.vms[vm]!.guest.tasks.length; id += 1) total += of(m.tasks[first_task + id]!);
  return total;
}

export const vm: Description = {
  attributes: {
    irqchip: words(IRQCHIPS, 'Where the interrupt controller lives.', (m, row) =>
      IRQCHIPS.indexOf(m.program.vms[row]!.irqchip),
    ),
    ledger: entity('ledger', 'What its guest was promised and has not got yet: ledger(web).', (_m, row) => row),
    paging: words(PAGINGS, 'How the guest is mapped.', (m, row) => {
      const { paging, guest } = m.program.vms[row]!;
      return PAGINGS.indexOf(paging === 'shadow' && !guest.paging ? 'none' : paging);
    }),
    host: entity('host', 'The host it runs on.', (m, row) => m.program.vms[row]!.host),
    memslot_generation: count(
      'Grows with each half of a change of its memslots.',
      (m, row) => m.vms[row]!.memslot_generation,
      'vm.memslot_generation',
    ),
    faults: count('Guest faults that needed the host.', (m, row) => m.vms[row]!.nr_faults, 'vm.nr_faults'),
    minor_faults: count(
      'Host faults that needed no read.',
      (m, row) => m.vms[row]!.nr_minor_faults,
      'vm.nr_minor_faults',
    ),
    major_faults: count(
      'Host faults that needed a read.',
      (m, row) => m.hosts[m.program.vms[row]!.host]!.pgmajfault,
      'host.pgmajfault',
    ),
    mmap_lock: words(['free', 'read', 'written'], "How its process's mmap lock is held.", (m, row) =>
      m.vms[row]!.mmap_writer > 0 ? 2 : mmap_readers(m, row) > 0 ? 1 : 0,
    ),
    mmap_waiters: count(
      'Threads that sleep for its mmap lock.',
      (m, row) => m.vms[row]!.mmap_waiters.length,
      'vm.mmap_waiters',
    ),
    userfaults: count(
      'Times a host thread had to wait for its userfault handler.',
      (m, row) => m.vms[row]!.nr_userfaults,
      'vm.nr_userfaults',
    ),
    evictions: count('Pages taken from it.', (m, row) => m.vms[row]!.nr_evictions, 'vm.nr_evictions'),
    resident_pages: quantity(
      'pages',
      'Pages of it that are in host memory.',
      (m, row) => m.vms[row]!.nr_charged_pages,
      'vm.nr_charged_pages',
    ),
    exits: count('VM exits of all its vCPUs.', (m, row) => sumVcpus(m, row, each => each.nr_exits)),
    entries: count('VM entries of all its vCPUs.', (m, row) => sumVcpus(m, row, each => each.nr_entries)),
    entry_checks: count('Checks on the entry path for the sake of asynchronous faults: entry.checks_added.', (m, row) =>
      sumVcpus(m, row, each => each.nr_entry_checks),
    ),
    gfn_probes: count('Slots of apf.gfns looked at.', (m, row) => sumVcpus(m, row, each => each.nr_gfn_probes)),
    synthetic_halts: count('Times a vCPU was halted for a missing page: halts(synthetic).', (m, row) =>
      sumVcpus(m, row, each => each.nr_synthetic_halts),
    ),
    kicks: count('Kicks sent to its vCPUs.', (m, row) => sumVcpus(m, row, each => each.nr_kicks)),
    work: quantity('time', 'Guest time spent in `work`.', (m, row) => sumVcpus(m, row, each => each.work_ns)),
    accesses: count('Reads and writes that its tasks have finished.', (m, row) =>
      sumTasks(m, row, each => each.nr_accesses),
    ),
    ...life.attributes,
  },
  collections: {
    vcpus: {
      of: 'vcpu',
      summary: 'All its vCPUs.',
      field: null,
      positions: (m, row) => m.program.vms[row]!.vcpus,
      at: (m, row, position) => m.places.vms[row]!.first_vcpu + position,
    },
    tasks: {
      of: 'task',
      summary: 'All its tasks.',
      field: null,
      positions: (m, row) => m.program.vms[row]!.guest.tasks.length,
      at: (m, row, position) => m.places.vms[row]!.first_task + position,
    },
    pages: {
      of: 'page',
      summary: 'All pages of its heap.',
      field: null,
      positions: (m, row) => m.places.vms[row]!.heap_pages,
      at: (m, row, position) => m.places.vms[row]!.first_page + position,
    },
  },
  states: {
    paused: state('Its VMM keeps all its vCPUs out of KVM_RUN.', (m, row) => vm_stopped(m.vms[row]!)),
    ...life.states,
  },
  series: {
    stall: {
      dimension: 'time',
      summary: 'From each fault that had to wait to the moment its task goes on.',
      source: 'stall',
    },
    halt_time: {
      dimension: 'time',
      summary: 'How long each synthetic halt of a vCPU lasted.',
      source: 'synthetic_halt',
    },
  },
};

/** A handler that is about to wake tasks: of the ready interrupt, or, before 5.8, of a ready #PF. */
export function wakesTasks(vcpu: Vcpu, level: number): boolean {
  const kind = vcpu.frame(level);
  return kind === FRAME.apf_ready || (kind === FRAME.exc_page_fault && vcpu.frame_at(level) === FRAME_AT.wake);
}

export function isWaiting(node: Node): boolean {
  return node.state === NODE.parked || node.state === NODE.halted;
}

/** Whether a handler on the vCPU is going to read, or has read, the token of a ready event. */
function isHandling(vcpu: Vcpu, token: number): boolean {
  for (let level = 0; level < vcpu.depth; level += 1) {
    // Switching off, the guest wakes everybody.
    if (vcpu.frame(level) === FRAME.setup && vcpu.frame_token(level) !== 0) return true;
    const unread = vcpu.frame(level) === FRAME.exc_page_fault && vcpu.frame_at(level) === FRAME_AT.entry;
    if ((unread || wakesTasks(vcpu, level)) && isFor(vcpu.frame_token(level), token)) return true;
  }
  return false;
}

const isFor = (ready: number, token: number): boolean => ready === token || ready === APF_BROADCAST;

/** The token stands in a list that some CPU of the guest will read: a ring of its own, or interrupts of the VM's. */
function isListed(m: Machine, vm: number, token: number): boolean {
  const { first_vcpu } = m.places.vms[vm]!;
  for (let id = first_vcpu; id < first_vcpu + m.program.vms[vm]!.vcpus; id += 1) {
    const vcpu = m.vcpus[id]!;
    for (let index = 0; index < vcpu.area_ring_length; index += 1)
      if (isFor(vcpu.area_ring(index), token) && slotWillBeRead(vcpu)) return true;
    if (NOTIFY[m.vcpus[id]!.knobs.notify].ready === 'external' && isHandling(vcpu, token)) return true;
  }
  return false;
}

/** The ready interrupt is on its way into the guest, or its handler runs: the token slot will be read. */
function slotWillBeRead(vcpu: Vcpu): boolean {
  // Where the guest gives no vector, it is the one that everybody uses.
  const vector = vcpu.apf_int_vector === 0 ? APF_VECTOR : vcpu.apf_int_vector;
  if ((vcpu.lapic_irr(vector >> 5) & (1 << (vector & 31))) !== 0) return true;
  if (vcpu.irq_injected === 1 && vcpu.irq_vector === vector) return true;
  for (let level = 0; level < vcpu.depth; level += 1) if (vcpu.frame(level) === FRAME.apf_ready) return true;
  return false;
}

/**
 * No promise is lost: what waits for a token will be answered. By an item on queue; or the slot holds the token, or the
 * broadcast, and the guest will read it; or a #PF or a handler carries it; or a broadcast is on done.
 */
export function isOwed(m: Machine, vcpuRow: number, token: number): boolean {
  const vcpu = m.vcpus[vcpuRow]!;
  for (let index = 0; index < vcpu.apf_queue.length; index += 1)
    if (m.works[vcpu.apf_queue.at(index)]!.token === token) return true;
  for (let index = 0; index < vcpu.apf_done.length; index += 1) {
    const work = m.works[vcpu.apf_done.at(index)]!;
    if (work.wakeup_all === 1 || work.token === token) return true;
  }
  if (vcpu.completing > 0) {
    const work = m.works[vcpu.completing - 1]!;
    if (work.wakeup_all === 1 || work.token === token) return true;
  }
  if (isFor(vcpu.area_token, token) && slotWillBeRead(vcpu)) return true;
  if (isListed(m, m.vcpus[vcpuRow]!.vm, token)) return true;
  return (vcpu.exception !== EXCEPTION.none && isFor(vcpu.exception_token, token)) || isHandling(vcpu, token);
}

const onCpu = (m: Machine, row: number): boolean => m.vcpus[m.tasks[row]!.vcpu]!.current === row + 1;

/** The guest CPU on which it parked, whose host side owes it the ready. */
function parkedOn(m: Machine, row: number): number {
  const on = m.nodes[row]!.vcpu;
  return on === 0 ? m.tasks[row]!.vcpu : on - 1;
}

export const task: Description = {
  attributes: {
    vcpu: entity('vcpu', 'The vCPU it runs on, or waits for.', (m, row) => m.tasks[row]!.vcpu, 'task.vcpu'),
    vm: entity('vm', 'The VM it belongs to.', (m, row) => m.places.tasks[row]!.vm),
    address_space: count(
      'The number of its address space: the CR3 that it runs with.',
      (m, row) => m.places.tasks[row]!.space,
    ),
    state: words(
      Object.keys(GUEST_TASK),
      "What the guest's scheduler thinks of it.",
      (m, row) => m.tasks[row]!.state,
      'task.state',
    ),
    token: count('The token it is parked on.', (m, row) => m.tasks[row]!.token, 'task.token'),
    user_mode: truth('It runs at CPL 3.', (m, row) => m.tasks[row]!.cpl3 === 1, 'task.cpl3'),
    preempt_count: count('Nesting of `preempt off`.', (m, row) => m.tasks[row]!.preempt_count, 'task.preempt_count'),
    rcu_depth: count('Nesting of `rcu_read_lock`.', (m, row) => m.tasks[row]!.rcu_depth, 'task.rcu_depth'),
    operations: count('Reads and writes finished.', (m, row) => m.tasks[row]!.nr_accesses, 'task.nr_accesses'),
    faults: count('Faults it took.', (m, row) => m.tasks[row]!.nr_faults, 'task.nr_faults'),
    work: quantity('time', 'Guest time it has spent in `work`.', (m, row) => m.tasks[row]!.work_ns, 'task.work_ns'),
  },
  collections: {},
  states: {
    runnable: state('Ready to run, or running.', (m, row) => m.tasks[row]!.state === GUEST_TASK.RUNNABLE),
    running: state('On its vCPU.', (m, row) => onCpu(m, row) && m.tasks[row]!.state === GUEST_TASK.RUNNABLE),
    parked: state('Waiting for a token.', (m, row) => m.tasks[row]!.state === GUEST_TASK.PARKED),
    sleeping: state('Sleeping by its own program.', (m, row) => m.tasks[row]!.state === GUEST_TASK.SLEEPING),
    stuck: state('What it waits for can never come: its userfault handler is dead.', taskIsStuck),
    spinning: state('It waits for a lock, with preemption off.', (m, row) => m.tasks[row]!.spinning === 1),
    not_started: state('No fork has started it yet.', (m, row) => m.tasks[row]!.state === GUEST_TASK.NEW),
    finished: state('Its program has ended.', (m, row) => m.tasks[row]!.state === GUEST_TASK.DONE),
    owed: state('What it waits for is still to come: something holds its token.', (m, row) =>
      isOwed(m, parkedOn(m, row), m.nodes[row]!.token),
    ),
  },
  series: {
    stall: {
      dimension: 'time',
      summary: 'From each fault that had to wait to the moment it goes on.',
      source: 'stall',
    },
  },
};

/** Page number from the start of its VM's heap. */
export function heapPage(m: Machine, row: number): number {
  return row - m.places.vms[vm_of_page(m, row)]!.first_page;
}

const gfnOf = (m: Machine, row: number): number => HEAP_GFN + heapPage(m, row);

const present = (m: Machine, row: number): boolean => pte_present(m.hva.pte(row));

/** The frame that holds the page's contents: mapped in the host, or in the swap cache; -1 for neither. */
function frameOf(m: Machine, row: number): number {
  const pte = m.hva.pte(row);
  if (pte_present(pte)) return pte_target(pte);
  return pte_swap(pte) ? m.slot.cache(pte_target(pte)) - 1 : -1;
}

function flagged(m: Machine, row: number, flag: number): boolean {
  const pfn = frameOf(m, row);
  return pfn >= 0 && has_flag(m, pfn, flag);
}

/** A read is under way: its frame is in the swap cache, locked, and not yet up to date. */
const inFlight = (m: Machine, row: number): boolean => flagged(m, row, PG_locked) && !flagged(m, row, PG_uptodate);

export const page: Description = {
  attributes: {
    number: count('Its number from the start of the heap.', heapPage),
    vm: entity('vm', 'The VM whose memory it is.', vm_of_page),
    gva: address('gva', 'Guest virtual address.', (m, row) => HEAP_GVA + heapPage(m, row) * PAGE_BYTES),
    gpa: address('gpa', 'Guest physical address.', (m, row) => gfnOf(m, row) * PAGE_BYTES),
    gfn: address('gfn', 'Guest page number.', gfnOf),
    hva: address(
      'hva',
      'Host virtual address.',
      (m, row) => VM_HVA + vm_of_page(m, row) * VM_HVA_STRIDE + gfnOf(m, row) * PAGE_BYTES,
    ),
    pfn: address('pfn', 'Host page number; none where it is not resident.', (m, row) =>
      present(m, row) ? frameOf(m, row) : -1,
    ),
  },
  collections: {},
  states: {
    resident: state('In host memory.', present),
    swapped: state('In swap only.', (m, row) => pte_swap(m.hva.pte(row)) && frameOf(m, row) < 0),
    in_flight: state('Being read from swap.', inFlight),
    ready: state(
      'In host memory, but not mapped for the guest.',
      (m, row) => flagged(m, row, PG_uptodate) && !mapped_for_guest(m, vm_of_page(m, row), row),
    ),
    mapped: state('Reachable by the guest without a fault.', (m, row) => mapped_for_guest(m, vm_of_page(m, row), row)),
    zero: state('Read and never written: the page of zeroes.', (m, row) => pte_special(m.hva.pte(row))),
    shared: state('In one frame with other pages: KSM.', (m, row) => flagged(m, row, PG_ksm)),
    untouched: state('Nobody has touched it yet.', (m, row) => pte_none(m.hva.pte(row))),
    truncated: state('Behind the end of its file.', (m, row) => pte_marker(m.hva.pte(row)) === PTE_MARKER_BEYOND_EOF),
    missing: state('Nobody has brought it yet: userfault memory.', page_missing),
    guest_mapped: state('Present in the page tables of a process of the guest.', (m, row) =>
      mapped_by_guest(m, vm_of_page(m, row), heapPage(m, row)),
    ),
    dirty: state(
      'Changed since it was last written to swap.',
      (m, row) => present(m, row) && (m.hva.pte(row) & PTE_DIRTY) !== 0,
    ),
    young: state(
      'Accessed since reclaim last looked.',
      (m, row) => present(m, row) && (m.hva.pte(row) & PTE_YOUNG) !== 0,
    ),
    pinned: state(
      'Held by somebody, so that reclaim leaves it.',
      (m, row) => flagged(m, row, PG_mlocked) || (frameOf(m, row) >= 0 && m.frame.pins(frameOf(m, row)) > 0),
    ),
    ballooned: state(
      'Given back to the host, and not touched since.',
      (m, row) => pte_marker(m.hva.pte(row)) === PTE_MARKER_DISCARDED,
    ),
  },
  series: {},
};

export const thread: Description = {
  attributes: {},
  collections: {},
  states: {
    idle: state('It has nothing to do.', (m, row) => stands(m, row, 'nothing_to_do')),
  },
  series: {},
};
