/** HLT inside of the guest, where the VM's HLT exits are off. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

const world = (more: string) => `
language 1
title "a guest that halts by itself"
host h { cpus 1; ram 1MiB; workers 1; swap none }
vm t on h {
  ram 64KiB; vcpus 1; hlt_exits off; protocol linux_6_12
  guest { apf off; task a on vcpu[0] kernel { hlt; read page(1); done }
    irq bell on vcpu[0] { work 1us } }
}
limit time 20ms
${more}
`;

test('nothing but an interrupt ends it', () => {
  const simulation = createSimulation(lowered(world('')));
  simulation.runUntil(20_000_000);
  assert.is(simulation.machine.tasks[0]?.nr_accesses, 0);
  assert.is(simulation.machine.vcpus[0]?.in_hlt, 1);
});

test('an interrupt does', () => {
  const simulation = createSimulation(lowered(world('at 7ms irq bell on t.vcpu[0]')));
  simulation.runUntil(6_900_000);
  assert.is(simulation.machine.tasks[0]?.nr_accesses, 0);
  simulation.runUntil(7_100_000);
  assert.is(simulation.machine.tasks[0]?.nr_accesses, 1);
});

test.run();
