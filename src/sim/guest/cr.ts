/**
 * The guest's writes to control registers, and INVLPG: instructions that the host wants to see when it shadows.
 *
 * Under TDP a new CR3 and an INVLPG are the CPU's affair; a change of CR0.PG is seen in any case.
 */
import { AT, type At } from '../at.ts';
import { EXIT_REASON } from '../kvm/exit_reason.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { tlb_flush, tlb_flush_page } from './tlb.ts';
import { WALKS } from './walks.ts';
import { GUEST_WORK } from './work.ts';

/** What the guest of a vCPU is to execute next; one bit each. */
export const CR = { cr3: 1, pg_off: 2, pg_on: 4, invlpg: 8 } as const;

/** Loads an address space. Models load_new_mm_cr3(), arch/x86/mm/tlb.c. */
export function load_cr3(vcpu: Vcpu, space: number): void {
  if (!shadowed(vcpu)) {
    vcpu.cr3 = space;
    return;
  }
  if (vcpu.cr3 === space) {
    vcpu.cr_write &= ~CR.cr3;
    vcpu.cr3_next = 0;
    return;
  }
  vcpu.cr3_next = space;
  ask(vcpu, CR.cr3);
}

/** Loads the address space that is loaded: all that the CPU remembers of it goes. */
export function reload_cr3(m: Machine, vcpu: Vcpu): void {
  tlb_flush(m, vcpu);
  if (!shadowed(vcpu)) return;
  vcpu.cr3_next = vcpu.cr3;
  ask(vcpu, CR.cr3);
}

/** INVLPG of a page that has been taken out of the tables of the address space that is loaded. */
export function invlpg(m: Machine, vcpu: Vcpu, page: number): void {
  tlb_flush_page(m, vcpu, page);
  if (shadowed(vcpu)) ask(vcpu, CR.invlpg);
}

/** Clears or sets CR0.PG. */
export function write_cr0_pg(vcpu: Vcpu, on: boolean): void {
  vcpu.cr_write &= ~(CR.pg_on | CR.pg_off);
  ask(vcpu, on ? CR.pg_on : CR.pg_off);
}

function ask(vcpu: Vcpu, what: number): void {
  vcpu.cr_write |= what;
  vcpu.guest_work |= GUEST_WORK.cr;
}

/** The next of them: an exit, whose handler takes it off the list. */
export function execute_cr(vcpu: Vcpu): At {
  const { cr_write } = vcpu;
  if (cr_write === 0) return AT.guest;
  if ((cr_write & (cr_write - 1)) !== 0) vcpu.guest_work |= GUEST_WORK.cr;
  vcpu.exit_reason = (cr_write & CR.invlpg) !== 0 ? EXIT_REASON.invlpg : EXIT_REASON.cr_write;
  return AT.handle_exit;
}

function shadowed(vcpu: Vcpu): boolean {
  return vcpu.walks === WALKS.shadow;
}
