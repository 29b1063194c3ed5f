/**
 * The vCPU ioctls with which a VMM looks at a vCPU, saves it and restores it, each a step of the vCPU's own thread.
 *
 * All need the vCPU out of KVM_RUN, so looking means a signal, an exit with -EINTR and an entry; the lists of
 * asynchronous page faults and apf.halted stay as they are meanwhile. The newcomer's mistake is to think of the state as
 * one thing: it is read piece by piece, and reading one of the pieces changes it.
 * Differs: FPU, XCRS and DEBUGREGS are not there, as nothing here depends on them; NESTED_STATE goes with the SREGS, and
 * an exit that is queued for L1 is left behind.
 */
import { AT, type At } from '../at.ts';
import { schedule } from '../host/sched.ts';
import { knobs_of, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { load_tokens, save_tokens } from '../migrate/carry.ts';
import { load_fields, save_fields } from '../migrate/copy.ts';
import type { Carrier } from '../migrate/moved.ts';
import {
  ENTRY_NOTE,
  MP_STATE,
  type SavedVcpu,
  TASK_STATE,
  type Thread,
  type Vcpu,
  WAIT,
  WORK_STATE,
} from '../schema.ts';
import { VMM_WORK } from '../vmm/fields.ts';
import { run_on_cpu_done, run_on_cpu_refused } from '../vmm/monitor.ts';
import { apf_en_reserved, kvm_arch_can_dequeue_async_page_present } from './async_pf_x86.ts';
import { kvm_deliver_exception_payload } from './event.ts';
import { EXCEPTION, NMI_IRET } from './event_state.ts';
import { kvm_clear_exception_queue } from './exception.ts';
import { kvm_pv_enable_async_pf } from './exit.ts';
import { process_nmi } from './nmi.ts';
import {
  KVM_REQ_APF_READY,
  KVM_REQ_EVENT,
  KVM_REQ_NMI,
  KVM_REQ_SMI,
  kvm_check_request,
  kvm_make_request,
} from './requests.ts';
import { process_smi } from './smi.ts';

/** Where to put what is read, or null for a look that keeps nothing. */
function kept(m: Machine, vcpu: Vcpu): SavedVcpu | null {
  return vcpu.vmm_saved === 0 ? null : m.saved_vcpus[vcpu.vmm_saved - 1]!;
}

function get(m: Machine, vcpu: Vcpu, by: Carrier): void {
  const saved = kept(m, vcpu);
  if (saved) save_fields(m, vcpu, saved, by);
}

function set(m: Machine, vcpu: Vcpu, by: Carrier): void {
  const saved = kept(m, vcpu);
  if (saved) load_fields(m, vcpu, saved, by);
}

/** The first ioctl of what the VMM wants; before it, what this version does about outstanding faults. */
export function first_ioctl(m: Machine, vcpu: Vcpu): At {
  switch (vcpu.vmm_work) {
    case VMM_WORK.set_mpstate:
      return AT.kvm_arch_vcpu_ioctl_set_mpstate;
    case VMM_WORK.reset:
      return AT.kvm_vcpu_reset;
    case VMM_WORK.clear:
      return AT.clear_queue;
    case VMM_WORK.load:
      return AT.kvm_arch_vcpu_ioctl_set_regs;
    default:
  }
  const { save, query } = knobs_of(m, vcpu);
  const policy = vcpu.vmm_work === VMM_WORK.query && query === 'pure' ? 'ignore' : save;
  if (policy === 'refuse' && vcpu.apf_queued > 0) return run_on_cpu_refused(m, vcpu);
  return policy === 'drain' ? AT.kvm_drain_async_pf : read_ioctl(vcpu);
}

function read_ioctl(vcpu: Vcpu): At {
  const one = vcpu.vmm_work === VMM_WORK.get_mpstate;
  return one ? AT.kvm_arch_vcpu_ioctl_get_mpstate : AT.kvm_vcpu_ioctl_x86_get_vcpu_events;
}

/**
 * The review's "drain the apf queue on any of the save/restore ioctls": waits for every worker, then delivers what can
 * be, one item at a time. A completion makes the vCPU runnable, so a halt ends here as it would in the block loop.
 */
export function kvm_drain_async_pf(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  thread.wait = WAIT.nothing;
  thread.wait_id = 0;
  for (let index = 0; index < vcpu.apf_queue.length; index += 1) {
    const work = m.works[vcpu.apf_queue.at(index)]!;
    if (work.state === WORK_STATE.IDLE) continue;
    thread.wait = WAIT.work_done;
    thread.wait_id = work.id;
    thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
    schedule(m, thread);
    return AT.kvm_drain_async_pf;
  }
  if (vcpu.apf_done.length === 0 || !kvm_arch_can_dequeue_async_page_present(m, vcpu)) return read_ioctl(vcpu);
  vcpu.apf_note = ENTRY_NOTE.none;
  vcpu.apf_note_item = 0;
  vcpu.apf_halted = 0;
  vcpu.mp_state = MP_STATE.RUNNABLE;
  vcpu.check_return = AT.kvm_drain_async_pf;
  return AT.kvm_check_async_pf_completion;
}

// -- Reading, in the order of QEMU's kvm_arch_get_registers() --------------------------------------

/** Models kvm_arch_vcpu_ioctl_get_regs(), arch/x86/kvm/x86.c. */
export function kvm_arch_vcpu_ioctl_get_regs(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  get(m, vcpu, 'regs');
  const saved = kept(m, vcpu);
  if (saved) saved.apf_halted = vcpu.apf_halted;
  return AT.kvm_arch_vcpu_ioctl_get_sregs;
}

/** Models kvm_arch_vcpu_ioctl_get_sregs(), arch/x86/kvm/x86.c. */
export function kvm_arch_vcpu_ioctl_get_sregs(m: Machine, thread: Thread): At {
  get(m, vcpu_of(m, thread), 'sregs');
  return AT['msr_io.get'];
}

/** KVM_GET_MSRS: EN and INT; ACK reads as 0. Models msr_io() and kvm_get_msr_common(), arch/x86/kvm/x86.c. */
export function msr_io_get(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  get(m, vcpu, 'msrs');
  const saved = kept(m, vcpu);
  // B34: a VMM that saves a list of MSRs saves no more than is on it.
  if (saved && vmSpec(m, vm_of_vcpu(m, vcpu)).saved_msrs === 'without_apf_int') saved.apf_int_vector = 0;
  return AT.kvm_vcpu_ioctl_get_lapic;
}

/**
 * Models kvm_arch_vcpu_ioctl_get_mpstate(), arch/x86/kvm/x86.c. `mask` is the author's answer in the review: a halt
 * that goes with outstanding faults is not shown.
 * Differs: INIT and SIPI that are pending are not accepted first.
 */
export function kvm_arch_vcpu_ioctl_get_mpstate(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const saved = kept(m, vcpu);
  const masked = knobs_of(m, vcpu).save === 'mask' && vcpu.mp_state === MP_STATE.HALTED && vcpu.apf_queued > 0;
  if (saved) {
    saved.taken = 1;
    saved.mp_state = masked ? MP_STATE.RUNNABLE : vcpu.mp_state;
    saved.in_hlt = vcpu.in_hlt;
    saved.apf_halted = vcpu.apf_halted;
  }
  return vcpu.vmm_work === VMM_WORK.get_mpstate ? AT['run_on_cpu.done'] : AT.kvm_arch_vcpu_ioctl_get_regs;
}

/** Models kvm_vcpu_ioctl_get_lapic(), arch/x86/kvm/x86.c: a vector that was raised survives in IRR. */
export function kvm_vcpu_ioctl_get_lapic(m: Machine, thread: Thread): At {
  get(m, vcpu_of(m, thread), 'lapic');
  return AT['run_on_cpu.done'];
}

/**
 * Models kvm_vcpu_ioctl_x86_get_vcpu_events(), arch/x86/kvm/x86.c, for a VMM without KVM_CAP_EXCEPTION_PAYLOAD: what is
 * pending is reported as injected, its address being in CR2 by then. So reading changes the vCPU, and SREGS must be
 * read after it.
 */
export function kvm_vcpu_ioctl_x86_get_vcpu_events(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  // To tell how many NMIs are pending, those that have come in are sorted out here as they would be before an entry.
  if (kvm_check_request(KVM_REQ_NMI, vcpu)) process_nmi(vcpu);
  if (kvm_check_request(KVM_REQ_SMI, vcpu)) process_smi(vcpu);
  kvm_deliver_exception_payload(vcpu);
  get(m, vcpu, 'events');
  const saved = kept(m, vcpu);
  if (saved && saved.exception === EXCEPTION.pending) saved.exception = EXCEPTION.injected;
  if (saved) save_tokens(m, vcpu, saved);
  return AT.kvm_arch_vcpu_ioctl_get_mpstate;
}

// -- Writing, in the order of QEMU's kvm_arch_put_registers() --------------------------------------

/** Drops what is pending. Models kvm_arch_vcpu_ioctl_set_regs(), arch/x86/kvm/x86.c. */
export function kvm_arch_vcpu_ioctl_set_regs(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  set(m, vcpu, 'regs');
  kvm_clear_exception_queue(vcpu);
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  return AT.kvm_arch_vcpu_ioctl_set_sregs;
}

/** Models kvm_arch_vcpu_ioctl_set_sregs(), arch/x86/kvm/x86.c. */
export function kvm_arch_vcpu_ioctl_set_sregs(m: Machine, thread: Thread): At {
  set(m, vcpu_of(m, thread), 'sregs');
  return AT['msr_io.set'];
}

/**
 * KVM_SET_MSRS: INT first, then EN, which a version that wakes everybody answers with a broadcast.
 *
 * Models msr_io() and kvm_set_msr_common(), arch/x86/kvm/x86.c; the order is that of kvm_put_msrs() of QEMU.
 */
export function msr_io_set(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const saved = kept(m, vcpu);
  // A bit that this kernel does not know: the VMM gives up, "failed to set MSR 0x4b564d02" (B21).
  if (saved && (saved.apf_en_val & apf_en_reserved(m, vcpu)) !== 0) return run_on_cpu_refused(m, vcpu);
  set(m, vcpu, 'msrs');
  if (saved) load_tokens(m, vcpu, saved);
  vcpu.check_return = AT.kvm_vcpu_ioctl_x86_set_vcpu_events;
  return kvm_pv_enable_async_pf(m, vcpu, vcpu.apf_en_val, AT.kvm_vcpu_ioctl_x86_set_vcpu_events);
}

/** Models kvm_vcpu_ioctl_x86_set_vcpu_events(), arch/x86/kvm/x86.c. */
export function kvm_vcpu_ioctl_x86_set_vcpu_events(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  set(m, vcpu, 'events');
  vcpu.nmi_iret = NMI_IRET.none;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  return AT.kvm_arch_vcpu_ioctl_set_mpstate;
}

/** Models kvm_arch_vcpu_ioctl_set_mpstate(), arch/x86/kvm/x86.c. */
export function kvm_arch_vcpu_ioctl_set_mpstate(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const saved = kept(m, vcpu);
  const wanted = Object.values(MP_STATE).find(state => state === vcpu.vmm_mp_state) ?? MP_STATE.RUNNABLE;
  vcpu.mp_state = vcpu.vmm_work === VMM_WORK.load && saved ? saved.mp_state : wanted;
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  return vcpu.vmm_work === VMM_WORK.load ? AT.kvm_vcpu_ioctl_set_lapic : AT['run_on_cpu.done'];
}

/**
 * Models kvm_vcpu_ioctl_set_lapic(), arch/x86/kvm/x86.c, which goes through apic_set_spiv(): a LAPIC that is enabled by
 * it has a finished item looked at, where the version does so at all.
 */
export function kvm_vcpu_ioctl_set_lapic(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const was = vcpu.lapic_enabled;
  set(m, vcpu, 'lapic');
  kvm_make_request(KVM_REQ_EVENT, vcpu);
  if (!was && vcpu.lapic_enabled && knobs_of(m, vcpu).lapic_enable === 'apf_ready')
    kvm_make_request(KVM_REQ_APF_READY, vcpu);
  return AT['run_on_cpu.done'];
}

/** The vCPU thread has done what was asked of it. Models process_queued_cpu_work() of QEMU. */
export function run_on_cpu_end(m: Machine, thread: Thread): At {
  return run_on_cpu_done(m, vcpu_of(m, thread));
}
