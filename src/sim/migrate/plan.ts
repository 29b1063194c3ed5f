/**
 * The closed form of a pre-copy migration: how long it takes, by arithmetic instead of by running it.
 *
 * It holds for a guest that writes at a constant rate and no page twice in a round: what was written while a round was
 * sent is the next one, so rounds shrink by the ratio of the two rates. Where pages are written again and again, or the
 * guest's faults and the migration's own reads get in each other's way, only the simulation knows.
 */
import { HEADER_BYTES, PAGE_BYTES } from './ram.ts';

export interface PrecopyPlan {
  /** Pages of each round; the last is what is sent while the guest stands still. */
  readonly rounds: readonly number[];
  readonly total_ns: number;
  readonly downtime_ns: number;
  readonly sent_bytes: number;
}

export interface PrecopyCase {
  readonly pages: number;
  readonly dirty_pages_per_s: number;
  readonly bytes_per_s: number;
  readonly latency_ns: number;
  readonly max_downtime_ns: number;
  /** The state of devices and vCPUs. */
  readonly device_bytes: number;
}

/** Null where it never converges: the guest writes as fast as the link carries. */
export function planPrecopy(of: PrecopyCase): PrecopyPlan | null {
  const page_ns = ((HEADER_BYTES + PAGE_BYTES) * 1e9) / of.bytes_per_s;
  const ratio = (of.dirty_pages_per_s * page_ns) / 1e9;
  const rounds = [of.pages];
  let left = of.pages * ratio;
  let total_ns = of.pages * page_ns;
  while (left * page_ns > of.max_downtime_ns) {
    if (ratio >= 1) return null;
    rounds.push(left);
    total_ns += left * page_ns;
    left *= ratio;
  }
  rounds.push(left);
  const downtime_ns = left * page_ns + (of.device_bytes * 1e9) / of.bytes_per_s + of.latency_ns;
  const pages = rounds.reduce((sum, each) => sum + each, 0);
  return {
    rounds,
    total_ns: total_ns + downtime_ns,
    downtime_ns,
    sent_bytes: pages * (HEADER_BYTES + PAGE_BYTES) + of.device_bytes,
  };
}
