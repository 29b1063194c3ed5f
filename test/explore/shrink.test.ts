/** What is shrunk still breaks the same, is no longer, and comes out the same each time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scheduled, scheduleOf } from '../../src/explore/schedule.ts';
import { shrink, switchesOf } from '../../src/explore/shrink.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { MISSING_PAGE } from './counterexamples.ts';
import { explored, faults } from './small.ts';

const test = suite('shrink');

const TWO_TASKS = faults(
  'task a on vcpu[0] user { read page(1); done }\n task b on vcpu[0] user { read page(4); done }',
  'always woken: no_unwoken_sleeper(t)',
);

for (const [title, text, variant] of [
  ['a phantom halt', MISSING_PAGE, 'v6'],
  ['an exception that waits for a sleeper', MISSING_PAGE, 'linux_2_6_39'],
  ['the same with another task', TWO_TASKS, 'v7'],
] as const)
  for (const strategy of ['bfs', 'dfs'] as const)
    test(`${title}, found by ${strategy}`, () => {
      const { program, counterexamples } = explored(text, variant, { strategy, states: 20_000 });
      assert.is(counterexamples.length, 1);
      for (const { judgement, schedule } of counterexamples) {
        const result = shrink(program, schedule, judgement.name);
        assert.ok(result.moves.length <= schedule.length);
        assert.ok(result.context_switches <= switchesOf(schedule));
        assert.is(result.context_switches, 0, 'one actor is enough for these');
        assert.equal(shrink(program, schedule, judgement.name), result);
        assert.equal(shrink(program, result.moves, judgement.name).moves, result.moves);
        const simulation = createSimulation(scheduled(program, scheduleOf(program, result.moves, judgement.name)), {
          paranoid: true,
        });
        simulation.runUntil(Number.MAX_SAFE_INTEGER);
        assert.equal(
          simulation.outcome().judgements.map(({ name, holds }) => `${name} ${holds}`),
          [`${judgement.name} no`],
        );
      }
    });

test.run();
