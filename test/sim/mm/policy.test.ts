/** Who is evicted, by policy; how much less memory costs; and swap that is too small for what a scenario asks. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tdp_access } from '../../../src/sim/kvm/tdp.ts';
import { pte_present, pte_target } from '../../../src/sim/mm/page.ts';
import { reclaim_page } from '../../../src/sim/mm/reclaim.ts';
import { get_swap_page } from '../../../src/sim/mm/swap.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';
import { Hand, programOf } from '../hand.ts';

function resident({ m }: Hand): string {
  const pages = Array.from({ length: 64 }, (_, page) => page);
  return pages.filter(page => pte_present(m.hva.pte(page))).join(' ');
}

test('the hand of the clock goes round: what was used is passed once', () => {
  const hand = new Hand(programOf('', { vm: 'limit 32KiB', host: 'reclaim clock' }));
  const { m } = hand;
  assert.is(resident(hand), '56 57 58 59 60 61 62 63');
  for (const page of [56, 57, 59]) tdp_access(m, 0, page, false);
  assert.is(reclaim_page(m, 0), true);
  assert.is(resident(hand), '56 57 59 60 61 62 63');
  reclaim_page(m, 0);
  assert.is(resident(hand), '56 57 59 61 62 63', '59 is passed, and 60 goes');
  for (let n = 0; n < 4; n += 1) reclaim_page(m, 0);
  assert.is(resident(hand), '57 59', 'round again: 56 has had its chance');
});

const worldOfWindow = (window: string): Hand =>
  new Hand(programOf('', { vm: 'limit 32KiB', host: `reclaim working_set; reclaim_window ${window}` }));

test('by working set: what was not used for longer than the window goes', () => {
  const hand = worldOfWindow('10us');
  const { m } = hand;
  // The first round meets all of them; none is older than the other, and the first that nobody has touched goes.
  for (const page of [56, 57, 59]) tdp_access(m, 0, page, false);
  reclaim_page(m, 0);
  assert.is(resident(hand), '56 57 59 60 61 62 63');
  m.clock.now_ns += 10_000;
  for (const page of [60, 61, 62, 63]) tdp_access(m, 0, page, false);
  reclaim_page(m, 0);
  assert.is(resident(hand), '56 57 60 61 62 63', 'ten microseconds are within it, and 59 the first of the oldest');
  m.clock.now_ns += 1;
  tdp_access(m, 0, 57, false);
  reclaim_page(m, 0);
  assert.is(resident(hand), '57 60 61 62 63', '57 is used again, 56 was not for 10001 ns');
});

test('by working set: a page that has come in counts as used when the hand first meets it', () => {
  const hand = worldOfWindow('10us');
  const { m } = hand;
  m.clock.now_ns += 1_000_000;
  reclaim_page(m, 0);
  assert.is(resident(hand), '57 58 59 60 61 62 63');
  const frames = Array.from({ length: m.frame_use.capacity }, (_, pfn) => m.frame_use.last_ns(pfn));
  assert.equal(
    [...new Set(frames)].toSorted((a, b) => a - b),
    [0, 1_000_001],
  );
});

test('by working set: if all of it is in use, something goes all the same, and a page that somebody holds does not', () => {
  const hand = worldOfWindow('1s');
  const { m } = hand;
  for (let page = 56; page < 64; page += 1) tdp_access(m, 0, page, false);
  m.frame.set_pins(pte_target(m.hva.pte(56)), 1);
  assert.is(reclaim_page(m, 0), true);
  assert.is(resident(hand), '56 58 59 60 61 62 63');
});

test('by working set, with swap full: nothing can go, and no page is harmed', () => {
  const hand = worldOfWindow('10us');
  const { m } = hand;
  while (get_swap_page(m, 0, 0) >= 0);
  const before = resident(hand);
  assert.is(reclaim_page(m, 0), false);
  assert.is(resident(hand), before);
});

test('who does not reclaim by working set has no rows for it', () => {
  assert.is(new Hand(programOf('', { vm: 'limit 32KiB', host: 'reclaim clock' })).m.frame_use.capacity, 0);
});

function majorFaults(limit: number, reclaim: string): number {
  const program = lowered(`
language 1
title "less and less"
host h { cpus 2; ram 4MiB; workers 2; reclaim ${reclaim}; swap s { size 4MiB; read fixed(20us); write fixed(10us); depth 8; readahead 1 pages } }
vm v on h { ram 1MiB; limit ${limit * 4}KiB; vcpus 1; protocol sync; guest { apf off; task t on vcpu[0] user { repeat 3000 { read heap zipf(0.9) }; done } } }
limit time 200ms
expect through: done(t)
`);
  const simulation = createSimulation(program);
  simulation.runUntil(program.limit_ns);
  assert.is(simulation.outcome().verdict, 'pass');
  return simulation.machine.hosts[0]!.pgmajfault;
}

test('the less memory, the more major faults, whatever the policy', () => {
  for (const reclaim of ['lru', 'clock', 'working_set', 'working_set; reclaim_window 500us']) {
    const faults = [256, 192, 128, 64, 32].map(limit => majorFaults(limit, reclaim));
    assert.equal(
      faults,
      faults.toSorted((a, b) => a - b),
      `${reclaim}: ${faults.join(' ')}`,
    );
    assert.is(new Set(faults).size, faults.length, `${reclaim}: ${faults.join(' ')}`);
  }
});

test('evicting more than swap has room for makes a run invalid, and says so', () => {
  const program = lowered(`
language 1
title "no room"
host h { cpus 2; ram 1MiB; workers 2; swap s { size 16KiB; read fixed(20us) } }
vm v on h { ram 128KiB; vcpus 1; guest { task t on vcpu[0] user { loop { work 10us } } } }
limit time 1ms
at 0us evict v.heap.pages(0..5)
expect true
`);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  const { verdict, violations } = simulation.outcome();
  assert.is(verdict, 'invalid');
  assert.match(violations[0]?.message ?? '', /^not evicted: no swap slot for v\.heap\.page\(4\) at .* 2 pages stayed/);
});

test.run();
