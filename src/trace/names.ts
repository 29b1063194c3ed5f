/**
 * The kernel's tables of names for numbers, as __print_symbolic() has them, and those of trace-cmd's plugins.
 *
 * Names are no words of ours: a reason is "npf" on SVM, "EPT_VIOLATION" on VMX, "EXIT_NPF" in trace-cmd.
 */

export type NameTable = readonly (readonly [number, string])[];

const named = (first: number, names: string): NameTable =>
  names.split(' ').flatMap((name, index) => (name === '-' ? [] : [[first + index, name] as const]));

/** arch/x86/include/uapi/asm/vmx.h, VMX_EXIT_REASONS. */
export const VMX_EXIT_REASONS: NameTable = [
  ...named(0, 'EXCEPTION_NMI EXTERNAL_INTERRUPT TRIPLE_FAULT INIT_SIGNAL SIPI_SIGNAL - - INTERRUPT_WINDOW NMI_WINDOW TASK_SWITCH'),
  ...named(10, 'CPUID - HLT INVD INVLPG RDPMC RDTSC - VMCALL VMCLEAR VMLAUNCH VMPTRLD VMPTRST VMREAD VMRESUME VMWRITE VMOFF VMON'),
  ...named(28, 'CR_ACCESS DR_ACCESS IO_INSTRUCTION MSR_READ MSR_WRITE INVALID_STATE MSR_LOAD_FAIL - MWAIT_INSTRUCTION'),
  ...named(37, 'MONITOR_TRAP_FLAG - MONITOR_INSTRUCTION PAUSE_INSTRUCTION MCE_DURING_VMENTRY - TPR_BELOW_THRESHOLD'),
  ...named(44, 'APIC_ACCESS EOI_INDUCED GDTR_IDTR LDTR_TR EPT_VIOLATION EPT_MISCONFIG INVEPT RDTSCP PREEMPTION_TIMER'),
  ...named(53, 'INVVPID WBINVD XSETBV APIC_WRITE RDRAND INVPCID VMFUNC ENCLS RDSEED PML_FULL XSAVES XRSTORS - - UMWAIT'),
  ...named(68, 'TPAUSE - - - - - BUS_LOCK NOTIFY'),
];

const EXCEPTIONS = 'DE DB - BP OF BR UD NM DF - TS NP SS GP PF - MF AC MC XF';

/** arch/x86/include/uapi/asm/svm.h, SVM_EXIT_REASONS. */
export const SVM_EXIT_REASONS: NameTable = [
  ...named(0x000, 'read_cr0 - read_cr2 read_cr3 read_cr4 - - - read_cr8'),
  ...named(0x010, 'write_cr0 - write_cr2 write_cr3 write_cr4 - - - write_cr8'),
  ...named(0x020, 'read_dr0 read_dr1 read_dr2 read_dr3 read_dr4 read_dr5 read_dr6 read_dr7'),
  ...named(0x030, 'write_dr0 write_dr1 write_dr2 write_dr3 write_dr4 write_dr5 write_dr6 write_dr7'),
  ...named(0x040, EXCEPTIONS).map(([value, name]) => [value, `${name} excp`] as const),
  ...named(0x060, 'interrupt nmi smi init vintr cr0_sel_write read_idtr read_gdtr read_ldtr read_rt write_idtr write_gdtr'),
  ...named(0x06c, 'write_ldtr write_rt rdtsc rdpmc pushf popf cpuid rsm iret swint invd pause hlt invlpg invlpga io msr'),
  ...named(0x07d, 'task_switch ferr_freeze shutdown vmrun hypercall vmload vmsave stgi clgi skinit rdtscp icebp wbinvd'),
  ...named(0x08a, 'monitor mwait - xsetbv - write_efer_trap write_cr0_trap - - - write_cr4_trap - - - write_cr8_trap'),
  ...named(0x0a2, 'invpcid'),
  ...named(0x400, 'npf avic_incomplete_ipi avic_unaccelerated_access vmgexit'),
  ...named(0x80000001, 'vmgexit_mmio_read vmgexit_mmio_write vmgexit_nmi_complete vmgexit_ap_hlt_loop vmgexit_ap_jump_table'),
  ...named(0x80000010, 'vmgexit_page_state_change vmgexit_guest_request vmgexit_ext_guest_request vmgexit_ap_creation'),
  ...named(0x8000fffd, 'vmgexit_hypervisor_feature'),
  ...named(0xffffffff, 'invalid_guest_state'),
];

/** VMX_EXIT_REASONS of trace-cmd's plugin_kvm.c, which stayed behind the kernel's. */
export const VMX_EXIT_REASONS_PLUGIN: NameTable = [
  ...named(0, 'EXCEPTION_NMI EXTERNAL_INTERRUPT TRIPLE_FAULT - - - - PENDING_INTERRUPT NMI_WINDOW TASK_SWITCH'),
  ...named(10, 'CPUID - HLT INVD INVLPG RDPMC RDTSC - VMCALL VMCLEAR VMLAUNCH VMPTRLD VMPTRST VMREAD VMRESUME VMWRITE VMOFF VMON'),
  ...named(28, 'CR_ACCESS DR_ACCESS IO_INSTRUCTION MSR_READ MSR_WRITE - - - MWAIT_INSTRUCTION - - MONITOR_INSTRUCTION'),
  ...named(40, 'PAUSE_INSTRUCTION MCE_DURING_VMENTRY - TPR_BELOW_THRESHOLD APIC_ACCESS EOI_INDUCED - - EPT_VIOLATION'),
  ...named(49, 'EPT_MISCONFIG INVEPT - PREEMPTION_TIMER - WBINVD XSETBV APIC_WRITE - INVPCID'),
];

/** SVM_EXIT_REASONS of trace-cmd's plugin_kvm.c. */
export const SVM_EXIT_REASONS_PLUGIN: NameTable = [
  ...named(0x000, 'READ_CR0 - - READ_CR3 READ_CR4 - - - READ_CR8'),
  ...named(0x010, 'WRITE_CR0 - - WRITE_CR3 WRITE_CR4 - - - WRITE_CR8'),
  ...named(0x020, 'READ_DR0 READ_DR1 READ_DR2 READ_DR3 READ_DR4 READ_DR5 READ_DR6 READ_DR7'),
  ...named(0x030, 'WRITE_DR0 WRITE_DR1 WRITE_DR2 WRITE_DR3 WRITE_DR4 WRITE_DR5 WRITE_DR6 WRITE_DR7'),
  ...named(0x040, EXCEPTIONS).map(([value, name]) => [value, `EXCP_${name}`] as const),
  ...named(0x060, 'INTR NMI SMI INIT VINTR CR0_SEL_WRITE IDTR_READ GDTR_READ LDTR_READ TR_READ IDTR_WRITE GDTR_WRITE'),
  ...named(0x06c, 'LDTR_WRITE TR_WRITE RDTSC RDPMC PUSHF POPF CPUID RSM IRET SWINT INVD PAUSE HLT INVLPG INVLPGA IOIO MSR'),
  ...named(0x07d, 'TASK_SWITCH FERR_FREEZE SHUTDOWN VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT RDTSCP ICEBP WBINVD'),
  ...named(0x08a, 'MONITOR MWAIT MWAIT_COND XSETBV'),
  ...named(0x400, 'NPF AVIC_INCOMPLETE_IPI AVIC_UNACCELERATED_ACCESS'),
  ...named(0xffffffff, 'ERR'),
].map(([value, name]) => [value, `EXIT_${name}`] as const);

/** include/uapi/linux/kvm.h, KVM_EXIT_*. */
export const KVM_EXIT_REASONS: NameTable = named(
  0,
  'UNKNOWN EXCEPTION IO HYPERCALL DEBUG HLT MMIO IRQ_WINDOW_OPEN SHUTDOWN FAIL_ENTRY INTR SET_TPR TPR_ACCESS S390_SIEIC ' +
    'S390_RESET DCR NMI INTERNAL_ERROR OSI PAPR_HCALL S390_UCONTROL WATCHDOG S390_TSCH EPR SYSTEM_EVENT S390_STSI ' +
    'IOAPIC_EOI HYPERV ARM_NISV X86_RDMSR X86_WRMSR',
).map(([value, name]) => [value, `KVM_EXIT_${name}`] as const);

export const EXCEPTION_NAMES: NameTable = named(0, EXCEPTIONS)
  .filter(([, name]) => name !== 'XF')
  .map(([value, name]) => [value, `#${name}`] as const);

export const DELIVERY_MODES: NameTable = named(0, 'Fixed LowPrio SMI Res3 NMI INIT SIPI ExtINT');

/** arch/x86/include/asm/apicdef.h: offsets of the registers. */
export const APIC_REGISTERS: NameTable = (
  [
    [0x20, 'ID'],
    [0x30, 'LVR'],
    [0x80, 'TASKPRI'],
    [0x90, 'ARBPRI'],
    [0xa0, 'PROCPRI'],
    [0xb0, 'EOI'],
    [0xc0, 'RRR'],
    [0xd0, 'LDR'],
    [0xe0, 'DFR'],
    [0xf0, 'SPIV'],
    [0x100, 'ISR'],
    [0x180, 'TMR'],
    [0x200, 'IRR'],
    [0x280, 'ESR'],
    [0x300, 'ICR'],
    [0x310, 'ICR2'],
    [0x320, 'LVTT'],
    [0x330, 'LVTTHMR'],
    [0x340, 'LVTPC'],
    [0x350, 'LVT0'],
    [0x360, 'LVT1'],
    [0x370, 'LVTERR'],
    [0x380, 'TMICT'],
    [0x390, 'TMCCT'],
    [0x3e0, 'TDCR'],
    [0x3f0, 'SELF_IPI'],
    [0x400, 'EFEAT'],
    [0x410, 'ECTRL'],
  ] as const
).map(([value, name]) => [value, `APIC_${name}`] as const);

/** flags of kvm_emulate_insn: KVM_EMUL_INSN_F_CR0_PE, _EFL_VM, _CS_D, _CS_L. */
export const INSN_MODES: NameTable = [
  [0, 'real'],
  [3, 'vm16'],
  [1, 'prot16'],
  [5, 'prot32'],
  [9, 'prot64'],
];

/** enum vdso_clock_mode. */
export const HOST_CLOCKS: NameTable = [
  [0, 'none'],
  [1, 'tsc'],
];

/** Bits of a page fault's error code, as __print_flags() has them. */
export const PFERR_FLAGS: NameTable = [
  [1, 'P'],
  [2, 'W'],
  [4, 'U'],
  [8, 'RSVD'],
  [16, 'F'],
];

/** Letters of the bits of a task's state, lowest first: since 4.14, and before, which trace-cmd's plugin kept. */
export const TASK_STATES = 'SDTtXZPI';
export const TASK_STATES_OLD = 'SDTtZXxW';
/** The bit above the letters: the task was preempted. */
export const TASK_PREEMPTED = 0x100;
