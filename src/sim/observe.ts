/**
 * What can be said to have happened: the calls that scenarios use, such as `not_present(p)` or `switch_to(task)`.
 *
 * Declared once: the language checks names and arguments against this list, the model reports by its numbers, and
 * judgements match on it. Observing never changes the machine. Many have a tracepoint beside them; they are still
 * separate, since a tracepoint says what the kernel's record says and not which page or task it was about.
 */
import { numbered } from '../base/table.ts';

export type ArgumentKind = 'page' | 'vcpu' | 'task' | 'irq' | 'thread' | 'mark' | 'nmi';

export const OBSERVATIONS = {
  fault: { args: ['page'], summary: 'The guest touched a page that is not mapped; the vCPU has exited.' },
  guest_fault: {
    args: ['page'],
    summary: "The guest's own tables did not allow an access to the page: an ordinary #PF.",
  },
  wrong_page: {
    args: ['page'],
    summary: "An access to the page reached another one's memory.",
  },
  took_apf: { args: ['page'], summary: 'The fault was made asynchronous: a work item was set up.' },
  not_present: { args: ['page'], summary: 'Not-present was handled: the guest told, or the vCPU asked to halt.' },
  repeated: { args: ['page'], summary: 'A fault on a page that is already outstanding for this vCPU.' },
  completed: { args: ['page'], summary: 'A worker has put the item on the done list.' },
  ready: { args: ['page'], summary: 'The vCPU thread has taken the completion and reported it.' },
  broadcast: { args: ['vcpu'], summary: 'Ready for all tokens.' },
  dropped: { args: ['page'], summary: 'An item was thrown away without an event, its page having come first (2010).' },
  mapped: { args: ['page'], summary: 'The page was entered in the TDP tables.' },
  evicted: { args: ['page'], summary: 'The page was taken from the guest and is in swap.' },
  swap_submit: { args: ['page'], summary: 'A read of the page was given to the swap device.' },
  swap_wait: { args: ['page'], summary: 'A host thread went to sleep until the page is read.' },
  swap_read: { args: ['page'], summary: 'The swap device has read the page.' },
  userfault: { args: ['page'], summary: 'A host thread went to sleep until the userfault handler brings the page.' },
  copied: { args: ['page'], summary: 'The userfault handler has put the page in place: UFFDIO_COPY.' },
  merged: { args: ['page'], summary: 'The page shares the frame of another of the same contents: KSM.' },
  exit: { args: ['vcpu'], summary: 'VM exit.' },
  entry: { args: ['vcpu'], summary: 'VM entry.' },
  halt: { args: ['vcpu'], summary: 'The vCPU was marked halted for a missing page: the synthetic halt.' },
  unhalt: { args: ['vcpu'], summary: 'The synthetic halt ended.' },
  hlt: { args: ['vcpu'], summary: 'The guest executed HLT.' },
  blocked: { args: ['vcpu'], summary: 'The vCPU thread went to sleep in kvm_vcpu_block().' },
  woken: { args: ['vcpu'], summary: 'The vCPU thread left kvm_vcpu_block().' },
  kick: { args: ['vcpu'], summary: 'Somebody kicked the vCPU.' },
  ack: { args: ['vcpu'], summary: 'The guest wrote the ACK MSR.' },
  lapic_enabled: { args: ['vcpu'], summary: 'The LAPIC was enabled in software.' },
  injected: { args: ['vcpu'], summary: 'A not-present #PF was injected.' },
  double_fault: { args: ['vcpu'], summary: 'Two exceptions merged into #DF.' },
  irq: { args: ['irq'], summary: 'The guest has begun the handler of this interrupt or timer.' },
  runs: { args: ['vcpu', 'irq'], summary: 'The same, naming the vCPU as well.' },
  nmi: { args: ['nmi'], summary: 'The guest takes the NMI; the last of several that were sent takes all of them.' },
  nmi_during_apf: { args: ['vcpu'], summary: 'The guest takes an NMI in the handler of a not-present event.' },
  switch_to: { args: ['task'], summary: 'The guest scheduler has switched to the task.' },
  parks: { args: ['task'], summary: 'The task was parked on a token.' },
  wakes: { args: ['task'], summary: 'The task was made runnable again after being parked.' },
  resumes: {
    args: ['task'],
    summary:
      'The task has got the page it had faulted on and goes on, whether it was parked or its vCPU was halted meanwhile.',
  },
  progresses: { args: ['task'], summary: 'The task has finished an operation.' },
  done: { args: ['task'], summary: 'The task has ended.' },
  accesses: { args: ['task', 'page'], summary: 'The task has read or written the page.' },
  marked: { args: ['mark'], summary: "The scenario's own `mark`." },
  rcu_illegal_use: {
    args: ['vcpu'],
    summary: 'The guest used RCU on a CPU that RCU does not watch: "RCU used illegally from idle CPU!" (B30, B31).',
  },
  scheduling_while_atomic: {
    args: ['task'],
    summary: 'The guest put a task to sleep that held a spinlock, or had switched preemption off (B32).',
  },
  blocks_in_rcu: {
    args: ['task'],
    summary:
      'A task was put to sleep inside an RCU read-side section: no grace period ends before its page is there (B32).',
  },
  sleeping_in_atomic: {
    args: ['vcpu'],
    summary: 'The guest called an allocator that may sleep with a raw spinlock held (B33).',
  },
  handler_woken: { args: ['vcpu'], summary: 'A not-present handler that had executed HLT goes on.' },
  migrates: { args: ['task', 'vcpu'], summary: 'The guest moved the task to this CPU.' },
  offline: { args: ['vcpu'], summary: 'The guest took the CPU out of use.' },
  online: { args: ['vcpu'], summary: 'The guest brought the CPU back.' },
} as const satisfies Record<string, { readonly args: readonly ArgumentKind[]; readonly summary: string }>;

export type ObservationName = keyof typeof OBSERVATIONS;
export const OBSERVATION_NAMES = Object.keys(OBSERVATIONS) as readonly ObservationName[];

/** Numbers by name, for the model: `m.observe(OBS.ready, vm, page)`. */
export const OBS = numbered([
  'fault',
  'guest_fault',
  'wrong_page',
  'took_apf',
  'not_present',
  'repeated',
  'completed',
  'ready',
  'broadcast',
  'dropped',
  'mapped',
  'evicted',
  'swap_submit',
  'swap_wait',
  'swap_read',
  'userfault',
  'copied',
  'merged',
  'exit',
  'entry',
  'halt',
  'unhalt',
  'hlt',
  'blocked',
  'woken',
  'kick',
  'ack',
  'lapic_enabled',
  'injected',
  'double_fault',
  'irq',
  'runs',
  'nmi',
  'nmi_during_apf',
  'switch_to',
  'parks',
  'wakes',
  'resumes',
  'progresses',
  'done',
  'accesses',
  'marked',
  'rcu_illegal_use',
  'scheduling_while_atomic',
  'blocks_in_rcu',
  'sleeping_in_atomic',
  'handler_woken',
  'migrates',
  'offline',
  'online',
]);
