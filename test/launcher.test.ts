/** What bin/apflab.js keeps between starts: the code of what ran, and nothing that could change what a run prints. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { inFolder, PROGRAM, run } from './apflab.ts';

const ARGS = [PROGRAM, 'run', '--trace', '-', 'scenarios/demo.apf'];

async function demo(folder: string, env: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(process.execPath, ARGS, {
    env: { NODE_COMPILE_CACHE: folder, NODE_DISABLE_COMPILE_CACHE: undefined, ...env },
  });
  is(code, 0, stderr);
  return stdout + stderr;
}

/** Paths of what was kept. */
function kept(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter(file => /\.cjs\.run$/.test(file)).map(file => join(folder, file));
}

test('a second start takes the code that the first has kept, and prints the same', () =>
  inFolder(async folder => {
    const first = await demo(folder);
    const code = kept(folder);
    ok(code.some(path => path.includes('laboratory')));
    const before = code.map(path => readFileSync(path));
    is(await demo(folder), first);
    equal(kept(folder), code);
    equal(
      code.map(path => readFileSync(path)),
      before,
      'accepted, so not written again',
    );
  }));

test('code that is cut off or of another program is not used, and is replaced', () =>
  inFolder(async folder => {
    const first = await demo(folder);
    const [one = '', ...rest] = kept(folder);
    const whole = readFileSync(one).length;
    truncateSync(one, 1000);
    for (const path of rest) writeFileSync(path, 'nothing of the sort');
    is(await demo(folder), first);
    is(readFileSync(one).length, whole);
  }));

test('a run for which V8 was told to inline more leaves what is kept as it is', () =>
  inFolder(async folder => {
    const large = join(folder, 'large.apf');
    const demo_text = readFileSync('scenarios/demo.apf', 'utf8');
    writeFileSync(large, demo_text.replace('ram 256KiB;', 'ram 2GiB;'));
    const env = { NODE_COMPILE_CACHE: folder, NODE_DISABLE_COMPILE_CACHE: undefined };
    const run_large = () => run(process.execPath, [PROGRAM, 'run', large], { env });
    is((await run_large()).code, 0);
    equal(kept(folder), [], 'V8 would refuse it at the next start');
    const first = await demo(folder);
    const before = kept(folder).map(path => readFileSync(path));
    is((await run_large()).code, 0);
    is(await demo(folder), first);
    equal(
      kept(folder).map(path => readFileSync(path)),
      before,
    );
  }));

test('nothing is kept where the user wants nothing kept, or where it cannot be', () =>
  inFolder(async folder => {
    const first = await demo(folder, { NODE_DISABLE_COMPILE_CACHE: '1' });
    equal(kept(folder), []);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    is(await demo(join(file, 'cache')), first);
  }));

test.run();
