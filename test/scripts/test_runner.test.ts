/** The runner sees what uvu does not: files without tests, crashes, hangs, open handles. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, match, not } from 'uvu/assert';
import { inFolder, run } from '../apflab.ts';

const DATA = 'test/data/runner';

function runner(...args: readonly string[]) {
  return run(process.execPath, ['scripts/test.ts', ...args]);
}

/** The lines that tell, without times. */
async function check(file: string, expected: string): Promise<void> {
  const { code, stdout } = await runner(`${DATA}/${file}`, '--deadline', '5');
  const telling = stdout.split('\n').filter(line => /^(?:ok {2}|FAIL)|^ +(?:failed|repeat):|passed/.test(line));
  const text = telling.map(line => line.trim().replace(/, \d+ ms$/, '')).join('\n');
  equal(text, expected.trim().replace(/^ +/gm, ''));
  is(code, expected.includes('FAIL') ? 1 : 0);
}

test('a file that passes, with JSX in it', () =>
  check(
    'passes.tsx',
    `
    ok   test/data/runner/passes.tsx  2 of 2
    2 passed, 0 failed`,
  ));

test('a failed test is named, with the command that repeats it', () =>
  check(
    'fails.ts',
    `
    FAIL test/data/runner/fails.ts  1 of 2
    failed: sums: wrong <&>: Expected values to be strictly equal:
    repeat: npm test -- test/data/runner/fails.ts
    1 passed, 1 failed`,
  ));

test('a file without .run() fails', () =>
  check(
    'no_run.ts',
    `
    FAIL test/data/runner/no_run.ts  0 of 1
    failed: the file: has no test; is .run() missing?
    repeat: npm test -- test/data/runner/no_run.ts
    0 passed, 1 failed`,
  ));

test('a crash fails the test that was running', () =>
  check(
    'crashes.ts',
    `
    FAIL test/data/runner/crashes.ts  0 of 1
    failed: ends the process: ended with 7
    repeat: npm test -- test/data/runner/crashes.ts
    0 passed, 1 failed`,
  ));

test('a hang fails the test that was running', () =>
  check(
    'hangs.ts',
    `
    FAIL test/data/runner/hangs.ts  1 of 2
    failed: waits for ever: still running after 5 s
    repeat: npm test -- test/data/runner/hangs.ts
    1 passed, 1 failed`,
  ));

test('an open handle fails the file', () =>
  check(
    'open_handle.ts',
    `
    FAIL test/data/runner/open_handle.ts  1 of 2
    failed: the file: still running after 5 s, all tests done
    repeat: npm test -- test/data/runner/open_handle.ts
    1 passed, 1 failed`,
  ));

test('JUnit tells the same', () =>
  inFolder(async folder => {
    const file = join(folder, 'out.xml');
    await runner(`${DATA}/fails.ts`, `${DATA}/passes.tsx`, '--junit', file);
    const xml = readFileSync(file, 'utf8');
    equal(xml.match(/<testcase /g)?.length, 4);
    match(xml, /name="sums: wrong &lt;&amp;&gt;"[^>]*><failure message="Expected values to be strictly equal:"\/>/);
    not.match(xml, '\u001b');
  }));

test('shards are disjoint and together are everything', async () => {
  const list = async (shard: string): Promise<readonly string[]> => {
    const { stdout } = await runner(`${DATA}/passes.tsx`, `${DATA}/fails.ts`, '--shard', shard);
    return [...stdout.matchAll(/^(?:ok {2}|FAIL) (\S+)/gm)].map(([, file = '']) => file);
  };
  const both = [...(await list('1/2')), ...(await list('2/2'))];
  equal(both.toSorted(), [`${DATA}/fails.ts`, `${DATA}/passes.tsx`]);
});

test('what it does not understand is exit code 4', async () => {
  is((await runner('no/such/file')).code, 4);
  is((await runner('--shard', '3/2')).code, 4);
  is((await runner('--no-such-option')).code, 4);
  match((await runner('--help')).stdout, '--watch');
});

test.run();
