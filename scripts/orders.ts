/**
 * The order of events of each asynchronous page fault, as a grammar: from a recording or from a run of the model.
 *
 * Each token has one sentence: the exit that found its page missing, then whatever concerns this token, up to the guest's
 * acknowledgement. Two kernels that do the same print the same set of sentences. How often each comes depends on how
 * fast the disk and the CPUs are; which ones can come does not.
 */

import { field, is, type TraceEvent } from '../src/trace/event.ts';
import { SVM_EXIT_REASONS } from '../src/trace/names.ts';

const APF_VECTOR = 0xf3;
const PF_VECTOR = 14;
const MSR_KVM_ASYNC_PF_ACK = 0x4b564d07;
export const BROADCAST = 0xffff_ffff;

export interface Orders {
  /** Each sentence and how often it came, the most frequent first. */
  readonly sentences: ReadonlyMap<string, number>;
  /** In which exit of its vCPU a ready was printed. */
  readonly readyIn: ReadonlyMap<string, number>;
  /** Events by name. */
  readonly events: ReadonlyMap<string, number>;
  /** Tokens that were still open at the end: their sentences are cut short and not counted. */
  readonly open: number;
  readonly broadcasts: number;
}

interface Fault {
  readonly gva: unknown;
  readonly token: unknown;
  readonly words: string[];
  /** Still in the exit that found the page missing. */
  in_exit: boolean;
  injected: boolean;
  completed: boolean;
  /** Its ready came in that exit, and no interrupt with it. */
  silent: boolean;
  acknowledged: boolean;
}

/** What is known of one vCPU thread between two of its lines. */
interface Thread {
  /** Words since the exit, that will begin the sentence of a fault found in it. */
  prefix: string[];
  reason: string;
  /** Faults of this thread whose sentence goes on. */
  faults: Fault[];
  /** The readies that were printed in this exit. */
  readies: number;
  /** The fault whose ready was the last, for the interrupt that tells of it. */
  told: Fault | null;
  /** A fault that nobody was told of, and whose ready was the line before: an interrupt may tell of that all the same. */
  untold: Fault | null;
}

function count(map: Map<string, number>, key: string, by = 1): void {
  map.set(key, (map.get(key) ?? 0) + by);
}

function byFrequency(map: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...map].sort(([a, n], [b, k]) => k - n || (a < b ? -1 : 1)));
}

const REASONS = new Map(SVM_EXIT_REASONS);

export class OrderReader {
  readonly #threads = new Map<number, Thread>();
  readonly #sentences = new Map<string, number>();
  readonly #readyIn = new Map<string, number>();
  readonly #events = new Map<string, number>();
  readonly #open: Fault[] = [];
  #broadcasts = 0;

  /** The next event, in the order of the trace. */
  read(event: TraceEvent): void {
    count(this.#events, event.name);
    if (is(event, 'kvm_async_pf_completed')) this.#completed(event);
    const known = this.#threads.get(event.pid);
    if (known) this.#ofVcpu(event, known);
    else if (is(event, 'kvm_exit') || is(event, 'kvm_entry')) {
      const thread: Thread = { prefix: [], reason: '', faults: [], readies: 0, told: null, untold: null };
      this.#threads.set(event.pid, thread);
      this.#ofVcpu(event, thread);
    }
  }

  /** An event that nobody declared: it counts, no more. */
  pass(name: string): void {
    count(this.#events, name);
  }

  finish(): Orders {
    return {
      sentences: byFrequency(this.#sentences),
      readyIn: byFrequency(this.#readyIn),
      events: byFrequency(this.#events),
      open: this.#open.length,
      broadcasts: this.#broadcasts,
    };
  }

  #completed(event: TraceEvent<'kvm_async_pf_completed'>): void {
    const gva = field(event, 'gva');
    const fault = this.#open.find(each => each.gva === gva && !each.completed);
    if (!fault) return;
    fault.completed = true;
    fault.words.push(event.comm.startsWith('kworker/') ? 'completed' : `completed by ${event.comm}`);
    for (const thread of this.#threads.values()) if (thread.faults.includes(fault)) this.#close(thread);
  }

  #ofVcpu(event: TraceEvent, thread: Thread): void {
    this.#endUntold(event, thread);
    if (is(event, 'kvm_exit')) {
      thread.reason = REASONS.get(Number(field(event, 'exit_reason'))) ?? String(field(event, 'exit_reason'));
      thread.prefix = [`exit ${thread.reason}`];
      this.#countReadies(thread, 'another exit for msr');
    } else if (is(event, 'kvm_nested_vmexit')) thread.prefix.push('of L2');
    else if (is(event, 'kvm_nested_vmexit_inject')) this.#toL1(event, thread);
    else if (is(event, 'kvm_page_fault')) thread.prefix.push('page_fault');
    else if (is(event, 'kvm_try_async_get_page')) thread.prefix.push('try_async');
    else if (is(event, 'kvm_async_pf_repeated_fault')) this.#repeated(field(event, 'gva'), thread);
    else if (is(event, 'kvm_async_pf_not_present')) this.#notPresent(event, thread);
    else if (is(event, 'kvm_inj_exception')) this.#exception(event, thread);
    else if (is(event, 'kvm_async_pf_ready')) this.#ready(event, thread);
    else if (is(event, 'kvm_apic_accept_irq') && field(event, 'vec') === APF_VECTOR) this.#tell(thread, 'accept_irq');
    else if (is(event, 'kvm_inj_virq') && field(event, 'vector') === APF_VECTOR && !field(event, 'reinjected'))
      this.#tell(thread, 'inj_virq');
    else if (is(event, 'kvm_msr') && field(event, 'ecx') === MSR_KVM_ASYNC_PF_ACK) this.#acknowledge(thread);
    else if (is(event, 'kvm_entry')) this.#entry(event, thread);
  }

  #notPresent(event: TraceEvent<'kvm_async_pf_not_present'>, thread: Thread): void {
    const fault: Fault = {
      gva: field(event, 'gva'),
      token: field(event, 'token'),
      words: [...thread.prefix, 'not_present'],
      in_exit: true,
      injected: false,
      completed: false,
      silent: false,
      acknowledged: false,
    };
    thread.faults.push(fault);
    this.#open.push(fault);
  }

  /** The same page again: a halted vCPU was woken by an interrupt and came back to the instruction. */
  #repeated(gva: unknown, thread: Thread): void {
    const fault = thread.faults.find(each => each.gva === gva && !each.in_exit);
    if (fault && fault.words.at(-1) !== 'repeated*') fault.words.push('repeated*');
  }

  #exception(event: TraceEvent<'kvm_inj_exception'>, thread: Thread): void {
    if (field(event, 'exception') !== PF_VECTOR) return;
    const fault = thread.faults.find(each => each.in_exit);
    if (!fault || (field(event, 'reinjected') && fault.words.at(-1) === '#PF again')) return;
    fault.injected = true;
    fault.words.push(field(event, 'reinjected') ? '#PF again' : '#PF');
  }

  #entry(event: TraceEvent<'kvm_entry'>, thread: Thread): void {
    for (const fault of thread.faults) {
      if (!fault.in_exit) continue;
      fault.words.push(field(event, 'immediate_exit') ? 'entry!' : 'entry');
      fault.in_exit = false;
      // Nothing was injected: the guest is not told, and ready is the end of it.
      if (fault.silent) fault.acknowledged = true;
    }
    this.#close(thread);
  }

  #ready(event: TraceEvent<'kvm_async_pf_ready'>, thread: Thread): void {
    if (field(event, 'token') === BROADCAST) {
      this.#broadcasts += 1;
      thread.told = null;
      return;
    }
    const fault = thread.faults.find(each => each.token === field(event, 'token'));
    if (!fault) return;
    fault.words.push('ready');
    thread.told = fault;
    // Whether it is the exit of an acknowledgement shows only at its end.
    if (thread.reason === 'msr') thread.readies += 1;
    else count(this.#readyIn, fault.in_exit ? 'the exit that found the page missing' : `an exit for ${thread.reason}`);
    if (!fault.injected) thread.untold = fault;
    this.#close(thread);
  }

  /** Without an interrupt right behind it, the ready of a fault that the guest was not told of is the end of that. */
  #endUntold(event: TraceEvent, thread: Thread): void {
    const fault = thread.untold;
    if (!fault || is(event, 'sched_wakeup') || is(event, 'sched_switch')) return;
    thread.untold = null;
    if (is(event, 'kvm_apic_accept_irq') && field(event, 'vec') === APF_VECTOR) return;
    if (!fault.in_exit) fault.acknowledged = true;
    else fault.silent = true;
    this.#close(thread);
  }

  /** A nested guest stops for its hypervisor: to be told of the fault, or for another reason. */
  #toL1(event: TraceEvent<'kvm_nested_vmexit_inject'>, thread: Thread): void {
    const fault = thread.faults.find(each => each.in_exit);
    if (!fault) return;
    const told = field(event, 'exit_info2') === fault.token;
    if (told) fault.injected = true;
    const reason = Number(field(event, 'exit_code'));
    fault.words.push(told ? 'L1 told' : `L1 ${REASONS.get(reason) ?? reason}`);
  }

  #tell(thread: Thread, word: string): void {
    if (thread.told && !thread.told.acknowledged) thread.told.words.push(word);
  }

  #acknowledge(thread: Thread): void {
    this.#countReadies(thread, 'the exit of the ACK before');
    const fault = thread.faults.find(each => each.words.includes('inj_virq') && !each.acknowledged);
    if (!fault) return;
    fault.acknowledged = true;
    fault.words.push('ACK');
    this.#close(thread);
  }

  #countReadies(thread: Thread, where: string): void {
    if (thread.readies > 0) count(this.#readyIn, where, thread.readies);
    thread.readies = 0;
  }

  /** Sentences that have come to their end. */
  #close(thread: Thread): void {
    thread.faults = thread.faults.filter(fault => {
      if (!fault.acknowledged || !fault.completed || fault.in_exit) return true;
      count(this.#sentences, fault.words.join(' '));
      this.#open.splice(this.#open.indexOf(fault), 1);
      if (thread.told === fault) thread.told = null;
      return false;
    });
  }
}
