/**
 * The test runner around uvu: one process per file, several at once.
 *
 * uvu alone has no time limit, waits for ever on an open handle, and takes a file that forgot `.run()` for a success.
 * Here such a file fails, and every failure ends with the one command that repeats it.
 */
import { existsSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitWith, scriptArgs } from './args.ts';
import { build, isStale } from './build.ts';
import { files, ROOT, reachedFrom } from './imports.ts';
import { type FileResult, failures, runFile } from './test_file.ts';
import { junit } from './test_junit.ts';

const USAGE = `npm test -- [FILE or PART OF A PATH]... [options]

Runs the files named, and the test files whose path contains one of the parts; without any, all test files.
  --jobs N        files at once (default: ${availableParallelism()}, the processors here)
  --deadline S    seconds after which a file counts as hung (default: 300)
  --shard I/N     only every N-th file, beginning with the I-th
  --junit FILE    write the results as JUnit XML
  --watch         run again what a saved file concerns
UPDATE=1 in the environment rewrites what tests expect.`;

function show(result: FileResult): void {
  const failed = failures(result);
  const passed = result.cases.length - failed.length;
  const skipped = result.output.split('\n').filter(line => line.startsWith('skipped'));
  console.log(
    `${failed.length > 0 ? 'FAIL' : 'ok  '} ${result.file}  ${passed} of ${result.cases.length}, ${result.ms} ms`,
  );
  for (const line of skipped) console.log(`     ${line}`);
  if (failed.length === 0) return;
  console.log(result.output.trimEnd().replace(/^/gm, '     '));
  for (const { name, error } of failed) console.log(`     failed: ${name}: ${error}`);
  console.log(`     repeat: npm test -- ${result.file}`);
}

async function runAll(selected: readonly string[], jobs: number, deadline_s: number): Promise<readonly FileResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'apflab-test-'));
  const waiting = [...selected];
  const results: FileResult[] = [];
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, deadline_s, folder);
      results.push(result);
      show(result);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, lane));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

function summary(results: readonly FileResult[]): number {
  const cases = results.flatMap(result => result.cases);
  const failed = results.flatMap(failures).length;
  for (const result of results) {
    for (const { name } of failures(result)) console.log(`failed: ${result.file}: ${name}`);
  }
  console.log(`${cases.length - failed} passed, ${failed} failed`);
  return failed;
}

/** Tests of the whole product come first: they take longest, and the short ones fill the gaps. */
function selection(parts: readonly string[], shard: string | undefined): readonly string[] {
  const all = files('test/**/*.test.{ts,tsx}');
  const depth = (file: string): number => Math.min(file.split('/').length, 3);
  const named = parts.filter(part => /\.tsx?$/.test(part) && existsSync(join(ROOT, part)));
  const matching = all.filter(file => parts.length === 0 || parts.some(part => file.includes(part)));
  const wanted = [...new Set([...matching, ...named])].toSorted((a, b) => depth(a) - depth(b));
  if (shard === undefined) return wanted;
  const [index = 0, count = 0] = shard.split('/').map(Number);
  if (!(index >= 1 && index <= count)) exitWith(4, `--shard ${shard}: expected I/N with I from 1 to N, such as 1/4`);
  return wanted.filter((_, at) => at % count === index - 1);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return value > 0 ? value : exitWith(4, `--${name} ${text}: expected a number above 0`);
}

/** Some tests start the program as a user would: for them the bundle is made once, before any of them runs. */
async function buildFor(selected: readonly string[]): Promise<void> {
  if (!selected.some(file => reachedFrom([file]).has('test/apflab.ts')) || !isStale()) return;
  try {
    await build();
  } catch {
    console.error('the bundle could not be built; tests that start the program use what there was before, or fail');
  }
}

async function watchAndRun(select: () => readonly string[], jobs: number, deadline_s: number): Promise<void> {
  const changed = new Set<string>();
  let wake = (): void => {};
  for (const folder of ['src', 'test', 'scenarios', 'std', 'scripts'].filter(name => existsSync(join(ROOT, name)))) {
    watch(join(ROOT, folder), { recursive: true }, (_event, name) => {
      changed.add(`${folder}/${name ?? ''}`.replaceAll('\\', '/'));
      wake();
    });
  }
  for (;;) {
    if (changed.size === 0) await new Promise<void>(resolve => (wake = resolve));
    await new Promise(resolve => setTimeout(resolve, 100)); // Editors save in several steps.
    const saved = [...changed];
    changed.clear();
    // A scenario or a data file concerns whoever reads it, which imports do not tell: then run all.
    const known = saved.every(name => /\.tsx?$/.test(name));
    const concerned = select().filter(file => !known || saved.some(name => reachedFrom([file]).has(name)));
    if (concerned.length === 0) continue;
    console.log(`\n${saved.join(', ')} changed`);
    await buildFor(concerned);
    summary(await runAll(concerned, jobs, deadline_s));
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const { values, positionals } = scriptArgs(USAGE, {
  jobs: { type: 'string', default: String(availableParallelism()) },
  deadline: { type: 'string', default: '300' },
  shard: { type: 'string' },
  junit: { type: 'string' },
  watch: { type: 'boolean', default: false },
});
const jobs = positive('jobs', values.jobs);
const deadline_s = positive('deadline', values.deadline);
const select = (): readonly string[] => selection(positionals, values.shard);
const selected = select();
if (selected.length === 0) exitWith(4, `no test file matches ${positionals.join(', ') || 'the shard'}`);

await buildFor(selected);
const results = await runAll(selected, jobs, deadline_s);
if (values.junit !== undefined) writeFileSync(values.junit, junit(results));
process.exitCode = summary(results) > 0 ? 1 : 0;
if (values.watch) await watchAndRun(select, jobs, deadline_s);
