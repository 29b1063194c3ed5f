/**
 * What a migration knows of each page: one byte for each page of a VM that can move, in either of its incarnations.
 *
 * At the source DIRTY is the VMM's bitmap of what is still to be sent, LOGGED the one that KVM keeps of what was written
 * since it was last asked. At the destination RECEIVED says that the page is there. STALE marks, for the switch to
 * post-copy, what was sent and has changed since.
 */
import type { Machine } from '../machine.ts';

export const LOGGED = 1;
export const DIRTY = 2;
export const RECEIVED = 4;
export const STALE = 8;

/** QEMU puts eight bytes before a page: its offset and flags. */
export const HEADER_BYTES = 8;
export const PAGE_BYTES = 4096;

function rowOf(m: Machine, vm: number, index: number): number {
  return m.places.vms[vm]!.first_block + index;
}

export function block_has(m: Machine, vm: number, index: number, bit: number): boolean {
  return (m.ram_block.bits(rowOf(m, vm, index)) & bit) !== 0;
}

/** Sets a bit; false where it was set already. */
export function block_set(m: Machine, vm: number, index: number, bit: number): boolean {
  const row = rowOf(m, vm, index);
  const bits = m.ram_block.bits(row);
  if ((bits & bit) !== 0) return false;
  m.ram_block.set_bits(row, bits | bit);
  return true;
}

export function block_clear(m: Machine, vm: number, index: number, bit: number): void {
  const row = rowOf(m, vm, index);
  m.ram_block.set_bits(row, m.ram_block.bits(row) & ~bit);
}

/** First page at or after `from` that is still to be sent, or -1. */
export function next_dirty(m: Machine, vm: number, from: number): number {
  const { pages } = m.places.vms[vm]!;
  for (let index = from; index < pages; index += 1) if (block_has(m, vm, index, DIRTY)) return index;
  return -1;
}
