/**
 * Where the pages of a VM are, as cells of the page map.
 *
 * A guest may have millions of pages and a frame some milliseconds: of a cell that stands for many pages only some are
 * looked at, at even distances. Pages on their way are known from the device's requests and never missed.
 */
import { printable } from '../base/printable.ts';
import { mapped_for_guest } from '../sim/kvm/notifier.ts';
import type { Machine } from '../sim/machine.ts';
import { IO } from '../sim/memory.ts';
import { has_flag, PG_locked, PG_writeback, PTE_DIRTY, pte_present, pte_swap, pte_target } from '../sim/mm/page.ts';
import { PAGE_STATE_NAMES, type PageMap, type PageState } from './view_model.ts';

/** Pages looked at for one frame. */
const LOOKS = 4096;

/** The map of the VM's pages from `first_page` on, in so many cells; `fine`: each cell one page. */
export function pageMap(m: Machine, vm: number, first_page: number, cells: number, fine: boolean): PageMap {
  const place = m.places.vms[vm]!;
  const pages_per_cell = fine || cells === 0 ? 1 : Math.max(1, Math.ceil(place.pages / cells));
  const first = pages_per_cell * cells >= place.pages ? 0 : Math.min(first_page, Math.max(0, place.pages - 1));
  const shown = Math.min(cells, Math.ceil((place.pages - first) / pages_per_cell));
  const stride = Math.max(1, Math.ceil((shown * pages_per_cell) / LOOKS));
  const counts = none();
  const inCell = none();
  const states = Array.from({ length: shown }, (_, cell) => {
    const from = first + cell * pages_per_cell;
    const to = Math.min(from + pages_per_cell, place.pages);
    Object.assign(inCell, NONE);
    for (let page = from; page < to; page += stride) inCell[pageState(m, vm, place.first_page + page)] += 1;
    for (const name of PAGE_STATE_NAMES) counts[name] += inCell[name];
    return stateOfCell(inCell);
  });
  for (const io of m.ios) {
    if (io.state !== IO.active) continue;
    for (let slot = io.slot; slot < io.slot + io.pages; slot += 1) {
      const page = m.slot.hva(slot) - 1 - place.first_page;
      const cell = Math.floor((page - first) / pages_per_cell);
      if (page >= 0 && page < place.pages && cell >= 0 && cell < shown) states[cell] = io.write ? 'writing' : 'flight';
    }
  }
  const name = printable(m.program.vms[vm]?.name ?? '');
  return { vm: name, pages: place.pages, first, pages_per_cell, cells: states, counts, sampled: stride > 1 };
}

function pageState(m: Machine, vm: number, row: number): PageState {
  const pte = m.hva.pte(row);
  if (pte_present(pte)) {
    if (!mapped_for_guest(m, vm, row)) return 'resident';
    return (pte & PTE_DIRTY) !== 0 ? 'dirty' : 'mapped';
  }
  if (!pte_swap(pte)) return 'untouched';
  const cached = m.slot.cache(pte_target(pte)) - 1;
  if (cached < 0) return 'swapped';
  if (has_flag(m, cached, PG_locked)) return 'flight';
  return has_flag(m, cached, PG_writeback) ? 'writing' : 'resident';
}

/** What most of them are. */
function stateOfCell(counts: Readonly<Record<PageState, number>>): PageState {
  return PAGE_STATE_NAMES.reduce((most, name) => (counts[name] > counts[most] ? name : most));
}

const NONE = { mapped: 0, dirty: 0, resident: 0, flight: 0, writing: 0, swapped: 0, untouched: 0 } as const;

function none(): Record<PageState, number> {
  return { ...NONE };
}
