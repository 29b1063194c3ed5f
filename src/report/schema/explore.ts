/** The published shape of `apflab explore --report json`; docs/schema/explore.json is made from it. */
import { z } from 'zod';
import { VERDICTS } from '../result.ts';

const count = z.int().min(0);
const bound = count.nullable().describe('null: none');

const counterexample = z.strictObject({
  steps: count.describe('Atomic steps from the start to the one that breaks the property, after shrinking'),
  shown_steps: count.describe('The same told: runs of steps of one actor that somebody can tell from nothing'),
  context_switches: count.describe('How often another actor goes on'),
  repeat: z.string().describe('The one command that finds it again'),
});

const result = z.strictObject({
  file: z.string().describe('As named on the command line'),
  line: count.describe('Of the case; of the first error where the scenario is invalid'),
  case: z.string(),
  variant: z.string(),
  verdict: z.enum(VERDICTS),
  params: z.record(z.string(), z.string()).describe('Parameters and the values of the matrix, as text'),
  seed: count,
  property: z.string().nullable().describe('The first judgement that is not as the file says; null where all are'),
  message: z.string().describe('What was expected of it and what was found, or why nothing is known'),
  states: count.describe('That were told apart'),
  transitions: count,
  depth: count.describe('Transitions on the longest path from the start'),
  bounds: z.strictObject({
    depth: bound,
    preemptions: bound,
    states: bound,
    memory_bytes: bound,
    budgets: z.record(z.string(), count).describe('How often may happen what nobody has to let happen'),
    fair: z.array(z.string()).nullable().describe('Who gets a turn some time, where the file says so'),
  }),
  stopped: z.string().nullable().describe('Why not everything was seen; null where everything was'),
  reductions: z.array(z.string()),
  bytes_per_state: z.number().min(0),
  collision_odds: z.number().min(0).describe('That two states were taken for one; 0 for an exact search'),
  left_out: z.array(z.string()).describe('Judgements that only a clock decides'),
  never_reached: z.array(z.string()).describe('Judgements of kind sometimes that no order met'),
  counterexample: counterexample.nullable().describe('Of that property'),
  seconds: z.number().min(0).optional().describe('On the clock on the wall; with --timing only'),
});

export const EXPLORE_REPORT = z
  .strictObject({ version: z.literal(1), results: z.array(result) })
  .describe('One result for each file, case, matrix cell and variant');

export type ExploreResult = z.infer<typeof result>;
export type ExploreReport = z.infer<typeof EXPLORE_REPORT>;
