/** The machines that the model is timed with: the workload of the published benchmark, in the three ways to run it. */
import type { Program, TaskSpec } from '../../src/sim/program.ts';
import { knobsOf } from '../../src/sim/protocol/presets.ts';

/** As the cover letters of 2010 name them: no asynchronous faults, halts that the guest knows nothing of, and both halves. */
export const MODES = ['master', 'nonpv', 'pv'] as const;
export type Mode = (typeof MODES)[number];

export interface Workload {
  readonly mode: Mode;
  readonly pages: number;
  /** What the container lets it have. */
  readonly frames: number;
  /** Mean service time of a read; the device does one at a time. */
  readonly service_ns: number;
  readonly sim_ns: number;
  /** Twice the pages where it is not given. */
  readonly swap_pages?: number;
}

const VCPUS = 4;
const TICK_NS = 1_000_000;
const place = { file: 'bench', line: 1, column: 1, text: '' };

/** On each of 4 vCPUs one task that touches pages at random and one that computes. */
export function workload({ mode, pages, frames, service_ns, sim_ns, swap_pages = 2 * pages }: Workload): Program {
  const protocol = mode === 'master' ? 'sync' : 'linux_6_12';
  const vcpus = Array.from({ length: VCPUS }, (_, vcpu) => vcpu);
  const tasks = vcpus.flatMap((vcpu): readonly TaskSpec[] => [
    {
      name: `faulting${vcpu}`,
      place,
      vcpu,
      any: false,
      prio: 0,
      mode: 'user',
      nested: false,
      ops: [
        { op: 'read', page: { kind: 'uniform', first: 0, pages }, rate_per_s: 0 },
        { op: 'jump', to: 0 },
      ],
    },
    {
      name: `working${vcpu}`,
      place,
      vcpu,
      any: false,
      prio: 0,
      mode: 'user',
      nested: false,
      ops: [
        { op: 'work', time: { kind: 'fixed', ns: 1e9 } },
        { op: 'jump', to: 0 },
      ],
    },
  ]);
  return {
    title: 'bench',
    file: 'bench',
    place,
    case_name: mode,
    tags: [],
    params: {},
    chosen: { set: {}, of_several: false },
    variant: protocol,
    seed: 1,
    limit_ns: sim_ns,
    limit_steps: Number.MAX_SAFE_INTEGER,
    hosts: [
      {
        name: 'host',
        place,
        cpus: VCPUS,
        ram_pages: frames + 4096,
        workers: 16,
        isa: 'svm',
        halt_poll_ns: 0,
        cost_ns: {},
        reclaim: 'lru',
        reclaim_window_ns: 10_000_000,
        oom: 'invalid',
        swap: {
          name: 'disk',
          size_pages: swap_pages,
          read: { kind: 'exponential', mean_ns: service_ns },
          write: { kind: 'fixed', ns: 0 },
          depth: 1,
          readahead_pages: 1,
          error_ppm: 0,
        },
      },
    ],
    vms: [
      {
        name: 'vm',
        place,
        host: 0,
        ram_pages: pages,
        memory_limit_pages: frames,
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
        vcpus: VCPUS,
        pin: vcpus.map(() => null),
        protocol,
        knobs: knobsOf(protocol),
        guest: {
          apf: mode === 'pv',
          send_always: false,
          preempt: 'voluntary',
          slot: 'ring',
          idles: [],
          locks: [],
          on_not_present: 'kernel',
          paging: true,
          address_spaces: 'shared',
          page_tables: 'fixed',
          tasks,
          timers: vcpus.map(vcpu => ({
            name: `tick${vcpu}`,
            vcpu,
            period_ns: TICK_NS,
            body: [{ op: 'reschedule' }],
          })),
          irqs: [],
          nmis: [],
          nmi_handler: [],
          apf_in_nmi: false,
          apf_as_vmexit: false,
          heap_pages: pages,
          touched: 'all',
        },
      },
    ],
    actions: [],
    judgements: [],
    expectations: [],
    baseline: null,
    links: [],
    migrations: [],
    report: [],
  };
}
