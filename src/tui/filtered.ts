/** The filter as typed, over numbered events: the language of trace/filter.ts; events nobody declared have only a name. */
import type { TraceEvent } from '../trace/event.ts';
import { filterOf } from '../trace/filter.ts';
import type { Accepts } from './trace_window.ts';

export interface Filtered {
  readonly accepts: Accepts;
  /** What is wrong with the filter; it lets nothing through then. */
  readonly error: string | null;
}

/** Where the numbers of a filter lead. */
export interface Numbered {
  event(number: number): TraceEvent | null;
  /** Name of an event that is not declared; null where the line is no event. */
  name(number: number): string | null;
  /** The vCPU whose thread this is, if it is one. */
  vcpu(event: TraceEvent): number | undefined;
}

export function filtered(text: string, { event: eventAt, name: nameAt, vcpu: vcpuOf }: Numbered): Filtered {
  if (text.trim() === '')
    return { accepts: number => eventAt(number) !== null || nameAt(number) !== null, error: null };
  const found = filterOf(text);
  if ('error' in found) return { accepts: () => false, error: `${found.error.message} (column ${found.error.column})` };
  const { accepts } = found.filter;
  return {
    accepts(number) {
      const event = eventAt(number);
      if (event) return accepts(event, vcpuOf(event));
      return nameAt(number)?.includes(text.trim()) ?? false;
    },
    error: null,
  };
}
