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

test('ways of any length, from any state, after any number of steps', () => {
  for (const moves of [8, 1000]) {
    const visited = new Visited(moves);
    const last = moves - 1;
    const first = visited.reach(0, 0, NO_PARENT, 0, []);
    let before = first;
    // Far more states than fit into one or two bytes.
    for (let state = 1; state < 40_000; state += 1) before = visited.reach(state, state * 7919, first, state, [last]);
    assert.is(visited.steps(before), 39_999);
    assert.equal(visited.path(before), [last]);
    const chain = [0, 1, last, 2];
    const far = visited.reach(1, 1, before, 3_000_000, chain);
    assert.is(visited.steps(far), 3_000_000);
    assert.equal(visited.path(far), [last, ...chain]);
    assert.not(visited.improve(far, before, 3_000_001, [1]));
    assert.ok(visited.improve(far, first, 5, [last, 0]));
    assert.equal(visited.path(far), [last, 0]);
    assert.equal(visited.path(first), []);

    const copy = new Visited(moves);
    copy.restore(visited.save().map(part => Uint8Array.from(part)));
    assert.equal(copy.path(before), [last]);
    assert.is(copy.steps(far), 5);
    // A fingerprint, where its way is, the way, slots; and what is not filled yet.
    assert.ok(visited.bytes / visited.size < 34, `${visited.bytes / visited.size} bytes a state`);
  }
});

test.run();
