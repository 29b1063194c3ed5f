/**
 * Random times and pages from integer tables, so that every platform draws the same.
 *
 * A distribution becomes its 4096 quantiles at the middles of 4096 equal parts; a draw is one look-up.
 */
import { below, next32, type Stream, scaled } from '../base/rng.ts';
import { exp, ln, normalQuantile } from '../base/series.ts';
import type { Distribution, PageChoice } from './program.ts';

const PARTS = 4096;
const Z99 = 2.326347874040841;

/** Quantiles of a distribution, ns; one entry for a fixed time. */
export function quantilesOf(distribution: Distribution): Float64Array {
  if (distribution.kind === 'fixed') return Float64Array.of(distribution.ns);
  if (distribution.kind === 'empirical') return Float64Array.from(distribution.samples_ns).sort();
  return Float64Array.from({ length: PARTS }, (_, index) => Math.round(quantile(distribution, (index + 0.5) / PARTS)));
}

function quantile(distribution: Exclude<Distribution, { kind: 'fixed' | 'empirical' }>, p: number): number {
  switch (distribution.kind) {
    case 'uniform':
      return distribution.min_ns + (distribution.max_ns - distribution.min_ns) * p;
    case 'exponential':
      return -ln(1 - p) * distribution.mean_ns;
    case 'pareto':
      return distribution.min_ns * exp(-ln(1 - p) / distribution.shape);
    case 'lognormal': {
      const mu = ln(distribution.p50_ns);
      const sigma = (ln(distribution.p99_ns) - mu) / Z99;
      return exp(mu + sigma * normalQuantile(p));
    }
  }
}

export function draw(quantiles: Float64Array, stream: Stream): number {
  const n = quantiles.length;
  return n === 1 ? quantiles[0]! : quantiles[n === PARTS ? next32(stream) & (PARTS - 1) : below(stream, n)]!;
}

/** For a Zipf choice: for each of 65536 equal parts of probability, the rank drawn. */
export function zipfRanks(pages: number, theta: number): Uint32Array {
  const weights = new Float64Array(pages);
  let total = 0;
  for (let rank = 0; rank < pages; rank += 1) {
    total += exp(-theta * ln(rank + 1));
    weights[rank] = total;
  }
  const ranks = new Uint32Array(65_536);
  let rank = 0;
  for (let part = 0; part < ranks.length; part += 1) {
    while (weights[rank]! < ((part + 0.5) / ranks.length) * total) rank += 1;
    ranks[part] = rank;
  }
  return ranks;
}

export type RandomChoice = Extract<PageChoice, { kind: 'uniform' | 'zipf' }>;

/** The page that 32 random bits choose, counted from the start of the heap. */
export function pageOfBits(choice: RandomChoice, ranks: Uint32Array | null, bits: number): number {
  if (choice.kind === 'uniform' || !ranks) return choice.first + scaled(bits, choice.pages);
  // Ranks are spread over the range by a fixed odd stride, so that popular pages are not neighbours.
  return choice.first + ((ranks[bits >>> 16]! * 0x9e37) % choice.pages);
}
