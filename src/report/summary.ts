/**
 * What a recording contains: events, threads, tokens, and how long pages took.
 *
 * kvm_async_pf_completed names neither token nor vCPU, only an address. It belongs to the token that has waited longest
 * for that address, which may have been reported ready already: the worker's line and the vCPU's come from two CPUs.
 */
import { printable } from '../base/printable.ts';
import { TP, type TracepointName } from '../trace/all.ts';
import { fieldNames } from '../trace/event.ts';
import { LINE, type Recording } from '../trace/recording.ts';
import { decode } from '../trace/strings.ts';
import type { Paint } from './paint.ts';
import type { Latency, Summary } from './schema/summary.ts';

/** ~0 in 32 bits: wake all. */
const BROADCAST = 0xffffffff;
const NS_PER_US = 1000;

/** One fault, from not_present on. */
interface Fault {
  readonly thread: string;
  readonly at_ns: number;
  completed_ns: number | null;
  ready_ns: number | null;
}

/** Times between the lines of faults, in ns. */
interface Times {
  readonly not_present_to_completed: number[];
  readonly not_present_to_ready: number[];
  readonly completed_to_ready: number[];
  /** Where the completed line came after the ready of its token. */
  readonly ready_to_completed: number[];
}

export interface Matches extends Times {
  /** Completed lines for whose address several faults waited. */
  readonly ambiguous: number;
  /** Faults without a ready line. */
  readonly open: number;
}

export function summary(recording: Recording, matches: Matches = match(recording)): Summary {
  const events: Record<string, number> = {};
  const lines = { total: recording.length, parsed: 0, kept_verbatim: 0, damaged: 0 };
  const vcpus = new Map<string, { id: number; comm: string; pid: number }>();
  let broadcast = 0;
  for (let row = 0; row < recording.length; row += 1) {
    const kind = recording.kind(row);
    if (kind >= 0) lines.parsed += 1;
    else if (kind === LINE.damaged) lines.damaged += 1;
    else lines.kept_verbatim += 1;
    const name = recording.eventName(row);
    if (name !== null) events[name] = (events[name] ?? 0) + 1;
    if (kind === TP.kvm_entry) {
      const thread = threadOf(recording, row);
      if (!vcpus.has(thread)) {
        const comm = decode(recording.strings.text(recording.comm(row)));
        vcpus.set(thread, { id: Number(recording.value(row, VCPU_ID) ?? 0), comm, pid: recording.pid(row) });
      }
    }
    if (kind === TP.kvm_async_pf_ready && Number(recording.value(row, READY.token)) === BROADCAST) broadcast += 1;
  }
  const sorted = Object.fromEntries(Object.entries(events).sort(([a], [b]) => (a < b ? -1 : 1)));
  const nr = (...names: readonly string[]): number => names.reduce((sum, name) => sum + (events[name] ?? 0), 0);
  return {
    source: recording.source,
    events: sorted,
    lines,
    vcpus: [...vcpus.values()],
    tokens: {
      not_present: nr('kvm_async_pf_not_present'),
      ready: nr('kvm_async_pf_ready'),
      completed: nr('kvm_async_pf_completed'),
      repeated: nr('kvm_async_pf_repeated_fault', 'kvm_async_pf_doublefault'),
      broadcast,
      open_at_end: matches.open,
    },
    latency_us: {
      not_present_to_completed: latency(matches.not_present_to_completed),
      not_present_to_ready: latency(matches.not_present_to_ready),
      completed_to_ready: latency(matches.completed_to_ready),
    },
  };
}

const VCPU_ID = fieldNames('kvm_entry').indexOf('vcpu_id');
const NOT_PRESENT = placeIn('kvm_async_pf_not_present');
const COMPLETED = placeIn('kvm_async_pf_completed');
const READY = placeIn('kvm_async_pf_ready');

interface Place {
  readonly token: number;
  readonly gva: number;
}

/** Where the fields are; -1 for one that is not there, whose value is then undefined. */
function placeIn(name: TracepointName): Place {
  return { token: fieldNames(name).indexOf('token'), gva: fieldNames(name).indexOf('gva') };
}

/** Put the three lines of each fault together. */
export function match(recording: Recording): Matches {
  const byToken = new Map<string, Fault>();
  const byAddress = new Map<string, Fault[]>();
  const times: Times = {
    not_present_to_completed: [],
    not_present_to_ready: [],
    completed_to_ready: [],
    ready_to_completed: [],
  };
  let ambiguous = 0;
  let open = 0;

  const tokenOf = (row: number, { token, gva }: Place): string =>
    `${threadOf(recording, row)} ${recording.value(row, token) ?? `gva ${recording.value(row, gva)}`}`;
  const waitingFor = (row: number, { gva }: Place): Fault[] => {
    const key = `${recording.host(row)} ${recording.value(row, gva)}`;
    const waiting = byAddress.get(key) ?? [];
    byAddress.set(key, waiting);
    return waiting;
  };

  for (let row = 0; row < recording.length; row += 1) {
    const now_ns = recording.time_ns(row);
    switch (recording.kind(row)) {
      case TP.kvm_async_pf_not_present: {
        const fault: Fault = { thread: threadOf(recording, row), at_ns: now_ns, completed_ns: null, ready_ns: null };
        const waiting = waitingFor(row, NOT_PRESENT);
        // A vCPU does not wait twice for one page: an older wait of this one was dropped, by a reset for example.
        const dropped = waiting.findIndex(({ thread, ready_ns }) => thread === fault.thread && ready_ns === null);
        if (dropped >= 0) waiting.splice(dropped, 1);
        waiting.push(fault);
        byToken.set(tokenOf(row, NOT_PRESENT), fault);
        open += 1;
        break;
      }
      case TP.kvm_async_pf_completed: {
        const waiting = waitingFor(row, COMPLETED);
        if (waiting.length > 1) ambiguous += 1;
        const fault = waiting.shift();
        if (fault === undefined) break;
        fault.completed_ns = now_ns;
        if (fault.ready_ns === null) times.not_present_to_completed.push(now_ns - fault.at_ns);
        else times.ready_to_completed.push(now_ns - fault.ready_ns);
        break;
      }
      case TP.kvm_async_pf_ready: {
        const token = tokenOf(row, READY);
        const fault = byToken.get(token);
        if (fault === undefined) break;
        byToken.delete(token);
        fault.ready_ns = now_ns;
        open -= 1;
        times.not_present_to_ready.push(now_ns - fault.at_ns);
        if (fault.completed_ns !== null) times.completed_to_ready.push(now_ns - fault.completed_ns);
      }
    }
  }
  return { ...times, ambiguous, open };
}

/** The summary for people. */
export function summaryText(of: Summary, matches: Matches, paint: Paint): string {
  const { lines, vcpus, tokens, latency_us } = of;
  const heading = (text: string): string => `\n${paint.strong(text)}\n`;
  const events = Object.entries(of.events).sort(([, a], [, b]) => b - a);
  const most = String(events[0]?.[1] ?? 0).length;
  const damaged = lines.damaged > 0 ? paint.bad(`${lines.damaged} damaged`) : '0 damaged';
  return [
    `${paint.strong(printable(of.source))}\n`,
    `  ${lines.total} lines: ${lines.parsed} events read, ${lines.kept_verbatim} kept as they are, ${damaged}\n`,
    heading('vCPU threads'),
    ...vcpus.map(({ id, comm, pid }) => `  vcpu ${id}  ${printable(comm)}-${pid}\n`),
    heading('Async page faults'),
    `  ${tokens.not_present} not present, ${tokens.repeated} repeated, ${tokens.completed} completed, ${tokens.ready} ready`,
    ` (${tokens.broadcast} for all), ${open(tokens.open_at_end, paint)}\n`,
    ...(Object.entries(latency_us).some(([, { n }]) => n > 0) ? [paint.dim(latencyHeading())] : []),
    ...Object.entries(latency_us).map(([name, each]) => latencyLine(name.replaceAll('_', ' '), each)),
    ...late(matches, paint),
    heading('Events'),
    ...events.map(([name, n]) => `  ${String(n).padStart(most)}  ${printable(name)}\n`),
  ].join('');
}

function open(n: number, paint: Paint): string {
  return n === 0 ? 'none open at the end' : paint.warn(`${n} open at the end`);
}

const LATENCIES = ['n', 'mean', 'p50', 'p90', 'min', 'max'] as const;
const LABEL = 26;

function latencyHeading(): string {
  return `  ${'microseconds'.padEnd(LABEL)}${LATENCIES.map(each => each.padStart(9)).join('')}\n`;
}

function latencyLine(name: string, each: Latency): string {
  if (each.n === 0) return '';
  return `  ${name.padEnd(LABEL)}${LATENCIES.map(key => String(Math.round(each[key] ?? 0)).padStart(9)).join('')}\n`;
}

function late({ ready_to_completed, ambiguous }: Matches, paint: Paint): readonly string[] {
  const { length } = ready_to_completed;
  return [
    ...(length > 0 ? [paint.dim(`  late: ${length} completed after the ready line of their token\n`)] : []),
    ...(ambiguous > 0
      ? [paint.dim(`  ambiguous: ${ambiguous} completed could belong to several faults; the oldest was taken\n`)]
      : []),
  ];
}

/** A thread: its host and id. A vCPU number may occur twice, in two VMs; a thread id in two hosts. */
function threadOf(recording: Recording, row: number): string {
  return `${recording.host(row)} ${recording.pid(row)}`;
}

/** Microseconds of nanoseconds. */
export function latency(values_ns: readonly number[]): Latency {
  const n = values_ns.length;
  const sorted = values_ns.map(ns => ns / NS_PER_US).sort((a, b) => a - b);
  const at = (index: number): number | null => sorted[index] ?? null;
  if (n === 0) return { n, mean: null, p50: null, p90: null, min: null, max: null };
  const mean = values_ns.reduce((sum, ns) => sum + ns, 0) / n / NS_PER_US;
  const middle = ((at((n - 1) >> 1) ?? 0) + (at(n >> 1) ?? 0)) / 2;
  return { n, mean, p50: middle, p90: at(Math.floor(0.9 * (n - 1))), min: at(0), max: at(n - 1) };
}
