/** What the CPU does with an event that went in with the entry: the handler that begins. */
import { EXCEPTION } from '../kvm/event_state.ts';
import { kvm_clear_exception_queue, VECTOR } from '../kvm/exception.ts';
import { type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { APF_VECTOR } from '../places.ts';
import { FRAME, FRAME_AT, type Vcpu } from '../schema.ts';
import { PIC_EOI, panic, push_frame } from './frames.ts';
import { l2_page_fault } from './hypervisor.ts';
import { deliver_nmi } from './nmi.ts';

/** What was injected with this entry becomes a handler that runs. */
export function deliver_event(m: Machine, vcpu: Vcpu): void {
  if (vcpu.exception === EXCEPTION.injected) {
    const { exception_nr: nr, exception_token: token } = vcpu;
    kvm_clear_exception_queue(vcpu);
    if (vcpu.guest_mode) l2_page_fault(m, vcpu);
    else if (nr === VECTOR.DF) panic(m, vcpu);
    else if (nr === VECTOR.PF) push_frame(m, vcpu, FRAME.exc_page_fault, FRAME_AT.entry, nr, token);
    else push_frame(m, vcpu, FRAME.exc_other, FRAME_AT.iret, nr, 0);
    return;
  }
  if (vcpu.nmi_injected) {
    vcpu.nmi_injected = 0;
    deliver_nmi(m, vcpu);
    return;
  }
  if (!vcpu.irq_injected) return;
  const vector = vcpu.irq_vector;
  vcpu.irq_injected = 0;
  vcpu.irq_vector = 0;
  const eoi = vcpu.irq_extint ? PIC_EOI : 0;
  vcpu.irq_extint = 0;
  const interrupt = m.places.interruptAt[vcpu.id]![vector]!;
  // kvm-unit-tests ends the interrupt last, Linux first.
  const unit_test = vmSpec(m, vm_of_vcpu(m, vcpu)).guest.on_not_present === 'halt';
  if (interrupt < 0 && vector === APF_VECTOR)
    push_frame(m, vcpu, FRAME.apf_ready, unit_test ? FRAME_AT.token : FRAME_AT.eoi, vector, 0);
  else push_frame(m, vcpu, FRAME.irq, FRAME_AT.eoi, vector, eoi);
  if (interrupt < 0) return;
  const vm = vm_of_vcpu(m, vcpu);
  m.observe?.(OBS.irq, vm, interrupt, -1);
  m.observe?.(OBS.runs, vm, vcpu.id, interrupt);
}
