/** What an exploration finds does not depend on the order within a level. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULTS, type ExploreOptions } from '../../src/explore/explore.ts';
import { Search } from '../../src/explore/search.ts';
import { untimed } from '../../src/explore/untimed.ts';
import { faults, programOf } from './small.ts';

const test = suite('search');
const JUDGED = 'expect finished: done(a); always honest: real_halts_only(t); never stuck: deadlock';
const TWO = 'task a on vcpu[0] user { read page(1); done }; task b on vcpu[0] user { read page(4); done }';
const SPIN = 'task a on vcpu[0] user { read page(1); loop { work 1us } }';

type Order = (index: number, length: number) => number;

/** Backwards; and by steps that meet each place once. */
const ORDERS: readonly Order[] = [
  (index, length) => length - 1 - index,
  (index, length) => (index * 7919) % length,
  (index, length) => (length % 7919 === 0 ? index : (index * 7919 + (length >> 1)) % length),
];

function summary(tasks: string, variant: string, options: Partial<ExploreOptions>, order?: Order) {
  const { program } = untimed(programOf(faults(tasks, JUDGED), variant));
  const steps = new Search(program, { ...DEFAULTS, all: true, states: 4000, ...options }, order).run();
  let step = steps.next();
  while (!step.done) step = steps.next();
  const { states, transitions, depth, found, cyclic, rounds } = step.value;
  const ways = found.map(({ judgement, path }) => `${judgement.name}: ${path.join(' ')}`);
  return { states, transitions, depth, ways, cyclic, rounds };
}

for (const variant of ['v6', 'v7', 'linux_5_8', 'linux_6_12'])
  test(`one fault on ${variant}, and one before a loop, in any order`, () => {
    for (const tasks of ['task a on vcpu[0] user { read page(1); done }', SPIN]) {
      const straight = summary(tasks, variant, { states: null });
      for (const order of ORDERS) assert.equal(summary(tasks, variant, { states: null }, order), straight);
    }
  });

test('two faults, without reductions and with', () => {
  for (const reductions of [[], ['order', 'identity']] as const) {
    const options = { states: null, reductions: new Set(reductions) };
    const straight = summary(TWO, 'v6', options);
    assert.ok(straight.ways.length > 0);
    for (const order of ORDERS.slice(1, 2)) assert.equal(summary(TWO, 'v6', options, order), straight);
  }
});

test('the latest first finds as much', () => {
  const wide = summary(TWO, 'v7', { states: null, reductions: new Set() });
  const deep = summary(TWO, 'v7', { states: null, reductions: new Set(), strategy: 'dfs' });
  assert.is(deep.states, wide.states);
  assert.is(deep.transitions, wide.transitions);
});

test.run();
