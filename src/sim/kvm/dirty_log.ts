/**
 * Dirty logging: KVM notes which pages the guest writes, so that a VMM can send those again.
 *
 * Three ways. Write protection: a clean page is mapped read-only, the first write exits and is noted. PML (VMX): the CPU
 * itself notes the first write to a clean page in a buffer, and exits when that is full. The ring: notes go to a ring of
 * each vCPU that the VMM reaps, and a vCPU whose ring is nearly full goes to user space first.
 * The newcomer's mistake is to look for a cost per write: a page costs once per round.
 * Differs: a huge leaf is split when logging starts, as since 5.18, and before that at its first write; the guest's own small area is not logged, as
 * it travels with the vCPUs.
 */
import { TP } from '../../trace/all.ts';
import { AT, type At } from '../at.ts';
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { block_set, DIRTY, LOGGED } from '../migrate/ram.ts';
import { DIRTY_LOG, DIRTY_RING_ENTRIES, PML_ENTRIES } from '../migrate/tables.ts';
import { PTE_DIRTY, pte_present, pte_write } from '../mm/page.ts';
import type { Vcpu } from '../schema.ts';
import { l2_zap_page } from './nested_spte.ts';
import { kvm_flush_remote_tlbs, kvm_write_protect_gfn } from './notifier.ts';
import { KVM_REQ_DIRTY_RING_SOFT_FULL, kvm_make_request } from './requests.ts';
import { tdp_allow_write, tdp_huge, tdp_mapped, tdp_split_huge_page } from './tdp.ts';

/** Entries kept free for what KVM itself may still write. Models kvm_dirty_ring_get_rsvd_entries(), virt/kvm/dirty_ring.c. */
const RSVD_ENTRIES = 64 + PML_ENTRIES;
const SOFT_LIMIT = DIRTY_RING_ENTRIES - RSVD_ENTRIES;
const KVM_EXIT_DIRTY_RING_FULL = 31;

/** Notes that a page is being written. Models mark_page_dirty_in_slot(), virt/kvm/kvm_main.c. */
export function mark_page_dirty_in_slot(m: Machine, vcpu: Vcpu, page: number): void {
  const vm = vm_of_vcpu(m, vcpu);
  const { dirty_log } = m.vms[vm]!;
  if (dirty_log === DIRTY_LOG.off) return;
  const index = page - m.places.vms[vm]!.first_page;
  if (dirty_log === DIRTY_LOG.ring) kvm_dirty_ring_push(m, vcpu, index);
  else block_set(m, vm, index, LOGGED);
}

/** Models kvm_dirty_ring_push(), virt/kvm/dirty_ring.c. */
function kvm_dirty_ring_push(m: Machine, vcpu: Vcpu, index: number): void {
  vcpu.set_dirty_ring(vcpu.dirty_index % DIRTY_RING_ENTRIES, index + 1);
  vcpu.dirty_index += 1;
  const used = vcpu.dirty_index - vcpu.reset_index;
  const { vcpu_id } = m.places.vcpus[vcpu.id]!;
  if (m.emit) m.emit(TP.kvm_dirty_ring_push, vcpu_id, vcpu.dirty_index, vcpu.reset_index, 1, index, used);
  if (used >= SOFT_LIMIT) kvm_make_request(KVM_REQ_DIRTY_RING_SOFT_FULL, vcpu);
}

/** PML: the CPU logs the first write to a clean page by itself. False where it cannot: the buffer is full, it exits. */
export function pml_log_write(m: Machine, vcpu: Vcpu, page: number): boolean {
  const vm = vm_of_vcpu(m, vcpu);
  if (vcpu.pml_index === PML_ENTRIES) return false;
  vcpu.set_pml(vcpu.pml_index, page - m.places.vms[vm]!.first_page + 1);
  vcpu.pml_index += 1;
  tdp_allow_write(m, vm, page);
  return true;
}

/** Whether a write that the tables refuse is PML's to log. */
export function is_pml_write(m: Machine, vm: number, page: number): boolean {
  return m.vms[vm]!.dirty_log === DIRTY_LOG.pml && tdp_mapped(m, vm, page) && pte_write(m.hva.pte(page));
}

/** Empties the buffer into the bitmap, at every exit. Models vmx_flush_pml_buffer(), arch/x86/kvm/vmx/vmx.c. */
export function flush_pml_buffer(m: Machine, vcpu: Vcpu): void {
  const vm = vm_of_vcpu(m, vcpu);
  for (let entry = 0; entry < vcpu.pml_index; entry += 1) {
    block_set(m, vm, vcpu.pml(entry) - 1, LOGGED);
    vcpu.set_pml(entry, 0);
  }
  vcpu.pml_index = 0;
}

/** Logging begins: every page is clean. Models kvm_mmu_slot_apply_flags(), arch/x86/kvm/x86.c. */
export function dirty_log_start(m: Machine, vm: number, kind: (typeof DIRTY_LOG)[keyof typeof DIRTY_LOG]): void {
  const { first_page, pages } = m.places.vms[vm]!;
  m.vms[vm]!.dirty_log = kind;
  for (let page = first_page; page < first_page + pages; page += 1) {
    if (tdp_huge(m, vm, page)) tdp_split_huge_page(m, vm, page);
    protect(m, vm, page);
  }
  kvm_flush_remote_tlbs(m, vm);
}

/** Logging ends. What is write-protected becomes writable at its next fault. */
export function dirty_log_stop(m: Machine, vm: number): void {
  const place = m.places.vms[vm]!;
  m.vms[vm]!.dirty_log = DIRTY_LOG.off;
  for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) {
    const vcpu = m.vcpus[place.first_vcpu + id]!;
    vcpu.pml_index = 0;
    vcpu.dirty_index = 0;
    vcpu.reset_index = 0;
    if (m.program.migrations.some(({ dirty_log }) => dirty_log === 'pml'))
      for (let entry = 0; entry < PML_ENTRIES; entry += 1) vcpu.set_pml(entry, 0);
    if (m.program.migrations.some(({ dirty_log }) => dirty_log === 'ring'))
      for (let entry = 0; entry < DIRTY_RING_ENTRIES; entry += 1) vcpu.set_dirty_ring(entry, 0);
  }
  for (let index = 0; index < place.pages; index += 1)
    m.ram_block.set_bits(place.first_block + index, m.ram_block.bits(place.first_block + index) & ~LOGGED);
}

/** The next write is to be noticed again. What the guest has written stays newer than swap. */
function protect(m: Machine, vm: number, page: number): void {
  const of_l2 = l2_zap_page(m, vm, page);
  if (!kvm_write_protect_gfn(m, vm, page) && !of_l2) return;
  const pte = m.hva.pte(page);
  if (pte_present(pte)) m.hva.set_pte(page, pte | PTE_DIRTY);
}

/**
 * KVM_GET_DIRTY_LOG, or reaping all rings: moves what was noted to the VMM's bitmap and protects those pages again.
 * Returns how many pages are new in the bitmap.
 *
 * Models kvm_get_dirty_log_protect(), virt/kvm/kvm_main.c, and kvm_arch_sync_dirty_log(), arch/x86/kvm/x86.c.
 * Differs: a buffer of PML is emptied here and now, where KVM kicks the vCPU and finds the rest in the next round.
 */
export function kvm_get_dirty_log(m: Machine, vm: number): number {
  const place = m.places.vms[vm]!;
  let fresh = 0;
  for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) {
    const vcpu = m.vcpus[place.first_vcpu + id]!;
    if (vcpu.pml_index > 0) flush_pml_buffer(m, vcpu);
    fresh += kvm_dirty_ring_reap(m, vcpu);
  }
  for (let index = 0; index < place.pages; index += 1) {
    const row = place.first_block + index;
    const bits = m.ram_block.bits(row);
    if ((bits & LOGGED) === 0) continue;
    if ((bits & DIRTY) === 0) fresh += 1;
    m.ram_block.set_bits(row, (bits & ~LOGGED) | DIRTY);
    protect(m, vm, place.first_page + index);
  }
  kvm_flush_remote_tlbs(m, vm);
  return fresh;
}

/**
 * The VMM takes what is in a vCPU's ring, and has KVM protect those pages again.
 *
 * Models kvm_dirty_ring_reap_one() of QEMU and kvm_dirty_ring_reset(), virt/kvm/dirty_ring.c.
 */
function kvm_dirty_ring_reap(m: Machine, vcpu: Vcpu): number {
  const vm = vm_of_vcpu(m, vcpu);
  let fresh = 0;
  if (vcpu.dirty_index === vcpu.reset_index) return 0;
  while (vcpu.reset_index < vcpu.dirty_index) {
    const entry = vcpu.reset_index % DIRTY_RING_ENTRIES;
    const index = vcpu.dirty_ring(entry) - 1;
    vcpu.set_dirty_ring(entry, 0);
    vcpu.reset_index += 1;
    if (block_set(m, vm, index, DIRTY)) fresh += 1;
    protect(m, vm, m.places.vms[vm]!.first_page + index);
  }
  kvm_flush_remote_tlbs(m, vm);
  const { vcpu_id } = m.places.vcpus[vcpu.id]!;
  if (m.emit) m.emit(TP.kvm_dirty_ring_reset, vcpu_id, vcpu.dirty_index, vcpu.reset_index, 0);
  return fresh;
}

/**
 * The ring is nearly full: out to the VMM, which reaps it.
 *
 * Models kvm_dirty_ring_check_request(), virt/kvm/dirty_ring.c, and kvm_cpu_exec() of QEMU.
 */
export function kvm_dirty_ring_full(m: Machine, vcpu: Vcpu): At {
  if (m.emit) {
    m.emit(TP.kvm_dirty_ring_exit, m.places.vcpus[vcpu.id]!.vcpu_id);
    m.emit(TP.kvm_userspace_exit, KVM_EXIT_DIRTY_RING_FULL, 0);
  }
  const vm = m.vms[vm_of_vcpu(m, vcpu)]!;
  const fresh = kvm_dirty_ring_reap(m, vcpu);
  if (vm.migrating !== 0) m.migrations[vm.migrating - 1]!.nr_dirty += fresh;
  return AT.userspace;
}
