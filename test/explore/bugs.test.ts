/**
 * Bugs that KVM really had, found in scenarios that say nothing of the order in which things happen: each on the versions
 * that had it, by the judgement that is about it; and none on those in which it is repaired, whatever the order.
 */
import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULTS, type Exploration, explore } from '../../src/explore/explore.ts';
import type { Program } from '../../src/sim/program.ts';
import { runName, runsOf } from '../runs.ts';

const test = suite('bugs');
const FOLDER = 'scenarios/explore';
const FILES = readdirSync(FOLDER).filter(name => name.endsWith('.apf'));

/** The bound of the file is more than it takes, so that every verdict is one over all orders. */
function explored(program: Program): Exploration {
  return explore(program, { ...DEFAULTS, states: program.exploration?.states ?? null });
}

const said = ({ program, verdict, violations, stopped }: Exploration): string =>
  [`${runName(program)}: ${verdict}, ${stopped}`, ...violations.map(({ message }) => `  ${message}`)].join('\n');

for (const name of FILES)
  test(`${name} is found where it is, and nowhere else`, () => {
    const explorations = runsOf(`${FOLDER}/${name}`).map(explored);
    const wrong = explorations.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'xfail');
    assert.is(wrong.map(said).join('\n'), '');
    const clean = explorations.filter(({ verdict, stopped }) => verdict === 'pass' && stopped === null);
    assert.ok(clean.length > 0, 'exhausted on a repaired version');
    const broken = explorations.filter(({ verdict }) => verdict === 'xfail');
    assert.ok(broken.length > 0, 'found on a broken version');
    // Few actors take turns few times: in pieces of one actor each, a way there can be told.
    for (const { judgement, schedule } of broken.flatMap(({ counterexamples }) => counterexamples)) {
      const pieces = schedule.filter((move, index) => move !== schedule[index - 1]).length;
      assert.ok(pieces <= 25, `${judgement.name} takes ${pieces} pieces`);
    }
  });

test('every bug of an order has its scenario', () => {
  const numbers = ['b01', 'b06', 'b07', 'b09', 'b10', 'b20', 'b24', 'b25', 'b26', 'b27', 'b35'];
  assert.equal(
    numbers.filter(number => !FILES.some(name => name.startsWith(number))),
    [],
  );
});

test.run();
