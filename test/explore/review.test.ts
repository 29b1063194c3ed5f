/** Six points of the review mail, each decided by every order, on every version that it makes sense on. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULTS, explore } from '../../src/explore/explore.ts';
import { runName, runsOf } from '../runs.ts';

const FOLDER = 'scenarios/review';
const files = readdirSync(join(import.meta.dirname, '../..', FOLDER)).filter(name => /^x\d+-.*\.apf$/.test(name));

/** A world that is small enough for every order to be tried in a moment; with more it should be made smaller. */
const STATES = 20_000;

test('there is one for each point', () => {
  assert.equal(
    files.sort().map(name => name.slice(0, 3)),
    ['x05', 'x07', 'x10', 'x16', 'x19', 'x22'],
  );
});

for (const name of files)
  test(`${name} is decided on each variant`, () => {
    const wrong: string[] = [];
    for (const program of runsOf(`${FOLDER}/${name}`)) {
      const { verdict, judgements, states } = explore(program, { ...DEFAULTS, states: STATES });
      if (verdict === 'pass' || verdict === 'xfail') continue;
      const open = judgements.filter(({ holds }) => holds !== 'yes').map(each => `${each.name} ${each.holds}`);
      wrong.push(`${runName(program)}: ${verdict} after ${states} states, ${open.join(', ')}`);
    }
    assert.is(wrong.join('\n'), '');
  });

test.run();
