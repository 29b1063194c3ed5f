/**
 * What stands before an event's text on its line: who, where and when.
 *
 *     ftrace      `       CPU 0/KVM-4711    [002] d..1.  1234.500011: kvm_entry: vcpu 0, rip 0x1000`
 *     trace-cmd   `       CPU 0/KVM-4711  [002]  1234.500011: kvm_entry:             vcpu 0 rip 0x1000`
 *     perf        `       CPU 0/KVM  4711 [002]  1234.500011: kvm:kvm_entry: vcpu 0, rip 0x1000`
 *
 * Thread names contain blanks, slashes and dashes: `CPU 0/KVM`, `qemu-system-x86`. They end at the last dash before the
 * number of the CPU, or, since they are set flush right in 16 columns, nearly always at column 16.
 */
import type { Input } from './codec.ts';
import type { Format, Style } from './forms.ts';

export interface Envelope {
  readonly format: Format;
  /** Columns for the thread id: 7 since Linux 5.9 and in newer perf, else 5. */
  readonly pid_width: number;
  /** Latency flags: none (before 3.3, and in trace-cmd and perf), 4, or 5 since 5.15. */
  readonly nr_flags: number;
  /** The option record-tgid: the process in brackets after the thread. */
  readonly tgid: boolean;
  /** Of the second: 6 or 9. */
  readonly digits: number;
  /** perf sets event names flush right in as many columns as the longest takes. */
  readonly name_width: number;
  /** In recordings of several hosts their name, as trace-cmd prints the name of the file: `   host-a: `. */
  readonly prefix: string;
}

/** What an envelope says, while a line is read. Numbers are places in the input. */
export interface Head {
  comm_start: number;
  comm_end: number;
  pid: number;
  tgid: number;
  cpu: number;
  flags_start: number;
  time_ns: number;
  name_start: number;
  name_end: number;
}

/** TASK_COMM_LEN: a thread name is at most 15 bytes, except those that perf makes up for workers. */
export const COMM_WIDTH = 16;
const NAME_WIDTH = 20;
const BLANK = 32;
const PARENTHESIS = 40;
const DASH = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;

/** What a line says besides its event. */
export interface Who {
  readonly comm: string;
  readonly pid: number;
  /** The process, where it is known. */
  readonly tgid?: number;
  readonly cpu: number;
  readonly flags: string;
  readonly time_ns: number;
}

/** The kernel did not know the process, or was not asked: `(-------)`. */
export const NO_TGID = -1;

/** The envelope of a style. The prefix and the width of names depend on the recording. */
export function envelopeOf(style: Style, prefix = '', name_width = 0): Envelope {
  const { format, version, ns = false } = style;
  const modern = version === '6.1' || version === '6.12';
  const nr_flags = format !== 'ftrace' || version === 'v6' || version === '2.6.38' ? 0 : modern ? 5 : 4;
  const pid_width = modern && format === 'ftrace' ? 7 : 5;
  return { format, pid_width, nr_flags, tgid: false, digits: ns ? 9 : 6, name_width, prefix };
}

/** A line without its end. `name` carries its system for perf: `kvm:kvm_entry`. */
export function printLine(envelope: Envelope, who: Who, name: string, text: string): string {
  const { format, pid_width, nr_flags, prefix } = envelope;
  const cpu = `[${String(who.cpu).padStart(3, '0')}]`;
  const comm = who.comm.padStart(COMM_WIDTH);
  const time = timeText(who.time_ns, envelope.digits);
  if (format === 'perf') {
    const label = name.padStart(envelope.name_width);
    return `${prefix}${comm} ${String(who.pid).padStart(pid_width)} ${cpu} ${time.padStart(12)}: ${label}: ${text}`;
  }
  const flags = nr_flags === 0 ? '' : `${(who.flags || '.....').slice(0, nr_flags).padEnd(nr_flags, '.')} `;
  const { tgid: process = NO_TGID } = who;
  const tgid = !envelope.tgid ? '' : process === NO_TGID ? `(${'-'.repeat(pid_width)}) ` : `(${String(process).padStart(pid_width)}) `;
  const pad = format === 'trace-cmd' ? ' '.repeat(Math.max(0, NAME_WIDTH - name.length)) : '';
  const point = envelope.digits + 1;
  return `${prefix}${comm}-${String(who.pid).padEnd(pid_width)} ${tgid}${cpu} ${flags}${time.padStart(5 + point)}: ${name}: ${pad}${text}`;
}

/** Seconds and a fraction: 1817460378000 ns is `1817.460378`. What does not fit the digits is cut, as the kernel does. */
function timeText(time_ns: number, digits: number): string {
  const unit = digits === 9 ? 1 : 1000;
  const per_second = 1e9 / unit;
  const units = Math.floor(time_ns / unit);
  return `${Math.floor(units / per_second)}.${String(units % per_second).padStart(digits, '0')}`;
}

/**
 * Read what stands before the text; input.at is then the first byte of the text. Strict, like the codecs: what is
 * accepted prints back the same.
 */
export function readHead(envelope: Envelope, input: Input, head: Head): boolean {
  if (!skipPrefix(envelope.prefix, input)) return false;
  return envelope.format === 'perf' ? readPerf(envelope, input, head) : readFtrace(envelope, input, head);
}

function skipPrefix(prefix: string, input: Input): boolean {
  for (let index = 0; index < prefix.length; index += 1) {
    if (input.bytes[input.at + index] !== prefix.charCodeAt(index)) return false;
  }
  input.at += prefix.length;
  return true;
}

function readFtrace(envelope: Envelope, input: Input, head: Head): boolean {
  const { bytes, end } = input;
  const start = input.at;
  let dash = start + COMM_WIDTH;
  if (bytes[dash] !== DASH || !readThread(envelope, input, dash, head)) {
    dash = longNameEnd(bytes, start, end);
    if (dash <= start + COMM_WIDTH || !readThread(envelope, input, dash, head)) return false;
  }
  setComm(bytes, start, dash, head);
  head.flags_start = input.at;
  if (envelope.nr_flags > 0) {
    for (let index = 0; index < envelope.nr_flags; index += 1) {
      if (!isFlag(bytes[input.at + index])) return false;
    }
    input.at += envelope.nr_flags;
    if (bytes[input.at] !== BLANK) return false;
    input.at += 1;
  }
  if (!readTime(input, envelope.digits, 5, head) || !readName(input, head)) return false;
  if (envelope.format === 'trace-cmd') {
    const text = head.name_end + 2 + Math.max(0, NAME_WIDTH - (head.name_end - head.name_start));
    for (; input.at < text; input.at += 1) {
      if (bytes[input.at] !== BLANK) return false;
    }
  }
  return input.at <= end;
}

function readPerf(envelope: Envelope, input: Input, head: Head): boolean {
  const { bytes, end } = input;
  const start = input.at;
  let open = start + COMM_WIDTH + envelope.pid_width + 2;
  if (bytes[open] !== OPEN || !readPerfThread(envelope, input, open, head)) {
    open = cpuStart(bytes, start, end);
    if (open < 0 || !readPerfThread(envelope, input, open, head)) return false;
  }
  setComm(bytes, start, head.comm_end, head);
  if (!readTime(input, envelope.digits, 12 - envelope.digits - 1, head)) return false;
  const column = input.at;
  while (bytes[input.at] === BLANK) input.at += 1;
  const pad = input.at - column;
  if (!readName(input, head)) return false;
  return pad === Math.max(0, envelope.name_width - (head.name_end - head.name_start)) && input.at <= end;
}

/** `-PID   [CPU] `, from the dash. */
function readThread(envelope: Envelope, input: Input, dash: number, head: Head): boolean {
  const { bytes } = input;
  input.at = dash + 1;
  const digits = readNumber(input);
  if (digits === 0) return false;
  head.pid = input.lo;
  for (let column = digits; column < envelope.pid_width; column += 1, input.at += 1) {
    if (bytes[input.at] !== BLANK) return false;
  }
  if (bytes[input.at] !== BLANK) return false;
  input.at += 1;
  head.tgid = NO_TGID;
  return (!envelope.tgid || readTgid(envelope, input, head)) && readCpu(input, input.at, head);
}

/** `(   4521) ` or `(-------) `. */
function readTgid({ pid_width }: Envelope, input: Input, head: Head): boolean {
  const { bytes } = input;
  if (bytes[input.at] !== PARENTHESIS) return false;
  const first = input.at + 1;
  let at = first;
  while (bytes[at] === DASH) at += 1;
  if (at > first) {
    if (at - first !== pid_width) return false;
  } else {
    while (bytes[at] === BLANK) at += 1;
    input.at = at;
    const digits = readNumber(input);
    if (digits === 0 || at - first !== Math.max(0, pid_width - digits)) return false;
    head.tgid = input.lo;
    at = input.at;
  }
  input.at = at + 2;
  return bytes[at] === PARENTHESIS + 1 && bytes[at + 1] === BLANK;
}

/** ` PID [CPU] `, from the bracket back. */
function readPerfThread(envelope: Envelope, input: Input, open: number, head: Head): boolean {
  const { bytes } = input;
  let at = open - 1;
  if (bytes[at] !== BLANK) return false;
  while (isDigit(bytes[at - 1])) at -= 1;
  input.at = at;
  const digits = readNumber(input);
  if (digits === 0 || input.at !== open - 1) return false;
  head.pid = input.lo;
  for (let column = digits; column < envelope.pid_width; column += 1) {
    at -= 1;
    if (bytes[at] !== BLANK) return false;
  }
  head.comm_end = at - 1;
  return bytes[head.comm_end] === BLANK && readCpu(input, open, head);
}

function readCpu(input: Input, open: number, head: Head): boolean {
  const { bytes } = input;
  if (bytes[open] !== OPEN) return false;
  input.at = open + 1;
  const first = input.at;
  let cpu = 0;
  for (; isDigit(bytes[input.at]); input.at += 1) cpu = cpu * 10 + (bytes[input.at] ?? 0) - ZERO;
  const digits = input.at - first;
  if (digits < 3 || digits > 5 || (digits > 3 && bytes[first] === ZERO) || cpu > 0xffff) return false;
  head.cpu = cpu;
  if (bytes[input.at] !== CLOSE || bytes[input.at + 1] !== BLANK) return false;
  input.at += 2;
  return true;
}

/** `%5lu.%06lu: `; the whole must be exact in a double. */
function readTime(input: Input, digits: number, width: number, head: Head): boolean {
  const { bytes } = input;
  const column = input.at;
  while (bytes[input.at] === BLANK) input.at += 1;
  const first = input.at;
  let seconds = 0;
  for (; isDigit(bytes[input.at]); input.at += 1) seconds = seconds * 10 + (bytes[input.at] ?? 0) - ZERO;
  const nr_digits = input.at - first;
  if (nr_digits === 0 || nr_digits > 7 || (nr_digits > 1 && bytes[first] === ZERO)) return false;
  if (first - column !== Math.max(0, width - nr_digits) || bytes[input.at] !== DOT) return false;
  input.at += 1;
  let fraction = 0;
  for (let index = 0; index < digits; index += 1, input.at += 1) {
    if (!isDigit(bytes[input.at])) return false;
    fraction = fraction * 10 + (bytes[input.at] ?? 0) - ZERO;
  }
  if (bytes[input.at] !== COLON || bytes[input.at + 1] !== BLANK) return false;
  input.at += 2;
  head.time_ns = seconds * 1e9 + (digits === 9 ? fraction : fraction * 1000);
  return head.time_ns <= Number.MAX_SAFE_INTEGER;
}

/** `name: `; perf's has a colon in it. */
function readName(input: Input, head: Head): boolean {
  const { bytes, end } = input;
  head.name_start = input.at;
  let { at } = input;
  for (; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === BLANK) return false;
    if (byte === COLON && (bytes[at + 1] === BLANK || at + 1 === end)) break;
  }
  if (at >= end || at === head.name_start || bytes[at + 1] !== BLANK) return false;
  head.name_end = at;
  input.at = at + 2;
  return true;
}

/** Thread ids, without a zero in front; how many digits there were. */
function readNumber(input: Input): number {
  const { bytes } = input;
  const first = input.at;
  let value = 0;
  for (; isDigit(bytes[input.at]); input.at += 1) value = value * 10 + (bytes[input.at] ?? 0) - ZERO;
  const digits = input.at - first;
  if (digits > 9 || (digits > 1 && bytes[first] === ZERO)) return 0;
  input.lo = value;
  return digits;
}

/** The dash after a thread name of more than 16 bytes: the last before ` [`, a number between. */
function longNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = cpuStart(bytes, start, end) - 1;
  while (at > start && bytes[at] === BLANK) at -= 1;
  if (bytes[at] === PARENTHESIS + 1) {
    while (at > start && bytes[at] !== PARENTHESIS) at -= 1;
    at -= 1;
    while (at > start && bytes[at] === BLANK) at -= 1;
  }
  while (at > start && isDigit(bytes[at])) at -= 1;
  return bytes[at] === DASH ? at : -1;
}

/** The first `[CPU]` after which there is a blank. */
function cpuStart(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at + 5 < end; at += 1) {
    if (bytes[at] !== OPEN || !isDigit(bytes[at + 1])) continue;
    let close = at + 2;
    while (isDigit(bytes[close])) close += 1;
    if (bytes[close] === CLOSE && bytes[close + 1] === BLANK) return at;
  }
  return -1;
}

function setComm(bytes: Uint8Array, start: number, end: number, head: Head): void {
  let first = start;
  if (end - start === COMM_WIDTH) while (first < end && bytes[first] === BLANK) first += 1;
  head.comm_start = first;
  head.comm_end = end;
}

function isDigit(byte = 0): boolean {
  return byte >= 48 && byte <= 57;
}

/** A flag character is never a blank: `.`, a digit or a letter. */
function isFlag(byte = BLANK): boolean {
  return byte > BLANK && byte < 127;
}
