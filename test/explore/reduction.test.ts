/** What a reduction leaves out changes no verdict. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explored, faults, said } from './small.ts';

const test = suite('reduction');
const JUDGED = `
  expect finished: done(a)
  expect owed: every_token_is_owed(t)
  always honest: real_halts_only(t)
  never stuck: deadlock
  always woken: no_unwoken_sleeper(t)
`;
const ONE = faults('task a on vcpu[0] user { read page(1); done }', JUDGED);
const ALL = ['sync', 'v6', 'v7', 'linux_2_6_39', 'linux_4_19', 'linux_5_8', 'linux_6_1', 'linux_6_12'];

for (const variant of ALL)
  test(`one fault on ${variant}`, () => {
    const plain = explored(ONE, variant, { reductions: new Set() });
    assert.is(plain.stopped, null);
    for (const reductions of [['order'], ['identity'], ['order', 'identity']] as const) {
      const reduced = explored(ONE, variant, { reductions: new Set(reductions) });
      assert.is(said(reduced), said(plain), `with ${reductions.join(' and ')}`);
      assert.ok(reduced.states <= plain.states);
    }
  });

test('whole states and fingerprints tell the same states apart', () => {
  for (const reductions of [[], ['order', 'identity']] as const) {
    const by_fingerprint = explored(ONE, 'linux_6_12', { reductions: new Set(reductions) });
    const exact = explored(ONE, 'linux_6_12', { reductions: new Set(reductions), exact: true });
    assert.is(exact.states, by_fingerprint.states);
    assert.is(exact.transitions, by_fingerprint.transitions);
    assert.is(exact.collision_odds, 0);
  }
});

test('a phantom halt is found where the sixth posting has it, and nowhere else', () => {
  const failing = ALL.filter(variant =>
    explored(ONE, variant).counterexamples.some(({ judgement }) => judgement.name === 'honest'),
  );
  assert.equal(failing, ['v6']);
});

/** One vCPU goes round for ever, by itself; whatever the other does can always come later. */
const FOR_EVER = faults(
  'task a on vcpu[0] user { loop { work 1us } }; task b on vcpu[1] user { read page(1); done }',
  'sometimes ends: done(b)',
  2,
);

test('what goes on for ever puts nothing off for ever', () => {
  const reduced = explored(FOR_EVER, 'linux_6_12', { reductions: new Set(['order', 'identity']) });
  assert.is(said(reduced), 'pass');
  // One that never got back to what it put off would have ended with two.
  assert.ok(reduced.states > 100, `${reduced.states} states`);
});

test.run();
