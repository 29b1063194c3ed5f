/** NMIs: how many are kept, what blocks them, and the orders of exits in which a host learns that nothing does. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { kvm_inject_nmi, kvm_nmi_allowed, process_nmi } from '../../../src/sim/kvm/nmi.ts';
import { createSimulation } from '../../../src/sim/simulation.ts';
import type { TraceEvent } from '../../../src/trace/event.ts';
import { printEvent } from '../../../src/trace/print.ts';
import { lowered } from '../../lowered.ts';
import { Hand, programOf } from '../hand.ts';

test('one runs and one waits, whatever comes', () => {
  const { m, vcpu } = new Hand(programOf());
  const sent = (count: number) => {
    for (let n = 0; n < count; n += 1) kvm_inject_nmi(m, vcpu);
    process_nmi(vcpu);
    return vcpu.nmi_pending;
  };
  is(sent(5), 2);
  vcpu.nmi_masked = 1;
  is(sent(5), 1);
});

test('2.6.38 has one flag for all', () => {
  const { m, vcpu } = new Hand(programOf('', { base: 'linux_2_6_39' }));
  for (let n = 0; n < 3; n += 1) kvm_inject_nmi(m, vcpu);
  is(vcpu.nmi_pending, 1);
  is(vcpu.nmi_queued, 0);
});

test('an NMI before and a shadow hold the next back, IF does not', () => {
  const { vcpu } = new Hand(programOf());
  vcpu.rflags_if = 0;
  is(kvm_nmi_allowed(vcpu), true);
  vcpu.shadow = 1;
  is(kvm_nmi_allowed(vcpu), false);
  vcpu.shadow = 0;
  vcpu.nmi_masked = 1;
  is(kvm_nmi_allowed(vcpu), false);
});

/** The exits and entries from the first NMI on; two come at once while an interrupt is on its way. */
function exits(isa: string, variant: string): readonly string[] {
  const program = lowered(
    `
language 1
title "two NMIs"
host h { cpus 2; ram 1MiB; isa ${isa}; swap d { size 1MiB; read fixed(100us) } }
vm v on h { ram 64KiB; vcpus 1; guest { apf off
  task t on vcpu[0] user { loop { work 1ms } }
  irq disk on vcpu[0] { work 1us }
  nmi handler { work 2us } } }
limit time 200us
case "now" { at 50us { nmi n1 to v.vcpu[0]; nmi n2 to v.vcpu[0]; irq disk on v.vcpu[0] }
expect true }
`,
    variant,
  );
  const events: TraceEvent[] = [];
  const simulation = createSimulation(program, { trace: 'on', record: event => events.push(event) });
  simulation.runUntil(program.limit_ns);
  return events
    .filter(event => event.time_ns >= 50_000)
    .map(event => printEvent(event, { format: 'ftrace', version: '6.1' }))
    .flatMap(line => {
      const [, what] = line.match(/(reason \S+( excp)?|immediate exit|IRQ 0x\w+)/) ?? [];
      return what && what !== 'reason msr' ? [what] : [];
    });
}

test('on SVM the IRET exits, and the next NMI comes after a single step, as recorded in mg-pv-nmi', () => {
  equal(exits('svm', 'linux_6_1').slice(0, 8), [
    'reason interrupt',
    // The interrupt has to wait behind the NMI, the second NMI behind the first.
    'immediate exit',
    'reason interrupt',
    'reason iret',
    'reason DB excp',
    'immediate exit',
    'reason interrupt',
    'reason iret',
  ]);
});

test('on VMX a window opens at the IRET', () => {
  const seen = exits('vmx', 'linux_6_1');
  is(seen.filter(each => each === 'reason NMI_WINDOW').length, 1);
  is(seen.includes('reason iret'), false);
});

test('before 5.8 nothing comes back at once: what waits behind an NMI waits for its window', () => {
  const seen = exits('svm', 'linux_4_19');
  is(seen.includes('immediate exit'), false);
  is(seen.at(-1), 'IRQ 0x31');
});

test.run();
