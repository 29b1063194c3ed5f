/**
 * Names by number: thread names and the few words that are no table of the kernel's.
 *
 * Text here is bytes, one per UTF-16 unit: what a kernel cut in the middle of a character comes out as it went in.
 * decode() makes it readable; only what is shown to somebody is decoded.
 */

const INITIAL = 256;

export class Strings {
  readonly #texts: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  /** Open addressing: number + 1 of the name whose hash led here. */
  #slots = new Uint32Array(INITIAL * 2);

  constructor() {
    this.of('');
  }

  /** The number of the name in these bytes; the empty name is 0. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const id = (this.#slots[slot] ?? 0) - 1;
      if (id < 0) return this.#add(bytes.slice(start, end), slot);
      if (equal(this.#bytes[id], bytes, start, end)) return id;
    }
  }

  /** The number of a name that is already text of bytes. */
  of(text: string): number {
    const bytes = Uint8Array.from(text, unit => unit.charCodeAt(0));
    return this.intern(bytes, 0, bytes.length);
  }

  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  #add(bytes: Uint8Array, slot: number): number {
    const id = this.#texts.length;
    this.#texts.push(latin1(bytes, 0, bytes.length));
    this.#bytes.push(bytes);
    this.#slots[slot] = id + 1;
    if (id * 2 > this.#slots.length) this.#grow();
    return id;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    this.#bytes.forEach((bytes, id) => {
      let slot = hash(bytes, 0, bytes.length) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    });
    this.#slots = slots;
  }
}

/** The bytes as text, one unit each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

/** Text of bytes as readable text; what is no UTF-8 becomes U+FFFD. */
export function decode(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, unit => unit.charCodeAt(0)));
}

/** Readable text as text of bytes. */
export function encode(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return latin1(bytes, 0, bytes.length);
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0x811c9dc5;
  for (let at = start; at < end; at += 1) sum = Math.imul(sum ^ (bytes[at] ?? 0), 0x01000193);
  return (sum ^ (sum >>> 15)) >>> 0;
}

function equal(known: Uint8Array | undefined, bytes: Uint8Array, start: number, end: number): boolean {
  if (known === undefined || known.length !== end - start) return false;
  for (let index = 0; index < known.length; index += 1) {
    if (known[index] !== bytes[start + index]) return false;
  }
  return true;
}
