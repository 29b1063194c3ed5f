/**
 * Explorations for programs. The shape is published as docs/schema/explore.json and does not change without `version`.
 */
import type { Telling } from '../sim/tell.ts';
import { boundsOf, neverReached } from './explored.ts';
import { jsonText } from './json.ts';
import { type Entry, type Explored, reasonsOf, verdictOf, violationsOf } from './result.ts';
import type { ExploreReport, ExploreResult } from './schema/explore.ts';

export const EXPLORE_REPORT_VERSION = 1;

export function exploreReport(entries: readonly Entry[]): ExploreReport {
  return { version: EXPLORE_REPORT_VERSION, results: entries.map(resultOf) };
}

export function exploreJson(entries: readonly Entry[]): string {
  return jsonText(exploreReport(entries));
}

function resultOf(entry: Entry): ExploreResult {
  const { file, line, run, end } = entry;
  const explored = end.kind === 'explored' ? end : null;
  const failed = violationsOf(entry)[0] ?? null;
  const expected = explored?.exploration.expected_failures[0] ?? null;
  const property = failed?.property ?? expected?.name ?? null;
  return {
    file,
    line,
    case: run?.case_name ?? '',
    variant: run?.variant ?? '',
    verdict: verdictOf(entry),
    params: run?.params ?? {},
    seed: run?.seed ?? 0,
    property,
    message: failed?.message ?? expected?.result.message ?? reasonsOf(entry)[0] ?? '',
    ...(explored ? coverOf(explored, property) : NOTHING),
  };
}

type Cover = Omit<
  ExploreResult,
  'file' | 'line' | 'case' | 'variant' | 'verdict' | 'params' | 'seed' | 'property' | 'message'
>;

const NOTHING: Cover = {
  states: 0,
  transitions: 0,
  depth: 0,
  bounds: { depth: null, preemptions: null, states: null, memory_bytes: null, budgets: {}, fair: null },
  stopped: null,
  reductions: [],
  bytes_per_state: 0,
  collision_odds: 0,
  left_out: [],
  never_reached: [],
  counterexample: null,
};

function coverOf(explored: Explored, property: string | null): Cover {
  const { exploration, seconds } = explored;
  const { states, transitions, depth, stopped, reductions, bytes_per_state, collision_odds, left_out } = exploration;
  const found = explored.found.find(each => each.property === property);
  return {
    states,
    transitions,
    depth,
    bounds: boundsOf(explored),
    stopped,
    reductions: [...reductions],
    bytes_per_state,
    collision_odds,
    left_out: left_out.map(({ name }) => name),
    never_reached: neverReached(explored).map(({ name }) => name),
    counterexample: found ? sizeOf(found.telling, explored.repeat) : null,
    ...(seconds === null ? {} : { seconds }),
  };
}

function sizeOf(
  { steps, turns, context_switches }: Telling,
  repeat: string,
): NonNullable<ExploreResult['counterexample']> {
  return { steps, shown_steps: turns.length, context_switches, repeat };
}
