/**
 * State that cannot matter, because of how large the world is.
 *
 * Where every page fits into memory at once and into half of the swap, nothing is ever reclaimed for want of room: then
 * nobody can tell in which order the pages were used, nor how many frames and slots are taken. Those columns are left out
 * of a state's identity and of footprints.
 */
import type { Program } from '../sim/program.ts';

const ORDER_OF_USE = [
  'frame.prev',
  'frame.next',
  'vm.lru_head',
  'vm.lru_tail',
  'vm.nr_charged_pages',
  'host.free_head',
  'host.frames_used',
  'host.slots_used',
  'host.slot_next',
] as const;

/** What is only looked at to choose a window of more than a page. */
const READ_AHEAD = ['host.ra_offset', 'host.ra_hits', 'host.ra_window'] as const;

/** What is only looked at to make requests wait for the device. */
const DEVICE_QUEUE = ['host.io_queue', 'host.nr_io_active'] as const;

/** Columns, as `table.field`, in which two states may differ and still be one. `pages`: of each VM, with its tables. */
export function irrelevant(program: Program, pages: readonly number[]): ReadonlySet<string> {
  const columns = new Set<string>();
  const total = pages.reduce((sum, each) => sum + each, 0);
  const fits = program.hosts.every(({ ram_pages, swap }) => {
    const window = swap?.readahead_pages ?? 1;
    return ram_pages >= 2 * total + 8 * window + 16 && (!swap || swap.size_pages > 2 * total);
  });
  const unlimited = program.vms.every(({ memory_limit_pages }, vm) => (memory_limit_pages ?? pages[vm]!) >= pages[vm]!);
  const picked = program.actions.some(({ ops }) => ops.some(({ op }) => op === 'evict_part' || op === 'merge'));
  if (fits && unlimited && !picked) for (const column of ORDER_OF_USE) columns.add(column);
  if (program.hosts.every(({ swap }) => (swap?.readahead_pages ?? 1) <= 1))
    for (const column of READ_AHEAD) columns.add(column);
  if (program.hosts.every(({ swap }) => (swap?.depth ?? total) >= total))
    for (const column of DEVICE_QUEUE) columns.add(column);
  return columns;
}
