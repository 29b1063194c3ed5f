/** A scenario's `hold swap_read(page) for T`, as the swap device sees it. */
import { row_named } from '../incarnation.ts';
import type { Machine } from '../machine.ts';
import { rowOf } from '../pattern.ts';
import { HOLD } from '../schema.ts';

/** How long the scenario makes a read of this page take at least. Asked by the swap device. */
export function held_read_ns(m: Machine, read: number): number {
  const page = row_named(m, 'page', read);
  let longest = 0;
  for (let index = 0; index < m.holds.length; index += 1) {
    const { op } = m.places.holds[index]!;
    if (op.op !== 'hold_event' || m.holds[index]!.state !== HOLD.armed) continue;
    const entity = op.event.args[0];
    if (!entity || rowOf(m.places, entity) === page) longest = Math.max(longest, op.ns);
  }
  return longest;
}
