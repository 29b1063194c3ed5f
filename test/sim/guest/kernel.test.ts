/** The guest's kernel: sections, forks, priorities, tasks that move, CPUs that go and come. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation, type Simulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

const world = (guest: string, { vm = '', more = '', variant = 'linux_6_12' } = {}) =>
  lowered(
    `
language 1
title "a guest kernel"
host h { cpus 4; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(200us); depth 4; readahead 8 pages } }
vm t on h { ram 256KiB; vcpus 2; ${vm}; guest { ${guest} } }
limit time 20ms
run on variant ${variant}
${more}
`,
    variant,
  );

function run(program: ReturnType<typeof world>): Simulation {
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  return simulation;
}

/** Which of the judgements failed. */
const failed = (simulation: Simulation) => simulation.outcome().violations.map(({ property }) => property);

const holds = (name: string, guest: string, judgements: string, rest: { vm?: string; variant?: string } = {}) =>
  test(name, () => {
    assert.equal(failed(run(world(guest, { ...rest, more: judgements }))), []);
  });

holds(
  'a spinlock keeps the other CPU spinning until it is given back',
  `apf off
   task a on vcpu[0] kernel { lock l; work 2ms; unlock l; done }
   task b on vcpu[1] kernel { work 100us; lock l; work 10us; unlock l; done }`,
  `expect spins: b is spinning at 1ms
   expect waits: not done(b) by 2ms
   expect done(a) and done(b)`,
);

holds(
  'who holds a spinlock is in the snapshot of a guest, and in that of nobody else',
  `apf off
   task a on vcpu[0] kernel { work 1ms; lock l; work 2ms; unlock l; done }
   task b on vcpu[1] kernel { work 1500us; lock l; work 10us; unlock l; done }`,
  `at 2ms save t as snap
   at 6ms restore snap
   expect over: done(b) by 5ms
   expect again: b is spinning at 6500us
   expect not_for_ever: count(done(b)) == 2`,
);

holds(
  'a guest that starts anew finds its spinlocks free',
  `apf off
   task a on vcpu[0] kernel { work 1ms; lock l; work 2ms; unlock l; done }
   task b on vcpu[1] kernel { work 1500us; lock l; work 10us; unlock l; done }`,
  `at 2ms reset t
   expect done(a) and done(b)`,
);

holds(
  'a task that fork names runs when it is forked, and again',
  `apf off
   task parent on vcpu[0] user { work 1ms; fork child; sleep 2ms; fork child; done }
   task child  on vcpu[0] user { work 100us; done }`,
  `expect later: child is not_started at 500us
   expect twice: count(done(child)) == 2`,
);

holds(
  'the higher priority goes first',
  `apf off
   timer tick every 100us on vcpu[0] { reschedule }
   task low  on vcpu[0] user { work 5ms; done }
   task high on vcpu[0] user prio 10 { sleep 1ms; work 2ms; done }`,
  'expect first: done(high) before done(low)',
);

holds(
  'an idle CPU takes over a task that may move; a bound one stays',
  `apf off
   timer tick every 200us on vcpu[0] { reschedule }
   timer tock every 200us on vcpu[1] { reschedule }
   task here  on vcpu[0] user { work 4ms; done }
   task short on vcpu[1] user { work 500us; done }
   task x     on any user { work 4ms; done }
   task y     on any user { work 4ms; done }`,
  `expect moved: migrates(x) or migrates(y)
   expect bound: not migrates(here)
   expect shared: done(x) and done(y) and done(here) by 9ms`,
);

holds(
  'a wake-up on another CPU goes through an interrupt of its own',
  `apf off
   task busy  on vcpu[0] user { work 3ms; done }
   task maker on vcpu[0] user prio 1 { work 1ms; fork far; done }
   task far   on vcpu[1] user { work 100us; done }`,
  `expect sent: some r in trace(kvm_apic_ipi): r.dest_id == 1
   expect soon: done(far) by 1200us`,
);

for (const variant of ['linux_4_19', 'linux_6_12'])
  holds(
    `a CPU goes, its tasks with it, and comes back: ${variant}`,
    `apf on
     timer tock every 200us on vcpu[1] { reschedule }
     task bound on vcpu[1] user { loop { work 100us } }
     task page  on vcpu[1] user { work 900us; read page(17); work 100us; done }`,
    `at 0us evict t.page(17)
     hold swap_read(t.page(17)) for 3ms
     at 2ms offline t.vcpu[1]
     at 15ms online t.vcpu[1]
     expect stalls: not offline(t.vcpu[1]) by 4ms  # EN=0 waits for the work that runs
     expect gone: offline(t.vcpu[1]) by 6ms
     expect moved: bound.vcpu == t.vcpu[0] at 6ms
     expect none: t.vcpu[1].queued == 0 at 6ms
     expect woken: wakes(page) by 6ms
     expect back: online(t.vcpu[1])
     expect registered: t.vcpu[1].apf_enabled at 16ms
     expect done(page)`,
    { variant },
  );

test.run();
