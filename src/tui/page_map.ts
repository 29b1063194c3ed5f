/**
 * Where the pages of a VM are, as cells of the page map.
 *
 * A guest may have millions of pages and a frame some milliseconds: of a cell that stands for many pages only some are
 * looked at, at even distances.
 */
import { printable } from '../base/printable.ts';
import { tdp_mapped } from '../sim/kvm/tdp.ts';
import type { Machine } from '../sim/machine.ts';
import { has_flag, PG_locked, PG_writeback, PTE_DIRTY, pte_present, pte_swap, pte_target } from '../sim/mm/page.ts';
import { PAGE_STATE_NAMES, type PageMap, type PageState } from './view_model.ts';

/** Pages looked at for one frame. */
const LOOKS = 16_384;

/** The map of the VM's pages from `first_page` on, in so many cells; `fine`: each cell one page. */
export function pageMap(m: Machine, vm: number, first_page: number, cells: number, fine: boolean): PageMap {
  const place = m.places.vms[vm]!;
  const pages_per_cell = fine || cells === 0 ? 1 : Math.max(1, Math.ceil(place.pages / cells));
  const first = pages_per_cell * cells >= place.pages ? 0 : Math.min(first_page, Math.max(0, place.pages - 1));
  const shown = Math.min(cells, Math.ceil((place.pages - first) / pages_per_cell));
  const stride = Math.max(1, Math.ceil((shown * pages_per_cell) / LOOKS));
  const counts = empty();
  const states = Array.from({ length: shown }, (_, cell) => {
    const from = first + cell * pages_per_cell;
    const to = Math.min(from + pages_per_cell, place.pages);
    const inCell = empty();
    for (let page = from; page < to; page += stride) inCell[pageState(m, vm, place.first_page + page)] += 1;
    for (const name of PAGE_STATE_NAMES) counts[name] += inCell[name];
    return stateOfCell(inCell);
  });
  return {
    vm: printable(m.program.vms[vm]?.name ?? ''),
    pages: place.pages,
    first,
    pages_per_cell,
    cells: states,
    counts,
    sampled: stride > 1,
  };
}

function pageState(m: Machine, vm: number, row: number): PageState {
  const pte = m.hva.pte(row);
  if (pte_present(pte)) {
    if (!tdp_mapped(m, vm, row)) return 'resident';
    return (pte & PTE_DIRTY) !== 0 ? 'dirty' : 'mapped';
  }
  if (!pte_swap(pte)) return 'untouched';
  const cached = m.slot.cache(pte_target(pte)) - 1;
  if (cached < 0) return 'swapped';
  if (has_flag(m, cached, PG_locked)) return 'flight';
  return has_flag(m, cached, PG_writeback) ? 'writing' : 'resident';
}

/** What moves is shown even where it is one page of many; else what most of them are. */
function stateOfCell(counts: Readonly<Record<PageState, number>>): PageState {
  if (counts.flight > 0) return 'flight';
  if (counts.writing > 0) return 'writing';
  return PAGE_STATE_NAMES.reduce((most, name) => (counts[name] > counts[most] ? name : most));
}

function empty(): Record<PageState, number> {
  return { mapped: 0, dirty: 0, resident: 0, flight: 0, writing: 0, swapped: 0, untouched: 0 };
}
