/** A link that goes down, and comes back: whatever is on it is lost, and the migrations over it are told. */
import type { Machine } from '../machine.ts';
import { WAIT } from '../schema.ts';
import { wake_if } from './arrival.ts';
import { ask_again } from './incoming.ts';
import { drop_packets } from './link.ts';

function migrationsOver(m: Machine, link: number): readonly number[] {
  return m.program.migrations.flatMap((each, migration) => (each.link === link ? [migration] : []));
}

export function link_down(m: Machine, link: number): void {
  for (const wire of [2 * link, 2 * link + 1]) {
    m.wires[wire]!.up = 0;
    drop_packets(m, wire, null);
  }
  for (const migration of migrationsOver(m, link)) wake_if(m, m.places.migrations[migration]!.source, WAIT.migration);
}

/**
 * It is up again. A post-copy that was paused goes on.
 * Differs: whoever manages the VMs has it recovered at once (migrate_recover).
 */
export function link_up(m: Machine, link: number): void {
  for (const wire of [2 * link, 2 * link + 1]) m.wires[wire]!.up = 1;
  for (const migration of migrationsOver(m, link)) {
    wake_if(m, m.places.migrations[migration]!.source, WAIT.migration);
    ask_again(m, migration);
  }
}
