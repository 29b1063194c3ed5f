/** Swap read-ahead and the device behind it. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { swapin_nr_pages } from '../../../src/sim/mm/swap.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';
import { Hand, programOf } from '../hand.ts';

/** Windows for faults on these swap offsets, each with the number of read-ahead pages that were used since the last. */
function windows(faults: string): string {
  const { m } = new Hand(programOf());
  const row = m.hosts[0]!;
  row.ra_hits = 0;
  row.ra_window = 0;
  row.ra_offset = 1_000_000;
  return faults
    .split(' ')
    .map(fault => {
      const [offset = '', hits = '0'] = fault.split('+');
      row.ra_hits = Number(hits);
      return swapin_nr_pages(m, 0, Number(offset));
    })
    .join(' ');
}

test('no hits: one page, or two where the fault is next to the last', () => {
  is(windows('100 200 300'), '1 1 1');
  is(windows('100 101 102 50 49'), '1 2 2 1 2');
});

test('hits and two more, rounded up to 4, 8, and no more than the cluster', () => {
  is(windows('100+1'), '4');
  is(windows('100+2'), '4');
  is(windows('100+3'), '8');
  is(windows('100+6'), '8');
  is(windows('100+60'), '8');
});

test('at least half of the window before', () => {
  is(windows('100+6 200 300 400 500'), '8 4 2 1 1');
});

test('the first faults of a host: four hits are assumed, as in the kernel', () => {
  const { m } = new Hand(programOf());
  is(swapin_nr_pages(m, 0, 5), 8);
});

test('vm.page-cluster=0: always one', () => {
  const { m } = new Hand(programOf());
  const program = {
    ...m.program,
    hosts: m.program.hosts.map(host => ({ ...host, swap: host.swap && { ...host.swap, readahead_pages: 1 } })),
  };
  const single = new Hand(program);
  single.m.hosts[0]!.ra_hits = 7;
  is(swapin_nr_pages(single.m, 0, 5), 1);
});

/** When three pages far apart, wanted together and read in 5 ms each, have come, by the depth of the device. */
function arrivals(depth: number, fail = ''): readonly number[] {
  const program = lowered(
    `
language 1
title "three faults"
host h { cpus 4; ram 4MiB; workers 4; swap d { size 4MiB; read fixed(5ms); depth ${depth}; readahead 1 pages } }
vm v on h {
  ram 1MiB; vcpus 3
  guest {
    apf off
    task a on vcpu[0] user { work 100us; read page(10); done }
    task b on vcpu[1] user { work 100us; read page(70); done }
    task c on vcpu[2] user { work 100us; read page(130); done }
  }
}
limit time 60ms
at 0us { evict v.heap.page(10); evict v.heap.page(70); evict v.heap.page(130) }
${fail}
expect true
`,
    'linux_6_12',
  );
  const simulation = createSimulation(program);
  const came: number[] = [];
  const m = simulation.machine;
  for (let last = 0; simulation.step(); ) {
    if (m.hosts[0]!.pswpin === last) continue;
    last = m.hosts[0]!.pswpin;
    came.push(Math.round(m.clock.now_ns / 1e6));
  }
  return came;
}

test('with depth 1 the third of three faults of 5 ms is through at 15 ms; with depth 4 all are at 5', () => {
  equal(arrivals(1), [5, 10, 15]);
  equal(arrivals(2), [5, 5, 10]);
  equal(arrivals(4), [5, 5, 5]);
});

test('a read that fails is read again for whoever waits, and counted', () => {
  equal(arrivals(4, 'at 0us fail swap next 1').length, 4);
});

test.run();
