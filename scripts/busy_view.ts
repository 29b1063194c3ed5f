/** Pictures of a busy machine that never was: what the monitor is timed with, and nothing else. */
import { PAGE_STATE_NAMES, type VcpuRow, type ViewModel, type Window } from '../src/tui/view_model.ts';

const EVENTS = [
  {
    name: 'kvm_exit',
    text: 'vcpu 0 reason npf rip 0x401000 info1 0x0000000100000004 info2 0x0000000001011000 intr_info 0x00000000',
    label: '',
    role: 'host',
  },
  {
    name: 'kvm_page_fault',
    text: 'vcpu 0 rip 0x401000 address 0x0000000001011000 error_code 0x4',
    label: 'gpa',
    role: 'warn',
  },
  { name: 'kvm_async_pf_not_present', text: 'token 0x1000 gva 0x1011000', label: 'gpa', role: 'apf' },
  { name: 'kvm_entry', text: 'vcpu 0, rip 0x401000', label: '', role: 'guest' },
] as const;

/** The picture of a frame: a tenth of the vCPUs and of the pages differ from the frame before. */
export function busyView(frame: number, vcpus: number, window: Window): ViewModel {
  const changes = (row: number) => Math.floor((frame + row) / 10);
  const pages = Math.max(window.page_cells, 4096);
  const cells = Array.from(
    { length: window.page_cells },
    (_, cell) => PAGE_STATE_NAMES[(Math.floor(cell / 7) + changes(cell)) % PAGE_STATE_NAMES.length] ?? 'mapped',
  );
  return {
    kind: 'scenario',
    title: 'busy',
    choice: { cases: ['busy'], cells: [''], variants: ['linux_6_12'], case: 0, cell: 0, variant: 0 },
    time_ns: frame * 1_000_003,
    end_ns: 60e9,
    position: frame * 997,
    over: null,
    step: null,
    nr_vcpus: vcpus,
    vcpus: Array.from({ length: Math.min(window.vcpus, vcpus) }, (_, index) =>
      vcpu(window.first_vcpu + index, changes(index)),
    ),
    selected: 'web/0',
    queues: ['queue', 'done', 'swap', 'owed', 'slot', 'requests', 'LAPIC', 'events', 'workers'].map((label, index) => ({
      label,
      count: (frame + index) % 5,
      items: Array.from({ length: (frame + index) % 5 }, (_, item) => ({
        role: 'warn' as const,
        text: `0x${item}001:page ${item + frame} reading`,
      })),
    })),
    why: [],
    detail: [],
    trace: Array.from({ length: window.trace_lines }, (_, line) => ({
      time_ns: frame * 1_000_003 + line * 1_250,
      who: 'CPU 0/KVM',
      pid: 4712,
      ...EVENTS[(frame * 3 + line) % EVENTS.length]!,
    })),
    nr_traced: frame * 500,
    filter_error: null,
    pages: {
      vm: 'web',
      pages,
      first: 0,
      pages_per_cell: Math.ceil(pages / Math.max(1, window.page_cells)),
      cells,
      counts: { mapped: 9, dirty: 8, resident: 7, flight: 6, writing: 5, swapped: 4, untouched: 3 },
      sampled: false,
    },
    judgements: Array.from({ length: window.judgements }, (_, row) => ({
      name: `judgement_${row}`,
      kind: 'always',
      line: row,
      holds: row % 3 === 0 ? ('no' as const) : ('yes' as const),
      changed_ns: row * 1000,
      step: null,
      reason: row % 3 === 0 ? 'expected 0ns, found 5us' : '',
    })),
    nr_judgements: { yes: 4, no: 2, 'so far': 0, undecided: 0 },
  };
}

function vcpu(row: number, change: number): VcpuRow {
  const states = ['guest', 'kvm', 'blocked', 'ready'] as const;
  const runs = states[(row + change) % states.length] ?? 'guest';
  return {
    row,
    name: `web/${row}`,
    runs,
    cpu: runs === 'blocked' ? '' : `cpu ${row % 8}`,
    mp_state: runs === 'blocked' ? 'HALTED' : 'RUNNABLE',
    synthetic: runs === 'blocked',
    task: row % 2 === 0 ? 'db' : 'shell',
    handlers: runs === 'kvm' ? '#PF>irq' : '',
    requests: runs === 'blocked' ? ['APF_READY', 'EVENT'] : [],
    queue: change % 4,
    done: change % 2,
    reason: runs === 'blocked' ? `halted until page ${change} is there` : 'guest code, user',
  };
}
