/** Straight code says what the loop would say, and asks no more than it. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstWhere } from '../../src/base/unrolled.ts';

type Asked = (number: number, log: number[]) => boolean;

const asking = (id: number, at_least: number): Asked => {
  return (number, log) => {
    log.push(id);
    return number >= at_least;
  };
};

test('the first row of which all holds, and nothing behind it is asked', () => {
  const rows = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }), { maxLength: 8 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 0, max: 9 }), (limits, number) => {
      let id = 0;
      const questions = limits.map(row => row.map(at_least => asking(id++, at_least)));
      const asked: number[] = [];
      const found = questions.findIndex(row => row.every(question => question(number, asked)));
      const asked_unrolled: number[] = [];
      assert.is(firstWhere(questions)(number, asked_unrolled), found);
      assert.equal(asked_unrolled, asked);
    }),
  );
});

test.run();
