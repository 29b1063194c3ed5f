/**
 * A guest CPU between entry and exit: one instruction, or one piece of uninterrupted work, per step.
 *
 * Before each the hardware looks whether it must leave: because the host wants the CPU, because an immediate exit was
 * arranged, or because an interrupt that was waiting for the window can be taken.
 */
import { next32 } from '../../base/rng.ts';
import { look_at_pages } from '../ahead.ts';
import { AT, type At } from '../at.ts';
import { SLICE_NS } from '../host/sched.ts';
import { EXIT_REASON } from '../kvm/exit_reason.ts';
import { window_opened } from '../kvm/nmi.ts';
import { type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import type { HandlerOp, PageChoice, TaskOp } from '../program.ts';
import { draw, pageOfBits, type RandomChoice } from '../sample.ts';
import { GUEST_TASK, type Task, type Thread, VCPU_MODE, type Vcpu } from '../schema.ts';
import { access_page, left_guest } from './access.ts';
import { execute_cr } from './cr.ts';
import { hlt, run_handler, vm_exit } from './handlers.ts';
import { begin_setup, cpu_down, cpu_up, play_dead, SETUP } from './hotplug.ts';
import { run_hypervisor } from './hypervisor.ts';
import { send_owed_ipi } from './ipi.ts';
import { kexec } from './kexec.ts';
import { rcu_idle_enter } from './rcu.ts';
import { count_work, end_task, guest_schedule } from './sched.ts';
import { fork, preempt_enable, rcu_read_unlock, resched_point, spin_lock, spin_unlock } from './sections.ts';
import { GUEST_WORK } from './work.ts';

const INJECTED_WRITE = 0x8000_0000;
/** A guest that halts without an exit, or has panicked, looks again this often. */
const IN_GUEST_HALT_NS = 1_000_000;

export function guest(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const cpu = m.cpus[thread.cpu]!;
  if (vcpu.mode === VCPU_MODE.EXITING_GUEST_MODE || vcpu.immediate_exit || cpu.need_resched)
    return vm_exit(vcpu, EXIT_REASON.interrupt);
  if (vcpu.exit_window !== 0) {
    const reason = window_opened(vcpu);
    if (reason !== EXIT_REASON.none) return vm_exit(vcpu, reason);
  }
  vcpu.shadow = 0;
  if (vcpu.panicked) return long_op(m, thread, vcpu, IN_GUEST_HALT_NS);
  // Halted without an exit: only an interrupt ends it.
  if (vcpu.in_hlt && !vmSpec(m, vm_of_vcpu(m, vcpu)).hlt_exits) return long_op(m, thread, vcpu, IN_GUEST_HALT_NS);
  if (vcpu.op_left_ns > 0) return long_op(m, thread, vcpu, vcpu.op_left_ns);
  if (vcpu.depth > 0) return run_handler(m, thread, vcpu);
  if (vcpu.guest_work !== 0 && !vcpu.guest_mode) return do_guest_work(m, thread, vcpu);
  if (vcpu.current === 0) return idle(m, thread, vcpu);
  return run_task(m, thread, vcpu, m.tasks[vcpu.current - 1]!);
}

/** Work that an interrupt can cut short; with other threads waiting for the CPU it ends with the slice. */
function long_op(m: Machine, thread: Thread, vcpu: Vcpu, wanted_ns: number): At {
  const cpu = m.cpus[thread.cpu]!;
  let time_ns = wanted_ns;
  if (cpu.n_runqueue > 1) time_ns = Math.max(1, Math.min(time_ns, cpu.slice_start_ns + SLICE_NS - m.clock.now_ns));
  vcpu.op_left_ns = wanted_ns - time_ns;
  count_work(m, vcpu, time_ns);
  thread.charge_ns += time_ns;
  cpu.guest_op = 1;
  return AT.guest;
}

/** Whatever was asked of this CPU, one thing at a time. */
function do_guest_work(m: Machine, thread: Thread, vcpu: Vcpu): At {
  const work = vcpu.guest_work;
  if (work === GUEST_WORK.hypervisor) return run_hypervisor(m, thread, vcpu);
  if ((work & GUEST_WORK.ipi) !== 0) return send_owed_ipi(m, vcpu);
  const bit = work & -work;
  vcpu.guest_work = work & ~bit;
  switch (bit) {
    case GUEST_WORK.apf_off:
      begin_setup(m, vcpu, SETUP.off);
      return AT.guest;
    case GUEST_WORK.apf_on:
      begin_setup(m, vcpu, SETUP.on);
      return AT.guest;
    case GUEST_WORK.cr:
      return execute_cr(vcpu);
    case GUEST_WORK.cpu_down:
      return cpu_down(m, vcpu);
    case GUEST_WORK.kexec:
      return kexec(m, vcpu);
    case GUEST_WORK.cpu_up:
      return cpu_up(m, vcpu);
    default:
      if (vcpu.current !== 0) guest_schedule(m, vcpu);
      return AT.guest;
  }
}

/**
 * The idle task: looks for work, tells RCU that it has none, does what its loop does besides, then STI; HLT.
 *
 * Models do_idle() (cpu_idle() before 4.10) and default_idle().
 */
function idle(m: Machine, thread: Thread, vcpu: Vcpu): At {
  vcpu.in_hlt = 0;
  if (vcpu.guest_offline) {
    play_dead(vcpu);
    return hlt(m, vcpu);
  }
  guest_schedule(m, vcpu);
  if (vcpu.current !== 0) return AT.guest;
  rcu_idle_enter(vcpu);
  vcpu.rflags_if = 1;
  const op = m.places.vcpus[vcpu.id]!.idle[vcpu.idle_op];
  if (op) return idle_loop(m, thread, vcpu, op);
  vcpu.idle_op = 0;
  return hlt(m, vcpu);
}

/** One operation of the idle loop: kernel code, interrupts on, while RCU does not watch. */
function idle_loop(m: Machine, thread: Thread, vcpu: Vcpu, op: HandlerOp): At {
  if (op.op === 'read' || op.op === 'write') {
    const page = m.places.vms[vm_of_vcpu(m, vcpu)]!.first_page + op.page;
    thread.charge_ns += vcpu.charge_ns.guest_access;
    if (!access_page(m, vcpu, page, op.op === 'write')) return left_guest(vcpu);
  } else if (op.op === 'work') thread.charge_ns += op.ns;
  vcpu.idle_op += 1;
  return AT.guest;
}

/** The next operation of the current task. */
function run_task(m: Machine, thread: Thread, vcpu: Vcpu, task: Task): At {
  const charge_ns = vcpu.charge_ns;
  if (task.injected !== 0) {
    const write = (task.injected & INJECTED_WRITE) !== 0;
    const page = m.places.vms[vm_of_vcpu(m, vcpu)]!.first_page + (task.injected & ~INJECTED_WRITE) - 1;
    if (!touch(m, thread, vcpu, task, page, write, charge_ns.guest_access)) return left_guest(vcpu);
    task.injected = 0;
    return AT.guest;
  }
  const op = m.places.tasks[task.id]!.spec.ops[task.pc];
  if (!op) return finish(m, vcpu, task);
  thread.charge_ns += charge_ns.guest_op;
  switch (op.op) {
    case 'read':
    case 'write':
      return access(m, thread, vcpu, task, op, charge_ns.guest_access);
    case 'work':
      task.pc += 1;
      vcpu.op_left_ns = draw(m.draws.time[task.id]![task.pc - 1]!, task);
      return AT.guest;
    case 'jump':
      task.pc = op.to;
      return AT.guest;
    case 'repeat': {
      const done = task.repeat(op.slot) + 1;
      task.set_repeat(op.slot, done < op.times ? done : 0);
      task.pc = done < op.times ? op.to : task.pc + 1;
      return AT.guest;
    }
    case 'sleep':
      task.pc += 1;
      task.state = GUEST_TASK.SLEEPING;
      m.queue.arm(m.places.source.task + task.id, m.clock.now_ns + draw(m.draws.time[task.id]![task.pc - 1]!, task));
      guest_schedule(m, vcpu);
      return AT.guest;
    case 'hlt':
      task.pc += 1;
      return hlt(m, vcpu);
    case 'cli':
      vcpu.rflags_if = 0;
      break;
    case 'mov_ss':
      vcpu.shadow = 1;
      break;
    case 'sti':
      if (!vcpu.rflags_if) vcpu.shadow = 1;
      vcpu.rflags_if = 1;
      break;
    case 'preempt_off':
      task.preempt_count += 1;
      break;
    case 'rcu_read_lock':
      task.rcu_depth += 1;
      break;
    case 'kernel':
      vcpu.cpl3 = 0;
      break;
    case 'lock':
      if (!spin_lock(m, thread, task, m.places.vms[vm_of_vcpu(m, vcpu)]!.first_lock + op.lock)) return AT.guest;
      break;
    case 'user':
    case 'preempt_on':
    case 'rcu_read_unlock':
    case 'unlock':
    case 'fork':
      task.pc += 1;
      vcpu.in_hlt = 0;
      leave_section(m, vcpu, task, op);
      return AT.guest;
    case 'done':
      return finish(m, vcpu, task);
  }
  task.pc += 1;
  vcpu.in_hlt = 0;
  return AT.guest;
}

/** What may let another task run: the end of a section, a new task, the way back to user mode. */
function leave_section(m: Machine, vcpu: Vcpu, task: Task, op: TaskOp): void {
  const vm = vm_of_vcpu(m, vcpu);
  const { guest } = vmSpec(m, vm);
  const place = m.places.vms[vm]!;
  switch (op.op) {
    case 'user':
      vcpu.cpl3 = 1;
      // L2's kernel is not the one that schedules here.
      if (vcpu.guest_mode) return;
      resched_point(m, vcpu, guest, task);
      return;
    case 'preempt_on':
      preempt_enable(m, vcpu, guest, task);
      return;
    case 'rcu_read_unlock':
      rcu_read_unlock(m, vcpu, guest, task);
      return;
    case 'unlock':
      spin_unlock(m, vcpu, guest, task, place.first_lock + op.lock);
      return;
    case 'fork':
      fork(m, vcpu, place.first_task, op.tasks);
      resched_point(m, vcpu, guest, task);
      return;
    default:
      return;
  }
}

/** The end of the script; L2 asks its hypervisor to end it. */
function finish(m: Machine, vcpu: Vcpu, task: Task): At {
  if (vcpu.guest_mode) return vm_exit(vcpu, EXIT_REASON.vmmcall);
  end_task(m, vcpu, task);
  return AT.guest;
}

function access(
  m: Machine,
  thread: Thread,
  vcpu: Vcpu,
  task: Task,
  op: Extract<TaskOp, { op: 'read' | 'write' }>,
  cost_ns: number,
): At {
  if (op.rate_per_s > 0 && task.target === 0) {
    if (m.clock.now_ns < task.paced_ns) {
      task.pc += 1;
      return AT.guest;
    }
    task.paced_ns = Math.max(task.paced_ns, m.clock.now_ns) + Math.round(1e9 / op.rate_per_s);
  }
  if (task.target === 0) task.target = choose(m, task, op.page) + 1;
  const page = m.places.vms[vm_of_vcpu(m, vcpu)]!.first_page + task.target - 1;
  if (!touch(m, thread, vcpu, task, page, op.op === 'write', cost_ns)) return left_guest(vcpu);
  task.target = 0;
  // The jump that ends a loop costs what it costs, but is no step of its own.
  const next = m.places.tasks[task.id]!.spec.ops[task.pc + 1];
  task.pc = next?.op === 'jump' ? next.to : task.pc + 1;
  return AT.guest;
}

/** The page that an operation goes to, counted from the start of the heap. */
function choose(m: Machine, task: Task, choice: PageChoice): number {
  switch (choice.kind) {
    case 'page':
      return choice.page;
    case 'sequential': {
      const page = choice.first + (task.cursor % choice.pages);
      task.cursor = (task.cursor + choice.step) % choice.pages;
      return page;
    }
    case 'listed': {
      const page = choice.pages[task.cursor % choice.pages.length]!;
      task.cursor = (task.cursor + 1) % choice.pages.length;
      return page;
    }
    default:
      return drawPage(m, task, choice);
  }
}

function drawPage(m: Machine, task: Task, choice: RandomChoice): number {
  const page = pageOfBits(choice, m.draws.ranks[task.id]![task.pc]!, next32(task));
  if (m.looks_ahead) look_at_pages(m, task, m.places.vms[m.vcpus[task.vcpu]!.vm]!.first_page, page, choice);
  return page;
}

function touch(
  m: Machine,
  thread: Thread,
  vcpu: Vcpu,
  task: Task,
  page: number,
  write: boolean,
  cost_ns: number,
): boolean {
  thread.charge_ns += cost_ns;
  if (!access_page(m, vcpu, page, write)) {
    task.nr_faults += 1;
    task.resuming = 1;
    return false;
  }
  task.nr_accesses += 1;
  const resumed = task.resuming === 1;
  task.resuming = 0;
  if (m.observe) {
    const vm = vm_of_vcpu(m, vcpu);
    if (resumed) m.observe(OBS.resumes, vm, task.id, -1);
    m.observe(OBS.accesses, vm, task.id, page);
    m.observe(OBS.progresses, vm, task.id, -1);
  }
  return true;
}
