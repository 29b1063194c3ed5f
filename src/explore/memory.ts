/**
 * Room for what an exploration stores. Of one thread it grows as it fills; what threads share cannot, so it is set aside
 * at once: the operating system gives memory to what is written, and none to what is only set aside.
 */

export interface Memory {
  readonly shared: boolean;
  /** Arrays of so many elements; of one thread's at most so many to begin with. */
  words(most: number): Uint32Array<ArrayBufferLike>;
  bytes(most: number): Uint8Array<ArrayBufferLike>;
}

/** To begin with, of one thread. */
const BEGIN = 1 << 11;

export const PRIVATE: Memory = {
  shared: false,
  words: most => new Uint32Array(Math.min(most, BEGIN)),
  bytes: most => new Uint8Array(Math.min(most, 8 * BEGIN)),
};

/** Sets shared arrays aside in order; whoever gets their list finds the same in the same order. */
export function setAside(buffers: SharedArrayBuffer[]): Memory {
  const aside = (bytes: number) => {
    const buffer = new SharedArrayBuffer(bytes);
    buffers.push(buffer);
    return buffer;
  };
  return {
    shared: true,
    words: most => new Uint32Array(aside(4 * most)),
    bytes: most => new Uint8Array(aside(most)),
  };
}

/** What setAside() has set aside, for another thread. */
export function found(buffers: readonly SharedArrayBuffer[]): Memory {
  let next = 0;
  const take = () => {
    const buffer = buffers[next]!;
    next += 1;
    return buffer;
  };
  return { shared: true, words: () => new Uint32Array(take()), bytes: () => new Uint8Array(take()) };
}

/** So much more at a time: what is not filled yet is a tenth on average, and each number is moved four times in all. */
const GROWTH = 1.25;
/** Room comes in multiples of this. */
const GRAIN = 8;

function roomierThan(length: number): number {
  return GRAIN * Math.ceil((length * GROWTH) / GRAIN);
}

/** The same numbers with room for more, or for as many as are wanted. */
export function widerWords(of: Uint32Array<ArrayBufferLike>, wanted = 0): Uint32Array<ArrayBufferLike> {
  const array = new Uint32Array(Math.max(wanted, roomierThan(of.length)));
  array.set(of);
  return array;
}

export function widerBytes(of: Uint8Array<ArrayBufferLike>, wanted = 0): Uint8Array<ArrayBufferLike> {
  const array = new Uint8Array(Math.max(wanted, roomierThan(of.length)));
  array.set(of);
  return array;
}
