/** The events of nested guests, arch/x86/kvm/trace.h. */
import { EXIT, VMX_REASON } from './kvm_x86.ts';
import { tracepoint } from './tracepoint.ts';

const EXIT_OLD = 'ext_inf1: 0x{info1:%016llx} ext_inf2: 0x{info2:%016llx} ext_int: 0x{intr_info:%08x} ext_int_err: 0x{error_code:%08x}';

const INJECT_VMX = '{exit_code&0xffff:vmx_exit}{exit_code>>16&0xffff:vmx_exit_flags}';
const INJECT =
  'ext_inf1: 0x{exit_info1:%016llx} ext_inf2: 0x{exit_info2:%016llx} ext_int: 0x{exit_int_info:%08x} ext_int_err: 0x{exit_int_info_err:%08x}';
const INJECT_PLUGIN = 'info1 {exit_info1:%llx} info2 {exit_info2:%llx} int_info {exit_int_info:%llx} int_info_err {exit_int_info_err:%llx}';

const ENTER = 'nested_rip: 0x{nested_rip:%016llx} int_ctl: 0x{int_ctl:%08x} event_inj: 0x{event_inj:%08x}';

export const kvm_nested = {
  kvm_nested_vmenter: tracepoint(
    'kvm',
    'A guest hypervisor enters its guest. The parser of trace-cmd takes the name of the page table pointer from isa alone.',
    ['u64 rip', 'u64 vmcb', 'u64 nested_rip', 'u32 int_ctl', 'u32 event_inj', 'bool tdp_enabled', 'u64 guest_pgd', 'u32 isa'],
    {
      '2.6.38':
        'rip: 0x{rip:%016llx} vmcb: 0x{vmcb:%016llx} nrip: 0x{nested_rip:%016llx} int_ctl: 0x{int_ctl:%08x} event_inj: 0x{event_inj:%08x} npt: {tdp_enabled:off;on}',
      '6.1': [
        `{tdp_enabled=0}rip: 0x{rip:%016llx} {isa:;vmcs;vmcb}: 0x{vmcb:%016llx} ${ENTER} nested_{isa:;ept;npt}=n guest_cr3: 0x{guest_pgd:%016llx}`,
        `{tdp_enabled=1}rip: 0x{rip:%016llx} {isa:;vmcs;vmcb}: 0x{vmcb:%016llx} ${ENTER} nested_{isa:;ept;npt}=y {isa:;nested_eptp;nested_cr3}: 0x{guest_pgd:%016llx}`,
      ],
      trace_cmd: `rip: 0x{rip:%016llx} {isa:;vmcs;vmcb}: 0x{vmcb:%016llx} ${ENTER} nested_{isa:;ept;npt}={tdp_enabled:n;y} {isa:;nested_eptp;nested_cr3}: 0x{guest_pgd:%016llx}`,
    },
    { '2.6.38': 'kvm_nested_vmrun', '6.1': 'kvm_nested_vmenter' },
  ),
  kvm_nested_vmexit: tracepoint(
    'kvm',
    'The nested guest stopped. The plugin of trace-cmd looks for a field that the record no longer has.',
    ['u32 exit_reason', 'u64 guest_rip', 'u32 isa', 'u64 info1', 'u64 info2', 'u32 intr_info', 'u32 error_code', 'u32 vcpu_id'],
    {
      '2.6.38': [
        `{isa=2}rip: 0x{guest_rip:%016llx} reason: {exit_reason:svm_exit} ${EXIT_OLD}`,
        `{isa=1}rip: 0x{guest_rip:%016llx} reason: ${VMX_REASON} ${EXIT_OLD}`,
      ],
      '6.1': [`{isa=2}vcpu {vcpu_id:%u} reason {exit_reason:svm_exit} ${EXIT}`, `{isa=1}vcpu {vcpu_id:%u} reason ${VMX_REASON} ${EXIT}`],
      trace_cmd: [
        `{isa=2}<CANT FIND FIELD rip>vcpu {vcpu_id:%u} reason {exit_reason:svm_exit} ${EXIT}`,
        `{isa=1}<CANT FIND FIELD rip>vcpu {vcpu_id:%u} reason ${VMX_REASON} ${EXIT}`,
      ],
    },
  ),
  kvm_nested_vmexit_inject: tracepoint(
    'kvm',
    'An exit is passed to the guest hypervisor; for an async page fault exit_info2 is the token.',
    ['u32 exit_code', 'u64 exit_info1', 'u64 exit_info2', 'u32 exit_int_info', 'u32 exit_int_info_err', 'u32 isa'],
    {
      '2.6.38': [`{isa=2}reason: {exit_code:svm_exit} ${INJECT}`, `{isa=1}reason: ${INJECT_VMX} ${INJECT}`],
      trace_cmd: [
        `{isa=2}reason {exit_code:svm_exit_plugin} ${INJECT_PLUGIN}`,
        `{isa=1}reason {exit_code:vmx_exit_plugin} ${INJECT_PLUGIN}`,
      ],
    },
  ),
  kvm_nested_intr_vmexit: tracepoint(
    'kvm',
    'The nested guest stops for an interrupt of its hypervisor.',
    ['u64 rip'],
    'rip: 0x{rip:%016llx}',
  ),
  kvm_nested_intercepts: tracepoint(
    'kvm',
    'What the guest hypervisor intercepts.',
    ['u16 cr_read', 'u16 cr_write', 'u32 exceptions', 'u32 intercept1', 'u32 intercept2', 'u32 intercept3'],
    'cr_read: {cr_read:%04x} cr_write: {cr_write:%04x} excp: {exceptions:%08x} intercepts: {intercept1:%08x} {intercept2:%08x} {intercept3:%08x}',
  ),
  kvm_invlpga: tracepoint(
    'kvm',
    'A guest hypervisor drops a translation of its guest.',
    ['u64 rip', 'u32 asid', 'u64 address'],
    'rip: 0x{rip:%016llx} asid: {asid:%u} address: 0x{address:%016llx}',
  ),
  kvm_skinit: tracepoint('kvm', 'A guest executes SKINIT.', ['u64 rip', 'u32 slb'], 'rip: 0x{rip:%016llx} slb: 0x{slb:%08x}'),
} as const;
