/**
 * The guest starts another kernel in its place, as kdump does after a crash.
 *
 * The memory that the old kernel shared with the host is the new one's from then on, and may be anything. So the old
 * kernel has to switch the mechanism off first, on each CPU; on the way through a crash it forgot to until 5.13.
 * Differs: the new kernel reads no page of the heap and does not switch the mechanism on.
 */
import { AT, type At } from '../at.ts';
import { knobsOfVm, type Machine, vm_of_vcpu } from '../machine.ts';
import { GUEST_TASK, type Vcpu } from '../schema.ts';
import { pop_frame } from './frames.ts';
import { begin_setup, SETUP } from './hotplug.ts';
import { guest_schedule } from './sched.ts';

/** One CPU leaves the old kernel. Models kvm_crash_shutdown() and machine_kexec(), arch/x86/kernel. */
export function kexec(m: Machine, vcpu: Vcpu): At {
  while (vcpu.depth > 0) pop_frame(vcpu);
  vcpu.op_left_ns = 0;
  for (const task of m.tasks) {
    if (m.vcpus[task.vcpu]!.vm !== vm_of_vcpu(m, vcpu) || task.vcpu !== vcpu.id) continue;
    task.state = GUEST_TASK.DONE;
    task.token = 0;
    m.queue.disarm(m.places.source.task + task.id);
  }
  for (const node of m.nodes) {
    if (node.vcpu !== vcpu.id + 1) continue;
    node.state = 0;
    node.token = 0;
    node.vcpu = 0;
  }
  guest_schedule(m, vcpu);
  if (vcpu.apf_en_val === 0) return AT.guest;
  if (knobsOfVm(m, vm_of_vcpu(m, vcpu)).crash_disables_apf === 'yes') begin_setup(m, vcpu, SETUP.off);
  else vcpu.area_abandoned = 1;
  return AT.guest;
}
