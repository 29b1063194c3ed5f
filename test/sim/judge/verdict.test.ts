/** What results amount to, with what the file expects to fail. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conclude, repeatCommand } from '../../../src/sim/judge/verdict.ts';
import type { JudgementResult } from '../../../src/sim/outcome.ts';
import type { Expectation } from '../../../src/sim/program.ts';
import { createPlace } from './place.ts';
import { programWith } from './world.ts';

const result = (name: string, holds: JudgementResult['holds']): JudgementResult => ({
  name,
  kind: 'always',
  place: createPlace(name),
  holds,
  at_ns: holds === 'undecided' ? null : 5,
  step: holds === 'undecided' ? null : 2,
  expected: 'this',
  actual: 'that',
  message: `violated: ${name}`,
});
const expectFail = (of: string): Expectation => ({
  place: { ...createPlace('expect'), line: 33 },
  of,
  verdict: 'fail',
  because: 'of B06',
});
const verdict = (results: readonly JudgementResult[], ...expectations: Expectation[]) =>
  conclude(programWith({ expectations }), results, 100, 50);

test('verdicts', () => {
  const [a, b] = [result('a', 'yes'), result('b', 'no')];
  assert.is(verdict([a]).verdict, 'pass');
  assert.is(verdict([a, b]).verdict, 'fail');
  assert.is(verdict([a, b], expectFail('b')).verdict, 'xfail');
  assert.is(verdict([a, b], expectFail('a'), expectFail('b')).verdict, 'xpass');
  assert.is(verdict([a, b, result('c', 'no')], expectFail('b')).verdict, 'fail', 'that judgement and no other');
  assert.is(verdict([a, result('c', 'undecided')]).verdict, 'inconclusive');
  assert.is(verdict([b, result('c', 'undecided')], expectFail('b')).verdict, 'inconclusive');
  assert.is(verdict([b, result('c', 'undecided')]).verdict, 'fail');
  assert.is(verdict([a], { ...expectFail('a'), verdict: 'pass' }).verdict, 'pass');
  assert.is(verdict([b], { ...expectFail('b'), verdict: 'pass' }).verdict, 'fail');
});

test('violations are what nobody expected', () => {
  const { violations, expected_failures } = verdict(
    [result('a', 'yes'), result('b', 'no'), result('c', 'no')],
    expectFail('a'),
    expectFail('b'),
  );
  assert.equal(
    violations.map(each => [each.property, each.line, each.at_ns, each.step]),
    [
      ['c', 1, 5, 2],
      ['a', 33, 100, 50],
    ],
  );
  assert.is(
    violations[1]!.message,
    "not violated: always 'a' holds at the end, at 100ns, but is expected to fail because of B06",
  );
  assert.equal(
    expected_failures.map(each => [each.name, each.because]),
    [['b', 'of B06']],
  );
});

test('the command that repeats it survives a shell', () => {
  assert.is(
    repeatCommand(programWith({ case_name: "it's late", chosen: { set: { ram: '512 MiB' }, of_several: true } })),
    String.raw`apflab run judge.apf --grep 'it'\''s late' --variants linux_6_12 --seed 1 --set 'ram=512 MiB' --bail`,
  );
});

test.run();
