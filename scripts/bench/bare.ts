/**
 * Yardsticks for machines without the C++ ones: the least that has to be done, over typed arrays.
 *
 * They leave out nearly everything that the product does, so ratios against them are lower than against C++.
 */
import { cpuNs, exponentialTable, xorshift } from './measure.ts';

/** Nanoseconds per operation of a 4-ary heap of times: take the least, put it back later. */
export function bareHold(pending: number, operations: number): number {
  const deltas = exponentialTable(1 << 20);
  const random = xorshift();
  const heap = Float64Array.from({ length: pending }, () => deltas[random() & 0xffff]!).sort();
  const run = () => {
    for (let n = 0; n < operations; n += 1) {
      const time = heap[0]! + deltas[random() & 0xffff]!;
      let hole = 0;
      for (let child = 1; child < pending; child = 4 * hole + 1) {
        let least = child;
        const end = Math.min(child + 4, pending);
        for (let other = child + 1; other < end; other += 1) if (heap[other]! < heap[least]!) least = other;
        if (heap[least]! >= time) break;
        heap[hole] = heap[least]!;
        hole = least;
      }
      heap[hole] = time;
    }
  };
  run();
  return cpuNs(run) / operations;
}

/** Events for each second of CPU time: a random page is touched, or taken in for the one that has waited longest. */
export function bareWorkload(pages: number, frames: number): number {
  const random = xorshift();
  const frameOf = new Int32Array(pages).fill(-1);
  const pageOf = new Int32Array(frames);
  const due_ns = new Float64Array(8);
  for (let frame = 0; frame < frames; frame += 1) {
    pageOf[frame] = frame;
    frameOf[frame] = frame;
  }
  const operations = 10_000_000;
  const run = () => {
    let oldest = 0;
    for (let n = 0; n < operations; n += 1) {
      let next = 0;
      for (let other = 1; other < 8; other += 1) if (due_ns[other]! < due_ns[next]!) next = other;
      due_ns[next]! += 1 + (random() & 0xffff);
      const page = random() % pages;
      if (frameOf[page]! >= 0) continue;
      frameOf[pageOf[oldest]!] = -1;
      pageOf[oldest] = page;
      frameOf[page] = oldest;
      oldest = oldest + 1 === frames ? 0 : oldest + 1;
    }
  };
  run();
  return (operations / cpuNs(run)) * 1e9;
}

/** Seconds of CPU time: so many states of 52 bytes, reached by so many moves, each copied, changed, hashed and looked up. */
export function bareSearch(states: number, transitions: number): number {
  const words = 13;
  const all = new Uint32Array(states * words);
  const scratch = new Uint32Array(words);
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * states + 2)));
  const seen = new Uint32Array(states);
  const run = () => {
    let size = 1;
    for (let move = 0; move < transitions; move += 1) {
      const from = Math.min(size - 1, Math.floor((move * states) / transitions)) * words;
      for (let word = 0; word < words; word += 1) scratch[word] = all[from + word]!;
      // As many as there are new states to be: each of the other moves leads to one that is known.
      scratch[move % words] = size < states && size * transitions <= (move + 1) * states ? size : scratch[0]!;
      let hash = 0;
      for (let word = 0; word < words; word += 1) hash = Math.imul(hash ^ scratch[word]!, 0x85eb_ca6b) + word;
      hash ^= hash >>> 15;
      for (let at = hash & (slots.length - 1); ; at = (at + 1) & (slots.length - 1)) {
        const stored = slots[at]!;
        if (stored !== 0 && seen[stored - 1] === hash >>> 0) break;
        if (stored !== 0) continue;
        if (size === states) break;
        all.set(scratch, size * words);
        seen[size] = hash;
        size += 1;
        slots[at] = size;
        break;
      }
    }
  };
  return cpuNs(run) / 1e9;
}
