import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Paint, PLAIN } from '../../src/report/paint.ts';
import { text, totals } from '../../src/report/text.ts';
import { ALL, BROKEN_LAW, HOSTILE, INVALID, ran } from './entries.ts';

test('a run that passes is one line', () => {
  assert.is(
    text([ran('pass')], PLAIN),
    `scenarios/gate.apf
  pass          the gate  v6  20ms, 1234 events

1 run: 1 pass
`,
  );
});

test('a failure says where, when, what was expected, what was found and how to repeat it', () => {
  assert.is(
    text([ran('fail')], PLAIN),
    `scenarios/gate.apf
  fail          the gate  v6  20ms, 1234 events
    violated: no_halt at 1.204ms, step 812
      --> scenarios/gate.apf:17:3
    17 | expect no_halt: max_time(web.vcpu[0] is halted(synthetic)) == 0us
      expected max_time(web.vcpu[0] is halted(synthetic)) == 0us
      found    4.1us
    repeat: apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7

1 run: 1 fail
`,
  );
});

test('several variants give a matrix, several files stand apart', () => {
  assert.is(
    text([ran('pass'), ran('xpass', { variant: 'linux_6_12' }), INVALID], PLAIN),
    `scenarios/gate.apf
  pass          the gate  v6          20ms, 1234 events
  xpass         the gate  linux_6_12  20ms, 1234 events

            v6    linux_6_12
  the gate  pass  xpass

scenarios/broken.apf
  invalid       1 error

3 runs: 1 pass, 1 xpass, 1 invalid
`,
  );
});

test('what a case reports stands below the matrix, variants beside each other', () => {
  const report = (value: string) => ({ report: [{ title: 'p99(web.stall)', value }] });
  const entries = [ran('pass', {}, report('5ms')), ran('pass', { variant: 'sync' }, report('12.5ms'))];
  assert.match(text(entries, PLAIN), '  the gate\n                     v6    sync\n    p99(web.stall)  5ms  12.5ms\n');
});

test('an expected failure gives its reason, an undecided run its bound, a broken law its repeat', () => {
  const shown = text([ran('xfail'), ran('inconclusive', {}, { end: 'steps' }), BROKEN_LAW], PLAIN);
  assert.match(shown, 'expected: no_halt fails because the un-halt came later');
  assert.match(shown, 'undecided after 999 steps: limit steps');
  assert.match(shown, 'bug in apflab: does not hold: every page is in one place');
  assert.match(shown, 'repeat: apflab run scenarios/gate.apf --paranoid');
});

test('names cannot reach the terminal as anything but text', () => {
  const shown = text([ran('pass', { case_name: HOSTILE, variant: '\x1b]0;x\x07' })], PLAIN);
  assert.not.match(shown, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  assert.match(shown, '␛[2J');
});

test('columns count cells: wide characters take two', () => {
  const lines = text([ran('pass', { case_name: '非同期' }), ran('pass', { case_name: 'abcdef' })], PLAIN).split('\n');
  assert.match(lines[1] ?? '', '非同期  v6');
  assert.match(lines[2] ?? '', 'abcdef  v6');
});

test('colour says no more than the words do', () => {
  const tag = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const paint: Paint = { good: tag('g'), bad: tag('b'), warn: tag('w'), dim: tag('d'), strong: tag('s') };
  const coloured = text(ALL, paint);
  assert.match(coloured, '<g>pass</g>');
  assert.match(coloured, '<b>fail</b>');
  assert.is(coloured.replace(/<\/?[gbwds]>/g, ''), text(ALL, PLAIN));
});

test('the total counts every verdict', () => {
  assert.is(totals(ALL), '6 runs: 1 pass, 1 fail, 1 xfail, 2 inconclusive, 1 invalid\n');
});

test.run();
