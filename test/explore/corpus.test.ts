/** The scenarios that stand here to be explored: whatever is left out of their exploration, the verdict is the same. */
import { globSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULTS, explore, refusalOf } from '../../src/explore/explore.ts';
import type { Program } from '../../src/sim/program.ts';
import { runName, runsOf } from '../runs.ts';
import { said } from './small.ts';

const FILES = ['scenarios/explore/*.apf', 'scenarios/guards/*.apf', 'litmus/*.apf']
  .flatMap(each => globSync(each))
  .sort();
/** What is larger takes minutes to go through whole. */
const MOST_STATES = 6000;

const compared: string[] = [];

/** Null where it is too large to be gone through in every order. */
function verdict(program: Program, reductions: readonly ('order' | 'identity' | 'symmetry')[], states: number | null) {
  const found = explore(program, { ...DEFAULTS, all: true, states, reductions: new Set(reductions) });
  return found.stopped?.endsWith('states') ? null : said(found);
}

for (const file of FILES)
  test(file, () => {
    // The first of its variants that can be explored, and the last: what holds on one is often broken on the other.
    const explorable = runsOf(file).filter(program => refusalOf(program) === null);
    for (const program of new Set([explorable.at(0), explorable.at(-1)])) {
      const plain = program && verdict(program, [], MOST_STATES);
      if (!plain) continue;
      compared.push(file);
      for (const reductions of [['order'], ['order', 'identity', 'symmetry']] as const)
        assert.is(verdict(program, reductions, null), plain, `${runName(program)}, ${reductions.join(' and ')}`);
    }
  });

test('most of them are small enough to be compared', () => {
  assert.ok(new Set(compared).size > FILES.length / 2, `${new Set(compared).size} of ${FILES.length}`);
});

test.run();
