/** The benchmarks say what their schema says. What they measure is nobody's promise here: a test knows no clock. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BENCH } from '../../scripts/bench/schema.ts';
import { ROOT } from '../../scripts/imports.ts';

const bench = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'scripts/bench.ts'), ...args], { encoding: 'utf8' });

test('--json prints an array of figures', () => {
  const { status, stdout, stderr } = bench('--json', '--only', 'memory');
  assert.is(status, 0, stderr);
  const figures = BENCH.parse(JSON.parse(stdout));
  assert.equal(
    figures.map(({ name, unit }) => `${name}, ${unit}`),
    ['state of a guest page, bytes', 'state of a frame, bytes', 'state of a swap slot, bytes'],
  );
  for (const { value, yardstick, ratio } of figures)
    assert.ok(Math.abs((ratio ?? 0) - value / (yardstick ?? 1)) < 0.01);
});

test('an unknown benchmark is refused, with those there are', () => {
  const { status, stderr } = bench('--only', 'everything');
  assert.is(status, 4);
  assert.match(stderr, /no benchmark named everything\nhint: there are queue, model, /);
});

test.run();
