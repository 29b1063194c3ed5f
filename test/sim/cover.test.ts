/** What a run is told to have reached: nothing changes for being told, and what is not reached does not matter. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files, read } from '../../scripts/imports.ts';
import { COVER_KINDS, Cover, mattersTo, reachable } from '../../src/sim/cover.ts';
import type { Outcome } from '../../src/sim/outcome.ts';
import type { Program } from '../../src/sim/program.ts';
import { mutationsOf } from '../../src/sim/protocol/mutations.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { runName, runsOf } from '../runs.ts';

const KNOWN = 'src/cli/reachable.json';
const ROOT = join(import.meta.dirname, '../..');
/** What a run has not done by then it does not do. */
const STEPS = 20_000;

/** Short, and of all kinds: gates, nesting, NMIs, clearing, a migration. */
const SAMPLE = [
  'scenarios/nested.apf',
  'scenarios/priorities.apf',
  'scenarios/tlb.apf',
  'scenarios/review/s03-gate.apf',
  'scenarios/review/s15-cancel-and-free.apf',
  'scenarios/bugs/b21-bit-unknown-to-older-host.apf',
];

function run(program: Program, cover: Cover | null = null): Outcome {
  const simulation = createSimulation(program, { cover });
  simulation.runUntil(program.limit_ns, program.limit_steps);
  return simulation.outcome();
}

const shown = ({ trace_hash, verdict, steps }: Outcome): string => `${trace_hash} ${verdict} ${steps}`;

function coverOf(program: Program): Cover {
  const cover = new Cover('steps');
  const simulation = createSimulation(program, { cover });
  simulation.runUntil(program.limit_ns, STEPS);
  simulation.outcome();
  return cover;
}

test('telling changes nothing', () => {
  for (const program of SAMPLE.flatMap(runsOf))
    assert.is(shown(run(program, new Cover())), shown(run(program)), runName(program));
});

test('a run is the same without what it never asked for', () => {
  let spared = 0;
  for (const program of SAMPLE.slice(0, 3).flatMap(runsOf)) {
    const cover = new Cover('nothing');
    const plain = shown(run(program, cover));
    for (const { name, knob, element, knobs } of mutationsOf(program.vms[0]!.knobs)) {
      if (mattersTo(cover, knob, element)) continue;
      const without = { ...program, vms: program.vms.map((vm, index) => (index === 0 ? { ...vm, knobs } : vm)) };
      assert.is(shown(run(without)), plain, `${runName(program)} without ${name}`);
      spared += 1;
    }
  }
  assert.ok(spared > 200, `${spared} runs spared`);
});

test('all that is reached is something that can be', () => {
  const known: { transitions: string[]; tracepoints: string[] } = JSON.parse(readFileSync(join(ROOT, KNOWN), 'utf8'));
  const there = reachable(known);
  for (const program of SAMPLE.flatMap(runsOf)) {
    const cover = new Cover();
    run(program, cover);
    for (const kind of COVER_KINDS) {
      const strange = [...cover.of(kind)].filter(name => !there[kind].includes(name));
      assert.equal(strange, [], `${runName(program)}: ${kind}. UPDATE=1 npm test -- sim/cover makes the list again`);
    }
  }
});

if (process.env.UPDATE) {
  test('which steps follow one another, and what is traced, is written down', () => {
    const transitions = new Set(
      files('scenarios/**/*.apf')
        .flatMap(runsOf)
        .flatMap(program => [...coverOf(program).of('transition')]),
    );
    const code = files('src/sim/**/*.ts').map(read).join('\n');
    const tracepoints = new Set([...code.matchAll(/\bTP\.(\w+)/g)].map(([, name = '']) => name));
    const known = { transitions: [...transitions].sort(), tracepoints: [...tracepoints].sort() };
    writeFileSync(join(ROOT, KNOWN), `${JSON.stringify(known, null, 2)}\n`);
  });
}

test.run();
