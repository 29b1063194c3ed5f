/** L2 as a mode of L1's vCPU: what takes it out, what is queued for L1, and whose tables explain an address. */
import { test } from 'uvu';
import { equal, is, not } from 'uvu/assert';
import { AT } from '../../../src/sim/at.ts';
import { access_page } from '../../../src/sim/guest/access.ts';
import { unmap_of_task } from '../../../src/sim/guest/pgfault.ts';
import { kvm_inject_page_fault } from '../../../src/sim/kvm/event.ts';
import { EXCEPTION } from '../../../src/sim/kvm/event_state.ts';
import { EXIT_REASON } from '../../../src/sim/kvm/exit_reason.ts';
import { kvm_apic_set_irq } from '../../../src/sim/kvm/lapic.ts';
import { kvm_queue_exception_vmexit } from '../../../src/sim/kvm/nested.ts';
import { l2_gpa_of_page } from '../../../src/sim/kvm/nested_mmu.ts';
import { l2_frame } from '../../../src/sim/kvm/nested_spte.ts';
import { L1_AT } from '../../../src/sim/kvm/nested_state.ts';
import { KVM_REQ_EVENT } from '../../../src/sim/kvm/requests.ts';
import { createLaws } from '../../../src/sim/laws.ts';
import { Hand, programOf } from '../hand.ts';

const GUEST = 'apf off; task inner on vcpu[0] user nested { cli; loop { work 1ms } }';

/** A vCPU that is in L2, having been entered once. */
function inL2(knobs = '', paging = 'nested(l1: tdp, l2: tdp)', guest = GUEST): Hand {
  const hand = new Hand(programOf(knobs, { guest, vm: `paging ${paging}` }));
  const { m, thread, vcpu } = hand;
  for (let n = 0; n < 400 && !(vcpu.guest_mode && thread.at === AT.guest && !vcpu.rflags_if); n += 1) hand.step(thread);
  is(vcpu.guest_mode, 1);
  is(m.tasks[0]!.l1_at, L1_AT.l2);
  return hand;
}

/** Where L1 stands after the next look at events. */
function enter(hand: Hand): string | number {
  hand.put(hand.thread, 'kvm_check_and_inject_events');
  hand.step(hand.thread);
  return hand.m.tasks[0]!.l1_exit;
}

test('an interrupt for L1 makes L2 stop, whatever L2 has in its RFLAGS', () => {
  const hand = inL2();
  const { m, vcpu } = hand;
  vcpu.nested_run_pending = 0;
  kvm_apic_set_irq(m, vcpu, 0x41);
  is(enter(hand), EXIT_REASON.interrupt);
  // Back in L1: no interrupts until its STGI, and L2's registers are kept.
  equal([vcpu.guest_mode, vcpu.gif_masked, vcpu.irq_injected], [0, 1, 0]);
  equal([m.tasks[0]!.l2_cpl3, m.tasks[0]!.l2_if], [1, 0]);
});

test("an exception of L2's own goes in first; before 5.8 an interrupt for L1 dropped it, and never gave it to L1", () => {
  const hand = inL2();
  const { m, vcpu } = hand;
  vcpu.nested_run_pending = 0;
  kvm_inject_page_fault(m, vcpu, 0, 0x5000, 0x5000);
  kvm_apic_set_irq(m, vcpu, 0x41);
  is(enter(hand), EXIT_REASON.none);
  equal([vcpu.guest_mode, vcpu.exception, vcpu.immediate_exit], [1, EXCEPTION.injected, 1]);

  const old = inL2('behind_injected window');
  old.vcpu.nested_run_pending = 0;
  kvm_inject_page_fault(old.m, old.vcpu, 0, 0x5000, 0x5000);
  kvm_apic_set_irq(old.m, old.vcpu, 0x41);
  is(enter(old), EXIT_REASON.interrupt);
  equal([old.vcpu.guest_mode, old.vcpu.exception], [0, EXCEPTION.none]);
});

test('not before L2 has been entered once', () => {
  const hand = inL2();
  hand.vcpu.nested_run_pending = 1;
  kvm_apic_set_irq(hand.m, hand.vcpu, 0x41);
  is(enter(hand), EXIT_REASON.none);
  equal([hand.vcpu.guest_mode, hand.vcpu.immediate_exit], [1, 1]);
});

test('a #PF exit goes in with the entry where somebody asks for the look (B35)', () => {
  for (const [wish, told] of [
    ['yes', true],
    ['no', false],
  ] as const) {
    const hand = inL2(`nested_event_request ${wish}`);
    const { m, vcpu } = hand;
    vcpu.nested_run_pending = 0;
    vcpu.requests &= ~KVM_REQ_EVENT;
    kvm_queue_exception_vmexit(m, vcpu, 0x7000);
    is(enter(hand) === EXIT_REASON.pf, told);
    is(m.tasks[0]!.l1_info, told ? 0x7000 : 0);
    is(vcpu.exception_vmexit, told ? 0 : 1);
    if (told) continue;
    vcpu.exit_reason = EXIT_REASON.interrupt;
    hand.put(hand.thread, 'handle_exit');
    hand.step(hand.thread);
    is(vcpu.exception_vmexit, 0, 'any exit clears it');
  }
});

test('L2 has the heap somewhere else than L1', () => {
  const { m } = inL2();
  is(l2_gpa_of_page(m, 0, 1), 0x102_19e8);
  not(l2_gpa_of_page(m, 0, 33) === l2_gpa_of_page(m, 0, 1));
  is(l2_frame(m, 0, m.places.vms[0]!.first_page + 3), -1, 'nothing is shadowed before it is touched');
});

test('where L1 shadows the tables of L2 there are none of its own', () => {
  const { m } = inL2('', 'nested(l1: tdp, l2: shadow)');
  is(m.places.vms[0]!.nested_tables, false);
});

test("what L1's kernel takes out of its own tables is no fault of L2, and pushes no handler of L1 inside of it", () => {
  for (const l2 of ['tdp', 'shadow']) {
    const guest = `${GUEST}; page_tables walked`;
    const hand = inL2('', `nested(l1: tdp, l2: ${l2})`, guest);
    const { m, vcpu } = hand;
    const page = m.places.vms[0]!.first_page + 3;
    unmap_of_task(m, 0, 0, [3]);
    // Through tables of L1's own making the page is met for the first time; else the host has it mapped.
    is(access_page(m, vcpu, page, false), l2 === 'shadow');
    equal([vcpu.depth, vcpu.exit_reason], [0, l2 === 'shadow' ? EXIT_REASON.none : EXIT_REASON.npf]);
    createLaws(m).check();
  }
});

test('without `paging nested` it is a task like any other', () => {
  const { m } = new Hand(programOf('', { guest: GUEST }));
  is(m.tasks[0]!.l1_at, L1_AT.none);
});

test('what a nested guest cannot do is said', () => {
  const refused = (guest: string, paging = 'nested') => {
    try {
      programOf('', { guest, vm: `paging ${paging}` });
      return '';
    } catch (error) {
      return String(error);
    }
  };
  is(refused('task inner on vcpu[0] user nested { sleep 1ms }').includes("'sleep' cannot be done there"), true);
  is(refused(GUEST, 'nested(l1: shadow, l2: tdp)').includes('two-dimensional tables'), true);
  is(refused(GUEST, 'nested(l3: tdp)').includes("not 'l3'"), true);
  is(refused(GUEST), '');
  is(refused(`${GUEST}; page_tables walked`), '');
});

test.run();
