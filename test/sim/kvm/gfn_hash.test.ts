/** apf.gfns: open addressing with linear probing, and deletion by backward shift. */
import { test } from 'uvu';
import { equal, is, throws } from 'uvu/assert';
import { below, seedStream } from '../../../src/base/rng.ts';
import {
  kvm_add_async_pf_gfn,
  kvm_async_pf_hash_fn,
  kvm_del_async_pf_gfn,
  kvm_find_async_pf_gfn,
} from '../../../src/sim/kvm/async_pf_x86.ts';
import { ASYNC_PF_PER_VCPU, type Vcpu } from '../../../src/sim/schema.ts';
import { Hand, programOf } from '../hand.ts';

/** The occupied slots, `slot:gfn`. */
function slots(vcpu: Vcpu): string {
  return Array.from({ length: ASYNC_PF_PER_VCPU }, (_, slot) => [slot, vcpu.apf_gfns(slot) - 1] as const)
    .filter(([, gfn]) => gfn >= 0)
    .map(([slot, gfn]) => `${slot}:${gfn.toString(16)}`)
    .join(' ');
}

/** The first gfns from `from` on whose home is a slot. */
function homing(slot: number, count: number, from = 0): readonly number[] {
  const found: number[] = [];
  for (let gfn = from; found.length < count; gfn += 1) if (kvm_async_pf_hash_fn(gfn) === slot) found.push(gfn);
  return found;
}

test('hash_32() of the kernel: the low 32 bits times 0x61c88647, the upper 6 bits of that', () => {
  equal([0, 1, 2, 3, 0x1000, 0xffff_ffff].map(kvm_async_pf_hash_fn), [0, 24, 48, 9, 34, 39]);
  is(kvm_async_pf_hash_fn(2 ** 32 + 5), kvm_async_pf_hash_fn(5));
});

test('a taken home is passed by, over the end of the table too', () => {
  const { vcpu, m } = new Hand(programOf());
  const [a = 0, b = 0, c = 0] = homing(63, 3);
  for (const gfn of [a, b, c]) kvm_add_async_pf_gfn(vcpu, gfn);
  equal(slots(vcpu), `0:${b.toString(16)} 1:${c.toString(16)} 63:${a.toString(16)}`);
  kvm_del_async_pf_gfn(m, vcpu, a);
  equal(slots(vcpu), `0:${c.toString(16)} 63:${b.toString(16)}`);
});

test('an entry that is at home does not move into a hole before it', () => {
  const { vcpu, m } = new Hand(programOf());
  const [a = 0, b = 0] = homing(10, 2);
  const [home = 0] = homing(11, 1);
  for (const gfn of [a, home, b]) kvm_add_async_pf_gfn(vcpu, gfn);
  equal(slots(vcpu), `10:${a.toString(16)} 11:${home.toString(16)} 12:${b.toString(16)}`);
  kvm_del_async_pf_gfn(m, vcpu, a);
  equal(slots(vcpu), `10:${b.toString(16)} 11:${home.toString(16)}`);
});

test('deleting what is not there changes nothing', () => {
  const { vcpu, m } = new Hand(programOf());
  kvm_add_async_pf_gfn(vcpu, 5);
  const before = slots(vcpu);
  kvm_del_async_pf_gfn(m, vcpu, 6);
  is(slots(vcpu), before);
});

for (const probe of ['stops_at_empty', 'walks_all'] as const) {
  test(`like a set, whatever is added and deleted in whatever order, up to 64 (${probe})`, () => {
    const { vcpu, m } = new Hand(programOf(`gfn_probe ${probe}`));
    const stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };
    seedStream(stream, 7, 'gfn hash');
    const held = new Set<number>();
    for (let round = 0; round < 20_000; round += 1) {
      const gfn = below(stream, 90); // Few, so that the table is full at times.
      const found = kvm_find_async_pf_gfn(m, vcpu, gfn);
      is(found, held.has(gfn), `round ${round}, gfn ${gfn}`);
      if (found) {
        kvm_del_async_pf_gfn(m, vcpu, gfn);
        held.delete(gfn);
      } else if (held.size < ASYNC_PF_PER_VCPU) {
        kvm_add_async_pf_gfn(vcpu, gfn);
        held.add(gfn);
      }
    }
    for (const gfn of held) kvm_del_async_pf_gfn(m, vcpu, gfn);
    is(slots(vcpu), '', 'nothing is left behind');
  });
}

test('a search that walks all looks at 64 slots for what is not there', () => {
  const probes = (probe: string): number => {
    const { vcpu, m } = new Hand(programOf(`gfn_probe ${probe}`));
    kvm_find_async_pf_gfn(m, vcpu, 1);
    return vcpu.nr_gfn_probes;
  };
  equal([probes('stops_at_empty'), probes('walks_all')], [1, 64]);
});

test('a table with no free slot is a bug, not a search without end', () => {
  const { vcpu } = new Hand(programOf());
  for (let gfn = 0; gfn < ASYNC_PF_PER_VCPU; gfn += 1) kvm_add_async_pf_gfn(vcpu, gfn);
  throws(() => kvm_add_async_pf_gfn(vcpu, 0x1000), /looks for ever/);
});

test.run();
