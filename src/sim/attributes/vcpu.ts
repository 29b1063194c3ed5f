/**
 * What a scenario can ask about a vCPU.
 *
 * Two words are easily confused. `marked_halted` reads a field; `halted` says that the thread really sleeps. Between
 * the two lies the window that review point S7 is about.
 */

import { gpa_of_page } from '../addr.ts';
import { AT } from '../at.ts';
import { isClearing } from '../kvm/async_pf_clear.ts';
import { kvm_arch_interrupt_allowed } from '../kvm/event.ts';
import { EXCEPTION } from '../kvm/event_state.ts';
import { kvm_apic_accept_pic_intr, kvm_cpu_has_interrupt } from '../kvm/irq.ts';
import { kvm_apic_has_interrupt } from '../kvm/lapic.ts';
import { nmi_unmasked } from '../kvm/nmi.ts';
import { KVM_REQ_APF_READY, kvm_test_request } from '../kvm/requests.ts';
import { kvm_apic_has_events } from '../kvm/startup.ts';
import { knobsOfVm, lapic_in_kernel, type Machine } from '../machine.ts';
import { NOTIFY } from '../protocol/notify.ts';
import {
  ENTRY_NOTE,
  FRAME,
  FRAME_AT,
  MP_STATE,
  NODE,
  type Node,
  TASK_STATE,
  type Thread,
  VCPU_MODE,
  WAIT,
} from '../schema.ts';
import { stands } from '../standing.ts';
import { address, count, type Description, entity, fifoOf, quantity, state, truth, words } from './attribute.ts';
import { isOwed, isWaiting, wakesTasks } from './guest.ts';
import { vcpuIsStuck } from './stuck.ts';
import { isOutstanding, itemAt, itemPlaces, leaked, settingUp } from './work.ts';

const SYNTHETIC = 0;
const GUEST = 1;
const HALTS = ['synthetic', 'guest'] as const;

/** KVM_ASYNC_PF_ENABLED, bit 0 of MSR_KVM_ASYNC_PF_EN. */
const ENABLED = 1;
const SEND_ALWAYS = 2;
const DELIVERY_AS_PF_VMEXIT = 4;

function threadOf(m: Machine, row: number): Thread {
  return m.threads[m.places.vcpus[row]!.thread]!;
}

export function markedHalted(m: Machine, row: number, arg: number): boolean {
  const vcpu = m.vcpus[row]!;
  const guest = (vcpu.mp_state === MP_STATE.HALTED && vcpu.in_hlt === 1) || vcpu.vmm_halted === 1;
  const synthetic = vcpu.apf_halted === 1 || (vcpu.mp_state === MP_STATE.HALTED && vcpu.in_hlt === 0);
  return (arg !== GUEST && synthetic) || (arg !== SYNTHETIC && guest);
}

/** The thread has given up its CPU inside kvm_vcpu_block(), and nobody has set it running again. */
export function blocked(m: Machine, row: number): boolean {
  const thread = threadOf(m, row);
  if (thread.task_state !== TASK_STATE.INTERRUPTIBLE || thread.on_rq === 1) return false;
  // With the LAPIC in user space it waits there.
  return stands(m, thread.id, 'blocking') || (stands(m, thread.id, 'userspace') && m.vcpus[row]!.vmm_halted === 1);
}

function interruptsAllowed(m: Machine, row: number): boolean {
  return kvm_arch_interrupt_allowed(m.vcpus[row]!);
}

/** Whether the head of done could be given to the guest now: by interrupt, by #PF, or by letting the access retry. */
function dequeueable(m: Machine, row: number): boolean {
  const vcpu = m.vcpus[row]!;
  if (vcpu.apf_done.length === 0) return false;
  const { notify } = knobsOfVm(m, m.places.vcpus[row]!.vm);
  if (notify === 'none' || (vcpu.apf_en_val & ENABLED) === 0) return true;
  const { ready } = NOTIFY[notify];
  if (ready === 'external') return true;
  if (ready === 'interrupt') return vcpu.area_token === 0 && vcpu.lapic_enabled === 1;
  return vcpu.exception === EXCEPTION.none && interruptsAllowed(m, row);
}

/** Of whichever controller: in the kernel, or the VMM's own, which then has to hand it in. */
function hasInterrupt(m: Machine, row: number): boolean {
  const vcpu = m.vcpus[row]!;
  if (kvm_cpu_has_interrupt(m, vcpu)) return true;
  const in_kernel = lapic_in_kernel(m, vcpu);
  if (vcpu.vmm_ext_vector !== 0 && (!in_kernel || kvm_apic_accept_pic_intr(m, vcpu))) return true;
  return !in_kernel && kvm_apic_has_interrupt(vcpu) >= 0;
}

/** What a vCPU must not sleep through, the same for every variant: never the variant's own predicate. */
export function runnable(m: Machine, row: number): boolean {
  const vcpu = m.vcpus[row]!;
  if (vcpu.mp_state === MP_STATE.RUNNABLE && vcpu.apf_halted === 0 && vcpu.vmm_halted === 0) return true;
  if (kvm_apic_has_events(vcpu) || vcpu.mp_state === MP_STATE.SIPI_RECEIVED) return true;
  if (dequeueable(m, row)) return true;
  if (vcpu.exception !== EXCEPTION.none) return true;
  if (vcpu.nmi_pending + vcpu.nmi_queued > 0 && vcpu.shadow === 0 && nmi_unmasked(vcpu)) return true;
  return interruptsAllowed(m, row) && hasInterrupt(m, row);
}

/** A worker stands between the append to `done` and its wake; the wake that makes the sleeper look is still to come. */
function beingWoken(m: Machine, row: number): boolean {
  // Asked after every step: nothing is allocated.
  const workers = m.places.workersOf[row]!;
  for (let index = 0; index < workers.length; index += 1) {
    const worker = workers[index]!;
    if (m.threads[worker]!.vcpu === row + 1 && stands(m, worker, 'about_to_wake')) return true;
  }
  return false;
}

/** Its thread is inside kvm_check_async_pf_completion(), or delivers what that took. */
function checking(m: Machine, row: number): boolean {
  if (stands(m, threadOf(m, row).id, 'checking')) return true;
  return m.vcpus[row]!.completing !== 0 && !settingUp(m, row);
}

/** Reading, or the draining that a version puts before it. */
function beingRead(m: Machine, row: number): boolean {
  if (stands(m, threadOf(m, row).id, 'being_read')) return true;
  return m.vcpus[row]!.check_return === AT.kvm_drain_async_pf && checking(m, row);
}

/** The ready handler has read the token slot, and found nothing in it. */
function readsNoToken(m: Machine, row: number): boolean {
  const vcpu = m.vcpus[row]!;
  for (let level = 0; level < vcpu.depth; level += 1) {
    if (vcpu.frame(level) !== FRAME.apf_ready || vcpu.frame_token(level) !== 0) continue;
    const at = vcpu.frame_at(level);
    if (at === FRAME_AT.wake || at === FRAME_AT.clear) return true;
  }
  return false;
}

/** Entries of the guest's token table that wait here: those of this vCPU's tasks, and of its idle task. */
function countWaiting(m: Machine, row: number, isMeant: (m: Machine, row: number, node: Node) => boolean): number {
  const idle = m.nodes[m.tasks.length + row]!;
  let found = isWaiting(idle) && isMeant(m, row, idle) ? 1 : 0;
  for (const task of m.places.tasksOf[row]!) {
    const node = m.nodes[task]!;
    if (node.vcpu === row + 1 && isWaiting(node) && isMeant(m, row, node)) found += 1;
  }
  return found;
}

const isAny = (): boolean => true;
const isUnowed = (m: Machine, row: number, { token }: Node): boolean => !isOwed(m, row, token);

function dummies(m: Machine, row: number): number {
  if (m.vms[m.places.vcpus[row]!.vm]!.nr_dummies === 0) return 0;
  let found = 0;
  for (let id = m.tasks.length + m.vcpus.length; id < m.nodes.length; id += 1) {
    if (m.nodes[id]!.state === NODE.dummy && m.nodes[id]!.vcpu === row + 1) found += 1;
  }
  return found;
}

function inHandler(m: Machine, row: number, kind: number): boolean {
  const vcpu = m.vcpus[row]!;
  for (let level = 0; level < vcpu.depth; level += 1) if (vcpu.frame(level) === kind) return true;
  return false;
}

function inReadyHandler(m: Machine, row: number): boolean {
  const vcpu = m.vcpus[row]!;
  for (let level = 0; level < vcpu.depth; level += 1) if (wakesTasks(vcpu, level)) return true;
  return false;
}

function occupied(m: Machine, row: number): number {
  let taken = 0;
  for (let slot = 0; slot < 64; slot += 1) if (m.vcpus[row]!.apf_gfns(slot) !== 0) taken += 1;
  return taken;
}

function broadcasts(m: Machine, row: number): number {
  const { apf_done } = m.vcpus[row]!;
  let found = 0;
  for (let index = 0; index < apf_done.length; index += 1)
    if (m.works[apf_done.at(index)]!.wakeup_all === 1) found += 1;
  return found;
}

export const vcpu: Description = {
  attributes: {
    number: {
      ...count('The number the guest and the tracepoints know it by.', (m, row) => m.places.vcpus[row]!.vcpu_id),
      names: true,
    },
    mp_state: words(
      Object.keys(MP_STATE),
      'What KVM_GET_MP_STATE would return.',
      (m, row) => m.vcpus[row]!.mp_state,
      'vcpu.mp_state',
    ),
    mode: words(
      Object.keys(VCPU_MODE),
      'Whether its thread is in the guest, as a kicker sees it.',
      (m, row) => m.vcpus[row]!.mode,
      'vcpu.mode',
    ),
    apf_halted: truth(
      'The flag of the synthetic halt; v6 has none and uses mp_state.',
      (m, row) => m.vcpus[row]!.apf_halted === 1,
      'vcpu.apf_halted',
    ),
    requests: count('Pending KVM_REQ_* bits, as a number.', (m, row) => m.vcpus[row]!.requests, 'vcpu.requests'),
    queued: count('async_pf.queued: work items outstanding.', (m, row) => m.vcpus[row]!.apf_queued, 'vcpu.apf_queued'),
    gfns: count('Occupied slots of the hash apf.gfns.', occupied, 'vcpu.apf_gfns'),
    broadcasts: count('Wake-all items on done.', broadcasts),
    token: count(
      'The token word of the shared area; 0 means free.',
      (m, row) => m.vcpus[row]!.area_token,
      'vcpu.area_token',
    ),
    flags: count(
      'The flags, before 5.8 reason, word of the shared area.',
      (m, row) => m.vcpus[row]!.area_flags,
      'vcpu.area_flags',
    ),
    pageready_pending: truth(
      'A ready notification was sent and is not acknowledged.',
      (m, row) => m.vcpus[row]!.apf_pageready_pending === 1,
      'vcpu.apf_pageready_pending',
    ),
    apf_enabled: truth(
      'The guest has set bit 0 of MSR_KVM_ASYNC_PF_EN.',
      (m, row) => (m.vcpus[row]!.apf_en_val & ENABLED) !== 0,
      'vcpu.apf_en_val',
    ),
    send_always: truth(
      'The guest takes not-present in kernel mode too.',
      (m, row) => (m.vcpus[row]!.apf_en_val & SEND_ALWAYS) !== 0,
      'vcpu.apf_en_val',
    ),
    send_always_copy: truth(
      'The copy of that bit, made when the MSR was last set with bit 0.',
      (m, row) => m.vcpus[row]!.apf_send_always === 1,
      'vcpu.apf_send_always',
    ),
    delivery_as_pf_vmexit: truth(
      'The guest, a hypervisor, takes not-present in its own guest as a #PF exit.',
      (m, row) => (m.vcpus[row]!.apf_en_val & DELIVERY_AS_PF_VMEXIT) !== 0,
      'vcpu.apf_en_val',
    ),
    delivery_as_pf_vmexit_copy: truth(
      'The copy of that bit, made when the MSR was last set with bit 0.',
      (m, row) => m.vcpus[row]!.apf_delivery_as_pf_vmexit === 1,
      'vcpu.apf_delivery_as_pf_vmexit',
    ),
    exception: words(
      Object.keys(EXCEPTION),
      'The exception to deliver: pending is not yet written to the entry fields.',
      (m, row) => m.vcpus[row]!.exception,
      'vcpu.exception',
    ),
    exception_token: count(
      'The token that a pending or injected APF #PF carries; 0 for none.',
      (m, row) => m.vcpus[row]!.exception_token,
      'vcpu.exception_token',
    ),
    interrupts_allowed: truth('RFLAGS.IF set and no shadow.', interruptsAllowed, 'vcpu.rflags_if'),
    user_mode: truth('The guest is at CPL 3.', (m, row) => m.vcpus[row]!.cpl3 === 1, 'vcpu.cpl3'),
    lapic_enabled: truth(
      'The LAPIC is enabled in software.',
      (m, row) => m.vcpus[row]!.lapic_enabled === 1,
      'vcpu.lapic_enabled',
    ),
    nmi_pending: count('nmi_pending.', (m, row) => m.vcpus[row]!.nmi_pending, 'vcpu.nmi_pending'),
    nmi: entity('nmi_state', 'Its NMI state.', (_m, row) => row),
    depth: count('Guest handlers entered and not left.', (m, row) => m.vcpus[row]!.depth, 'vcpu.depth'),
    fault_gpa: address(
      'gpa',
      'Guest-physical address of the last fault.',
      (m, row) => (m.vcpus[row]!.cr2_or_gpa === 0 ? 0 : gpa_of_page(m, m.vcpus[row]!.fault_page)),
      'vcpu.fault_page',
    ),
    tlb_flushes: count(
      'Times that its CPU forgot all it remembered, where TLBs are modelled.',
      (m, row) => m.vcpus[row]!.nr_tlb_flushes,
      'vcpu.nr_tlb_flushes',
    ),
    area_generation: count(
      'The generation of memslots as of which the host knows where the shared area is.',
      (m, row) => m.vcpus[row]!.apf_data_generation,
      'vcpu.apf_data_generation',
    ),
    address_space: count('The address space in CR3, by its number.', (m, row) => m.vcpus[row]!.cr3, 'vcpu.cr3'),
    paging: truth(
      'CR0.PG: linear addresses go through the guest’s page tables.',
      (m, row) => m.vcpus[row]!.cr0_pg === 1,
      'vcpu.cr0_pg',
    ),
    cr2: address(
      'gva',
      'CR2: where the last #PF was, or the token of an asynchronous one.',
      (m, row) => m.vcpus[row]!.cr2,
      'vcpu.cr2',
    ),
    walk_references: count(
      'Memory references of the last page walk, where the guest’s tables are walked.',
      (m, row) => m.vcpus[row]!.walk_refs,
      'vcpu.walk_refs',
    ),
    all_walk_references: count(
      'Memory references of all its page walks.',
      (m, row) => m.vcpus[row]!.nr_walk_refs,
      'vcpu.nr_walk_refs',
    ),
    task: entity('task', 'The task that runs, or ran last.', (m, row) => m.vcpus[row]!.current - 1, 'vcpu.current'),
    thread: entity('thread', 'Its host thread.', (m, row) => m.places.vcpus[row]!.thread),
    vm: entity('vm', 'The VM that it belongs to.', (m, row) => m.places.vcpus[row]!.vm),
    dummies: count("Entries of the guest's token table made by a ready that came before its task had parked.", dummies),
    waiting: count('Tasks that wait for a token of this vCPU, parked or halting in the handler.', (m, row) =>
      countWaiting(m, row, isAny),
    ),
    leaked: count("Work items in use that are on no list and in nobody's hands.", leaked),
    unowed: count('Tokens that somebody waits for and nothing is going to answer.', (m, row) =>
      countWaiting(m, row, isUnowed),
    ),
    entries: count('VM entries.', (m, row) => m.vcpus[row]!.nr_entries, 'vcpu.nr_entries'),
    exits: count('VM exits.', (m, row) => m.vcpus[row]!.nr_exits, 'vcpu.nr_exits'),
    entry_checks: count(
      'Checks made on the way to an entry for the sake of asynchronous faults.',
      (m, row) => m.vcpus[row]!.nr_entry_checks,
      'vcpu.nr_entry_checks',
    ),
    gfn_probes: count('Slots of apf.gfns looked at.', (m, row) => m.vcpus[row]!.nr_gfn_probes, 'vcpu.nr_gfn_probes'),
    synthetic_halts: count(
      'Times it was halted for a missing page.',
      (m, row) => m.vcpus[row]!.nr_synthetic_halts,
      'vcpu.nr_synthetic_halts',
    ),
    halt_poll: quantity(
      'time',
      'How long it polls before it sleeps: halt_poll_ns.',
      (m, row) => m.vcpus[row]!.halt_poll_ns,
      'vcpu.halt_poll_ns',
    ),
    kicks: count('Kicks sent to it.', (m, row) => m.vcpus[row]!.nr_kicks, 'vcpu.nr_kicks'),
    work: quantity('time', 'Guest time spent in `work`.', (m, row) => m.vcpus[row]!.work_ns, 'vcpu.work_ns'),
  },
  collections: {
    apf: {
      of: 'work',
      summary:
        'Its outstanding faults: work items on queue or done, until its thread takes them for delivery. Broadcasts are none.',
      field: null,
      positions: (m, row) => itemPlaces(m.vcpus[row]!),
      at(m, row, place) {
        const id = itemAt(m.vcpus[row]!, place);
        return id >= 0 && isOutstanding(m, row, id) ? id : -1;
      },
    },
    items: {
      of: 'work',
      summary: 'All its work items: broadcasts, those that are being set up and those that are being delivered too.',
      field: null,
      positions: (m, row) => itemPlaces(m.vcpus[row]!),
      at: (m, row, place) => itemAt(m.vcpus[row]!, place),
    },
    queue: fifoOf('work', 'async_pf.queue, oldest first.', (m, row) => m.vcpus[row]!.apf_queue, 'vcpu.apf_queue'),
    done: fifoOf('work', 'async_pf.done, oldest first.', (m, row) => m.vcpus[row]!.apf_done, 'vcpu.apf_done'),
    tasks: {
      of: 'task',
      summary: 'Its tasks.',
      field: null,
      positions: (m, row) => m.places.tasksOf[row]!.length,
      at(m, row, position) {
        const task = m.places.tasksOf[row]![position]!;
        return m.tasks[task]!.vcpu === row ? task : -1;
      },
    },
  },
  states: {
    halted: {
      args: HALTS,
      summary: 'Really asleep: halted by the host for a page, or by its own HLT.',
      holds: (m, row, arg) => blocked(m, row) && markedHalted(m, row, arg),
    },
    marked_halted: {
      args: HALTS,
      summary: 'The field says halted; the thread need not sleep yet.',
      holds: markedHalted,
    },
    runnable: state("It could run, by a fixed specification rather than the variant's own predicate.", runnable),
    running: state(
      'In guest mode.',
      (m, row) => stands(m, threadOf(m, row).id, 'guest') && threadOf(m, row).on_cpu === 1,
    ),
    in_guest: state('Its thread is between entry and exit, on a CPU or preempted there.', (m, row) =>
      stands(m, threadOf(m, row).id, 'guest'),
    ),
    blocked: state('Its thread sleeps in kvm_vcpu_block().', blocked),
    swap_waiting: state('Its thread sleeps in a host fault.', (m, row) => {
      const thread = threadOf(m, row);
      return thread.task_state === TASK_STATE.UNINTERRUPTIBLE && thread.wait !== WAIT.nothing;
    }),
    stuck: state('Its thread waits for what can never come: its userfault handler is dead.', vcpuIsStuck),
    being_woken: state('A worker has finished an item of it and is about to wake it.', beingWoken),
    checking: state('Its thread looks for completions, or delivers one.', checking),
    being_read: state('Its VMM reads its state out, by one ioctl after the other: it is out of KVM_RUN.', beingRead),
    injecting_exception: state(
      'An exception has been written for its next entry.',
      (m, row) => m.vcpus[row]!.exception === EXCEPTION.injected,
    ),
    clearing: state('Its thread empties queue and done.', isClearing),
    locked_asleep: state('Whoever holds its async_pf.lock sleeps.', (m, row) => {
      const holder = m.vcpus[row]!.apf_lock;
      return holder !== 0 && m.threads[holder - 1]!.task_state !== TASK_STATE.RUNNING;
    }),
    corrupt: state(
      'An operation on queue or done without the lock has cut items off.',
      (m, row) => m.vcpus[row]!.apf_list_corrupt === 1,
    ),
    noted: state(
      '2010: the fault has left its note for the next entry.',
      (m, row) => m.vcpus[row]!.apf_note !== ENTRY_NOTE.none,
    ),
    reads_no_token: state('Its ready handler has found the token slot empty.', readsNoToken),
    ready_requested: state('KVM_REQ_APF_READY is set.', (m, row) => kvm_test_request(KVM_REQ_APF_READY, m.vcpus[row]!)),
    executing: {
      args: ['HLT'],
      summary: 'The guest instruction it is at.',
      holds: (m, row) => m.vcpus[row]!.in_hlt === 1,
    },
    apf_handler: state('In the handler of a not-present event.', (m, row) => inHandler(m, row, FRAME.exc_page_fault)),
    irq_handler: state('In the handler of an interrupt or timer.', (m, row) => inHandler(m, row, FRAME.irq)),
    in_smm: state('In system management mode.', (m, row) => m.vcpus[row]!.smm === 1),
    nmi_handler: state('In the NMI handler.', (m, row) => inHandler(m, row, FRAME.nmi)),
    ready_handler: state('In a handler that wakes the tasks of a ready event.', inReadyHandler),
    has_interrupt: state(
      'Its LAPIC requests a vector that is not masked by one in service, or the PIC has one that it lets through.',
      hasInterrupt,
    ),
    has_dequeueable: state('done is not empty and its head could be delivered.', dequeueable),
  },
  series: {
    stall: {
      dimension: 'time',
      summary: 'From each fault that had to wait to the moment its task goes on.',
      source: 'stall',
    },
    halt_time: { dimension: 'time', summary: 'How long each synthetic halt lasted.', source: 'synthetic_halt' },
  },
};
