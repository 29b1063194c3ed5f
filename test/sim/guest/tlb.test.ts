/** TLBs: what is remembered, for whom, and what makes it forgotten. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { tlb_fill, tlb_flush, tlb_flush_page, tlb_lookup } from '../../../src/sim/guest/tlb.ts';
import { kvm_flush_remote_tlbs } from '../../../src/sim/kvm/notifier.ts';
import { KVM_REQ_TLB_FLUSH, kvm_test_request } from '../../../src/sim/kvm/requests.ts';
import { VCPU_MODE } from '../../../src/sim/schema.ts';
import { Hand, programOf } from '../hand.ts';

const hand = (knobs = '', vm = 'tlb on'): Hand => new Hand(programOf(knobs, { vm }));

test('a walk is remembered for its address space, and for writing only if it was for writing', () => {
  const { m, vcpu } = hand();
  tlb_fill(m, vcpu, 5, 77, false);
  equal([tlb_lookup(m, vcpu, 5, false), tlb_lookup(m, vcpu, 5, true), tlb_lookup(m, vcpu, 6, false)], [77, -1, -1]);
  vcpu.cr3 = 1;
  is(tlb_lookup(m, vcpu, 5, false), -1);
  vcpu.cr3 = 0;
  vcpu.cr0_pg = 0;
  is(tlb_lookup(m, vcpu, 5, false), -1, 'with paging off the address is another one');
});

test('one page is forgotten, or all', () => {
  const { m, vcpu } = hand();
  for (const page of [5, 6, 7]) tlb_fill(m, vcpu, page, page, true);
  tlb_flush_page(m, vcpu, 6);
  equal(
    [5, 6, 7].map(page => tlb_lookup(m, vcpu, page, true)),
    [5, -1, 7],
  );
  tlb_flush(m, vcpu);
  equal(
    [5, 7].map(page => tlb_lookup(m, vcpu, page, true)),
    [-1, -1],
  );
});

test('who takes a page away has running vCPUs leave; other knobs only ask, or say nothing', () => {
  for (const [knobs, asked, mode] of [
    ['', true, VCPU_MODE.EXITING_GUEST_MODE],
    ['notifier_flush request', true, VCPU_MODE.IN_GUEST_MODE],
    ['notifier_flush none', false, VCPU_MODE.IN_GUEST_MODE],
  ] as const) {
    const { m, vcpu } = hand(knobs);
    vcpu.mode = VCPU_MODE.IN_GUEST_MODE;
    kvm_flush_remote_tlbs(m, 0);
    equal([kvm_test_request(KVM_REQ_TLB_FLUSH, vcpu), vcpu.mode], [asked, mode], knobs);
  }
});

test('where TLBs are not modelled nothing is remembered and nobody is asked', () => {
  const { m, vcpu } = hand('', '');
  tlb_fill(m, vcpu, 5, 77, true);
  kvm_flush_remote_tlbs(m, 0);
  equal([tlb_lookup(m, vcpu, 5, false), m.tlb.capacity, vcpu.requests], [-1, 0, 0]);
});

test.run();
