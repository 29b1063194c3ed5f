/** Where a packet goes that has come over a link: to the destination's threads, or, back, to the source's. */
import { wake_up_process } from '../host/sched.ts';
import type { Machine } from '../machine.ts';
import { WAIT } from '../schema.ts';
import { PACKET, type Packet } from './tables.ts';

export function arrived(m: Machine, packet: Packet): void {
  const row = m.migrations[packet.migration]!;
  const place = m.places.migrations[packet.migration]!;
  if (packet.kind === PACKET.request) {
    row.requests.push(packet.id);
    wake_if(m, place.source, WAIT.migration);
    return;
  }
  if (packet.kind === PACKET.device) row.committed = 1;
  row.inbox.push(packet.id);
  wake_if(m, place.incoming, WAIT.migration);
}

/** Wakes a thread of a migration that has nothing to do until something comes. */
export function wake_if(m: Machine, id: number, wait: number): void {
  const thread = m.threads[id]!;
  if (thread.wait === wait) wake_up_process(m, thread);
}
