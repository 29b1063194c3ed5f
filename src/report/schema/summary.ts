/** The published shape of `apflab show --report json`; docs/schema/summary.json is made from it. */
import { z } from 'zod';

const count = z.int().min(0);

const latency = z.strictObject({
  n: count,
  mean: z.number().nullable().describe('Microseconds, like all of these; null where n is 0'),
  p50: z.number().nullable().describe('The middle value, or the mean of the two in the middle'),
  p90: z.number().nullable().describe('The value at floor(0.9 (n - 1)) in ascending order'),
  min: z.number().nullable(),
  max: z.number().nullable(),
});

export const SUMMARY = z
  .strictObject({
    source: z.string().describe('As named on the command line'),
    events: z.record(z.string(), count).describe('Events by name, those that are not declared too'),
    lines: z.strictObject({
      total: count,
      parsed: count.describe('Declared events, remade from their fields'),
      kept_verbatim: count.describe('Events that are not declared, headings and loss markers'),
      damaged: count.describe('Neither: kept as they are'),
    }),
    vcpus: z
      .array(z.strictObject({ id: count, comm: z.string(), pid: count }))
      .describe('Threads that entered a guest, in the order of their first entry'),
    tokens: z.strictObject({
      not_present: count,
      ready: count.describe('Those for all tokens too'),
      completed: count,
      repeated: count.describe('Faults on a page that was already being fetched'),
      broadcast: count.describe('Ready for all tokens'),
      open_at_end: count,
    }),
    latency_us: z.strictObject({
      not_present_to_completed: latency,
      not_present_to_ready: latency,
      completed_to_ready: latency,
    }),
  })
  .describe('What a recording or a run contains');

export type Summary = z.infer<typeof SUMMARY>;
export type Latency = z.infer<typeof latency>;
