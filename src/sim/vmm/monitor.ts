/**
 * The VMM's monitor: stops and starts vCPUs, looks at them, saves and restores a VM, one command after the other.
 *
 * A vCPU's ioctls are made by its own thread, so a command is a question to each vCPU thread: a signal brings it out of
 * KVM_RUN, it does its part (kvm/ioctl.ts), and whoever is last ends the command and begins the next.
 * Differs: the VMM's main loop, which hands the questions out, takes no time of its own; of a command that is asked for
 * again while it waits or runs there is one.
 */
import { AT, type At } from '../at.ts';
import { restart_guest } from '../guest/start.ts';
import { wake_up_process } from '../host/sched.ts';
import { kvm_vcpu_kick } from '../kvm/requests.ts';
import { VM_STATE } from '../life.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { load_guest, save_guest } from '../migrate/guest_memory.ts';
import { vm_loaded, vm_saved } from '../migrate/switchover.ts';
import { OBS } from '../observe.ts';
import { MP_STATE, type Vcpu, type Vm } from '../schema.ts';
import { TRANSFER, VMM_WORK } from './fields.ts';
import type { SavedPlace } from './places.ts';
import { arrived_from_snapshot, is_home, keep_saved, leave, leaves, placeToFill, savedPlace } from './snapshot.ts';

type Work = (typeof VMM_WORK)[keyof typeof VMM_WORK];

/** Whether vCPU threads stay out of KVM_RUN: the VM is paused, or a command needs all of them out. */
export function vm_stopped(vm: Vm): boolean {
  return vm.paused === 1 || vm.transfer !== TRANSFER.none;
}

/**
 * A vCPU has shut down: the VMM stops all of them, as QEMU does with -no-shutdown -no-reboot, until somebody resumes.
 * Models qemu_system_shutdown_request() and vm_stop() of QEMU.
 */
export function vm_shutdown(m: Machine, vm: number): void {
  m.vms[vm]!.paused = 1;
  for (const vcpu of vcpusOf(m, vm)) {
    vcpu.signal_pending = 1;
    kvm_vcpu_kick(m, vcpu);
  }
}

/**
 * A signal to a vCPU's thread that nobody has a use for: it ends KVM_RUN, the VMM finds nothing to do, and goes back in.
 * Outside of KVM_RUN it would be taken there and then.
 */
export function signal_vcpu_thread(m: Machine, vcpu: Vcpu): void {
  const { at } = m.threads[m.places.vcpus[vcpu.id]!.thread]!;
  if (at === AT.userspace || at === AT.off || m.vms[vm_of_vcpu(m, vcpu)]!.state !== VM_STATE.RUNNING) return;
  vcpu.signal_pending = 1;
  kvm_vcpu_kick(m, vcpu);
}

/** A command comes in. */
export function monitor_command(m: Machine, vm: number, command: number): void {
  const { monitor } = m.vms[vm]!;
  if (monitor.has(command)) return;
  monitor.push(command);
  if (monitor.length === 1) begin(m, vm);
}

function vcpusOf(m: Machine, vm: number): readonly Vcpu[] {
  const { first_vcpu } = m.places.vms[vm]!;
  return m.vcpus.slice(first_vcpu, first_vcpu + m.program.vms[vm]!.vcpus);
}

function begin(m: Machine, vm: number): void {
  const row = m.vms[vm]!;
  const { op } = m.places.commands[row.monitor.at(0)]!;
  const one = 'vcpu' in op && op.vcpu !== null ? m.vcpus[m.places.vms[vm]!.first_vcpu + op.vcpu]! : null;
  switch (op.op) {
    case 'pause':
      row.paused = 1;
      for (const vcpu of vcpusOf(m, vm)) run_on_cpu(m, vcpu, VMM_WORK.stop, 0);
      return;
    case 'resume':
      if (!moves_away(m, vm) && is_home(m, vm)) row.paused = 0;
      end(m, vm);
      return;
    case 'query':
      for (const vcpu of vcpusOf(m, vm)) run_on_cpu(m, vcpu, VMM_WORK.query, 0);
      return;
    case 'get_mpstate':
      run_on_cpu(m, one!, VMM_WORK.get_mpstate, savedPlace(m, op.name, 0).first + 1);
      return;
    case 'set_mpstate':
      one!.vmm_mp_state = MP_STATE[op.state];
      run_on_cpu(m, one!, VMM_WORK.set_mpstate, 0);
      return;
    case 'clear_queue':
      run_on_cpu(m, one!, VMM_WORK.clear, 0);
      return;
    case 'reset':
      if (one) {
        run_on_cpu(m, one, VMM_WORK.reset, 0);
        return;
      }
      row.transfer = TRANSFER.stopping;
      for (const vcpu of vcpusOf(m, vm)) run_on_cpu(m, vcpu, VMM_WORK.stop, 0);
      return;
    case 'restore':
      row.transfer = TRANSFER.stopping;
      // One that starts here is reset first, whatever it did before it left: loadvm begins with qemu_system_reset().
      for (const vcpu of vcpusOf(m, vm)) run_on_cpu(m, vcpu, is_home(m, vm) ? VMM_WORK.stop : VMM_WORK.reset, 0);
      return;
    case 'save':
    case 'migrate_out':
      row.transfer = TRANSFER.stopping;
      for (const vcpu of vcpusOf(m, vm)) run_on_cpu(m, vcpu, VMM_WORK.stop, 0);
      return;
    case 'migrate_in':
      load(m, vm, m.places.migrations[op.migration]!.saved);
      return;
  }
}

/** A migration has stopped it and is not over: `cont` is refused, "Migration is not finalized yet". */
function moves_away(m: Machine, vm: number): boolean {
  return m.program.migrations.some(({ out_of }, id) => out_of === vm && m.migrations[id]!.vm_stopped === 1);
}

/** Writes what was saved: the guest's memory at once, then each vCPU thread its own state. */
function load(m: Machine, vm: number, place: SavedPlace): void {
  m.vms[vm]!.transfer = TRANSFER.transferring;
  load_guest(m, vm, place);
  ask_all(m, vm, place, VMM_WORK.load);
}

function ask_all(m: Machine, vm: number, place: SavedPlace, work: Work): void {
  vcpusOf(m, vm).forEach((vcpu, index) => {
    run_on_cpu(m, vcpu, work, place.first + index + 1);
  });
}

/** Has a vCPU thread do something outside of KVM_RUN. Models run_on_cpu() and qemu_cpu_kick() of QEMU. */
function run_on_cpu(m: Machine, vcpu: Vcpu, work: Work, saved: number): void {
  vcpu.vmm_work = work;
  vcpu.vmm_saved = saved;
  vcpu.signal_pending = 1;
  const thread = m.threads[m.places.vcpus[vcpu.id]!.thread]!;
  if (thread.at === AT.userspace) wake_up_process(m, thread);
  else kvm_vcpu_kick(m, vcpu);
}

/** A vCPU thread has done its part; the last one ends the command, or begins its second half. */
export function run_on_cpu_done(m: Machine, vcpu: Vcpu): At {
  vcpu.vmm_work = VMM_WORK.none;
  vcpu.vmm_saved = 0;
  vcpu.vmm_mp_state = MP_STATE.RUNNABLE;
  const vm = vm_of_vcpu(m, vcpu);
  if (vcpusOf(m, vm).every(each => each.vmm_work === VMM_WORK.none)) proceed(m, vm);
  return AT.userspace;
}

/** A vCPU's state was asked for and not given: -EBUSY. The whole command has failed. */
export function run_on_cpu_refused(m: Machine, vcpu: Vcpu): At {
  m.vms[vm_of_vcpu(m, vcpu)]!.monitor_failed = 1;
  return run_on_cpu_done(m, vcpu);
}

/** All vCPUs have done what was asked of them. */
function proceed(m: Machine, vm: number): void {
  const row = m.vms[vm]!;
  const { op } = m.places.commands[row.monitor.at(0)]!;
  if (op.op === 'get_mpstate')
    m.saveds[m.places.saved.indexOf(savedPlace(m, op.name, 0))]!.taken = row.monitor_failed ? 0 : 1;
  if (op.op === 'reset' && row.transfer === TRANSFER.stopping) {
    row.transfer = TRANSFER.transferring;
    restart_guest(m, vm);
    for (const vcpu of vcpusOf(m, vm)) run_on_cpu(m, vcpu, VMM_WORK.reset, 0);
    return;
  }
  if (op.op === 'migrate_out') {
    const { saved } = m.places.migrations[op.migration]!;
    if (row.transfer === TRANSFER.stopping) {
      row.transfer = TRANSFER.transferring;
      ask_all(m, vm, saved, VMM_WORK.save);
      return;
    }
    row.paused = 1;
    if (!row.monitor_failed) save_guest(m, vm, saved);
    vm_saved(m, op.migration, row.monitor_failed === 1);
  }
  if (op.op === 'migrate_in') {
    if (!row.monitor_failed) row.paused = 0;
    vm_loaded(m, op.migration, row.monitor_failed === 1);
  }
  if (op.op === 'save') {
    const place = placeToFill(m, op.name);
    if (row.transfer === TRANSFER.stopping) {
      row.transfer = TRANSFER.transferring;
      ask_all(m, vm, place, VMM_WORK.save);
      return;
    }
    if (!row.monitor_failed) {
      save_guest(m, vm, place);
      keep_saved(m, op.name);
    }
  }
  if (op.op === 'restore') {
    const place = savedPlace(m, op.name, op.back);
    const taken = m.saveds[m.places.saved.indexOf(place)]!.taken === 1;
    const here = is_home(m, vm);
    if (row.transfer === TRANSFER.stopping && taken && !leaves(m, vm, op)) {
      load(m, vm, place);
      return;
    }
    if (row.transfer === TRANSFER.stopping && taken) {
      row.paused = 1;
      leave(m, vm, op);
    } else if (!here) arrived_from_snapshot(m, vm, row.monitor_failed === 1);
    else if (taken) m.observe?.(OBS.restored, vm, vm, -1);
  }
  end(m, vm);
}

/** The VM goes on, unless something else keeps it. Models vm_start() of QEMU. */
export function vm_resume(m: Machine, vm: number): void {
  const row = m.vms[vm]!;
  row.paused = 0;
  if (vm_stopped(row)) return;
  for (const vcpu of vcpusOf(m, vm)) {
    const thread = m.threads[m.places.vcpus[vcpu.id]!.thread]!;
    if (thread.at === AT.userspace) wake_up_process(m, thread);
  }
}

/** The command is over: the vCPUs go on where nothing else keeps them, and the next command begins. */
function end(m: Machine, vm: number): void {
  const row = m.vms[vm]!;
  row.transfer = TRANSFER.none;
  row.monitor_failed = 0;
  row.monitor.shift();
  if (!row.paused) vm_resume(m, vm);
  if (row.monitor.length > 0) begin(m, vm);
}
