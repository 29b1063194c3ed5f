/** Programs made up from a seed: every kind of machine, guest, version and scenario that the language can ask for. */
import { below, type Stream, seedStream } from '../../src/base/rng.ts';
import type { Entity, EventPattern } from '../../src/sim/expr.ts';
import type { LinkSpec, MigrationSpec } from '../../src/sim/migrate/spec.ts';
import type { UserfaultSpec } from '../../src/sim/mm/spec.ts';
import { ORDERED_NAMES } from '../../src/sim/ordered.ts';
import type {
  Action,
  ActionOp,
  Distribution,
  GuestSpec,
  HandlerOp,
  HostSpec,
  PageChoice,
  Place,
  Program,
  TaskOp,
  Trigger,
  VmSpec,
} from '../../src/sim/program.ts';
import { isSetKnob, KNOB_NAMES, KNOBS, type Knobs } from '../../src/sim/protocol/knobs.ts';
import { knobsOf, PRESET_NAMES } from '../../src/sim/protocol/presets.ts';

const PLACE: Place = { file: 'random.apf', line: 1, column: 1, text: '' };

export interface Wishes {
  /** The preset that every VM runs, or `random` for any preset with some of its knobs turned. */
  readonly variant?: string;
  readonly limit_ns?: number;
  readonly limit_steps?: number;
}

/** Every name that `variant` of a wish may have. */
export const VARIANTS: readonly string[] = [...PRESET_NAMES, 'random'];

class Dice {
  readonly #stream: Stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };

  constructor(seed: number) {
    seedStream(this.#stream, seed, 'program');
  }

  /** An integer from the first to the last, both included. */
  from(first: number, last: number): number {
    return first + below(this.#stream, last - first + 1);
  }

  chance(percent: number): boolean {
    return this.from(1, 100) <= percent;
  }

  of<const T>(items: readonly T[]): T {
    const item = items[this.from(0, items.length - 1)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  some<T>(items: readonly T[]): readonly T[] {
    return items.filter(() => this.chance(50));
  }

  list<T>(most: number, make: (index: number) => T, least = 0): readonly T[] {
    return Array.from({ length: this.from(least, most) }, (_, index) => make(index));
  }
}

/** The same seed and wishes, the same program. */
export function randomProgram(seed: number, wishes: Wishes = {}): Program {
  const dice = new Dice(seed);
  const limit_ns = wishes.limit_ns ?? dice.of([300_000, 2_000_000, 10_000_000]);
  const variant = wishes.variant ?? dice.of(VARIANTS);
  const hosts = dice.list(2, index => randomHost(dice, index), 1);
  const vms = dice.list(3, index => randomVm(dice, index, hosts, variant), 1);
  const actions = dice.list(12, index => randomAction(dice, index, vms, limit_ns));
  const run_seed = dice.from(0, 1_000_000);
  const ends = dice.chance(25) ? [randomEnd(dice, vms, limit_ns)] : [];
  const monitored = dice.chance(50) ? randomMonitoring(dice, vms, limit_ns) : [];
  const moved = dice.chance(60) ? randomMove(dice, hosts, vms, limit_ns) : null;
  return {
    title: 'random',
    file: 'random.apf',
    place: PLACE,
    case_name: 'random',
    tags: [],
    params: {},
    chosen: { set: {}, of_several: false },
    variant,
    seed: run_seed,
    limit_ns,
    limit_steps: wishes.limit_steps ?? 20_000,
    hosts,
    vms: [...vms, ...(moved?.incarnations ?? [])],
    actions: [...actions, ...ends, ...monitored, ...(moved?.actions ?? [])],
    judgements: [],
    expectations: [],
    baseline: null,
    links: moved?.links ?? [],
    migrations: moved?.migrations ?? [],
    report: [],
  };
}

function randomTime(dice: Dice, mean_ns: number): Distribution {
  switch (dice.from(0, 5)) {
    case 0:
      return { kind: 'uniform', min_ns: dice.from(0, mean_ns), max_ns: mean_ns * 2 };
    case 1:
      return { kind: 'exponential', mean_ns };
    case 2:
      return { kind: 'lognormal', p50_ns: mean_ns, p99_ns: mean_ns * dice.from(1, 8) };
    case 3:
      return { kind: 'empirical', samples_ns: [mean_ns, 1, mean_ns * 3] };
    default:
      return { kind: 'fixed', ns: dice.chance(10) ? 0 : mean_ns };
  }
}

function randomHost(dice: Dice, index: number): HostSpec {
  const cpus = dice.from(1, 4);
  const ram_pages = dice.of([4, 16, 64, 256, 2048]);
  return {
    name: `h${index}`,
    place: PLACE,
    cpus,
    ram_pages,
    workers: dice.from(1, 4),
    isa: dice.of(['svm', 'vmx']),
    reclaim: dice.of(['lru', 'lru', 'lru', 'clock', 'working_set']),
    reclaim_window_ns: 100_000,
    oom: dice.chance(50) ? 'kill' : 'invalid',
    swap: dice.chance(92)
      ? {
          name: 's',
          size_pages: dice.of([1, 8, 64, 1024, 4096]),
          read: randomTime(dice, dice.of([1_000, 20_000, 90_000])),
          write: randomTime(dice, dice.of([1_000, 30_000])),
          depth: dice.from(1, 8),
          readahead_pages: dice.of([1, 2, 8, 64]),
          error_ppm: dice.chance(20) ? dice.of([1_000, 100_000, 1_000_000]) : 0,
        }
      : null,
    halt_poll_ns: dice.chance(20) ? dice.of([10_000, 200_000]) : 0,
    cost_ns: dice.chance(15) ? { guest_op: dice.from(0, 50), vcpu_run_guest: dice.from(0, 2_000), ipi: 0 } : {},
  };
}

function randomKnobs(dice: Dice): Knobs {
  let knobs = knobsOf(dice.of(PRESET_NAMES));
  for (let turns = dice.from(1, 8); turns > 0; turns -= 1) {
    const name = dice.of(KNOB_NAMES);
    const values: readonly string[] = KNOBS[name].values;
    knobs = { ...knobs, [name]: isSetKnob(name) ? dice.some(values) : dice.of(values) };
  }
  return knobs;
}

function randomVm(dice: Dice, index: number, hosts: readonly HostSpec[], variant: string): VmSpec {
  const host = dice.from(0, hosts.length - 1);
  const vcpus = dice.from(1, 4);
  const huge_pages = dice.chance(15);
  const heap_pages = huge_pages ? dice.of([512, 600, 1024]) : dice.of([1, 4, 16, 64, 200]);
  const cpus = hosts[host]?.cpus ?? 1;
  const irqchip = dice.of(['kernel', 'kernel', 'kernel', 'split', 'user']);
  const paging = huge_pages ? 'tdp' : dice.of(['tdp', 'tdp', 'shadow']);
  return {
    name: `vm${index}`,
    place: PLACE,
    host,
    ram_pages: heap_pages,
    memory_limit_pages: dice.chance(60)
      ? Math.max(1, Math.floor((heap_pages * dice.of([0, 1, 5, 9, 10, 15])) / 10))
      : null,
    paging,
    nested: dice.of(['tdp', 'shadow']),
    huge_pages,
    memslots: dice.of([1, 1, 3]),
    tlb: dice.chance(25),
    startup: vcpus === 3 ? 'bsp' : 'all',
    lvt0: dice.of(['extint', 'masked']),
    irqchip,
    hlt_exits: dice.chance(85),
    saved_msrs: 'all',
    protected_state: dice.chance(10),
    host_halt: dice.chance(80),
    incarnation_of: null,
    vcpus,
    pin: Array.from({ length: vcpus }, () => (dice.chance(30) ? dice.from(0, cpus - 1) : null)),
    protocol: variant,
    knobs: variant === 'random' ? randomKnobs(dice) : knobsOf(variant),
    guest: randomGuest(dice, vcpus, heap_pages, paging === 'tdp' && irqchip !== 'user' && dice.chance(30)),
    backing: dice.chance(15) && hosts[host]?.swap ? 'file' : 'anonymous',
    userfault: dice.chance(20) ? randomUserfault(dice, heap_pages) : null,
  };
}

function randomUserfault(dice: Dice, heap_pages: number): UserfaultSpec {
  const first_page = dice.from(0, heap_pages - 1);
  return {
    name: 'pager',
    latency: randomTime(dice, dice.of([1_000, 50_000])),
    first_page,
    pages: dice.from(1, heap_pages - first_page),
    threads: dice.from(1, 3),
  };
}

/** `hypervises`: some of its tasks are guests of its own. */
function randomGuest(dice: Dice, vcpus: number, heap_pages: number, hypervises: boolean): GuestSpec {
  const vcpu = () => dice.from(0, vcpus - 1);
  const body = () => dice.list(3, () => randomHandlerOp(dice, heap_pages));
  return {
    apf: dice.chance(85),
    send_always: dice.chance(30),
    preempt: dice.of(['none', 'voluntary', 'full', 'rt']),
    slot: dice.of(['token', 'ring', 'ring']),
    idles: dice.chance(30) ? [{ vcpu: vcpu(), body: body() }] : [],
    locks: ['a', 'b'],
    on_not_present: dice.of(['kernel', 'kernel', 'schedule', 'halt']),
    paging: !dice.chance(10),
    address_spaces: dice.of(['shared', 'shared', 'per_task']),
    page_tables: dice.of(['fixed', 'fixed', 'walked', 'swappable']),
    tasks: dice.list(6, index => {
      const nested = hypervises && dice.chance(50);
      return {
        name: `t${index}`,
        place: PLACE,
        vcpu: vcpu(),
        any: dice.chance(40),
        prio: dice.chance(20) ? dice.from(0, 3) : 0,
        mode: dice.of(['user', 'kernel']),
        nested,
        ops: nested ? randomOps(dice, heap_pages).map(op => within(dice, op)) : randomOps(dice, heap_pages),
      };
    }),
    timers: dice.list(3, index => ({
      name: `tick${index}`,
      vcpu: vcpu(),
      period_ns: dice.of([7_000, 50_000, 1_000_000]),
      body: body(),
    })),
    irqs: dice.list(2, index => ({ name: `irq${index}`, vcpu: vcpu(), body: body() })),
    nmis: dice.chance(30)
      ? dice.list(2, index => ({ name: `nmi${index}`, vcpus: [vcpu()], period_ns: dice.of([null, 9_000, 200_000]) }))
      : [],
    nmi_handler: body(),
    apf_in_nmi: dice.chance(30),
    apf_as_vmexit: dice.chance(50),
    heap_pages,
    touched: dice.chance(85) ? 'all' : 'none',
  };
}

function randomHandlerOp(dice: Dice, heap_pages: number): HandlerOp {
  switch (dice.from(0, 3)) {
    case 0:
      return { op: 'work', ns: dice.of([0, 1_000, 20_000]) };
    case 1:
      return { op: dice.of(['read', 'write']), page: dice.from(0, heap_pages - 1) };
    default:
      return { op: 'reschedule' };
  }
}

function randomChoice(dice: Dice, heap_pages: number): PageChoice {
  const first = dice.from(0, heap_pages - 1);
  const pages = dice.from(1, heap_pages - first);
  switch (dice.from(0, 3)) {
    case 0:
      return { kind: 'page', page: first };
    case 1:
      return { kind: 'zipf', theta_ppm: dice.of([500_000, 990_000, 1_200_000]), first, pages };
    case 2:
      return { kind: 'sequential', first, pages, step: dice.from(1, 9) };
    default:
      return { kind: 'uniform', first: 0, pages: heap_pages };
  }
}

/** A script as the language lowers it: straight on, with `repeat`s and at the end a loop or the end. */
function randomOps(dice: Dice, heap_pages: number): readonly TaskOp[] {
  const ops: TaskOp[] = [];
  const count = dice.from(1, 8);
  while (ops.length < count) ops.push(randomOp(dice, heap_pages, ops.length));
  return [...ops, dice.chance(80) ? { op: 'jump', to: dice.from(0, ops.length - 1) } : { op: 'done' }];
}

/** What a nested guest can do of that. */
function within(dice: Dice, op: TaskOp): TaskOp {
  switch (op.op) {
    case 'read':
    case 'write':
    case 'work':
    case 'jump':
    case 'repeat':
    case 'done':
      return op;
    default:
      return { op: dice.of(['hlt', 'cli', 'sti', 'user', 'kernel']) };
  }
}

function randomOp(dice: Dice, heap_pages: number, at: number): TaskOp {
  switch (dice.from(0, 13)) {
    case 0:
      return { op: 'work', time: randomTime(dice, 5_000) };
    case 1:
      return { op: 'sleep', time: randomTime(dice, 30_000) };
    case 2:
      return at === 0
        ? { op: 'done' }
        : { op: 'repeat', slot: dice.from(0, 3), times: dice.from(1, 5), to: dice.from(0, at - 1) };
    case 3:
      return { op: dice.of(['hlt', 'cli', 'sti', 'sti']) };
    case 4:
      return { op: dice.of(['preempt_off', 'preempt_on', 'user', 'kernel']) };
    case 5:
      return { op: dice.of(['lock', 'unlock', 'unlock']), lock: dice.from(0, 1) };
    case 6:
      return dice.chance(40) ? { op: 'fork', tasks: [0] } : { op: dice.of(['rcu_read_lock', 'rcu_read_unlock']) };
    default:
      return {
        op: dice.of(['read', 'write']),
        page: randomChoice(dice, heap_pages),
        rate_per_s: dice.chance(10) ? dice.of([1_000, 1_000_000]) : 0,
      };
  }
}

// -- What the scenario does -----------------------------------------------------------------------

const EVENTS = ['not_present', 'completed', 'ready', 'fault', 'mapped', 'swap_submit', 'evicted', 'took_apf'] as const;

function pageEvent(dice: Dice, vms: readonly VmSpec[]): EventPattern {
  const vm = dice.from(0, vms.length - 1);
  const page: Entity = { kind: 'page', vm, id: dice.from(0, (vms[vm]?.guest.heap_pages ?? 1) - 1), name: 'page' };
  return { name: dice.of(EVENTS), args: [dice.chance(50) ? page : null], by: null };
}

function randomTrigger(dice: Dice, vms: readonly VmSpec[], limit_ns: number): Trigger {
  switch (dice.from(0, 5)) {
    case 0:
      return { kind: 'start' };
    case 1:
      return { kind: 'after', event: pageEvent(dice, vms), plus_ns: dice.of([0, 1, 10_000]) };
    case 2:
      return {
        kind: 'every',
        period_ns: dice.of([3_000, 70_000]),
        from_ns: dice.from(0, limit_ns),
        until_ns: dice.chance(50) ? limit_ns : null,
      };
    default:
      return { kind: 'at', ns: dice.from(0, limit_ns) };
  }
}

function randomAction(dice: Dice, index: number, vms: readonly VmSpec[], limit_ns: number): Action {
  return {
    place: PLACE,
    trigger: randomTrigger(dice, vms, limit_ns),
    ops: dice.list(3, () => randomAct(dice, index, vms), 1),
  };
}

/** One of the VMs is destroyed or killed in the middle of it all. */
function randomEnd(dice: Dice, vms: readonly VmSpec[], limit_ns: number): Action {
  const vm = dice.from(0, vms.length - 1);
  const trigger: Trigger = { kind: 'at', ns: dice.from(0, limit_ns) };
  return { place: PLACE, trigger, ops: [{ op: 'end_vm', vm, how: dice.of(['destroy', 'kill']) }] };
}

/** What is asked of VMMs: some saves and what is done with them, looks, stops and resets. */
function randomMonitoring(dice: Dice, vms: readonly VmSpec[], limit_ns: number): readonly Action[] {
  const vm = dice.from(0, vms.length - 1);
  const vcpu = dice.from(0, (vms[vm]?.vcpus ?? 1) - 1);
  const keep = dice.from(1, 3);
  const at = (ops: readonly ActionOp[]): Action => ({
    place: PLACE,
    trigger: { kind: 'at', ns: dice.from(0, limit_ns) },
    ops,
  });
  const saves = dice.list(3, () => at([{ op: 'save', vm, name: 'snap', keep }]), 1);
  const others = dice.list(5, () => at([randomCommand(dice, vm, vcpu, keep)]));
  const back = dice.chance(70) ? [at([{ op: 'resume', vm }])] : [];
  return [...saves, ...others, ...back];
}

function randomCommand(dice: Dice, vm: number, vcpu: number, keep: number): ActionOp {
  switch (dice.from(0, 7)) {
    case 0:
      return { op: 'pause', vm };
    case 1:
      return { op: 'resume', vm };
    case 2:
      return { op: 'reset', vm, vcpu: dice.chance(50) ? vcpu : null };
    case 3:
      return { op: 'clear_queue', vm, vcpu };
    case 4:
      return { op: 'set_mpstate', vm, vcpu, state: dice.of(['RUNNABLE', 'HALTED']) };
    case 5:
      return { op: 'kexec', vm };
    case 6:
      return { op: 'query', vm };
    default:
      return { op: 'restore', name: 'snap', back: dice.from(0, keep - 1), on: null };
  }
}

interface Move {
  readonly incarnations: readonly VmSpec[];
  readonly links: readonly LinkSpec[];
  readonly migrations: readonly MigrationSpec[];
  readonly actions: readonly Action[];
}

/** One VM to another host, and perhaps back; cut, cancelled, or let be. Null where there is nowhere to go. */
function randomMove(dice: Dice, hosts: readonly HostSpec[], vms: readonly VmSpec[], limit_ns: number): Move | null {
  const vm = dice.from(0, vms.length - 1);
  const spec = vms[vm];
  if (!spec || hosts.length < 2 || spec.userfault) return null;
  const from = spec.host;
  const to = 1 - from;
  const into = { ...spec, host: to, incarnation_of: vm, memory_limit_pages: null, pin: spec.pin.map(() => null) };
  const link: LinkSpec = {
    name: 'lan',
    place: PLACE,
    from,
    to,
    bytes_per_s: dice.of([1_000_000, 125_000_000, 1_250_000_000]),
    latency_ns: dice.of([0, 1_000, 80_000]),
    loss_ppm: dice.chance(20) ? 100_000 : 0,
  };
  const way = (name: string, out_of: number, target: number, source: number): MigrationSpec => ({
    name,
    place: PLACE,
    vm,
    out_of,
    into: target,
    link: 0,
    mode: dice.of(['precopy', 'postcopy']),
    max_downtime_ns: dice.of([10_000, 300_000_000]),
    auto_converge: dice.chance(30) ? { start: 20, step: 10, max: 99 } : null,
    dirty_log:
      hosts[source]?.isa === 'vmx' ? dice.of(['write_protect', 'pml', 'ring']) : dice.of(['write_protect', 'ring']),
    postcopy_from_round: dice.chance(30) ? dice.from(1, 3) : null,
    give_up_ns: dice.chance(20) ? dice.of([10_000, 1_000_000]) : null,
  });
  const there = vms.length;
  const migrations = [way('there', vm, there, from), ...(dice.chance(50) ? [way('back', there, vm, to)] : [])];
  const at = (ns: number, op: ActionOp): Action => ({ place: PLACE, trigger: { kind: 'at', ns }, ops: [op] });
  const early = dice.from(0, Math.floor(limit_ns / 3));
  const cuts: readonly ActionOp[] = [
    { op: 'cut', link: 0, for_ns: dice.chance(70) ? dice.of([5_000, 400_000]) : null },
    { op: 'cancel', migration: 0 },
  ];
  return {
    incarnations: [into],
    links: [link],
    migrations,
    actions: [
      at(early, { op: 'migrate', migration: 0 }),
      ...(migrations.length > 1 ? [at(dice.from(early, limit_ns), { op: 'migrate', migration: 1 })] : []),
      ...(dice.chance(40) ? [at(dice.from(early, limit_ns), dice.of(cuts))] : []),
    ],
  };
}

/** What a scenario can hold: a vCPU, by itself or as its thread. */
function randomActor(dice: Dice, vms: readonly VmSpec[]): Entity {
  const vm = dice.from(0, vms.length - 1);
  return { kind: dice.of(['vcpu', 'thread']), vm, id: dice.from(0, (vms[vm]?.vcpus ?? 1) - 1), name: 'vcpu' };
}

const STEPS = [
  'before_entry',
  'userspace',
  'vcpu_run.tail',
  'kvm_vcpu_block',
  'kvm_vcpu_block.check',
  'kvm_vcpu_block.schedule',
  'kvm_vcpu_exit_request',
  'kvm_faultin_pfn',
  'kvm_setup_async_pf.schedule_work',
  'kvm_tdp_mmu_map',
  'kvm_arch_async_page_present.raise',
  'kvm_flush_and_free_async_pf_work',
  'kvm_clear_async_pf_completion_queue',
  'get_user_pages.wait',
  'guest',
] as const;

function randomAct(dice: Dice, index: number, vms: readonly VmSpec[]): ActionOp {
  const vm = dice.from(0, vms.length - 1);
  const spec = vms[vm];
  if (!spec) throw new Error('no VM');
  const { guest } = spec;
  const vcpu = dice.from(0, spec.vcpus - 1);
  const page = () => dice.from(0, guest.heap_pages - 1);
  switch (dice.from(0, 25)) {
    case 22:
      return {
        op: 'memslot',
        vm,
        slot: dice.from(0, vms[vm]?.memslots ?? 1),
        change: dice.of(['delete', 'add', 'move']),
      };
    case 19: {
      if (guest.tasks.length === 0) return { op: 'mark', name: `mark ${index}` };
      return { op: 'guest_unmap', vm, task: dice.from(0, guest.tasks.length - 1), pages: dice.list(4, page, 1) };
    }
    case 20:
      return { op: 'guest_paging', vm, vcpu, enabled: dice.chance(50) };
    case 0:
    case 1:
    case 2:
      return { op: 'evict', vm, pages: dice.list(30, page, 1) };
    case 3: {
      const task = guest.tasks.length > 0 && dice.chance(70) ? dice.from(0, guest.tasks.length - 1) : null;
      return { op: 'touch', vm, task, page: page(), write: dice.chance(50) };
    }
    case 4: {
      if (guest.irqs.length === 0) return { op: 'mark', name: `mark ${index}` };
      const irq = dice.from(0, guest.irqs.length - 1);
      if (dice.chance(30)) return { op: 'nmi', vm, vcpu: guest.irqs[irq]?.vcpu ?? 0, name: `n${index % 3}` };
      return { op: 'irq', vm, vcpu: guest.irqs[irq]?.vcpu ?? 0, irq, via: dice.of(['lapic', 'lapic', 'pic']) };
    }
    case 5:
      return {
        op: 'hold_event',
        event: { ...pageEvent(dice, vms), name: 'swap_read' },
        ns: dice.of([1_000, 400_000]),
      };
    case 6:
      return {
        op: 'hold_actor',
        actor: randomActor(dice, vms),
        step: dice.of(STEPS),
        after: dice.chance(50) ? pageEvent(dice, vms) : null,
        until: pageEvent(dice, vms),
      };
    case 7:
      return { op: 'release', actor: randomActor(dice, vms) };
    case 8:
      return {
        op: 'fail',
        vm,
        what: dice.of(['alloc', 'gup', 'work', 'swap_read', 'token_write', 'guest_alloc']),
        next: dice.from(1, 20),
      };
    case 9:
      return { op: 'pending_exception', vm, vcpu, state: dice.of(['none', 'pending', 'injected']) };
    case 10:
      return { op: 'interrupts', vm, vcpu, allowed: dice.chance(60) };
    case 11:
      return { op: 'lapic', vm, vcpu, enabled: dice.chance(50), for_ns: dice.chance(50) ? 50_000 : null };
    case 12:
      return dice.chance(60)
        ? { op: 'apf', vm, vcpu, enabled: dice.chance(50) }
        : { op: 'guest_cpu', vm, vcpu, online: dice.chance(50) };
    case 14:
      return { op: 'kill', vm };
    case 15:
      return { op: 'mmap', vm };
    case 24:
      return { op: 'truncate', vm, pages: dice.list(10, page, 1) };
    case 16:
      return { op: 'balloon', vm, pages: dice.list(30, page, 1) };
    case 21:
      return {
        op: 'order',
        vm,
        how: dice.of(['drop', 'duplicate', 'delay']),
        what: dice.of(ORDERED_NAMES),
        times: dice.from(1, 3),
        ns: dice.of([0, 1_000, 300_000]),
      };
    case 17:
      return { op: 'merge', vm, pages: dice.list(10, page, 1) };
    case 18:
      return { op: 'pin', vm, pages: dice.list(3, page, 1), pinned: dice.chance(40) };
    case 13:
      return { op: 'get_mpstate', vm, vcpu, name: dice.of(['a', 'b']) };
    default:
      return { op: 'mark', name: `mark ${index}` };
  }
}
