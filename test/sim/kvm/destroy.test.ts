/** The end of a VM: who drops which reference, in what order, and what is left. */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { mm_users } from '../../../src/sim/mm/exit_mmap.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

const world = (act: string, variant: string, paging = 'tdp') =>
  createSimulation(
    lowered(
      `
language 1
title "ends"
host h { cpus 2; ram 4MiB; workers 2; swap d { size 4MiB; read fixed(300us); depth 4; readahead 8 pages } }
vm v on h { ram 512KiB; paging ${paging}; vcpus 2; pin [0, 1]; guest { apf on
  task t on vcpu[0] user { work 100us; read page(10); done }
  task u on vcpu[1] user { work 100us; write page(40); work 1ms } } }
evict v.heap.pages(0..63)
${act}
limit time 5ms
expect true
`,
      variant,
    ),
    { paranoid: true },
  );

/** What there is of the VM, whenever that changes. */
function course(act: string, variant: string): readonly string[] {
  const simulation = world(act, variant);
  const [vm] = simulation.machine.vms;
  const states = ['running', 'ending', 'closed', 'destroying', 'destroyed'];
  const said: string[] = [];
  while (simulation.step()) {
    const line = `${states[vm!.state]} fds ${vm!.open_fds} users ${vm!.users_count} mm ${mm_users(simulation.machine, 0)}/${vm!.mm_count}`;
    if (said.at(-1) !== line) said.push(line);
  }
  return said;
}

test('destroyed with nothing outstanding: threads first, then each file descriptor', () => {
  equal(course('at 50us { destroy v }', 'linux_6_12'), [
    'running fds 3 users 3 mm 3/2',
    'ending fds 3 users 3 mm 3/2',
    'ending fds 3 users 3 mm 2/2',
    'ending fds 3 users 3 mm 1/2',
    'ending fds 2 users 2 mm 1/2',
    'ending fds 1 users 1 mm 1/2',
    'closed fds 0 users 0 mm 1/2',
    'destroying fds 0 users 0 mm 1/2',
    'destroyed fds 0 users 0 mm 1/1',
  ]);
});

test('killed: whatever tables the host keeps for the guest are empty before its pages are freed', () => {
  for (const paging of ['tdp', 'shadow', 'nested(l1: tdp, l2: tdp)']) {
    const simulation = world('at 800us { kill v }', 'linux_6_12', paging);
    const { machine } = simulation;
    const entries = () => machine.layout.column('spte', 'entry').values.filter(entry => entry !== 0).length;
    simulation.runUntil(799_000);
    if (paging === 'shadow') ok(entries() > 0);
    simulation.runUntil(5_000_000);
    is(entries(), 0, paging);
    is(simulation.machine.vms[0]!.nr_charged_pages, 0);
  }
});

test('killed: the address space goes before the file descriptors', () => {
  equal(course('at 50us { kill v }', 'linux_6_12').slice(-6), [
    'ending fds 3 users 3 mm 0/1',
    'ending fds 2 users 2 mm 0/1',
    'ending fds 1 users 1 mm 0/1',
    'closed fds 0 users 0 mm 0/1',
    'destroying fds 0 users 0 mm 0/1',
    'destroyed fds 0 users 0 mm 0/0',
  ]);
});

test('with work outstanding, the workers are the last to hold it up to 6.8', () => {
  const last = (variant: string) => course('after took_apf(v.heap.page(10)) + 50us { kill v }', variant);
  is(last('linux_4_19').includes('closed fds 0 users 1 mm 1/2'), true);
  is(last('linux_4_19').at(-1), 'destroyed fds 0 users 0 mm 0/0');
  is(last('linux_6_12').at(-1), 'destroyed fds 0 users 0 mm 0/0');
  is(
    last('linux_6_12').some(line => line.startsWith('closed') && !line.includes('users 0')),
    false,
  );
});

test('a killed VMM leaves no frame and no swap slot behind', () => {
  for (const variant of ['linux_2_6_39', 'linux_4_19', 'linux_6_1', 'linux_6_12']) {
    const simulation = world('after took_apf(v.heap.page(10)) + 50us { kill v }', variant);
    simulation.runUntil(Number.MAX_SAFE_INTEGER);
    const [host] = simulation.machine.hosts;
    equal([host!.nr_free_pages, host!.slots_used], [1024, 0], variant);
  }
});

test('a destroyed VM is zeroes', () => {
  const simulation = world('at 500us { destroy v }', 'linux_6_12');
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  for (const vcpu of simulation.machine.vcpus)
    equal([vcpu.apf_en_val, vcpu.requests, vcpu.apf_queued, vcpu.lapic_enabled, vcpu.frame(0)], [0, 0, 0, 0, 0]);
});

test.run();
