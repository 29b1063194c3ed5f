/**
 * Seeded random streams whose state is data: four 32-bit words in a row of the buffer.
 *
 * xorshift128 (Marsaglia, "Xorshift RNGs"). A stream is split off by seeding it with a name, so that adding a task
 * does not change what the others draw.
 */
export interface Stream {
  rng_a: number;
  rng_b: number;
  rng_c: number;
  rng_d: number;
}

/** The next 32 bits. */
export function next32(stream: Stream): number {
  const result = peek32(stream);
  stream.rng_a = stream.rng_b;
  stream.rng_b = stream.rng_c;
  stream.rng_c = stream.rng_d;
  stream.rng_d = result;
  return result;
}

/** What next32() is going to return. */
export function peek32({ rng_a, rng_d }: Stream): number {
  const t = rng_a ^ (rng_a << 11);
  return (rng_d ^ (rng_d >>> 19) ^ t ^ (t >>> 8)) >>> 0;
}

/** An integer in [0, bound), bound up to 2^32; the bias is below bound / 2^32. */
export function below(stream: Stream, bound: number): number {
  return scaled(next32(stream), bound);
}

/** 32 bits to an integer in [0, bound). */
export function scaled(bits: number, bound: number): number {
  return Math.floor(bits * bound * 2 ** -32);
}

/** Seeds a stream from the run's seed and a name. */
export function seedStream(stream: Stream, seed: number, name: string): void {
  let state = mix((seed >>> 0) ^ mix(Math.floor(seed / 0x1_0000_0000) >>> 0));
  for (let i = 0; i < name.length; i += 1) state = mix(state ^ name.charCodeAt(i));
  stream.rng_a = state = mix(state + 0x9e37_79b9);
  stream.rng_b = state = mix(state + 0x9e37_79b9);
  stream.rng_c = state = mix(state + 0x9e37_79b9);
  stream.rng_d = mix(state + 0x9e37_79b9) | 1; // Never all zero.
}

/** The finaliser of murmur3: every bit of the input reaches every bit of the result. */
function mix(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
