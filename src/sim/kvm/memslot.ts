/**
 * Memslots: ranges of guest-physical pages and where the VMM has them, and the cache that writes to the shared area use.
 *
 * Models virt/kvm/kvm_main.c. Each VM has two slots: the guest kernel's own low memory, pinned, and the heap.
 * Differs: slots are not changed during a run yet, so the generation only ever shows that a cache was filled.
 */
import type { Machine } from '../machine.ts';
import { HEAP_GFN, MEMSLOTS_PER_VM, VM_HVA, VM_HVA_STRIDE } from '../places.ts';
import type { Memslot, Vcpu } from '../schema.ts';

const PAGE_BYTES = 4096;

/** Fills the slots of a VM and begins their generation. Models kvm_set_memory_region() at the VMM's start. */
export function set_memory_regions(m: Machine, vm: number): void {
  const first = vm * MEMSLOTS_PER_VM;
  const hva = VM_HVA + vm * VM_HVA_STRIDE;
  set_region(m.memslots[first]!, 0, HEAP_GFN, hva);
  set_region(m.memslots[first + 1]!, HEAP_GFN, m.places.vms[vm]!.pages, hva + HEAP_GFN * PAGE_BYTES);
  m.vms[vm]!.memslot_generation = 1;
}

function set_region(slot: Memslot, base_gfn: number, npages: number, userspace_addr: number): void {
  slot.base_gfn = base_gfn;
  slot.npages = npages;
  slot.userspace_addr = userspace_addr;
}

/** The slot that a gfn lies in, or null. Models gfn_to_memslot(). */
export function gfn_to_memslot(m: Machine, vm: number, gfn: number): Memslot | null {
  for (let index = vm * MEMSLOTS_PER_VM; index < (vm + 1) * MEMSLOTS_PER_VM; index += 1) {
    const slot = m.memslots[index]!;
    if (gfn >= slot.base_gfn && gfn < slot.base_gfn + slot.npages) return slot;
  }
  return null;
}

/** Host-virtual address of a gfn, or 0 where no slot has it (KVM_HVA_ERR_BAD). Models gfn_to_hva(). */
export function gfn_to_hva(m: Machine, vm: number, gfn: number): number {
  const slot = gfn_to_memslot(m, vm, gfn);
  return slot ? slot.userspace_addr + (gfn - slot.base_gfn) * PAGE_BYTES : 0;
}

/** Remembers where the shared area of a vCPU is. Models kvm_gfn_to_hva_cache_init(). */
export function kvm_gfn_to_hva_cache_init(m: Machine, vcpu: Vcpu, vm: number, gpa: number): void {
  const gfn = Math.floor(gpa / PAGE_BYTES);
  const hva = gfn_to_hva(m, vm, gfn);
  vcpu.apf_data_gpa = gpa;
  vcpu.apf_data_hva = hva === 0 ? 0 : hva + (gpa % PAGE_BYTES);
  vcpu.apf_data_generation = m.vms[vm]!.memslot_generation;
}

/** Whether the shared area can be reached; looks it up again if the slots have changed. Models kvm_write_guest_cached(). */
export function kvm_guest_cached(m: Machine, vcpu: Vcpu, vm: number): boolean {
  if (vcpu.apf_data_generation !== m.vms[vm]!.memslot_generation)
    kvm_gfn_to_hva_cache_init(m, vcpu, vm, vcpu.apf_data_gpa);
  return vcpu.apf_data_hva !== 0;
}
