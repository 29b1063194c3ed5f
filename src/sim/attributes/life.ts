/** What a scenario can ask about the life of a VM: who holds it, how far its end has come, and what went wrong at it. */
import { VM_STATE } from '../life.ts';
import type { Machine } from '../machine.ts';
import { mm_users } from '../mm/exit_mmap.ts';
import { count, type Description, state, words } from './attribute.ts';
import { leaked } from './work.ts';

function leakedItems(m: Machine, vm: number): number {
  const { first_vcpu } = m.places.vms[vm]!;
  let total = 0;
  for (let id = 0; id < m.program.vms[vm]!.vcpus; id += 1) total += leaked(m, first_vcpu + id);
  return total;
}

/** Closed, and kept by references alone that nobody will drop. */
function isLeaked(m: Machine, vm: number): boolean {
  const { state, users_count, nr_leaked_users } = m.vms[vm]!;
  return state === VM_STATE.CLOSED && nr_leaked_users > 0 && users_count === nr_leaked_users;
}

/** Frames that still hold a page of an address space that is gone. */
function leakedPages(m: Machine, vm: number): number {
  if (!m.vms[vm]!.mm_exited) return 0;
  const { first_page, pages } = m.places.vms[vm]!;
  let found = 0;
  for (let pfn = 0; pfn < m.frame.capacity; pfn += 1) {
    const page = m.frame.hva(pfn) - 1;
    if (page >= first_page && page < first_page + pages) found += 1;
  }
  return found;
}

export const life: Pick<Description, 'attributes' | 'states'> = {
  attributes: {
    life: words(Object.keys(VM_STATE), 'How far it has come.', (m, row) => m.vms[row]!.state, 'vm.state'),
    users: count('kvm->users_count: references to it.', (m, row) => m.vms[row]!.users_count, 'vm.users_count'),
    open_fds: count('Open file descriptors of it and its vCPUs.', (m, row) => m.vms[row]!.open_fds, 'vm.open_fds'),
    mm_users: count("References to its process' mappings.", mm_users, 'vm.mm_users'),
    mm_count: count("References to its process' mm_struct.", (m, row) => m.vms[row]!.mm_count, 'vm.mm_count'),
    leaked_items: count("Its work items that are on no list and in nobody's hands: leaked(apf_items).", leakedItems),
    leaked_vms: count('1 where it is closed and never destroyed: leaked(vms).', (m, row) => (isLeaked(m, row) ? 1 : 0)),
    leaked_pages: count('Frames with pages of an address space that is gone: leaked(pages).', leakedPages),
    items_freed_twice: count(
      'Work items that were freed a second time: freed_once(apf_items).',
      (m, row) => m.vms[row]!.nr_items_freed_twice,
      'vm.nr_items_freed_twice',
    ),
    stray_puts: count(
      'Pages that were put and that nobody had taken: freed_once(pages).',
      (m, row) => m.vms[row]!.nr_stray_page_puts,
      'vm.nr_stray_page_puts',
    ),
    stray_writes: count(
      'Writes of the host to memory that the guest had given up sharing.',
      (m, row) => m.vms[row]!.nr_stray_area_writes,
      'vm.nr_stray_area_writes',
    ),
    tokens_overwritten: count(
      'Tokens that the host wrote over one that the guest had not read.',
      (m, row) => m.vms[row]!.nr_tokens_overwritten,
      'vm.nr_tokens_overwritten',
    ),
    mm_uses_after_exit: count(
      'Looks into page tables that were gone: use_after_free(mm).',
      (m, row) => m.vms[row]!.nr_mm_uses_after_exit,
      'vm.nr_mm_uses_after_exit',
    ),
    vm_uses_after_free: count(
      'Work functions that used it when it was gone: use_after_free(vm).',
      (m, row) => m.vms[row]!.nr_vm_uses_after_free,
      'vm.nr_vm_uses_after_free',
    ),
    item_uses_after_free: count(
      'Stores into work items that had been freed: use_after_free(apf_items).',
      (m, row) => m.vms[row]!.nr_item_uses_after_free,
      'vm.nr_item_uses_after_free',
    ),
    module_text_uses: count(
      'Work functions on its host that ran on in a module that was gone: use_after_free(module_text).',
      (m, row) => m.hosts[m.program.vms[row]!.host]!.nr_module_text_uses,
      'host.nr_module_text_uses',
    ),
  },
  states: {
    destroyed: state('kvm_destroy_vm() has ended.', (m, row) => m.vms[row]!.state === VM_STATE.DESTROYED),
    closed: state('All its file descriptors are closed.', (m, row) => m.vms[row]!.open_fds === 0),
  },
};

/** What each word of `leaked`, `freed_once` and `use_after_free` reads of a VM. */
export const LEAKED = { apf_items: 'leaked_items', vms: 'leaked_vms', pages: 'leaked_pages' } as const;
export const FREED_TWICE = { apf_items: 'items_freed_twice', pages: 'stray_puts' } as const;
export const USED_AFTER_FREE = {
  apf_items: 'item_uses_after_free',
  mm: 'mm_uses_after_exit',
  vm: 'vm_uses_after_free',
  module_text: 'module_text_uses',
} as const;
