/** Which envelope a line has: found out from its text, and from what a file says about itself. */
import type { Input } from './codec.ts';
import { type Envelope, type Head, readHead } from './envelope.ts';
import type { Format } from './forms.ts';
import { latin1 } from './strings.ts';

/** The magic of trace-cmd's binary files, which are not read: their text form is. */
const TRACE_DAT = [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67];
const GZIP = [0x1f, 0x8b];

export type FileKind = 'text' | 'gzip' | 'trace.dat';

/** What a file is, by its first bytes. */
export function fileKind(head: Uint8Array): FileKind {
  if (begins(head, TRACE_DAT)) return 'trace.dat';
  return begins(head, GZIP) ? 'gzip' : 'text';
}

function begins(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

export function newHead(): Head {
  return { comm_start: 0, comm_end: 0, pid: 0, cpu: 0, flags_start: 0, time_ns: 0, name_start: 0, name_end: 0 };
}

/** All shapes there are, without prefix, the likely ones first. `trace-cmd` before `ftrace`: without flags they differ in the blanks before the text only. */
const SHAPES: readonly Envelope[] = [6, 9].flatMap(digits =>
  [0, 5, 4].flatMap(nr_flags =>
    [5, 7].flatMap(pid_width =>
      (['trace-cmd', 'ftrace'] as const).map(format => ({ format, pid_width, nr_flags, digits, name_width: 0, prefix: '' })),
    ),
  ),
);

/** The envelope of a line, or null. `hint` is the format that the file seems to have. */
export function detect(bytes: Uint8Array, start: number, end: number, hint: Format | null): Envelope | null {
  const input: Input = { bytes, at: start, end, lo: 0, hi: 0 };
  for (const prefix of prefixes(bytes, start, end)) {
    const found = shapeOf(input, start + prefix.length, hint) ?? perfShape(input, start + prefix.length);
    if (found !== null) return { ...found, prefix };
  }
  return null;
}

function shapeOf(input: Input, start: number, hint: Format | null): Envelope | null {
  const head = newHead();
  const fits = SHAPES.filter(shape => {
    input.at = start;
    return readHead(shape, input, head);
  });
  return fits.find(shape => shape.format === hint) ?? fits[0] ?? null;
}

/** perf's columns for the thread and for the name are what the first line shows. */
function perfShape(input: Input, start: number): Envelope | null {
  const line = latin1(input.bytes, start, input.end);
  const found = /^(?:.{16,}?) ( *\d+) \[\d{3,5}\] +\d+\.(\d{6}|\d{9}): ( *)(\S+): /.exec(line);
  if (!found) return null;
  const [, pid = '', fraction = '', pad = '', name = ''] = found;
  const shape = (pid_width: number): Envelope => ({
    format: 'perf',
    pid_width,
    nr_flags: 0,
    digits: fraction.length,
    name_width: pad === '' ? 0 : pad.length + name.length,
    prefix: '',
  });
  const head = newHead();
  return (
    [5, 7].map(shape).find(each => {
      input.at = start;
      return pid.length >= each.pid_width && readHead(each, input, head);
    }) ?? null
  );
}

/** Nothing, or the name of a host up to its colon, as trace-cmd sets before each line of several files. */
function prefixes(bytes: Uint8Array, start: number, end: number): readonly string[] {
  const found = [''];
  const line = latin1(bytes, start, Math.min(end, start + 80));
  for (let colon = line.indexOf(': '); colon > 0; colon = line.indexOf(': ', colon + 1)) found.push(line.slice(0, colon + 2));
  return found;
}
