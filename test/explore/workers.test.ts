/** However many threads share an exploration, it finds the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newThreads } from '../../src/cli/threads.ts';
import type { Exploration, ExploreOptions } from '../../src/explore/explore.ts';
import { explored, faults, said } from './small.ts';

const test = suite('workers');
const JUDGED = `
  expect finished: done(a)
  expect owed: every_token_is_owed(t)
  always honest: real_halts_only(t)
  never stuck: deadlock
  eventually resumed: done(a)
`;
const ONE = 'task a on vcpu[0] user { read page(1); done }';
const TWO = `${ONE}; task b on vcpu[0] user { read page(4); done }`;
const ACROSS = `${ONE}; task b on vcpu[1] user { read page(1); done }`;

function summary(exploration: Exploration) {
  const { states, transitions, steps, depth, stopped, endless, counterexamples } = exploration;
  const ways = counterexamples.map(({ judgement, schedule }) => `${judgement.name}: ${schedule.join(' ')}`);
  return { said: said(exploration), states, transitions, steps, depth, stopped, endless, ways };
}

function same(tasks: string, variant: string, options: Partial<ExploreOptions>, vcpus = 1): void {
  const text = faults(tasks, JUDGED, vcpus);
  const alone = summary(explored(text, variant, options));
  for (const workers of [2, 3]) {
    const threads = newThreads();
    assert.equal(summary(explored(text, variant, { ...options, workers, threads })), alone, `${workers} workers`);
  }
}

for (const variant of ['v6', 'v7', 'linux_2_6_39', 'linux_5_8', 'linux_6_12'])
  test(`one fault on ${variant}`, () => same(ONE, variant, {}));

test('two faults, a phantom halt, the first that fails and all', () => {
  same(TWO, 'v6', {});
  same(TWO, 'v6', { all: false });
});

test('without reductions', () => same(TWO, 'v7', { reductions: new Set() }));

test('whole states', () => same(TWO, 'v7', { exact: true }));

for (const strategy of ['random', 'pct'] as const)
  test(`paths: ${strategy}, the first that fails and all`, () => {
    same(TWO, 'v6', { strategy, walks: 150, depth: 150 });
    same(TWO, 'v6', { strategy, walks: 150, depth: 150, all: false });
    same(ACROSS, 'linux_6_12', { strategy, walks: 40 }, 2);
  });

test('vCPUs that change places', () => {
  const alike = [0, 1, 2].map(id => `task t${id} on vcpu[${id}] user { read page(1); done }`).join('; ');
  const text = faults(
    alike,
    'expect finished: each t in t.tasks: t is finished; always lucky: not some v in t.vcpus: v is blocked',
    3,
  );
  for (const [variant, bounds] of [
    ['sync', { preemptions: 0, reductions: new Set(['symmetry'] as const) }],
    ['linux_6_12', { depth: 10 }],
  ] as const) {
    const alone = summary(explored(text, variant, bounds));
    for (const workers of [2, 3])
      assert.equal(summary(explored(text, variant, { ...bounds, workers, threads: newThreads() })), alone);
  }
});

test('a bound on depth', () => same(ACROSS, 'linux_6_12', { depth: 30 }, 2));

test('a small budget stops all of them', () => {
  const threads = newThreads();
  const { stopped } = explored(faults(TWO, JUDGED), 'linux_6_12', { workers: 2, threads, memory_bytes: 300_000 });
  assert.match(stopped ?? '', /MiB of memory$/);
});

test.run();
