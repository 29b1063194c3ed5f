/** The events of the Hyper-V interface that the recordings contain: QEMU resets it on every start. */
import { tracepoint } from './tracepoint.ts';

export const kvm_hyperv = {
  kvm_hv_stimer_cleanup: tracepoint(
    'kvm',
    'A synthetic timer is reset.',
    ['s32 vcpu_id', 's32 timer_index'],
    'vcpu_id {vcpu_id:%d} timer {timer_index:%d}',
  ),
  kvm_hv_stimer_set_config: tracepoint(
    'kvm',
    'A synthetic timer is configured.',
    ['s32 vcpu_id', 's32 timer_index', 'u64 config', 'bool host'],
    'vcpu_id {vcpu_id:%d} timer {timer_index:%d} config 0x{config:%llx} host {host:%d}',
  ),
  kvm_hv_stimer_set_count: tracepoint(
    'kvm',
    'The count of a synthetic timer is written.',
    ['s32 vcpu_id', 's32 timer_index', 'u64 count', 'bool host'],
    'vcpu_id {vcpu_id:%d} timer {timer_index:%d} count {count:%llu} host {host:%d}',
  ),
  kvm_hv_syndbg_get_msr: tracepoint(
    'kvm',
    'A register of the synthetic debugger is read.',
    ['s32 vcpu_id', 'u32 vp_index', 'u32 msr', 'u64 data'],
    'vcpu_id {vcpu_id:%d} vp_index {vp_index:%u} msr 0x{msr:%x} data 0x{data:%llx}',
  ),
  kvm_hv_syndbg_set_msr: tracepoint(
    'kvm',
    'A register of the synthetic debugger is written.',
    ['s32 vcpu_id', 'u32 vp_index', 'u32 msr', 'u64 data'],
    'vcpu_id {vcpu_id:%d} vp_index {vp_index:%u} msr 0x{msr:%x} data 0x{data:%llx}',
  ),
} as const;
