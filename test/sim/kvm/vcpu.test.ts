/** The run loop: what comes up between two passes is not lost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

function violationsOf(text: string): readonly string[] {
  const program = lowered(text);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  return simulation.outcome().violations.map(({ message }) => message);
}

test('a timer that expires on the way to the entry calls the entry off', () => {
  // The vCPU is stopped once, by a signal; nothing else makes the guest exit before its own timer does.
  const world = `
language 1
title "late timer"
host h { cpus 2; ram 1MiB }
vm v on h {
  ram 64KiB; vcpus 1; protocol linux_6_12
  guest {
    apf off
    task t on vcpu[0] user { loop { work 50ms } }
    timer tick every 500us on vcpu[0] { work 1us }
  }
}
let cpu = v.vcpu[0]
limit time 900us
hold cpu at before_entry after exit(cpu) until marked("go")
at 400us get_mpstate cpu as stopped
at 600us mark "go"
expect late: count(irq(tick)) == 1 at 700us
`;
  assert.equal(violationsOf(world), []);
});

test.run();
