/** Which envelope a line has: found out from its text, and from what a file says about itself. */
import type { Input } from './codec.ts';
import { COMM_WIDTH, type Envelope, type Head, readHead } from './envelope.ts';
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
  return { comm_start: 0, comm_end: 0, pid: 0, tgid: 0, cpu: 0, flags_start: 0, time_ns: 0, name_start: 0, name_end: 0 };
}

/** All shapes there are, without prefix, the likely ones first. `trace-cmd` before `ftrace`: without flags they differ in the blanks before the text only. */
const SHAPES: readonly Envelope[] = [6, 9].flatMap(digits =>
  [0, 5, 4].flatMap(nr_flags =>
    [5, 7].flatMap(pid_width => [
      shape('trace-cmd', { pid_width, nr_flags, digits }),
      shape('ftrace', { pid_width, nr_flags, digits }),
      shape('ftrace', { pid_width, nr_flags, digits, tgid: true }),
    ]),
  ),
);

function shape(format: Format, more: Partial<Envelope>): Envelope {
  return { format, pid_width: 5, nr_flags: 0, tgid: false, digits: 6, name_width: 0, prefix: '', ...more };
}

/**
 * The envelope of a line, or null. `hint` is the format that the file seems to have.
 *
 * Thread names nearly always fit their 16 columns, so a reading in which this one does goes before one in which a longer
 * name, or the name of a host, has to explain the line.
 */
export function detect(bytes: Uint8Array, start: number, end: number, hint: Format | null): Envelope | null {
  const input: Input = { bytes, at: start, end, lo: 0, hi: 0 };
  const fits = prefixes(bytes, start, end).flatMap(prefix =>
    [...SHAPES, ...perfShapes(input, start)].flatMap(each => readingOf({ ...each, prefix }, input, start)),
  );
  const best = fits.filter(({ fixed }) => fixed);
  const all = best.length > 0 ? best : fits;
  return (all.find(({ envelope }) => envelope.format === hint) ?? all[0])?.envelope ?? null;
}

function readingOf(envelope: Envelope, input: Input, start: number) {
  const head = newHead();
  input.at = start;
  if (!readHead(envelope, input, head)) return [];
  return [{ envelope, fixed: head.comm_end === start + envelope.prefix.length + COMM_WIDTH }];
}

/** perf's column for the name is as wide as the first line shows. */
function perfShapes(input: Input, start: number): readonly Envelope[] {
  const line = latin1(input.bytes, start, input.end);
  const found = / \[\d{3,5}\] +\d+\.(\d{6}|\d{9}): ( *)(\S+): /.exec(line);
  if (!found) return [];
  const [, fraction = '', pad = '', name = ''] = found;
  const name_width = pad === '' ? 0 : pad.length + name.length;
  return [5, 7].map(pid_width => shape('perf', { pid_width, digits: fraction.length, name_width }));
}

/** Nothing, or the name of a host up to its colon, as trace-cmd sets before each line of several files. */
function prefixes(bytes: Uint8Array, start: number, end: number): readonly string[] {
  const found = [''];
  const line = latin1(bytes, start, Math.min(end, start + 80));
  for (let colon = line.indexOf(': '); colon > 0; colon = line.indexOf(': ', colon + 1)) found.push(line.slice(0, colon + 2));
  return found;
}
