/** A read that fails: who is told, by way of which version of the protocol. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { printEvent } from '../../../src/trace/print.ts';
import { lowered } from '../../lowered.ts';

const WORLD = `
language 1
title "bad disk"
host h { cpus 2; ram 1MiB; workers 2; swap s { size 1MiB; read fixed(90us); depth 2; readahead 8 pages } }
vm v on h {
  ram 64KiB; vcpus 1
  guest { apf off; task t on vcpu[0] user { work 100us; read page(3); done } }
}
variant told extends linux_6_12 { worker_gup_error reported }
limit time 20ms
at 0us evict v.heap.pages(0..15)
`;

const NAMES = /kvm_page_fault|kvm_async_pf_\w+|kvm_userspace_exit/;

/** What is said of the page, in order. */
function story(variant: string, failures: number): string {
  const program = lowered(
    `${WORLD}at 0us fail swap next ${failures}\nrun on variant ${variant}\nexpect got: done(t)\n`,
    variant,
  );
  const lines: string[] = [];
  const simulation = createSimulation(program, {
    paranoid: true,
    record: event => lines.push(printEvent(event, { format: 'ftrace', version: '6.12' })),
  });
  simulation.runUntil(program.limit_ns);
  assert.equal(simulation.outcome().violations, []);
  return lines.flatMap(line => NAMES.exec(line)?.[0].replace(/^kvm_(async_pf_)?/, '') ?? []).join(' ');
}

test('waiting for the page, the vCPU thread takes the error to user space', () => {
  assert.is(story('sync', 1), 'page_fault userspace_exit page_fault');
});

test('a worker does not look at it: ready is said, and the guest tries again', () => {
  // The second read that fails is that of the prefault, which waits for it before ready is said.
  assert.is(story('linux_6_12', 2), 'page_fault not_present completed ready page_fault not_present completed ready');
});

test('where the worker reports it, the next fault waits and takes the error to user space', () => {
  assert.is(
    story('told', 2),
    'page_fault not_present completed ready page_fault userspace_exit page_fault not_present completed ready',
  );
});

test.run();
