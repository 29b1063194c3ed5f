/** The nest of handlers on a guest CPU: what an event pushes, and what IRET takes away. */

import type { Machine } from '../machine.ts';
import { FRAME, type FRAME_AT, FRAMES_MAX, type Vcpu } from '../schema.ts';
import { rcu_irq_enter, rcu_irq_exit } from './rcu.ts';

type Kind = (typeof FRAME)[keyof typeof FRAME];
type FrameAt = (typeof FRAME_AT)[keyof typeof FRAME_AT];

/** What the token of an interrupt's frame says where its end goes to the PIC. */
export const PIC_EOI = 1;

export function frame_at(vcpu: Vcpu): number {
  return vcpu.frame_at(vcpu.depth - 1);
}

export function set_frame_at(vcpu: Vcpu, at: FrameAt): void {
  vcpu.set_frame_at(vcpu.depth - 1, at);
}

/** Enters a handler through an interrupt gate: ring 0, interrupts off. */
export function push_frame(m: Machine, vcpu: Vcpu, kind: Kind, at: FrameAt, vector: number, token: number): void {
  const depth = vcpu.depth;
  if (depth === FRAMES_MAX) {
    panic(m, vcpu);
    return;
  }
  vcpu.set_frame(depth, kind);
  vcpu.set_frame_at(depth, at);
  vcpu.set_frame_vector(depth, vector);
  vcpu.set_frame_token(depth, token);
  vcpu.set_frame_if(depth, vcpu.rflags_if);
  vcpu.set_frame_cpl3(depth, vcpu.cpl3);
  vcpu.set_frame_left_ns(depth, vcpu.op_left_ns);
  vcpu.set_frame_cr2(depth, vcpu.cr2);
  vcpu.depth = depth + 1;
  vcpu.op_left_ns = 0;
  vcpu.rflags_if = 0;
  vcpu.shadow = 0;
  vcpu.cpl3 = 0;
  vcpu.in_hlt = 0;
  if (kind === FRAME.irq || kind === FRAME.apf_ready) {
    rcu_irq_enter(vcpu);
    vcpu.set_frame_rcu(depth, 1);
  }
}

/** Back to what was interrupted. */
export function pop_frame(vcpu: Vcpu): void {
  const top = vcpu.depth - 1;
  if (vcpu.frame_rcu(top) !== 0) rcu_irq_exit(vcpu);
  vcpu.rflags_if = vcpu.frame_if(top) === 1 ? 1 : 0;
  vcpu.cpl3 = vcpu.frame_cpl3(top) === 1 ? 1 : 0;
  vcpu.op_left_ns = vcpu.frame_left_ns(top);
  vcpu.set_frame(top, FRAME.none);
  vcpu.set_frame_at(top, 0);
  vcpu.set_frame_op(top, 0);
  vcpu.set_frame_vector(top, 0);
  vcpu.set_frame_token(top, 0);
  vcpu.set_frame_if(top, 0);
  vcpu.set_frame_cpl3(top, 0);
  vcpu.set_frame_rcu(top, 0);
  vcpu.set_frame_left_ns(top, 0);
  vcpu.set_frame_cr2(top, 0);
  vcpu.depth = top;
}

/** The guest kernel gives up: it spins with interrupts off. */
export function panic(_m: Machine, vcpu: Vcpu): void {
  vcpu.panicked = 1;
  vcpu.rflags_if = 0;
}
