/**
 * Every scenario is a test: each of its runs passes, or fails as it says, and breaks no law of the model; on the variants
 * that it names, and on all others that it makes sense on: `apflab run scenarios --paranoid --variants all` by parts.
 *
 * And the other way round: each is made to fail by a kernel that is wrong in a way that matters, or it would assert nothing.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome, Verdict } from '../../src/sim/outcome.ts';
import type { Program } from '../../src/sim/program.ts';
import type { Knobs } from '../../src/sim/protocol/knobs.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { otherRunsOf, runName, runsOf } from '../runs.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The scenarios of a folder of the repository, not of those in it; there are at least so many. */
export function scenariosIn(folder: string, least = 25): readonly string[] {
  const names = readdirSync(join(ROOT, folder)).filter(name => name.endsWith('.apf'));
  assert.ok(names.length >= least, `${names.length} scenarios in ${folder}`);
  return names.sort().map(name => `${folder}/${name}`);
}

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
/** Beyond its own variants, laws are checked where a run is short; the long ones differ from those in length. */
const SHORT_STEPS = 1500;

function run(program: Program, paranoid: boolean): Outcome {
  const simulation = createSimulation(program, { paranoid });
  simulation.runUntil(program.limit_ns, program.limit_steps);
  return simulation.outcome();
}

function complaint({ program, verdict, violations }: Outcome): string {
  const why = violations.map(({ property, line, actual }) => `  ${property}, line ${line}: ${actual}`);
  return [`${runName(program)}: ${verdict}`, ...why].join('\n');
}

const broken = (program: Program, knobs: Partial<Knobs>): Program => ({
  ...program,
  vms: program.vms.map(vm => ({ ...vm, knobs: { ...vm.knobs, ...knobs } })),
});

/** On the variants that each file names. */
export function testScenarios(files: readonly string[]): void {
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
}

/** On all others. */
export function testOnOtherVariants(files: readonly string[]): void {
  for (const file of files) {
    test(`${file} on all variants`, () => {
      const wrong: string[] = [];
      for (const program of otherRunsOf(file)) {
        const outcome = run(program, false);
        if (!ACCEPTED.includes(outcome.verdict)) wrong.push(complaint(outcome));
        if (outcome.steps < SHORT_STEPS) assert.is(run(program, true).trace_hash, outcome.trace_hash);
      }
      assert.is(wrong.join('\n'), '');
    });
  }
}
