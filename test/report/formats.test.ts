/** The reports for other programs: JUnit, TAP, Markdown, GitHub annotations. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { github } from '../../src/report/github.ts';
import { junit } from '../../src/report/junit.ts';
import { markdown } from '../../src/report/markdown.ts';
import { tap } from '../../src/report/tap.ts';
import { ALL, HOSTILE, INVALID, ran } from './entries.ts';

test('JUnit: a suite for each file, failures apart from errors', () => {
  assert.is(
    junit([ran('pass'), ran('fail', { variant: 'linux_6_12' }), INVALID]),
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="1">
  <testsuite name="scenarios/gate.apf" tests="2" failures="1" errors="0">
    <testcase classname="scenarios/gate.apf" name="the gate on v6" file="scenarios/gate.apf" line="12"/>
    <testcase classname="scenarios/gate.apf" name="the gate on linux_6_12" file="scenarios/gate.apf" line="12">
      <failure type="fail" message="no_halt: expected 0us, found 4.1us">no_halt: expected 0us, found 4.1us
repeat: apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7</failure>
    </testcase>
  </testsuite>
  <testsuite name="scenarios/broken.apf" tests="1" failures="0" errors="1">
    <testcase classname="scenarios/broken.apf" name="the file" file="scenarios/broken.apf" line="7">
      <error type="invalid" message="error[unknown-name]: no host named 'host-c'">error[unknown-name]: no host named 'host-c'</error>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});

test('JUnit: a name can neither close its attribute nor be a character that XML forbids', () => {
  const shown = junit([ran('pass', { case_name: HOSTILE })]);
  assert.match(shown, 'name="&lt;b&gt;&amp;&quot;|`x`, 100%: #␛[2J\ufffd::error:: on v6"');
  assert.not.match(shown, /[\x00-\x09\x0b-\x1f]/);
});

test('TAP: numbered, failures explained in YAML', () => {
  assert.is(
    tap([ran('xfail'), ran('fail'), INVALID]),
    `TAP version 14
1..3
ok 1 - scenarios/gate.apf: the gate on v6
not ok 2 - scenarios/gate.apf: the gate on v6
  ---
  verdict: fail
  at: "scenarios/gate.apf:17"
  reasons:
    - "no_halt: expected 0us, found 4.1us"
  repeat: "apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7"
  ...
not ok 3 - scenarios/broken.apf: the file
  ---
  verdict: invalid
  at: "scenarios/broken.apf:7"
  reasons:
    - "error[unknown-name]: no host named 'host-c'"
  ...
`,
  );
});

test('TAP: a name cannot become a directive', () => {
  assert.match(tap([ran('pass', { case_name: 'x # SKIP' })]), 'x \\# SKIP on v6');
});

test('Markdown: the matrix where variants compare, failures with the command to repeat them', () => {
  assert.is(
    markdown([ran('pass'), ran('fail', { variant: 'linux_6_12' })]),
    `# apflab

1 pass, 1 fail

## scenarios/gate.apf

| case | \`v6\` | \`linux_6_12\` |
| --- | --- | --- |
| the gate | pass | fail |

### fail: the gate on linux\\_6\\_12

- no\\_halt: expected 0us, found 4.1us

\`\`\`sh
apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7
\`\`\`
`,
  );
});

test('Markdown: a name is neither tag, nor cell, nor code', () => {
  const shown = markdown([ran('pass', { case_name: HOSTILE, variant: 'a|`b`' })]);
  assert.match(shown, "| &lt;b\\>&amp;\"\\|\\`x\\`, 100%: \\#␛\\[2J\ufffd::error:: | `a\\|'b'` | pass | 20ms |");
});

test('GitHub: annotations at the judgement, at the error, at the case', () => {
  assert.is(
    github(ALL),
    `::error file=scenarios/gate.apf,line=17,col=3,title=the gate on linux_6_12::no_halt: expected 0us, found 4.1us%0Arepeat: apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7
::warning file=scenarios/gate.apf,line=12,col=1,title=a longer name [chip=user%2C alloc=ok] on linux_6_12::undecided after 999 steps: limit steps
::error file=scenarios/broken.apf,line=7,col=12,title=unknown-name::no host named 'host-c'%0Ahelp: hosts here: host-a, host-b
::error file=scenarios/gate.apf,line=12,col=1,title=bug in apflab%3A the gate on v6::does not hold: every page is in one place%0Aapflab run scenarios/gate.apf --paranoid
`,
  );
});

test('GitHub: a name cannot begin another command', () => {
  const shown = github([ran('inconclusive', { case_name: `${HOSTILE}\n::error::` })]);
  assert.is(shown.split('\n').length, 2);
  assert.match(shown, 'title=<b>&"|`x`%2C 100%25%3A #␛[2J\ufffd%3A%3Aerror');
});

test.run();
