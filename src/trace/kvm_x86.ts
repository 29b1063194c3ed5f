/**
 * The events of KVM on x86, arch/x86/kvm/trace.h: entries, exits, injections, the local APIC.
 *
 * Numbers have no common base, and it moved between versions: kvm_inj_virq is decimal before 6.1 and hexadecimal since.
 */
import { tracepoint } from './tracepoint.ts';

/** Exit reasons are numbers of the architecture, so an exit has two texts: isa 1 is VMX, 2 is SVM. */
export const VMX_REASON = '{exit_reason&0xffff:vmx_exit}{exit_reason>>16&0xffff:vmx_exit_flags}';
export const EXIT =
  'rip 0x{guest_rip:%lx} info1 0x{info1:%016llx} info2 0x{info2:%016llx} intr_info 0x{intr_info:%08x} error_code 0x{error_code:%08x}';
const EXIT_OLD = 'rip 0x{guest_rip:%lx} info {info1:%llx} {info2:%llx}';

const IPI =
  '{icr_low>>8&7:delivery_mode}|{icr_low>>11&1:physical;logical}|{icr_low>>14&1:de-assert;assert}|{icr_low>>15&1:edge;level}|{icr_low>>18&3:dst;self;all;all-but-self}';

export const kvm_x86 = {
  kvm_entry: tracepoint('kvm', 'The vCPU enters the guest.', ['u32 vcpu_id', 'u64 rip', 'bool immediate_exit'], {
    '2.6.38': 'vcpu {vcpu_id:%u}',
    '5.8': 'vcpu {vcpu_id:%u}, rip 0x{rip:%lx}',
    '6.1': 'vcpu {vcpu_id:%u}, rip 0x{rip:%lx}{immediate_exit:;[immediate exit]}',
    trace_cmd: ' vcpu {vcpu_id:%u} rip 0x{rip:%lx}',
  }),
  kvm_exit: tracepoint(
    'kvm',
    'The guest stopped. info1 and info2 are the exit qualification (VMX) or EXITINFO1 and 2 (SVM: of a fault error code and gpa).',
    ['u32 exit_reason', 'u64 guest_rip', 'u32 isa', 'u64 info1', 'u64 info2', 'u32 intr_info', 'u32 error_code', 'u32 vcpu_id'],
    {
      '2.6.38': [`{isa=2}reason {exit_reason:svm_exit} ${EXIT_OLD}`, `{isa=1}reason {exit_reason:vmx_exit} ${EXIT_OLD}`],
      '5.8': [
        `{isa=2}vcpu {vcpu_id:%u} reason {exit_reason:svm_exit} ${EXIT_OLD}`,
        `{isa=1}vcpu {vcpu_id:%u} reason ${VMX_REASON} ${EXIT_OLD}`,
      ],
      '6.1': [`{isa=2}vcpu {vcpu_id:%u} reason {exit_reason:svm_exit} ${EXIT}`, `{isa=1}vcpu {vcpu_id:%u} reason ${VMX_REASON} ${EXIT}`],
      trace_cmd: [`{isa=2}reason {exit_reason:svm_exit_plugin} ${EXIT_OLD}`, `{isa=1}reason {exit_reason:vmx_exit_plugin} ${EXIT_OLD}`],
    },
  ),
  kvm_inj_virq: tracepoint('kvm', 'An interrupt is injected.', ['u32 vector', 'bool soft', 'bool reinjected'], {
    '2.6.38': 'irq {vector:%u}',
    '6.1': '{soft:IRQ;Soft/INTn} 0x{vector:%x}{reinjected:; [reinjected]}',
  }),
  kvm_inj_exception: tracepoint(
    'kvm',
    'An exception is injected; a page fault with error code 0 may be a page that is not present.',
    ['u8 exception', 'bool has_error', 'u32 error_code', 'bool reinjected'],
    {
      '2.6.38': '{exception:exception} (0x{error_code:%x})',
      '6.1': [
        '{has_error=1}{exception:exception} (0x{error_code:%lx}){reinjected:; [reinjected]}',
        '{has_error=0}{exception:exception}{reinjected:; [reinjected]}',
      ],
      trace_cmd:
        '[FAILED TO PARSE] exception={exception:%d} has_error={has_error:%d} error_code={error_code:%d} reinjected={reinjected:%d}',
    },
  ),
  kvm_page_fault: tracepoint(
    'kvm',
    'A fault that KVM handles. The address is guest-physical, or guest-virtual under shadow paging.',
    ['u32 vcpu_id', 'u64 guest_rip', 'u64 fault_address', 'u64 error_code'],
    {
      '2.6.38': 'address {fault_address:%lx} error_code {error_code:%x}',
      '6.1': 'vcpu {vcpu_id:%u} rip 0x{guest_rip:%lx} address 0x{fault_address:%016llx} error_code 0x{error_code:%llx}',
    },
  ),
  kvm_msr: tracepoint(
    'kvm',
    'The guest reads or writes a model specific register.',
    ['u32 write', 'u32 ecx', 'u64 data', 'u8 exception'],
    'msr_{write:read;write} {ecx:%x} = 0x{data:%llx}{exception:; (#GP)}',
  ),
  kvm_cr: tracepoint(
    'kvm',
    'The guest reads or writes a control register.',
    ['u32 rw', 'u32 cr', 'u64 val'],
    'cr_{rw:read;write} {cr:%x} = 0x{val:%lx}',
  ),
  kvm_apic: tracepoint(
    'kvm',
    'The guest reads or writes a register of its local APIC.',
    ['u32 rw', 'u32 reg', 'u64 val'],
    'apic_{rw:read;write} {reg:apic_reg} = 0x{val:%llx}',
  ),
  kvm_apic_ipi: tracepoint(
    'kvm',
    'A vCPU sends an interrupt to others.',
    ['u32 icr_low', 'u32 dest_id'],
    `dst {dest_id:%x} vec {icr_low&0xff:%u} (${IPI})`,
  ),
  kvm_apic_accept_irq: tracepoint(
    'kvm',
    'A local APIC accepts an interrupt. dm is the delivery mode shifted left by 8.',
    ['u32 apicid', 'u16 dm', 'u16 tm', 'u8 vec', 'bool coalesced'],
    {
      '2.6.38': 'apicid {apicid:%x} vec {vec:%u} ({dm>>8&7:delivery_mode}|{tm:edge;level}){coalesced:; (coalesced)}',
      '4.19': 'apicid {apicid:%x} vec {vec:%u} ({dm>>8&7:delivery_mode}|{tm:edge;level})',
    },
  ),
  kvm_eoi: tracepoint(
    'kvm',
    'The guest ends an interrupt; vector -1 when none is in service.',
    ['u32 apicid', 's32 vector'],
    'apicid {apicid:%x} vector {vector:%d}',
  ),
  kvm_pv_eoi: tracepoint(
    'kvm',
    'The guest ended an interrupt through shared memory, without an exit.',
    ['u32 apicid', 's32 vector'],
    'apicid {apicid:%x} vector {vector:%d}',
  ),
  kvm_emulate_insn: tracepoint(
    'kvm',
    'An instruction is emulated. insn is its bytes as text.',
    ['u64 rip', 'u32 csbase', 'str insn', 'u8 flags', 'u8 failed'],
    {
      '2.6.38': '{csbase:%x}:{rip:%llx}:{insn:hex_bytes} ({flags:insn_mode}){failed:; failed}',
      trace_cmd: '{csbase:%llx}:{rip:%llx}: {insn:hex_bytes}{failed:; FAIL}',
    },
  ),
  kvm_fast_mmio: tracepoint('kvm', 'A write to a device that needs no decoding.', ['u64 gpa'], 'fast mmio at gpa 0x{gpa:%llx}'),
  kvm_cpuid: tracepoint(
    'kvm',
    'The guest asks for CPU identification.',
    ['u32 function', 'u32 index', 'u64 rax', 'u64 rbx', 'u64 rcx', 'u64 rdx', 'bool found', 'bool used_max_basic'],
    {
      '2.6.38': 'func {function:%x} rax {rax:%lx} rbx {rbx:%lx} rcx {rcx:%lx} rdx {rdx:%lx}',
      '4.19': 'func {function:%x} rax {rax:%lx} rbx {rbx:%lx} rcx {rcx:%lx} rdx {rdx:%lx}, cpuid entry {found:not found;found}',
      '5.8':
        'func {function:%x} idx {index:%x} rax {rax:%lx} rbx {rbx:%lx} rcx {rcx:%lx} rdx {rdx:%lx}, cpuid entry {found:not found;found}{used_max_basic:;, used max basic}',
    },
  ),
  kvm_hypercall: tracepoint(
    'kvm',
    'The guest calls the hypervisor.',
    ['u64 nr', 'u64 a0', 'u64 a1', 'u64 a2', 'u64 a3'],
    'nr 0x{nr:%lx} a0 0x{a0:%lx} a1 0x{a1:%lx} a2 0x{a2:%lx} a3 0x{a3:%lx}',
  ),
  kvm_pio: tracepoint(
    'kvm',
    'The guest reads or writes an I/O port. The text ends in a blank.',
    ['u32 rw', 'u32 port', 'u32 size', 'u32 count', 'u32 val'],
    {
      '2.6.38': 'pio_{rw:read;write} at 0x{port:%x} size {size:%d} count {count:%d}',
      '4.19': [
        'pio_{rw:read;write} at 0x{port:%x} size {size:%d} count {count:single} val 0x{val:%x} ',
        'pio_{rw:read;write} at 0x{port:%x} size {size:%d} count {count:many} val 0x{val:%x} (...)',
      ],
    },
  ),
  kvm_pic_set_irq: tracepoint(
    'kvm',
    'An interrupt line of a PIC changes. The record has the whole registers, the text this pin of them: level and masked.',
    ['u8 chip', 'u8 pin', 'bool level', 'bool masked', 'bool coalesced'],
    'chip {chip:%u} pin {pin:%u} ({level:edge;level}{masked:;|masked}){coalesced:; (coalesced)}',
  ),
  kvm_smm_transition: tracepoint(
    'kvm',
    'A vCPU enters or leaves system management mode.',
    ['u32 vcpu_id', 'u64 smbase', 'bool entering'],
    'vcpu {vcpu_id:%u}: {entering:leaving;entering} SMM, smbase 0x{smbase:%llx}',
  ),
  kvm_pv_tlb_flush: tracepoint(
    'kvm',
    'A vCPU that was off its CPU comes back; another may have left it a TLB flush to do.',
    ['u32 vcpu_id', 'bool need_flush_tlb'],
    'vcpu {vcpu_id:%u} need_flush_tlb {need_flush_tlb:false;true}',
  ),
  kvm_hv_timer_state: tracepoint(
    'kvm',
    'Whether the local APIC timer runs on a timer of the hardware.',
    ['u32 vcpu_id', 'u32 hv_timer_in_use'],
    'vcpu_id {vcpu_id:%x} hv_timer {hv_timer_in_use:%x}',
  ),
  kvm_wait_lapic_expire: tracepoint(
    'kvm',
    'How far from its time the local APIC timer was injected, in cycles.',
    ['u32 vcpu_id', 's64 delta'],
    ['vcpu {vcpu_id:%u}: delta {delta:negative} (early)', 'vcpu {vcpu_id:%u}: delta {delta:natural} (late)'],
  ),
  kvm_ple_window_update: tracepoint(
    'kvm',
    'The window of pause loop exits changes.',
    ['u32 vcpu_id', 'u32 new', 'u32 old', 'bool growed'],
    'vcpu {vcpu_id:%u} old {old:%u} new {new:%u} ({growed:shrinked;growed})',
  ),
  kvm_pml_full: tracepoint('kvm', 'The page modification log is full.', ['u32 vcpu_id'], 'vcpu {vcpu_id:%d}: PML full'),
  kvm_write_tsc_offset: tracepoint(
    'kvm',
    'The offset of the guest time stamp counter changes.',
    ['u32 vcpu_id', 'u64 previous_tsc_offset', 'u64 next_tsc_offset'],
    'vcpu={vcpu_id:%u} prev={previous_tsc_offset:%llu} next={next_tsc_offset:%llu}',
  ),
  kvm_update_master_clock: tracepoint(
    'kvm',
    'Whether all vCPUs may use one clock.',
    ['bool use_master_clock', 'u32 host_clock', 'bool offset_matched'],
    'masterclock {use_master_clock:%d} hostclock {host_clock:host_clock} offsetmatched {offset_matched:%u}',
  ),
  kvm_track_tsc: tracepoint(
    'kvm',
    'A vCPU wrote its time stamp counter.',
    ['u32 vcpu_id', 'u32 nr_vcpus_matched_tsc', 'u32 online_vcpus', 'bool use_master_clock', 'u32 host_clock'],
    'vcpu_id {vcpu_id:%u} masterclock {use_master_clock:%u} offsetmatched {nr_vcpus_matched_tsc:%u} nr_online {online_vcpus:%u} hostclock {host_clock:host_clock}',
  ),
  kvm_pvclock_update: tracepoint(
    'kvm',
    'The clock shared with the guest is written.',
    ['u32 vcpu_id', 'u32 version', 'u64 tsc_timestamp', 'u64 system_time', 'u32 tsc_to_system_mul', 's8 tsc_shift', 'u8 flags'],
    'vcpu_id {vcpu_id:%u}, pvclock { version {version:%u}, tsc_timestamp 0x{tsc_timestamp:%llx}, system_time 0x{system_time:%llx}, tsc_to_system_mul 0x{tsc_to_system_mul:%x}, tsc_shift {tsc_shift:%d}, flags 0x{flags:%x} }',
  ),
} as const;
