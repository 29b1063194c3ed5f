/**
 * A vCPU thread from ioctl(KVM_RUN) to the guest: the run loop and vcpu_enter_guest(), arch/x86/kvm/x86.c.
 *
 * One function serves all versions; what differs is asked of the knobs. The newcomer's mistake is to look for the
 * halt here: the synthetic halt is only a mark, and this loop merely does not enter while it is set.
 */
import { unreachable } from '../../base/assert.ts';
import { TP } from '../../trace/all.ts';
import { gfn_of_page } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { deliver_event } from '../guest/deliver.ts';
import { guest_rip } from '../guest/rip.ts';
import { tlb_flush } from '../guest/tlb.ts';
import { schedule } from '../host/sched.ts';
import { locked_out } from '../host/spinlock.ts';
import { VM_STATE } from '../life.ts';
import { knobs_of, lapic_in_kernel, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { throttle_sleep_ns } from '../migrate/throttle.ts';
import { OBS } from '../observe.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import { ENTRY_NOTE, MP_STATE, TASK_STATE, type Thread, VCPU_MODE, type Vcpu, type Work } from '../schema.ts';
import { VMM_WORK } from '../vmm/fields.ts';
import { cpu_get_pic_interrupt, kvm_arch_pre_run } from '../vmm/irqchip.ts';
import { run_on_cpu_done, vm_shutdown, vm_stopped } from '../vmm/monitor.ts';
import { free_work, kvm_check_async_pf_completion } from './async_pf.ts';
import { done_find_next, done_is_locked, done_unlink } from './async_pf_done.ts';
import { kvm_add_async_pf_gfn, synthetic_halt } from './async_pf_x86.ts';
import { kvm_dirty_ring_full } from './dirty_log.ts';
import { cancel_injection } from './event.ts';
import { MSR_X2APIC_EOI } from './exit.ts';
import { first_ioctl } from './ioctl.ts';
import { kvm_apic_send_ipi } from './ipi.ts';
import { kvm_vcpu_ready_for_interrupt_injection } from './irq.ts';
import { apic_set_eoi, kvm_inject_pending_timer_irqs } from './lapic.ts';
import { kvm_pmu_deliver_pmi, process_nmi } from './nmi.ts';
import {
  KVM_REQ_APF_HALT,
  KVM_REQ_APF_READY,
  KVM_REQ_DIRTY_RING_SOFT_FULL,
  KVM_REQ_EVENT,
  KVM_REQ_NMI,
  KVM_REQ_PMI,
  KVM_REQ_SMI,
  KVM_REQ_TLB_FLUSH,
  KVM_REQ_TRIPLE_FAULT,
  KVM_REQ_UNBLOCK,
  kvm_check_request,
  kvm_make_request,
  kvm_request_pending,
  REQUEST_ORDER,
} from './requests.ts';
import { reset_vcpu } from './reset.ts';
import { process_smi } from './smi.ts';

const EINTR = 4;
const KVM_EXIT_IRQ_WINDOW_OPEN = 7;
const KVM_EXIT_SHUTDOWN = 8;
const KVM_EXIT_INTR = 10;

/**
 * The VMM around KVM_RUN: does what is asked of this thread, stays out while the VM is stopped, else goes back in.
 *
 * Models kvm_cpu_exec() and qemu_wait_io_event() of QEMU.
 */
export function userspace(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  vcpu.signal_pending = 0;
  if (vcpu.msr !== 0) vmm_apic_write(m, vcpu);
  if (m.vms[vm_of_vcpu(m, vcpu)]!.state !== VM_STATE.RUNNING) return AT.do_exit;
  if (vcpu.vmm_work === VMM_WORK.stop) run_on_cpu_done(m, vcpu);
  if (vcpu.vmm_work !== VMM_WORK.none) return first_ioctl(m, vcpu);
  if (vcpu.throttled && !vm_stopped(m.vms[vm_of_vcpu(m, vcpu)]!)) {
    m.queue.arm(m.places.source.throttle_sleep + vcpu.id, m.clock.now_ns + throttle_sleep_ns(m, vcpu));
    thread.task_state = TASK_STATE.INTERRUPTIBLE;
    schedule(m, thread);
    return AT.userspace;
  }
  if (vm_stopped(m.vms[vm_of_vcpu(m, vcpu)]!)) {
    thread.task_state = TASK_STATE.INTERRUPTIBLE;
    schedule(m, thread);
    return AT.userspace;
  }
  if (vmSpec(m, vm_of_vcpu(m, vcpu)).irqchip === 'kernel') return AT.kvm_arch_vcpu_ioctl_run;
  return kvm_arch_pre_run(m, thread);
}

/** The VMM's LAPIC does what the guest has written to it. */
function vmm_apic_write(m: Machine, vcpu: Vcpu): void {
  if (vcpu.msr === MSR_X2APIC_EOI) apic_set_eoi(vcpu);
  else kvm_apic_send_ipi(m, vcpu);
  vcpu.msr = 0;
  vcpu.msr_data = 0;
}

/**
 * The VMM hands an interrupt in. With the LAPIC in the kernel it goes as ExtINT to that; else it is injected as it is.
 *
 * Models kvm_vcpu_ioctl_interrupt(), arch/x86/kvm/x86.c.
 */
export function kvm_vcpu_ioctl_interrupt(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const from_pic = vcpu.vmm_ext_vector !== 0;
  const vector = cpu_get_pic_interrupt(vcpu);
  if (lapic_in_kernel(m, vcpu)) vcpu.ext_vector = vector + 1;
  else {
    vcpu.irq_injected = 1;
    vcpu.irq_vector = vector;
    vcpu.irq_extint = from_pic ? 1 : 0;
  }
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  return AT.userspace;
}

/**
 * Up to 3.9 a SIPI that has come resets the vCPU here. Models kvm_arch_vcpu_ioctl_run(), arch/x86/kvm/x86.c.
 * Differs: for a vCPU that has never been started it does not end with -EAGAIN, but waits on in the loop.
 */
export function kvm_arch_vcpu_ioctl_run(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vcpu.mp_state !== MP_STATE.SIPI_RECEIVED) return AT.vcpu_run;
  return reset_vcpu(m, vcpu, AT.kvm_arch_vcpu_reset);
}

/**
 * The top of the loop: a signal ends it; a vCPU that is neither halted nor marked so enters the guest.
 *
 * Models vcpu_run() (__vcpu_run() before 3.19), arch/x86/kvm/x86.c, whose end is our vcpu_run.tail.
 */
export function vcpu_run(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vcpu.signal_pending) {
    if (m.emit) m.emit(TP.kvm_userspace_exit, KVM_EXIT_INTR, -EINTR);
    return AT.userspace;
  }
  return vcpu.mp_state === MP_STATE.RUNNABLE && !vcpu.apf_halted ? AT.vcpu_enter_guest : AT.vcpu_block;
}

/**
 * After each pass: expired timers, and up to 5.7 the completions. Models the end of the loop in vcpu_run().
 */
export function vcpu_run_tail(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  kvm_check_request(KVM_REQ_UNBLOCK, vcpu);
  kvm_inject_pending_timer_irqs(m, vcpu);
  if (vcpu.request_interrupt_window && kvm_vcpu_ready_for_interrupt_injection(m, vcpu)) {
    if (m.emit) m.emit(TP.kvm_userspace_exit, KVM_EXIT_IRQ_WINDOW_OPEN, 0);
    return AT.userspace;
  }
  if (knobs_of(m, vcpu).completion_check !== 'every_pass') return vcpu_run(m, thread);
  vcpu.check_return = AT.vcpu_run;
  return AT.kvm_check_async_pf_completion;
}

/** The first step of an entry; a scenario knows it as `before_entry`. */
export function vcpu_enter_guest(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  vcpu.request_next = 0;
  return kvm_request_pending(vcpu) ? AT['vcpu_enter_guest.requests'] : after_requests(m, vcpu);
}

function after_requests(m: Machine, vcpu: Vcpu): At {
  if (knobs_of(m, vcpu).completion_check !== 'entry') return AT.kvm_check_and_inject_events;
  // The check that the review was about: one more test on every entry.
  vcpu.nr_entry_checks += 1;
  return AT['kvm_check_async_pf_completion.entry'];
}

/**
 * Tests and clears one request, in the order of the version. Models the first part of vcpu_enter_guest().
 * Differs: only the requests that asynchronous page faults, events and timers make.
 */
export function vcpu_enter_guest_requests(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (kvm_check_request(KVM_REQ_DIRTY_RING_SOFT_FULL, vcpu)) {
    vcpu.request_next = 0;
    return kvm_dirty_ring_full(m, vcpu);
  }
  const order = REQUEST_ORDER[knobs_of(m, vcpu).request_order];
  while (vcpu.request_next < order.length && kvm_request_pending(vcpu)) {
    const request = order[vcpu.request_next]!;
    vcpu.request_next += 1;
    if (!kvm_check_request(request, vcpu)) continue;
    switch (request) {
      case KVM_REQ_APF_HALT:
        // Leaves at once: what stands behind it in the order stays requested.
        synthetic_halt(m, vcpu);
        vcpu.request_next = 0;
        return AT['vcpu_run.tail'];
      case KVM_REQ_APF_READY:
        vcpu.check_return = AT['vcpu_enter_guest.requests'];
        return AT.kvm_check_async_pf_completion;
      case KVM_REQ_TLB_FLUSH:
        tlb_flush(m, vcpu);
        return AT['vcpu_enter_guest.requests'];
      case KVM_REQ_TRIPLE_FAULT:
        vcpu.request_next = 0;
        return shutdown(m, vcpu);
      case KVM_REQ_SMI:
        process_smi(vcpu);
        return AT['vcpu_enter_guest.requests'];
      case KVM_REQ_PMI:
        kvm_pmu_deliver_pmi(m, vcpu);
        return AT['vcpu_enter_guest.requests'];
      case KVM_REQ_NMI:
        process_nmi(vcpu);
        return AT['vcpu_enter_guest.requests'];
      default:
        return unreachable(request);
    }
  }
  vcpu.request_next = 0;
  return after_requests(m, vcpu);
}

/** The guest is beyond help: out to user space, where the VMM stops it. */
function shutdown(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  m.observe?.(OBS.triple_fault, vm, vcpu.id, -1);
  if (m.emit) m.emit(TP.kvm_userspace_exit, KVM_EXIT_SHUTDOWN, 0);
  vm_shutdown(m, vm);
  return AT.userspace;
}

/**
 * 2010: the completion check at entry: what the fault has left a note of, else at most one completion.
 *
 * Models kvm_check_async_pf_completion() of the posting under review, patch 02/12 of version 6.
 */
export function kvm_check_async_pf_completion_entry(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const arrived = vcpu.apf_note_item !== 0 && m.works[vcpu.apf_note_item - 1]!.completed === 1;
  if (arrived && locked_out(m, thread, vcpu)) return AT['kvm_check_async_pf_completion.entry'];
  if (arrived && !done_is_locked(m, vcpu)) {
    done_find_next(thread, m.works[vcpu.apf_note_item - 1]!);
    return AT['kvm_check_async_pf_completion.entry_unlink'];
  }
  if (check_entry_note(m, vcpu)) return vcpu_enter_guest_checked(m, thread);
  vcpu.check_return = AT['vcpu_enter_guest.checked'];
  return kvm_check_async_pf_completion(m, thread);
}

/** 2010: the second half of the list_del() of what has arrived meanwhile, where done has no lock. */
export function kvm_check_async_pf_completion_entry_unlink(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  vcpu.apf_note = ENTRY_NOTE.none;
  vcpu.apf_note_item = 0;
  arrived_meanwhile(m, vcpu, done_unlink(m, thread, vcpu));
  return vcpu_enter_guest_checked(m, thread);
}

/** 2010: `if (mp_state == HALTED) goto out`, the halt that the reviewer could not find. */
export function vcpu_enter_guest_checked(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  return vcpu.mp_state === MP_STATE.HALTED || vcpu.apf_halted ? AT['vcpu_run.tail'] : AT.kvm_check_and_inject_events;
}

function check_entry_note(m: Machine, vcpu: Vcpu): boolean {
  const note = vcpu.apf_note;
  if (note === ENTRY_NOTE.none) return false;
  const work = vcpu.apf_note_item === 0 ? null : m.works[vcpu.apf_note_item - 1]!;
  vcpu.apf_note = ENTRY_NOTE.none;
  vcpu.apf_note_item = 0;
  const vm = vm_of_vcpu(m, vcpu);
  if (note === ENTRY_NOTE.DOUBLE || !work) {
    synthetic_halt(m, vcpu);
    if (m.emit)
      m.emit(TP.kvm_async_pf_repeated_fault, vcpu.cr2_or_gpa, gfn_of_page(m, vcpu.fault_page), guest_rip(m, vcpu));
    return true;
  }
  if (!work.completed) {
    synthetic_halt(m, vcpu);
    if (m.emit) m.emit(TP.kvm_async_pf_not_present, work.token, work.cr2_or_gpa);
    m.observe?.(OBS.not_present, vm, work.page, -1);
    kvm_add_async_pf_gfn(vcpu, work.gfn);
    return true;
  }
  vcpu.apf_done.remove(work.id);
  arrived_meanwhile(m, vcpu, work);
  return true;
}

/** No event and no halt. */
function arrived_meanwhile(m: Machine, vcpu: Vcpu, work: Work): void {
  m.observe?.(OBS.dropped, vm_of_vcpu(m, vcpu), work.page, -1);
  vcpu.apf_queue.remove(work.id);
  vcpu.apf_queued -= 1;
  free_work(m, work);
}

/** Announces that it is about to enter: from here on a kick sends an interrupt. */
export function vcpu_enter_guest_in_guest_mode(_m: Machine, thread: Thread): At {
  vcpu_of(_m, thread).mode = VCPU_MODE.IN_GUEST_MODE;
  return AT.kvm_vcpu_exit_request;
}

/** The last look: whatever came up meanwhile calls the entry off. Models kvm_vcpu_exit_request(). */
export function kvm_vcpu_exit_request(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const cpu = m.cpus[thread.cpu]!;
  if (
    (vcpu.mode === VCPU_MODE.EXITING_GUEST_MODE && guarded(m, vcpu, GUARD.recheck_mode)) ||
    (kvm_request_pending(vcpu) && guarded(m, vcpu, GUARD.recheck_requests)) ||
    cpu.need_resched ||
    vcpu.signal_pending
  ) {
    vcpu.mode = VCPU_MODE.OUTSIDE_GUEST_MODE;
    cancel_injection(m, vcpu);
    return AT['vcpu_run.tail'];
  }
  return AT.vcpu_run_guest;
}

/**
 * The entry itself, with what was injected.
 *
 * Models svm_vcpu_run() and vmx_vcpu_run(), arch/x86/kvm/svm/svm.c and vmx/vmx.c.
 */
export function vcpu_run_guest(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  // Arranged for when the last look is over, so that it does not call the entry off.
  if (vcpu.immediate_exit) kvm_make_request(KVM_REQ_EVENT, vcpu);
  // A completion ends a real HLT as well, with no interrupt: the guest goes on behind it.
  if (vcpu.in_hlt && vmSpec(m, vm_of_vcpu(m, vcpu)).hlt_exits) vcpu.in_hlt = 0;
  if (m.emit) m.emit(TP.kvm_entry, m.places.vcpus[vcpu.id]!.vcpu_id, guest_rip(m, vcpu), vcpu.immediate_exit);
  vcpu.nr_entries += 1;
  deliver_event(m, vcpu);
  m.observe?.(OBS.entry, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  return AT.guest;
}
