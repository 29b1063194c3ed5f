/** Userfault memory: who asks, who waits, and what the handler does about it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hva_to_pfn_nowait } from '../../../src/sim/mm/gup.ts';
import { pte_present } from '../../../src/sim/mm/page.ts';
import { page_missing, userfaultfd_ctx_read } from '../../../src/sim/mm/userfault.ts';
import type { Outcome } from '../../../src/sim/outcome.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';
import { Hand, programOf } from '../hand.ts';

const world = (): Hand => new Hand(programOf('', { vm: 'userfault pager { serves v.heap.pages(8..15) }' }));

test('at the start the pages it serves are missing, and no others', () => {
  const { m } = world();
  const missing = Array.from({ length: 64 }, (_, page) => page).filter(page => page_missing(m, page));
  assert.equal(missing, [8, 9, 10, 11, 12, 13, 14, 15]);
  assert.ok(pte_present(m.hva.pte(7)) && pte_present(m.hva.pte(16)));
});

test('an attempt that may not wait tells nobody', () => {
  const hand = world();
  assert.is(hva_to_pfn_nowait(hand.m, hand.thread, 8, true, false), 'retry');
  assert.is(userfaultfd_ctx_read(hand.m, 0), -1);
});

function outcome(userfault: string, rest: string, host = 'ram 1MiB'): Outcome {
  const program = lowered(
    `
language 1
title "userfault"
host h { cpus 4; ${host}; workers 4; swap d { size 4MiB; read fixed(50us); depth 4; readahead 8 pages } }
vm v on h {
  ram 512KiB; vcpus 3; userfault pager { ${userfault} }
  guest {
    apf off
    task a on vcpu[0] user { work 100us; read page(1); done }
    task b on vcpu[1] user { work 100us; write page(1); done }
    task c on vcpu[2] user { work 100us; read page(2); done }
  }
}
limit time 10ms
${rest}
`,
    'sync',
  );
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  return simulation.outcome();
}

const says = ({ violations }: Outcome): string =>
  violations.map(({ property, actual }) => `${property}: ${actual}`).join('\n');

test('two ask for the same page: two messages, one copy, and both go on', () => {
  const all = outcome(
    'latency fixed(1ms)',
    `expect asked: count(userfault(v.heap.page(1))) == 2 and v.userfaults == 3
expect once: count(copied(v.heap.page(1))) == 1
expect through: done(a) and done(b) and done(c)
never two_at_once: pager.fetching > 1`,
  );
  assert.is(says(all), '');
});

test('with a thread for each, pages come at the same time', () => {
  const one = outcome('latency fixed(1ms)', 'expect soon: done(a) and done(c) at 2ms');
  const two = outcome('latency fixed(1ms); threads 3', 'expect soon: done(a) and done(c) at 2ms');
  assert.equal([one.verdict, two.verdict], ['fail', 'pass']);
});

test('killed while it fetches: nothing is copied any more, and who has asked sleeps for ever', () => {
  const all = outcome(
    'latency fixed(1ms)',
    `at 500us kill pager
expect dead: pager is exited and pager is killed
expect never_came: not copied()
expect stuck: each t in v.tasks: t is stuck
expect named: each u in v.vcpus: u is stuck`,
  );
  assert.is(says(all), '');
});

test('held, it brings nothing until it is let go', () => {
  const all = outcome(
    'latency fixed(100us)',
    `hold pager at mfill_atomic until done(nobody)
at 5ms release pager
expect late: not copied() at 5ms
expect through: done(a) and done(b) and done(c)`.replace('until done(nobody)', 'until evicted()'),
  );
  assert.is(says(all), '');
});

test('a page that it has brought goes to swap like any other, and is not missing then', () => {
  const all = outcome(
    'latency fixed(100us)',
    `at 2ms evict v.heap.page(1)
expect swapped: v.heap.page(1) is swapped and not v.heap.page(1) is missing`,
  );
  assert.is(says(all), '');
});

test('while memory is short it waits for a frame, as everybody does', () => {
  const all = outcome(
    'serves v.heap.pages(0..3); latency fixed(100us); threads 2',
    'expect through: done(a) and done(b) and done(c)',
    'ram 128KiB',
  );
  assert.is(says(all), '');
});

test.run();
