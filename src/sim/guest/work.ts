/** Bits of vcpu.guest_work: what a guest CPU is to do before its next instruction, all behind one test of one field. */

export const GUEST_WORK = {
  /** Write EN: the mechanism off, or on again. */
  apf_off: 1,
  apf_on: 2,
  /** A kernel that is preempted only where it says so has come to such a place. */
  resched: 4,
  /** A reschedule interrupt is to be sent. */
  ipi: 8,
  /** Take this CPU out of use, or begin to use it again. */
  cpu_down: 16,
  cpu_up: 32,
  /** Write a control register, or forget a page: guest/cr.ts has which. */
  cr: 64,
  /** Leave this kernel for another. */
  kexec: 128,
  /** The current task is a hypervisor, which is not in its guest: guest/hypervisor.ts. The last, as all else goes first. */
  hypervisor: 256,
} as const;
