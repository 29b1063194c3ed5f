/** What may stand after the colon of a hole. */
import { present } from '../base/assert.ts';
import type { Codec, Printer } from './codec.ts';
import * as names from './names.ts';
import { hex, negated, only, paddedDecimal, signed, signedByteAsUnsigned, unsigned, zeroApart } from './numbers.ts';
import { choice, flags, msiDest, symbolic, taskState, vmxExitFlags } from './symbols.ts';
import type { FieldType } from './tracepoint.ts';

/** The codec of a hole: `%#llx`, a name of NAMED, or the names of 0, 1, 2, ... with semicolons between. */
export function codecOf(spec: string, type: FieldType, printer: Printer): Codec {
  if (spec.startsWith('%')) {
    const conversion = spec.replaceAll(/l/g, '');
    return present(CONVERSIONS[conversion], `trace: the conversion ${spec}`)(type, printer);
  }
  if (spec.includes(';')) return choice(spec.split(';'));
  return present(NAMED[spec], `trace: the codec ${spec}`)(printer);
}

const CONVERSIONS: Readonly<Record<string, (type: FieldType, printer: Printer) => Codec>> = {
  '%u': type => (type.startsWith('s') ? signed : unsigned),
  '%d': (type, printer) => {
    if (type === 's8' && printer === 'c') return signedByteAsUnsigned;
    return type.startsWith('s') ? signed : unsigned;
  },
  '%03d': () => paddedDecimal(3),
  '%x': () => hex('', 1),
  '%04x': () => hex('', 4),
  '%08x': () => hex('', 8),
  '%016x': () => hex('', 16),
  '%#x': (_, printer) => (printer === 'kernel' ? hex('0x', 1) : zeroApart(hex('0x', 1), '0')),
  '%#016x': (_, printer) => (printer === 'kernel' ? hex('0x', 14) : zeroApart(hex('0x', 14), '0'.repeat(16))),
  '%p': (_, printer) => (printer === 'kernel' ? hex('', 16) : hex('0x', 1)),
};

const NAMED: Readonly<Record<string, (printer: Printer) => Codec>> = {
  vmx_exit: () => symbolic(names.VMX_EXIT_REASONS),
  vmx_exit_flags: () => vmxExitFlags,
  svm_exit: () => symbolic(names.SVM_EXIT_REASONS),
  vmx_exit_plugin: () => symbolic(names.VMX_EXIT_REASONS_PLUGIN, 'UNKNOWN (', unsigned, ')'),
  svm_exit_plugin: () => symbolic(names.SVM_EXIT_REASONS_PLUGIN, 'UNKNOWN (', unsigned, ')'),
  kvm_exit_reason: () => symbolic(names.KVM_EXIT_REASONS),
  exception: () => symbolic(names.EXCEPTION_NAMES),
  delivery_mode: () => symbolic(names.DELIVERY_MODES),
  apic_reg: () => symbolic(names.APIC_REGISTERS),
  insn_mode: () => symbolic(names.INSN_MODES),
  host_clock: printer => symbolic(printer === 'kernel' ? names.HOST_CLOCKS : []),
  pferr: () => flags(names.PFERR_FLAGS, '|'),
  task_state: () => taskState(names.TASK_STATES, names.TASK_PREEMPTED),
  task_state_old: () => taskState(names.TASK_STATES_OLD, 0),
  task_state_plugin: () => taskState(names.TASK_STATES_OLD, 0, names.TASK_PREEMPTED),
  msi_dest: () => msiDest,
  eintr: () => negated(4, 4),
  error: () => negated(1, 4095, 4),
  negative: () => only(signed, value => value < 0),
  natural: () => only(signed, value => value >= 0),
  single: () => only(unsigned, value => value <= 1),
  many: () => only(unsigned, value => value > 1),
};
