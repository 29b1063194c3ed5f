/** Exceptions: what two make of each other, where CR2 comes from, and who goes in first. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { AT } from '../../../src/sim/at.ts';
import { kvm_inject_page_fault, kvm_queue_exception_e } from '../../../src/sim/kvm/event.ts';
import { EXCEPTION } from '../../../src/sim/kvm/event_state.ts';
import { VECTOR } from '../../../src/sim/kvm/exception.ts';
import { KVM_REQ_TRIPLE_FAULT, kvm_test_request } from '../../../src/sim/kvm/requests.ts';

import { Hand, programOf } from '../hand.ts';

const NAMES = new Map<number, string>(Object.entries(VECTOR).map(([name, nr]) => [nr, name]));
const DEBUG = 1;

/** What is pending after these have been queued. */
function merged(...vectors: readonly number[]): string {
  const { m, vcpu } = new Hand(programOf());
  for (const nr of vectors) {
    if (nr === VECTOR.PF) kvm_inject_page_fault(m, vcpu, 2, 0x1000);
    else kvm_queue_exception_e(m, vcpu, nr, 0);
  }
  if (kvm_test_request(KVM_REQ_TRIPLE_FAULT, vcpu)) return 'shutdown';
  return NAMES.get(vcpu.exception_nr) ?? String(vcpu.exception_nr);
}

test('two exceptions are one of them, a double fault, or the end', () => {
  const { DE, DF, GP, PF } = VECTOR;
  equal(
    [
      merged(PF, PF),
      merged(PF, GP),
      merged(GP, GP),
      merged(DE, GP),
      merged(GP, PF),
      merged(PF, DEBUG),
      merged(DEBUG, PF),
      merged(DF, PF),
      merged(PF, PF, PF),
    ],
    ['DF', 'DF', 'DF', 'DF', 'PF', '1', 'PF', 'shutdown', 'shutdown'],
  );
});

test('CR2 is written when the #PF is queued, or, since 4.20, when it goes in', () => {
  for (const base of ['linux_4_19', 'linux_5_8']) {
    const hand = new Hand(programOf('', { base }));
    const { m, vcpu, thread } = hand;
    vcpu.cr2 = 0x5000;
    kvm_inject_page_fault(m, vcpu, 0, 0x1000, 0x1000);
    is(vcpu.cr2, base === 'linux_4_19' ? 0x1000 : 0x5000);
    hand.put(thread, 'kvm_check_and_inject_events');
    hand.step(thread);
    is(vcpu.cr2, 0x1000);
    is(vcpu.exception, EXCEPTION.injected);
  }
});

test('a #DF that takes its place does not bring the address of the #PF along', () => {
  const { m, vcpu } = new Hand(programOf());
  kvm_inject_page_fault(m, vcpu, 0, 0x1000, 0x1000);
  kvm_inject_page_fault(m, vcpu, 0, 0x2000, 0x2000);
  is(vcpu.exception_has_payload, 0);
  is(vcpu.exception_token, 0);
});

test('a triple fault ends KVM_RUN, and the VMM stops the VM', () => {
  const hand = new Hand(programOf());
  const { m, vcpu, thread } = hand;
  for (let n = 0; n < 3; n += 1) kvm_inject_page_fault(m, vcpu, 0, 0x1000);
  hand.put(thread, 'vcpu_enter_guest');
  hand.runTo(thread, 'userspace');
  is(thread.at, AT.userspace);
  hand.step(thread);
  is(m.vms[0]!.paused, 1);
  is(thread.at, AT.userspace);
});

test.run();
