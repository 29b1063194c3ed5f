/**
 * The words of the field: what things have, what states they are in, which events happen, which functions measure.
 *
 * Checking, completion, `apflab help` and docs/language.md read these tables. What `needs` a later version checks now
 * and is refused when run.
 */
import type { EntityKind, ValueType } from '../sim/attributes/attribute.ts';
import { RECORD, RECORD_ADDRESS_KINDS } from '../sim/attributes/record.ts';
import { DESCRIPTIONS } from '../sim/attributes.ts';
import { OBSERVATIONS } from '../sim/observe.ts';
import { MP_STATE } from '../sim/schema.ts';
import { tracepoints } from '../trace/all.ts';
import { fieldNames } from '../trace/event.ts';
import type { Needs } from './statement.ts';
import { COUNT, DIMENSIONS } from './units.ts';
import {
  ADDRESS_KINDS,
  ANY,
  ANY_WORD,
  address,
  listOf,
  quantity,
  series,
  type ThingKind,
  TRUTH,
  type Type,
  thing,
  words,
} from './value_type.ts';

export interface Field {
  readonly type: Type;
  readonly summary: string;
  readonly needs?: Needs;
}

const count = quantity(COUNT);

export const MP_STATES = Object.keys(MP_STATE) as readonly (keyof typeof MP_STATE)[];
export const PAGINGS = ['tdp', 'shadow', 'nested', 'none'] as const;
export const IRQCHIPS = ['kernel', 'split', 'user'] as const;

const of = (type: Type, summary: string, waits: { readonly needs?: Needs } = {}): Field => ({
  type,
  summary,
  ...waits,
});

/** What the model declares about a kind of thing, in the words of the language. */
const MODELLED: Readonly<Partial<Record<ThingKind, EntityKind>>> = {
  host: 'host',
  swap: 'swap',
  vm: 'vm',
  vcpu: 'vcpu',
  task: 'task',
  page: 'page',
  irq: 'irq',
  timer: 'timer',
  nmi: 'nmi',
  nmi_state: 'nmi_state',
  thread: 'thread',
  handler: 'handler',
  work: 'work',
  saved: 'saved',
  migration: 'migration',
  link: 'link',
  ledger: 'ledger',
  saved_vcpu: 'saved_vcpu',
};

/** What the language adds: ways to name things, and what later versions model. */
const ADDED: Readonly<Partial<Record<ThingKind, Readonly<Record<string, Field>>>>> = {
  host: {
    swap: of(thing('swap'), 'Its swap device.'),
    worker: of({ t: 'indexed', of: 'thread' }, 'One of its kernel workers: `h0.worker[0]`.'),
  },
  vm: {
    vcpu: of({ t: 'indexed', of: 'vcpu' }, 'One vCPU: `web.vcpu[0]`.'),
    vmm: of(thing('thread'), 'The main thread of its VMM.'),
    task: of({ t: 'named', of: 'task' }, 'One task: `web.task.db`.'),
    nmi: of({ t: 'named', of: 'nmi' }, 'A sender of NMIs: `web.nmi.watchdog`.'),
    irq: of({ t: 'named', of: 'irq' }, 'One interrupt: `web.irq.disk`.'),
    timer: of({ t: 'named', of: 'timer' }, 'One timer: `web.timer.tick`.'),
    handler: of({ t: 'named', of: 'handler' }, 'Its userfault handler: `web.handler.pager`.'),
    heap: of(thing('heap'), 'The memory that tasks touch.'),
    page: of({ t: 'method', name: 'page', result: thing('page') }, 'A page of the heap, from 0: `web.page(3)`.'),
    pages: of({ t: 'method', name: 'pages', result: thing('pages') }, 'Pages of the heap: `web.pages(1..3)`.'),
    page_table: of(
      { t: 'method', name: 'page_table', result: thing('page') },
      'The page table that maps a page of the heap in the first address space, where tables are swappable: `web.page_table(17)`.',
    ),
  },
  heap: {
    page: of({ t: 'method', name: 'page', result: thing('page') }, 'One page, from 0: `web.heap.page(17)`.'),
    pages: of(
      { t: 'method', name: 'pages', result: thing('pages') },
      'Several: `web.heap.pages(0..7)`, `.pages(cold: 30%)`.',
    ),
  },
  record_address: {
    kind: of(words(...RECORD_ADDRESS_KINDS, 'known'), 'What the record says about the kind of its address.'),
  },
  entry: { checks_added: of(count, 'Checks on the way to an entry for the sake of asynchronous faults.') },
  plan: { migrate: of(ANY, 'The closed form of a migration.', { needs: 'sweeps' }) },
};

function typeOf(value: ValueType): Type {
  switch (value.t) {
    case 'quantity':
      return quantity(DIMENSIONS.find(each => each.program === value.dimension)?.dimension ?? COUNT);
    case 'truth':
      return TRUTH;
    case 'words':
      return words(...value.words);
    case 'address':
      return address(value.kind);
    case 'entity':
      return thing(value.kind);
  }
}

/** Every field of every tracepoint by its name, and what all records have. */
function recordFields(): Readonly<Record<string, Field>> {
  const all: Record<string, Field> = {};
  for (const { name } of tracepoints)
    for (const field of fieldNames(name)) {
      const kind = ADDRESS_KINDS.find(each => each === field);
      all[field] = of(kind ? address(kind) : count, 'A field of the tracepoint.');
    }
  for (const [name, { type, summary }] of Object.entries(RECORD)) {
    const known = type.t === 'record_address' ? thing('record_address') : type.t === 'name' ? ANY_WORD : typeOf(type);
    all[name] = of(known, summary);
  }
  return all;
}

const fields = new Map<ThingKind, Readonly<Record<string, Field>>>();

/** What a dot leads to. */
export function fieldsOf(kind: ThingKind): Readonly<Record<string, Field>> {
  const known = fields.get(kind);
  if (known) return known;
  const entity = MODELLED[kind];
  const all: Record<string, Field> = {};
  if (entity) {
    const { attributes, collections, series: samples } = DESCRIPTIONS[entity];
    for (const [name, { type, summary }] of Object.entries(attributes)) all[name] = of(typeOf(type), summary);
    for (const [name, each] of Object.entries(collections)) all[name] = of(listOf(thing(each.of)), each.summary);
    for (const [name, { dimension, summary }] of Object.entries(samples)) {
      const type = typeOf({ t: 'quantity', dimension });
      all[name] = of(type.t === 'quantity' ? series(type.dimension) : ANY, summary);
    }
  }
  if (kind === 'record') Object.assign(all, recordFields());
  Object.assign(all, ADDED[kind]);
  fields.set(kind, all);
  return all;
}

export interface State {
  /** Words that may stand in brackets behind it. */
  readonly args?: readonly string[];
  readonly summary: string;
  readonly needs?: Needs;
}

const ADDED_STATES: Readonly<Partial<Record<ThingKind, Readonly<Record<string, State>>>>> = {
  record_address: Object.fromEntries(
    ['known', ...RECORD_ADDRESS_KINDS].map(kind => [
      kind,
      { summary: kind === 'known' ? 'The record says which kind it is.' : `It is: ${kind}.` },
    ]),
  ),
};

/** What `is`, and for some `in`, may ask; null for a kind that has no states. */
export function statesOf(kind: ThingKind): Readonly<Record<string, State>> | null {
  const entity = MODELLED[kind];
  const states = { ...(entity ? DESCRIPTIONS[entity].states : {}), ...ADDED_STATES[kind] };
  return Object.keys(states).length > 0 ? states : null;
}

export interface EventKind {
  /** Kinds of its arguments in order; each may be left out from the right. */
  readonly args: readonly ArgumentKind[];
  readonly summary: string;
  readonly needs?: Needs;
}

export type ArgumentKind = ThingKind | 'mark';

export const EVENTS: Readonly<Record<string, EventKind>> = {
  ...OBSERVATIONS,
  deadlock: {
    args: [],
    summary:
      'Somebody waits, and nothing can end that: a lock cycle, as soon as it is closed; a lost wake, an owed completion, or nothing left that runs, when nothing can happen any more.',
  },
};

export interface Measure {
  readonly summary: string;
  readonly example: string;
  readonly needs?: Needs;
}

/** Functions; check_call.ts says what each takes and gives. */
export const FUNCTIONS: Readonly<Record<string, Measure>> = {
  count: {
    summary: 'How many: of a list, of an event so far, or of those for which a condition holds.',
    example: 'count(v in web.vcpus: v is runnable)',
  },
  sum: { summary: 'The sum of samples.', example: 'sum(web.stall)' },
  min: { summary: 'The smallest sample.', example: 'min(web.stall)' },
  max: { summary: 'The largest sample.', example: 'max(web.stall)' },
  mean: { summary: 'The mean of samples.', example: 'mean(web.stall)' },
  p50: { summary: 'The median.', example: 'p50(web.stall)' },
  p90: { summary: 'The value that 90 % of the samples do not exceed.', example: 'p90(web.stall)' },
  p95: { summary: 'The value that 95 % of the samples do not exceed.', example: 'p95(web.stall)' },
  p99: { summary: 'The value that 99 % of the samples do not exceed.', example: 'p99(web.stall)' },
  rate: { summary: 'How often an event happens.', example: 'rate(exit(web.vcpu[0]))' },
  max_time: {
    summary: 'The longest time for which a condition held without a break.',
    example: 'max_time(web.vcpu[0] is halted(synthetic))',
  },
  writers: { summary: 'The threads that have written a field.', example: 'writers(web.vcpu[0].mp_state)' },
  thread: { summary: 'The host thread of a vCPU.', example: 'thread(web.vcpu[0])' },
  worker: { summary: 'The kernel worker that runs a work item.', example: 'worker(cold)' },
  trace: { summary: 'The records of tracepoints, by name or pattern.', example: 'trace(kvm_async_pf_*)' },
  kind: { summary: 'The kind of an address.', example: 'kind(cold.gva)' },
  halts: { summary: 'How often vCPUs were halted synthetically, or by their own HLT.', example: 'halts(synthetic)' },
  ledger: {
    summary: 'What a VM’s guest was promised and has not got yet.',
    example: 'ledger(web)',
  },
  freed_once: {
    summary: 'Nothing of a kind has been freed that was not held: apf_items, pages.',
    example: 'freed_once(apf_items)',
  },
  leaked: {
    summary: 'How many of a kind nobody refers to any more, and nobody will free: apf_items, vms, pages.',
    example: 'leaked(apf_items)',
  },
  use_after_free: {
    summary: 'Something of a kind was used after it had been freed: apf_items, mm, vm, module_text.',
    example: 'use_after_free(mm)',
  },
  prev: {
    summary: 'The value before the last step.',
    example: 'prev(web.vcpu[0].mp_state)',
  },
  why: {
    summary: 'Why a vCPU runs or does not, as text, for reports.',
    example: 'why(web.vcpu[0])',
  },
};

/** Events, conditions and quantities have no other spelling. */
export const AGGREGATES = ['sum', 'min', 'max', 'mean', 'p50', 'p90', 'p95', 'p99'] as const;

export const DISTRIBUTIONS: Readonly<Record<string, Measure>> = {
  fixed: { summary: 'Always the same.', example: 'fixed(60us)' },
  uniform: { summary: 'Any value between two.', example: 'uniform(50us, 200us)' },
  exp: { summary: 'Exponential, by its mean.', example: 'exp(100us)' },
  lognormal: { summary: 'Log-normal, by median and 99th percentile.', example: 'lognormal(p50: 90us, p99: 2ms)' },
  empirical: {
    summary:
      'One of the values listed, or of those in a text file beside the scenario, `empirical("nvme.txt")`: one time on each line, with its unit, comments behind #; 100,000 at most.',
    example: 'empirical(80us, 90us, 1ms)',
  },
  pareto: { summary: 'Pareto, by minimum and shape, 1 at least.', example: 'pareto(50us, 2)' },
  any: {
    summary: 'Any value between two; explored, the end may come at any point, as with every latency.',
    example: 'any(1us, 1ms)',
  },
};
