/**
 * The real bugs of asynchronous page faults, B01 to B35: what each breaks, and why some have no story.
 *
 * A story is a scenario in scenarios/bugs whose name begins with the id. Numbers are those of std/invariants.apf.
 */

export interface Incident {
  readonly id: string;
  /** Invariants that it breaks. */
  readonly invariants: readonly number[];
  /** What it breaks besides, or instead. */
  readonly besides?: string;
  /** Of one without a story. */
  readonly outside?: { readonly title: string; readonly why: string };
}

export const INCIDENTS: readonly Incident[] = [
  { id: 'b01', invariants: [3, 5] },
  { id: 'b02', invariants: [6] },
  { id: 'b03', invariants: [], besides: 'what the trace says' },
  { id: 'b04', invariants: [], besides: 'the cost of a fault' },
  { id: 'b05', invariants: [], besides: 'efficiency: needless halts' },
  { id: 'b06', invariants: [1, 3] },
  { id: 'b07', invariants: [10] },
  { id: 'b08', invariants: [], besides: 'CR2 of the guest' },
  { id: 'b09', invariants: [1] },
  { id: 'b10', invariants: [2, 6] },
  { id: 'b11', invariants: [], besides: 'the host, then the start of VMs' },
  { id: 'b12', invariants: [], besides: 'what the VMM was promised' },
  { id: 'b13', invariants: [9] },
  { id: 'b14', invariants: [9] },
  { id: 'b15', invariants: [3] },
  {
    id: 'b16',
    invariants: [],
    besides: 'nothing in practice',
    outside: {
      title: 'The kick reads vcpu->cpu twice',
      why: 'A data race inside one expression: two loads of a field between which the vCPU moves. The kick is one step here, steps are sequentially consistent, and a step reads where a thread runs once; so there is no second load to differ.',
    },
  },
  { id: 'b17', invariants: [], besides: 'the memory of the guest' },
  { id: 'b18', invariants: [], besides: 'the memory of the guest' },
  { id: 'b19', invariants: [], besides: 'the memory of the guest' },
  { id: 'b20', invariants: [9] },
  { id: 'b21', invariants: [], besides: 'migration to an older host' },
  {
    id: 'b22',
    invariants: [],
    besides: 'the kind of a mapping',
    outside: {
      title: 'Prefault forgets the error code',
      why: 'Memory of a VM is of one kind here. The error code matters where pages are private or shared, and of protected guests only the unreadable privilege level is modelled.',
    },
  },
  { id: 'b23', invariants: [], besides: 'the progress of memory hot-remove' },
  { id: 'b24', invariants: [6] },
  { id: 'b25', invariants: [], besides: 'the latency of other faults' },
  { id: 'b26', invariants: [13] },
  { id: 'b27', invariants: [6, 15] },
  { id: 'b28', invariants: [14] },
  { id: 'b29', invariants: [1, 14] },
  { id: 'b30', invariants: [], besides: 'RCU of the guest' },
  { id: 'b31', invariants: [], besides: 'RCU of the guest' },
  { id: 'b32', invariants: [], besides: 'atomic sections and grace periods of the guest' },
  { id: 'b33', invariants: [], besides: 'the rules of PREEMPT_RT' },
  { id: 'b34', invariants: [1] },
  { id: 'b35', invariants: [2] },
];
