/**
 * The terms of the field, as this laboratory uses them: `apflab doc TERM` and docs/glossary.md.
 *
 * Only what no declaration explains. Knobs, statements, events, attributes, tracepoints and functions say themselves
 * what they are.
 */

export interface Term {
  readonly term: string;
  /** Other ways to write it. */
  readonly also?: readonly string[];
  readonly meaning: string;
  /** Where to read on: names that `apflab doc` knows. */
  readonly see?: readonly string[];
}

export const GLOSSARY: readonly Term[] = [
  {
    term: 'asynchronous page fault',
    also: ['apf', 'async pf', 'asynchronous'],
    meaning:
      'A fault on guest memory that the host has swapped out, handled without the vCPU thread sleeping for the read: a worker waits, and the vCPU runs something else or halts.',
    see: ['work item', 'token', 'synthetic halt', 'kvm_setup_async_pf'],
  },
  {
    term: 'not-present',
    also: ['page not present', 'not_present event'],
    meaning:
      'The first of the two events of an asynchronous fault: the page is not there yet. Told by #PF, if it is told.',
    see: ['ready', 'token', 'not_present', 'notify', 'deliver'],
  },
  {
    term: 'page ready',
    also: ['ready event'],
    meaning: 'The second event: the page of a token is there. By #PF up to 5.7, by an interrupt from 5.8.',
    see: ['ready', 'token', 'ready_event', 'notify'],
  },
  {
    term: 'token',
    meaning:
      'The number that pairs a ready event with its not-present event: a counter of the vCPU above bit 12, the number of the vCPU below. From 6.1 the counter part is never 0.',
    see: ['alloc_apf_token', 'shared area', 'broadcast'],
  },
  {
    term: 'broadcast',
    also: ['wake all', 'APF_BROADCAST'],
    meaning: 'A ready event with token 0xffffffff: wakes every parked task. Sent when the guest enables the mechanism.',
    see: ['kvm_async_pf_wakeup_all', 'destination', 'broadcast_token'],
  },
  {
    term: 'shared area',
    also: ['slot', 'apf area', 'struct kvm_vcpu_pv_apf_data'],
    meaning:
      '64 bytes of guest memory for each vCPU, shared with the host: flags, the reason of a #PF, and the token of a ready event. A token other than 0 is one that the guest has not taken yet.',
    see: ['token', 'ACK', 'dequeue'],
  },
  {
    term: 'ACK',
    also: ['MSR_KVM_ASYNC_PF_ACK'],
    meaning: 'The MSR that the guest writes once it has taken a token: the next completion may be delivered.',
    see: ['ack', 'completion_check'],
  },
  {
    term: 'work item',
    also: ['kvm_async_pf', 'item'],
    meaning:
      'A struct kvm_async_pf: one asynchronous fault from the queueing of the work until the vCPU thread frees it. A vCPU has at most 64.',
    see: ['done list', 'async_pf_execute', 'kvm_flush_and_free_async_pf_work'],
  },
  {
    term: 'done list',
    also: ['async_pf.done'],
    meaning: 'Where a worker puts a finished item, and the vCPU thread finds it. A term of the runnable predicate.',
    see: ['work item', 'wake', 'kvm_check_async_pf_completion'],
  },
  {
    term: 'kworker',
    also: ['worker'],
    meaning:
      'A host thread of the workqueue. It runs async_pf_execute() of an item, and sleeps there until the page is read.',
    see: ['async_pf_execute', 'work item'],
  },
  {
    term: 'vCPU thread',
    also: ['vCPU'],
    meaning:
      'The host thread that runs a processor of the guest through ioctl(KVM_RUN). While it sleeps, the processor stands still.',
    see: ['entry', 'mp_state'],
  },
  {
    term: 'queue',
    also: ['async_pf.queue'],
    meaning: 'All work items of a vCPU; those whose page is there are on the done list besides, or instead.',
    see: ['work item', 'done list', 'lists'],
  },
  {
    term: 'owed',
    meaning: 'A guest that was told not-present is owed a ready for that token. Until then its task is parked.',
    see: ['parked', 'token', 'lost wake-up'],
  },
  {
    term: 'mp_state',
    meaning:
      'The architectural state of a vCPU that user space can read and write: RUNNABLE, HALTED after HLT, and those of INIT and SIPI. Where the synthetic halt is kept there too, user space takes the one for the other (B01).',
    see: ['synthetic halt', 'synthetic', 'kvm_arch_vcpu_runnable'],
  },
  {
    term: 'synthetic halt',
    also: ['apf.halted', 'halted'],
    meaning:
      'The vCPU does not run until a page comes, though its guest never executed HLT. Other than with HLT the guest is not where it could take it: it is in the middle of an instruction.',
    see: ['mp_state', 'synthetic', 'halt', 'synthetic_halt'],
  },
  {
    term: 'runnable predicate',
    also: ['runnable'],
    meaning:
      'kvm_arch_vcpu_runnable(): whether a vCPU thread that is about to sleep has a reason not to. `apflab why` prints it.',
    see: ['kvm_arch_vcpu_runnable', 'runnable_requests', 'runnable_exception', 'wake'],
  },
  {
    term: 'lost wake-up',
    also: ['lost wake', 'owed completion'],
    meaning:
      'A thread sleeps and what it sleeps for has come: whoever made it true did not wake, or the sleeper looked before and slept after. `apflab why` names the waker that is missing.',
    see: ['runnable predicate', 'kick', 'block'],
  },
  {
    term: 'kick',
    also: ['kvm_vcpu_kick'],
    meaning: 'Waking a sleeping vCPU thread, or making a running one leave the guest so that it looks at its requests.',
    see: ['request', 'IPI'],
  },
  {
    term: 'request',
    also: ['KVM_REQ', 'vcpu->requests'],
    meaning:
      'A bit that makes a vCPU thread look at something before it enters the guest: APF_READY, APF_HALT, EVENT and others.',
    see: ['kick', 'kvm_make_request', 'request_order'],
  },
  {
    term: 'IPI',
    meaning: 'An interrupt from one host CPU to another; a kick sends one to a CPU that runs the guest.',
    see: ['kick'],
  },
  {
    term: 'entry',
    also: ['VM entry', 'exit', 'VM exit'],
    meaning: 'The way from host to guest, and back. What is done at every entry is what everybody pays for.',
    see: ['vcpu_enter_guest', 'completion_check'],
  },
  {
    term: 'GUP',
    also: ['get_user_pages'],
    meaning:
      'How the kernel takes a page of a process: finds it, or has it read. NOWAIT starts the read and does not wait.',
    see: ['get_user_pages', 'resolve'],
  },
  {
    term: 'TDP',
    also: ['EPT', 'NPT', 'two-dimensional paging'],
    meaning:
      'The second page table, from guest-physical to host-physical, walked by hardware; a missing entry is an exit.',
    see: ['gpa', 'kvm_tdp_mmu_map'],
  },
  { term: 'gva', meaning: 'Guest-virtual address: what a program in the guest uses.', see: ['gpa'] },
  { term: 'gpa', meaning: 'Guest-physical address: where the guest believes its memory to be.', see: ['gfn', 'TDP'] },
  {
    term: 'gfn',
    also: ['guest frame number'],
    meaning: 'The number of a guest-physical page: gpa >> 12.',
    see: ['gpa', 'gfn_probe'],
  },
  {
    term: 'hva',
    meaning: 'Host-virtual address: where the VMM has mapped a guest page in its own process.',
    see: ['memslot'],
  },
  { term: 'pfn', also: ['page frame number'], meaning: 'The number of a physical page of the host.', see: ['hva'] },
  {
    term: 'shadow paging',
    also: ['shadow tables', 'npt=0'],
    meaning:
      'Without TDP: for each address space of the guest the host keeps tables from linear address to host page, and fills them in fault by fault. Addresses in tracepoints are then guest-virtual.',
    see: ['TDP', 'paging64_page_fault', 'paging64_fetch'],
  },
  {
    term: 'address space',
    also: ['CR3', 'address_spaces'],
    meaning: 'The page tables of one process of the guest, by the register that names them.',
    see: ['gva', 'prefault_checks'],
  },
  {
    term: 'direct map',
    also: ['direct_map'],
    meaning:
      'A map from guest-physical addresses: TDP, or a guest with paging off. What an item remembers of its fault, so that its address is not looked up in another kind of map.',
    see: ['TDP', 'shadow paging', 'prefault_checks', 'cr0_pg'],
  },
  {
    term: 'TLB',
    meaning:
      'What a CPU remembers of its walks. Who takes a page away has every vCPU flush first. Modelled where a VM says `tlb on`.',
    see: ['notifier_flush'],
  },
  {
    term: 'memslot',
    meaning: 'A range of guest-physical memory and the place in the VMM that stands behind it: from gfn to hva.',
    see: ['gfn', 'hva'],
  },
  {
    term: 'invalidate_seq',
    also: ['mmu_invalidate_seq', 'mmu notifier'],
    meaning:
      'A counter that each unmapping by the host raises. A fault that found its page before and would map it after sees the counter changed, and is taken again.',
    see: ['kvm_tdp_mmu_map', 'mmu_notifier_invalidate_range_start'],
  },
  {
    term: 'read-ahead',
    also: ['swap-in cluster'],
    meaning:
      'The swap device reads neighbours of a page as well. With a window of one page NOWAIT has nothing to retry for.',
    see: ['swap_cluster_readahead', 'nowait_single_page'],
  },
  {
    term: 'LAPIC',
    meaning: "A CPU's interrupt controller. A ready event of 5.8 and later needs it switched on.",
    see: ['IRR', 'lapic_enable', 'dequeue'],
  },
  {
    term: 'IRR',
    meaning: 'Vectors that have been raised and that the guest has not begun to handle.',
    see: ['ISR', 'LAPIC'],
  },
  {
    term: 'ISR',
    meaning: 'Vectors in whose handlers the guest is, up to the end-of-interrupt.',
    see: ['IRR', 'LAPIC'],
  },
  {
    term: 'parked',
    meaning: 'A guest task that has taken a not-present event and does not run before the ready event of its token.',
    see: ['kvm_async_pf_task_wait', 'parks', 'token'],
  },
  {
    term: 'dummy',
    meaning:
      'What the guest leaves in its table when a ready event comes before its not-present one: the task will not park.',
    see: ['early_wake', 'parked'],
  },
  {
    term: 'prefault',
    meaning: 'Mapping a page for the guest before it tries again, so that the retry does not exit once more.',
    see: ['retry_before_entry', 'kvm_arch_async_page_ready'],
  },
  {
    term: 'variant',
    also: ['preset', 'protocol'],
    meaning: 'A version of the protocol: a value for each knob. Some ship, others a scenario declares.',
    see: ['knob'],
  },
  {
    term: 'knob',
    meaning: 'One way in which versions of the protocol differ, with its values. `apflab doc NAME` explains each.',
  },
  {
    term: 'run',
    also: ['case', 'cell'],
    meaning:
      'One case of a file, with one cell of its matrix, on one variant, from one seed: a value that repeats to the byte.',
    see: ['variant', 'step'],
  },
  {
    term: 'judgement',
    also: ['violation'],
    meaning:
      'What a scenario says must hold. One that does not, and that the file does not expect to fail, is a violation.',
    see: ['expect', 'always', 'never', 'eventually'],
  },
  {
    term: 'law',
    also: ['paranoid'],
    meaning:
      'What no version of the protocol can break. A broken one is a bug of apflab: --paranoid looks after every step.',
  },
  {
    term: 'step',
    meaning:
      'What a thread does that nobody can interrupt. It ends where the kernel drops a lock or others can look in.',
  },
  {
    term: 'quiescent',
    meaning:
      'Nothing can ever happen any more: no thread runs, nothing is due. A run ends there before its time is over.',
  },
  {
    term: 'interleaving',
    meaning:
      'The order in which the steps of several actors come. A run has the one that time picks; `apflab explore` tries all.',
    see: ['step', 'move', 'explore'],
  },
  {
    term: 'move',
    also: ['transition'],
    meaning:
      'What an exploration chooses: a thread takes its next step, or a source lets happen what is pending. A transition is a move and what follows it without a choice.',
    see: ['step', 'interleaving'],
  },
  {
    term: 'explored state',
    also: ['state space'],
    meaning:
      'What decides what can happen next, and what the judgements remember. Clocks and counters are no part of it, so two orders that make no difference lead to the same one.',
    see: ['fingerprint', 'move'],
  },
  {
    term: 'fingerprint',
    also: ['collision odds'],
    meaning:
      '64 bits that stand for an explored state. Two states that share one are taken for one: among n states with odds of about n^2 / 2^65, which the verdict states. --exact does without.',
    see: ['explored state'],
  },
  {
    term: 'preemption',
    also: ['context switch'],
    meaning:
      'A switch away from a thread that could go on. Few bugs need more than two, so --preemptions bounds a world that is too large for all orders.',
    see: ['interleaving', 'preemptions'],
  },
  {
    term: 'reduction',
    also: ['partial-order reduction'],
    meaning:
      'Leaving out orders, or telling fewer states apart, where nobody could notice a difference. The verdict is the same with --no-reduce.',
    see: ['persistent set', 'footprint'],
  },
  {
    term: 'footprint',
    meaning:
      'The fields that a step reads and writes, as the state itself reports them while an exploration goes on. Nobody writes them down.',
    see: ['persistent set', 'reduction'],
  },
  {
    term: 'persistent set',
    meaning:
      'Moves of a state of which it is enough to try these first: whatever the other actors may ever do touches nothing that these touch, so it can as well come after.',
    see: ['footprint', 'reduction'],
  },
  {
    term: 'budget of an exploration',
    also: ['0..k'],
    meaning:
      'How often something may happen that nobody has to let happen: a tick, an NMI, a lost kick. A verdict holds within its budgets and names them.',
    see: ['budget', 'faults', 'fairness'],
  },
  {
    term: 'fairness',
    also: ['weakly fair'],
    meaning:
      'Who could move all the time does so some time. It is assumed of threads, requests and timers that were set, or of whom `fair` names, and not of what a budget allows.',
    see: ['lasso', 'fair', 'budget of an exploration'],
  },
  {
    term: 'lasso',
    also: ['stem and cycle'],
    meaning:
      'A way to somewhere, and from there a way round: it shows that what was promised may never come. Every step of both is a real one.',
    see: ['fairness', 'eventually'],
  },
  {
    term: 'counterexample',
    also: ['witness'],
    meaning:
      'The moves that lead from the start to where a judgement fails. It is a run like any other: show, why, watch, replay, shrink and diff take it.',
    see: ['judgement', 'interleaving'],
  },
  {
    term: 'inconclusive',
    meaning: 'A bound was met before the verdict: nothing failed, and not everything was seen. Exit code 3.',
    see: ['preemption', 'budget of an exploration'],
  },
  {
    term: 'litmus test',
    also: ['litmus', 'herd'],
    meaning:
      'A race so small that all its ends can be counted: by outcome and by version, which are allowed and which forbidden.',
    see: ['outcome', 'quiescent'],
  },
];
