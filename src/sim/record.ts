/**
 * What a run lets be seen: its tracepoints as events, and the hash over them.
 *
 * The hash takes each record's number, time, thread and fields, and lives in the buffer like any other state, so that
 * it is right after time travel too. Nothing here can change what the machine does.
 */
import { type Emit, TP, tracepoints } from '../trace/all.ts';
import type { TraceEvent, Value } from '../trace/event.ts';
import { NO_THREAD } from './engine.ts';
import type { Machine } from './machine.ts';
import { FIRST_PID, VMM_COMM } from './places.ts';

export type EventSink = (event: TraceEvent) => void;

/** Comm of the VMM's main thread, which stands in for whoever carries out the scenario's actions. */

/** Which tracepoints are on: the kvm system, and on request the scheduler's. */
function enabledMask(sched: boolean): Uint8Array {
  return Uint8Array.from(tracepoints, ({ name, tracepoint }) =>
    (tracepoint.system === 'kvm' && name !== 'kvm_unmap_hva_range') ||
    (sched && (tracepoint.system === 'sched' || name === 'kvm_unmap_hva_range' || name === 'kvm_mmu_spte_requested'))
      ? 1
      : 0,
  );
}

/** Makes the machine's `emit`: counts, hashes, and hands each event to the sink if there is one. */
export function recorder(
  m: Machine,
  sink: EventSink | null,
  also: ((id: number, args: readonly number[]) => void) | null,
  sched = false,
): Emit {
  const enabled = enabledMask(sched);
  return (id, ...args: readonly number[]) => {
    if (!enabled[id]) return;
    const { clock } = m;
    clock.events += 1;
    mix(m, id);
    mix(m, clock.current_thread);
    mixNumber(m, clock.now_ns);
    for (const arg of args) mixNumber(m, arg);
    also?.(id, args);
    sink?.(toEvent(m, id, args));
  };
}

function mix(m: Machine, value: number): void {
  const { clock } = m;
  const a = Math.imul(clock.hash_a ^ value, 0x0100_0193);
  clock.hash_a = (a ^ (a >>> 15)) >>> 0;
  const b = Math.imul(clock.hash_b ^ (value + 0x9e37_79b9), 0x85eb_ca6b);
  clock.hash_b = (b ^ (b >>> 13) ^ clock.hash_a) >>> 0;
}

function mixNumber(m: Machine, value: number): void {
  mix(m, value >>> 0);
  const high = Math.floor(value / 0x1_0000_0000);
  if (high !== 0) mix(m, high >>> 0);
}

/** The hash so far, 16 hex digits. */
export function traceHash(m: Machine): string {
  const hex = (word: number) => word.toString(16).padStart(8, '0');
  return hex(m.clock.hash_a) + hex(m.clock.hash_b);
}

function toEvent(m: Machine, id: number, args: readonly number[]): TraceEvent {
  const { name, tracepoint } = tracepoints[id]!;
  if (id === TP.sched_switch) return switchEvent(m, args);
  const number = m.clock.current_thread;
  const thread = number === NO_THREAD ? null : m.threads[number]!;
  const place = thread && m.places.threads[number]!;
  const host = place?.host ?? 0;
  const cpu = thread ? thread.cpu - m.places.hosts[host]!.first_cpu : 0;
  const values: Value[] = args.map((value, index) =>
    tracepoint.fields[index]!.startsWith('str ') ? commOf(m, value, cpu) : value,
  );
  return {
    time_ns: m.clock.now_ns,
    cpu,
    pid: place?.pid ?? FIRST_PID,
    comm: place?.comm ?? VMM_COMM,
    flags: flagsOf(m, name, tracepoint.system),
    name,
    args: values,
    host: m.program.hosts.length > 1 ? m.program.hosts[host]!.name : '',
  };
}

/** Whoever is switched away from prints it, on the CPU that switches; whoever acted last in the model has no part in it. */
function switchEvent(m: Machine, args: readonly number[]): TraceEvent {
  const { fields } = tracepoints[TP.sched_switch]!.tracepoint;
  const row = (name: string): number => (args[fields.findIndex(each => each.endsWith(name))] ?? 0) - 1;
  const [previous, next] = [row('prev_comm'), row('next_comm')];
  const place = m.places.threads[previous];
  const { host } = place ?? m.places.threads[next]!;
  const cpu = m.threads[next < 0 ? previous : next]!.cpu - m.places.hosts[host]!.first_cpu;
  return {
    time_ns: m.clock.now_ns,
    cpu,
    pid: place?.pid ?? 0,
    comm: place?.comm ?? '<idle>',
    flags: flagsOf(m, 'sched_switch', 'sched'),
    name: 'sched_switch',
    args: args.map((value, index) => (fields[index]!.startsWith('str ') ? commOf(m, value, cpu) : value)),
    host: m.program.hosts.length > 1 ? m.program.hosts[host]!.name : '',
  };
}

/** Names of threads travel as their row + 1; 0 is the idle thread. */
function commOf(m: Machine, stored: number, cpu: number): string {
  return stored === 0 ? `swapper/${cpu}` : m.places.threads[stored - 1]!.comm;
}

/** Latency flags as the kernel has them at these places: interrupts off and preemption off around an entry. */
function flagsOf(m: Machine, name: string, system: string): string {
  const version = m.program.vms[0]?.knobs.trace_format ?? '6.12';
  if (version === 'v6' || version === '2.6.38') return '';
  const flags = name === 'kvm_entry' ? 'd..1' : system === 'sched' ? 'd..2' : '....';
  return version === '6.1' || version === '6.12' ? `${flags}.` : flags;
}
