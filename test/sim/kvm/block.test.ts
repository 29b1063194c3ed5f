/**
 * Going to sleep and being woken: every order in which the steps of a vCPU's thread and of a worker can come.
 *
 * The kernel's way not to miss a wake-up: say that one is going to sleep, look, sleep; whoever changes what the look
 * depends on does so before it wakes.
 */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { AT } from '../../../src/sim/at.ts';
import { kvm_arch_vcpu_runnable } from '../../../src/sim/kvm/block.ts';
import { kvm_apic_set_irq } from '../../../src/sim/kvm/lapic.ts';
import { MP_STATE, TASK_STATE } from '../../../src/sim/schema.ts';
import { Hand, programOf } from '../hand.ts';

/** All ways to merge so many steps of V, the vCPU, and W, the waker. */
function merges(v: number, w: number): readonly string[] {
  if (v === 0) return ['W'.repeat(w)];
  if (w === 0) return ['V'.repeat(v)];
  return [...merges(v - 1, w).map(rest => `V${rest}`), ...merges(v, w - 1).map(rest => `W${rest}`)];
}

const ORDERS = merges(5, 6);

type Waker = (hand: Hand) => () => void;

/** A worker that has the page, from the append to the end of its function. */
const worker: Waker = hand => {
  const thread = hand.workerWith(hand.item(3));
  return () => {
    if (thread.at !== AT.worker_thread) hand.step(thread);
  };
};

/** An interrupt, in one step. */
const interrupt: Waker = hand => {
  let raised = false;
  return () => {
    if (!raised) kvm_apic_set_irq(hand.m, hand.vcpu, 0x31);
    raised = true;
  };
};

/** The orders after which the vCPU sleeps although it has been woken. */
function missed(knobs: string, base: string, waker: Waker, synthetic = false): readonly string[] {
  const hand = new Hand(programOf(knobs, { base }));
  const { vcpu, thread } = hand;
  const bytes = new Uint8Array(hand.m.layout.buffer);
  const booted = bytes.slice();
  return ORDERS.filter(order => {
    bytes.set(booted);
    vcpu.rflags_if = 1;
    vcpu.lapic_enabled = 1;
    if (synthetic && hand.m.program.vms[0]!.knobs.synthetic === 'separate_flag') vcpu.apf_halted = 1;
    else vcpu.mp_state = MP_STATE.HALTED;
    hand.put(thread, 'vcpu_block');
    const wake = waker(hand);
    for (const who of order) {
      if (who === 'W') wake();
      else if (thread.task_state === TASK_STATE.RUNNING && thread.at !== AT['vcpu_run.tail']) hand.step(thread);
      // Said that it sleeps, and still on its way there.
      else if (thread.at === AT['kvm_vcpu_block.check'] || thread.at === AT['kvm_vcpu_block.schedule'])
        hand.step(thread);
    }
    for (let n = 0; n < 20 && (thread.task_state === TASK_STATE.RUNNING || thread.at !== AT.kvm_vcpu_block); n += 1) {
      if (thread.at === AT['vcpu_run.tail']) break;
      hand.step(thread);
    }
    return thread.task_state !== TASK_STATE.RUNNING;
  });
}

for (const base of ['v6', 'v7', 'linux_2_6_39', 'linux_4_19', 'linux_5_8', 'linux_6_1', 'linux_6_12']) {
  test(`${base}: no order of a worker and a vCPU that goes to sleep loses the wake-up`, () => {
    equal(missed('', base, worker), [], 'in a real HLT');
    equal(missed('', base, worker, true), [], 'in the synthetic halt');
  });
  test(`${base}: nor does any order with an interrupt`, () => {
    equal(missed('', base, interrupt), []);
  });
}

test('a worker that only appends leaves the vCPU asleep, in whichever order', () => {
  is(missed('wake none', 'linux_6_12', worker).length, ORDERS.length);
});

test('asleep means asleep: without a waker the loop ends in schedule()', () => {
  is(missed('', 'linux_6_12', () => () => {}).length, ORDERS.length);
});

test('the block is left runnable: HALTED becomes RUNNABLE, the synthetic halt ends', () => {
  for (const base of ['linux_2_6_39', 'linux_6_12']) {
    const hand = new Hand(programOf('', { base }));
    const { vcpu, thread } = hand;
    vcpu.rflags_if = 1;
    vcpu.mp_state = MP_STATE.HALTED;
    vcpu.apf_halted = 1;
    hand.put(thread, 'vcpu_block');
    hand.runTo(thread, 'vcpu_run.tail');
    is(thread.task_state, TASK_STATE.INTERRUPTIBLE, base);
    kvm_apic_set_irq(hand.m, vcpu, 0x31);
    hand.runTo(thread, 'vcpu_run.tail');
    equal([vcpu.mp_state, vcpu.apf_halted], [MP_STATE.RUNNABLE, 0], base);
  }
});

test('what makes a vCPU runnable', () => {
  const { m, vcpu } = new Hand(programOf());
  vcpu.rflags_if = 1;
  vcpu.mp_state = MP_STATE.HALTED;
  is(kvm_arch_vcpu_runnable(m, vcpu), false);
  kvm_apic_set_irq(m, vcpu, 0x31);
  is(kvm_arch_vcpu_runnable(m, vcpu), true, 'an interrupt');
  vcpu.rflags_if = 0;
  is(kvm_arch_vcpu_runnable(m, vcpu), false, 'that may not be taken');
  vcpu.nmi_pending = 1;
  ok(kvm_arch_vcpu_runnable(m, vcpu), 'an NMI');
});

test.run();
