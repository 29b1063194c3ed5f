/**
 * The orders that real kernels were seen to print, each with the scenario that shows it in the model.
 *
 * `seen` begins with the words of the README of the recordings, so that a test can tell whether all of that is here.
 */
export interface OrderSeen {
  readonly seen: string;
  /** Each says it of one scenario: a case of it, and the names of the judgements that would fail otherwise. */
  readonly shown: readonly Shown[];
}

export interface Shown {
  readonly file: string;
  readonly case_name: string;
  readonly by: readonly string[];
}

const EVERY = 'scenarios/lines-per-fault.apf';
const RARE = 'scenarios/orders-seen.apf';
const NESTED = 'scenarios/nested-recorded.apf';
const BACK = 'scenarios/written-back.apf';
const NOT_TOLD = 'the guest is not told';

export const ORDERS_SEEN: readonly OrderSeen[] = [
  {
    seen: 'kvm_try_async_get_page: 6189 = not_present (5349) + repeated_fault (840), in each recording; it is printed just before either',
    shown: [
      { file: EVERY, case_name: 'paravirtual', by: ['tried', 'same_thread'] },
      { file: EVERY, case_name: NOT_TOLD, by: ['tried', 'tried_again'] },
    ],
  },
  {
    seen: 'kvm_async_pf_not_present lies between a kvm_exit (npf, or PF excp with shadow paging) with its kvm_page_fault and the next kvm_entry',
    shown: [
      { file: EVERY, case_name: 'paravirtual', by: ['outside', 'page_fault'] },
      { file: EVERY, case_name: 'paravirtual, with shadow tables', by: ['outside', 'page_fault'] },
    ],
  },
  {
    seen: 'Paravirtual, event wanted: kvm_inj_exception "#PF (0x0)" (error code 0, the token in CR2) follows in the same exit, before the next kvm_entry',
    shown: [{ file: EVERY, case_name: 'paravirtual', by: ['told', 'a_page_fault', 'in_cr2'] }],
  },
  {
    seen: 'Now and then the line comes again with "[reinjected]", before a kvm_entry that ends in "[immediate exit]"',
    shown: [
      {
        file: RARE,
        case_name: 'and after its #PF, where the entry is called off',
        by: ['again', 'at_once', 'together'],
      },
    ],
  },
  {
    seen: 'Not paravirtual, or kernel mode of a Linux guest: no #PF; the vCPU thread sleeps (sched_switch, where recorded) without a kvm_vcpu_wakeup line, until the page is ready or an interrupt comes',
    shown: [{ file: EVERY, case_name: NOT_TOLD, by: ['untold', 'asleep', 'silent'] }],
  },
  {
    seen: 'After an interrupt the guest runs its handler, comes back to the same instruction, and that gives try_async + repeated_fault',
    shown: [{ file: EVERY, case_name: NOT_TOLD, by: ['again', 'tried_again'] }],
  },
  {
    seen: "kvm_async_pf_completed is printed by a kworker thread (5349 of 5349), never by the vCPU's thread",
    shown: [{ file: EVERY, case_name: 'paravirtual', by: ['by_a_worker'] }],
  },
  {
    seen: 'two vCPUs had the same address outstanding',
    shown: [{ file: RARE, case_name: 'two vCPUs have one address outstanding', by: ['two', 'each'] }],
  },
  {
    seen: 'kvm_async_pf_ready is printed by the vCPU thread that had the not_present (5346 of 5346), between an exit and the next entry',
    shown: [{ file: EVERY, case_name: 'paravirtual', by: ['by_its_thread', 'between'] }],
  },
  {
    seen: '228 came before it (the other CPU was faster)',
    shown: [{ file: RARE, case_name: 'completed is printed after its ready', by: ['late', 'printed', 'was_ready'] }],
  },
  {
    seen: '173 were out of the order of the completed lines',
    shown: [
      {
        file: RARE,
        case_name: 'readies are out of the order of the completed lines',
        by: ['disordered', 'ordered', 'both'],
      },
    ],
  },
  {
    seen: 'A page may be ready in the very exit that found it missing: not_present, completed, ready and then #PF injected after all, before one kvm_entry (616 times, ready line before the #PF',
    shown: [
      {
        file: RARE,
        case_name: 'ready in the very exit that found the page missing, before its #PF',
        by: ['in_one', 'same_exit'],
      },
    ],
  },
  {
    seen: '14 times after it',
    shown: [
      { file: RARE, case_name: 'and after its #PF, where the entry is called off', by: ['called_off', 'same_exit'] },
    ],
  },
  {
    seen: 'Paravirtual ready: kvm_apic_accept_irq with vector 243 right after it; kvm_inj_virq of 0xf3 when the guest can take it. One at a time',
    shown: [{ file: EVERY, case_name: 'paravirtual', by: ['accepted', 'injected', 'one_at_a_time'] }],
  },
  {
    seen: "the next ready is printed inside the exit of the guest's write to MSR 0x4b564d07, before that exit's own kvm_msr line",
    shown: [{ file: RARE, case_name: 'the second ready is printed inside the exit of the ACK', by: ['inside'] }],
  },
  {
    seen: 'Ready for all (token 0xffffffff, gva 0x0): 17, after a write of MSR 0x4b564d02 that switches the mechanism on',
    shown: [
      { file: BACK, case_name: 'with nothing outstanding', by: ['told'] },
      { file: 'scenarios/enabled-again.apf', case_name: 'nothing is complete yet', by: ['both'] },
    ],
  },
  {
    seen: 'such a line came after the 4 pauses with nothing outstanding and after none of the 18 others',
    shown: [{ file: BACK, case_name: 'with a page that comes during the pause', by: ['not_told', 'answered'] }],
  },
  {
    seen: 'None when a stopped guest goes on in the same VMM',
    shown: [
      { file: BACK, case_name: 'saved, and continued in the same VMM', by: ['not_told', 'answered'] },
      { file: BACK, case_name: 'saved with nothing outstanding, and continued', by: ['not_told'] },
    ],
  },
  {
    seen: 'A nested guest with \'deliver as PF vmexit\' (mg-nested-pfvmexit): of 118 not_present 29 were followed by a "kvm_nested_vmexit_inject: reason: PF excp"',
    shown: [{ file: NESTED, case_name: 'told by a #PF exit, now and then', by: ['told'] }],
  },
  {
    seen: 'The 85 whose next line of the thread is kvm_entry were all lost (the guest never saw the token, but got its ready interrupt)',
    shown: [{ file: NESTED, case_name: 'told by a #PF exit, now and then', by: ['lost', 'answered'] }],
  },
  {
    seen: 'Tokens: (counter << 12) | vCPU number, the counter from 1 in each vCPU',
    shown: [
      { file: EVERY, case_name: 'paravirtual', by: ['in_turn'] },
      { file: RARE, case_name: 'two vCPUs have one address outstanding', by: ['numbered'] },
    ],
  },
  {
    seen: 'The field called gva is a guest-physical address (with nested paging), or the guest-linear one (with shadow paging, where gfn and gva differ)',
    shown: [
      { file: EVERY, case_name: 'paravirtual', by: ['physical'] },
      { file: EVERY, case_name: 'paravirtual, with shadow tables', by: ['linear'] },
    ],
  },
];
