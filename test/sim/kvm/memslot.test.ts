/** Memslots: the halves of a change, and the cache that must notice. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import {
  activate_memslot,
  gfn_to_hva,
  gfn_to_memslot,
  invalidate_memslot,
  kvm_gfn_to_hva_cache_init,
  kvm_guest_cached,
} from '../../../src/sim/kvm/memslot.ts';
import type { Machine } from '../../../src/sim/machine.ts';
import { HEAP_GFN } from '../../../src/sim/places.ts';
import { Hand, programOf } from '../hand.ts';

const machine = (): Machine => new Hand(programOf('', { vm: 'memslots 3' })).m;

test('the slots of the heap have all of it, each its own part', () => {
  const m = machine();
  equal(
    [0, 21, 22, 43, 44, 63].map(page => gfn_to_memslot(m, 0, HEAP_GFN + page)?.id),
    [1, 1, 2, 2, 3, 3],
  );
  equal([gfn_to_memslot(m, 0, HEAP_GFN + 64), gfn_to_memslot(m, 0, 0)?.id], [null, 0]);
});

test('between the halves of a change the slot is there and invalid', () => {
  const m = machine();
  const before = gfn_to_hva(m, 0, HEAP_GFN + 30);
  invalidate_memslot(m, 0, 2);
  equal([gfn_to_memslot(m, 0, HEAP_GFN + 30)?.invalid, gfn_to_hva(m, 0, HEAP_GFN + 30)], [1, 0]);
  activate_memslot(m, 0, 2, 'delete');
  is(gfn_to_memslot(m, 0, HEAP_GFN + 30), null);
  activate_memslot(m, 0, 2, 'add');
  is(gfn_to_hva(m, 0, HEAP_GFN + 30), before);
});

test('moved twice, a slot is where it was; moved once, its old place is empty and its memory elsewhere the same', () => {
  const m = machine();
  const slot = gfn_to_memslot(m, 0, HEAP_GFN + 30)!;
  const { base_gfn, userspace_addr } = slot;
  activate_memslot(m, 0, 2, 'move');
  equal(
    [gfn_to_memslot(m, 0, HEAP_GFN + 30), slot.userspace_addr, slot.base_gfn > base_gfn],
    [null, userspace_addr, true],
  );
  activate_memslot(m, 0, 2, 'move');
  is(slot.base_gfn, base_gfn);
});

test('each half is a generation, and a cache of an older one is looked up again', () => {
  const m = machine();
  const vcpu = m.vcpus[0]!;
  kvm_gfn_to_hva_cache_init(m, vcpu, 0, 0x20_0000);
  is(kvm_guest_cached(m, vcpu, 0), true);
  activate_memslot(m, 0, 2, 'delete');
  equal([kvm_guest_cached(m, vcpu, 0), vcpu.apf_data_generation], [true, m.vms[0]!.memslot_generation]);
  activate_memslot(m, 0, 0, 'delete');
  is(kvm_guest_cached(m, vcpu, 0), false, 'the area itself is gone');
});

test.run();
