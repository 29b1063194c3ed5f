/** Swap slots: who has one, and when it is given back. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { hva_to_pfn_nowait } from '../../../src/sim/mm/gup.ts';
import { PTE_DIRTY, pte_target } from '../../../src/sim/mm/page.ts';
import { evict_page } from '../../../src/sim/mm/reclaim.ts';
import { end_swap_bio, get_swap_page } from '../../../src/sim/mm/swap.ts';
import { Hand, programOf } from '../hand.ts';

/** 64 pages, 256 slots: far from full. */
const world = (): Hand => new Hand(programOf());

function swapped_in(hand: Hand, page: number, write: boolean): void {
  const { m, thread } = hand;
  evict_page(m, page);
  hva_to_pfn_nowait(m, thread, page, write, false);
  end_swap_bio(m, 0);
  is(hva_to_pfn_nowait(m, thread, page, write, false), 'ok');
}

test('pages that go one after the other stand beside each other', () => {
  const { m } = world();
  for (const page of [7, 3, 40]) evict_page(m, page);
  equal(
    [7, 3, 40].map(page => pte_target(m.hva.pte(page))),
    [0, 1, 2],
  );
});

test('a page that is read keeps its slot, and can go again without being written', () => {
  const hand = world();
  swapped_in(hand, 5, false);
  equal([hand.m.hosts[0]!.slots_used, hand.m.frame.slot(pte_target(hand.m.hva.pte(5)))], [1, 1]);
});

test('a page that is to be written gives it back', () => {
  const hand = world();
  swapped_in(hand, 5, true);
  equal([hand.m.hosts[0]!.slots_used, hand.m.frame.slot(pte_target(hand.m.hva.pte(5)))], [0, 0]);
  is((hand.m.hva.pte(5) & PTE_DIRTY) !== 0, true);
  evict_page(hand.m, 5);
  is(pte_target(hand.m.hva.pte(5)), 1, 'and gets the next one when it goes');
});

test('when swap is full, pages in memory lose theirs', () => {
  const hand = world();
  const { m } = hand;
  swapped_in(hand, 5, false);
  for (let n = 1; n < 256; n += 1) get_swap_page(m, 0, 60);
  equal([m.hosts[0]!.slots_used, get_swap_page(m, 0, 61), get_swap_page(m, 0, 62)], [256, 0, -1]);
  is(m.frame.slot(pte_target(m.hva.pte(5))), 0);
});

test.run();
