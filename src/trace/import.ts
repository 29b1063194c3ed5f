/**
 * Text of real traces to recordings: `cat trace`, `trace-cmd report` and `perf script`, told apart by their lines.
 *
 * Bytes are pushed as they come, in chunks of any size. Each line is looked at once: its envelope, then the name of the
 * event through a table, then its fields through the text that fitted last time. No line is lost: what is not
 * understood is kept as it is.
 */
import type { Input } from './codec.ts';
import { detect, newHead } from './detect.ts';
import { readHead } from './envelope.ts';
import type { Form } from './form.ts';
import { eventNames, type Format, formsOf } from './forms.ts';
import { LINE, Recording } from './recording.ts';
import { latin1, Strings } from './strings.ts';

const NEWLINE = 10;
const HASH = 35;
const MOST_ENVELOPES = 255;

/** What a tool says of its file rather than of an event. */
const COMMENT = /^(#|cpus=\d+$|version = |CPU \d+ is empty$|\s*$)/;
/** ftrace: `CPU:1 [LOST 123 EVENTS]`, `CPU:1 [LOST EVENTS]`; trace-cmd: `CPU:1 [123 EVENTS DROPPED]`, `CPU:1 [EVENTS DROPPED]`. */
const LOST = /^(?:.*: )?CPU:(\d+) \[(?:LOST )?(\d+)? ?EVENTS(?: DROPPED)?\]$/;

/** How events of one name are read. */
interface Reader {
  readonly id: number;
  readonly nr_words: number;
  /** The texts the name may have, by their numbers; the one that fitted last is tried first. */
  readonly forms: readonly Form[];
  readonly numbers: readonly number[];
  last: number;
}

/** The whole of a text at once. */
export function importTrace(bytes: Uint8Array, source = ''): Recording {
  const importer = new Importer(source);
  importer.push(bytes);
  return importer.finish();
}

export class Importer {
  readonly #recording = new Recording();
  readonly #input: Input = { bytes: new Uint8Array(), at: 0, end: 0, lo: 0, hi: 0 };
  readonly #head = newHead();
  /** Names of events on lines, by number, and how each is read; null for those that nobody declared. */
  readonly #names = new Strings();
  readonly #readers: (Reader | null)[] = [];
  readonly #known = eventNames();
  #rest = new Uint8Array();
  #envelope = 0;
  #hint: Format | null = null;
  /** A heading after events begins the recording of another host, whose threads are others though their numbers may be the same. */
  #part = 0;
  #firstOfPart = 0;

  constructor(source: string) {
    this.#recording.source = source;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    const first = chunk.indexOf(NEWLINE);
    if (this.#rest.length > 0 && first >= 0) {
      this.#line(joined(this.#rest, chunk.subarray(0, first)), 0, this.#rest.length + first);
      this.#rest = new Uint8Array();
      start = first + 1;
    }
    for (let end = chunk.indexOf(NEWLINE, start); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#line(chunk, start, end);
      start = end + 1;
    }
    if (start < chunk.length) this.#rest = joined(this.#rest, chunk.subarray(start));
  }

  finish(): Recording {
    if (this.#rest.length > 0) {
      this.#recording.ended = false;
      this.#line(this.#rest, 0, this.#rest.length);
    }
    return this.#recording;
  }

  #line(bytes: Uint8Array, start: number, end: number): void {
    const input = this.#input;
    input.bytes = bytes;
    input.end = end;
    const byte = bytes[start];
    if (byte !== HASH && this.#readEnvelope(start)) {
      this.#event(start);
    } else this.#other(bytes, start, end);
  }

  /** Who, where and when, in the envelope of the last line or in another one. */
  #readEnvelope(start: number): boolean {
    const input = this.#input;
    const { envelopes } = this.#recording;
    const current = envelopes[this.#envelope];
    input.at = start;
    if (current !== undefined && readHead(current, input, this.#head)) return true;
    for (let index = envelopes.length - 1; index >= this.#firstOfPart; index -= 1) {
      const other = envelopes[index];
      input.at = start;
      if (other === undefined || !readHead(other, input, this.#head)) continue;
      this.#envelope = index;
      return true;
    }
    const found = detect(input.bytes, start, input.end, this.#hint);
    if (found === null || envelopes.length >= MOST_ENVELOPES) return false;
    this.#envelope = this.#recording.addEnvelope(found, this.#part);
    this.#hint ??= found.format;
    input.at = start;
    return readHead(found, input, this.#head);
  }

  /** The rest of a line whose envelope was read. */
  #event(start: number): void {
    const input = this.#input;
    const head = this.#head;
    const recording = this.#recording;
    const { bytes } = input;
    const text = input.at;
    const comm = recording.strings.intern(bytes, head.comm_start, head.comm_end);
    const { nr_flags } = recording.envelopes[this.#envelope] ?? { nr_flags: 0 };
    const flags = nr_flags === 0 ? 0 : recording.strings.intern(bytes, head.flags_start, head.flags_start + nr_flags);
    const name = this.#names.intern(bytes, head.name_start, head.name_end);
    let reader = this.#readers[name];
    if (reader === undefined) reader = this.#readers[name] = this.#readerOf(this.#names.text(name));
    const row = reader === null ? this.#undeclared(start, name, text) : this.#declared(start, reader, text);
    if (row >= 0) recording.setHead(row, head, comm, flags);
  }

  #undeclared(start: number, name: number, text: number): number {
    const { bytes, end } = this.#input;
    const row = this.#recording.addKept(LINE.undeclared, bytes, start, end, this.#envelope);
    this.#recording.setEvent(row, this.#recording.strings.of(this.#names.text(name)), text - start);
    return row;
  }

  /** The row; -1 for a line that is damaged, of which nothing is to be believed. */
  #declared(start: number, reader: Reader, text: number): number {
    const { bytes, end } = this.#input;
    const base = this.#recording.reserve(reader.nr_words);
    const form = this.#fields(reader, text, base);
    if (form >= 0) return this.#recording.addRead(reader.id, form, this.#envelope, reader.nr_words);
    this.#recording.addKept(LINE.damaged, bytes, start, end, this.#envelope);
    return -1;
  }

  /** The number of the form that the text has, its fields written to the words; -1 where none fits. */
  #fields(reader: Reader, text: number, base: number): number {
    const input = this.#input;
    const { strings, words } = this.#recording;
    const { forms, last } = reader;
    for (let tried = 0; tried < forms.length; tried += 1) {
      const index = tried === 0 ? last : tried <= last ? tried - 1 : tried;
      input.at = text;
      words.fill(0, base, base + reader.nr_words);
      if (forms[index]?.read(input, strings, words, base) !== true) continue;
      reader.last = index;
      return reader.numbers[index] ?? -1;
    }
    return -1;
  }

  /** For a name that was not seen before. perf's names carry their system, which must be the right one. */
  #readerOf(text: string): Reader | null {
    const event = text.slice(text.indexOf(':') + 1);
    const id = this.#known.get(event);
    if (id === undefined) return null;
    const { all, nr_fields, system } = formsOf(id);
    const { format } = this.#recording.envelopes[this.#envelope] ?? { format: 'ftrace' };
    if (text !== (format === 'perf' ? `${system}:${event}` : event)) return null;
    const numbers = all.flatMap((form, number) => (form.name === event ? [number] : []));
    return { id, nr_words: 2 * nr_fields, forms: all.filter(form => form.name === event), numbers, last: 0 };
  }

  /** A line without an envelope. */
  #other(bytes: Uint8Array, start: number, end: number): void {
    const line = latin1(bytes, start, Math.min(end, start + 200));
    if (line.startsWith('# tracer:')) this.#startPart('ftrace');
    if (line.startsWith('cpus=')) this.#startPart('trace-cmd');
    const lost = LOST.exec(line);
    const kind = lost ? LINE.lost : COMMENT.test(line) ? LINE.comment : LINE.damaged;
    const row = this.#recording.addKept(kind, bytes, start, end, this.#envelope);
    if (lost) this.#recording.setLost(row, Number(lost[1]), Number(lost[2] ?? 0));
  }

  #startPart(format: Format): void {
    this.#hint = format;
    const { length } = this.#recording.envelopes;
    if (length === this.#firstOfPart) return;
    this.#part += 1;
    this.#firstOfPart = length;
    this.#envelope = length;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}
