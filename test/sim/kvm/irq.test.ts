/** Who carries an interrupt in: the kernel's LAPIC or PIC, or a VMM that has them. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { AT } from '../../../src/sim/at.ts';
import { kvm_cpu_get_interrupt, kvm_cpu_has_interrupt } from '../../../src/sim/kvm/irq.ts';
import { kvm_apic_set_irq } from '../../../src/sim/kvm/lapic.ts';
import { TASK_STATE } from '../../../src/sim/schema.ts';
import { device_irq } from '../../../src/sim/vmm/irqchip.ts';
import { Hand, programOf } from '../hand.ts';

test('the PIC goes before the LAPIC, and past one that is off', () => {
  const { m, vcpu } = new Hand(programOf());
  kvm_apic_set_irq(m, vcpu, 0x41);
  device_irq(m, vcpu, 0x31, 'pic');
  equal([kvm_cpu_get_interrupt(m, vcpu), kvm_cpu_get_interrupt(m, vcpu)], [0x31, 0x41]);
  vcpu.lapic_enabled = 0;
  device_irq(m, vcpu, 0x31, 'pic');
  is(kvm_cpu_has_interrupt(m, vcpu), true);
});

test('LVT0 is what lets it through', () => {
  const { m, vcpu } = new Hand(programOf('', { vm: 'lvt0 masked' }));
  device_irq(m, vcpu, 0x31, 'pic');
  is(kvm_cpu_has_interrupt(m, vcpu), false);
});

test('a VMM with a LAPIC of its own waits for HLT outside, and hands the vector in', () => {
  const hand = new Hand(programOf('', { vm: 'irqchip user' }));
  const { m, vcpu, thread } = hand;
  vcpu.vmm_halted = 1;
  vcpu.rflags_if = 1;
  hand.put(thread, 'userspace');
  hand.step(thread);
  is(thread.task_state, TASK_STATE.INTERRUPTIBLE);
  device_irq(m, vcpu, 0x41, 'lapic');
  is(thread.task_state, TASK_STATE.RUNNING);
  hand.step(thread);
  is(thread.at, AT.kvm_vcpu_ioctl_interrupt);
  hand.step(thread);
  equal([vcpu.irq_injected, vcpu.irq_vector, vcpu.vmm_halted], [1, 0x41, 0]);
});

test('while the guest does not take interrupts the VMM asks for an exit when it does', () => {
  const hand = new Hand(programOf('', { vm: 'irqchip user' }));
  const { m, vcpu, thread } = hand;
  vcpu.rflags_if = 0;
  device_irq(m, vcpu, 0x41, 'lapic');
  hand.put(thread, 'userspace');
  hand.step(thread);
  is(thread.at, AT.kvm_arch_vcpu_ioctl_run);
  is(vcpu.request_interrupt_window, 1);
  vcpu.rflags_if = 1;
  hand.put(thread, 'vcpu_run.tail');
  hand.step(thread);
  is(thread.at, AT.userspace);
});

test.run();
