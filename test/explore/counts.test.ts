/** How many states there are, where that can be told without exploring. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explored } from './small.ts';

const test = suite('counts');
const NONE = { reductions: new Set<never>() };

/** So many VMs, each on its own, that neither fault nor meet. */
function strangers(count: number): string {
  const vm = (n: number) => `
vm v${n} on h { ram 64KiB; vcpus 1; guest { apf off; heap 32KiB; task t${n} on vcpu[0] user { read page(0); done } } }`;
  return `
language 1
title "strangers"
host h { cpus 4; ram 1MiB }
${Array.from({ length: count }, (_, n) => vm(n)).join('')}
case "c" { expect finished: each t in v0.tasks: done(t) }
`;
}

test('a thread alone has one order: as many states as steps, and one', () => {
  const { states, transitions, depth } = explored(strangers(1), 'sync', NONE);
  assert.is(states, transitions + 1);
  assert.is(depth, transitions);
});

test('threads that never meet: the product of what each has alone', () => {
  const { states, transitions } = explored(strangers(1), 'sync', NONE);
  const two = explored(strangers(2), 'sync', NONE);
  assert.is(two.states, states ** 2);
  // In each state of one the other may make each of its moves.
  assert.is(two.transitions, 2 * states * transitions);
});

test('and one order is enough for them', () => {
  const one = explored(strangers(1), 'sync', { reductions: new Set(['order']) });
  const two = explored(strangers(2), 'sync', { reductions: new Set(['order']) });
  assert.is(one.states, 1);
  assert.is(two.states, 1);
});

/** So many vCPUs of one VM with the same to do, that never meet. */
function twins(count: number): string {
  const tasks = Array.from({ length: count }, (_, id) => `task t${id} on vcpu[${id}] user { read page(0); done }`);
  return `
language 1
title "twins"
host h { cpus 4; ram 1MiB }
vm v on h { ram 64KiB; vcpus ${count}; guest { apf off; heap 32KiB; ${tasks.join('; ')} } }
case "c" { expect finished: each t in v.tasks: done(t) }
`;
}

test('vCPUs that are alike: as many states as there are multisets of theirs', () => {
  const one = explored(twins(1), 'linux_6_12', NONE).states;
  for (const count of [2, 3, 4]) {
    const { states } = explored(twins(count), 'linux_6_12', { reductions: new Set(['symmetry']) });
    let multisets = 1;
    for (let k = 1; k <= count; k += 1) multisets = (multisets * (one + k - 1)) / k;
    assert.is(states, multisets);
    if (count < 4) assert.is(explored(twins(count), 'linux_6_12', NONE).states, one ** count);
  }
});

test.run();
