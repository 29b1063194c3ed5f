/**
 * When two states are the same: what can happen next is, whatever the frames are called.
 *
 * Equal meaning is equal bytes in the hashed half of the buffer, but for one thing: which free frame a page got depends
 * on who came first, and nothing can ever tell. So frames are renamed after the page they hold (a page has one at
 * most), free ones are forgotten, and lists are followed under the new names.
 */
import { assert } from '../base/assert.ts';
import { type Fingerprint, fingerprint } from '../base/fingerprint.ts';
import { TLB_SHIFT } from './guest/tlb.ts';
import { LEAF_SHIFT } from './kvm/tdp.ts';
import type { Machine } from './machine.ts';
import { PTE_BITS, PTE_SHIFT, pte_present, pte_special, pte_target } from './mm/page.ts';
import { WAIT } from './schema.ts';

/** The state's bytes under canonical names: equal for two states of one program just if they mean the same. */
export function meaningOf(m: Machine): Uint8Array {
  const bytes = new Uint8Array(m.layout.buffer.slice(0, m.layout.hashed_bytes));
  /** Changes a column in the copy, value by value. */
  const rewrite = (table: keyof typeof m.layout.tables, field: string, of: (stored: number, row: number) => number) => {
    const { values, first, step } = m.layout.column(table, field);
    assert(values instanceof Uint32Array, `meaning: ${table}.${field} has words`);
    const copy = new Uint32Array(bytes.buffer, values.byteOffset, values.length);
    for (let row = 0, at = first; at < copy.length; row += 1, at += step) copy[at] = of(copy[at]!, row);
  };
  const ranks = frameRanks(m);
  /** A reference to a frame, stored as id + 1, under its new name. */
  const renamed = (stored: number) => (stored === 0 ? 0 : ranks[stored - 1]!);

  const forget = () => 0;
  const fields = ['flags', 'hva', 'slot', 'prev', 'next', 'pins'] as const;
  const frameOf = new Uint32Array(m.frame.capacity);
  for (let pfn = 0; pfn < ranks.length; pfn += 1) if (ranks[pfn] !== 0) frameOf[ranks[pfn]! - 1] = pfn + 1;
  for (const field of fields) {
    const link = field === 'prev' || field === 'next';
    rewrite('frame', field, (_, rank) => {
      const held = frameOf[rank]!;
      if (held === 0) return 0;
      const stored = m.frame[field](held - 1);
      return link ? renamed(stored) : stored;
    });
  }
  // What a leaf or a pte maps is the page's own frame, or the one it shares; else what is left is its bits.
  rewrite('hva', 'pte', (stored, page) =>
    pte_present(stored) ? ((sharedRank(m, ranks, page, stored) << PTE_SHIFT) | (stored & PTE_BITS)) >>> 0 : stored,
  );
  rewrite('share', 'others', (_, rank) => (frameOf[rank]! === 0 ? 0 : m.share.others(frameOf[rank]! - 1)));
  rewrite('tdp', 'l1', stored => stored & LEAF_BITS);
  rewrite('tdp_l2', 'entry', stored => stored & LEAF_BITS);
  rewrite('tlb', 'entry', stored =>
    stored === 0 ? 0 : ((ranks[stored >>> TLB_SHIFT]! << TLB_SHIFT) | (stored & TLB_BITS)) >>> 0,
  );
  rewrite('spte', 'entry', stored => stored & SPTE_BITS);
  rewrite('slot', 'cache', renamed);
  rewrite('vm', 'lru_head', renamed);
  rewrite('vm', 'lru_tail', renamed);
  rewrite('host', 'free_head', forget);
  rewrite('host', 'frames_used', forget);
  rewrite('thread', 'wait_id', (stored, id) => (m.threads[id]!.wait === WAIT.page ? renamed(stored + 1) : stored));
  rewrite('work', 'page_pin', renamed);
  return bytes;
}

const SPTE_BITS = 15;
const TLB_BITS = (1 << TLB_SHIFT) - 1;
const LEAF_BITS = (1 << LEAF_SHIFT) - 1;

/** A page that shares another's frame says which by its new name; its own frame needs none. */
function sharedRank(m: Machine, ranks: Uint32Array, page: number, pte: number): number {
  if (pte_special(pte)) return 0;
  const pfn = pte_target(pte);
  return m.frame.hva(pfn) === page + 1 ? 0 : ranks[pfn]!;
}

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
