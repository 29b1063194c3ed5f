/** How far the life of a VM, and of the module that runs it, has gone. */
import { bool, numbered, oneOf, u16, u32 } from '../base/table.ts';

/** A VM, from its boot to kvm_destroy_vm(): told to end, all its file descriptors closed, being taken apart, gone. */
export const VM_STATE = numbered(['RUNNING', 'ENDING', 'CLOSED', 'DESTROYING', 'DESTROYED']);
/** How a VM is ended: by its VMM, which goes on, or together with the VMM's process. */
export const VM_END = numbered(['none', 'destroy', 'kill']);
/** The kvm module of a host. */
export const MODULE = numbered(['LOADED', 'UNLOADING', 'UNLOADED']);

/** Fields of a VM. */
export const LIFE = {
  state: oneOf(VM_STATE),
  end: oneOf(VM_END),
  /** kvm->users_count, and the file descriptors that hold some of it. */
  users_count: u16,
  open_fds: u16,
  /** Of the process' address space: mm_users keeps the mappings, mm_count the structure. */
  mm_users: u16,
  mm_count: u16,
  mm_exited: bool,
} as const;

/** And counters, of what went wrong. */
export const LIFE_COUNTERS = {
  /** References that nobody holds and nobody will drop. */
  nr_leaked_users: u16,
  nr_leaked_mm_users: u16,
  nr_leaked_mm_count: u16,
  nr_mm_uses_after_exit: u32,
  nr_vm_uses_after_free: u32,
  nr_item_uses_after_free: u32,
  nr_items_freed_twice: u32,
  nr_stray_page_puts: u32,
  nr_stray_area_writes: u32,
  nr_tokens_overwritten: u32,
} as const;
