/** Reclaim: the oldest page that was not looked at since, and none that is held. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { tdp_access, tdp_mapped } from '../../../src/sim/kvm/tdp.ts';
import { make_pte, PTE_BITS, PTE_YOUNG, pte_present, pte_swap, pte_target } from '../../../src/sim/mm/page.ts';
import { reclaim_page } from '../../../src/sim/mm/reclaim.ts';
import { get_swap_page } from '../../../src/sim/mm/swap.ts';
import { Hand, programOf } from '../hand.ts';

const world = (): Hand => new Hand(programOf('', { vm: 'limit 64KiB' }));

/** Pages in memory, in runs. */
function resident({ m }: Hand): string {
  const pages = Array.from({ length: m.places.vms[0]!.pages }, (_, page) => page).filter(page =>
    pte_present(m.hva.pte(page)),
  );
  return pages.join(' ');
}

test('at the start the last pages that fit are in memory, the first in swap', () => {
  is(resident(world()), '48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63');
});

test('the oldest goes first; it is unmapped from guest and host, and in swap', () => {
  const hand = world();
  const { m } = hand;
  const charged = m.vms[0]!.nr_charged_pages;
  const seq = m.vms[0]!.mmu_invalidate_seq;
  is(reclaim_page(m, 0), true);
  is(resident(hand), '49 50 51 52 53 54 55 56 57 58 59 60 61 62 63');
  is(pte_swap(m.hva.pte(48)), true);
  is(tdp_mapped(m, 0, 48), false);
  equal([m.vms[0]!.nr_charged_pages, m.vms[0]!.mmu_invalidate_seq], [charged - 1, seq + 1]);
});

test('what guest or host has looked at gets a second chance', () => {
  const hand = world();
  const { m } = hand;
  tdp_access(m, 0, 48, false);
  m.hva.set_pte(49, m.hva.pte(49) | PTE_YOUNG);
  reclaim_page(m, 0);
  is(resident(hand), '48 49 51 52 53 54 55 56 57 58 59 60 61 62 63');
  // The chance was taken once; the marks are gone.
  for (let n = 0; n < 13; n += 1) reclaim_page(m, 0);
  is(resident(hand), '48 49');
  reclaim_page(m, 0);
  is(resident(hand), '49');
});

test('if everything is young, something goes all the same', () => {
  const hand = world();
  for (let page = 48; page < 64; page += 1) tdp_access(hand.m, 0, page, false);
  is(reclaim_page(hand.m, 0), true);
  is(resident(hand).split(' ').length, 15);
});

test('a page that somebody holds is passed by', () => {
  const hand = world();
  const { m } = hand;
  m.frame.set_pins(pte_target(m.hva.pte(48)), 1);
  reclaim_page(m, 0);
  is(resident(hand).startsWith('48 50 '), true);
});

test('a clean page that swap still has is freed at once; a written one is written first', () => {
  const hand = world();
  const { m } = hand;
  const free = m.hosts[0]!.nr_free_pages;
  // All pages of the start are dirty.
  reclaim_page(m, 0);
  equal([m.hosts[0]!.nr_free_pages, m.hosts[0]!.io_queue.length + m.hosts[0]!.nr_io_active], [free, 1]);
});

test('with swap full nothing can go, and the page is unharmed', () => {
  const hand = world();
  const { m } = hand;
  while (get_swap_page(m, 0, 0) >= 0);
  const before = resident(hand);
  is(reclaim_page(m, 0), false);
  is(resident(hand), before);
  is(m.hva.pte(48), make_pte(pte_target(m.hva.pte(48)), m.hva.pte(48) & PTE_BITS));
});

test.run();
