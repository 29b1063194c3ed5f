/**
 * What is on the screen, as plain data: made once per frame from a machine (machine_view.ts) or from a recording
 * (recording_view.ts), cut to what the panes can show. Views read nothing else, so they are tested without a machine.
 *
 * All names in here are printable already: they come from scenarios and traces, which may hold anything.
 */
import type { Role } from './theme.ts';

/** What the thread of a vCPU is doing. */
export const RUN_STATES = {
  guest: { role: 'guest', summary: 'executes guest code' },
  kvm: { role: 'host', summary: 'on a host CPU, in the host kernel' },
  ready: { role: 'warn', summary: 'could run, waits for a host CPU' },
  blocked: { role: 'asleep', summary: 'asleep in kvm_vcpu_block()' },
  disk: { role: 'bad', summary: 'asleep until a page is read' },
  held: { role: 'warn', summary: 'held by the scenario' },
  off: { role: 'dim', summary: 'not started, or not seen yet' },
} as const satisfies Record<string, { readonly role: Role; readonly summary: string }>;
export type RunState = keyof typeof RUN_STATES;

/** Where a guest page is. The letter stands in the page map, also where there are colours. */
export const PAGE_STATES = {
  mapped: { letter: 'm', role: 'guest', summary: 'in the TDP tables' },
  dirty: { letter: 'd', role: 'good', summary: 'in the TDP tables and dirty' },
  resident: { letter: 'r', role: 'host', summary: 'in memory, not in the TDP tables' },
  flight: { letter: 'F', role: 'warn', summary: 'being read from swap' },
  writing: { letter: 'w', role: 'apf', summary: 'being written to swap' },
  swapped: { letter: 's', role: 'asleep', summary: 'in swap only' },
  untouched: { letter: '.', role: 'dim', summary: 'never touched' },
} as const satisfies Record<string, { readonly letter: string; readonly role: Role; readonly summary: string }>;
export type PageState = keyof typeof PAGE_STATES;
export const PAGE_STATE_NAMES = Object.keys(PAGE_STATES).filter((name): name is PageState =>
  Object.hasOwn(PAGE_STATES, name),
);

/** What the screen wants to see: everything below is cut to this. */
export interface Window {
  /** Row of the first vCPU shown, and how many. */
  readonly first_vcpu: number;
  readonly vcpus: number;
  readonly selected_vcpu: number;
  /** Whether the page with everything about the selected vCPU is open. */
  readonly detail: boolean;
  /** Lines of trace; the event before which they end, or null for now; matching ones to leave out there; the filter as typed. */
  readonly trace_lines: number;
  readonly trace_end: number | null;
  readonly trace_back: number;
  readonly filter: string;
  /** Cells of the page map and the first page in it; `fine`: one page for each cell. */
  readonly page_cells: number;
  readonly first_page: number;
  readonly fine_pages: boolean;
  readonly judgements: number;
  readonly first_judgement: number;
}

export interface VcpuRow {
  readonly row: number;
  readonly name: string;
  readonly runs: RunState;
  readonly cpu: string;
  readonly mp_state: string;
  /** The halt for a missing page, which is kept apart from mp_state. */
  readonly synthetic: boolean;
  readonly task: string;
  /** Guest handlers, outermost first, such as `#PF>irq`; empty where the task itself runs. */
  readonly handlers: string;
  readonly requests: readonly string[];
  readonly queue: number;
  readonly done: number;
  readonly reason: string;
}

export interface QueueItem {
  readonly role: Role;
  readonly text: string;
}
export interface QueueRow {
  readonly label: string;
  /** Number of items, or null where counting says nothing. */
  readonly count: number | null;
  readonly items: readonly QueueItem[];
}

export interface TraceRow {
  readonly time_ns: number;
  readonly who: string;
  /** 0 where the line is no event. */
  readonly pid: number;
  readonly name: string;
  readonly text: string;
  /** Of which kind the address in it is, which the record does not say; empty where there is none. */
  readonly label: string;
  readonly role: Role;
}

export interface PageMap {
  readonly vm: string;
  readonly pages: number;
  readonly first: number;
  readonly pages_per_cell: number;
  /** One state for each cell. */
  readonly cells: readonly PageState[];
  /** Of the pages looked at; `sampled`: these were not all. */
  readonly counts: Readonly<Record<PageState, number>>;
  readonly sampled: boolean;
}

export interface JudgementRow {
  readonly name: string;
  readonly kind: string;
  readonly line: number;
  /** `so far`: nothing has contradicted it yet, and only the end of the run can confirm it. */
  readonly holds: 'yes' | 'no' | 'so far' | 'undecided';
  readonly changed_ns: number | null;
  readonly step: number | null;
  readonly reason: string;
}

export interface WhyRow {
  readonly text: string;
  /** Null for what belongs to the row above, or to none. */
  readonly value: boolean | null;
}

/** Of a run in a given order: the step that was just taken, and what the order is for. */
export interface StepRow {
  /** Who took it; empty at the start. */
  readonly actor: string;
  /** The step, named for its kernel function; empty for a device or the scenario. */
  readonly at: string;
  /** What others can see of it; empty where they see nothing. */
  readonly text: string;
  /** Who is next; empty at the end. */
  readonly next: string;
  readonly moves: number;
  /** The judgement that the order breaks. */
  readonly breaks: string;
  /** How many of the last moves go round for ever; 0 for none. */
  readonly cycle: number;
}

/** Which of the runs of a file this is, and how many there are to choose from. */
export interface Choice {
  readonly cases: readonly string[];
  readonly cells: readonly string[];
  readonly variants: readonly string[];
  readonly case: number;
  readonly cell: number;
  readonly variant: number;
}

export interface ViewModel {
  readonly kind: 'scenario' | 'recording';
  readonly title: string;
  readonly choice: Choice;
  readonly time_ns: number;
  /** Where time ends: the limit of the run, or the last event of a recording. */
  readonly end_ns: number;
  /** Events so far. */
  readonly position: number;
  readonly over: string | null;
  /** Null where time chooses whose turn it is, and in a recording. */
  readonly step: StepRow | null;
  readonly nr_vcpus: number;
  readonly vcpus: readonly VcpuRow[];
  readonly selected: string;
  readonly queues: readonly QueueRow[];
  readonly why: readonly WhyRow[];
  readonly detail: readonly QueueRow[];
  readonly trace: readonly TraceRow[];
  /** Traced events so far. */
  readonly nr_traced: number;
  readonly filter_error: string | null;
  /** Null where a recording cannot tell. */
  readonly pages: PageMap | null;
  readonly judgements: readonly JudgementRow[];
  readonly nr_judgements: Readonly<Record<JudgementRow['holds'], number>>;
}
