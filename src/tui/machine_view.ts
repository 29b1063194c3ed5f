/**
 * A machine as the panes show it: made anew for each frame, reading only what is on the screen.
 *
 * Looks at state and changes nothing. Where a scenario can ask the same question, the answer comes from attributes.ts.
 */
import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import { AT, STEP_NAMES } from '../sim/at.ts';
import type { Attribute } from '../sim/attributes/attribute.ts';
import { DESCRIPTIONS } from '../sim/attributes.ts';
import { EXCEPTION } from '../sim/kvm/event_state.ts';
import { KVM_REQ_NAMES } from '../sim/kvm/requests.ts';
import type { Machine } from '../sim/machine.ts';
import { IO } from '../sim/memory.ts';
import {
  FRAME,
  GUEST_TASK,
  MP_STATE,
  NODE,
  TASK_STATE,
  type Thread,
  type Vcpu,
  WAIT,
  WORK_STATE,
  type Work,
} from '../sim/schema.ts';
import { type QueueItem, type QueueRow, RUN_STATES, type RunState, type VcpuRow } from './view_model.ts';

const MP_STATE_NAMES = Object.keys(MP_STATE);
const WAIT_NAMES = Object.keys(WAIT);
const EXCEPTION_NAMES = Object.keys(EXCEPTION);
const NODE_NAMES = Object.keys(NODE);
const TASK_NAMES = Object.keys(GUEST_TASK);
/** Guest handlers, short enough to be put in a row. */
const FRAME_NAMES: Readonly<Record<keyof typeof FRAME, string>> = {
  none: '',
  exc_page_fault: '#PF',
  irq: 'irq',
  apf_ready: 'ready',
  setup: 'setup',
  nmi: 'NMI',
  exc_other: 'fault',
  smm: 'SMM',
};
const FRAMES = Object.keys(FRAME).map(name => (isFrame(name) ? FRAME_NAMES[name] : name));

export function vcpuName(m: Machine, row: number): string {
  const place = m.places.vcpus[row];
  return place ? printable(`${m.program.vms[place.vm]?.name ?? ''}/${place.vcpu_id}`) : '';
}

export function vcpuRow(m: Machine, row: number): VcpuRow {
  const vcpu = m.vcpus[row]!;
  const thread = threadOf(m, row);
  const runs = runState(m, row, thread);
  return {
    row,
    name: vcpuName(m, row),
    runs,
    cpu: thread.on_cpu ? `cpu ${m.places.cpus[thread.cpu]?.number ?? thread.cpu}` : '',
    mp_state: MP_STATE_NAMES[vcpu.mp_state] ?? '',
    synthetic: DESCRIPTIONS.vcpu.states['marked_halted']?.holds(m, row, 0) ?? false,
    task: taskName(m, vcpu.current - 1),
    handlers: handlers(vcpu),
    requests: requestNames(vcpu.requests),
    queue: vcpu.apf_queue.length,
    done: vcpu.apf_done.length,
    reason: reason(m, vcpu, thread, runs),
  };
}

/** What waits where for one vCPU, and at the swap device of its host. */
export function queueRows(m: Machine, row: number): readonly QueueRow[] {
  const vcpu = m.vcpus[row]!;
  const host = m.places.vcpus[row]!.host;
  const queue = vcpu.apf_queue.toArray().map(id => workItem(m, m.works[id]!));
  const done = vcpu.apf_done.toArray().map(id => workItem(m, m.works[id]!));
  const swap = m.ios.flatMap(io => (io.state === IO.active && io.host === host ? [ioItem(m, io)] : []));
  const owed = m.nodes.flatMap((node, id) => {
    if (node.state === NODE.free || node.vcpu !== row + 1) return [];
    // The first nodes are the tasks' own.
    const who = taskName(m, id) || (NODE_NAMES[node.state] ?? '');
    return [
      { role: node.state === NODE.dummy ? ('warn' as const) : ('asleep' as const), text: `${who} ${hex(node.token)}` },
    ];
  });
  const requests = requestNames(vcpu.requests).map(text => ({ role: 'warn' as const, text }));
  return [
    { label: 'queue', count: queue.length, items: queue },
    { label: 'done', count: done.length, items: done },
    { label: 'swap', count: swap.length, items: [...swap, ...waiting(m.hosts[host]!.io_queue.length)] },
    { label: 'owed', count: owed.length, items: owed },
    { label: 'slot', count: null, items: [slotItem(vcpu)] },
    { label: 'requests', count: requests.length, items: requests },
    { label: 'LAPIC', count: null, items: lapicItems(vcpu) },
    { label: 'events', count: null, items: eventItems(vcpu) },
    { label: 'workers', count: null, items: [...workerItems(m, host), ...waiting(m.hosts[host]!.workqueue.length)] },
  ];
}

/** Everything a scenario could ask about the vCPU, and its tasks. */
export function detailRows(m: Machine, row: number): readonly QueueRow[] {
  const thread = threadOf(m, row);
  const { comm, pid } = m.places.threads[thread.id]!;
  const attributes = Object.entries(DESCRIPTIONS.vcpu.attributes).map(([name, attribute]) => ({
    name,
    text: attributeText(m, attribute, row),
  }));
  const perLine = 2; // Three do not fit 80 columns.
  const lines = Array.from({ length: Math.ceil(attributes.length / perLine) }, (_, line): QueueRow => {
    const [first, ...others] = attributes.slice(line * perLine, (line + 1) * perLine);
    const rest = others.map(({ name, text }) => ({
      role: 'plain' as const,
      text: `${name.padEnd(20)}${text.padEnd(12)}`,
    }));
    return {
      label: first?.name ?? '',
      count: null,
      items: [{ role: 'strong', text: (first?.text ?? '').padEnd(19) }, ...rest],
    };
  });
  const tasks = (m.places.tasksOf[row] ?? [])
    .filter(task => m.tasks[task]?.vcpu === row)
    .map(task => ({
      role: task === m.vcpus[row]!.current - 1 ? ('strong' as const) : ('plain' as const),
      text: `${taskName(m, task)}:${TASK_NAMES[m.tasks[task]!.state] ?? ''}`,
    }));
  return [
    {
      label: 'thread',
      count: null,
      items: [{ role: 'plain', text: `${comm}-${pid}, next step ${STEP_NAMES[thread.at] ?? ''}` }],
    },
    { label: 'tasks', count: tasks.length, items: tasks },
    ...lines,
  ];
}

function threadOf(m: Machine, row: number): Thread {
  return m.threads[m.places.vcpus[row]!.thread]!;
}

function runState(m: Machine, row: number, thread: Thread): RunState {
  if (thread.at === AT.off) return 'off';
  if (thread.on_cpu) return thread.at === AT.guest ? 'guest' : 'kvm';
  if (thread.held) return 'held';
  if (thread.task_state === TASK_STATE.UNINTERRUPTIBLE) return 'disk';
  return DESCRIPTIONS.vcpu.states['blocked']?.holds(m, row, -1) ? 'blocked' : 'ready';
}

/** Why the thread is where it is, in a few words. */
function reason(m: Machine, vcpu: Vcpu, thread: Thread, runs: RunState): string {
  const step = STEP_NAMES[thread.at] ?? '';
  switch (runs) {
    case 'guest':
      return vcpu.in_hlt ? 'guest HLT' : `guest code, ${vcpu.cpl3 ? 'user' : 'kernel'}`;
    case 'disk':
      return thread.wait === WAIT.page
        ? `waits for page ${pageNumber(m, thread.gup_page)} to be read`
        : `waits: ${WAIT_NAMES[thread.wait] ?? ''}`;
    case 'blocked': {
      const pages = vcpu.apf_queue.toArray().map(id => pageNumber(m, m.works[id]!.page));
      if (vcpu.mp_state === MP_STATE.HALTED && vcpu.in_hlt) {
        return pages.length > 0 ? `guest HLT while page ${pages.join(', ')} comes` : 'guest HLT';
      }
      return pages.length > 0 ? `halted until page ${pages.join(', ')} is there` : 'halted, and nothing is outstanding';
    }
    case 'ready':
      return `waits for a host CPU, at ${step}`;
    case 'kvm':
    case 'held':
      return step;
    case 'off':
      return RUN_STATES.off.summary;
  }
}

function handlers(vcpu: Vcpu): string {
  return Array.from({ length: vcpu.depth }, (_, level) => FRAMES[vcpu.frame(level)] ?? '').join('>');
}

function requestNames(requests: number): readonly string[] {
  return KVM_REQ_NAMES.filter((_, bit) => (requests & (1 << bit)) !== 0);
}

function taskName(m: Machine, row: number): string {
  const task = m.places.tasks[row];
  return task ? printable(task.spec.name) : '';
}

/** A page by its number in its VM's heap, as scenarios count. */
function pageNumber(m: Machine, row: number): number {
  const first = m.places.vms.findLast(vm => vm.first_page <= row)?.first_page ?? 0;
  return row - first;
}

function workItem(m: Machine, work: Work): QueueItem {
  if (work.wakeup_all) return { role: 'apf', text: 'broadcast' };
  const state = work.completed
    ? 'completed'
    : work.state === WORK_STATE.PENDING
      ? 'queued'
      : work.state === WORK_STATE.RUNNING
        ? 'reading'
        : 'idle';
  const told = work.notpresent_injected ? '' : ' untold';
  return {
    role: work.completed ? 'good' : 'warn',
    text: `${hex(work.token)}:page ${pageNumber(m, work.page)} ${state}${told}`,
  };
}

function ioItem(m: Machine, io: Machine['ios'][number]): QueueItem {
  const first = pageNumber(m, m.slot.hva(io.slot) - 1);
  const pages = io.pages > 1 ? `pages ${first}+${io.pages - 1}` : `page ${first}`;
  return {
    role: io.write ? 'apf' : 'warn',
    text: `${io.write ? 'writes' : 'reads'} ${pages} ${durationText(m.clock.now_ns - io.submitted_ns)}`,
  };
}

function waiting(count: number): readonly QueueItem[] {
  return count > 0 ? [{ role: 'dim', text: `${count} wait` }] : [];
}

/** The one place for a token in the shared area. */
function slotItem(vcpu: Vcpu): QueueItem {
  const told = vcpu.apf_pageready_pending ? ', not acknowledged' : '';
  if (vcpu.area_token !== 0) return { role: 'apf', text: `${hex(vcpu.area_token)}${told}` };
  return { role: vcpu.apf_pageready_pending ? 'warn' : 'dim', text: `free${told}` };
}

function lapicItems(vcpu: Vcpu): readonly QueueItem[] {
  const irr = vectors(index => vcpu.lapic_irr(index));
  const isr = vectors(index => vcpu.lapic_isr(index));
  return [
    { role: vcpu.lapic_enabled ? 'plain' : 'bad', text: vcpu.lapic_enabled ? 'on' : 'OFF' },
    { role: irr === '' ? 'dim' : 'warn', text: `IRR ${irr || '-'}` },
    { role: isr === '' ? 'dim' : 'apf', text: `ISR ${isr || '-'}` },
    { role: 'dim', text: `IF ${vcpu.rflags_if}${vcpu.shadow ? ' shadow' : ''}` },
  ];
}

function eventItems(vcpu: Vcpu): readonly QueueItem[] {
  const items: QueueItem[] = [];
  if (vcpu.exception !== EXCEPTION.none)
    items.push({ role: 'warn', text: `exception ${vcpu.exception_nr} ${EXCEPTION_NAMES[vcpu.exception] ?? ''}` });
  if (vcpu.irq_injected) items.push({ role: 'warn', text: `irq ${vcpu.irq_vector.toString(16)} injected` });
  if (vcpu.nmi_pending > 0) items.push({ role: 'warn', text: `nmi pending ${vcpu.nmi_pending}` });
  if (vcpu.nmi_injected) items.push({ role: 'warn', text: 'nmi injected' });
  return items;
}

function workerItems(m: Machine, host: number): readonly QueueItem[] {
  return (m.places.hosts[host]?.workers ?? []).flatMap(id => {
    const thread = m.threads[id]!;
    const work = thread.work > 0 ? m.works[thread.work - 1] : undefined;
    if (!work) return [];
    return [
      {
        role: 'host' as const,
        text: `${m.places.threads[id]?.comm ?? ''} page ${pageNumber(m, work.page)} ${STEP_NAMES[thread.at] ?? ''}`,
      },
    ];
  });
}

/** Vector numbers whose bits are set, highest first, in hex. */
function vectors(register: (index: number) => number): string {
  const found: string[] = [];
  for (let index = 7; index >= 0; index -= 1) {
    const bits = register(index);
    for (let bit = 31; bits !== 0 && bit >= 0; bit -= 1)
      if ((bits >>> bit) & 1) found.push((index * 32 + bit).toString(16));
  }
  return found.join(' ');
}

function attributeText(m: Machine, attribute: Attribute, row: number): string {
  const value = attribute.read(m, row);
  const { type } = attribute;
  switch (type.t) {
    case 'truth':
      return value ? 'yes' : 'no';
    case 'words':
      return type.words[value] ?? String(value);
    case 'address':
      return hex(value);
    case 'entity':
      return value < 0 ? '-' : type.kind === 'task' ? taskName(m, value) : String(value);
    case 'quantity':
      return type.dimension === 'time' ? durationText(value) : String(value);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function isFrame(name: string): name is keyof typeof FRAME {
  return Object.hasOwn(FRAME_NAMES, name);
}
