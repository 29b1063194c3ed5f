/** The events of KVM's common part, include/trace/events/kvm.h. */
import { tracepoint } from './tracepoint.ts';

const IRQ_ROUTE = '{e>>8&7:delivery_mode}|{e>>11&1:physical;logical}|{e>>15&1:edge;level}{e>>16&1:;|masked}';
const MSI_ROUTE = '{data>>8&7:delivery_mode}|{address>>2&1:physical;logical}|{data>>15&1:edge;level}{address>>3&1:;|rh}';
const USERSPACE_EXIT = 'reason {reason:kvm_exit_reason} ({reason:%d})';

export const kvm = {
  kvm_userspace_exit: tracepoint(
    'kvm',
    'KVM_RUN returns to the VMM. With a negative errno the kernel prints no reason.',
    ['u32 reason', 's32 errno'],
    {
      '2.6.38': ['reason restart ({errno:eintr})', 'reason error ({errno:error})', USERSPACE_EXIT],
      trace_cmd: USERSPACE_EXIT,
    },
  ),
  kvm_vcpu_wakeup: tracepoint(
    'kvm',
    'A blocked vCPU goes on. Since 5.17 only after a real HLT, not after the halt of an async page fault.',
    ['u64 ns', 'bool waited', 'bool valid'],
    '{waited:poll;wait} time {ns:%lld} ns, polling {valid:invalid;valid}',
  ),
  kvm_halt_poll_ns: tracepoint(
    'kvm',
    'The time that this vCPU polls before it sleeps was changed.',
    ['bool grow', 'u32 vcpu_id', 'u32 new', 'u32 old'],
    'vcpu {vcpu_id:%u}: halt_poll_ns {new:%u} ({grow:shrink;grow} {old:%u})',
  ),
  kvm_set_irq: tracepoint(
    'kvm',
    'An interrupt line of a virtual interrupt controller changes.',
    ['u32 gsi', 's32 level', 's32 irq_source_id'],
    'gsi {gsi:%u} level {level:%d} source {irq_source_id:%d}',
  ),
  kvm_ioapic_set_irq: tracepoint('kvm', 'The IOAPIC delivers an interrupt.', ['u64 e', 's32 pin', 'bool coalesced'], {
    '2.6.38': `pin {pin:%u} dst {e>>56&0xff:%x} vec={e&0xff:%u} (${IRQ_ROUTE}){coalesced:; (coalesced)}`,
    '4.19': `pin {pin:%u} dst {e>>56&0xff:%x} vec {e&0xff:%u} (${IRQ_ROUTE}){coalesced:; (coalesced)}`,
  }),
  kvm_ioapic_delayed_eoi_inj: tracepoint(
    'kvm',
    'A level interrupt that was not lowered comes again.',
    ['u64 e'],
    `dst {e>>56&0xff:%x} vec {e&0xff:%u} (${IRQ_ROUTE})`,
  ),
  kvm_msi_set_irq: tracepoint('kvm', 'A message signalled interrupt is delivered.', ['u64 address', 'u64 data'], {
    '2.6.38': `dst {address>>12&0xff:%u} vec {data&0xff:%x} (${MSI_ROUTE})`,
    '4.19': `dst {address:msi_dest} vec {data&0xff:%u} (${MSI_ROUTE})`,
  }),
  kvm_ack_irq: tracepoint(
    'kvm',
    'The guest acknowledged an interrupt of a PIC or the IOAPIC.',
    ['u32 irqchip', 'u32 pin'],
    'irqchip {irqchip:PIC master;PIC slave;IOAPIC} pin {pin:%u}',
  ),
  kvm_mmio: tracepoint(
    'kvm',
    'An access to memory that is a device.',
    ['u32 type', 'u32 len', 'u64 gpa', 'u64 val'],
    'mmio {type:unsatisfied-read;read;write} len {len:%u} gpa 0x{gpa:%llx} val 0x{val:%llx}',
  ),
  kvm_fpu: tracepoint('kvm', 'The FPU state of the guest goes on or off the CPU.', ['u32 load'], '{load:unload;load}'),
  kvm_age_page: tracepoint(
    'kvm',
    'Page ageing asked whether the guest used a page; until 5.12.',
    ['u64 hva', 'u64 gfn', 'u8 level', 'bool referenced'],
    {
      '2.6.38': 'hva {hva:%llx} gfn {gfn:%llx} {referenced:OLD;YOUNG}',
      '4.19': 'hva {hva:%llx} gfn {gfn:%llx} level {level:%u} {referenced:OLD;YOUNG}',
    },
  ),
  kvm_unmap_hva_range: tracepoint(
    'kvm',
    'The MMU notifier takes a range away, since 5.13.',
    ['u64 start', 'u64 end'],
    'mmu notifier unmap range: {start:%#016lx} -- {end:%#016lx}',
  ),
  kvm_age_hva: tracepoint(
    'kvm',
    'The MMU notifier clears the accessed bits of a range.',
    ['u64 start', 'u64 end'],
    'mmu notifier age hva: {start:%#016lx} -- {end:%#016lx}',
  ),
  kvm_test_age_hva: tracepoint(
    'kvm',
    'The MMU notifier looks at the accessed bit of a page.',
    ['u64 hva'],
    'mmu notifier test age hva: {hva:%#016lx}',
  ),
  kvm_set_spte_hva: tracepoint(
    'kvm',
    'The MMU notifier puts another page in place; until 6.9.',
    ['u64 hva'],
    'mmu notifier set pte hva: {hva:%#016lx}',
  ),
  kvm_dirty_ring_push: tracepoint(
    'kvm',
    'A dirtied page enters the ring. `used` is dirty_index - reset_index.',
    ['s32 index', 'u32 dirty_index', 'u32 reset_index', 'u32 slot', 'u64 offset', 'u32 used'],
    'ring {index:%d}: dirty 0x{dirty_index:%x} reset 0x{reset_index:%x} slot {slot:%u} offset 0x{offset:%llx} (used {used:%u})',
  ),
  kvm_dirty_ring_reset: tracepoint(
    'kvm',
    'The VMM has collected entries of the ring. `used` is dirty_index - reset_index.',
    ['s32 index', 'u32 dirty_index', 'u32 reset_index', 'u32 used'],
    'ring {index:%d}: dirty 0x{dirty_index:%x} reset 0x{reset_index:%x} (used {used:%u})',
  ),
  kvm_dirty_ring_exit: tracepoint('kvm', 'The ring is full: exit to the VMM.', ['s32 vcpu_id'], 'vcpu {vcpu_id:%d}'),
} as const;
