import { test } from 'uvu';
import { equal, instance, throws } from 'uvu/assert';
import { assert, Bug, present } from '../../src/base/assert.ts';

test('a claim that holds says nothing', () => {
  assert(1 + 1 === 2, 'numbers add up');
  equal(present(0, 'zero is a value'), 0);
});

test('a claim that does not hold is a bug and is quoted', () => {
  throws(() => assert(false, 'apf: the token slot is free'), /does not hold: apf: the token slot is free/);
  throws(() => present(undefined, 'a row'), /missing: a row/);
  try {
    present(null, 'a row');
  } catch (error) {
    instance(error, Bug);
  }
});

test.run();
