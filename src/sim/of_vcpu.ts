/**
 * What never changes about a vCPU, on its row: every step asks for some of it, and an array beside the rows would be
 * one more look-up each time.
 */
import type { Costs } from './cost.ts';
import { WALKS } from './guest/walks.ts';
import type { Places } from './places.ts';
import type { Program } from './program.ts';
import { guardBits } from './protocol/guards.ts';
import type { Knobs } from './protocol/knobs.ts';

export interface OfVcpu {
  /** The row of its VM. */
  readonly vm: number;
  readonly knobs: Knobs;
  /** Bits of protocol/guards.ts. */
  readonly guards: number;
  /** What an access has to look at besides the TDP tables: WALKS of guest/walks.ts. */
  readonly walks: number;
  /** What its host charges. */
  readonly charge_ns: Costs['charge_ns'];
}

export function ofVcpu(program: Program, places: Places, costs: readonly Costs[], id: number): OfVcpu {
  const { vm, host } = places.vcpus[id]!;
  const { knobs, paging } = program.vms[vm]!;
  const { spaces, nested_tables } = places.vms[vm]!;
  const alone = nested_tables ? WALKS.nested : WALKS.none;
  const walks = paging === 'shadow' ? WALKS.shadow : WALKS.two_dimensional;
  return {
    vm,
    knobs,
    guards: guardBits(knobs.guards),
    walks: spaces === 0 ? alone : walks,
    charge_ns: costs[host]!.charge_ns,
  };
}
