/** The published shape of `apflab run --report json`; docs/schema/run.json is made from it. */
import { z } from 'zod';
import { VERDICTS } from '../result.ts';

const count = z.int().min(0);

const violation = z.strictObject({
  property: z.string().describe('The name of the judgement, or one made from its kind and line'),
  line: count.describe('Of the judgement'),
  at_ns: count.describe('Virtual time at which it was decided'),
  step: count.describe('Step of the run at which it was decided'),
  expected: z.string(),
  actual: z.string(),
  message: z.string(),
  repeat: z.string().describe('The one command that repeats the run'),
});

const result = z.strictObject({
  file: z.string().describe('As named on the command line'),
  line: count.describe('Of the case; of the first error where the scenario is invalid'),
  column: count,
  case: z.string(),
  params: z.record(z.string(), z.string()).describe('Parameters and the values of the matrix, as text'),
  seed: count,
  variant: z.string(),
  verdict: z.enum(VERDICTS),
  violations: z.array(violation),
  trace_hash: z
    .string()
    .regex(/^(?:[0-9a-f]{16})?$/)
    .describe('Over all tracepoints; empty where nothing ran'),
  events: count.describe('Tracepoints hit'),
  sim_ns: count.describe('Virtual time that passed'),
});

export const RUN_REPORT = z
  .strictObject({ version: z.literal(1), results: z.array(result) })
  .describe('One result for each file, case, matrix cell and variant');

export type RunResult = z.infer<typeof result>;
export type RunReport = z.infer<typeof RUN_REPORT>;
