/**
 * Names of the steps of every kind of host thread: a thread's `at` is an index into STEP_NAMES.
 *
 * The functions behind the names are listed in steps.ts, where leaving one out does not compile. Names are those of
 * the kernel functions whose work the step does; a step of several in one function has a suffix after a dot.
 */
import { present } from '../base/assert.ts';
import { numbered } from '../base/table.ts';

export const AT = numbered([
  // Any thread: nothing to do, never scheduled.
  'off',

  // vCPU threads, outside the kernel: the VMM's own loop around ioctl(KVM_RUN).
  'userspace',
  'userspace.memory_fault',
  'kvm_vcpu_ioctl_interrupt',
  'kvm_vcpu_ioctl_nmi',
  // The VMM's main thread.
  'vmm',
  // What a VMM asks of a vCPU that is out of KVM_RUN, kvm/ioctl.ts.
  'kvm_drain_async_pf',
  'kvm_arch_vcpu_ioctl_get_regs',
  'kvm_arch_vcpu_ioctl_get_sregs',
  'msr_io.get',
  'kvm_arch_vcpu_ioctl_get_mpstate',
  'kvm_vcpu_ioctl_get_lapic',
  'kvm_vcpu_ioctl_x86_get_vcpu_events',
  'kvm_arch_vcpu_ioctl_set_regs',
  'kvm_arch_vcpu_ioctl_set_sregs',
  'msr_io.set',
  'kvm_vcpu_ioctl_x86_set_vcpu_events',
  'kvm_arch_vcpu_ioctl_set_mpstate',
  'kvm_vcpu_ioctl_set_lapic',
  'run_on_cpu.done',
  // Reset, kvm/reset.ts.
  'kvm_vcpu_reset',
  'kvm_vcpu_reset.start',
  'clear_queue',
  'vmm.join',
  'kvm_set_memslot',
  'kvm_set_memslot.activate',
  'kvm_put_msrs',
  'kvm_vcpu_release',
  'kvm_vm_release',
  // The end of a thread of the VMM, and of its address space.
  'do_exit',
  'do_exit.notify',
  'exit_mmap',
  // The last kvm_put_kvm(), in whichever thread.
  'kvm_destroy_vm',
  'kvm_free_vcpus',
  'kvm_arch_free_vm',
  // Run loop, arch/x86/kvm/x86.c.
  'kvm_arch_vcpu_ioctl_run',
  'kvm_arch_vcpu_reset',
  'kvm_apic_accept_events',
  'kvm_apic_accept_events.reset',
  'vcpu_run',
  'vcpu_run.tail',
  'vcpu_block',
  'kvm_vcpu_halt.poll',
  'kvm_vcpu_block',
  'kvm_vcpu_block.check',
  'kvm_vcpu_block.schedule',
  'kvm_vcpu_block.finish',
  'kvm_vcpu_block.leave',
  'vcpu_enter_guest',
  'vcpu_enter_guest.requests',
  'vcpu_enter_guest.checked',
  'kvm_check_and_inject_events',
  'vcpu_enter_guest.in_guest_mode',
  'kvm_vcpu_exit_request',
  'vcpu_run_guest',
  'guest',
  'handle_exit',
  'handle_exit.wrmsr_done',
  // Faults, arch/x86/kvm/mmu.
  'kvm_faultin_pfn',
  'kvm_faultin_pfn.userfault',
  'kvm_faultin_pfn.async',
  'kvm_setup_async_pf',
  'kvm_setup_async_pf.link',
  'kvm_setup_async_pf.schedule_work',
  'kvm_faultin_pfn.sync',
  'kvm_tdp_mmu_map',
  'paging64_page_fault',
  'paging64_fetch',
  'kvm_mmu_track_write',
  // Completion, virt/kvm/async_pf.c and arch/x86/kvm/x86.c.
  'kvm_check_async_pf_completion',
  'kvm_check_async_pf_completion.entry',
  'kvm_check_async_pf_completion.entry_unlink',
  'kvm_check_async_pf_completion.unlink',
  'kvm_arch_async_page_ready',
  'kvm_arch_async_page_present',
  'kvm_arch_async_page_present.raise',
  'kvm_flush_and_free_async_pf_work',
  'kvm_async_pf_wakeup_all',
  'kvm_async_pf_wakeup_all.append',
  'kvm_async_pf_wakeup_all.link',
  'kvm_clear_async_pf_completion_queue',
  'kvm_clear_async_pf_completion_queue.cancel',
  'kvm_clear_async_pf_completion_queue.done',
  'kvm_clear_async_pf_completion_queue.flush',

  // get_user_pages() in whichever thread called it, mm/.
  'get_user_pages.lock',
  'get_user_pages.wait',

  // The VMM's main thread at work on its own address space, mm/mmap.c and mm/madvise.c.
  'do_mmap',
  'do_mmap.done',
  'do_madvise',
  'do_madvise.zap',
  'do_madvise.done',
  'qemu_loadvm_state',

  // The process behind userfault memory, fs/userfaultfd.c.
  'userfaultfd_read',
  'kvm_async_pf_complete',
  'uffd_handler.fetch',
  'mfill_atomic',

  // The source of a migration, migrate/source.ts.
  'migration_thread',
  'ram_save_iterate',
  'ram_save_page',
  'ram_save_iterate.end',
  'migration_completion',
  'qemu_savevm_state_complete',
  'migration_wait',
  // Its destination, migrate/incoming.ts.
  'process_incoming_migration',
  'ram_load_page',
  'ram_load_page.placed',
  'postcopy_ram_discard',
  'process_incoming_migration.exit',
  'postcopy_ram_fault_thread',

  // kworkers.
  'worker_thread',
  'async_pf_execute',
  'async_pf_execute.present',
  'async_pf_execute.append',
  'async_pf_execute.link',
  'async_pf_execute.mark',
  'async_pf_execute.request',
  'async_pf_execute.kick',
  'async_pf_execute.kick_vcpu',
  'async_pf_execute.trace',
  'async_pf_execute.wake',
  'async_pf_execute.put',
  'async_pf_execute.put_vm',
  'async_pf_execute.return',

  // kswapd, which also carries out a scenario's `evict`.
  'kswapd',
  'mmu_notifier_invalidate_range_start',
  'try_to_unmap',
  'mmu_notifier_invalidate_range_end',
]);

export type At = (typeof AT)[keyof typeof AT];
export const STEP_NAMES = Object.keys(AT) as readonly (keyof typeof AT)[];
/** The step that a scenario calls `before_entry`: the first of vcpu_enter_guest(). */
export const BEFORE_ENTRY: At = AT.vcpu_enter_guest;

/** The step of that name in a scenario. */
export function stepNamed(name: string): At {
  if (name === 'before_entry') return BEFORE_ENTRY;
  return present(
    Object.entries(AT).find(([step]) => step === name),
    `${name} is a step`,
  )[1];
}
