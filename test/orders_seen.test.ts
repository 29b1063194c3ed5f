/** Every order that was seen in recordings of real kernels is shown by a scenario: scripts/orders_seen.ts says by which. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, ok } from 'uvu/assert';
import { ORDERS_SEEN } from '../scripts/orders_seen.ts';
import { createSimulation } from '../src/sim/simulation.ts';
import { runsOf } from './runs.ts';

const README = join(import.meta.dirname, '../../shared/traces/README.md');
const RECORDED = ['linux_6_1', 'linux_6_12'];

const shown = ORDERS_SEEN.flatMap(order => order.shown);
const files = [...new Set(shown.map(({ file }) => file))];

for (const file of files) {
  test(`${file} shows what is said of it`, () => {
    const outcomes = new Map(
      runsOf(file)
        .filter(program => RECORDED.includes(program.variant))
        .map(program => {
          const simulation = createSimulation(program);
          simulation.runUntil(program.limit_ns);
          return [`${program.case_name} on ${program.variant}`, simulation.outcome().judgements] as const;
        }),
    );
    for (const { case_name, by } of shown.filter(each => each.file === file))
      for (const variant of RECORDED) {
        const judged = outcomes.get(`${case_name} on ${variant}`);
        ok(judged, `${case_name} runs on ${variant}`);
        const held = judged.filter(({ holds }) => holds === 'yes').map(({ name }) => name);
        equal(
          by.filter(name => !held.includes(name)),
          [],
          `${case_name} on ${variant}`,
        );
      }
  });
}

test('all that the README of the recordings lists is here', () => {
  if (!existsSync(README)) {
    console.log('skipped: the recordings are not here');
    return;
  }
  const text = readFileSync(README, 'utf8').replace(/\n {2}/g, ' ');
  const listed = text.slice(text.indexOf('## Orders seen')).split('\n- ').slice(1);
  ok(listed.length >= 12);
  const all = listed.join('\n');
  equal(
    ORDERS_SEEN.filter(({ seen }) => !all.includes(seen)).map(({ seen }) => seen),
    [],
    'said by the README in these words',
  );
  equal(
    listed.filter(line => !ORDERS_SEEN.some(({ seen }) => line.includes(seen))),
    [],
    'each line has at least one',
  );
});

test.run();
