/**
 * Every scenario is a test: each of its runs passes, or fails as it says, and breaks no law of the model.
 *
 * And the other way round: each is made to fail by a kernel that is wrong in a way that matters, or it would assert nothing.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome, Verdict } from '../src/sim/outcome.ts';
import type { Program } from '../src/sim/program.ts';
import type { Knobs } from '../src/sim/protocol/knobs.ts';
import { createSimulation } from '../src/sim/simulation.ts';
import { runName, runsOf } from './runs.ts';

const FOLDER = 'scenarios';
const files = readdirSync(join(import.meta.dirname, '..', FOLDER), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.apf'))
  .map(name => `${FOLDER}/${name}`)
  .sort();

/** Kernels that nobody should take for a correct one; each is wrong in one respect. */
const SABOTAGE: readonly Partial<Knobs>[] = [
  { resolve: 'wait' },
  { resolve: 'nowait', wake: 'none' },
  { notify: 'none' },
  { gate: [] },
  { lists: 'move' },
  { synthetic: 'shared_mp_state' },
  { completion_check: 'entry' },
  { double_fault: 'second_token' },
  { token: 'plain', dequeue: 'always' },
];

const ACCEPTED: readonly Verdict[] = ['pass', 'xfail'];

function run(program: Program, paranoid: boolean): Outcome {
  const simulation = createSimulation(program, { paranoid });
  simulation.runUntil(program.limit_ns, program.limit_steps);
  return simulation.outcome();
}

function complaint(outcome: Outcome): string {
  const why = outcome.violations.map(({ property, line, actual }) => `  ${property}, line ${line}: ${actual}`);
  return [`${runName(outcome.program)}: ${outcome.verdict}`, ...why].join('\n');
}

const broken = (program: Program, knobs: Partial<Knobs>): Program => ({
  ...program,
  vms: program.vms.map(vm => ({ ...vm, knobs: { ...vm.knobs, ...knobs } })),
});

for (const file of files) {
  test(`${file} holds`, () => {
    const wrong = runsOf(file)
      .map(program => run(program, true))
      .filter(({ verdict }) => !ACCEPTED.includes(verdict));
    assert.equal(wrong.map(complaint).join('\n'), '');
  });

  test(`${file} fails on a kernel that is wrong`, () => {
    const programs = runsOf(file);
    const noticed = SABOTAGE.some(knobs =>
      programs.some(program => !ACCEPTED.includes(run(broken(program, knobs), false).verdict)),
    );
    assert.ok(noticed, 'it passes whatever the kernel does');
  });
}

test('there are scenarios', () => {
  assert.ok(files.length >= 25, `${files.length} scenarios`);
});

test.run();
