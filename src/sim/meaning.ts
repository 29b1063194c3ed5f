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

/** One column in the live buffer and in the copy. */
interface Rewritten {
  readonly live: Uint32Array;
  readonly copy: Uint32Array;
  readonly first: number;
  readonly step: number;
}

/**
 * The state's bytes under canonical names: equal for two states of one program just if they mean the same. Made once for
 * a machine, and asked at any number of its states; what it gives is overwritten by the next.
 */
export class Meaning {
  readonly #m: Machine;
  readonly #live: Uint8Array;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** For each frame its rank among those in use, by the page they hold, counted from 1; 0 for a free one. */
  readonly #ranks: Uint32Array;
  /** For each rank the frame + 1, and for each page the frame + 1. */
  readonly #frameOf: Uint32Array;
  readonly #frameOfPage: Uint32Array;
  /** Frames, and ranks, that any state seen so far has had in use. */
  #used = 0;
  readonly #columns = new Map<string, Rewritten>();

  constructor(m: Machine) {
    this.#m = m;
    const { buffer, hashed_bytes } = m.layout;
    this.#live = new Uint8Array(buffer, 0, hashed_bytes);
    this.bytes = new Uint8Array(new ArrayBuffer(Math.ceil(hashed_bytes / 4) * 4), 0, hashed_bytes);
    this.words = new Uint32Array(this.bytes.buffer);
    this.#ranks = new Uint32Array(m.frame.capacity);
    this.#frameOf = new Uint32Array(m.frame.capacity);
    this.#frameOfPage = new Uint32Array(m.hva.capacity + 1);
    for (const [table, field] of RENAMED) {
      const { values, first, step } = m.layout.column(table, field);
      assert(values instanceof Uint32Array, `meaning: ${table}.${field} has words`);
      const copy = new Uint32Array(this.bytes.buffer, values.byteOffset, values.length);
      this.#columns.set(`${table}.${field}`, { live: values, copy, first, step });
    }
  }

  update(): Uint8Array {
    const m = this.#m;
    this.bytes.set(this.#live);
    this.#rank();
    const ranks = this.#ranks;
    const { share } = m;
    const used = this.#used;
    for (const field of FRAME_FIELDS) {
      const { live, copy, first, step } = this.#columns.get(`frame.${field}`)!;
      const link = field === 'prev' || field === 'next';
      for (let rank = 0; rank < used; rank += 1) {
        const held = this.#frameOf[rank]!;
        const stored = held === 0 ? 0 : live[first + (held - 1) * step]!;
        copy[first + rank * step] = link ? this.#renamed(stored) : stored;
      }
    }
    const others = this.#columns.get('share.others')!;
    for (let rank = 0; rank < used; rank += 1) {
      const held = this.#frameOf[rank]!;
      others.copy[others.first + rank * others.step] = held === 0 ? 0 : share.others(held - 1);
    }
    // What a leaf or a pte maps is the page's own frame, or the one it shares; else what is left is its bits.
    this.#rewrite('hva.pte', (stored, page) =>
      pte_present(stored) ? ((sharedRank(m, ranks, page, stored) << PTE_SHIFT) | (stored & PTE_BITS)) >>> 0 : stored,
    );
    this.#rewrite('tdp.l1', leafBits);
    this.#rewrite('tdp_l2.entry', leafBits);
    this.#rewrite('tlb.entry', stored =>
      stored === 0 ? 0 : ((ranks[stored >>> TLB_SHIFT]! << TLB_SHIFT) | (stored & TLB_BITS)) >>> 0,
    );
    this.#rewrite('spte.entry', shadowBits);
    const renamed = (stored: number) => this.#renamed(stored);
    this.#rewrite('slot.cache', renamed);
    this.#rewrite('vm.lru_head', renamed);
    this.#rewrite('vm.lru_tail', renamed);
    this.#rewrite('host.free_head', forget);
    this.#rewrite('host.frames_used', forget);
    this.#rewrite('thread.wait_id', (stored, id) => (m.threads[id]!.wait === WAIT.page ? renamed(stored + 1) : stored));
    this.#rewrite('work.page_pin', renamed);
    return this.bytes;
  }

  /** A reference to a frame, stored as id + 1, under its new name. */
  #renamed(stored: number): number {
    return stored === 0 ? 0 : this.#ranks[stored - 1]!;
  }

  #rewrite(name: string, of: (stored: number, row: number) => number): void {
    const { copy, first, step } = this.#columns.get(name)!;
    for (let row = 0, at = first; at < copy.length; row += 1, at += step) copy[at] = of(copy[at]!, row);
  }

  #rank(): void {
    const { m, hva, used } = this.#look();
    const ofPage = this.#frameOfPage;
    ofPage.fill(0);
    this.#ranks.fill(0, 0, m.frame.capacity);
    this.#frameOf.fill(0, 0, Math.max(used, this.#used));
    // Names that an earlier state gave out beyond those of this one are cleared as well.
    this.#used = Math.max(used, this.#used);
    const { live, first, step } = hva;
    for (let pfn = 0; pfn < used; pfn += 1) {
      const page = live[first + pfn * step]!;
      if (page !== 0) ofPage[page] = pfn + 1;
    }
    let rank = 0;
    for (let page = 0; page < ofPage.length; page += 1) {
      const held = ofPage[page]!;
      if (held === 0) continue;
      this.#frameOf[rank] = held;
      rank += 1;
      this.#ranks[held - 1] = rank;
    }
  }

  /** Frames beyond `used` have never been taken. */
  #look() {
    const m = this.#m;
    let used = 1;
    m.places.hosts.forEach(({ first_frame }, host) => {
      used = Math.max(used, first_frame + m.hosts[host]!.frames_used);
    });
    return { m, hva: this.#columns.get('frame.hva')!, used: Math.min(used, m.frame.capacity) };
  }
}

const FRAME_FIELDS = ['flags', 'hva', 'slot', 'prev', 'next', 'pins'] as const;
const RENAMED = [
  ...FRAME_FIELDS.map(field => ['frame', field] as const),
  ['share', 'others'],
  ['hva', 'pte'],
  ['tdp', 'l1'],
  ['tdp_l2', 'entry'],
  ['tlb', 'entry'],
  ['spte', 'entry'],
  ['slot', 'cache'],
  ['vm', 'lru_head'],
  ['vm', 'lru_tail'],
  ['host', 'free_head'],
  ['host', 'frames_used'],
  ['thread', 'wait_id'],
  ['work', 'page_pin'],
] as const;

const forget = () => 0;
const leafBits = (stored: number) => stored & LEAF_BITS;
const shadowBits = (stored: number) => stored & SPTE_BITS;

/** The same once, as bytes of their own. */
export function meaningOf(m: Machine): Uint8Array {
  return new Meaning(m).update().slice();
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
