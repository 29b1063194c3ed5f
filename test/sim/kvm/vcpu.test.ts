/** The run loop: what comes up between two passes is not lost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GUEST_TASK } from '../../../src/sim/schema.ts';
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

/** A task waits for a page; whether it goes on, and in how many ready events, by variant. */
function waiting(knobs: string, guest = 'apf on'): { readonly done: boolean; readonly dummies: number } {
  const program = lowered(
    `
language 1
title "one page"
host h { cpus 2; ram 1MiB; workers 1; swap s { size 1MiB; read fixed(90us); depth 2; readahead 8 pages } }
vm v on h { ram 64KiB; vcpus 1; guest { ${guest}; task t on vcpu[0] kernel { work 100us; read page(3); done } } }
variant mine extends ${knobs}
limit time 20ms
at 0us evict v.heap.page(3)
run on variant mine
expect true
`,
    'mine',
  );
  const { machine, runUntil } = createSimulation(program, { paranoid: true });
  runUntil(program.limit_ns);
  return { done: machine.tasks[0]!.state === GUEST_TASK.DONE, dummies: machine.vms[0]!.nr_dummies };
}

test('a halt that is decided in the fault is left when the page comes, or only by accident', () => {
  assert.is(waiting('v6 { halt at_fault_with_unhalt }').done, true);
  assert.is(waiting('v6 { halt at_fault }').done, false);
});

test('a check at each entry tells a paravirtual guest as any other check does', () => {
  const user = 'apf on; task u on vcpu[0] user { work 100us; read page(3); done }';
  assert.is(waiting('linux_2_6_39 { completion_check entry }', user).done, true);
});

test('ready by #PF: always, or only after a not-present', () => {
  assert.is(waiting('linux_2_6_39 { ready_event always }').dummies, 1, 'for a task that never parked');
  assert.is(waiting('linux_2_6_39 { ready_event if_notpresent_injected }').dummies, 0);
});

test('since 5.8 a VM whose LAPIC is in user space cannot switch the mechanism on', () => {
  const en = (variant: string) => {
    const program = lowered(
      `
language 1
title "no LAPIC"
host h { cpus 1; ram 1MiB }
vm v on h { ram 64KiB; vcpus 1; irqchip user; guest { apf on; task t on vcpu[0] user { work 10us } } }
limit time 1ms
expect true
`,
      variant,
    );
    const { machine, runUntil } = createSimulation(program, { paranoid: true });
    runUntil(program.limit_ns);
    return machine.vcpus[0]!.apf_en_val & 1;
  };
  assert.equal([en('linux_4_19'), en('linux_5_8'), en('linux_6_12')], [1, 0, 0]);
});

test('leaving a real HLT is no end of a synthetic halt, though v6 keeps both in mp_state', () => {
  const world = `
language 1
title "HLT"
host h { cpus 1; ram 1MiB }
vm v on h {
  ram 64KiB; vcpus 1; protocol v6
  guest { apf off; task t on vcpu[0] user { loop { work 10us; sleep 90us } } }
}
limit time 2ms
expect halts: count(hlt(v.vcpu[0])) >= 10
never synthetic: unhalt(v.vcpu[0])
`;
  assert.equal(violationsOf(world), []);
});

test('a completion that comes in a real HLT lets the guest go on, and work', () => {
  const world = `
language 1
title "HLT, and a page"
host h { cpus 2; ram 1MiB; workers 1; swap s { size 1MiB; read fixed(300us); depth 2; readahead 8 pages } }
vm v on h {
  ram 64KiB; vcpus 1; protocol linux_4_19
  guest {
    apf off
    task a on vcpu[0] user { work 20us; read page(3); done }
    task b on vcpu[0] kernel { work 10us; hlt; work 400us; done }
    irq nic on vcpu[0] { reschedule }
  }
}
limit time 2ms
at 0us  evict v.heap.page(3)
at 80us irq nic on v.vcpu[0]
expect order hlt(v.vcpu[0]) -> completed(v.heap.page(3)) -> done(b)
expect worked: v.vcpu[0].work >= 400us
`;
  assert.equal(violationsOf(world), []);
});

test.run();
