/** A small world is gone through in every order before anything is left out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explored, faults, said } from './small.ts';

const test = suite('plain first');
const ONE = faults('task a on vcpu[0] user { read page(1); done }', 'expect finished: done(a)');

test('whatever fits is not reduced', () => {
  const plain = explored(ONE, 'linux_6_12', { reductions: new Set(['identity']) });
  const small = explored(ONE, 'linux_6_12', { plain_first: plain.states + 1 });
  assert.equal(small.reductions, ['identity']);
  assert.is(small.states, plain.states);
  assert.is(small.stopped, null);
});

test('what does not is begun again, and reduced', () => {
  const reduced = explored(ONE, 'linux_6_12');
  const large = explored(ONE, 'linux_6_12', { plain_first: 20 });
  assert.equal(large.reductions, ['order', 'identity']);
  assert.is(large.states, reduced.states);
  assert.is(said(large), said(reduced));
});

test.run();
