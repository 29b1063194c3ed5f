/**
 * A 64-bit fingerprint of bytes, as two 32-bit halves mixed word by word.
 *
 * Two different states share one with odds of about n^2 / 2^65 among n states; whoever relies on it says so.
 */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

/** `bytes` is a whole number of 32-bit words, aligned to one. */
export function fingerprint(bytes: Uint8Array): Fingerprint {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  let high = 0x811c_9dc5;
  let low = 0x9e37_79b9;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!;
    high = Math.imul(high ^ word, 0x85eb_ca6b);
    high ^= high >>> 13;
    low = Math.imul(low + word, 0xc2b2_ae35) ^ (low >>> 16);
  }
  high = Math.imul(high ^ low ^ words.length, 0x85eb_ca6b);
  low = Math.imul(low ^ (high >>> 15), 0xc2b2_ae35);
  return { high: (high ^ (high >>> 16)) >>> 0, low: (low ^ (low >>> 13)) >>> 0 };
}

/** 16 hex digits. */
export function fingerprintText({ high, low }: Fingerprint): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
