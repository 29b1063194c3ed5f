/**
 * Tables of all memory: page tables of guests and hosts, frames, swap. Part of the schema, see schema.ts.
 *
 * The newcomer's mistake is to look for the contents of pages: there are none, only which page is where.
 */
import { bool, inRecord, numbered, oneOf, table, u8, u16, u32, u53 } from '../base/table.ts';

export const IO = numbered(['free', 'queued', 'active']);

export const MEMORY = {
  /** The guest's own page tables: by address space, one entry for each page of the heap; see guest/pgtable.ts. */
  gpt: table({ entry: u32 }),
  /** Their shadows, entry by entry, where the host has to shadow them; see kvm/shadow.ts. */
  spte: table({ entry: u32 }),

  /** What the CPUs remember of walks: by vCPU, one entry for each page of the heap; see guest/tlb.ts. */
  tlb: table({ entry: u32, tag: u16 }),

  /** Host page tables of the VMM's guest memory: one row per guest page. See mm/page.ts for the bits. */
  hva: inRecord('page', { pte: u32 }),
  /** Leaf and inner entries of the TDP tree, by level; see kvm/tdp.ts. */
  tdp: inRecord('page', { l1: u32 }),
  tdp_l2: table({ entry: u32 }),
  tdp_l3: table({ entry: u32 }),

  frame: inRecord('frame', { flags: u32, hva: u32, slot: u32, prev: u32, next: u32, pins: u32 }),
  /**
   * Where a host reclaims by working set, of each frame: when its page was last seen used, + 1; 0 if the hand has not
   * met it yet. Unhashed, as all times are: in an exploration the clock stands still, and all of them are equal.
   */
  frame_use: table({}, { last_ns: u53 }),
  /** Pages besides its own that map a frame of KSM. */
  share: table({ others: u32 }),
  /** Swap slots: whose contents they have, and the frame in the swap cache. */
  slot: inRecord('slot', { hva: u32, cache: u32 }),
  /** Requests at the swap device. */
  io: table({ state: oneOf(IO), host: u8, write: bool, slot: u32, pages: u16, error: bool }, { submitted_ns: u53 }),
} as const;
