/** Why a vCPU has left the guest, and what the two kinds of CPU call that. */
import { numbered } from '../../base/table.ts';

export const EXIT_REASON = numbered([
  'none',
  'npf',
  'interrupt',
  'vintr',
  'hlt',
  'msr',
  'cpuid',
  'nmi',
  'iret',
  'db',
  'pf',
  'cr_write',
  'invlpg',
  'rsm',
  'vmrun',
  'vmmcall',
  'stgi',
  'clgi',
  'pml_full',
  'mmio',
  'io',
]);
export type ExitReason = (typeof EXIT_REASON)[keyof typeof EXIT_REASON];
export const EXIT_REASONS = Object.keys(EXIT_REASON) as readonly (keyof typeof EXIT_REASON)[];

/** Architectural numbers of the reasons: SVM's exit codes and VMX's basic reasons. */
export const EXIT_CODE: { readonly [R in keyof typeof EXIT_REASON]: { readonly svm: number; readonly vmx: number } } = {
  none: { svm: 0, vmx: 0 },
  npf: { svm: 0x400, vmx: 48 },
  interrupt: { svm: 0x60, vmx: 1 },
  vintr: { svm: 0x64, vmx: 7 },
  hlt: { svm: 0x78, vmx: 12 },
  msr: { svm: 0x7c, vmx: 32 },
  cpuid: { svm: 0x72, vmx: 10 },
  nmi: { svm: 0x61, vmx: 0 },
  // SVM's intercepted IRET, VMX's NMI window.
  iret: { svm: 0x74, vmx: 8 },
  db: { svm: 0x41, vmx: 0 },
  pf: { svm: 0x4e, vmx: 0 },
  cr_write: { svm: 0x13, vmx: 28 },
  invlpg: { svm: 0x79, vmx: 14 },
  // On VMX it is an invalid opcode, which is intercepted.
  rsm: { svm: 0x73, vmx: 0 },
  // VMX: VMRESUME; it has neither of the last two.
  vmrun: { svm: 0x80, vmx: 24 },
  vmmcall: { svm: 0x81, vmx: 18 },
  stgi: { svm: 0x84, vmx: 0 },
  clgi: { svm: 0x85, vmx: 0 },
  pml_full: { svm: 0, vmx: 62 },
  // A page that is a device: on SVM the nested fault that it is, on VMX an EPT misconfiguration.
  mmio: { svm: 0x400, vmx: 49 },
  io: { svm: 0x7b, vmx: 30 },
};
