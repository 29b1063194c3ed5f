/** Small scenarios by lot: whatever is left out of their exploration, the verdict is the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { below, type Stream, seedStream } from '../../src/base/rng.ts';
import type { Exploration } from '../../src/explore/explore.ts';
import { explored, said } from './small.ts';

const test = suite('random scenarios');
const SCENARIOS = 50;
const MOST_STATES = 4000;
const VARIANTS = [
  'sync',
  'v6',
  'v6_at_fault',
  'v6_request',
  'v6_list_move',
  'v7',
  'linux_2_6_39',
  'linux_4_19',
  'linux_5_8',
  'linux_6_1',
  'linux_6_12',
  'userfault_2026',
];

function scenario(seed: number): { readonly text: string; readonly variant: string } {
  const stream: Stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };
  seedStream(stream, seed, 'scenario');
  const one = <T>(of: readonly T[]): T => of[below(stream, of.length)]!;
  const once_in = (n: number, text: string): string => (below(stream, n) === 0 ? text : '');
  const vcpus = 1 + below(stream, 2);
  const page = () => one([1, 1, 4]);
  const op = () =>
    one([
      `read page(${page()})`,
      `write page(${page()})`,
      `read page(${page()})`,
      'hlt',
      'work 1us',
      'preempt off; preempt on',
      'cli; sti',
    ]);
  const ops = () => Array.from({ length: 1 + below(stream, 2) }, op).join('; ');
  // Where somebody goes round for ever, what is put off must not be put off for ever.
  const program = () => (below(stream, 4) === 0 ? `loop { ${op()} }` : `${ops()}; done`);
  const tasks = ['a', 'b']
    .slice(0, vcpus === 2 ? 2 : 1 + (below(stream, 3) === 0 ? 1 : 0))
    .map((name, id) => `task ${name} on vcpu[${id % vcpus}] ${one(['user', 'user', 'kernel'])} { ${program()} }`)
    .join('; ');
  const guest = one(['apf on', 'apf on', 'apf on', 'apf on; send_always on', 'apf off', 'apf off']);
  // Nobody has to let a tick happen: it stands for orders with it and without.
  const tick = once_in(5, 'timer tick every 100us on vcpu[0] { reschedule }');
  const acts = [
    'at 10us irq net on t.vcpu[0]',
    'at 10us nmi n to t.vcpu[0]',
    'at 10us evict t.page(1)',
    'fail alloc next 1',
    'drop kick 1',
    'at 10us clear_queue t.vcpu[0]',
  ];
  const text = `
language 1
title "by lot"
import "std/invariants.apf"
host h {
  cpus 3; ram 1MiB; page 4KiB; workers 2
  swap d { size 256KiB; read fixed(100us); depth ${one([4, 64])}; readahead ${one([1, 2])} pages }
}
vm t on h {
  ram 64KiB; paging tdp; irqchip kernel; vcpus ${vcpus}
  guest { ${guest}; heap 32KiB; ${tasks}; irq net on vcpu[0] { work 1us }; ${tick} }
}
evict t.page(1)
${once_in(2, 'evict t.page(4)')}
${once_in(2, one(acts))}
case "c" {
  expect finished: done(a)
  expect owed: every_token_is_owed(t)
  always honest: real_halts_only(t)
  always woken: no_unwoken_sleeper(t)
  never stuck: deadlock
  sometimes asleep: t.vcpu[0] is blocked
  ${vcpus === 2 ? 'never both: t.vcpu[0] is blocked and t.vcpu[1] is blocked' : ''}
  ${vcpus === 2 ? 'sometimes neither: t.vcpu[0] is in_guest and t.vcpu[1] is blocked' : ''}
  ${once_in(3, 'never late: (some v in t.vcpus: v is blocked) after ready(t.page(1))')}
  ${once_in(3, 'always told: each v in t.vcpus: not_present(t.page(1)) implies not v is blocked')}
  ${one(['always busy: each v in t.vcpus: not v is checking', 'never swapping: some v in t.vcpus: v is swap_waiting'])}
}
`;
  return { text, variant: one(VARIANTS) };
}

/** Every state, with nothing left out; null where there are too many for a test. */
function whole(text: string, variant: string): Exploration | null {
  const plain = explored(text, variant, { reductions: new Set(), states: MOST_STATES });
  return plain.stopped?.endsWith('states') ? null : plain;
}

test('with every reduction and with none', () => {
  const verdicts = new Map<string, number>();
  let seen = 0;
  for (let seed = 0; seen < SCENARIOS; seed += 1) {
    const { text, variant } = scenario(seed);
    const plain = whole(text, variant);
    if (!plain) continue;
    seen += 1;
    for (const reductions of [['order'], ['order', 'identity', 'symmetry']] as const) {
      const reduced = explored(text, variant, { reductions: new Set(reductions) });
      assert.is(said(reduced), said(plain), `scenario ${seed} on ${variant}, ${reductions.join(' and ')}:\n${text}`);
    }
    verdicts.set(plain.verdict, (verdicts.get(plain.verdict) ?? 0) + 1);
  }
  // A lot that drew only what passes would say nothing.
  assert.ok((verdicts.get('pass') ?? 0) >= 5 && (verdicts.get('fail') ?? 0) >= 5, JSON.stringify([...verdicts]));
});

test.run();
