/**
 * The main thread of a VM's process: sleeps until it is told to do something with the whole VM.
 *
 * vCPU threads are kvm/vcpu.ts. What the main thread is to do is state of its VM, so a request is not lost on it. The
 * end of a VM has two forms. Destroyed by its VMM, it loses its threads and file descriptors. Killed with the whole
 * process, it loses its address space first: exit_mm() comes before exit_files().
 */
import { AT, type At } from '../at.ts';
import { schedule, wake_up_process } from '../host/sched.ts';
import { kvm_put_kvm, module_put } from '../kvm/destroy.ts';
import { kvm_vcpu_kick } from '../kvm/requests.ts';
import { VM_END, VM_STATE } from '../life.ts';
import { knobsOfVm, type Machine, vmSpec } from '../machine.ts';
import { mmput } from '../mm/exit_mmap.ts';
import { begin_memory_job } from '../mm/memory_job.ts';
import { OBS } from '../observe.ts';
import { TASK_STATE, type Thread, WAIT } from '../schema.ts';
import { end_vm } from './end.ts';

/** Tells the main thread of a VM to change a memslot. */
export function change_memslot(m: Machine, vm: number, change: number): void {
  const row = m.vms[vm]!;
  if (row.state !== VM_STATE.RUNNING || row.memslot_changes.has(change)) return;
  row.memslot_changes.push(change);
  wake_up_process(m, m.threads[m.places.vms[vm]!.vmm]!);
}

const vm_of = (m: Machine, thread: Thread): number => m.places.threads[thread.id]!.vm;

/** Waits for the next request. Stands for the event loop of a VMM. */
export function vmm(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  if (m.vms[vm]!.state === VM_STATE.ENDING) return stop_vcpus(m, vm);
  if (m.vms[vm]!.memslot_changes.length > 0) return AT.kvm_set_memslot;
  const job = begin_memory_job(m, thread);
  if (job !== null) return job;
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return AT.vmm;
}

/** A signal to every vCPU thread: it leaves KVM_RUN, and ends. */
function stop_vcpus(m: Machine, vm: number): At {
  const { first_vcpu } = m.places.vms[vm]!;
  for (let vcpu = first_vcpu; vcpu < first_vcpu + vmSpec(m, vm).vcpus; vcpu += 1) {
    const thread = m.threads[m.places.vcpus[vcpu]!.thread]!;
    m.vcpus[vcpu]!.signal_pending = 1;
    if (thread.at === AT.userspace) wake_up_process(m, thread);
    else kvm_vcpu_kick(m, m.vcpus[vcpu]!);
  }
  return AT['vmm.join'];
}

/**
 * Waits until the vCPU threads are gone. Models pthread_join().
 * Differs: a process that is killed has no order among its threads; here the main one is the last.
 */
export function vmm_join(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  thread.wait = WAIT.nothing;
  if (vcpu_thread_left(m, vm) >= 0) {
    thread.wait = WAIT.thread_end;
    thread.task_state = TASK_STATE.UNINTERRUPTIBLE;
    schedule(m, thread);
    return AT['vmm.join'];
  }
  thread.cursor = 0;
  return m.vms[vm]!.end === VM_END.kill ? mmput(m, thread, vm, AT.kvm_vcpu_release) : AT.kvm_vcpu_release;
}

/** A vCPU thread of the VM that has not ended, or -1. */
export function vcpu_thread_left(m: Machine, vm: number): number {
  const { first_vcpu } = m.places.vms[vm]!;
  for (let vcpu = first_vcpu; vcpu < first_vcpu + vmSpec(m, vm).vcpus; vcpu += 1) {
    const { thread } = m.places.vcpus[vcpu]!;
    if (m.threads[thread]!.at !== AT.off) return thread;
  }
  return -1;
}

/** Closes the file descriptor of one vCPU. Models kvm_vcpu_release(), virt/kvm/kvm_main.c. */
export function kvm_vcpu_release(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  thread.cursor += 1;
  close_fd(m, vm);
  return kvm_put_kvm(m, thread, vm, thread.cursor < vmSpec(m, vm).vcpus ? AT.kvm_vcpu_release : AT.kvm_vm_release);
}

/** Closes that of the VM, the last. Models kvm_vm_release(), virt/kvm/kvm_main.c. */
export function kvm_vm_release(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  thread.cursor = 0;
  m.vms[vm]!.state = VM_STATE.CLOSED;
  close_fd(m, vm);
  return kvm_put_kvm(m, thread, vm, AT.vmm);
}

function close_fd(m: Machine, vm: number): void {
  m.vms[vm]!.open_fds -= 1;
  module_put(m, vmSpec(m, vm).host);
}

/** A vCPU thread ends: it gives up its share of the address space. Models exit_mm() in do_exit(), kernel/exit.c. */
export function do_exit(m: Machine, thread: Thread): At {
  return mmput(m, thread, vm_of(m, thread), AT['do_exit.notify']);
}

/** And is gone for good; who has waited for that goes on. */
export function do_exit_notify(m: Machine, thread: Thread): At {
  const joiner = m.threads[m.places.vms[vm_of(m, thread)]!.vmm]!;
  if (joiner.wait === WAIT.thread_end) wake_up_process(m, joiner);
  thread.task_state = TASK_STATE.INTERRUPTIBLE;
  schedule(m, thread);
  return AT.off;
}

/**
 * A VMM writes the MSRs that it knows to each vCPU before it first runs, 0 to EN among them, and gives up where one is
 * refused: "failed to set MSR 0x4b564d02 to 0x0". Models kvm_put_msrs() of QEMU.
 * Differs: where nothing can be refused, with the LAPIC in the kernel, it is not done.
 */
export function kvm_put_msrs(m: Machine, thread: Thread): At {
  const vm = vm_of(m, thread);
  if (knobsOfVm(m, vm).lapic_check === 'refuses_all' && m.vms[vm]!.state === VM_STATE.RUNNING) {
    m.observe?.(OBS.start_failed, vm, vm, -1);
    end_vm(m, vm, 'kill');
  }
  return AT.userspace;
}
