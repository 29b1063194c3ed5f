/** The published shape of `npm run bench -- --json`; docs/schema/bench.json is made from it. */
import { z } from 'zod';

export const BENCH = z
  .array(
    z.strictObject({
      name: z.string(),
      value: z.number().describe('The median of the rounds'),
      unit: z.string(),
      yardstick: z
        .number()
        .nullable()
        .describe('The median of the yardstick in the same unit, measured in turn with the value, or the limit set'),
      ratio: z.number().nullable().describe('The value divided by the yardstick, median of the rounds'),
    }),
  )
  .describe('What the benchmarks came to; CPU time throughout');

export type Figure = z.infer<typeof BENCH>[number];
