/** Snapshots: a plan that keeps the latest, and a start from one of them on another host. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation, type Simulation } from '../../../src/sim/simulation.ts';
import { vm_stopped } from '../../../src/sim/vmm/monitor.ts';
import { lowered } from '../../lowered.ts';

function started(more: string): Simulation {
  const program = lowered(`
language 1
host src { cpus 2; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(3ms); depth 8 } }
host dst { cpus 2; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(3ms); depth 8 } }
vm web on src {
  ram 1MiB; vcpus 2
  guest {
    apf on
    task db  on vcpu[0] user { loop { work 100us } }
    task job on vcpu[1] user { loop { work 100us } }
    timer tick every 250us on vcpu[0] { reschedule }
  }
}
snapshot often of web { interval 1ms; keep 2 }
limit time 20ms
${more}`);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(0);
  return simulation;
}

const taken = ({ machine }: Simulation): readonly number[] => machine.saveds.map(each => each.taken);

test('the latest come first, and the oldest goes', () => {
  const simulation = started('');
  const { machine } = simulation;
  assert.equal(taken(simulation), [0, 0, 0]);
  simulation.runUntil(1_900_000);
  assert.equal(taken(simulation), [1, 0, 0]);
  simulation.runUntil(2_900_000);
  assert.equal(taken(simulation), [1, 1, 0]);
  const work = (row: number): number => machine.layout.tables.saved_vcpu.work_ns(machine.places.saved[row]!.first);
  const [latest, before] = [work(0), work(1)];
  assert.ok(latest > before && before > 0, `${latest} ${before}`);
  simulation.runUntil(3_900_000);
  assert.equal(taken(simulation), [1, 1, 0]);
  assert.is(work(1), latest);
  assert.ok(work(0) > latest);
});

test('restored elsewhere: the guest runs there, its tasks on the CPUs of that incarnation, and nowhere else', () => {
  const simulation = started('at 3500us restore often on dst');
  const { machine } = simulation;
  const [home, there] = [machine.vms[0]!, machine.vms[1]!];
  assert.is(machine.program.vms[1]?.incarnation_of, 0);
  assert.ok(vm_stopped(there));
  simulation.runUntil(15_400_000);
  assert.equal([home.lives_in, home.paused, there.paused], [2, 1, 0]);
  assert.ok(!vm_stopped(there));
  const { first_vcpu } = machine.places.vms[1]!;
  assert.equal(
    machine.tasks.map(task => task.vcpu),
    [first_vcpu, first_vcpu + 1],
  );
  assert.is(machine.vcpus[0]!.nr_entries, machine.vcpus[0]!.nr_exits);
  const entries = machine.vcpus.map(each => each.nr_entries);
  simulation.runUntil(19_000_000);
  const more = machine.vcpus.map((each, id) => each.nr_entries > entries[id]!);
  assert.equal(more, [false, false, true, true]);
});

test('its memory is read in before it runs there', () => {
  const simulation = started('at 3500us restore often on dst\nexpect told: count(restored(web)) == 1');
  const { machine } = simulation;
  const { first_page, pages } = machine.places.vms[1]!;
  const present = (): number =>
    Array.from({ length: pages }, (_, index) => machine.hva.pte(first_page + index)).filter(pte => pte !== 0).length;
  while (machine.vms[0]!.lives_in === 0 && simulation.step());
  assert.is(present(), pages);
  simulation.runUntil(20_000_000);
  assert.is(simulation.outcome().verdict, 'pass');
});

test('what has not been taken is not restored, and the guest goes on at home', () => {
  const simulation = started('at 500us restore often on dst\nat 1500us restore often back 1');
  const { machine } = simulation;
  simulation.runUntil(19_000_000);
  assert.equal([machine.vms[0]!.lives_in, machine.vms[0]!.paused], [0, 0]);
  assert.ok(machine.vcpus[0]!.nr_entries > 50);
});

test('laws: nobody runs where his guest is not, and no snapshot is kept behind one that is not there', () => {
  const twice = started('at 3500us restore often on dst');
  twice.runUntil(15_000_000);
  twice.machine.vms[0]!.paused = 0;
  assert.throws(() => twice.runUntil(19_000_000), 'vm[0] may run, and its guest is elsewhere');
  const hole = started('');
  hole.runUntil(3_900_000);
  hole.machine.saveds[0]!.taken = 0;
  assert.throws(() => hole.runUntil(4_800_000), 'often: the snapshot 1 back is there');
});

test('a save that is refused leaves what is kept', () => {
  const simulation = started(
    'variant strict extends linux_6_12 { save refuse }\nrun on variants [strict]\nlet cold = web.heap.page(17)\nat 0us evict cold\nat 2500us db reads cold',
  );
  simulation.runUntil(2_400_000);
  assert.equal(taken(simulation), [1, 1, 0]);
  const { machine } = simulation;
  const work = machine.layout.tables.saved_vcpu.work_ns(0);
  simulation.runUntil(5_000_000);
  assert.equal(taken(simulation), [1, 1, 0]);
  assert.is(machine.layout.tables.saved_vcpu.work_ns(0), work);
});

test.run();
