/**
 * Memslots: ranges of guest-physical pages and where the VMM has them, and the cache that writes to the shared area use.
 *
 * Models virt/kvm/kvm_main.c. The first slot of a VM is the guest kernel's own low memory, pinned; the others share the
 * heap. A change goes in two steps, so that a fault may find the slot invalid and has to come again.
 */
import type { Machine } from '../machine.ts';
import { HEAP_GFN, VM_HVA, VM_HVA_STRIDE } from '../places.ts';
import type { Memslot, Vcpu } from '../schema.ts';

const PAGE_BYTES = 4096;
/** How far away a slot is moved, in pages: behind all memory that a guest has. */
const MOVED_PAGES = 0x400_0000;

/** Fills the slots of a VM and begins their generation. Models kvm_set_memory_region() at the VMM's start. */
export function set_memory_regions(m: Machine, vm: number): void {
  for (let slot = 0; slot < m.places.vms[vm]!.memslots; slot += 1) set_region(m, vm, slot);
  m.vms[vm]!.memslot_generation = 1;
}

/** A slot as the VMM wants it: the kernel area, or its share of the heap. */
function set_region(m: Machine, vm: number, number: number): void {
  const { memslots, pages } = m.places.vms[vm]!;
  const slot = slot_of(m, vm, number);
  const share = Math.ceil(pages / (memslots - 1));
  slot.base_gfn = number === 0 ? 0 : HEAP_GFN + (number - 1) * share;
  slot.npages = number === 0 ? HEAP_GFN : Math.max(0, Math.min(share, pages - (number - 1) * share));
  slot.userspace_addr = VM_HVA + vm * VM_HVA_STRIDE + slot.base_gfn * PAGE_BYTES;
}

function slot_of(m: Machine, vm: number, number: number): Memslot {
  return m.memslots[m.places.vms[vm]!.first_memslot + number]!;
}

/**
 * First half of a change: the slot is invalid, and nobody may enter anything of it in a table any more. Models
 * kvm_invalidate_memslot(), under a generation of its own.
 */
export function invalidate_memslot(m: Machine, vm: number, number: number): Memslot {
  const slot = slot_of(m, vm, number);
  slot.invalid = 1;
  m.vms[vm]!.memslot_generation += 1;
  return slot;
}

/** Second half: the slot as it is from now on. Models kvm_activate_memslot(). */
export function activate_memslot(m: Machine, vm: number, number: number, change: 'delete' | 'add' | 'move'): void {
  const slot = slot_of(m, vm, number);
  slot.invalid = 0;
  m.vms[vm]!.memslot_generation += 1;
  if (change === 'add') set_region(m, vm, number);
  else if (change === 'move') slot.base_gfn += slot.base_gfn < MOVED_PAGES ? MOVED_PAGES : -MOVED_PAGES;
  else {
    slot.base_gfn = 0;
    slot.npages = 0;
    slot.userspace_addr = 0;
  }
}

/** The slot that a gfn lies in, or null. Models gfn_to_memslot(). */
export function gfn_to_memslot(m: Machine, vm: number, gfn: number): Memslot | null {
  const { first_memslot, memslots } = m.places.vms[vm]!;
  for (let index = first_memslot; index < first_memslot + memslots; index += 1) {
    const slot = m.memslots[index]!;
    if (gfn >= slot.base_gfn && gfn < slot.base_gfn + slot.npages) return slot;
  }
  return null;
}

/** Host-virtual address of a gfn, or 0 where no valid slot has it (KVM_HVA_ERR_BAD). Models gfn_to_hva(). */
export function gfn_to_hva(m: Machine, vm: number, gfn: number): number {
  const slot = gfn_to_memslot(m, vm, gfn);
  return slot && !slot.invalid ? slot.userspace_addr + (gfn - slot.base_gfn) * PAGE_BYTES : 0;
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
