/** What runs in a guest, as the operations of the simulator: scripts flattened with their jumps, handlers. */
import type { TaskOp, TaskSpec, VmSpec } from '../sim/program.ts';
import type { Expression, Word } from './expression.ts';
import { distributionOf, type Frame, numberOf, PAGE_BYTES } from './frame.ts';
import type { Lowering } from './lower.ts';
import { choiceOf, rangeOf } from './lower_script.ts';
import type { Node } from './statement.ts';

/** What a nested guest can do: it has one task, and no devices, timers or scheduler of its own. */
const NESTED_OPS: readonly TaskOp['op'][] = [
  'read',
  'write',
  'work',
  'jump',
  'repeat',
  'hlt',
  'cli',
  'sti',
  'mov_ss',
  'user',
  'kernel',
  'done',
];

const DEFAULT_RAM_BYTES = 128 * 1024 * 1024;
/** Counters that a task has for `repeat`, one inside the other. */
const REPEATS = 4;
/** Fewer than there are vectors between those of devices and of the system. */
const INTERRUPTS_PER_VCPU = 128;

export class GuestLowering {
  readonly #lowering: Lowering;
  /** How many `repeat`s are around what is being lowered. */
  #depth = 0;
  readonly #forks: { readonly name: string; readonly tasks: number[] }[] = [];

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  task(
    name: string,
    times: Expression | null,
    vcpu: Expression,
    mode: 'user' | 'kernel',
    nested: boolean,
    prio: Expression | null,
    at: Node,
  ): void {
    const { ops } = this.#lowering.inside(at);
    const last = ops.at(-1);
    const ends = last && (last.op === 'done' || (last.op === 'jump' && last.to < ops.length));
    const script: TaskOp[] = ends ? ops : [...ops, { op: 'done' }];
    const count = times ? this.#count(times, 1024) : 1;
    const within = nested && this.#hypervises(script, at);
    for (let index = 0; index < count; index += 1) {
      const spread = this.#lowering.frame.tasks.length;
      this.#lowering.frame.tasks.push({
        name: times ? `${name}[${index}]` : name,
        place: this.#lowering.place(at),
        vcpu: this.#vcpuOfGuest(vcpu, spread),
        any: vcpu.kind !== 'index',
        mode,
        nested: within,
        prio: prio ? numberOf(prio, this.#lowering.env) : 0,
        ops: script,
      });
    }
  }

  /** Whether the VM runs guests of its own, as `nested` asks: where it does not, the task is one like any other. */
  #hypervises(script: readonly TaskOp[], at: Node): boolean {
    const paging = this.#lowering.frame.parent?.value('paging');
    if (paging?.v !== 'word' || paging.value !== 'nested') return false;
    const foreign = script.find(({ op }) => !NESTED_OPS.includes(op));
    if (foreign)
      this.#lowering.report.error('range', {
        span: at.span,
        message: `a nested guest has no scheduler and no locks: '${foreign.op}' cannot be done there`,
        help: 'let it read, write and work, in loops',
      });
    return true;
  }

  /** `any` spreads where it starts: the first to vCPU 0, the next to vCPU 1. */
  #vcpuOfGuest(of: Expression, spread: number): number {
    const vcpus = this.#lowering.frame.parent?.number('vcpus', 1) ?? 1;
    if (of.kind !== 'index') return spread % vcpus;
    const id = numberOf(of.index, this.#lowering.env);
    if (id < 0 || id >= vcpus)
      this.#lowering.env.outOfRange(of, `the VM has ${vcpus} vCPU${vcpus === 1 ? '' : 's'}, numbered from 0`);
    return id;
  }

  /** A spinlock has the number of its name among those of the guest; the first to name it makes it. */
  spinlock(op: 'lock' | 'unlock', name: string): void {
    const { locks } = this.#guest();
    if (!locks.includes(name)) locks.push(name);
    this.#lowering.frame.ops.push({ op, lock: locks.indexOf(name) });
  }

  /** Tasks are numbered once all are known: see resolveForks(). */
  fork(name: string): void {
    const tasks: number[] = [];
    this.#forks.push({ name, tasks });
    this.#lowering.frame.ops.push({ op: 'fork', tasks });
  }

  /** The guest is whole: the tasks that its scripts start by name. */
  resolveForks(tasks: readonly TaskSpec[]): void {
    for (const fork of this.#forks.splice(0))
      tasks.forEach((task, number) => {
        if (task.name === fork.name || task.name.startsWith(`${fork.name}[`)) fork.tasks.push(number);
      });
  }

  idle(vcpu: Expression, at: Node): void {
    const { handler } = this.#lowering.inside(at);
    this.#lowering.frame.idles.push({ vcpu: this.#vcpuOfGuest(vcpu, 0), body: handler });
  }

  /** The block of the guest around a script. */
  #guest(): Frame {
    const { frame } = this.#lowering;
    return frame.parent ?? frame;
  }

  op(op: TaskOp): void {
    this.#lowering.frame.ops.push(op);
  }

  access(verb: 'read' | 'write', what: Expression, pattern: Expression | Word | null, rate: Expression | null): void {
    const heap_pages = heapPages(this.#lowering.frame);
    const range = rangeOf(what, this.#lowering.env, heap_pages);
    if (!range) {
      this.#noSuchPages(what);
      return;
    }
    if (range.first + range.pages > heap_pages)
      this.#lowering.env.outOfRange(what, `the heap has ${heap_pages} pages, numbered from 0`);
    const page = choiceOf(range, pattern, this.#lowering.env);
    this.#lowering.frame.ops.push({ op: verb, page, rate_per_s: rate ? numberOf(rate, this.#lowering.env) * 1e9 : 0 });
    this.#lowering.frame.handler.push({ op: verb, page: range.first });
  }

  #noSuchPages({ span }: Expression): void {
    this.#lowering.report.error('type', {
      span,
      message: 'a task cannot tell which pages these are',
      help: 'name them, such as heap.pages(0..7)',
    });
  }

  scan(what: Expression, step: Expression | null): void {
    const range = rangeOf(what, this.#lowering.env, heapPages(this.#lowering.frame));
    if (!range) {
      this.#noSuchPages(what);
      return;
    }
    const page = { kind: 'sequential', step: step ? numberOf(step, this.#lowering.env) : 1, ...range } as const;
    this.#lowering.frame.ops.push({ op: 'read', page, rate_per_s: 0 });
  }

  lasting(op: 'work' | 'sleep', time: Expression): void {
    const given = distributionOf(time, this.#lowering.env);
    this.#lowering.frame.ops.push({ op, time: given });
    if (op === 'work') this.#lowering.frame.handler.push({ op, ns: given.kind === 'fixed' ? given.ns : 0 });
  }

  loop(at: Node): void {
    const to = this.#nested(at);
    if (to === this.#lowering.frame.ops.length)
      this.#lowering.report.error('range', {
        span: at.span,
        message: 'a loop of nothing takes no time and never ends',
      });
    this.#lowering.frame.ops.push({ op: 'jump', to });
  }

  repeat(times: Expression, at: Node): void {
    const slot = this.#depth;
    if (slot >= REPEATS) {
      this.#lowering.report.error('range', { span: at.span, message: 'four repeats inside one another, not more' });
      return;
    }
    this.#depth += 1;
    const to = this.#nested(at);
    this.#depth = slot;
    this.#lowering.frame.ops.push({ op: 'repeat', slot, times: this.#count(times, 1e9), to });
  }

  /** How often or how many: a whole number, one at least. */
  #count(of: Expression, most: number): number {
    const count = numberOf(of, this.#lowering.env);
    if (Number.isInteger(count) && count >= 1 && count <= most) return count;
    this.#lowering.env.outOfRange(of, `a whole number from 1 to ${most}, not ${count}`);
    return 1;
  }

  /** The block of a loop, in the same program: jumps are to numbers of operations. */
  #nested(at: Node): number {
    const to = this.#lowering.frame.ops.length;
    for (const node of at.body) node.lower(node, this.#lowering);
    return to;
  }

  timer(name: string, period: Expression, vcpu: Expression, at: Node): void {
    const { handler } = this.#lowering.inside(at);
    this.#lowering.frame.timers.push({
      name,
      vcpu: this.#vcpuOfInterrupt(vcpu),
      period_ns: this.#lowering.period(period),
      body: handler,
    });
  }

  irq(name: string, vcpu: Expression, at: Node): void {
    const { handler } = this.#lowering.inside(at);
    this.#lowering.frame.irqs.push({ name, vcpu: this.#vcpuOfInterrupt(vcpu), body: handler });
  }

  /** Without a vCPU it is for the first; whatever stands in its block, the one NMI handler does. */
  nmi(name: string, period: Expression | null, vcpu: Expression | null, each: boolean, at: Node): void {
    const { frame } = this.#lowering;
    const vcpus = frame.parent?.number('vcpus', 1) ?? 1;
    frame.nmis.push({
      name,
      vcpus: each ? Array.from({ length: vcpus }, (_, id) => id) : [vcpu ? this.#vcpuOfGuest(vcpu, 0) : 0],
      period_ns: period ? this.#lowering.period(period) : null,
    });
    frame.nmi_handler.push(...this.#lowering.inside(at).handler);
  }

  /** Each timer and each interrupt of a vCPU has a vector of its own. */
  #vcpuOfInterrupt(of: Expression): number {
    const vcpu = this.#vcpuOfGuest(of, 0);
    const { timers, irqs } = this.#lowering.frame;
    if ([...timers, ...irqs].filter(each => each.vcpu === vcpu).length >= INTERRUPTS_PER_VCPU)
      this.#lowering.env.outOfRange(of, `a vCPU has ${INTERRUPTS_PER_VCPU} timers and interrupts at most`);
    return vcpu;
  }

  reschedule(): void {
    this.#lowering.frame.handler.push({ op: 'reschedule' });
  }
}

/** What `heap` says, or all of the VM's `ram`. */
export function heapPages(frame: Frame): number {
  for (let each: Frame | null = frame; each; each = each.parent) {
    for (const name of ['heap', 'ram']) if (each.expression(name)) return each.pages(name, DEFAULT_RAM_BYTES);
  }
  return DEFAULT_RAM_BYTES / PAGE_BYTES;
}

/** The guest that a block describes. */
export function guestOf(inside: Frame, heap_pages: number): VmSpec['guest'] {
  const preempt = inside.word('preempt', ['none', 'voluntary', 'full', 'rt'], 'voluntary');
  return {
    apf: inside.on('apf', true),
    // Up to 5.7 Linux asked for kernel mode too, if it could be preempted there.
    send_always: inside.on(
      'send_always',
      inside.env.knobs.notify === 'pf_both' && (preempt === 'full' || preempt === 'rt'),
    ),
    preempt,
    slot: inside.word('slot', ['token', 'ring'], 'ring'),
    on_not_present: inside.word('on_not_present', ['kernel', 'schedule', 'halt'], 'kernel'),
    paging: inside.on('paging', true),
    address_spaces: inside.word('address_spaces', ['shared', 'per_task'], 'shared'),
    page_tables: inside.word('page_tables', ['fixed', 'walked', 'swappable'], 'fixed'),
    tasks: inside.tasks,
    timers: inside.timers,
    irqs: inside.irqs,
    idles: inside.idles,
    locks: inside.locks,
    nmis: inside.nmis,
    nmi_handler: inside.nmi_handler,
    apf_in_nmi: inside.on('apf_in_nmi', false),
    apf_as_vmexit: inside.on('apf_as_vmexit', false),
    heap_pages,
    touched: inside.word('touched', ['all', 'none'], 'all'),
  };
}
