/** Laws of a migration: what is counted is what there is, and no page is ever in nobody's hands. */
import { AT } from '../at.ts';
import type { Machine } from '../machine.ts';
import { block_has, DIRTY, HEADER_BYTES, PAGE_BYTES, RECEIVED } from './ram.ts';
import { MIGRATION_STATUS, PACKET } from './tables.ts';

/** What is broken, or null. */
export function brokenMigration(m: Machine, number: number): string | null {
  const row = m.migrations[number]!;
  const { name, out_of, into, link } = m.program.migrations[number]!;
  const { pages } = m.places.vms[out_of]!;
  if (row.round_bytes !== row.round_pages * (HEADER_BYTES + PAGE_BYTES))
    return `${name}: ${row.round_pages} pages of this round came to ${row.round_bytes} bytes`;
  const running = m.vms[out_of]!.migrating === number + 1;
  let dirty = 0;
  for (let index = 0; index < pages; index += 1) if (block_has(m, out_of, index, DIRTY)) dirty += 1;
  if (running && dirty !== row.nr_dirty) return `${name}: ${dirty} pages are to be sent, ${row.nr_dirty} counted`;
  if (row.status !== MIGRATION_STATUS.postcopy_active || !m.wires[2 * link]!.up) return null;
  const thread = m.threads[m.places.migrations[number]!.source]!;
  if (thread.at === AT.migration_wait && row.eof_sent === 0) return null; // The link was down meanwhile.
  const held = thread.page - m.places.vms[out_of]!.first_page;
  const travels = new Set(
    m.packets.flatMap(({ kind, migration, page }) => (kind === PACKET.page && migration === number ? [page] : [])),
  );
  for (let index = 0; index < pages; index += 1) {
    if (block_has(m, into, index, RECEIVED) || block_has(m, out_of, index, DIRTY)) continue;
    if (!travels.has(index) && held !== index) return `${name}: page ${index} is at neither end and not on its way`;
  }
  return null;
}
