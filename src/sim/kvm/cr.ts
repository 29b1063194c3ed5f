/** Exits for control registers, arch/x86/kvm/x86.c: a new address space, paging on and off, one page forgotten. */
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { CR } from '../guest/cr.ts';
import { tlb_flush } from '../guest/tlb.ts';
import { WALKS } from '../guest/walks.ts';
import { knobs_of, type Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { KVM_REQ_APF_READY, kvm_make_request } from './requests.ts';

/** Where the guest's top-level tables are; CR0 with and without PG. */
const ROOTS_GPA = 0x30_0000;
const CR0_PG = 0x8005_0033;
const CR0_NO_PG = 0x5_0033;

/** Which register an exit is about: CR3, else CR0. */
export function exit_is_cr3(vcpu: Vcpu): boolean {
  return (vcpu.cr_write & CR.cr3) !== 0;
}

/** SVM's exit code: TDP has CR0 writes selected by the bits that change. */
export function svm_cr_exit_code(vcpu: Vcpu): number {
  if (exit_is_cr3(vcpu)) return 0x13;
  return vcpu.walks === WALKS.shadow ? 0x10 : 0x65;
}

/** Models cr_interception(), arch/x86/kvm/svm/svm.c, and handle_cr(), arch/x86/kvm/vmx/vmx.c. */
export function handle_cr(m: Machine, vcpu: Vcpu): At {
  return exit_is_cr3(vcpu) ? kvm_set_cr3(m, vcpu) : kvm_set_cr0(m, vcpu);
}

/** The shadow of another address space is loaded; what it had before is in it still. Models kvm_set_cr3(). */
function kvm_set_cr3(m: Machine, vcpu: Vcpu): At {
  vcpu.cr3 = vcpu.cr3_next;
  vcpu.cr3_next = 0;
  vcpu.cr_write &= ~CR.cr3;
  if (m.emit) m.emit(TP.kvm_cr, 1, 3, ROOTS_GPA + vcpu.cr3 * 0x1000);
  return AT['vcpu_run.tail'];
}

/**
 * Paging on or off: addresses mean something else from now on, and so do those of outstanding items.
 *
 * Models kvm_set_cr0() and kvm_post_set_cr0(). Differs: no other bit of CR0 is ever written.
 */
function kvm_set_cr0(m: Machine, vcpu: Vcpu): At {
  const on = (vcpu.cr_write & CR.pg_on) !== 0 ? 1 : 0;
  vcpu.cr_write &= ~(CR.pg_on | CR.pg_off);
  if (m.emit) m.emit(TP.kvm_cr, 1, 0, on ? CR0_PG : CR0_NO_PG);
  const changed = vcpu.cr0_pg !== on;
  vcpu.cr0_pg = on;
  if (changed) tlb_flush(m, vcpu);
  const { cr0_pg } = knobs_of(m, vcpu);
  if (changed && cr0_pg === 'clear') {
    vcpu.check_return = AT['vcpu_run.tail'];
    return AT.kvm_clear_async_pf_completion_queue;
  }
  if (changed && on && cr0_pg === 'apf_ready') kvm_make_request(KVM_REQ_APF_READY, vcpu);
  return AT['vcpu_run.tail'];
}

/** Models kvm_mmu_invlpg(), arch/x86/kvm/mmu/mmu.c: the write to the table has dropped the shadow's entry already. */
export function handle_invlpg(vcpu: Vcpu): At {
  vcpu.cr_write &= ~CR.invlpg;
  return AT['vcpu_run.tail'];
}
