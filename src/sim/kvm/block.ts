/**
 * A vCPU that has nothing to do: the runnable predicate, and the block loop that sleeps on it.
 *
 * The loop is the kernel's way not to miss a wake-up: first say that one is going to sleep, then look, then sleep.
 * Whoever changes what the look depends on must do so before it wakes.
 */

import { firstWhere } from '../../base/unrolled.ts';
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { schedule } from '../host/sched.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import { MP_STATE, TASK_STATE, type Thread, type Vcpu } from '../schema.ts';
import { synthetic_unhalt } from './async_pf_x86.ts';
import { kvm_arch_interrupt_allowed } from './event.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_cpu_has_interrupt } from './irq.ts';
import { pending_timer } from './lapic.ts';
import { kvm_nmi_allowed } from './nmi.ts';
import {
  KVM_REQ_EVENT,
  KVM_REQ_NMI,
  KVM_REQ_PMI,
  KVM_REQ_SMI,
  KVM_REQ_UNBLOCK,
  KVM_REQ_UNHALT,
  kvm_check_request,
  kvm_make_request,
  kvm_test_request,
} from './requests.ts';
import { accept_events, kvm_apic_has_events } from './startup.ts';

const EINTR = 4;
const KVM_EXIT_INTR = 10;

/** A term of the predicate: what it says, and whether it holds now. `when` tells whether this version has it. */
export interface RunnableTerm {
  readonly text: string;
  readonly when: (m: Machine, vcpu: Vcpu) => boolean;
  readonly holds: (m: Machine, vcpu: Vcpu) => boolean;
}

const knobs = (m: Machine, vcpu: Vcpu) => knobs_of(m, vcpu);
const always = () => true;

/**
 * kvm_arch_vcpu_runnable() as a list, in the kernel's order; any term that holds makes the vCPU runnable.
 *
 * Models kvm_arch_vcpu_runnable() and kvm_vcpu_has_events(), arch/x86/kvm/x86.c.
 * Differs: no Hyper-V, Xen or nested events.
 */
export const RUNNABLE_TERMS: readonly RunnableTerm[] = [
  {
    text: 'mp_state is RUNNABLE and not apf.halted',
    when: always,
    holds: (_m, vcpu) => vcpu.mp_state === MP_STATE.RUNNABLE && !vcpu.apf_halted,
  },
  {
    text: 'async_pf.done is not empty',
    // A halt that is decided in the fault and that nothing undoes would be the review's mistake.
    when: (m, vcpu) =>
      knobs(m, vcpu).wake !== 'none' && knobs(m, vcpu).halt !== 'at_fault' && guarded(m, vcpu, GUARD.runnable_done),
    holds: (_m, vcpu) => vcpu.n_apf_done > 0,
  },
  { text: 'mp_state is SIPI_RECEIVED', when: always, holds: (_m, vcpu) => vcpu.mp_state === MP_STATE.SIPI_RECEIVED },
  {
    text: 'an INIT or SIPI is pending',
    when: (m, vcpu) => knobs(m, vcpu).init_sipi === 'pending_events',
    holds: (_m, vcpu) => kvm_apic_has_events(vcpu),
  },
  {
    text: 'an exception is pending',
    when: (m, vcpu) => knobs(m, vcpu).runnable_exception === 'yes',
    holds: (_m, vcpu) => vcpu.exception === EXCEPTION.pending || vcpu.exception_vmexit === 1,
  },
  {
    text: 'an NMI is requested',
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests === 'all',
    holds: (_m, vcpu) => kvm_test_request(KVM_REQ_NMI, vcpu),
  },
  {
    text: 'an SMI is requested',
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests === 'all',
    holds: (_m, vcpu) => kvm_test_request(KVM_REQ_SMI, vcpu),
  },
  {
    text: 'an SMI is pending and allowed',
    when: always,
    holds: (_m, vcpu) => vcpu.smi_pending === 1 && vcpu.smm === 0,
  },
  {
    text: 'a performance interrupt is requested',
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests === 'all',
    holds: (_m, vcpu) => kvm_test_request(KVM_REQ_PMI, vcpu),
  },
  {
    text: 'KVM_REQ_EVENT is set',
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests === 'event_only',
    holds: (_m, vcpu) => kvm_test_request(KVM_REQ_EVENT, vcpu),
  },
  {
    text: 'an NMI is queued',
    // 3.2 to 4.x: what has come in and not been sorted out yet.
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests !== 'all',
    holds: (_m, vcpu) => vcpu.nmi_queued > 0,
  },
  {
    text: 'an NMI is pending',
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests !== 'all',
    holds: (_m, vcpu) => vcpu.nmi_pending > 0,
  },
  {
    text: 'an NMI is pending and allowed',
    when: (m, vcpu) => knobs(m, vcpu).runnable_requests === 'all',
    holds: (_m, vcpu) => vcpu.nmi_pending > 0 && kvm_nmi_allowed(vcpu),
  },
  {
    text: 'interrupts are allowed and the LAPIC has one',
    when: (m, vcpu) => guarded(m, vcpu, GUARD.runnable_interrupt),
    holds: (m, vcpu) => kvm_arch_interrupt_allowed(vcpu) && kvm_cpu_has_interrupt(m, vcpu),
  },
];

const term_of_runnable = firstWhere(RUNNABLE_TERMS.map(({ holds, when }) => [holds, when]));
/** But the first: whether it could run if there were nothing else. */
const EVENT_TERMS = RUNNABLE_TERMS.slice(1);

export function kvm_arch_vcpu_runnable(m: Machine, vcpu: Vcpu): boolean {
  const term = term_of_runnable(m, vcpu);
  if (m.cover !== null && term >= 0) m.cover.runnable(RUNNABLE_TERMS[term]!.text);
  return term >= 0;
}

/** Events other than the vCPU being able to run: what emulating HLT looks at since 6.x. Models kvm_vcpu_has_events(). */
export function kvm_vcpu_has_events(m: Machine, vcpu: Vcpu): boolean {
  return EVENT_TERMS.some(term => term.holds(m, vcpu) && term.when(m, vcpu));
}

/** Models vcpu_block(), arch/x86/kvm/x86.c. */
export function vcpu_block(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (knobs(m, vcpu).block === 'retest' && kvm_arch_vcpu_runnable(m, vcpu)) return AT['kvm_vcpu_block.finish'];
  vcpu.blocked_since_ns = m.clock.now_ns;
  vcpu.waited = 0;
  vcpu.in_block = 1;
  return vcpu.halt_poll_ns > 0 && polls(m, vcpu) ? AT['kvm_vcpu_halt.poll'] : AT.kvm_vcpu_block;
}

/** Whether this block begins with polling: since 4.0 in any, since 5.17 only in that of a real HLT. */
function polls(m: Machine, vcpu: Vcpu): boolean {
  const { halt_polling } = knobs(m, vcpu);
  return halt_polling === 'every_block' || (halt_polling === 'halt_only' && vcpu.mp_state === MP_STATE.HALTED);
}

/**
 * Looks again and again before it sleeps, for as long as this vCPU's history says and nobody else wants the CPU.
 *
 * Models the first half of kvm_vcpu_halt(), up to 5.16 kvm_vcpu_block(), virt/kvm/kvm_main.c.
 * Differs: it looks once in a microsecond.
 */
export function kvm_vcpu_halt_poll(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (check_block(m, vcpu)) return AT['kvm_vcpu_block.finish'];
  const cpu = m.cpus[thread.cpu]!;
  const alone = cpu.need_resched === 0 && cpu.n_runqueue === 1;
  return alone && m.clock.now_ns - vcpu.blocked_since_ns < vcpu.halt_poll_ns
    ? AT['kvm_vcpu_halt.poll']
    : AT.kvm_vcpu_block;
}

/** Says that it is going to sleep. Models the top of kvm_vcpu_block(), virt/kvm/kvm_main.c. */
export function kvm_vcpu_block(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (guarded(m, vcpu, GUARD.sleeps_before_look)) prepare_to_sleep(vcpu, thread);
  return AT['kvm_vcpu_block.check'];
}

function prepare_to_sleep(vcpu: Vcpu, thread: Thread): void {
  vcpu.waiting = 1;
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
}

/** Looks whether it should after all. */
export function kvm_vcpu_block_check(m: Machine, thread: Thread): At {
  if (!check_block(m, vcpu_of(m, thread))) return AT['kvm_vcpu_block.schedule'];
  thread.task_state = TASK_STATE.RUNNING;
  return AT['kvm_vcpu_block.finish'];
}

/**
 * Whether there is anything to get up for: since 5.13 a request to get up as well, besides the timer that it comes with.
 * Models kvm_vcpu_check_block(), virt/kvm/kvm_main.c.
 */
function check_block(m: Machine, vcpu: Vcpu): boolean {
  const runnable = kvm_arch_vcpu_runnable(m, vcpu);
  const { block } = knobs(m, vcpu);
  if (runnable && block === 'unhalt_request') kvm_make_request(KVM_REQ_UNHALT, vcpu);
  return (
    runnable ||
    (pending_timer(vcpu) >= 0 && guarded(m, vcpu, GUARD.timer_unblocks)) ||
    vcpu.signal_pending === 1 ||
    (block === 'retest' && kvm_check_request(KVM_REQ_UNBLOCK, vcpu))
  );
}

/** Sleeps, unless it was woken since it said so; then looks again. */
export function kvm_vcpu_block_schedule(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (!guarded(m, vcpu, GUARD.sleeps_before_look)) prepare_to_sleep(vcpu, thread);
  if (thread.task_state !== TASK_STATE.RUNNING) m.observe?.(OBS.blocked, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  vcpu.waited = 1;
  schedule(m, thread);
  return AT.kvm_vcpu_block;
}

/**
 * How long the next block polls: longer after a short one that polling would have caught, not at all after a long one.
 *
 * Models the second half of kvm_vcpu_halt(), grow_halt_poll_ns() and shrink_halt_poll_ns(), virt/kvm/kvm_main.c, with
 * the module's parameters as they come: start 10 us, factor 2, shrink to 0.
 */
function adapt_halt_poll(m: Machine, vcpu: Vcpu, halt_ns: number): void {
  const place = m.places.vcpus[vcpu.id]!;
  const max_ns = m.program.hosts[place.host]!.halt_poll_ns;
  const old_ns = vcpu.halt_poll_ns;
  if (max_ns === 0 || halt_ns <= old_ns) return;
  const shrinks = old_ns > 0 && halt_ns > max_ns;
  if (!shrinks && (old_ns >= max_ns || halt_ns >= max_ns)) return;
  vcpu.halt_poll_ns = shrinks ? 0 : Math.min(Math.max(old_ns * GROW, GROW_START_NS), max_ns);
  if (m.emit) m.emit(TP.kvm_halt_poll_ns, shrinks ? 0 : 1, place.vcpu_id, vcpu.halt_poll_ns, old_ns);
}

const GROW = 2;
const GROW_START_NS = 10_000;

/** Up and about: leaves the halt if it may. Models the ends of kvm_vcpu_block() and vcpu_block(). */
export function kvm_vcpu_block_finish(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const { block, trace_format } = knobs(m, vcpu);
  const blocked = vcpu.in_block === 1;
  vcpu.waiting = 0;
  vcpu.in_block = 0;
  if (blocked) {
    const halt_ns = m.clock.now_ns - vcpu.blocked_since_ns;
    m.observe?.(OBS.woken, vm_of_vcpu(m, vcpu), vcpu.id, -1);
    // Since 5.17 only a real HLT is reported; the posting and 2.6.38 had no such event.
    const reported =
      block === 'retest' ? vcpu.mp_state === MP_STATE.HALTED : trace_format !== 'v6' && trace_format !== '2.6.38';
    if (polls(m, vcpu)) adapt_halt_poll(m, vcpu, halt_ns);
    if (m.emit && reported) m.emit(TP.kvm_vcpu_wakeup, halt_ns, vcpu.waited, 1);
  }
  const leave = block === 'retest' ? kvm_arch_vcpu_runnable(m, vcpu) : kvm_check_request(KVM_REQ_UNHALT, vcpu);
  if (!leave) return AT['vcpu_run.tail'];
  return kvm_apic_has_events(vcpu) ? accept_events(vcpu, AT['kvm_vcpu_block.leave']) : leave_block(m, vcpu);
}

/** The same once an INIT or a SIPI has been accepted. */
export function kvm_vcpu_block_leave(m: Machine, thread: Thread): At {
  return leave_block(m, vcpu_of(m, thread));
}

function leave_block(m: Machine, vcpu: Vcpu): At {
  if (vcpu.mp_state === MP_STATE.SIPI_RECEIVED) {
    // Up to 3.9 KVM_RUN ends here, and begins with the reset.
    if (m.emit) m.emit(TP.kvm_userspace_exit, KVM_EXIT_INTR, -EINTR);
    return AT.userspace;
  }
  if (vcpu.mp_state === MP_STATE.HALTED) {
    if (knobs(m, vcpu).synthetic === 'shared_mp_state' && !vcpu.in_hlt)
      m.observe?.(OBS.unhalt, vm_of_vcpu(m, vcpu), vcpu.id, -1);
    vcpu.mp_state = MP_STATE.RUNNABLE;
  }
  if (vcpu.mp_state === MP_STATE.RUNNABLE) synthetic_unhalt(m, vcpu);
  return AT['vcpu_run.tail'];
}
