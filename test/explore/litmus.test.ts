/** Final states of races: the counts, and that what a reduction leaves out changes none. */
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { DEFAULTS, type ReductionName } from '../../src/explore/explore.ts';
import { litmus } from '../../src/explore/litmus.ts';
import type { Program } from '../../src/sim/program.ts';
import { faults, programOf } from './small.ts';

const test = suite('litmus');

function counted(program: Program, reductions: readonly ReductionName[]): string {
  const { outcomes, final, other, stopped } = litmus(program, { ...DEFAULTS, reductions: new Set(reductions) });
  assert.is(stopped, null);
  return [
    ...outcomes.map(({ name, positive, negative }) => `${name} ${positive}:${negative}`),
    `${other} of ${final}`,
  ].join();
}

test('a state counts for each outcome that it is', () => {
  const text = faults(
    'task a on vcpu[0] user { read page(1); done }',
    'outcome resumed: done(a)\noutcome asleep: t.vcpu[0] is blocked\noutcome never: not done(a)',
  );
  assert.is(counted(programOf(text, 'linux_2_6_39'), ['order', 'identity']), 'resumed 1:0,asleep 1:0,never 0:1,0 of 1');
});

for (const name of readdirSync('litmus')) {
  const { suite: compiled } = compile(
    { path: `litmus/${name}`, text: readFileSync(`litmus/${name}`, 'utf8') },
    () => null,
  );
  const [first] = compiled?.cases ?? [];
  for (const variant of first?.variants.slice(0, 2) ?? [])
    test(`${name} on ${variant} ends in the same ways without reductions`, () => {
      const [cell] = first?.cells ?? [];
      const program = cell ? first?.lower(cell, variant).program : null;
      if (!program) throw new Error(`${name} does not lower`);
      assert.ok((program.outcomes ?? []).length >= 3);
      assert.is(counted(program, ['order', 'identity']), counted(program, ['identity']));
    });
}

test.run();
