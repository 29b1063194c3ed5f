/** The local APIC: which vector is next, what masks it, what ends it. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import {
  apic_find_highest_irr,
  apic_set_eoi,
  apic_set_spiv,
  apic_timer_expired,
  kvm_apic_ack_interrupt,
  kvm_apic_has_interrupt,
  kvm_apic_set_irq,
  kvm_inject_pending_timer_irqs,
  pending_timer,
} from '../../../src/sim/kvm/lapic.ts';
import { KVM_REQ_APF_READY, KVM_REQ_EVENT, kvm_test_request } from '../../../src/sim/kvm/requests.ts';
import { Hand, programOf } from '../hand.ts';

/** What happens in order: `+31` raised, `ack` taken, `eoi`; after each, the vector that could be taken. */
function play(text: string): string {
  const { m, vcpu } = new Hand(programOf());
  const said = text.split(' ').map(word => {
    if (word === 'ack') kvm_apic_ack_interrupt(vcpu, kvm_apic_has_interrupt(vcpu));
    else if (word === 'eoi') apic_set_eoi(vcpu);
    else kvm_apic_set_irq(m, vcpu, Number.parseInt(word.slice(1), 16));
    const next = kvm_apic_has_interrupt(vcpu);
    return next < 0 ? '-' : next.toString(16);
  });
  return said.join(' ');
}

test('the highest vector first', () => {
  is(play('+31 +ec +f3 ack eoi ack eoi ack eoi'), '31 ec f3 - ec - 31 - -');
});

test('a vector in service masks its class and those below, not those above', () => {
  is(play('+31 ack +3f +20 eoi'), '31 - - - 3f');
  is(play('+31 ack +40 ack eoi eoi'), '31 - 40 - - -');
});

test('an EOI ends what is highest in service', () => {
  is(play('+31 ack +ec ack +33 eoi eoi'), '31 - ec - - - 33');
});

test('the same vector twice is one interrupt; raised while in service it comes again', () => {
  is(play('+31 +31 ack eoi'), '31 31 - -');
  is(play('+31 ack +31 eoi'), '31 - - 31');
});

test('disabled in software it takes nothing; enabling asks for the completions since 5.13', () => {
  const { m, vcpu } = new Hand(programOf());
  apic_set_spiv(m, vcpu, false, true);
  kvm_apic_set_irq(m, vcpu, 0x31);
  equal([apic_find_highest_irr(vcpu), kvm_apic_has_interrupt(vcpu)], [-1, -1]);
  vcpu.requests = 0;
  apic_set_spiv(m, vcpu, true, true);
  is(kvm_test_request(KVM_REQ_APF_READY, vcpu), true);
  vcpu.requests = 0;
  apic_set_spiv(m, vcpu, true, true);
  is(vcpu.requests, 0, 'enabled already');
  apic_set_spiv(m, vcpu, false, false);
  apic_set_spiv(m, vcpu, true, false);
  is(kvm_test_request(KVM_REQ_APF_READY, vcpu), false, 'before 5.13');
});

test('an expired timer is an interrupt only once its thread has come by', () => {
  const { m, vcpu } = new Hand(programOf());
  apic_timer_expired(m, vcpu, 0xec);
  apic_timer_expired(m, vcpu, 0xec);
  apic_timer_expired(m, vcpu, 0x41);
  equal([pending_timer(vcpu), kvm_apic_has_interrupt(vcpu)], [0xec, -1]);
  vcpu.requests = 0;
  kvm_inject_pending_timer_irqs(m, vcpu);
  equal([pending_timer(vcpu), kvm_apic_has_interrupt(vcpu)], [-1, 0xec]);
  is(kvm_test_request(KVM_REQ_EVENT, vcpu), true);
  kvm_apic_ack_interrupt(vcpu, 0xec);
  apic_set_eoi(vcpu);
  is(kvm_apic_has_interrupt(vcpu), 0x41);
});

test('a vector below 16 is of the lowest class, and never taken', () => {
  is(play('+00 +0f +31 ack eoi'), '- - 31 - -');
});

test('a timer that has expired and was not taken does not kick again', () => {
  const { m, vcpu } = new Hand(programOf());
  apic_timer_expired(m, vcpu, 0xec);
  apic_timer_expired(m, vcpu, 0xec);
  apic_timer_expired(m, vcpu, 0xed);
  is(vcpu.nr_kicks, 2);
});

test.run();
