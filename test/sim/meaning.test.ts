import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprintText } from '../../src/base/fingerprint.ts';
import { hashOf, meaningOf, sameMeaning } from '../../src/sim/meaning.ts';
import { pte_present, pte_target } from '../../src/sim/mm/page.ts';
import { evict_page } from '../../src/sim/mm/reclaim.ts';
import { fault_in_at_once } from '../../src/sim/mm/touch.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { lowered } from '../lowered.ts';

const WORLD = `
language 1
title "two pages"
host h { cpus 1; ram 256KiB; page 4KiB; workers 1; swap s { size 1MiB; read fixed(90us); depth 1; readahead 1 pages } }
vm t on h { ram 64KiB; vcpus 1; protocol linux_6_12; guest { apf on; task a on vcpu[0] user { loop { read heap uniform; work 5us } } } }
limit time 1ms
`;

const frameOf = (m: ReturnType<typeof createSimulation>['machine'], page: number) => {
  const pte = m.hva.pte(page);
  return pte_present(pte) ? pte_target(pte) : -1;
};

test('which frame a page got does not matter', () => {
  const a = createSimulation(lowered(WORLD)).machine;
  const b = createSimulation(lowered(WORLD)).machine;
  for (const page of [3, 5]) for (const m of [a, b]) assert.ok(evict_page(m, page));
  for (const page of [3, 5]) fault_in_at_once(a, page, false);
  for (const page of [3, 5]) fault_in_at_once(b, page, false);
  assert.is(frameOf(a, 3), frameOf(b, 3));
  assert.ok(sameMeaning(a, b));

  // The other way round: freed in the same order, taken in the other one, so the frames change places.
  const c = createSimulation(lowered(WORLD)).machine;
  for (const page of [5, 3]) assert.ok(evict_page(c, page));
  for (const page of [3, 5]) fault_in_at_once(c, page, false);
  assert.is.not(frameOf(a, 3), frameOf(c, 3));
  assert.equal(slotsOf(c), slotsOf(a).toReversed());
  swapSlots(c);
  assert.ok(sameMeaning(a, c));
  assert.equal(hashOf(a), hashOf(c));
});

/** Slots are places on the device, and do matter for read-ahead. */
function slotsOf(m: ReturnType<typeof createSimulation>['machine']): readonly number[] {
  return [3, 5].map(page => m.frame.slot(frameOf(m, page)));
}

function swapSlots(m: ReturnType<typeof createSimulation>['machine']): void {
  const [one = 0, other = 0] = slotsOf(m);
  const pages: [number, number][] = [
    [3, other],
    [5, one],
  ];
  for (const [page, slot] of pages) {
    m.frame.set_slot(frameOf(m, page), slot);
    m.slot.set_hva(slot - 1, page + 1);
    m.slot.set_cache(slot - 1, frameOf(m, page) + 1);
  }
}

test('what can happen next does matter', () => {
  const a = createSimulation(lowered(WORLD)).machine;
  const b = createSimulation(lowered(WORLD)).machine;
  assert.ok(sameMeaning(a, b));
  b.vcpus[0]!.requests = 1;
  assert.not.ok(sameMeaning(a, b));
  b.vcpus[0]!.requests = 0;
  fault_in_at_once(b, 3, false);
  assert.ok(sameMeaning(a, b), 'a page that is there already changes nothing');
  evict_page(b, 3);
  assert.not.ok(sameMeaning(a, b));
});

test('clocks and counters do not', () => {
  const simulation = createSimulation(lowered(WORLD));
  const before = fingerprintText(hashOf(simulation.machine));
  simulation.machine.clock.now_ns += 1000;
  simulation.machine.vcpus[0]!.nr_exits += 1;
  assert.is(fingerprintText(hashOf(simulation.machine)), before);
});

test('a run twice means the same at every step', () => {
  const a = createSimulation(lowered(WORLD), { paranoid: true });
  const b = createSimulation(lowered(WORLD));
  while (a.step()) {
    b.step();
    assert.equal(meaningOf(a.machine), meaningOf(b.machine));
  }
});

test.run();
