/** What a judgement asks for, said without its name and its clauses. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgementText } from '../../../src/sim/judge/text.ts';
import type { Judgement } from '../../../src/sim/program.ts';

const TEXTS: readonly (readonly [kind: Judgement['kind'], written: string, said: string])[] = [
  ['expect', 'expect finished: done(a)', 'done(a)'],
  ['always', 'always honest: x unless variant is v6 because "y"', 'x'],
  ['never', 'never stuck: deadlock', 'never deadlock'],
  ['never', 'after fault(page(1)) never late: cpu is blocked', 'after fault(page(1)) never cpu is blocked'],
  ['always', 'after a or b always early: cpu is in_guest', 'after a or b always cpu is in_guest'],
];

for (const [kind, text, said] of TEXTS)
  test(text, () => {
    const place = { file: 'a.apf', line: 1, column: 1, text };
    assert.is(judgementText({ kind, place } as Judgement), said);
  });

test.run();
