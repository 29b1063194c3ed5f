/**
 * What the scenario does to the machine: its actions, when they are due, and its holds.
 *
 * State is in the `action` and `hold` tables, so time travel takes it along. Whatever an action does stands for a
 * device, an administrator or the guest itself; none of it is a host thread's step.
 */
import { AT, type At, stepNamed } from './at.ts';
import { NO_THREAD } from './engine.ts';
import { write_cr0_pg } from './guest/cr.ts';
import { unmap_of_task } from './guest/pgfault.ts';
import { GUEST_WORK } from './guest/work.ts';
import { hold_thread, release_thread, wake_up_process } from './host/sched.ts';
import { vcpu_now, vm_now } from './incarnation.ts';
import { delete_module } from './kvm/destroy.ts';
import { EXCEPTION } from './kvm/event_state.ts';
import { apic_set_spiv } from './kvm/lapic.ts';
import { KVM_REQ_PMI, kvm_make_request, kvm_vcpu_kick } from './kvm/requests.ts';
import { kvm_inject_smi } from './kvm/smi.ts';
import { kvm_apic_accept_init, kvm_apic_accept_sipi } from './kvm/startup.ts';
import { VM_STATE } from './life.ts';
import { knobsOfVm, type Machine } from './machine.ts';
import { link_down, link_up } from './migrate/cut.ts';
import { migrate_cancel, migrate_start } from './migrate/source.ts';
import { queue_memory_job } from './mm/memory_job.ts';
import { fault_in_at_once, mlock_at_once } from './mm/touch.ts';
import { kill_handler } from './mm/userfault.ts';
import { OBS } from './observe.ts';
import { order } from './order.ts';
import { type Matcher, matcherOf, matches, rowOf } from './pattern.ts';
import type { Action, ActionOp, Trigger } from './program.ts';
import { ACTION, HOLD, MP_STATE, type Thread, type Vcpu } from './schema.ts';
import { end_vm } from './vmm/end.ts';
import { device_irq, device_nmi } from './vmm/irqchip.ts';
import { change_memslot } from './vmm/main_loop.ts';
import { monitor_command, signal_vcpu_thread } from './vmm/monitor.ts';

interface HoldRule {
  /** Thread and step held, or -1 where the hold is on an event. */
  readonly thread: number;
  readonly at: At;
  readonly after: Matcher | null;
  readonly until: Matcher | null;
  readonly page: number;
  readonly ns: number;
}

export interface Script {
  /** Told of every observation. */
  observe(observation: number, vm: number, a: number, b: number): void;
  /** An action's event has come up. */
  fire(action: number): void;
  /** Whether any action waits for a condition; then poll() is to be called after each step. */
  readonly polls: boolean;
  poll(): void;
  /** Holds the thread back if a rule says so; the engine asks before each step. */
  readonly holds: boolean;
  holdBack(thread: Thread): boolean;
  /** Arms everything that is due at a time; called once, at the start. */
  start(): void;
}

function holdRules(m: Machine): readonly HoldRule[] {
  return m.places.holds.map(({ op }) => {
    if (op.op === 'hold_event') {
      const entity = op.event.args[0];
      return {
        thread: -1,
        at: AT.off,
        after: null,
        until: null,
        page: entity ? rowOf(m.places, entity) : -1,
        ns: op.ns,
      };
    }
    const actor = rowOf(m.places, op.actor);
    return {
      thread: op.actor.kind === 'vcpu' ? m.places.vcpus[actor]!.thread : actor,
      at: stepNamed(op.step),
      after: op.after && matcherOf(m.places, op.after),
      until: matcherOf(m.places, op.until),
      page: -1,
      ns: 0,
    };
  });
}

/** The guest is to take a CPU out of use, or to start one: that one wakes from the HLT it was left in. */
function guest_cpu(m: Machine, vcpu: Vcpu, online: boolean): void {
  vcpu.guest_work |= online ? GUEST_WORK.cpu_up : GUEST_WORK.cpu_down;
  if (!online || !vcpu.guest_offline) return;
  vcpu.in_hlt = 0;
  vcpu.mp_state = MP_STATE.RUNNABLE;
  kvm_vcpu_kick(m, vcpu);
}

/** By an NMI, for a CPU that idles. */
function begin_kexec(m: Machine, vcpu: Vcpu): void {
  vcpu.guest_work |= GUEST_WORK.kexec;
  if (!vcpu.in_hlt) return;
  vcpu.in_hlt = 0;
  vcpu.mp_state = MP_STATE.RUNNABLE;
  kvm_vcpu_kick(m, vcpu);
}

/** A VM that ends is out of reach for whoever acts on its vCPUs; its memory is there until the address space goes. */
function is_gone(m: Machine, op: ActionOp): boolean {
  if (!('vm' in op)) return false;
  const { state, mm_exited } = m.vms[vm_now(m, op.vm)]!;
  if (op.op === 'touch' || op.op === 'evict' || op.op === 'fail') return mm_exited === 1;
  return state !== VM_STATE.RUNNING;
}

/** Of each `any` the one that the seed picks is left to happen. */
function choose(m: Machine, actions: readonly Action[]): void {
  const groups = new Map<number, number[]>();
  actions.forEach(({ choice }, index) => {
    if (choice !== undefined) groups.set(choice, [...(groups.get(choice) ?? []), index]);
  });
  for (const [choice, of] of groups) {
    const chosen = (m.program.seed + choice) % of.length;
    of.forEach((index, place) => {
      if (place !== chosen) m.actions[index]!.state = ACTION.done;
    });
  }
}

/** `conditions`: for each action triggered by `when`, how to tell; from src/sim/judge. */
export function createScript(m: Machine, conditions: readonly ((() => boolean) | null)[]): Script {
  const { actions } = m.program;
  const rules = holdRules(m);
  const afters = actions.map(action =>
    action.trigger.kind === 'after' ? matcherOf(m.places, action.trigger.event) : null,
  );
  const source = (action: number) => m.places.source.action + action;
  const evictions = new Map<ActionOp, number>(m.places.evictions.map(({ op }, index) => [op, index]));
  const memory_jobs = new Map<ActionOp, number>(m.places.memory_jobs.map(({ op }, index) => [op, index]));
  const commands = new Map<object, number>(m.places.commands.map(({ op }, index) => [op, index]));
  const firstHold = new Map<ActionOp, number>(m.places.holds.map(({ op }, index) => [op, index]));

  const perform = (action: number, op: ActionOp): void => {
    const vcpuOf = (at: { readonly vm: number; readonly vcpu: number }) =>
      vcpu_now(m, m.places.vms[at.vm]!.first_vcpu + at.vcpu);
    if (is_gone(m, op)) return;
    switch (op.op) {
      case 'merge':
      case 'evict_part':
      case 'evict': {
        const { host } = m.program.vms[vm_now(m, op.vm)]!;
        const index = evictions.get(op)!;
        const row = m.hosts[host]!;
        if (!row.evict.has(index)) row.evict.push(index);
        wake_up_process(m, m.threads[m.places.hosts[host]!.kswapd]!);
        return;
      }
      case 'touch': {
        if (op.task === null) fault_in_at_once(m, m.places.vms[vm_now(m, op.vm)]!.first_page + op.page, op.write);
        else
          m.tasks[m.places.vms[op.vm]!.first_task + op.task]!.injected =
            ((op.page + 1) | (op.write ? 0x8000_0000 : 0)) >>> 0;
        return;
      }
      case 'guest_unmap':
        unmap_of_task(m, op.vm, m.places.vms[op.vm]!.first_task + op.task, op.pages);
        return;
      case 'memslot':
        change_memslot(
          m,
          op.vm,
          m.places.memslot_changes.findIndex(each => each.op === op),
        );
        return;
      case 'guest_paging':
        write_cr0_pg(vcpuOf(op), op.enabled);
        return;
      case 'irq': {
        const interrupt = m.places.interrupts[rowOf(m.places, { kind: 'irq', vm: op.vm, id: op.irq, name: '' })]!;
        device_irq(m, vcpuOf(op), interrupt.vector, op.via);
        return;
      }
      case 'smi':
        kvm_inject_smi(m, vcpuOf(op));
        return;
      case 'init':
        kvm_apic_accept_init(m, vcpuOf(op));
        return;
      case 'sipi':
        kvm_apic_accept_sipi(m, vcpuOf(op));
        return;
      case 'pmi':
        kvm_make_request(KVM_REQ_PMI, vcpuOf(op));
        kvm_vcpu_kick(m, vcpuOf(op));
        return;
      case 'signal':
        signal_vcpu_thread(m, vcpuOf(op));
        return;
      case 'nmi':
        device_nmi(
          m,
          vcpuOf(op),
          m.places.nmis.findIndex(({ name, vm }) => vm < 0 && name === op.name),
        );
        return;
      case 'hold_event': {
        m.holds[firstHold.get(op)!]!.state = HOLD.armed;
        return;
      }
      case 'hold_actor': {
        m.holds[firstHold.get(op)!]!.state = op.after ? HOLD.armed : HOLD.holding;
        return;
      }
      case 'release': {
        const actor = rowOf(m.places, op.actor);
        const thread = op.actor.kind === 'vcpu' ? m.places.vcpus[actor]!.thread : actor;
        rules.forEach((rule, index) => {
          if (rule.thread === thread) m.holds[index]!.state = HOLD.over;
        });
        release_thread(m, m.threads[thread]!);
        return;
      }
      case 'order':
        order(m, vm_now(m, op.vm), op);
        return;
      case 'fail': {
        const host = m.hosts[m.program.vms[vm_now(m, op.vm)]!.host]!;
        if (op.what === 'alloc') host.fail_alloc += op.next;
        else if (op.what === 'swap_read') host.fail_swap_read += op.next;
        else if (op.what === 'gup') m.vms[vm_now(m, op.vm)]!.fail_gup += op.next;
        else if (op.what === 'work') m.vms[vm_now(m, op.vm)]!.fail_work += op.next;
        else if (op.what === 'guest_alloc') m.vms[op.vm]!.fail_guest_alloc += op.next;
        else m.vms[op.vm]!.fail_token_write += op.next;
        return;
      }
      case 'pending_exception':
        vcpuOf(op).delivering = EXCEPTION[op.state];
        return;
      case 'interrupts': {
        const vcpu = vcpuOf(op);
        vcpu.rflags_if = op.allowed ? 1 : 0;
        for (const task of m.places.tasksOf[vcpu.id]!)
          if (m.tasks[task]!.vcpu === vcpu.id) m.tasks[task]!.rflags_if = op.allowed ? 1 : 0;
        return;
      }
      case 'lapic': {
        apic_set_spiv(m, vcpuOf(op), op.enabled, knobsOfVm(m, op.vm).lapic_enable === 'apf_ready');
        if (op.for_ns !== null) {
          m.actions[action]!.state = ACTION.waiting;
          m.queue.arm(source(action), m.clock.now_ns + op.for_ns);
        }
        return;
      }
      case 'mmap':
      case 'balloon':
      case 'truncate':
        queue_memory_job(m, vm_now(m, op.vm), memory_jobs.get(op)!);
        return;
      case 'pin':
        for (const page of op.pages) mlock_at_once(m, m.places.vms[vm_now(m, op.vm)]!.first_page + page, op.pinned);
        return;
      case 'kill':
        kill_handler(m, vm_now(m, op.vm));
        return;
      case 'apf':
        vcpuOf(op).guest_work |= op.enabled ? GUEST_WORK.apf_on : GUEST_WORK.apf_off;
        return;
      case 'guest_cpu':
        guest_cpu(m, vcpuOf(op), op.online);
        return;
      case 'pause':
      case 'resume':
      case 'query':
      case 'save':
      case 'get_mpstate':
      case 'set_mpstate':
      case 'reset':
      case 'clear_queue':
        monitor_command(m, vm_now(m, op.vm), commands.get(op)!);
        return;
      case 'restore':
        monitor_command(m, vm_now(m, m.places.saved.find(({ name }) => name === op.name)!.vm), commands.get(op)!);
        return;
      case 'kexec': {
        const { first_vcpu } = m.places.vms[op.vm]!;
        for (let cpu = 0; cpu < m.program.vms[op.vm]!.vcpus; cpu += 1) begin_kexec(m, vcpu_now(m, first_vcpu + cpu));
        return;
      }
      case 'end_vm':
        end_vm(m, vm_now(m, op.vm), op.how);
        return;
      case 'rmmod':
        delete_module(m, op.host);
        return;
      case 'migrate':
        migrate_start(m, op.migration);
        return;
      case 'cancel':
        migrate_cancel(m, op.migration);
        return;
      case 'cut':
        link_down(m, op.link);
        if (op.for_ns !== null) {
          m.actions[action]!.state = ACTION.waiting;
          m.queue.arm(source(action), m.clock.now_ns + op.for_ns);
        }
        return;
      case 'mark':
        m.observe?.(OBS.marked, 0, m.places.marks.indexOf(op.name), -1);
        return;
    }
  };

  const performAll = (action: number): void => {
    const row = m.actions[action]!;
    // What may happen again and again leaves no trace of having happened.
    if (actions[action]!.trigger.kind !== 'budget') {
      row.fired += 1;
      row.state = ACTION.done;
    }
    const { choice } = actions[action]!;
    if (choice !== undefined) leaveOut(action, choice);
    // Due to a condition, it happens behind a thread's step, which is not to be taken for the one who acts.
    const { current_thread } = m.clock;
    m.clock.current_thread = NO_THREAD;
    for (const op of actions[action]!.ops) perform(action, op);
    m.clock.current_thread = current_thread;
  };

  const restoreLapic = (action: number): void => {
    m.actions[action]!.state = ACTION.done;
    for (const op of actions[action]!.ops) {
      if (op.op === 'cut' && op.for_ns !== null) link_up(m, op.link);
      if (op.op === 'lapic' && op.for_ns !== null) perform(action, { ...op, enabled: !op.enabled, for_ns: null });
    }
  };

  const release = (index: number): void => {
    m.holds[index]!.state = HOLD.over;
    release_thread(m, m.threads[rules[index]!.thread]!);
  };

  /** The others of an `any` do not happen. */
  const leaveOut = (chosen: number, choice: number): void => {
    actions.forEach((each, other) => {
      if (each.choice !== choice || other === chosen) return;
      m.actions[other]!.state = ACTION.done;
      m.actions[other]!.fired = 1;
      m.queue.disarm(source(other));
    });
  };

  const armAction = (action: number, trigger: Trigger): void => {
    if (trigger.kind === 'start') performAll(action);
    else if (trigger.kind === 'at') m.queue.arm(source(action), trigger.ns);
    else if (trigger.kind === 'every') m.queue.arm(source(action), trigger.from_ns);
  };

  return {
    polls: conditions.some(condition => condition !== null),
    holds: rules.some(rule => rule.thread >= 0),
    start() {
      if (m.timed) choose(m, actions);
      actions.forEach((action, index) => {
        if (m.actions[index]!.state === ACTION.armed) armAction(index, action.trigger);
      });
    },
    fire(action) {
      if (m.actions[action]!.state === ACTION.waiting) {
        restoreLapic(action);
        return;
      }
      performAll(action);
      const { trigger } = actions[action]!;
      if (trigger.kind !== 'every') return;
      const next_ns = m.clock.now_ns + trigger.period_ns;
      if (trigger.until_ns === null || next_ns < trigger.until_ns) {
        m.actions[action]!.state = ACTION.armed;
        m.queue.arm(source(action), next_ns);
      }
    },
    observe(observation, _vm, a, b) {
      for (let action = 0; action < afters.length; action += 1) {
        const matcher = afters[action];
        if (!matcher || m.actions[action]!.fired > 0 || m.actions[action]!.state !== ACTION.armed) continue;
        if (!matches(m, matcher, observation, a, b)) continue;
        const trigger = actions[action]!.trigger;
        m.actions[action]!.fired = 1;
        if (trigger.kind === 'after') m.queue.arm(source(action), m.clock.now_ns + trigger.plus_ns);
      }
      for (let index = 0; index < rules.length; index += 1) {
        const rule = rules[index]!;
        const hold = m.holds[index]!;
        if (hold.state === HOLD.armed && rule.after && matches(m, rule.after, observation, a, b))
          hold.state = HOLD.holding;
        else if (hold.state === HOLD.holding && rule.until && matches(m, rule.until, observation, a, b)) release(index);
      }
    },
    poll() {
      for (let action = 0; action < conditions.length; action += 1) {
        const condition = conditions[action];
        const trigger = actions[action]!.trigger;
        if (!condition || trigger.kind !== 'when' || m.actions[action]!.fired > 0 || m.clock.now_ns < trigger.from_ns)
          continue;
        if (condition()) performAll(action);
      }
    },
    holdBack(thread) {
      for (let index = 0; index < rules.length; index += 1) {
        const rule = rules[index]!;
        if (rule.thread !== thread.id || rule.at !== thread.at || m.holds[index]!.state !== HOLD.holding) continue;
        hold_thread(m, thread);
        return true;
      }
      return false;
    },
  };
}
