/**
 * Every step there is, by name. Leaving one out does not compile.
 *
 * A step runs to its end unseen; what it returns is where its thread goes on. The timed engine gives steps to host
 * CPUs; an explorer interleaves the same functions.
 */
import { AT, type At, STEP_NAMES } from './at.ts';
import { guest } from './guest/cpu.ts';
import { worker_thread } from './host/workqueue.ts';
import {
  kvm_async_pf_wakeup_all,
  kvm_async_pf_wakeup_all_append,
  kvm_async_pf_wakeup_all_link,
  kvm_check_async_pf_completion,
  kvm_check_async_pf_completion_unlink,
  kvm_flush_and_free_async_pf_work,
} from './kvm/async_pf.ts';
import {
  kvm_clear_async_pf_completion_queue,
  kvm_clear_async_pf_completion_queue_cancel,
  kvm_clear_async_pf_completion_queue_done,
  kvm_clear_async_pf_completion_queue_flush,
} from './kvm/async_pf_clear.ts';
import {
  async_pf_execute,
  async_pf_execute_append,
  async_pf_execute_kick,
  async_pf_execute_kick_vcpu,
  async_pf_execute_link,
  async_pf_execute_mark,
  async_pf_execute_present,
  async_pf_execute_put,
  async_pf_execute_put_vm,
  async_pf_execute_request,
  async_pf_execute_return,
  async_pf_execute_trace,
  async_pf_execute_wake,
} from './kvm/async_pf_execute.ts';
import { kvm_async_pf_complete, kvm_faultin_pfn_userfault, userspace_memory_fault } from './kvm/async_pf_userfault.ts';
import { kvm_arch_async_page_present, kvm_arch_async_page_present_raise } from './kvm/async_pf_x86.ts';
import {
  kvm_vcpu_block,
  kvm_vcpu_block_check,
  kvm_vcpu_block_finish,
  kvm_vcpu_block_leave,
  kvm_vcpu_block_schedule,
  kvm_vcpu_halt_poll,
  vcpu_block,
} from './kvm/block.ts';
import { kvm_arch_free_vm, kvm_destroy_vm, kvm_free_vcpus } from './kvm/destroy.ts';
import { kvm_check_and_inject_events } from './kvm/event.ts';
import { handle_exit, handle_exit_wrmsr_done } from './kvm/exit.ts';
import {
  kvm_arch_vcpu_ioctl_get_mpstate,
  kvm_arch_vcpu_ioctl_get_regs,
  kvm_arch_vcpu_ioctl_get_sregs,
  kvm_arch_vcpu_ioctl_set_mpstate,
  kvm_arch_vcpu_ioctl_set_regs,
  kvm_arch_vcpu_ioctl_set_sregs,
  kvm_drain_async_pf,
  kvm_vcpu_ioctl_get_lapic,
  kvm_vcpu_ioctl_set_lapic,
  kvm_vcpu_ioctl_x86_get_vcpu_events,
  kvm_vcpu_ioctl_x86_set_vcpu_events,
  msr_io_get,
  msr_io_set,
  run_on_cpu_end,
} from './kvm/ioctl.ts';
import {
  kvm_arch_async_page_ready,
  kvm_faultin_pfn,
  kvm_faultin_pfn_async,
  kvm_faultin_pfn_sync,
  kvm_setup_async_pf,
  kvm_setup_async_pf_link,
  kvm_setup_async_pf_schedule_work,
  kvm_tdp_mmu_map,
} from './kvm/mmu.ts';
import { kvm_mmu_track_write, paging64_fetch, paging64_page_fault } from './kvm/paging_tmpl.ts';
import { clear_queue, kvm_vcpu_reset, kvm_vcpu_reset_start } from './kvm/reset.ts';
import { kvm_apic_accept_events, kvm_apic_accept_events_reset, kvm_arch_vcpu_reset } from './kvm/startup.ts';
import {
  kvm_arch_vcpu_ioctl_run,
  kvm_check_async_pf_completion_entry,
  kvm_check_async_pf_completion_entry_unlink,
  kvm_vcpu_exit_request,
  kvm_vcpu_ioctl_interrupt,
  userspace,
  vcpu_enter_guest,
  vcpu_enter_guest_checked,
  vcpu_enter_guest_in_guest_mode,
  vcpu_enter_guest_requests,
  vcpu_run,
  vcpu_run_guest,
  vcpu_run_tail,
} from './kvm/vcpu.ts';
import type { Machine } from './machine.ts';
import {
  postcopy_ram_discard,
  postcopy_ram_fault_thread,
  process_incoming_migration,
  process_incoming_migration_exit,
  ram_load_page,
  ram_load_page_placed,
} from './migrate/incoming.ts';
import {
  migration_completion_stopped,
  migration_thread,
  migration_wait,
  qemu_savevm_state_complete,
  ram_save_iterate,
  ram_save_iterate_end,
  ram_save_page,
} from './migrate/source.ts';
import { exit_mmap } from './mm/exit_mmap.ts';
import { get_user_pages_lock, get_user_pages_wait } from './mm/gup.ts';
import {
  kswapd,
  mmu_notifier_invalidate_range_end,
  mmu_notifier_invalidate_range_start,
  try_to_unmap,
} from './mm/kswapd.ts';
import { do_madvise, do_madvise_done, do_madvise_zap, do_mmap, do_mmap_done } from './mm/memory_job.ts';
import { uffd_handler_copy, uffd_handler_fetch, userfaultfd_read } from './mm/userfault.ts';
import type { Thread } from './schema.ts';
import { kvm_vcpu_ioctl_nmi } from './vmm/irqchip.ts';
import { qemu_loadvm_state } from './vmm/loadvm.ts';
import {
  do_exit,
  do_exit_notify,
  kvm_put_msrs,
  kvm_vcpu_release,
  kvm_vm_release,
  vmm,
  vmm_join,
} from './vmm/main_loop.ts';
import { kvm_set_memslot, kvm_set_memslot_activate } from './vmm/memslots.ts';

export type Step = (m: Machine, thread: Thread) => At;

export const steps: { readonly [N in keyof typeof AT]: Step } = {
  off: () => AT.off,
  userspace,
  kvm_vcpu_ioctl_interrupt,
  kvm_vcpu_ioctl_nmi,
  vmm,
  kvm_drain_async_pf,
  kvm_arch_vcpu_ioctl_get_regs,
  kvm_arch_vcpu_ioctl_get_sregs,
  'msr_io.get': msr_io_get,
  kvm_arch_vcpu_ioctl_get_mpstate,
  kvm_vcpu_ioctl_get_lapic,
  kvm_vcpu_ioctl_x86_get_vcpu_events,
  kvm_arch_vcpu_ioctl_set_regs,
  kvm_arch_vcpu_ioctl_set_sregs,
  'msr_io.set': msr_io_set,
  kvm_vcpu_ioctl_x86_set_vcpu_events,
  kvm_arch_vcpu_ioctl_set_mpstate,
  kvm_vcpu_ioctl_set_lapic,
  'run_on_cpu.done': run_on_cpu_end,
  kvm_vcpu_reset,
  'kvm_vcpu_reset.start': kvm_vcpu_reset_start,
  clear_queue,
  'vmm.join': vmm_join,
  kvm_set_memslot,
  'kvm_set_memslot.activate': kvm_set_memslot_activate,
  kvm_put_msrs,
  kvm_vcpu_release,
  kvm_vm_release,
  do_exit,
  'do_exit.notify': do_exit_notify,
  exit_mmap,
  kvm_destroy_vm,
  kvm_free_vcpus,
  kvm_arch_free_vm,
  kvm_arch_vcpu_ioctl_run,
  kvm_arch_vcpu_reset,
  kvm_apic_accept_events,
  'kvm_apic_accept_events.reset': kvm_apic_accept_events_reset,
  vcpu_run,
  'vcpu_run.tail': vcpu_run_tail,
  vcpu_block,
  'kvm_vcpu_halt.poll': kvm_vcpu_halt_poll,
  kvm_vcpu_block,
  'kvm_vcpu_block.check': kvm_vcpu_block_check,
  'kvm_vcpu_block.schedule': kvm_vcpu_block_schedule,
  'kvm_vcpu_block.finish': kvm_vcpu_block_finish,
  'kvm_vcpu_block.leave': kvm_vcpu_block_leave,
  vcpu_enter_guest,
  'vcpu_enter_guest.requests': vcpu_enter_guest_requests,
  'vcpu_enter_guest.checked': vcpu_enter_guest_checked,
  kvm_check_and_inject_events,
  'vcpu_enter_guest.in_guest_mode': vcpu_enter_guest_in_guest_mode,
  kvm_vcpu_exit_request,
  vcpu_run_guest,
  guest,
  handle_exit,
  'handle_exit.wrmsr_done': handle_exit_wrmsr_done,
  kvm_faultin_pfn,
  'kvm_faultin_pfn.async': kvm_faultin_pfn_async,
  kvm_setup_async_pf,
  'kvm_setup_async_pf.link': kvm_setup_async_pf_link,
  'kvm_setup_async_pf.schedule_work': kvm_setup_async_pf_schedule_work,
  'kvm_faultin_pfn.sync': kvm_faultin_pfn_sync,
  kvm_tdp_mmu_map,
  paging64_page_fault,
  paging64_fetch,
  kvm_mmu_track_write,
  kvm_check_async_pf_completion,
  'kvm_check_async_pf_completion.entry': kvm_check_async_pf_completion_entry,
  'kvm_check_async_pf_completion.entry_unlink': kvm_check_async_pf_completion_entry_unlink,
  'kvm_check_async_pf_completion.unlink': kvm_check_async_pf_completion_unlink,
  kvm_arch_async_page_ready,
  kvm_arch_async_page_present,
  'kvm_arch_async_page_present.raise': kvm_arch_async_page_present_raise,
  kvm_flush_and_free_async_pf_work,
  kvm_async_pf_wakeup_all,
  'kvm_async_pf_wakeup_all.append': kvm_async_pf_wakeup_all_append,
  'kvm_async_pf_wakeup_all.link': kvm_async_pf_wakeup_all_link,
  kvm_clear_async_pf_completion_queue,
  'kvm_clear_async_pf_completion_queue.cancel': kvm_clear_async_pf_completion_queue_cancel,
  'kvm_clear_async_pf_completion_queue.done': kvm_clear_async_pf_completion_queue_done,
  'kvm_clear_async_pf_completion_queue.flush': kvm_clear_async_pf_completion_queue_flush,
  'get_user_pages.lock': get_user_pages_lock,
  'get_user_pages.wait': get_user_pages_wait,
  do_mmap,
  'do_mmap.done': do_mmap_done,
  do_madvise,
  'do_madvise.zap': do_madvise_zap,
  'do_madvise.done': do_madvise_done,
  qemu_loadvm_state,
  userfaultfd_read,
  kvm_async_pf_complete,
  'kvm_faultin_pfn.userfault': kvm_faultin_pfn_userfault,
  'userspace.memory_fault': userspace_memory_fault,
  'uffd_handler.fetch': uffd_handler_fetch,
  mfill_atomic: uffd_handler_copy,
  migration_thread,
  ram_save_iterate,
  ram_save_page,
  'ram_save_iterate.end': ram_save_iterate_end,
  migration_completion: migration_completion_stopped,
  qemu_savevm_state_complete,
  migration_wait,
  process_incoming_migration,
  ram_load_page,
  'ram_load_page.placed': ram_load_page_placed,
  postcopy_ram_discard,
  'process_incoming_migration.exit': process_incoming_migration_exit,
  postcopy_ram_fault_thread,
  worker_thread,
  async_pf_execute,
  'async_pf_execute.present': async_pf_execute_present,
  'async_pf_execute.append': async_pf_execute_append,
  'async_pf_execute.link': async_pf_execute_link,
  'async_pf_execute.mark': async_pf_execute_mark,
  'async_pf_execute.request': async_pf_execute_request,
  'async_pf_execute.kick': async_pf_execute_kick,
  'async_pf_execute.kick_vcpu': async_pf_execute_kick_vcpu,
  'async_pf_execute.trace': async_pf_execute_trace,
  'async_pf_execute.wake': async_pf_execute_wake,
  'async_pf_execute.put': async_pf_execute_put,
  'async_pf_execute.put_vm': async_pf_execute_put_vm,
  'async_pf_execute.return': async_pf_execute_return,
  kswapd,
  mmu_notifier_invalidate_range_start,
  try_to_unmap,
  mmu_notifier_invalidate_range_end,
};

/** Steps by number. */
export const STEP_TABLE: readonly Step[] = STEP_NAMES.map(name => steps[name]);

/** Steps that the kernel runs with preemption off: the CPU is not taken away between them. */
export const PREEMPT_OFF: Uint8Array = Uint8Array.from(STEP_NAMES, name =>
  name === 'kvm_vcpu_exit_request' || name === 'vcpu_run_guest' || name === 'guest' || name === 'handle_exit' ? 1 : 0,
);
