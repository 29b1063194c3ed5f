/**
 * Every scenario on every variant that it makes sense on: what fails is what its file expects, by name, and no law breaks.
 *
 * `apflab run scenarios --paranoid --variants all` by parts: the variants that the files name themselves are in
 * scenarios.test.ts. Laws are checked where a run is short; the long ones differ from those in length.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome } from '../src/sim/outcome.ts';
import type { Program } from '../src/sim/program.ts';
import { createSimulation } from '../src/sim/simulation.ts';
import { otherRunsOf, runName } from './runs.ts';

const FOLDER = 'scenarios';
const SHORT_STEPS = 1500;

const files = readdirSync(join(import.meta.dirname, '..', FOLDER), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.apf'))
  .map(name => `${FOLDER}/${name}`)
  .sort();

function run(program: Program, paranoid: boolean): Outcome {
  const simulation = createSimulation(program, { paranoid });
  simulation.runUntil(program.limit_ns, program.limit_steps);
  return simulation.outcome();
}

function complaint({ program, verdict, violations }: Outcome): string {
  const why = violations.map(({ property, line, actual }) => `  ${property}, line ${line}: ${actual}`);
  return [`${runName(program)}: ${verdict}`, ...why].join('\n');
}

for (const file of files) {
  test(`${file} on all variants`, () => {
    const wrong: string[] = [];
    for (const program of otherRunsOf(file)) {
      const outcome = run(program, false);
      if (outcome.verdict !== 'pass' && outcome.verdict !== 'xfail') wrong.push(complaint(outcome));
      if (outcome.steps < SHORT_STEPS) assert.is(run(program, true).trace_hash, outcome.trace_hash);
    }
    assert.is(wrong.join('\n'), '');
  });
}

test.run();
