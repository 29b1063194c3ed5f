/** The filter as typed, over numbered events: the filter language for declared events, names for all others. */
import type { TraceEvent } from '../trace/event.ts';
import type { Accepts } from './trace_window.ts';

export interface Filtered {
  readonly accepts: Accepts;
  readonly error: string | null;
}

export function acceptsOf(
  text: string,
  eventAt: (index: number) => TraceEvent | null,
  nameAt: (index: number) => string | null,
): Filtered {
  const wanted = text.trim();
  if (wanted === '') return { accepts: index => nameAt(index) !== null, error: null };
  return { accepts: index => (eventAt(index)?.name ?? nameAt(index) ?? '').includes(wanted), error: null };
}
