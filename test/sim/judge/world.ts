/** A small world for judgements: machines driven by hand, and short spellings of programs. */

import type { Dimension, Entity, EventPattern, Expr } from '../../../src/sim/expr.ts';
import { asksForWriters } from '../../../src/sim/judge/anywhere.ts';
import { Judge } from '../../../src/sim/judge/judge.ts';
import type { End } from '../../../src/sim/judge/monitor.ts';
import { exprText } from '../../../src/sim/judge/text.ts';
import { createMachine, type Machine } from '../../../src/sim/machine.ts';
import { OBS } from '../../../src/sim/observe.ts';
import type { JudgementResult } from '../../../src/sim/outcome.ts';
import type { Judgement, Program, TaskSpec } from '../../../src/sim/program.ts';
import { knobsOf } from '../../../src/sim/protocol/presets.ts';
import { createPlace } from './place.ts';

export const US = 1000;
export const MS = 1_000_000;

const task = (name: string, vcpu: number): TaskSpec => ({
  name,
  place: createPlace(name),
  vcpu,
  any: false,
  prio: 0,
  mode: 'user',
  nested: false,
  ops: [{ op: 'done' }],
});

const NOTHING = {
  judgements: [],
  expectations: [],
  report: [],
  actions: [],
  baseline: null,
  links: [],
  migrations: [],
} as const;

/** One host, one VM called web with two vCPUs and three tasks on the first, 8 pages. */
export function programWith(parts: Partial<Program> = {}): Program {
  return {
    ...NOTHING,
    title: 'judge',
    file: 'judge.apf',
    place: createPlace('case'),
    case_name: 'by hand',
    tags: [],
    params: {},
    chosen: { set: {}, of_several: false },
    variant: 'linux_6_12',
    seed: 1,
    limit_ns: 10 * MS,
    limit_steps: 1000,
    hosts: [
      {
        name: 'h0',
        place: createPlace('host'),
        cpus: 1,
        ram_pages: 16,
        workers: 2,
        isa: 'svm',
        reclaim: 'lru',
        reclaim_window_ns: 10_000_000,
        oom: 'invalid',
        swap: {
          name: 'nvme',
          size_pages: 16,
          read: { kind: 'fixed', ns: 90 * US },
          write: { kind: 'fixed', ns: 90 * US },
          depth: 4,
          readahead_pages: 1,
          error_ppm: 0,
        },
        halt_poll_ns: 0,
        cost_ns: {},
      },
    ],
    vms: [
      {
        name: 'web',
        place: createPlace('vm'),
        host: 0,
        ram_pages: 8,
        memory_limit_pages: null,
        paging: 'tdp',
        nested: 'tdp',
        huge_pages: false,
        memslots: 1,
        tlb: false,
        userfault: null,
        backing: 'anonymous',
        irqchip: 'kernel',
        lvt0: 'extint',
        startup: 'all',
        hlt_exits: true,
        saved_msrs: 'all',
        protected_state: false,
        host_halt: true,
        incarnation_of: null,
        vcpus: 2,
        pin: [null, null],
        protocol: 'linux_6_12',
        knobs: knobsOf('linux_6_12'),
        guest: {
          apf: true,
          send_always: false,
          preempt: 'voluntary',
          slot: 'ring',
          idles: [],
          locks: [],
          on_not_present: 'kernel',
          paging: true,
          address_spaces: 'shared',
          page_tables: 'fixed',
          tasks: [task('db', 0), task('shell', 0), task('other', 1)],
          timers: [],
          irqs: [],
          nmis: [],
          nmi_handler: [],
          apf_in_nmi: false,
          apf_as_vmexit: false,
          heap_pages: 8,
          touched: 'all',
        },
      },
    ],
    ...parts,
  };
}

// -- Expressions ----------------------------------------------------------------------------------

export const entity = (kind: Entity['kind'], id: number, name: string): Entity => ({ kind, vm: 0, id, name });
export const VM = entity('vm', 0, 'web');
export const V0 = entity('vcpu', 0, 'web.vcpu[0]');
export const DB = entity('task', 0, 'db');
export const SHELL = entity('task', 1, 'shell');
export const COLD = entity('page', 3, 'cold');

export const the = (of: Entity): Expr => ({ k: 'entity', entity: of });
export const get = (of: Entity | Expr, name: string): Expr => ({ k: 'get', of: 'kind' in of ? the(of) : of, name });
export const all = (of: Entity | Expr, name: string): Expr => ({ k: 'all', of: 'kind' in of ? the(of) : of, name });
export const word = (value: string): Expr => ({ k: 'word', value });
export const number = (value: number, dim: Dimension = 'none'): Expr => ({ k: 'number', value, dim });
export const ns = (value: number): Expr => number(value, 'time');
export const variable = (name: string): Expr => ({ k: 'variable', name });
export const not = (of: Expr): Expr => ({ k: 'not', of });
export const bin = (left: Expr, op: Extract<Expr, { k: 'binary' }>['op'], right: Expr): Expr => ({
  k: 'binary',
  op,
  left,
  right,
});
export const is = (of: Entity | Expr, state: string, arg: string | null = null): Expr => ({
  k: 'is',
  of: 'kind' in of ? the(of) : of,
  state,
  arg,
});
export const each = (q: 'each' | 'some' | 'no' | 'count', name: string, over: Expr, body: Expr): Expr => ({
  k: 'quantifier',
  q,
  variable: name,
  over,
  body,
});
export const event = (name: string, ...args: (Entity | null)[]): EventPattern => ({ name, args, by: null });
export const happened = (of: EventPattern): Expr => ({ k: 'happened', event: of });
export const count = (of: EventPattern, window_ns: number | null = null): Expr => ({
  k: 'count_events',
  event: of,
  window_ns,
});
export const rate = (of: EventPattern, window_ns: number | null = null): Expr => ({
  k: 'rate_events',
  event: of,
  window_ns,
});
export const maxTime = (of: Expr): Expr => ({ k: 'max_time', of });
export const aggregate = (fn: Extract<Expr, { k: 'aggregate' }>['fn'], series: Expr): Expr => ({
  k: 'aggregate',
  fn,
  series,
});

let line = 10;
export function judgement(kind: Judgement['kind'], body: Expr, parts: Partial<Judgement> = {}): Judgement {
  line += 1;
  return {
    place: { ...createPlace(`${kind === 'order' ? 'expect order' : kind} a_name: ${exprText(body)}`), line },
    name: `${kind}_${line}`,
    kind,
    body,
    order: [],
    at_ns: null,
    by_ns: null,
    during_ns: null,
    after: null,
    within_ns: null,
    onset: null,
    until: null,
    for_ns: null,
    opens: null,
    ...parts,
  };
}

export const order = (...events: EventPattern[]): Judgement =>
  judgement('order', { k: 'bool', value: true }, { order: events });

// -- Driving --------------------------------------------------------------------------------------

/** A machine whose clock and steps are moved by hand. */
export class World {
  readonly m: Machine;
  readonly judge: Judge;

  constructor(program: Program) {
    const probe = { read: () => {}, write: (field: number, row: number) => this.judge?.wrote(field, row) };
    this.m = createMachine(program, asksForWriters(program) ? probe : null);
    this.m.clock.current_thread = 1000; // Nobody's: the scenario.
    this.judge = new Judge(this.m);
  }

  /** One step at a time: whatever is due before is judged, then the step changes and reports. */
  step(at_ns: number, change: (m: Machine, judge: Judge) => void = () => {}): this {
    this.judge.pass(at_ns);
    this.m.clock.now_ns = at_ns;
    this.m.clock.step += 1;
    change(this.m, this.judge);
    if (this.judge.needs.steps) this.judge.stepped();
    return this;
  }

  /** A step in which an observation is made. */
  see(at_ns: number, name: keyof typeof OBS, a: number, b = -1): this {
    return this.step(at_ns, (_, judge) => judge.observe(OBS[name], 0, a, b));
  }

  end(end: End = 'time'): readonly JudgementResult[] {
    this.judge.finish(end);
    return this.judge.results();
  }
}

/** The answer to one judgement after a run driven by hand. */
export function judged(of: Judgement, drive: (world: World) => void, end: End = 'time'): JudgementResult {
  const world = new World(programWith({ judgements: [of] }));
  drive(world);
  return world.end(end)[0]!;
}
