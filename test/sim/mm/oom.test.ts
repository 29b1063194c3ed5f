/** A run that runs out of memory is invalid, and says where; one that is merely short of it is not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome } from '../../../src/sim/outcome.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

function run(swap: string, vm: string): Outcome {
  const program = lowered(`
language 1
title "short of memory"
host h { cpus 2; ram 256KiB; page 4KiB; workers 2; ${swap} }
vm v on h { ram 512KiB; ${vm}; vcpus 1; guest { apf off; task t on vcpu[0] user { loop { write heap sequential } } } }
limit time 10ms
expect touched: count(accesses(t)) >= 200
`);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  return simulation.outcome();
}

const swap = (size: string) => `swap s { size ${size}; read fixed(9us); write fixed(9us); depth 2; readahead 1 pages }`;

test('swap is too small for what does not fit', () => {
  const { verdict, violations } = run(swap('64KiB'), 'protocol linux_6_12');
  assert.is(verdict, 'invalid');
  assert.is(violations.length, 1);
  assert.match(
    violations[0]?.message ?? '',
    /^out of memory: no frame of h for v\.heap\.page\(\d+\) at .*swap s is full/,
  );
});

test('there is no swap', () => {
  const { verdict, violations } = run('', 'protocol sync');
  assert.is(verdict, 'invalid');
  assert.match(violations[0]?.message ?? '', /h has no swap/);
});

test('a container whose swap is full does not take from the host what it is not allowed', () => {
  assert.is(run(swap('64KiB'), 'limit 64KiB; protocol sync').verdict, 'invalid');
});

test('what fits, with pages going back and forth, does not', () => {
  assert.is(run(swap('1MiB'), 'protocol sync').verdict, 'pass');
  // Each pinned page keeps its frame until its item is dequeued.
  assert.is(run(swap('1MiB'), 'limit 16KiB; protocol linux_2_6_39').verdict, 'pass');
});

test.run();
