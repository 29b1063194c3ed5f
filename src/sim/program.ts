/**
 * What the simulator accepts: one Program is one file x case x matrix cell x variant, fully resolved.
 *
 * Plain data, no functions, no source text but for messages. The language targets it; a fuzzer or a
 * test may write one by hand. Names keep their spelling; everything else refers by index.
 */

import type { Entity, EventPattern, Expr } from './expr.ts';
import type { FairWord } from './fair.ts';
import type { LinkSpec, MigrationSpec } from './migrate/spec.ts';
import type { MemoryAct, UserfaultSpec } from './mm/spec.ts';
import type { OrderAct } from './ordered.ts';
import type { Knobs } from './protocol/knobs.ts';

/** Where something stands in the scenario, 1-based; for messages only. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The statement as written, on one line. */
  readonly text: string;
}

/** A latency or think time. Samples come from integer tables, so every platform draws the same bits. */
export type Distribution =
  | { readonly kind: 'fixed'; readonly ns: number }
  | { readonly kind: 'uniform'; readonly min_ns: number; readonly max_ns: number }
  | { readonly kind: 'exponential'; readonly mean_ns: number }
  | { readonly kind: 'pareto'; readonly min_ns: number; readonly shape: number }
  | { readonly kind: 'lognormal'; readonly p50_ns: number; readonly p99_ns: number }
  | { readonly kind: 'empirical'; readonly samples_ns: readonly number[] };

export interface SwapSpec {
  readonly name: string;
  readonly size_pages: number;
  readonly read: Distribution;
  readonly write: Distribution;
  /** Requests that the device serves at once. */
  readonly depth: number;
  /** Largest read-ahead window, a power of two: 1 << vm.page-cluster. */
  readonly readahead_pages: number;
  /** Chance that a read fails, in parts per million. */
  readonly error_ppm: number;
}

export interface HostSpec {
  readonly name: string;
  readonly place: Place;
  readonly cpus: number;
  readonly ram_pages: number;
  readonly workers: number;
  readonly isa: 'svm' | 'vmx';
  readonly swap: SwapSpec | null;
  /** How the host picks pages to evict: the oldest that nobody has used, or by a hand that goes round; with or without a window. */
  readonly reclaim: 'lru' | 'clock' | 'working_set';
  /** By working set: a page that was not used for longer is no part of it. */
  readonly reclaim_window_ns: number;
  /** What happens where nothing can be reclaimed: the OOM killer takes a VMM, or the run is worth nothing. */
  readonly oom: 'kill' | 'invalid';
  /** The module's parameter halt_poll_ns: how long a vCPU may poll at most before it sleeps; 0 for not at all. */
  readonly halt_poll_ns: number;
  /** Overrides of src/sim/cost.ts, by step or charge name. */
  readonly cost_ns: Readonly<Record<string, number>>;
}

export type PageChoice =
  | { readonly kind: 'page'; readonly page: number }
  | { readonly kind: 'uniform'; readonly first: number; readonly pages: number }
  | { readonly kind: 'zipf'; readonly theta_ppm: number; readonly first: number; readonly pages: number }
  | { readonly kind: 'sequential'; readonly first: number; readonly pages: number; readonly step: number }
  /** One after the other, and again. */
  | { readonly kind: 'listed'; readonly pages: readonly number[] };

/**
 * One guest operation. A program is a flat list; loops are jumps, so the task's program counter is one number.
 * `page` counts from the start of the heap. `rate_per_s` paces a read or write (0 = unpaced).
 */
export type TaskOp =
  | { readonly op: 'read' | 'write'; readonly page: PageChoice; readonly rate_per_s: number }
  | { readonly op: 'work' | 'sleep'; readonly time: Distribution }
  | { readonly op: 'jump'; readonly to: number }
  /** Counts the task's slot down; while it is not zero, goes back. Slots are numbered by nesting depth, 0..3. */
  | { readonly op: 'repeat'; readonly slot: number; readonly times: number; readonly to: number }
  | { readonly op: 'hlt' | 'cli' | 'sti' | 'mov_ss' | 'preempt_off' | 'preempt_on' | 'user' | 'kernel' | 'done' }
  | { readonly op: 'rcu_read_lock' | 'rcu_read_unlock' }
  /** A spinlock of the guest, by its place in GuestSpec.locks. */
  | { readonly op: 'lock' | 'unlock'; readonly lock: number }
  /** Starts the first of these tasks that does not run. */
  | { readonly op: 'fork'; readonly tasks: readonly number[] };

export interface TaskSpec {
  readonly name: string;
  readonly place: Place;
  readonly vcpu: number;
  /** `vcpu` is only where it starts: the guest may move it. */
  readonly any: boolean;
  readonly mode: 'user' | 'kernel';
  /** It is a guest of the guest: `mode` is its own privilege level, and a hypervisor in the guest runs it. */
  readonly nested: boolean;
  /** Of the tasks that could run, those with the highest go first. */
  readonly prio: number;
  readonly ops: readonly TaskOp[];
}

/** What an interrupt handler does, in order. */
export type HandlerOp =
  | { readonly op: 'work'; readonly ns: number }
  | { readonly op: 'reschedule' }
  | { readonly op: 'read' | 'write'; readonly page: number };

export interface TimerSpec {
  readonly name: string;
  readonly vcpu: number;
  readonly period_ns: number;
  readonly body: readonly HandlerOp[];
}

export interface IrqSpec {
  readonly name: string;
  readonly vcpu: number;
  readonly body: readonly HandlerOp[];
}

/** What one guest CPU does over and over when it has no task, before it executes HLT. */
export interface IdleSpec {
  readonly vcpu: number;
  readonly body: readonly HandlerOp[];
}

/** Where NMIs come from: the guest's watchdog, or the scenario under a name. */
export interface NmiSpec {
  readonly name: string;
  readonly vcpus: readonly number[];
  /** Null for one that comes when the scenario says so. */
  readonly period_ns: number | null;
}

export interface GuestSpec {
  readonly apf: boolean;
  readonly send_always: boolean;
  /**
   * How its kernel is built: `none` and `voluntary` do not count preemption, `full` and `rt` do, and may preempt a task in
   * kernel mode; under `rt` the allocator may sleep.
   */
  readonly preempt: 'none' | 'voluntary' | 'full' | 'rt';
  /** It reads ready tokens from a ring where the host has one; or knows the one word only. */
  readonly slot: 'token' | 'ring';
  /** `kernel`: what Linux of that version does; `halt`: STI;HLT in the handler, as kvm-unit-tests does. */
  readonly on_not_present: 'kernel' | 'schedule' | 'halt';
  /** CR0.PG at the start. Without it a linear address is a guest-physical one. */
  readonly paging: boolean;
  /** One set of page tables for all tasks, or one for each, in which the heap stands elsewhere. */
  readonly address_spaces: 'shared' | 'per_task';
  /** `fixed`: as at boot for good; `walked`: looked at in every access; `swappable`: their leaf tables may be reclaimed. */
  readonly page_tables: 'fixed' | 'walked' | 'swappable';
  readonly tasks: readonly TaskSpec[];
  readonly timers: readonly TimerSpec[];
  readonly irqs: readonly IrqSpec[];
  readonly idles: readonly IdleSpec[];
  readonly locks: readonly string[];
  readonly nmis: readonly NmiSpec[];
  /** What the one NMI handler does: whatever has been registered, in order. */
  readonly nmi_handler: readonly HandlerOp[];
  /** The guest asks for asynchronous faults in its NMI handler, and is made for them. */
  readonly apf_in_nmi: boolean;
  /** As a hypervisor it takes what its guests fault on as #PF exits: bit 2 of EN. */
  readonly apf_as_vmexit: boolean;
  readonly heap_pages: number;
  /** Whether the heap has been written before the run begins. */
  readonly touched: 'all' | 'none';
}

export interface VmSpec {
  readonly name: string;
  readonly place: Place;
  readonly host: number;
  /** The VM of which this is another incarnation, on a host that it may move to; null for one that starts here. */
  readonly incarnation_of: number | null;
  readonly ram_pages: number;
  /** The container's limit, or null for none. */
  readonly memory_limit_pages: number | null;
  /** Two-dimensional tables of the hardware, or shadows of the guest's own. */
  readonly paging: 'tdp' | 'shadow';
  /** How its guest, as a hypervisor, maps the memory of its own guests; only with `paging` tdp. */
  readonly nested: 'tdp' | 'shadow';
  readonly huge_pages: boolean;
  /** Whether the TLBs of its CPUs are modelled: then a missing flush is seen. */
  readonly tlb: boolean;
  /** Slots that the heap is divided into. */
  readonly memslots: number;
  readonly irqchip: 'kernel' | 'split' | 'user';
  /** LVT0 of the boot CPU's LAPIC: whether the line of the PIC gets through. */
  /** Which CPUs run from the start: the others wait for INIT and SIPI. */
  readonly startup: 'all' | 'bsp';
  readonly lvt0: 'extint' | 'masked';
  readonly hlt_exits: boolean;
  /** Which MSRs the VMM saves: all that KVM lists, or all but MSR_KVM_ASYNC_PF_INT (B34). */
  readonly saved_msrs: 'all' | 'without_apf_int';
  /** Its registers are encrypted: the host cannot tell user mode from kernel mode. */
  readonly protected_state: boolean;
  /** The VMM lets the host put its vCPUs into the synthetic halt, where a version asks (knob host_halt). */
  readonly host_halt: boolean;
  readonly vcpus: number;
  /** Host CPU for each vCPU thread, or null where the scheduler chooses. */
  readonly pin: readonly (number | null)[];
  /** Name of the variant, for reports; `knobs` is what counts. */
  readonly protocol: string;
  readonly knobs: Knobs;
  readonly guest: GuestSpec;
  readonly userfault: UserfaultSpec | null;
  /** Where guest memory has its contents when it is not in memory: nowhere but in swap, or in a file. */
  readonly backing: 'anonymous' | 'file';
}

// -- What happens ---------------------------------------------------------------------------------

export type Trigger =
  | { readonly kind: 'start' }
  | { readonly kind: 'at'; readonly ns: number }
  | { readonly kind: 'after'; readonly event: EventPattern; readonly plus_ns: number }
  /** Fires when the condition is first true at or after `from_ns`. */
  | { readonly kind: 'when'; readonly condition: Expr; readonly from_ns: number }
  | { readonly kind: 'every'; readonly period_ns: number; readonly from_ns: number; readonly until_ns: number | null }
  /** Nobody has to let it happen: an exploration may, as often as the group of that number allows. Never in a timed run. */
  | { readonly kind: 'budget'; readonly group: number };

/** Page numbers count from the start of the VM's heap. */
export type ActionOp =
  | { readonly op: 'evict'; readonly vm: number; readonly pages: readonly number[] }
  /** So many of the pages in memory, from the old end of the list or the young one. */
  | { readonly op: 'evict_part'; readonly vm: number; readonly from: 'cold' | 'hot'; readonly count: number }
  /** The task's next operation becomes this access; null: a host-side touch (as a GUP by the VMM would). */
  | {
      readonly op: 'touch';
      readonly vm: number;
      readonly task: number | null;
      readonly page: number;
      readonly write: boolean;
    }
  | {
      readonly op: 'irq';
      readonly vm: number;
      readonly vcpu: number;
      readonly irq: number;
      readonly via: 'lapic' | 'pic';
    }
  | { readonly op: 'smi' | 'pmi' | 'init' | 'sipi' | 'signal'; readonly vm: number; readonly vcpu: number }
  | { readonly op: 'nmi'; readonly vm: number; readonly vcpu: number; readonly name: string }
  | { readonly op: 'hold_event'; readonly event: EventPattern; readonly ns: number }
  | {
      readonly op: 'hold_actor';
      readonly actor: Entity;
      /** A step name of src/sim/steps.ts, or `before_entry`. */
      readonly step: string;
      readonly after: EventPattern | null;
      readonly until: EventPattern;
    }
  | { readonly op: 'release'; readonly actor: Entity }
  | {
      readonly op: 'fail';
      readonly vm: number;
      readonly what: 'alloc' | 'gup' | 'work' | 'swap_read' | 'token_write' | 'guest_alloc';
      readonly next: number;
    }
  | {
      readonly op: 'pending_exception';
      readonly vm: number;
      readonly vcpu: number;
      readonly state: 'none' | 'pending' | 'injected';
    }
  | { readonly op: 'interrupts'; readonly vm: number; readonly vcpu: number; readonly allowed: boolean }
  | {
      readonly op: 'lapic';
      readonly vm: number;
      readonly vcpu: number;
      readonly enabled: boolean;
      readonly for_ns: number | null;
    }
  | MemoryAct
  | OrderAct
  /** The VMM takes a memslot away, gives it back, or moves it to another place and back. 0 is the kernel's own area. */
  | {
      readonly op: 'memslot';
      readonly vm: number;
      readonly slot: number;
      readonly change: 'delete' | 'add' | 'move';
    }
  /** The guest kernel takes pages out of the address space of a task. */
  | { readonly op: 'guest_unmap'; readonly vm: number; readonly task: number; readonly pages: readonly number[] }
  /** The guest sets or clears CR0.PG of one of its CPUs. */
  | { readonly op: 'guest_paging'; readonly vm: number; readonly vcpu: number; readonly enabled: boolean }
  /** The guest writes the EN MSR of one of its CPUs: off, or on again. */
  | { readonly op: 'apf'; readonly vm: number; readonly vcpu: number; readonly enabled: boolean }
  /** The guest takes one of its CPUs out of use, or brings it back. */
  | { readonly op: 'guest_cpu'; readonly vm: number; readonly vcpu: number; readonly online: boolean }
  | { readonly op: 'get_mpstate'; readonly vm: number; readonly vcpu: number; readonly name: string }
  | {
      readonly op: 'set_mpstate';
      readonly vm: number;
      readonly vcpu: number;
      readonly state: 'RUNNABLE' | 'UNINITIALIZED' | 'INIT_RECEIVED' | 'HALTED' | 'SIPI_RECEIVED';
    }
  | { readonly op: 'pause' | 'resume' | 'query'; readonly vm: number }
  /** Keeps the state of a VM under a name, and so many of the latest; `restore` puts the latest but `back` in place. */
  | { readonly op: 'save'; readonly vm: number; readonly name: string; readonly keep: number }
  /** `on`: the host that it is to run on from then; null for wherever it is. */
  | { readonly op: 'restore'; readonly name: string; readonly back: number; readonly on: number | null }
  /** All vCPUs of a VM and its guest with them, or one vCPU as by INIT. */
  /** The guest starts another kernel in its place. */
  | { readonly op: 'kexec'; readonly vm: number }
  | { readonly op: 'reset'; readonly vm: number; readonly vcpu: number | null }
  | { readonly op: 'clear_queue'; readonly vm: number; readonly vcpu: number }
  /** The VMM closes the file descriptors of a VM, or its whole process is killed. */
  | { readonly op: 'end_vm'; readonly vm: number; readonly how: 'destroy' | 'kill' }
  | { readonly op: 'rmmod'; readonly host: number }
  | { readonly op: 'migrate' | 'cancel'; readonly migration: number }
  /** The link goes down, for a time or for good. */
  | { readonly op: 'cut'; readonly link: number; readonly for_ns: number | null }
  | { readonly op: 'mark'; readonly name: string };

export interface Action {
  readonly place: Place;
  readonly trigger: Trigger;
  readonly ops: readonly ActionOp[];
  /** Of `race`: explored, it happens at any point from its trigger on. */
  readonly raced?: true;
  /** Of `any`: of the actions with this number one happens. A timed run takes the one that the seed picks. */
  readonly choice?: number;
}

/** What the `explore` block of a file or a case asks for; null where it says nothing. */
export interface ExplorationSpec {
  readonly strategy: 'bfs' | 'dfs' | 'random' | 'pct' | null;
  readonly depth: number | null;
  readonly preemptions: number | null;
  readonly states: number | null;
  readonly symmetry: readonly ('vcpus' | 'pages' | 'workers' | 'tasks')[] | null;
  /** Of those that a file may name, who has to move some time if he could all the time; null for all but the guest. */
  readonly fair: readonly FairWord[] | null;
  /** What may happen and need not, at most so often: each of the acts, all together `times`. */
  readonly budgets: readonly {
    readonly what: string;
    readonly times: number;
    /** Of `tick` the timers of the guests, and so no acts. */
    readonly acts: readonly ActionOp[];
    readonly place: Place;
  }[];
  readonly probe: readonly ('save' | 'query')[];
  /** Steps at which alone a thread may be interrupted; null for all. */
  readonly yields: readonly string[] | null;
  readonly reaction: {
    readonly shrink: boolean;
    readonly show: readonly View[];
    readonly write: readonly string[];
    readonly exports: readonly ExportSpec[];
  };
  /** Judged in an exploration alone, beside those of the program; and what it alone is expected to find. */
  readonly judgements: readonly Judgement[];
  readonly expectations: readonly Expectation[];
}

export type View = 'story' | 'sequence' | 'table' | 'trace';

/** A file that a run is written to; without a path, one named for the scenario. */
export interface ExportSpec {
  readonly format: 'perfetto' | 'ftrace' | 'itf' | 'csv' | 'html' | 'svg';
  readonly path: string | null;
}

// -- Judgements -----------------------------------------------------------------------------------

export interface Judgement {
  readonly place: Place;
  /** As given before the colon, or made from kind and line. Unique in a program. */
  readonly name: string;
  readonly kind: 'expect' | 'always' | 'never' | 'eventually' | 'sometimes' | 'order';
  /** What must hold; for `order` the events in `order` instead. */
  readonly body: Expr;
  readonly order: readonly EventPattern[];
  /** Judged only inside: at one instant, by a deadline, or during a span. */
  readonly at_ns: number | null;
  readonly by_ns: number | null;
  readonly during_ns: readonly [number, number] | null;
  /** For each occurrence of `after`, within that time (null: by the end of the run). */
  readonly after: EventPattern | null;
  readonly within_ns: number | null;
  /** `A leads_to B`: each time A comes true, where it is no event and so not in `after`. */
  readonly onset: Expr | null;
  /** It looks no further than the first of these events. */
  readonly until: EventPattern | null;
  /** `for 1ms`: the condition must last that long to count. */
  readonly for_ns: number | null;
  /** What opens it: it looks from when this fires on, and `expect` judges at that moment. Null for the start of the run. */
  readonly opens: Exclude<Trigger, { readonly kind: 'start' }> | null;
}

/** `expect fail of NAME on variants [...] because`: already restricted to this program's variant. */
export interface Expectation {
  readonly place: Place;
  readonly of: string;
  readonly verdict: 'fail' | 'pass';
  readonly because: string;
}

export interface ReportColumn {
  readonly title: string;
  readonly value: Expr;
}

export interface Program {
  /** Times are taken away, for an exploration of orders: src/explore/untimed.ts. */
  readonly untimed?: true;
  readonly title: string;
  readonly file: string;
  readonly place: Place;
  readonly case_name: string;
  readonly tags: readonly string[];
  /** Parameters and matrix values of this cell, as text, in the order declared. */
  readonly params: Readonly<Record<string, string>>;
  /** What the command line must say besides variant and seed to get this run of its case, and no other. */
  readonly chosen: {
    /** The values of the cell, and of parameters that are not as the file has them. */
    readonly set: Readonly<Record<string, string>>;
    /** The case runs with several seeds, from `seed` on: the first that fails is the one. */
    readonly of_several: boolean;
  };
  readonly variant: string;
  readonly seed: number;
  /** Virtual time at which the run ends if nothing ends it before. */
  readonly limit_ns: number;
  readonly limit_steps: number;
  readonly hosts: readonly HostSpec[];
  readonly vms: readonly VmSpec[];
  readonly links: readonly LinkSpec[];
  readonly migrations: readonly MigrationSpec[];
  readonly actions: readonly Action[];
  /** A run to compare with: of the first so many actions, those of the file, without judgements. Null for none. */
  readonly baseline: { readonly names: readonly string[]; readonly actions: number } | null;
  readonly judgements: readonly Judgement[];
  readonly expectations: readonly Expectation[];
  readonly report: readonly ReportColumn[];
  /** What is to be seen of a run, whatever its verdict. */
  readonly shown?: { readonly views: readonly View[]; readonly exports: readonly ExportSpec[] };
  /** Null where neither file nor case has an `explore` block. */
  readonly exploration?: ExplorationSpec | null;
  /** For `apflab litmus`: what its final states are counted by. */
  readonly outcomes?: readonly RaceOutcome[];
  /** Of an untimed program: who moves when, in place of time. src/sim/scheduled.ts. */
  readonly schedule?: Schedule;
}

/** A way in which a race may end: what is so of the final state, or has happened on the way there. */
export interface RaceOutcome {
  readonly place: Place;
  readonly name: string;
  readonly condition: Expr;
}

/** One order of everything that happens, as an exploration has found it. */
export interface Schedule {
  /** A thread by its number, or behind all threads a source of events by its. */
  readonly moves: readonly number[];
  /** Whether anybody who has to move could go on behind the last. */
  readonly end: 'quiescent' | 'steps';
  /** How many of the last moves go round for ever, where what it breaks is a promise that is never kept. */
  readonly cycle?: number;
  /** Where somebody has chosen otherwise by hand: who moved at which step instead. */
  readonly branches?: readonly string[];
  /** The judgement that it breaks. */
  readonly breaks: string;
}
