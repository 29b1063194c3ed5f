/** A wide read-ahead window full of holes: as many requests as runs of pages, and the device takes them all in time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

test('two windows of 32 runs each on a device that serves one request at a time', () => {
  const program = lowered(`
language 1
title "holes"
host h { cpus 2; ram 8MiB; page 4KiB; workers 2; swap s { size 8MiB; read fixed(100us); depth 1; readahead 64 pages } }
vm v on h {
  ram 2MiB; vcpus 2
  guest {
    apf off
    task scan on vcpu[0] user { work 50us; loop { read heap.pages(256..511) sequential } }
    task a on vcpu[0] user { sleep 20ms; read page(2); done }
    task b on vcpu[1] user { sleep 20ms; read page(66); done }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}
limit time 60ms
at 0us evict v.heap.pages(0..511)
at 19ms { ${Array.from({ length: 128 }, (_, n) => `touch v.heap.page(${2 * n + 1})`).join('; ')} }
expect got: done(a) and done(b)
expect wide: count(swap_submit()) >= 256 + 32
`);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  assert.equal(
    simulation.outcome().violations.map(({ message }) => message),
    [],
  );
});

test('a page that was read ahead in vain leaves the cache, and is not taken from the guest', () => {
  const program = lowered(`
language 1
title "in vain"
host h { cpus 2; ram 1MiB; page 4KiB; workers 2; swap s { size 1MiB; read fixed(20us); depth 2; readahead 8 pages } }
vm v on h {
  ram 256KiB; limit 64KiB; vcpus 1; protocol sync
  guest { apf off; task t on vcpu[0] user { read page(0); loop { read heap.pages(16..63) sequential } } }
}
limit time 20ms
expect ahead: count(swap_read(v.heap.page(3))) == 1
expect gone: v.heap.page(3) is swapped
never evicted(v.heap.page(3))
`);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  assert.equal(
    simulation.outcome().violations.map(({ message }) => message),
    [],
  );
});

test.run();
