/** The states that were reached: two of one fingerprint are one, unless whole states are kept. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PRIVATE } from '../../src/explore/memory.ts';
import { NO_PARENT, Visited } from '../../src/explore/visited.ts';
import { Wholes } from '../../src/explore/wholes.ts';

const test = suite('visited');

test('two states of one fingerprint', () => {
  const plain = new Visited(8);
  assert.is(plain.reach(7, 7, NO_PARENT, 0, []), 0);
  assert.is(plain.reach(7, 7, 0, 1, [3]), 0);

  const wholes = new Wholes(PRIVATE, 2 ** 20);
  const exact = new Visited(8, PRIVATE, 2 ** 20, wholes);
  const reach = (bytes: readonly number[], parent: number) => {
    // What is beyond the length is left over from before.
    wholes.hold(Uint8Array.from([...bytes, 99]), bytes.length);
    return exact.reach(7, 7, parent, 0, [1]);
  };
  assert.is(reach([1, 2], NO_PARENT), 0);
  assert.is(reach([1, 3], 0), 1);
  assert.is(reach([1], 0), 2);
  assert.is(reach([1, 3], 0), 1);
  assert.is(exact.size, 3);

  const saved = exact.save().map(part => part.slice());
  exact.clear();
  assert.is(reach([5], NO_PARENT), 0);
  exact.restore(saved.map(part => Uint8Array.from(part)));
  assert.is(reach([1], 0), 2);
  assert.is(reach([5], 2), 3);
  assert.equal(exact.path(3), [1, 1, 1]);
});

test.run();
