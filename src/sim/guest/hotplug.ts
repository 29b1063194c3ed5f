/**
 * A guest takes one of its CPUs out of use, and brings it back.
 *
 * Models kvm_cpu_down_prepare() and kvm_cpu_online(), arch/x86/kernel/kvm.c, and native_play_dead(). The mechanism is
 * switched off first, and everybody who waits on this CPU is woken, since the host drops what is outstanding.
 */

import { AT, type At } from '../at.ts';
import { guest_vm } from '../incarnation.ts';
import { knobsOfVm, type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { ready_by_interrupt } from '../protocol/notify.ts';
import { FRAME, FRAME_AT, GUEST_TASK, type Vcpu } from '../schema.ts';
import { push_frame } from './frames.ts';
import { rcu_idle_enter } from './rcu.ts';
import { guest_schedule, online_vcpu, place_task } from './sched.ts';

/** What a setup frame is for, in its token. */
export const SETUP = { on: 0, off: 1, down: 2 } as const;

/** Begins to write the MSRs: of a CPU that comes, goes, or only switches the mechanism on or off. */
export function begin_setup(m: Machine, vcpu: Vcpu, what: (typeof SETUP)[keyof typeof SETUP]): void {
  const by_interrupt = ready_by_interrupt(knobsOfVm(m, vm_of_vcpu(m, vcpu)));
  push_frame(m, vcpu, FRAME.setup, by_interrupt && what === SETUP.on ? FRAME_AT.int_msr : FRAME_AT.en_msr, 0, what);
}

/** The guest is told to take this CPU out of use; the last one stays. */
export function cpu_down(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  if (vcpu.guest_offline || online_vcpu(m, vm, vcpu) === null) return AT.guest;
  if (vcpu.apf_en_val !== 0) begin_setup(m, vcpu, SETUP.down);
  else take_cpu_down(m, vcpu);
  return AT.guest;
}

/** Moves its tasks to other CPUs, pinned or not, and leaves it to its idle task. Models take_cpu_down(), kernel/cpu.c. */
export function take_cpu_down(m: Machine, vcpu: Vcpu): void {
  vcpu.guest_offline = 1;
  guest_schedule(m, vcpu);
  for (const task of m.tasks) {
    if (task.vcpu !== vcpu.id || m.places.tasks[task.id]!.vm !== guest_vm(m, vm_of_vcpu(m, vcpu))) continue;
    if (task.state === GUEST_TASK.RUNNABLE) place_task(m, task, vcpu);
  }
  m.observe?.(OBS.offline, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}

/** CLI; HLT, until somebody starts the CPU again. Models native_play_dead(). */
export function play_dead(vcpu: Vcpu): void {
  rcu_idle_enter(vcpu);
  vcpu.rflags_if = 0;
}

/**
 * The CPU is in use again, and registers as at the guest's start. Differs: an INIT and a SIPI would bring it here; the
 * scenario's act stands for them.
 */
export function cpu_up(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  if (!vcpu.guest_offline) return AT.guest;
  vcpu.guest_offline = 0;
  vcpu.rflags_if = 1;
  vcpu.guest_need_resched = 1;
  m.observe?.(OBS.online, vm, vcpu.id, -1);
  if (vmSpec(m, vm).guest.apf && knobsOfVm(m, vm).notify !== 'none') begin_setup(m, vcpu, SETUP.on);
  return AT.guest;
}
