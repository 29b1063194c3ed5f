/** An exploration as it stands, to be gone on with by another process. */
import { assert } from '../base/assert.ts';
import type { Tally } from './explorer.ts';
import type { Findings } from './notes.ts';

export interface Checkpoint {
  readonly progress: Standing | Paces;
  /** Facts about steps, states, levels, moves: whatever is large, one behind the other. */
  readonly parts: readonly Uint8Array<ArrayBufferLike>[];
}

/** Where a search stands, between two states. */
export interface Standing {
  readonly kind: 'search';
  /** Whether vCPUs could change places: where they were told apart after all, it was begun again without that. */
  readonly symmetric: boolean;
  readonly rounds: number;
  /** Facts that were known when the round began, and states when the last was learned. */
  readonly learned: number;
  readonly known: number;
  readonly depth: number;
  readonly next_level: number;
  readonly tally: Tally;
  readonly findings: Findings;
  /** A bound that has kept it from something. */
  readonly bounded: string | null;
  /** How many of the parts belong to what, in this order. */
  readonly parts: readonly number[];
}

/** How many paths were gone, all up to the next one, and what they came to. */
export interface Paces {
  readonly kind: 'paths';
  readonly walks: number;
  readonly steps: number;
  readonly quiescent: number;
  /** Steps of the longest, and how long the next one is thought to be. */
  readonly longest: number;
  readonly length: number;
  readonly findings: Findings;
}

/** A checkpoint that was read. */
export interface Resumed<Progress = Standing | Paces> {
  readonly progress: Progress;
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** One of that kind: who reads it has seen that it is of the same options. */
export function resumedOf<Kind extends (Standing | Paces)['kind']>(
  resumed: Resumed | null,
  kind: Kind,
): Resumed<Extract<Standing | Paces, { readonly kind: Kind }>> | null {
  if (resumed === null) return null;
  const { progress, parts } = resumed;
  assert(isOf(progress, kind), `checkpoint: of a ${kind}`);
  return { progress, parts };
}

function isOf<Kind extends (Standing | Paces)['kind']>(
  progress: Standing | Paces,
  kind: Kind,
): progress is Extract<Standing | Paces, { readonly kind: Kind }> {
  return progress.kind === kind;
}

/** Who keeps checkpoints: asked now and then whether it is time for one. */
export interface Keeper {
  due(): boolean;
  keep(checkpoint: Checkpoint): void;
}

/** The parts, by what they belong to. */
export function grouped({ progress, parts }: Resumed<Standing>): readonly (readonly Uint8Array<ArrayBuffer>[])[] {
  let at = 0;
  return progress.parts.map(count => {
    at += count;
    return parts.slice(at - count, at);
  });
}

export function factsAsBytes(facts: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Float64Array.from(facts).buffer);
}

export function factsOf(bytes: Uint8Array<ArrayBuffer> | undefined): readonly number[] {
  return bytes ? [...new Float64Array(bytes.slice().buffer)] : [];
}
