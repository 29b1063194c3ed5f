import fc from 'fast-check';
import { test } from 'uvu';
import { equal } from 'uvu/assert';
import { durationNs, durationText } from '../../src/base/duration.ts';

test('times are read exactly', () => {
  equal(durationNs('5ms'), 5_000_000);
  equal(durationNs('1.5 us'), 1500);
  equal(durationNs('0.1s'), 100_000_000);
  equal(durationNs('2min'), 120_000_000_000);
  equal(durationNs('0.000000001s'), 1);
});

test('what is no whole number of nanoseconds below 2^53 is refused', () => {
  for (const text of ['1.5ns', '0.0000000001s', '3000h', '5', 'ms', '5 MS', '-1ms', '1e3ns', '.5s', '5constructor']) {
    equal(durationNs(text), null, text);
  }
});

test('times are printed in the unit that leaves a whole part', () => {
  const ns = [0, 999, 1500, 20_000, 1_000_000, 123_456_789, 61_000_000_000, -20_000];
  equal(ns.map(durationText), ['0ns', '999ns', '1.5us', '20us', '1ms', '123.456789ms', '61s', '-20us']);
});

test('what is printed is read back', () => {
  fc.assert(fc.property(fc.maxSafeNat(), ns => equal(durationNs(durationText(ns)), ns)));
});

test.run();
