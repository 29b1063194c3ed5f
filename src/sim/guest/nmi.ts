/**
 * The guest's NMI handler, on a stack of its own that has room for one frame: IST, as on x86-64.
 *
 * Delivery writes the frame to the top of that stack whatever is there. So an NMI that comes while a handler still runs
 * overwrites where that one was to return to: the inner handler returns well, the outer one goes back into itself for
 * ever. Nothing here guards against it; Linux does since 3.3, by noticing the nesting and doing the second one later.
 */
import { KVM_PV_REASON_PAGE_NOT_PRESENT } from '../kvm/kvm_para.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { OBS } from '../observe.ts';
import { FRAME, FRAME_AT, type Vcpu } from '../schema.ts';
import { panic, push_frame, set_frame_at } from './frames.ts';

const NMI_VECTOR = 2;
/** What the token of a frame on the NMI stack says, 0 while it is whole: where the NMI that wrote over it came from. */
const OVERWRITTEN_ELSEWHERE = 1;
const OVERWRITTEN_AT = 2;

/** Handlers of NMIs that were entered and not left. */
export function nmi_depth(vcpu: Vcpu): number {
  let depth = 0;
  for (let level = 0; level < vcpu.depth; level += 1) if (vcpu.frame(level) === FRAME.nmi) depth += 1;
  return depth;
}

/** Whether a handler still runs whose frame another NMI has written over. */
export function nmi_overwritten(vcpu: Vcpu): boolean {
  for (let level = 0; level < vcpu.depth; level += 1)
    if (vcpu.frame(level) === FRAME.nmi && vcpu.frame_token(level) !== 0) return true;
  return false;
}

/** The CPU takes an NMI: through the IST, so that the frame of one before is lost. */
export function deliver_nmi(m: Machine, vcpu: Vcpu): void {
  const top = vcpu.depth - 1;
  for (let level = 0; level <= top; level += 1) {
    if (vcpu.frame(level) !== FRAME.nmi) continue;
    // Interrupted in its own body it will return there; interrupted further up, into a handler that is long over.
    vcpu.set_frame_token(level, level === top ? OVERWRITTEN_AT + vcpu.frame_op(level) : OVERWRITTEN_ELSEWHERE);
  }
  if (m.observe) {
    const vm = vm_of_vcpu(m, vcpu);
    for (let level = 0; level <= top; level += 1)
      if (handles_not_present(vcpu, level)) m.observe(OBS.nmi_during_apf, vm, vcpu.id, -1);
  }
  push_frame(m, vcpu, FRAME.nmi, FRAME_AT.body, NMI_VECTOR, 0);
  observe_senders(m, vcpu);
}

/** Steps of the #PF handler behind its reading the reason, where that was a page that is not present. */
const NOT_PRESENT_STEPS = new Set<number>([
  FRAME_AT.unmap,
  FRAME_AT.reload,
  FRAME_AT.wait,
  FRAME_AT.sdei,
  FRAME_AT.hlt,
  FRAME_AT.halted,
  FRAME_AT.rcu,
]);

/** Whether a handler is that of a not-present event, and not of a ready one or of an ordinary #PF, or is about to find so. */
function handles_not_present(vcpu: Vcpu, level: number): boolean {
  if (vcpu.frame(level) !== FRAME.exc_page_fault) return false;
  const at = vcpu.frame_at(level);
  return at === FRAME_AT.entry ? vcpu.area_flags === KVM_PV_REASON_PAGE_NOT_PRESENT : NOT_PRESENT_STEPS.has(at);
}

/** NMIs are alike: the oldest sender is taken to be meant, and with the last of them the handler finds all the others. */
function observe_senders(m: Machine, vcpu: Vcpu): void {
  const vm = vm_of_vcpu(m, vcpu);
  const last = vcpu.nmi_pending + vcpu.nmi_queued === 0;
  do {
    if (vcpu.nmi_senders.length === 0) return;
    const sender = vcpu.nmi_senders.shift();
    m.observe?.(OBS.nmi, vm, sender, -1);
  } while (last);
}

/** An IRET whose frame was written over: back to where the other NMI had come in. False where the frame is whole. */
export function returns_into_itself(m: Machine, vcpu: Vcpu): boolean {
  const top = vcpu.depth - 1;
  const token = vcpu.frame_token(top);
  if (vcpu.frame(top) !== FRAME.nmi || token === 0) return false;
  if (token === OVERWRITTEN_ELSEWHERE) panic(m, vcpu);
  else {
    vcpu.set_frame_op(top, token - OVERWRITTEN_AT);
    set_frame_at(vcpu, FRAME_AT.body);
  }
  return true;
}
