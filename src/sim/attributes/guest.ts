/** What a scenario can ask about a VM, its tasks and its pages. */
import { Bug } from '../../base/assert.ts';
import { AT } from '../at.ts';
import type { Machine } from '../machine.ts';
import { HEAP_GFN, HEAP_GVA, VM_HVA, VM_HVA_STRIDE } from '../places.ts';
import { FRAME, GUEST_TASK, MP_STATE, NODE } from '../schema.ts';
import { address, count, type Description, entity, quantity, state, truth, words } from './attribute.ts';

const IRQCHIPS = ['kernel', 'split', 'user'] as const;
const PAGINGS = ['tdp', 'shadow', 'nested', 'none'] as const;
const PAGE_BYTES = 4096;
/** Token of a ready event for everybody. */
const BROADCAST = 0xffff_ffff;

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
    paging: words(PAGINGS, 'How the guest is mapped.', (m, row) => PAGINGS.indexOf(m.program.vms[row]!.paging)),
    host: entity('host', 'The host it runs on.', (m, row) => m.program.vms[row]!.host),
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
  },
  collections: {
    vcpus: {
      of: 'vcpu',
      summary: 'All its vCPUs.',
      positions: (m, row) => m.program.vms[row]!.vcpus,
      at: (m, row, position) => m.places.vms[row]!.first_vcpu + position,
    },
    tasks: {
      of: 'task',
      summary: 'All its tasks.',
      positions: (m, row) => m.program.vms[row]!.guest.tasks.length,
      at: (m, row, position) => m.places.vms[row]!.first_task + position,
    },
    pages: {
      of: 'page',
      summary: 'All pages of its heap.',
      positions: (m, row) => m.places.vms[row]!.pages,
      at: (m, row, position) => m.places.vms[row]!.first_page + position,
    },
  },
  states: {},
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

function nodesOf(m: Machine, task: number): number {
  let found = 0;
  for (let id = 0; id < m.nodes.length; id += 1) {
    const node = m.nodes[id]!;
    if (node.task === task + 1 && (node.state === NODE.parked || node.state === NODE.halted)) found += 1;
  }
  return found;
}

/**
 * P2 of decisions.md: what a parked task waits for is still on its way. By an item on queue; or the slot holds the
 * token, or the broadcast, and its handler has not acknowledged; or a ready #PF carries it; or a broadcast is on done.
 */
function owed(m: Machine, row: number): boolean {
  const { token } = m.tasks[row]!;
  const vcpu = m.vcpus[m.places.tasks[row]!.vcpu]!;
  for (let index = 0; index < vcpu.apf_queue.length; index += 1) {
    const work = m.works[vcpu.apf_queue.at(index)]!;
    if (work.token === token && work.notpresent_injected === 1) return true;
  }
  for (let index = 0; index < vcpu.apf_done.length; index += 1)
    if (m.works[vcpu.apf_done.at(index)]!.wakeup_all === 1) return true;
  if (vcpu.completing > 0) {
    const work = m.works[vcpu.completing - 1]!;
    if (work.wakeup_all === 1 || work.token === token) return true;
  }
  if (vcpu.apf_pageready_pending === 1 && (vcpu.area_token === token || vcpu.area_token === BROADCAST)) return true;
  if (vcpu.exception_token === token || vcpu.exception_token === BROADCAST) return true;
  for (let level = 0; level < vcpu.depth; level += 1) {
    const kind = vcpu.frame(level);
    if (kind !== FRAME.apf_ready && kind !== FRAME.pf_ready) continue;
    const handled = vcpu.frame_token(level);
    if (handled === token || handled === BROADCAST) return true;
  }
  return false;
}

const onCpu = (m: Machine, row: number): boolean => m.vcpus[m.places.tasks[row]!.vcpu]!.current === row + 1;

export const task: Description = {
  attributes: {
    vcpu: entity('vcpu', 'The vCPU it belongs to.', (m, row) => m.places.tasks[row]!.vcpu),
    vm: entity('vm', 'The VM it belongs to.', (m, row) => m.places.tasks[row]!.vm),
    state: words(
      Object.keys(GUEST_TASK),
      "What the guest's scheduler thinks of it.",
      (m, row) => m.tasks[row]!.state,
      'task.state',
    ),
    token: count('The token it is parked on.', (m, row) => m.tasks[row]!.token, 'task.token'),
    waits: count("Entries of the guest's token table in which it stands; one while it is parked.", nodesOf),
    user_mode: truth('It runs at CPL 3.', (m, row) => m.tasks[row]!.cpl3 === 1, 'task.cpl3'),
    preempt_count: count('Nesting of `preempt off`.', (m, row) => m.tasks[row]!.preempt_count, 'task.preempt_count'),
    operations: count('Reads and writes finished.', (m, row) => m.tasks[row]!.nr_accesses, 'task.nr_accesses'),
    faults: count('Faults it took.', (m, row) => m.tasks[row]!.nr_faults, 'task.nr_faults'),
    work: quantity('time', 'Guest time it has run.', (m, row) => m.tasks[row]!.run_ns, 'task.run_ns'),
  },
  collections: {},
  states: {
    runnable: state('Ready to run, or running.', (m, row) => m.tasks[row]!.state === GUEST_TASK.RUNNABLE),
    running: state('On its vCPU.', (m, row) => onCpu(m, row) && m.tasks[row]!.state === GUEST_TASK.RUNNABLE),
    parked: state('Waiting for a token.', (m, row) => m.tasks[row]!.state === GUEST_TASK.PARKED),
    sleeping: state('Sleeping by its own program.', (m, row) => m.tasks[row]!.state === GUEST_TASK.SLEEPING),
    finished: state('Its program has ended.', (m, row) => m.tasks[row]!.state === GUEST_TASK.DONE),
    owed: state('The completion of its token is still to come: something holds it.', owed),
  },
  series: {
    stall: {
      dimension: 'time',
      summary: 'From each fault that had to wait to the moment it goes on.',
      source: 'stall',
    },
  },
};

function vmOfPage(m: Machine, row: number): number {
  let vm = m.places.vms.length - 1;
  while (vm > 0 && m.places.vms[vm]!.first_page > row) vm -= 1;
  return vm;
}

/** Page number from the start of its VM's heap. */
export function heapPage(m: Machine, row: number): number {
  return row - m.places.vms[vmOfPage(m, row)]!.first_page;
}

const gfnOf = (m: Machine, row: number): number => HEAP_GFN + heapPage(m, row);

function notYet(): never {
  throw new Bug('page states: mm/page.ts');
}

export const page: Description = {
  attributes: {
    number: count('Its number from the start of the heap.', heapPage),
    vm: entity('vm', 'The VM whose memory it is.', vmOfPage),
    gva: address('gva', 'Guest virtual address.', (m, row) => HEAP_GVA + heapPage(m, row) * PAGE_BYTES),
    gpa: address('gpa', 'Guest physical address.', (m, row) => gfnOf(m, row) * PAGE_BYTES),
    gfn: address('gfn', 'Guest page number.', gfnOf),
    hva: address(
      'hva',
      'Host virtual address.',
      (m, row) => VM_HVA + vmOfPage(m, row) * VM_HVA_STRIDE + gfnOf(m, row) * PAGE_BYTES,
    ),
    pfn: address('pfn', 'Host page number; all ones where it is not resident.', notYet),
  },
  collections: {},
  states: {
    resident: state('In host memory.', notYet),
    swapped: state('In swap only.', notYet),
    in_flight: state('Being read from swap.', notYet),
    ready: state('In host memory, but not mapped for the guest.', notYet),
    mapped: state('Reachable by the guest without a fault.', notYet),
    dirty: state('Changed since it was last written to swap.', notYet),
    young: state('Accessed since reclaim last looked.', notYet),
    pinned: state('Held by somebody, so that reclaim leaves it.', notYet),
  },
  series: {},
};

export const saved: Description = {
  attributes: {
    mp_state: words(
      Object.keys(MP_STATE),
      'The state that KVM_GET_MP_STATE returned.',
      (m, row) => m.saveds[row]!.mp_state,
      'saved.mp_state',
    ),
    taken: truth('It has been read.', (m, row) => m.saveds[row]!.taken === 1, 'saved.taken'),
    apf_halted: truth(
      'The vCPU was halted for a page then, in whichever field.',
      (m, row) => m.saveds[row]!.apf_halted === 1,
      'saved.apf_halted',
    ),
  },
  collections: {},
  states: {
    executing: {
      args: ['HLT'],
      summary: 'What the guest was executing then.',
      holds: (m, row) => m.saveds[row]!.in_hlt === 1,
    },
  },
  series: {},
};

export const thread: Description = {
  attributes: {},
  collections: {},
  states: {
    idle: state(
      'It has nothing to do.',
      (m, row) => m.threads[row]!.at === AT.off || m.threads[row]!.at === AT.worker_thread,
    ),
  },
  series: {},
};
