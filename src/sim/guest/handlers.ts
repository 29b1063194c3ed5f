/** The guest's handlers, one small step after the other: #PF, interrupts, the ready interrupt, switching APF on. */

import { AT, type At } from '../at.ts';
import { apf_en_value, shift_ready_token, slot_of } from '../kvm/async_pf_x86.ts';
import { MSR_X2APIC_EOI } from '../kvm/exit.ts';
import { EXIT_REASON } from '../kvm/exit_reason.ts';
import {
  KVM_PV_REASON_PAGE_NOT_PRESENT,
  KVM_PV_REASON_PAGE_READY,
  MSR_KVM_ASYNC_PF_ACK,
  MSR_KVM_ASYNC_PF_EN,
  MSR_KVM_ASYNC_PF_INT,
} from '../kvm/kvm_para.ts';
import { iret_intercepted, iret_unblocks_nmi, takes_apf_in_nmi } from '../kvm/nmi.ts';
import { knobsOfVm, lapic_in_kernel, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { APF_VECTOR } from '../places.ts';
import type { HandlerOp } from '../program.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import { NOTIFY, ready_by_interrupt, user_mode_only } from '../protocol/notify.ts';
import { FRAME, FRAME_AT, type Thread, type Vcpu } from '../schema.ts';
import { access_page, left_guest } from './access.ts';
import {
  apf_task_wake_all,
  kvm_async_pf_sdei_handler,
  kvm_async_pf_task_wait,
  kvm_async_pf_task_wake,
  leave_eqs,
  still_halted,
} from './async_pf.ts';
import { execute_cr, reload_cr3 } from './cr.ts';
import { frame_at, PIC_EOI, panic, pop_frame, set_frame_at } from './frames.ts';
import { SETUP, take_cpu_down } from './hotplug.ts';
import { RESCHEDULE_VECTOR, send_owed_ipi } from './ipi.ts';
import { nmi_depth, returns_into_itself } from './nmi.ts';
import { map_faulting_page, ordinary_page_fault, remap_accessed_page, unmap_accessed_page } from './pgfault.ts';
import { rcu_irq_enter, rcu_irq_enter_nesting, rcu_irq_enter_watching, rcu_irq_exit, rcu_use } from './rcu.ts';
import { guest_schedule, scheduler_tick } from './sched.ts';
import { resched_point } from './sections.ts';
import { GUEST_WORK } from './work.ts';

/** A hypercall of arm64, which is a write of an MSR here: SDEI_1_0_FN_SDEI_EVENT_COMPLETE. */
const SDEI_EVENT_COMPLETE = 0xc400_0025;

type FrameAt = (typeof FRAME_AT)[keyof typeof FRAME_AT];

/** Leaves the guest for a reason; the instruction pointer is past the instruction, or on it for a fault. */
export function vm_exit(vcpu: Vcpu, reason: (typeof EXIT_REASON)[keyof typeof EXIT_REASON]): At {
  vcpu.exit_reason = reason;
  return AT.handle_exit;
}

/** HLT: an exit, or, where the VM's HLT is not intercepted, a halt inside of the guest. */
export function hlt(m: Machine, vcpu: Vcpu): At {
  vcpu.in_hlt = 1;
  return vmSpec(m, vm_of_vcpu(m, vcpu)).hlt_exits ? vm_exit(vcpu, EXIT_REASON.hlt) : AT.guest;
}

function wrmsr(vcpu: Vcpu, msr: number, data: number): At {
  vcpu.msr = msr;
  vcpu.msr_data = data;
  return vm_exit(vcpu, EXIT_REASON.msr);
}

/** Ends an interrupt: at the LAPIC, which is a device in memory where the VMM emulates it, or at the PIC's port. */
function eoi(m: Machine, vcpu: Vcpu): At {
  const pic = vcpu.frame_token(vcpu.depth - 1) === PIC_EOI && vcpu.frame(vcpu.depth - 1) === FRAME.irq;
  if (pic) return vm_exit(vcpu, EXIT_REASON.io);
  vcpu.msr = MSR_X2APIC_EOI;
  vcpu.msr_data = 0;
  return vm_exit(vcpu, lapic_in_kernel(m, vcpu) ? EXIT_REASON.msr : EXIT_REASON.mmio);
}

/** One step of the handler on top. */
export function run_handler(m: Machine, thread: Thread, vcpu: Vcpu): At {
  thread.charge_ns += vcpu.charge_ns.guest_handler;
  if ((vcpu.guest_work & GUEST_WORK.ipi) !== 0) return send_owed_ipi(m, vcpu);
  if (frame_at(vcpu) === FRAME_AT.iret) return iret(m, vcpu);
  switch (vcpu.frame(vcpu.depth - 1)) {
    case FRAME.setup:
      return setup(m, vcpu);
    case FRAME.exc_page_fault:
      return exc_page_fault(m, vcpu);
    case FRAME.apf_ready:
      return sysvec_kvm_asyncpf_interrupt(m, vcpu);
    case FRAME.smm:
      return smm_handler(vcpu);
    case FRAME.nmi:
      return exc_nmi(m, thread, vcpu);
    default:
      return interrupt(m, thread, vcpu);
  }
}

/**
 * Registration of a CPU, or its end, after which the guest wakes everybody itself: the host drops what is outstanding.
 *
 * Models kvm_guest_cpu_init() and kvm_guest_cpu_offline(), arch/x86/kernel/kvm.c.
 */
function setup(m: Machine, vcpu: Vcpu): At {
  const what = vcpu.frame_token(vcpu.depth - 1);
  switch (frame_at(vcpu)) {
    case FRAME_AT.int_msr:
      set_frame_at(vcpu, FRAME_AT.en_msr);
      return wrmsr(vcpu, MSR_KVM_ASYNC_PF_INT, APF_VECTOR);
    case FRAME_AT.wake:
      apf_task_wake_all(m, vcpu);
      set_frame_at(vcpu, FRAME_AT.iret);
      if (what !== SETUP.down) return AT.guest;
      pop_frame(vcpu);
      take_cpu_down(m, vcpu);
      return AT.guest;
    default:
      set_frame_at(vcpu, what === SETUP.on ? FRAME_AT.iret : FRAME_AT.wake);
      return wrmsr(vcpu, MSR_KVM_ASYNC_PF_EN, what === SETUP.on ? apf_en_value(m, vcpu) : 0);
  }
}

/** Models exc_page_fault() and __kvm_handle_async_pf(); up to 5.7 do_async_page_fault(), arch/x86/kernel/kvm.c. */
function exc_page_fault(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  const top = vcpu.depth - 1;
  switch (frame_at(vcpu)) {
    case FRAME_AT.entry: {
      const reason = vcpu.area_flags;
      vcpu.area_flags = 0;
      if (vcpu.cr2 !== vcpu.frame_cr2(top)) m.observe?.(OBS.wrong_cr2, vm, vcpu.id, -1);
      // The token is what CR2 holds, whatever the host meant to put there.
      if (reason !== 0) vcpu.set_frame_token(top, vcpu.cr2 >>> 0);
      const knobs = knobsOfVm(m, vm);
      const by_interrupt = ready_by_interrupt(knobs);
      if (reason === 0) ordinary_page_fault(m, vcpu);
      else if (!by_interrupt && reason === KVM_PV_REASON_PAGE_READY) {
        leave_eqs(m, vcpu);
        return ready_by_pf(m, vcpu, top);
      } else if (reason === KVM_PV_REASON_PAGE_NOT_PRESENT) {
        const from_kernel = vcpu.frame_if(top) === 0 || vcpu.frame_cpl3(top) === 0;
        if (user_mode_only(knobs) && from_kernel && vmSpec(m, vm).guest.on_not_present === 'kernel') panic(m, vcpu);
        else if (vmSpec(m, vm).guest.on_not_present === 'halt') set_frame_at(vcpu, FRAME_AT.unmap);
        else {
          leave_eqs(m, vcpu);
          wait_for_token(m, vcpu, top);
        }
      }
      return AT.guest;
    }
    case FRAME_AT.map:
      return map_faulting_page(m, vcpu);
    case FRAME_AT.unmap:
      return unmap_accessed_page(m, vcpu);
    case FRAME_AT.reload:
      set_frame_at(vcpu, FRAME_AT.wait);
      reload_cr3(m, vcpu);
      return execute_cr(vcpu);
    case FRAME_AT.wait:
      wait_for_token(m, vcpu, top);
      return AT.guest;
    case FRAME_AT.sdei:
      set_frame_at(vcpu, FRAME_AT.iret);
      return wrmsr(vcpu, SDEI_EVENT_COMPLETE, 0);
    case FRAME_AT.wake:
      return ready_by_pf(m, vcpu, top);
    case FRAME_AT.remap:
      return remap_accessed_page(m, vcpu);
    case FRAME_AT.hlt:
      if (!still_halted(m, vcpu)) {
        set_frame_at(vcpu, FRAME_AT.iret);
        return AT.guest;
      }
      if (vcpu.frame_rcu(top) !== 0) rcu_irq_exit(vcpu);
      // STI; HLT: the shadow of STI keeps interrupts out until the CPU halts.
      vcpu.rflags_if = 1;
      set_frame_at(vcpu, FRAME_AT.halted);
      return hlt(m, vcpu);
    case FRAME_AT.rcu:
      rcu_irq_enter_watching(vcpu);
      return irqs_off_again(vcpu);
    default:
      vcpu.in_hlt = 0;
      m.observe?.(OBS.handler_woken, vm, vcpu.id, -1);
      if (vcpu.frame_rcu(top) === 0) return irqs_off_again(vcpu);
      if (knobsOfVm(m, vm).guest_reentry === 'irqs_off_first') {
        rcu_irq_enter(vcpu);
        return irqs_off_again(vcpu);
      }
      // Interrupts are still on: one may come between the halves of what follows.
      rcu_irq_enter_nesting(vcpu);
      set_frame_at(vcpu, FRAME_AT.rcu);
      return AT.guest;
  }
}

function wait_for_token(m: Machine, vcpu: Vcpu, top: number): void {
  const { not_present } = NOTIFY[knobsOfVm(m, vm_of_vcpu(m, vcpu)).notify];
  if (not_present === 'sdei') kvm_async_pf_sdei_handler(m, vcpu, vcpu.frame_token(top));
  else kvm_async_pf_task_wait(m, vcpu, vcpu.frame_token(top));
}

function irqs_off_again(vcpu: Vcpu): At {
  vcpu.rflags_if = 0;
  set_frame_at(vcpu, FRAME_AT.hlt);
  return AT.guest;
}

/** Ready by #PF, up to 5.7. */
function ready_by_pf(m: Machine, vcpu: Vcpu, top: number): At {
  const then = vcpu.test_phys === 0 ? FRAME_AT.iret : FRAME_AT.remap;
  return wake_token(m, vcpu, top, then) ? acknowledge(m, vcpu) : AT.guest;
}

/** Wakes the task of a handler's token, and goes on with `then`; false where that takes another try. */
function wake_token(m: Machine, vcpu: Vcpu, top: number, then: FrameAt): boolean {
  const woken = kvm_async_pf_task_wake(m, vcpu, vcpu.frame_token(top));
  set_frame_at(vcpu, woken ? then : FRAME_AT.wake);
  return woken;
}

/**
 * The ready interrupt. Linux ends the interrupt first, then reads the token, wakes, frees the slot and acknowledges;
 * kvm-unit-tests frees and acknowledges first and ends the interrupt last.
 *
 * Models sysvec_kvm_asyncpf_interrupt(), arch/x86/kernel/kvm.c.
 */
function sysvec_kvm_asyncpf_interrupt(m: Machine, vcpu: Vcpu): At {
  const top = vcpu.depth - 1;
  const unit_test = vmSpec(m, vm_of_vcpu(m, vcpu)).guest.on_not_present === 'halt';
  switch (frame_at(vcpu)) {
    case FRAME_AT.eoi:
      set_frame_at(vcpu, unit_test || vcpu.apf_en_val === 0 ? FRAME_AT.iret : FRAME_AT.token);
      return eoi(m, vcpu);
    case FRAME_AT.token:
      if (is_listed(m, vcpu)) return take_listed_token(m, vcpu, top, unit_test);
      vcpu.set_frame_token(top, vcpu.area_token);
      if (unit_test) return free_slot_and_ack(m, vcpu, FRAME_AT.wake);
      wake_token(m, vcpu, top, FRAME_AT.clear);
      return AT.guest;
    case FRAME_AT.wake:
      wake_token(m, vcpu, top, vcpu.test_phys !== 0 ? FRAME_AT.remap : unit_test ? FRAME_AT.eoi : FRAME_AT.clear);
      return AT.guest;
    case FRAME_AT.remap:
      return remap_accessed_page(m, vcpu);
    default:
      return is_listed(m, vcpu) ? next_listed_token(m, vcpu) : free_slot_and_ack(m, vcpu, FRAME_AT.iret);
  }
}

/** Ready tokens stand in a list: a ring that guest and host share, or external interrupts with a parameter. */
function is_listed(m: Machine, vcpu: Vcpu): boolean {
  const { notify } = knobsOfVm(m, vm_of_vcpu(m, vcpu));
  return slot_of(m, vcpu) === 'ring' || NOTIFY[notify].ready === 'external';
}

/** The oldest of them; an interrupt may find that the one before has taken all. */
function take_listed_token(m: Machine, vcpu: Vcpu, top: number, unit_test: boolean): At {
  const token = shift_ready_token(vcpu);
  vcpu.set_frame_token(top, token);
  if (token === 0) set_frame_at(vcpu, FRAME_AT.iret);
  else if (unit_test) {
    set_frame_at(vcpu, FRAME_AT.wake);
    return acknowledge(m, vcpu);
  } else wake_token(m, vcpu, top, FRAME_AT.clear);
  return AT.guest;
}

/** Goes on while there are more, and acknowledges once; an external interrupt is over without that. */
function next_listed_token(m: Machine, vcpu: Vcpu): At {
  if (vcpu.area_ring_length > 0) {
    set_frame_at(vcpu, FRAME_AT.token);
    return AT.guest;
  }
  set_frame_at(vcpu, FRAME_AT.iret);
  return ready_by_interrupt(knobsOfVm(m, vm_of_vcpu(m, vcpu))) ? acknowledge(m, vcpu) : AT.guest;
}

function free_slot_and_ack(m: Machine, vcpu: Vcpu, then: FrameAt): At {
  if (guarded(m, vcpu, GUARD.guest_frees_slot)) vcpu.area_token = 0;
  set_frame_at(vcpu, then);
  return acknowledge(m, vcpu);
}

/** Has the host look for the next completion. Where there is no such MSR, that one waits for whatever exit comes next. */
function acknowledge(m: Machine, vcpu: Vcpu): At {
  const checks = knobsOfVm(m, vm_of_vcpu(m, vcpu)).completion_check === 'on_request_and_ack';
  if (!checks || !guarded(m, vcpu, GUARD.guest_acknowledges)) return AT.guest;
  return wrmsr(vcpu, MSR_KVM_ASYNC_PF_ACK, 1);
}

/** A timer's or a device's interrupt: its end first, then its body. */
function interrupt(m: Machine, thread: Thread, vcpu: Vcpu): At {
  const top = vcpu.depth - 1;
  if (frame_at(vcpu) === FRAME_AT.eoi) {
    rcu_use(m, vcpu);
    if (vcpu.frame_vector(top) === RESCHEDULE_VECTOR) vcpu.guest_need_resched = 1;
    set_frame_at(vcpu, FRAME_AT.body);
    return eoi(m, vcpu);
  }
  const number = m.places.interruptAt[vcpu.id]![vcpu.frame_vector(top)]!;
  const op = number < 0 ? undefined : m.places.interrupts[number]!.spec.body[vcpu.frame_op(top)];
  if (op) return handler_op(m, thread, vcpu, op);
  set_frame_at(vcpu, FRAME_AT.iret);
  return AT.guest;
}

/** The body: what the handlers that are registered do, one after the other. Models exc_nmi(), arch/x86/kernel/nmi.c. */
function exc_nmi(m: Machine, thread: Thread, vcpu: Vcpu): At {
  const op = vmSpec(m, vm_of_vcpu(m, vcpu)).guest.nmi_handler[vcpu.frame_op(vcpu.depth - 1)];
  if (op) return handler_op(m, thread, vcpu, op);
  set_frame_at(vcpu, FRAME_AT.iret);
  return AT.guest;
}

/** What the firmware does takes its time, and ends with RSM. */
function smm_handler(vcpu: Vcpu): At {
  const top = vcpu.depth - 1;
  if (vcpu.frame_op(top) !== 0) return vm_exit(vcpu, EXIT_REASON.rsm);
  vcpu.set_frame_op(top, 1);
  vcpu.op_left_ns = vcpu.charge_ns.smm_handler;
  return AT.guest;
}

/** The next operation of the handler on top. */
function handler_op(m: Machine, thread: Thread, vcpu: Vcpu, op: HandlerOp): At {
  const top = vcpu.depth - 1;
  if (op.op === 'read' || op.op === 'write') {
    const page = m.places.vms[vm_of_vcpu(m, vcpu)]!.first_page + op.page;
    if (!access_page(m, vcpu, page, op.op === 'write')) return left_guest(vcpu);
  } else if (op.op === 'work') thread.charge_ns += op.ns;
  else scheduler_tick(m, vcpu);
  vcpu.set_frame_op(top, vcpu.frame_op(top) + 1);
  return AT.guest;
}

/**
 * Inside of an NMI handler a guest that has asked for faults there returns from its other handlers by POPF and RET, which
 * leave NMIs blocked: what makes its asking safe.
 */
function returns_without_iret(m: Machine, vcpu: Vcpu): boolean {
  if (vcpu.frame(vcpu.depth - 1) === FRAME.nmi || !takes_apf_in_nmi(m, vcpu)) return false;
  return nmi_depth(vcpu) > 0;
}

/** Returns from a handler; on the way back to a task the guest may schedule. */
function iret(m: Machine, vcpu: Vcpu): At {
  if (vcpu.nmi_masked && !returns_without_iret(m, vcpu)) {
    if (iret_intercepted(m, vcpu)) return vm_exit(vcpu, EXIT_REASON.iret);
    iret_unblocks_nmi(vcpu);
  }
  const from_nmi = vcpu.frame(vcpu.depth - 1) === FRAME.nmi;
  if (from_nmi && returns_into_itself(m, vcpu)) return AT.guest;
  pop_frame(vcpu);
  // What an NMI wakes is looked at by the next interrupt: its handler may have come in anywhere.
  if (vcpu.depth > 0 || from_nmi) return AT.guest;
  if (vcpu.current === 0) guest_schedule(m, vcpu);
  else resched_point(m, vcpu, vmSpec(m, vm_of_vcpu(m, vcpu)).guest, m.tasks[vcpu.current - 1]!);
  return AT.guest;
}
