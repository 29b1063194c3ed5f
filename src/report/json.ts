/**
 * The report for programs. Its shape is published as docs/schema/run.json and does not change without `version`.
 *
 * The schema module is not imported here: writing JSON needs no validator, and a test holds the two together.
 */
import { type Entry, verdictOf, violationsOf } from './result.ts';
import type { RunReport, RunResult } from './schema/run.ts';

export const RUN_REPORT_VERSION = 1;

export function runReport(entries: readonly Entry[]): RunReport {
  return { version: RUN_REPORT_VERSION, results: entries.map(resultOf) };
}

export function json(entries: readonly Entry[]): string {
  return jsonText(runReport(entries));
}

export function jsonText(report: object): string {
  return `${JSON.stringify(report, null, 2).replace(UNESCAPED, escaped)}\n`;
}

/** Controls and turners of text that JSON lets stand; written out, the value is the same and a terminal is safe. */
const UNESCAPED = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function resultOf(entry: Entry): RunResult {
  const { file, line, column, run, end } = entry;
  const outcome = end.kind === 'ran' ? end.outcome : null;
  return {
    file,
    line,
    column,
    case: run?.case_name ?? '',
    params: run?.params ?? {},
    seed: run?.seed ?? 0,
    variant: run?.variant ?? '',
    verdict: verdictOf(entry),
    violations: violationsOf(entry).map(({ property, line, at_ns, step, expected, actual, message, repeat }) => {
      return { property, line, at_ns, step, expected, actual, message, repeat };
    }),
    trace_hash: outcome?.trace_hash ?? '',
    events: outcome?.events ?? 0,
    sim_ns: outcome?.sim_ns ?? 0,
  };
}
