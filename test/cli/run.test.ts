/** `apflab run`: what it prints where, and how it ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RUN_REPORT } from '../../src/report/schema/run.ts';
import { EXPECTED, FAILS, INVALID, LONG, MATRIX, PASSES, SURPRISES, UNDECIDED } from './scenarios.ts';
import { inWorld, type World } from './world.ts';

const ALL = {
  'pass.apf': PASSES,
  'fail.apf': FAILS,
  'xfail.apf': EXPECTED,
  'xpass.apf': SURPRISES,
  'cut.apf': UNDECIDED,
  'wrong.apf': INVALID,
};

/** A test in a folder that holds these scenarios. */
function scene(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (world: World) => Promise<void>,
): void {
  test(name, () => inWorld(files, body));
}

scene('a run that passes: one line, exit code 0, nothing on stderr', ALL, async ({ apflab }) => {
  const { code, out, err } = await apflab(['run', 'pass.apf']);
  assert.is(code, 0);
  assert.match(out, /^pass\.apf\n {2}pass +a page comes back {2}linux_6_12 {2}\S+, \d+ events\n\n1 run: 1 pass\n$/);
  assert.is(err, '');
});

scene('each verdict has its exit code', ALL, async ({ apflab }) => {
  const codes = await Promise.all(Object.keys(ALL).map(async file => [file, (await apflab(['run', file])).code]));
  assert.equal(Object.fromEntries(codes), {
    'pass.apf': 0,
    'fail.apf': 1,
    'xfail.apf': 0,
    'xpass.apf': 1,
    'cut.apf': 3,
    'wrong.apf': 2,
  });
});

scene('of several the first of 5, 2, 1, 3, 0 counts', ALL, async ({ apflab }) => {
  const code = async (...files: readonly string[]) => (await apflab(['run', ...files])).code;
  assert.is(await code('pass.apf', 'cut.apf'), 3);
  assert.is(await code('cut.apf', 'fail.apf', 'pass.apf'), 1);
  assert.is(await code('fail.apf', 'wrong.apf', 'pass.apf'), 2);
  assert.is(await code('.'), 2);
});

scene('a failure says what to do next, and that repeats it', ALL, async ({ apflab }) => {
  const { out } = await apflab(['run', 'fail.apf']);
  assert.match(out, 'violated: quick');
  const [, command = ''] = /repeat: apflab (.+)/.exec(out) ?? [];
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const again = await apflab(words);
  assert.is(again.code, 1);
  assert.is(again.out, out);
});

scene('diagnostics go to stderr, all of them, with the place', ALL, async ({ apflab }) => {
  const { out, err } = await apflab(['run', 'wrong.apf']);
  assert.match(err, /error\[dimension\].*\n.*--> wrong\.apf:\d+:6/);
  assert.match(err, 'error[unknown-name]');
  assert.match(err, /^2 errors$/m);
  assert.match(out, /invalid +2 errors/);
});

scene('the same file, seed and version give the same bytes', ALL, async ({ apflab }) => {
  const argv = ['run', '.', '--trace', '-', '--format', 'jsonl', '--seed', '7'];
  assert.equal(await apflab(argv), await apflab(argv));
});

scene('with --trace - the trace has stdout and the verdicts go to stderr', ALL, async ({ apflab }) => {
  const { out, err } = await apflab(['run', 'pass.apf', '--trace', '-', '--format', 'trace-cmd']);
  assert.match(out, /^cpus=1\n/);
  assert.match(out, /kvm_async_pf_not_present: /);
  assert.match(err, /pass +a page comes back/);
  assert.not.match(out, 'pass.apf');
});

scene('every format of the trace has the same events', ALL, async ({ apflab }) => {
  const counts = ['ftrace', 'trace-cmd', 'perf', 'jsonl'].map(async format => {
    const { out } = await apflab(['run', 'pass.apf', '--trace', '-', '--format', format]);
    return out.split('\n').filter(line => /kvm_(?:entry|exit|async_pf)/.test(line)).length;
  });
  const [first, ...others] = await Promise.all(counts);
  assert.ok(first && first > 5);
  assert.equal(others, [first, first, first]);
});

scene('reports go where they are sent', ALL, async ({ apflab, folder }) => {
  const { out } = await apflab([
    'run',
    'pass.apf',
    'fail.apf',
    '--report',
    'pretty,json=r.json,junit=r.xml,tap=r.tap',
    '--report',
    'md=r.md,github=r.txt,pretty=p.txt',
  ]);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  assert.is(RUN_REPORT.parse(JSON.parse(read('r.json'))).results.length, 2);
  assert.match(read('r.xml'), '<testsuites tests="2" failures="1"');
  assert.match(read('r.tap'), 'not ok 2');
  assert.match(read('r.md'), '# apflab');
  assert.match(read('r.txt'), '::error file=fail.apf');
  assert.is(read('p.txt'), out);
});

scene('a report on stdout moves the verdicts to stderr', ALL, async ({ apflab }) => {
  const { out, err, code } = await apflab(['run', '.', '--report', 'json']);
  const { results } = RUN_REPORT.parse(JSON.parse(out));
  assert.equal(
    results.map(({ file, verdict }) => [file, verdict]),
    [
      ['cut.apf', 'inconclusive'],
      ['fail.apf', 'fail'],
      ['pass.apf', 'pass'],
      ['wrong.apf', 'invalid'],
      ['xfail.apf', 'xfail'],
      ['xpass.apf', 'xpass'],
    ],
  );
  assert.match(err, '6 runs: 1 pass, 1 fail, 1 xfail, 1 xpass, 1 inconclusive, 1 invalid');
  assert.is(code, 2);
});

scene('several variants are compared in a matrix; the grid is the JSON', { 'm.apf': MATRIX }, async ({ apflab }) => {
  const { out } = await apflab(['run', 'm.apf']);
  assert.match(out, /^ +v6 {4}linux_6_12$/m);
  assert.match(out, /^ {2}first \[chip=user, ints=blocked\] {3,}pass {2}pass$/m);
  assert.match(out, '10 runs: 10 pass');
  const json = RUN_REPORT.parse(JSON.parse((await apflab(['run', 'm.apf', '--report', 'json'])).out));
  assert.is(json.results.filter(({ variant }) => variant === 'v6').length, 5);
  assert.equal(json.results[0]?.params, { latency: '3ms', chip: 'kernel', ints: 'allowed' });
});

scene('runs are chosen by case, cell, variant and tag', { 'm.apf': MATRIX, 'p.apf': PASSES }, async ({ apflab }) => {
  const total = async (...argv: readonly string[]) =>
    (await apflab(['run', '.', ...argv])).out.trim().split('\n').at(-1);
  assert.is(await total(), '11 runs: 11 pass');
  assert.is(await total('--grep', 'second'), '2 runs: 2 pass');
  assert.is(await total('--set', 'chip=user', '--grep', 'first'), '4 runs: 4 pass');
  assert.is(
    await total('--set', 'chip=user', '--set', 'ints=blocked', '--variants', 'v7', '--grep', 'first'),
    '1 run: 1 pass',
  );
  assert.is(await total('--variants', 'v6,sync,v7', '--grep', 'second'), '3 runs: 3 pass');
  assert.is(await total('--tag', 'quick'), '1 run: 1 pass');
});

scene('what nobody knows is refused with a suggestion', { 'm.apf': MATRIX }, async ({ apflab }) => {
  const refused = async (...argv: readonly string[]) => {
    const { code, err, out } = await apflab(['run', 'm.apf', ...argv]);
    assert.is(code, 4);
    assert.is(out, '');
    return err;
  };
  assert.is(
    await refused('--variants', 'linux_6_13'),
    "apflab: no variant named 'linux_6_13'\nhelp: did you mean 'linux_6_1'?\n",
  );
  assert.match(await refused('--set', 'chp=user'), "did you mean 'chip'?");
  assert.match(await refused('--set', 'latency=3MiB'), 'apflab: --set latency=3MiB: expected a time, found a size');
  assert.is(
    await refused('--grep', 'third'),
    "apflab: nothing to run: no case matches\nhelp: cases: 'first', 'second'\n",
  );
  assert.match(await refused('--report', 'jsn'), "did you mean 'json'?");
});

const CASES = Array.from({ length: 20 }, (_, n) => `case "number ${n}" { expect x: true }`).join('\n');

scene('of many cases that do not match some are named', { 'm.apf': `${MATRIX}\n${CASES}` }, async ({ apflab }) => {
  const { err } = await apflab(['run', 'm.apf', '--grep', 'none of them']);
  assert.match(err, /help: cases: 'first', 'second', 'number 0', .*'number 9', and 10 more\n$/);
});

scene('two outputs cannot share a place, and none may hit the input', ALL, async ({ apflab }) => {
  const refused = async (...argv: readonly string[]) => {
    const { code, err } = await apflab(['run', 'pass.apf', ...argv]);
    assert.is(code, 4);
    return err.split('\n')[0];
  };
  assert.is(
    await refused('--trace', '-', '--report', 'json'),
    'apflab: --trace and --report json cannot both have standard output',
  );
  assert.is(
    await refused('--trace', 't', '--record', './t'),
    'apflab: --record would overwrite ./t, which is written by --trace',
  );
  assert.is(await refused('--trace', 'pass.apf'), 'apflab: --trace would overwrite pass.apf, which is an input');
  assert.is(await refused('--record', 'no/such/folder'), 'apflab: cannot write no/such/folder: no such file or folder');
});

scene('--bail stops at the first run that is not as wanted', ALL, async ({ apflab }) => {
  const { out, code } = await apflab(['run', 'pass.apf', 'fail.apf', 'xpass.apf', '--bail']);
  assert.is(code, 1);
  assert.match(out, '2 runs: 1 pass, 1 fail');
});

scene('an interrupt ends the run with 130 and leaves no report', { 'long.apf': LONG }, async ({ apflab, folder }) => {
  const onInterrupt = (interrupt: () => void) => {
    interrupt();
    return () => {};
  };
  const { code, err } = await apflab(['run', 'long.apf', '--report', 'json=r.json'], { onInterrupt });
  assert.is(code, 130);
  assert.match(err, 'interrupted: 0 of 1 runs are over');
  assert.is(readFileSync(join(folder, 'r.json'), 'utf8'), '');
});

scene('progress shows on a terminal only, and is gone at the end', { 'long.apf': LONG }, async ({ apflab }) => {
  // Every look at the clock is 100 ms later; at 3 s somebody presses Ctrl-C.
  let clock_ms = 0;
  let interrupted = () => {};
  const onInterrupt = (interrupt: () => void) => {
    interrupted = interrupt;
    return () => {};
  };
  const now_ms = () => {
    clock_ms += 100;
    if (clock_ms === 3000) interrupted();
    return clock_ms;
  };
  const quiet = await apflab(['run', 'long.apf'], { onInterrupt, now_ms });
  assert.is(quiet.err, 'interrupted: 0 of 1 runs are over\n');
  clock_ms = 0;
  const shown = await apflab(['run', 'long.apf'], { onInterrupt, now_ms, tty: { in: true, out: false, err: true } });
  assert.match(shown.err, /\r\x1b\[K0\/1 {2}\d+\.\d runs\/s, .* left {2}long\.apf: long on linux_6_12/);
  assert.match(shown.err, /\r\x1b\[Kinterrupted: 0 of 1 runs are over\n$/);
});

scene('standard input is a file like any other', {}, async ({ apflab }) => {
  const { code, out } = await apflab(['run', '-'], { stdin: () => Buffer.from(PASSES) });
  assert.is(code, 0);
  assert.match(out, /^-\n {2}pass/);
});

scene('a mistake of ours is exit code 5 and names the command', {}, async ({ apflab }) => {
  const stdin = () => {
    throw new TypeError('undefined is not a page');
  };
  const { code, err } = await apflab(['run', '-'], { stdin });
  assert.is(code, 5);
  assert.match(err, 'bug in apflab: TypeError: undefined is not a page');
  assert.match(err, 'repeat: apflab run -');
});

const NUL = new Uint8Array(1000).fill(0).map((_, index) => (index * 37) & 255);

scene(
  'files that are no scenarios',
  { 'empty.apf': '', 'binary.apf': NUL, 'dir/readme.txt': '', 'huge.apf': `# ${'x'.repeat(5 << 20)}` },
  async ({ apflab }) => {
    const said = async (path: string) => {
      const { code, err } = await apflab(['run', path]);
      return `${code} ${err.split('\n')[0]}`;
    };
    assert.is(await said('empty.apf'), '2 error[language]: the file does not say which language it is written in');
    assert.is(await said('binary.apf'), '2 error[unexpected-character]: this file is not text in UTF-8');
    assert.is(await said('dir'), '4 apflab: no .apf file in dir');
    assert.is(await said('none.apf'), '4 apflab: cannot read none.apf: no such file or folder');
    assert.is(await said('huge.apf'), '4 apflab: huge.apf has 6 MiB: no scenario is that long');
  },
);

test.run();
