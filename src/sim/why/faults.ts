/**
 * What became of a fault, link by link: from the touch over item, read, worker and token to the task that goes on.
 *
 * Made from what the model reports as it runs (observe.ts) and from the steps that nobody reports since nobody outside
 * could see them. Nothing here is part of a state: to know what led to one, the run is followed from its start.
 */
import { durationText } from '../../base/duration.ts';
import type { STEP_NAMES } from '../at.ts';
import { kvm_arch_can_dequeue_async_page_present } from '../kvm/async_pf_x86.ts';
import { knobs_of, type Machine } from '../machine.ts';
import { IO } from '../memory.ts';
import { handler_lives } from '../mm/userfault.ts';
import { OBS, OBSERVATION_NAMES, OBSERVATIONS } from '../observe.ts';
import { FRAME, TASK_STATE, THREAD_KIND, type Vcpu, WAIT, WORK_STATE, type Work } from '../schema.ts';
import { whereIsThread } from '../why.ts';
import type { Actor, Watcher } from './actor.ts';

export interface Link extends Actor {
  /** The event of the language, or the step. */
  readonly name: string;
  readonly text: string;
}

export interface Fault {
  readonly vm: number;
  /** Rows of vCPU, page and task (-1 for none). */
  readonly vcpu: number;
  readonly page: number;
  readonly task: number;
  /** Null while it has none: it was handled synchronously, or is not that far. */
  readonly token: number | null;
  readonly ended: boolean;
  readonly links: readonly Link[];
}

interface OpenFault extends Fault {
  token: number | null;
  ended: boolean;
  halted: boolean;
  readonly links: Link[];
}

/** What a worker's steps do for the item that it runs; the append is reported as `completed`. */
const WORKER_STEPS: Readonly<Partial<Record<(typeof STEP_NAMES)[number], string>>> = {
  'async_pf_execute.request': 'KVM_REQ_APF_READY is set, unless an item was on the done list before.',
  'async_pf_execute.wake': 'The worker has looked for a sleeping vCPU thread to wake.',
};

const OF_PAGE: ReadonlySet<number> = new Set([
  OBS.took_apf,
  OBS.not_present,
  OBS.repeated,
  OBS.completed,
  OBS.ready,
  OBS.dropped,
  OBS.mapped,
  OBS.swap_submit,
  OBS.swap_wait,
  OBS.swap_read,
  OBS.userfault,
  OBS.copied,
]);
/** Of the vCPU that faulted, and so of its latest fault. */
const OF_FAULTING_VCPU: ReadonlySet<number> = new Set([OBS.halt, OBS.injected, OBS.double_fault]);
/** Of a vCPU that is halted for its pages. */
const OF_HALTED_VCPU: ReadonlySet<number> = new Set([OBS.unhalt, OBS.blocked, OBS.woken]);
const OF_TASK: ReadonlySet<number> = new Set([OBS.parks, OBS.wakes, OBS.resumes]);

/** Which faults are worth keeping once they are over. */
export type Wanted = (fault: Fault) => boolean;

export class FaultLog {
  readonly #m: Machine;
  readonly #watcher: Watcher;
  readonly #wanted: Wanted;
  #open: OpenFault[] = [];
  #kept: Fault[] = [];
  /** How each page left the guest's memory. */
  readonly #evicted = new Map<number, Link>();
  readonly #asleep: Uint8Array;
  readonly #depth: Uint8Array;

  constructor(m: Machine, watcher: Watcher, wanted: Wanted) {
    this.#m = m;
    this.#watcher = watcher;
    this.#wanted = wanted;
    this.#asleep = new Uint8Array(m.vcpus.length);
    this.#depth = new Uint8Array(m.vcpus.length);
  }

  /** The faults that were asked for, oldest first. */
  get faults(): readonly Fault[] {
    return [...this.#kept, ...this.#open.filter(this.#wanted)];
  }

  observed(observation: number, vm: number, a: number): void {
    if (observation === OBS.evicted) this.#evicted.set(a, this.#observation(observation));
    else if (observation === OBS.fault) this.#begin(vm, a);
    else if (OF_PAGE.has(observation)) this.#ofPage(observation, a);
    else if (observation === OBS.kick) this.#ofWorker(a, this.#observation(observation));
    else if (observation === OBS.broadcast) this.#link(this.#observation(observation), fault => fault.vcpu === a);
    else if (OF_FAULTING_VCPU.has(observation)) {
      const latest = this.#open.findLast(fault => fault.vcpu === a);
      if (observation === OBS.halt && latest) latest.halted = true;
      latest?.links.push(this.#observation(observation));
    } else if (OF_HALTED_VCPU.has(observation)) {
      this.#link(this.#observation(observation), fault => fault.vcpu === a && fault.halted);
    } else if (OF_TASK.has(observation)) {
      this.#link(this.#observation(observation), fault => fault.task === a);
      if (observation === OBS.resumes) this.#end(fault => fault.task === a);
    }
  }

  /** After each step: what changed that has no event. */
  stepped(): void {
    if (this.#open.length === 0) return;
    const m = this.#m;
    const { step } = this.#watcher;
    const text = step && WORKER_STEPS[step];
    if (step && text) this.#ofWorker(null, { ...this.#watcher.actor(), name: step, text });
    if (step === 'kvm_arch_async_page_present.raise') {
      const token = m.vcpus[m.clock.current_thread]?.area_token ?? 0;
      const raised = 'The token is in the shared area; the interrupt is raised.';
      this.#link({ ...this.#watcher.actor(), name: 'token', text: raised }, fault => fault.token === token);
    }
    for (const fault of this.#open) this.#vcpu(fault.vcpu);
  }

  /** A sleeping vCPU thread that somebody has woken, and a guest that has begun the handler of a ready event. */
  #vcpu(row: number): void {
    const m = this.#m;
    const vcpu = m.vcpus[row]!;
    const thread = m.threads[m.places.vcpus[row]!.thread]!;
    const asleep = thread.task_state === TASK_STATE.INTERRUPTIBLE && !thread.on_rq ? 1 : 0;
    if (this.#asleep[row] === 1 && !asleep) {
      const text = 'The vCPU thread was asleep and is made to run.';
      this.#link({ ...this.#watcher.actor(), name: 'wake', text }, fault => fault.vcpu === row);
    }
    this.#asleep[row] = asleep;
    if (vcpu.depth > this.#depth[row]! && vcpu.frame(vcpu.depth - 1) === FRAME.apf_ready) {
      const text = 'The guest has begun the handler of the page-ready interrupt.';
      this.#link({ ...this.#watcher.actor(), name: 'interrupt', text }, fault => fault.token === vcpu.area_token);
    }
    this.#depth[row] = vcpu.depth;
  }

  #observation(observation: number): Link {
    const name = OBSERVATION_NAMES[observation]!;
    return { ...this.#watcher.actor(), name, text: OBSERVATIONS[name].summary };
  }

  #begin(vm: number, page: number): void {
    const m = this.#m;
    const vcpu = m.clock.current_thread;
    const known = this.#open.find(fault => fault.vcpu === vcpu && fault.page === page);
    if (known) {
      known.links.push(this.#observation(OBS.fault));
      return;
    }
    const evicted = this.#evicted.get(page);
    this.#open.push({
      vm,
      vcpu,
      page,
      task: m.vcpus[vcpu]!.current - 1,
      token: null,
      ended: false,
      halted: false,
      links: [...(evicted ? [evicted] : []), this.#observation(OBS.fault)],
    });
  }

  #ofPage(observation: number, page: number): void {
    const link = this.#observation(observation);
    const thread = this.#m.threads[this.#m.clock.current_thread];
    // What a vCPU thread or a worker does for a page, it does for one vCPU; what the device does, for all.
    const vcpu =
      thread?.kind === THREAD_KIND.vcpu ? thread.id : thread?.kind === THREAD_KIND.kworker ? thread.vcpu - 1 : -1;
    this.#link(link, fault => fault.page === page && (vcpu < 0 || fault.vcpu === vcpu));
    if (observation !== OBS.took_apf) return;
    for (const fault of this.#open)
      if (fault.page === page && fault.vcpu === vcpu) fault.token = itemOf(this.#m, fault)?.token ?? null;
  }

  #ofWorker(vcpu: number | null, link: Link): void {
    const thread = this.#m.threads[this.#m.clock.current_thread];
    if (thread?.kind !== THREAD_KIND.kworker) return;
    const owner = vcpu ?? thread.vcpu - 1;
    this.#link(link, fault => fault.page === thread.page && fault.vcpu === owner && fault.token !== null);
  }

  #link(link: Link, belongs: (fault: OpenFault) => boolean): void {
    for (const { links } of this.#open.filter(belongs)) links.push(link);
  }

  #end(over: (fault: OpenFault) => boolean): void {
    this.#open = this.#open.filter(fault => {
      if (!over(fault)) return true;
      fault.ended = true;
      if (this.#wanted(fault)) this.#kept.push(fault);
      return false;
    });
  }
}

/** The work item of a fault, while there is one. */
export function itemOf(m: Machine, { vcpu, page }: Pick<Fault, 'vcpu' | 'page'>): Work | null {
  return m.works.find(work => work.used && !work.wakeup_all && work.vcpu === vcpu + 1 && work.page === page) ?? null;
}

/** Where an open fault stands now: what it waits for, most telling first. */
export function standing(m: Machine, fault: Fault): readonly string[] {
  const work = itemOf(m, fault);
  const item = work ? [itemText(m, work)] : [];
  const reads = m.ios.flatMap(io => {
    if (io.state === IO.free || io.write) return [];
    const slots = Array.from({ length: io.pages }, (_, n) => io.slot + n);
    if (!slots.some(slot => m.slot.hva(slot) === fault.page + 1)) return [];
    const since = durationText(io.submitted_ns);
    return [`the swap device ${io.state === IO.active ? 'reads it' : 'has the read queued'}, since ${since}`];
  });
  const asked = m.threads.some(({ wait, wait_id }) => wait === WAIT.userfault && wait_id === fault.page);
  const handler = handler_lives(m, fault.vm) ? 'has been asked for it' : 'is dead: nobody will bring it';
  return [...item, ...reads, ...(asked ? [`its userfault handler ${handler}`] : [])];
}

export function itemText(m: Machine, work: Work): string {
  const name = `item 0x${work.token.toString(16)}`;
  if (work.completed)
    return `${name} is completed and waits on the done list for the vCPU thread${refusedText(m, m.vcpus[work.vcpu - 1]!)}`;
  const worker = m.threads.find(thread => thread.kind === THREAD_KIND.kworker && thread.work === work.id + 1);
  if (worker) return `${name} is with ${m.places.threads[worker.id]!.comm}, which ${whereIsThread(worker)}`;
  return work.state === WORK_STATE.PENDING
    ? `${name} is queued and no kworker has taken it yet`
    : `${name} is set up and not queued yet`;
}

/** Why nothing may be taken from the done list now; then it makes the vCPU runnable all the same, and a HLT spins. */
function refusedText(m: Machine, vcpu: Vcpu): string {
  if (kvm_arch_can_dequeue_async_page_present(m, vcpu)) return ' to take it';
  const { dequeue } = knobs_of(m, vcpu);
  const off = dequeue === 'lapic_and_token_free' && !vcpu.lapic_enabled;
  const full = dequeue === 'token_free' || dequeue === 'lapic_and_token_free';
  return `, which may not deliver it: ${off ? 'the LAPIC is disabled' : full ? 'the slot still holds a token' : 'the guest cannot be told now'}`;
}
