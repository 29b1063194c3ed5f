/**
 * Asynchronous page faults, the x86 part: slots, tokens, the hash of outstanding gfns, what the guest is told, MSRs.
 *
 * Everything here models arch/x86/kvm/x86.c (and svm, vmx below it); the lists are async_pf.ts.
 */
import { assert } from '../../base/assert.ts';
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { knobs_of, knobsOfVm, type Machine, vcpu_of, vm_of_vcpu, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import { as_ordered, is_ordered } from '../order.ts';
import { ORDERED } from '../ordered.ts';
import { APF_VECTOR } from '../places.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Knobs } from '../protocol/knobs.ts';
import { NOTIFY, ready_by_interrupt } from '../protocol/notify.ts';
import { ASYNC_PF_PER_VCPU, ENTRY_NOTE, MP_STATE, type Thread, type Vcpu, type Work } from '../schema.ts';
import { kvm_can_deliver_async_pf, kvm_can_do_async_pf, pv_enabled, refuses_halt } from './async_pf_gate.ts';
import { kvm_arch_interrupt_allowed, kvm_inject_page_fault } from './event.ts';
import { EXCEPTION } from './event_state.ts';
import { kvm_clear_exception_queue, kvm_event_needs_reinjection } from './exception.ts';
import {
  APF_AREA_GPA,
  APF_BROADCAST,
  KVM_ASYNC_PF_DELIVERY_AS_INT,
  KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT,
  KVM_ASYNC_PF_ENABLED,
  KVM_ASYNC_PF_SEND_ALWAYS,
  KVM_PV_REASON_PAGE_NOT_PRESENT,
  KVM_PV_REASON_PAGE_READY,
} from './kvm_para.ts';
import { kvm_apic_set_irq } from './lapic.ts';
import { kvm_guest_cached } from './memslot.ts';
import { asks_l1, kvm_queue_exception_vmexit } from './nested.ts';
import { KVM_REQ_APF_HALT, kvm_make_request } from './requests.ts';

// -- Slots ----------------------------------------------------------------------------------------

/** Models kvm_arch_can_dequeue_async_page_present(). */
export function kvm_arch_can_dequeue_async_page_present(m: Machine, vcpu: Vcpu): boolean {
  if (!pv_enabled(m, vcpu)) return true;
  switch (knobs_of(m, vcpu).dequeue) {
    case 'always':
      return true;
    case 'can_inject':
      return (
        vcpu.exception === EXCEPTION.none && !kvm_event_needs_reinjection(vcpu) && kvm_arch_interrupt_allowed(vcpu)
      );
    case 'can_do_async_pf':
      return kvm_can_do_async_pf(m, vcpu);
    case 'token_free':
      return slot_free(m, vcpu);
    case 'lapic_and_token_free':
      return vcpu.lapic_enabled === 1 && slot_free(m, vcpu);
  }
}

/** Where ready tokens wait: what this version has, as far as the guest knows of it. */
export function slot_of(m: Machine, vcpu: Vcpu): Knobs['slot'] {
  const { slot } = knobs_of(m, vcpu);
  return slot === 'ring' && vmSpec(m, vm_of_vcpu(m, vcpu)).guest.slot === 'token' ? 'one_with_ack' : slot;
}

/** Whether one more ready token has a place. Models apf_pageready_slot_free(), and what might have been. */
function slot_free(m: Machine, vcpu: Vcpu): boolean {
  switch (slot_of(m, vcpu)) {
    case 'overwrite':
      return true;
    case 'one_with_ack':
      return vcpu.area_token === 0;
    case 'ring':
      return vcpu.area_ring_length <= ASYNC_PF_PER_VCPU;
  }
}

/** Adds a token behind those that the guest has not taken yet. */
export function push_ready_token(vcpu: Vcpu, token: number): void {
  vcpu.set_area_ring(vcpu.area_ring_length, token);
  vcpu.area_ring_length += 1;
}

/** The guest takes the oldest; 0 where there is none. */
export function shift_ready_token(vcpu: Vcpu): number {
  const length = vcpu.area_ring_length;
  if (length === 0) return 0;
  const token = vcpu.area_ring(0);
  for (let index = 1; index < length; index += 1) vcpu.set_area_ring(index - 1, vcpu.area_ring(index));
  vcpu.set_area_ring(length - 1, 0);
  vcpu.area_ring_length = length - 1;
  return token;
}

// -- Tokens and the hash --------------------------------------------------------------------------

/** Counter in bits 31:12, vcpu_id below. Models alloc_apf_token(). */
export function alloc_apf_token(m: Machine, vcpu: Vcpu): number {
  if (knobs_of(m, vcpu).token === 'nonzero' && (vcpu.apf_id << 12) >>> 0 === 0) vcpu.apf_id = 1;
  const id = vcpu.apf_id;
  vcpu.apf_id = id + 1;
  return ((id << 12) | m.places.vcpus[vcpu.id]!.vcpu_id) >>> 0;
}

/**
 * Models kvm_async_pf_hash_fn(): hash_32(gfn, 6), include/linux/hash.h.
 * Differs: up to 4.6 the multiplier was another, so that other gfns shared a home slot.
 */
export function kvm_async_pf_hash_fn(gfn: number): number {
  return Math.imul(gfn >>> 0, 0x61c88647) >>> 26;
}

/** The slot that holds a gfn, or the one where the search ended. Models kvm_async_pf_gfn_slot(). */
function kvm_async_pf_gfn_slot(m: Machine, vcpu: Vcpu, gfn: number): number {
  const walks_all = knobs_of(m, vcpu).gfn_probe === 'walks_all';
  let key = kvm_async_pf_hash_fn(gfn);
  for (let probes = 0; probes < ASYNC_PF_PER_VCPU; probes += 1) {
    vcpu.nr_gfn_probes += 1;
    const held = vcpu.apf_gfns(key);
    if (held === gfn + 1 || (held === 0 && !walks_all)) break;
    key = (key + 1) & (ASYNC_PF_PER_VCPU - 1);
  }
  return key;
}

/** Whether the page is on its way for this vCPU. Models kvm_find_async_pf_gfn(). */
export function kvm_find_async_pf_gfn(m: Machine, vcpu: Vcpu, gfn: number): boolean {
  return vcpu.apf_gfns(kvm_async_pf_gfn_slot(m, vcpu, gfn)) === gfn + 1;
}

/** Models kvm_add_async_pf_gfn(). There is always a free slot, as there are no more items than slots. */
export function kvm_add_async_pf_gfn(vcpu: Vcpu, gfn: number): void {
  let key = kvm_async_pf_hash_fn(gfn);
  for (let probes = 0; vcpu.apf_gfns(key) !== 0; probes += 1) {
    assert(probes < ASYNC_PF_PER_VCPU, 'apf: a kernel that finds no free slot for a gfn looks for ever');
    key = (key + 1) & (ASYNC_PF_PER_VCPU - 1);
  }
  vcpu.set_apf_gfns(key, gfn + 1);
}

/** Deletion by backward shift: moves up whatever would not be found past the hole. Models kvm_del_async_pf_gfn(). */
export function kvm_del_async_pf_gfn(m: Machine, vcpu: Vcpu, gfn: number): void {
  let i = kvm_async_pf_gfn_slot(m, vcpu, gfn);
  if (vcpu.apf_gfns(i) !== gfn + 1) return;
  let j = i;
  for (;;) {
    vcpu.set_apf_gfns(i, 0);
    let k: number;
    do {
      j = (j + 1) & (ASYNC_PF_PER_VCPU - 1);
      const held = vcpu.apf_gfns(j);
      if (held === 0) return;
      k = kvm_async_pf_hash_fn(held - 1);
      // k lies cyclically in (i, j]: the entry at j is found without passing i.
    } while (i <= j ? i < k && k <= j : i < k || k <= j);
    vcpu.set_apf_gfns(i, vcpu.apf_gfns(j));
    i = j;
  }
}

// -- The synthetic halt ---------------------------------------------------------------------------

/** Marks the vCPU halted for a missing page, in the place that this version has for it. */
export function synthetic_halt(m: Machine, vcpu: Vcpu): void {
  if (knobs_of(m, vcpu).synthetic === 'separate_flag') vcpu.apf_halted = 1;
  else vcpu.mp_state = MP_STATE.HALTED;
  vcpu.nr_synthetic_halts += 1;
  m.observe?.(OBS.halt, vm_of_vcpu(m, vcpu), vcpu.id, -1);
}

/** Ends it. */
export function synthetic_unhalt(m: Machine, vcpu: Vcpu): void {
  if (vcpu.apf_halted) m.observe?.(OBS.unhalt, vm_of_vcpu(m, vcpu), vcpu.id, -1);
  vcpu.apf_halted = 0;
}

/** What stands in for the halt where a fault cannot be told to the guest. */
function ask_to_halt(m: Machine, vcpu: Vcpu): void {
  if (refuses_halt(m, vcpu)) return;
  const { halt } = knobs_of(m, vcpu);
  if (halt === 'at_fault' || halt === 'at_fault_with_unhalt') synthetic_halt(m, vcpu);
  else kvm_make_request(KVM_REQ_APF_HALT, vcpu);
}

// -- Not present, ready ---------------------------------------------------------------------------

/** Writes the first word of the shared area. False where the write fails. Models apf_put_user_notpresent(). */
function apf_put_user(m: Machine, vcpu: Vcpu, value: number): boolean {
  if (!guest_write_ok(m, vcpu)) return false;
  vcpu.area_flags = value;
  return true;
}

function guest_write_ok(m: Machine, vcpu: Vcpu): boolean {
  const vm = m.vms[vm_of_vcpu(m, vcpu)]!;
  if (!kvm_guest_cached(m, vcpu, vm.id)) return false;
  if (vcpu.area_abandoned) {
    vm.nr_stray_area_writes += 1;
    m.observe?.(OBS.stray_write, vm.id, vcpu.id, -1);
  }
  if (vm.fail_token_write === 0) return true;
  vm.fail_token_write -= 1;
  return false;
}

/**
 * Tells the guest that its page is not there, or asks for the vCPU to be halted. Returns whether it was told.
 *
 * Models kvm_arch_async_page_not_present().
 */
export function kvm_arch_async_page_not_present(m: Machine, vcpu: Vcpu, work: Work): boolean {
  if (m.emit) m.emit(TP.kvm_async_pf_not_present, work.token, work.cr2_or_gpa);
  m.observe?.(OBS.not_present, vm_of_vcpu(m, vcpu), work.page, -1);
  kvm_add_async_pf_gfn(vcpu, work.gfn);
  if (kvm_can_deliver_async_pf(m, vcpu)) {
    if (apf_put_user(m, vcpu, KVM_PV_REASON_PAGE_NOT_PRESENT)) {
      kvm_inject_async_page_fault(m, vcpu, work.token);
      return true;
    }
    if (knobs_of(m, vcpu).not_present_write_failure === 'neither') return false;
  }
  if (guarded(m, vcpu, GUARD.halt_when_not_told)) ask_to_halt(m, vcpu);
  return false;
}

/** The same fault again while its page is on its way. Models the repeated-fault branch of kvm_faultin_pfn(). */
export function repeated_fault(m: Machine, vcpu: Vcpu): void {
  m.observe?.(OBS.repeated, vm_of_vcpu(m, vcpu), vcpu.fault_page, -1);
  // 2010: the note that the entry check will find is the sentinel kvm_double_apf.
  if (knobs_of(m, vcpu).halt === 'entry_check') vcpu.apf_note = ENTRY_NOTE.DOUBLE;
  else ask_to_halt(m, vcpu);
}

/**
 * Reports the page and writes its token for the guest; raising the vector is a step of its own.
 *
 * Models kvm_arch_async_page_present().
 */
export function kvm_arch_async_page_present(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  const work = m.works[vcpu.completing - 1]!;
  const knobs = knobs_of(m, vcpu);
  const vm = vm_of_vcpu(m, vcpu);
  if (NOTIFY[knobs.notify].ready === 'external') {
    // The worker has told the guest.
    kvm_del_async_pf_gfn(m, vcpu, work.gfn);
    return present_done(m, vcpu, knobs);
  }
  const stale_token = work.token;
  if (work.wakeup_all) work.token = APF_BROADCAST;
  else if (guarded(m, vcpu, GUARD.ready_unmarks_gfn)) kvm_del_async_pf_gfn(m, vcpu, work.gfn);
  if (work.failed) vcpu.apf_error_gfn = work.gfn + 1;
  if (m.emit)
    m.emit(
      TP.kvm_async_pf_ready,
      knobs.broadcast_token === 'set_after_trace' ? stale_token : work.token,
      work.cr2_or_gpa,
    );
  if (work.wakeup_all) m.observe?.(OBS.broadcast, vm, vcpu.id, -1);
  else m.observe?.(OBS.ready, vm, work.page, -1);

  if (pv_enabled(m, vcpu)) {
    const wanted = work.wakeup_all === 1 || work.notpresent_injected === 1 || knobs.ready_event === 'always';
    const { ready } = NOTIFY[knobs.notify];
    if (wanted && is_ordered(m, ORDERED.ready, vcpu)) as_ordered(m, ORDERED.ready, vcpu, work.token, notify_ready);
    else if (ready === 'pf' && wanted) pf_ready(m, vcpu, work.token, knobs);
    else if (ready === 'interrupt' && wanted && guest_write_ok(m, vcpu)) {
      put_ready_token(m, vcpu, work.token);
      return AT['kvm_arch_async_page_present.raise'];
    }
  }
  return present_done(m, vcpu, knobs);
}

function put_ready_token(m: Machine, vcpu: Vcpu, token: number): void {
  if (slot_of(m, vcpu) === 'ring') push_ready_token(vcpu, token);
  else {
    if (vcpu.area_token !== 0) m.vms[vm_of_vcpu(m, vcpu)]!.nr_tokens_overwritten += 1;
    vcpu.area_token = token;
  }
}

/** The whole of it in one step, for a notification that the scenario has out of the ordinary. */
export function notify_ready(m: Machine, vcpu: Vcpu, token: number): void {
  const knobs = knobs_of(m, vcpu);
  const { ready } = NOTIFY[knobs.notify];
  if (ready === 'pf') pf_ready(m, vcpu, token, knobs);
  else if (ready === 'interrupt' && guest_write_ok(m, vcpu)) {
    put_ready_token(m, vcpu, token);
    ready_interrupt(m, vcpu);
  }
}

/** Ready by #PF, up to 5.7. Models the same function of that time. */
function pf_ready(m: Machine, vcpu: Vcpu, token: number, knobs: Knobs): void {
  if (
    knobs.exception_merge === 'cancel_not_present' &&
    vcpu.area_flags === KVM_PV_REASON_PAGE_NOT_PRESENT &&
    vcpu.exception === EXCEPTION.pending
  ) {
    kvm_clear_exception_queue(vcpu);
    vcpu.area_flags = 0;
    return;
  }
  if (apf_put_user(m, vcpu, KVM_PV_REASON_PAGE_READY)) kvm_inject_async_page_fault(m, vcpu, token);
}

/** The #PF with a token: an exit for L1 where L2 runs, if this version has asked L1; else for whoever runs (B20). */
function kvm_inject_async_page_fault(m: Machine, vcpu: Vcpu, token: number): void {
  if (vcpu.guest_mode && asks_l1(knobs_of(m, vcpu))) kvm_queue_exception_vmexit(m, vcpu, token);
  else kvm_inject_page_fault(m, vcpu, 0, token, token);
}

/**
 * Ready by interrupt: one token at a time, until the guest has acknowledged. With a ring there may be more, and then
 * the interrupt is only for the first.
 */
export function kvm_arch_async_page_present_raise(m: Machine, thread: Thread): At {
  const vcpu = vcpu_of(m, thread);
  if (vmSpec(m, vm_of_vcpu(m, vcpu)).irqchip === 'user') {
    // vcpu->arch.apic is NULL: the thread dies of it, and not it alone (B11).
    m.observe?.(OBS.host_crash, vm_of_vcpu(m, vcpu), vcpu.id, -1);
    return AT.do_exit;
  }
  ready_interrupt(m, vcpu);
  return present_done(m, vcpu, knobs_of(m, vcpu));
}

function ready_interrupt(m: Machine, vcpu: Vcpu): void {
  if (slot_of(m, vcpu) === 'ring' && vcpu.apf_pageready_pending) return;
  vcpu.apf_pageready_pending = 1;
  kvm_apic_set_irq(m, vcpu, vcpu.apf_int_vector);
}

/**
 * The guest has acknowledged. What has come into the ring since it last looked was not told to it: that is made up for.
 */
export function apf_acknowledged(m: Machine, vcpu: Vcpu): void {
  vcpu.apf_pageready_pending = 0;
  if (vcpu.area_ring_length === 0 || slot_of(m, vcpu) !== 'ring') return;
  vcpu.apf_pageready_pending = 1;
  kvm_apic_set_irq(m, vcpu, vcpu.apf_int_vector);
}

/**
 * The worker tells the guest by itself, before the item is on done: an interrupt with the token as its parameter.
 *
 * Models kvm_arch_async_page_present() and __kvm_inject_pfault_token(), arch/s390/kvm/kvm-s390.c.
 */
export function kvm_arch_async_page_present_sync(m: Machine, work: Work): void {
  const vcpu = m.vcpus[work.vcpu - 1]!;
  if (m.emit) m.emit(TP.kvm_async_pf_ready, work.token, work.cr2_or_gpa);
  m.observe?.(OBS.ready, vm_of_vcpu(m, vcpu), work.page, -1);
  if (!pv_enabled(m, vcpu)) return;
  const taker = floating_irq_taker(m, vcpu);
  push_ready_token(taker, work.token);
  kvm_apic_set_irq(m, taker, APF_VECTOR);
}

/**
 * The interrupt is the VM's and not a vCPU's: one that idles takes it, else the one whose page it is.
 *
 * Models __floating_irq_kick(), arch/s390/kvm/interrupt.c. Differs: there, where none idles, they take turns.
 */
function floating_irq_taker(m: Machine, vcpu: Vcpu): Vcpu {
  const vm = vm_of_vcpu(m, vcpu);
  const { first_vcpu } = m.places.vms[vm]!;
  for (let id = first_vcpu; id < first_vcpu + vmSpec(m, vm).vcpus; id += 1) {
    const other = m.vcpus[id]!;
    if (other.waiting && other.rflags_if && pv_enabled(m, other)) return other;
  }
  return vcpu;
}

function present_done(m: Machine, vcpu: Vcpu, knobs: Knobs): At {
  if (knobs.completion_unhalts === 'yes') synthetic_unhalt(m, vcpu);
  if (knobs.completion_mp_state === 'runnable') vcpu.mp_state = MP_STATE.RUNNABLE;
  return AT.kvm_flush_and_free_async_pf_work;
}

// -- MSRs -----------------------------------------------------------------------------------------

/** The value that a guest of this version writes to EN to switch the mechanism on. */
export function apf_en_value(m: Machine, vcpu: Vcpu): number {
  const vm = vm_of_vcpu(m, vcpu);
  const as_int = ready_by_interrupt(knobsOfVm(m, vm)) ? KVM_ASYNC_PF_DELIVERY_AS_INT : 0;
  const always = vmSpec(m, vm).guest.send_always ? KVM_ASYNC_PF_SEND_ALWAYS : 0;
  const exits = vmSpec(m, vm).guest.apf_as_vmexit && asks_l1(knobsOfVm(m, vm)) ? KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT : 0;
  return APF_AREA_GPA + 64 * m.places.vcpus[vcpu.id]!.vcpu_id + KVM_ASYNC_PF_ENABLED + as_int + always + exits;
}

/** Bits 5:2 of the EN MSR that this version does not know; bit 2 came with 4.14, bit 3 with 5.8. */
export function apf_en_reserved(m: Machine, vcpu: Vcpu): number {
  const knobs = knobs_of(m, vcpu);
  if (ready_by_interrupt(knobs)) return 0x30;
  return knobs.gate.includes('nested_optin') ? 0x38 : 0x3c;
}
