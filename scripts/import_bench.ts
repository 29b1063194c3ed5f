/**
 * How fast the text of a trace is read: megabytes for each second of CPU time.
 *
 * The text is made here, from a seed: rounds of faults as mg-pv-1cpu records them, on several vCPUs, with the interrupts,
 * wake-ups and switches around them. The yardstick is a loop that only adds up the bytes.
 */
import type { ArgsOf, TracepointName } from '../src/trace/all.ts';
import type { Value } from '../src/trace/event.ts';
import { Importer } from '../src/trace/import.ts';
import { printEvent, printHeader } from '../src/trace/print.ts';
import type { Recording } from '../src/trace/recording.ts';
import { cpuNs } from './bench/measure.ts';

export interface ImportCost {
  readonly bytes: number;
  readonly lines: number;
  readonly mb_per_s: number;
  /** Of a loop that touches each byte once and does nothing with it. */
  readonly scan_mb_per_s: number;
}

const CHUNK_BYTES = 1 << 20;

export function importBench(megabytes: number): ImportCost {
  const text = syntheticTrace(megabytes * 1e6);
  const scan_s = cpuNs(() => scan(text)) / 1e9;
  let { length: lines } = importAll(syntheticTrace(4e6));
  const import_ns = cpuNs(() => {
    lines = importAll(text).length;
  });
  const mb = text.length / 1e6;
  return { bytes: text.length, lines, mb_per_s: (mb / import_ns) * 1e9, scan_mb_per_s: mb / scan_s };
}

function importAll(text: Uint8Array): Recording {
  const importer = new Importer('synthetic');
  for (let at = 0; at < text.length; at += CHUNK_BYTES) importer.push(text.subarray(at, at + CHUNK_BYTES));
  return importer.finish();
}

function scan(text: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < text.length; at += 1) sum += text[at]!;
  return sum;
}

/** ftrace text of Linux 6.1, of about so many bytes. */
export function syntheticTrace(bytes: number): Uint8Array {
  const lines: string[] = [];
  let size = 0;
  let time_ns = 1000e9;
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const put = <N extends TracepointName>(
    vcpu: number,
    flags: string,
    name: N,
    ...args: ArgsOf<N> | readonly Value[]
  ): void => {
    time_ns += 1000 * (1 + random(200));
    const kworker = name === 'kvm_async_pf_completed';
    const comm = kworker ? `kworker/${vcpu}:1` : `CPU ${vcpu}/KVM`;
    const event = {
      time_ns,
      cpu: vcpu,
      pid: (kworker ? 80 : 4711) + vcpu,
      comm,
      flags,
      host: '',
      name,
      args: [...args],
    };
    const line = `${printEvent(event, { format: 'ftrace', version: '6.1' })}\n`;
    size += line.length;
    lines.push(line);
  };
  for (let round = 1; size < bytes; round += 1) {
    const vcpu = random(4);
    const token = (round << 12) | vcpu;
    const gpa = 0x1000000 + random(0x3000) * 0x1000 + random(0x1000);
    const rip = 0x100000 + random(0x1000);
    const thread = `CPU ${vcpu}/KVM`;
    const enter = (): void => put(vcpu, 'd..1.', 'kvm_entry', vcpu, rip, 0);
    const exit = (reason: number, info1: number, info2: number): void =>
      put(vcpu, 'd..1.', 'kvm_exit', reason, rip, 2, info1, info2, 0, 0, vcpu);
    exit(0x400, 0x100000006, gpa);
    put(vcpu, '.....', 'kvm_page_fault', vcpu, rip, gpa, 0x100000006);
    put(vcpu, '.....', 'kvm_try_async_get_page', gpa, Math.floor(gpa / 4096), 0);
    put(vcpu, '.....', 'kvm_async_pf_not_present', token, gpa);
    put(vcpu, '.....', 'kvm_inj_exception', 14, 1, 0, 0);
    enter();
    exit(0x7c, 1, 0);
    put(vcpu, '.....', 'kvm_emulate_insn', rip, 0, '0f 30', 9, 0);
    put(vcpu, '.....', 'kvm_apic', 1, 0xb0, 0);
    put(vcpu, '.....', 'kvm_msr', 1, 0x80b, 0, 0);
    enter();
    put(vcpu, '.....', 'kvm_async_pf_completed', 0x7feaeb5f1000 + gpa - (gpa % 4096), 0, gpa);
    put(vcpu, 'd..2.', 'sched_switch', thread, 4711 + vcpu, 120, 1, `swapper/${vcpu}`, 0, 120);
    put(vcpu, 'dNh4.', 'sched_wakeup', thread, 4711 + vcpu, 120, vcpu, 1);
    exit(0x60, 0, 0);
    put(vcpu, '.....', 'kvm_async_pf_ready', token, gpa);
    put(vcpu, '.....', 'kvm_apic_accept_irq', vcpu, 0, 0, 243, 0);
    put(vcpu, '.....', 'kvm_inj_virq', 243, 0, 0);
    enter();
  }
  return Buffer.from(printHeader({ format: 'ftrace', version: '6.1' }, lines.length, 4) + lines.join(''), 'latin1');
}
