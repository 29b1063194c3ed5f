/**
 * One event, as a value: what the filters, the reporters and the monitor see, whether a model or a kernel made it.
 *
 * Recordings keep events in columns (recording.ts); this is the window on one row of them. An argument is undefined
 * where the text it was read from does not say: `trace-cmd report` prints no vcpu number in kvm_exit.
 */
import { type FieldsOf, type TracepointName, tracepoints } from './all.ts';

/** Numbers above 2^53 are bigint. */
export type Value = number | bigint | string | undefined;

export interface TraceEvent<N extends TracepointName = TracepointName> {
  readonly time_ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
  /** The latency flags of ftrace, `d..1.`; empty where the format has none. */
  readonly flags: string;
  readonly name: N;
  /** In the order of the fields of the tracepoint. */
  readonly args: readonly Value[];
  /** Which of several hosts, in recordings of more than one. */
  readonly host: string;
}

/** The value of a field, by its name. */
export function field<N extends TracepointName>(event: TraceEvent<N>, name: FieldsOf<N>): Value {
  return event.args[fieldNames(event.name).indexOf(name)];
}

/** Narrow an event to one tracepoint: `if (is(event, 'kvm_entry')) field(event, 'rip')`. */
export function is<N extends TracepointName>(event: TraceEvent, name: N): event is TraceEvent<N> {
  return event.name === name;
}

/** The field names of a tracepoint, in order. */
export function fieldNames(name: TracepointName): readonly string[] {
  return FIELD_NAMES.get(name) ?? [];
}

const FIELD_NAMES: ReadonlyMap<TracepointName, readonly string[]> = new Map(
  tracepoints.map(({ name, tracepoint }) => [name, tracepoint.fields.map(declared => declared.slice(declared.indexOf(' ') + 1))]),
);
