/** What a Program says about links and migrations. */
import type { Place } from '../program.ts';

/** A network between two hosts, in both directions alike. */
export interface LinkSpec {
  readonly name: string;
  readonly place: Place;
  readonly from: number;
  readonly to: number;
  readonly bytes_per_s: number;
  readonly latency_ns: number;
  /** Chance that a packet is lost and has to be sent again, in parts per million. */
  readonly loss_ppm: number;
}

export interface MigrationSpec {
  readonly name: string;
  readonly place: Place;
  /** The VM by the index of its first incarnation, the one that it leaves, and the one that it moves into. */
  readonly vm: number;
  readonly out_of: number;
  readonly into: number;
  readonly link: number;
  readonly mode: 'precopy' | 'postcopy';
  readonly max_downtime_ns: number;
  /** In percent; null for never. */
  readonly auto_converge: { readonly start: number; readonly step: number; readonly max: number } | null;
  readonly dirty_log: 'write_protect' | 'pml' | 'ring';
  /** The first round that is not sent, pre-copy giving way to post-copy; null for never. */
  readonly postcopy_from_round: number | null;
  readonly give_up_ns: number | null;
}
