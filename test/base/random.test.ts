import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprint, fingerprintText } from '../../src/base/fingerprint.ts';
import { below, next32, peek32, type Stream, seedStream } from '../../src/base/rng.ts';
import { exp, ln, normalQuantile } from '../../src/base/series.ts';

const streamOf = (seed: number, name: string): Stream => {
  const stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };
  seedStream(stream, seed, name);
  return stream;
};
const draws = (stream: Stream, n: number) => Array.from({ length: n }, () => next32(stream));

test('the same seed and name give the same numbers, on every platform', () => {
  assert.equal(draws(streamOf(1, 'devices'), 3), draws(streamOf(1, 'devices'), 3));
  // Checked against the same arithmetic in another language.
  assert.equal(draws(streamOf(1, 'devices'), 3), [4_263_713_906, 965_616_476, 3_637_150_758]);
});

test('to look at the next number does not take it', () => {
  const stream = streamOf(3, 'ahead');
  for (let n = 0; n < 100; n += 1) assert.is(peek32(stream), next32(stream));
});

test('other seeds and names give others', () => {
  const first = new Set<number>();
  for (let seed = 0; seed < 100; seed += 1) {
    for (const name of ['devices', 'task a.b', 'task a.c']) first.add(next32(streamOf(seed, name)));
  }
  assert.is(first.size, 300);
  assert.is.not(next32(streamOf(1, 'x')), next32(streamOf(1 + 2 ** 32, 'x')));
});

test('numbers are spread evenly', () => {
  const stream = streamOf(7, 'even');
  const counts = new Uint32Array(10);
  for (let n = 0; n < 100_000; n += 1) {
    const drawn = below(stream, 10);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 400, `${count} of 10000`);
});

test('exp and ln agree with the engine where it is exact enough', () => {
  for (const x of [-20, -1, -1e-9, 0, 1e-9, 0.5, 1, 3.7, 12, 25]) {
    assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) < 1e-12, `exp(${x})`);
  }
  for (const x of [1e-9, 0.1, 0.74, 0.76, 1, 1.49, 1.51, 2, 90_000, 2e9]) {
    assert.ok(Math.abs(ln(x) - Math.log(x)) < 1e-12 * Math.max(1, Math.abs(Math.log(x))), `ln(${x})`);
  }
});

test('quantiles of the normal distribution, as tables have them', () => {
  const known: readonly (readonly [number, number])[] = [
    [0.5, 0],
    [0.975, 1.959964],
    [0.99, 2.326348],
    [0.001, -3.090232],
    [0.9999, 3.719016],
  ];
  for (const [p, z] of known) assert.ok(Math.abs(normalQuantile(p) - z) < 1e-6, `quantile(${p})`);
});

test('a fingerprint sees every bit and every place', () => {
  const bytes = new Uint8Array(64);
  const seen = new Set([fingerprintText(fingerprint(bytes))]);
  for (let bit = 0; bit < 512; bit += 1) {
    bytes[bit >> 3] = 1 << (bit & 7);
    seen.add(fingerprintText(fingerprint(bytes)));
    bytes[bit >> 3] = 0;
  }
  seen.add(fingerprintText(fingerprint(bytes.subarray(0, 60))));
  assert.is(seen.size, 514);
  for (const text of seen) assert.match(text, /^[0-9a-f]{16}$/);
});

test.run();
