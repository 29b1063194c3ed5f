/** A picture made by hand, so that views and keys are tested without a machine. */
import { initialModel, type Model } from '../../src/tui/model.ts';
import { update } from '../../src/tui/update.ts';
import {
  PAGE_STATE_NAMES,
  type PageState,
  type StepRow,
  type TraceRow,
  type VcpuRow,
  type ViewModel,
  type Window,
} from '../../src/tui/view_model.ts';

/** All panes, small. */
export const WINDOW: Window = {
  first_vcpu: 0,
  vcpus: 4,
  selected_vcpu: 0,
  detail: true,
  trace_lines: 12,
  trace_end: null,
  trace_back: 0,
  filter: '',
  page_cells: 100,
  first_page: 0,
  fine_pages: false,
  judgements: 9,
  first_judgement: 0,
};

export function sampleVcpu(row: number): VcpuRow {
  const blocked = row % 3 === 1;
  return {
    row,
    name: `web/${row}`,
    runs: blocked ? 'blocked' : row % 3 === 2 ? 'kvm' : 'guest',
    cpu: blocked ? '' : `cpu ${row % 4}`,
    mp_state: row === 2 ? 'HALTED' : 'RUNNABLE',
    synthetic: blocked,
    task: row % 2 === 0 ? 'db' : 'shell',
    handlers: row === 2 ? '#PF>irq' : '',
    requests: blocked ? ['APF_READY', 'EVENT'] : [],
    queue: blocked ? 2 : 0,
    done: blocked ? 1 : 0,
    reason: blocked ? 'not runnable: apf.halted, done is empty, no interrupt' : 'runs: executes guest code',
  };
}

function traceRow(index: number): TraceRow {
  const kinds = [
    { name: 'kvm_exit', text: 'reason EXIT_npf rip 0x401000 info 100000004 0', label: '', role: 'plain' },
    {
      name: 'kvm_page_fault',
      text: 'vcpu 0 rip 0x401000 address 0x0000000001011000 error_code 0x4',
      label: 'gpa',
      role: 'warn',
    },
    { name: 'kvm_async_pf_not_present', text: 'token 0x1000 gva 0x1011000', label: 'gpa', role: 'apf' },
    { name: 'kvm_entry', text: 'vcpu 0, rip 0x401000', label: '', role: 'plain' },
  ] as const;
  return { time_ns: 100_000 + index * 1_250, who: 'CPU 0/KVM', pid: 4712, ...kinds[index % kinds.length]! };
}

export function sampleView(change: Partial<ViewModel> = {}, nr_vcpus = 1, trace_lines = 40): ViewModel {
  const cells: PageState[] = Array.from(
    { length: 400 },
    (_, page) => PAGE_STATE_NAMES[page < 300 ? 0 : page % PAGE_STATE_NAMES.length] ?? 'mapped',
  );
  const counts = { mapped: 312, dirty: 15, resident: 15, flight: 2, writing: 1, swapped: 43, untouched: 12 };
  return {
    kind: 'scenario',
    title: 'Halt only when the wait is real',
    choice: {
      cases: ['a slow page lets another task run', 'the gate'],
      cells: [''],
      variants: ['v6', 'linux_2_6_39'],
      case: 0,
      cell: 0,
      variant: 1,
    },
    time_ns: 1_204_500,
    end_ns: 20_000_000,
    position: 812,
    over: null,
    step: null,
    nr_vcpus,
    vcpus: Array.from({ length: nr_vcpus }, (_, row) => sampleVcpu(row)),
    selected: 'web/0',
    queues: [
      {
        label: 'queue',
        count: 2,
        items: [
          { role: 'warn', text: '0x1000:page 17 reading' },
          { role: 'apf', text: '0x2000:page 22 queued' },
        ],
      },
      { label: 'done', count: 0, items: [] },
      { label: 'swap', count: 1, items: [{ role: 'plain', text: 'page 17 1.1ms' }] },
      { label: 'owed', count: 1, items: [{ role: 'plain', text: 'db 0x1000' }] },
      { label: 'slot', count: null, items: [{ role: 'plain', text: 'free' }] },
      { label: 'requests', count: 1, items: [{ role: 'warn', text: 'APF_READY' }] },
      { label: 'LAPIC', count: null, items: [{ role: 'plain', text: 'on IRR ec ISR -' }] },
    ],
    why: [
      { text: 'mp_state is RUNNABLE and apf.halted is clear', value: false },
      { text: 'the done list is not empty', value: false },
    ],
    detail: [{ label: 'step', count: null, items: [{ role: 'plain', text: 'kvm_vcpu_block.schedule' }] }],
    trace: Array.from({ length: trace_lines }, (_, index) => traceRow(index)),
    nr_traced: 340,
    filter_error: null,
    pages: { vm: 'web', pages: 400, first: 0, pages_per_cell: 1, cells, counts, sampled: false },
    judgements: [
      {
        name: 'no_halt',
        kind: 'expect',
        line: 41,
        holds: 'no',
        changed_ns: 1_200_000,
        step: 800,
        reason: 'expected 0ns, found 5us',
      },
      { name: 'one_writer', kind: 'always', line: 70, holds: 'so far', changed_ns: null, step: null, reason: '' },
      { name: 'line 38', kind: 'eventually', line: 38, holds: 'undecided', changed_ns: null, step: null, reason: '' },
    ],
    nr_judgements: { yes: 0, no: 1, 'so far': 1, undecided: 1 },
    ...change,
  };
}

/** A step of a run that an exploration has found. */
export const SAMPLE_STEP: StepRow = {
  actor: 'kworker/0:1',
  at: 'async_pf_execute.done',
  text: 'completed(web.heap.page(17)); web.vcpu[0].done: 0 -> 1; wakes CPU 0/KVM',
  next: 'CPU 0/KVM',
  moves: 41,
  breaks: 'goes_on',
  cycle: 0,
};

/** A model as it is once the first picture has come. */
export function sampleModel(columns: number, rows: number, view: ViewModel = sampleView()): Model {
  const [model] = update(initialModel('scenarios/review-halt.apf', { columns, rows }), {
    on: 'view',
    view,
    arrived: true,
  });
  return model;
}

/** The model after some keys. */
export function pressing(model: Model, ...keys: readonly string[]): Model {
  return keys.reduce((before, key) => update(before, { on: 'key', key })[0], model);
}
