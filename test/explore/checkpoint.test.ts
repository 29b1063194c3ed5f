/** An exploration that was stopped, or killed, and gone on with ends as one that was left alone. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { identityOf, keeperOf, readCheckpoint } from '../../src/cli/checkpoint.ts';
import { newThreads } from '../../src/cli/threads.ts';
import { DEFAULTS, type ExploreOptions, explore } from '../../src/explore/explore.ts';
import { inFolder } from '../apflab.ts';
import { optionsOf, summary, TWO } from './kept.ts';
import { programOf } from './small.ts';

const test = suite('checkpoint');
const KEPT = join(import.meta.dirname, 'kept.ts');

/** Ends, or is killed after so many checkpoints; what it said last. */
function child(args: readonly string[], kill_after: number): Promise<string | null> {
  const process_ = spawn(process.execPath, [KEPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  process_.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.split('kept\n').length > kill_after) process_.kill('SIGKILL');
  });
  return new Promise(resolve =>
    process_.on('close', (_, signal) => resolve(signal === null ? (text.trim().split('\n').at(-1) ?? '') : null)),
  );
}

for (const [variant, how, workers] of [
  ['v7', 'bfs', 1],
  ['linux_2_6_39', 'bfs', 2],
  ['v7', 'dfs', 1],
  ['v7', 'exact', 1],
  ['v6', 'random', 2],
  ['v6', 'pct', 1],
] as const)
  test(`killed again and again: ${variant}, ${how}, ${workers} workers`, () =>
    inFolder(async folder => {
      const alone = summary(explore(programOf(TWO, variant), optionsOf(how, 1)));
      const path = join(folder, 'far.bin');
      const args = [path, variant, how, String(workers)];
      let killed = 0;
      for (let last: string | null = null; last === null; ) {
        const resume = existsSync(path) ? ['resume'] : [];
        last = await child([...args, ...resume], killed < 3 ? 1 + killed : Number.POSITIVE_INFINITY);
        if (last === null) killed += 1;
        else assert.equal(JSON.parse(last), alone);
      }
      assert.ok(killed > 0, 'it was over before it could be killed');
    }));

test('paths that were stopped after some, and gone on with', () =>
  inFolder(async folder => {
    const program = programOf(TWO, 'v6');
    const path = join(folder, 'far.bin');
    for (const strategy of ['random', 'pct'] as const) {
      const options: ExploreOptions = { ...DEFAULTS, all: true, strategy, depth: 150, walks: 100 };
      const alone = summary(explore(program, options));
      const keeper = keeperOf(path, 'v6', identityOf(program, options), () => 0, 1);
      let resume: ExploreOptions['resume'] = null;
      for (const walks of [1, 20, 33, 64, 90]) {
        assert.is(explore(program, { ...options, walks, keeper, resume }).stopped, `${walks} paths`);
        resume = readCheckpoint(path).resumed;
      }
      assert.equal(summary(explore(program, { ...options, resume })), alone);
    }
  }));

test('stopped by bounds, and gone on with by more threads and by fewer', () =>
  inFolder(async folder => {
    const program = programOf(TWO, 'v7');
    const alone = summary(explore(program, { ...DEFAULTS, all: true }));
    const path = join(folder, 'far.bin');
    const identity = identityOf(program, DEFAULTS);
    const options: ExploreOptions = {
      ...DEFAULTS,
      all: true,
      keeper: keeperOf(path, 'v7', identity, () => 0, 1),
    };
    let resume: ExploreOptions['resume'] = null;
    for (const workers of [1, 2, 1]) {
      const threads = newThreads();
      const states = 1500 + (resume ? Math.floor((resume.parts[2]?.length ?? 0) / 4) : 0);
      const { stopped } = explore(program, { ...options, resume, states, workers, threads });
      assert.match(stopped ?? '', /states$/);
      resume = readCheckpoint(path).resumed;
    }
    assert.equal(summary(explore(program, { ...options, keeper: null, resume })), alone);
  }));

test('whole states are known again by whoever goes on', () =>
  inFolder(async folder => {
    const program = programOf(TWO, 'v7');
    const path = join(folder, 'far.bin');
    const options: ExploreOptions = { ...DEFAULTS, all: true, exact: true };
    const alone = summary(explore(program, options));
    const keeper = keeperOf(path, 'v7', identityOf(program, options), () => 0, 1);
    let resume: ExploreOptions['resume'] = null;
    for (let states = 3000; states < alone.states; states += 3000) {
      assert.match(explore(program, { ...options, resume, states, keeper }).stopped ?? '', /states$/);
      resume = readCheckpoint(path).resumed;
    }
    assert.equal(summary(explore(program, { ...options, resume })), alone);
  }));

test('a file that is cut off, or changed, is refused', () =>
  inFolder(async folder => {
    const program = programOf(TWO, 'v7');
    const path = join(folder, 'far.bin');
    const keeper = keeperOf(path, 'v7', 'x', () => 0, 1);
    explore(program, { ...DEFAULTS, all: true, states: 50, keeper });
    const whole = readFileSync(path);
    assert.is(readCheckpoint(path).identity, 'x');
    writeFileSync(path, whole.subarray(0, whole.length - 8));
    assert.throws(() => readCheckpoint(path), /damaged/);
    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = changed[whole.length >> 1]! ^ 1;
    writeFileSync(path, changed);
    assert.throws(() => readCheckpoint(path), /damaged/);
    writeFileSync(path, 'language 1\n');
    assert.throws(() => readCheckpoint(path), /no checkpoint/);
  }));

test.run();
