/**
 * When two states are the same: what can happen next is, whatever the frames are called.
 *
 * Equal meaning is equal bytes in the hashed half of the buffer, but for one thing: which free frame a page got depends
 * on who came first, and nothing can ever tell. So frames are renamed after the page they hold (a page has one at
 * most), free ones are forgotten, and lists are followed under the new names.
 */
import { type Fingerprint, fingerprint } from '../base/fingerprint.ts';
import type { Machine } from './machine.ts';
import { pte_present } from './mm/page.ts';
import { WAIT } from './schema.ts';

/** The state's bytes under canonical names: equal for two states of one program just if they mean the same. */
export function meaningOf(m: Machine): Uint8Array {
  const bytes = new Uint8Array(m.layout.buffer.slice(0, m.layout.hashed_bytes));
  /** The same column in the copy. */
  const column = (table: keyof typeof m.layout.tables, field: string) => {
    const original = m.layout.column(table, field);
    return original instanceof Uint32Array
      ? new Uint32Array(bytes.buffer, original.byteOffset, original.length)
      : original instanceof Uint16Array
        ? new Uint16Array(bytes.buffer, original.byteOffset, original.length)
        : new Uint8Array(bytes.buffer, original.byteOffset, original.length);
  };
  const ranks = frameRanks(m);
  /** A reference to a frame, stored as id + 1, under its new name. */
  const renamed = (stored: number) => (stored === 0 ? 0 : ranks[stored - 1]!);

  const fields = ['flags', 'hva', 'slot', 'prev', 'next', 'pins'] as const;
  const [flags, hva, slot, prev, next, pins] = fields.map(field => column('frame', field).fill(0));
  for (let pfn = 0; pfn < m.frame.capacity; pfn += 1) {
    const at = ranks[pfn]! - 1;
    if (at < 0) continue;
    flags![at] = m.frame.flags(pfn);
    hva![at] = m.frame.hva(pfn);
    slot![at] = m.frame.slot(pfn);
    prev![at] = renamed(m.frame.prev(pfn));
    next![at] = renamed(m.frame.next(pfn));
    pins![at] = m.frame.pins(pfn);
  }

  const pte = column('hva', 'pte');
  const l1 = column('tdp', 'l1');
  for (let page = 0; page < m.hva.capacity; page += 1) {
    // What a leaf or a pte maps is the page's own frame; what is left is whether it does, and its bits.
    const stored = m.hva.pte(page);
    if (pte_present(stored)) pte[page] = stored & PTE_BITS;
    l1[page] = m.tdp.l1(page) & LEAF_BITS;
  }
  const l2 = column('tdp_l2', 'entry');
  for (let index = 0; index < l2.length; index += 1) l2[index] = l2[index]! & LEAF_BITS;
  const cache = column('slot', 'cache');
  for (let index = 0; index < cache.length; index += 1) cache[index] = renamed(cache[index]!);
  const heads = column('vm', 'lru_head');
  const tails = column('vm', 'lru_tail');
  for (let vm = 0; vm < heads.length; vm += 1) {
    heads[vm] = renamed(heads[vm]!);
    tails[vm] = renamed(tails[vm]!);
  }
  column('host', 'free_head').fill(0);
  column('host', 'frames_used').fill(0);
  const wait_ids = column('thread', 'wait_id');
  for (const thread of m.threads) if (thread.wait === WAIT.page) wait_ids[thread.id] = renamed(thread.wait_id + 1);
  const page_pins = column('work', 'page_pin');
  for (let work = 0; work < page_pins.length; work += 1) page_pins[work] = renamed(page_pins[work]!);
  return bytes;
}

const PTE_BITS = 15;
const LEAF_BITS = 15;

/** For each frame its rank among those in use, by the page they hold, counted from 1; 0 for a free one. */
function frameRanks(m: Machine): Uint32Array {
  const frameOf = new Map<number, number>();
  for (let pfn = 0; pfn < m.frame.capacity; pfn += 1) if (m.frame.hva(pfn) !== 0) frameOf.set(m.frame.hva(pfn), pfn);
  const ranks = new Uint32Array(m.frame.capacity);
  [...frameOf.keys()]
    .sort((a, b) => a - b)
    .forEach((page, index) => {
      ranks[frameOf.get(page)!] = index + 1;
    });
  return ranks;
}

/** A fingerprint of the meaning of a state. */
export function hashOf(m: Machine): Fingerprint {
  return fingerprint(meaningOf(m));
}

/** Whether two machines of one program are in states that mean the same. */
export function sameMeaning(a: Machine, b: Machine): boolean {
  const bytes_a = meaningOf(a);
  const bytes_b = meaningOf(b);
  return bytes_a.length === bytes_b.length && bytes_a.every((byte, index) => byte === bytes_b[index]);
}
