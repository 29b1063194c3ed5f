/** The host's scheduler: everyone gets a fair share, and who has slept long runs at once. */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

/** Milliseconds for which each vCPU has computed after 120 ms. */
function shares(cpus: number, vcpus: number, vm = ''): readonly number[] {
  const program = lowered(
    `
language 1
title "fair shares"
host h { cpus ${cpus}; ram 1MiB }
vm v on h {
  ram 64KiB; vcpus ${vcpus}; ${vm}
  guest { apf off; task t[${vcpus}] on any user { loop { work 1ms } } }
}
limit time 120ms
expect true
`,
    'linux_6_12',
  );
  const { machine, runUntil } = createSimulation(program);
  runUntil(program.limit_ns);
  return machine.vcpus.map(vcpu => Math.round(vcpu.work_ns / 1e6));
}

test('one CPU for as many as there are: each has the same', () => {
  equal(shares(1, 1), [120]);
  equal(shares(1, 2), [60, 60]);
  equal(shares(1, 4), [30, 30, 30, 30]);
});

test('as many CPUs as vCPUs: nobody waits', () => {
  equal(shares(3, 3), [120, 120, 120]);
});

test('pinned to one of two CPUs they share that one', () => {
  equal(shares(2, 2, 'pin [1, 1]'), [60, 60]);
  equal(shares(2, 2, 'pin [0, 1]'), [120, 120]);
});

test('a kworker that is woken does not wait for the slice of who computes', () => {
  const program = lowered(
    `
language 1
title "woken"
host h { cpus 1; ram 1MiB; workers 2; swap d { size 1MiB; read fixed(10ms); depth 4 } }
vm v on h {
  ram 256KiB; vcpus 2
  guest {
    apf off
    task reader on vcpu[0] user { work 10us; read page(17); done }
    task calc on vcpu[1] user { loop { work 100ms } }
  }
}
limit time 40ms
at 0us evict v.heap.page(17)
expect true
`,
    'linux_6_12',
  );
  const at_us = new Map<string, number>();
  const simulation = createSimulation(program, {
    trace: 'sched',
    record({ name, comm, time_ns, args }) {
      const key = name === 'sched_wakeup' ? `wakes ${args[0]}` : name;
      if (comm.startsWith('kworker') || key.startsWith('wakes kworker')) at_us.set(key, time_ns / 1000);
    },
  });
  simulation.runUntil(program.limit_ns);
  const woken = at_us.get('wakes kworker/0:0') ?? Number.NaN;
  const completed = at_us.get('kvm_async_pf_completed') ?? Number.NaN;
  ok(completed - woken < 20, `${completed - woken} us from its wake-up to the completion`);
  is(completed > 10_000, true, 'after the read');
});

test.run();
