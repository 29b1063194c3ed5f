/**
 * A guest CPU between entry and exit: one instruction, or one piece of uninterrupted work, per step.
 *
 * Before each the hardware looks whether it must leave: because the host wants the CPU, because an immediate exit was
 * arranged, or because an interrupt that was waiting for the window can be taken.
 */
import { AT, type At } from '../at.ts';
import { SLICE_NS } from '../host/sched.ts';
import { knobsOfVm, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import type { PageChoice, TaskOp } from '../program.ts';
import { draw, drawPage } from '../sample.ts';
import { EXIT_REASON, FRAME, FRAME_AT, GUEST_TASK, type Task, type Thread, VCPU_MODE, type Vcpu } from '../schema.ts';
import { access_page, left_guest } from './access.ts';
import { push_frame } from './frames.ts';
import { hlt, run_handler, vm_exit } from './handlers.ts';
import { count_work, guest_schedule } from './sched.ts';

const INJECTED_WRITE = 0x8000_0000;
/** A guest that halts without an exit, or has panicked, looks again this often. */
const IN_GUEST_HALT_NS = 1_000_000;

export function guest(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const cpu = m.cpus[thread.cpu]!;
  if (vcpu.mode === VCPU_MODE.EXITING_GUEST_MODE || vcpu.immediate_exit || cpu.need_resched)
    return vm_exit(vcpu, EXIT_REASON.interrupt);
  if (vcpu.irq_window && vcpu.rflags_if && !vcpu.shadow) return vm_exit(vcpu, EXIT_REASON.vintr);
  vcpu.shadow = 0;
  if (vcpu.panicked) return long_op(m, thread, vcpu, IN_GUEST_HALT_NS);
  // Halted without an exit: only an interrupt ends it.
  if (vcpu.in_hlt && !vmSpec(m, vm_of_vcpu(m, vcpu)).hlt_exits) return long_op(m, thread, vcpu, IN_GUEST_HALT_NS);
  if (vcpu.op_left_ns > 0) return long_op(m, thread, vcpu, vcpu.op_left_ns);
  if (vcpu.depth > 0) return run_handler(m, thread, vcpu);
  if (vcpu.guest_apf_switch !== 0) return begin_apf_switch(m, vcpu);
  if (vcpu.current === 0) return idle(m, vcpu);
  return run_task(m, thread, vcpu, m.tasks[vcpu.current - 1]!);
}

/** Work that an interrupt can cut short; with other threads waiting for the CPU it ends with the slice. */
function long_op(m: Machine, thread: Thread, vcpu: Vcpu, wanted_ns: number): At {
  const cpu = m.cpus[thread.cpu]!;
  let time_ns = wanted_ns;
  if (cpu.runqueue.length > 1) time_ns = Math.max(1, Math.min(time_ns, cpu.slice_start_ns + SLICE_NS - m.clock.now_ns));
  vcpu.op_left_ns = wanted_ns - time_ns;
  count_work(m, vcpu, time_ns);
  thread.charge_ns += time_ns;
  cpu.guest_op = 1;
  return AT.guest;
}

function begin_apf_switch(m: Machine, vcpu: Vcpu): At {
  const off = vcpu.guest_apf_switch === 1;
  vcpu.guest_apf_switch = 0;
  const by_interrupt = knobsOfVm(m, vm_of_vcpu(m, vcpu)).notify === 'pf_then_interrupt';
  push_frame(m, vcpu, FRAME.setup, by_interrupt && !off ? FRAME_AT.int_msr : FRAME_AT.en_msr, 0, off ? 1 : 0);
  return AT.guest;
}

/** The idle task: looks for work, else STI; HLT. Models default_idle(). */
function idle(m: Machine, vcpu: Vcpu): At {
  vcpu.in_hlt = 0;
  guest_schedule(m, vcpu);
  if (vcpu.current !== 0) return AT.guest;
  vcpu.rflags_if = 1;
  return hlt(m, vcpu);
}

/** The next operation of the current task. */
function run_task(m: Machine, thread: Thread, vcpu: Vcpu, task: Task): At {
  const charge_ns = m.charges_of_vcpu[vcpu.id]!;
  if (task.injected !== 0) {
    const write = (task.injected & INJECTED_WRITE) !== 0;
    const page = (task.injected & ~INJECTED_WRITE) - 1;
    if (!touch(m, thread, vcpu, task, page, write, charge_ns.guest_access)) return left_guest(vcpu);
    task.injected = 0;
    return AT.guest;
  }
  const op = m.places.tasks[task.id]!.spec.ops[task.pc];
  if (!op) return end_task(m, vcpu, task);
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
    case 'sti':
      if (!vcpu.rflags_if) vcpu.shadow = 1;
      vcpu.rflags_if = 1;
      break;
    case 'preempt_off':
      task.preempt_count += 1;
      break;
    case 'preempt_on':
      task.preempt_count -= 1;
      if (task.preempt_count === 0 && vcpu.guest_need_resched) {
        task.pc += 1;
        guest_schedule(m, vcpu);
        return AT.guest;
      }
      break;
    case 'user':
      vcpu.cpl3 = 1;
      break;
    case 'kernel':
      vcpu.cpl3 = 0;
      break;
    case 'done':
      return end_task(m, vcpu, task);
  }
  task.pc += 1;
  vcpu.in_hlt = 0;
  return AT.guest;
}

function end_task(m: Machine, vcpu: Vcpu, task: Task): At {
  task.state = GUEST_TASK.DONE;
  m.observe?.(OBS.done, vm_of_vcpu(m, vcpu), task.id, -1);
  guest_schedule(m, vcpu);
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
    default:
      return drawPage(choice, m.draws.ranks[task.id]![task.pc]!, task);
  }
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
