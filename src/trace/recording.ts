/**
 * A recording of a real kernel: the lines of its text, in columns.
 *
 * A declared event is its numbers only; its text was dropped when it was read and is made again when it is wanted. Any
 * other line is kept as it is. So printing a recording gives the file back, and what it gives proves what was understood.
 */
import { present } from '../base/assert.ts';
import { type Envelope, type Head, NO_TGID, printLine, type Who } from './envelope.ts';
import type { TraceEvent, Value } from './event.ts';
import { formsOf } from './forms.ts';
import { latin1, Strings } from './strings.ts';

/** What a line is, where it is no declared event (whose kind is the number of its tracepoint). */
export const LINE = {
  /** An event that nobody declared: who, where and when are known, its text is kept. */
  undeclared: -1,
  /** Does not read as what it pretends to be: kept as it is, and counted. */
  damaged: -2,
  /** Headings, and what a tool says about the file. */
  comment: -3,
  /** Events were lost here. */
  lost: -4,
} as const;

const FIRST_ROWS = 1024;
const KEPT_WORDS = 4;

type Column = Uint8Array | Uint16Array | Uint32Array | Int16Array | Int32Array | Float64Array;

export class Recording {
  readonly strings = new Strings();
  readonly envelopes: Envelope[] = [];
  /** By envelope: whose it is. */
  readonly #hosts: number[] = [];
  readonly #hostNames: string[] = [];
  /** Where it comes from: the name of a file, or of a run. */
  source = '';
  /** Whether the last line had its end. */
  ended = true;
  #rows = 0;
  #kind = new Int16Array(FIRST_ROWS);
  #form = new Uint8Array(FIRST_ROWS);
  #envelope = new Uint8Array(FIRST_ROWS);
  #cpu = new Uint16Array(FIRST_ROWS);
  #pid = new Int32Array(FIRST_ROWS);
  /** The process, where the trace was asked for it. */
  #tgid = new Int32Array(FIRST_ROWS);
  #comm = new Uint32Array(FIRST_ROWS);
  #flags = new Uint32Array(FIRST_ROWS);
  #time_ns = new Float64Array(FIRST_ROWS);
  /** Where the words of the row begin. Of a declared event two for each field; of kept lines first byte, length, name, text. */
  #at = new Uint32Array(FIRST_ROWS);
  #words = new Uint32Array(FIRST_ROWS * 8);
  #nr_words = 0;
  /** The bytes of the lines that are kept. */
  #kept = new Uint8Array(FIRST_ROWS);
  #nr_kept = 0;

  /** Lines with the same prefix are of one host, but not over parts of a file that each have a heading. */
  addEnvelope(envelope: Envelope, part: number): number {
    const label = envelope.prefix.slice(0, envelope.prefix.lastIndexOf(':')).trim();
    const name = label === '' && part > 0 ? `host ${part + 1}` : label;
    const known = this.#hostNames.indexOf(name);
    if (known < 0) this.#hostNames.push(name);
    this.#hosts.push(known < 0 ? this.#hostNames.length - 1 : known);
    return this.envelopes.push(envelope) - 1;
  }

  get length(): number {
    return this.#rows;
  }

  /** The number of the tracepoint, or one of LINE. */
  kind(row: number): number {
    return this.#kind[row] ?? LINE.comment;
  }

  time_ns(row: number): number {
    return this.#time_ns[row] ?? 0;
  }

  cpu(row: number): number {
    return this.#cpu[row] ?? 0;
  }

  pid(row: number): number {
    return this.#pid[row] ?? 0;
  }

  /** The number of the thread's name. */
  comm(row: number): number {
    return this.#comm[row] ?? 0;
  }

  /** The number of the host that a row is of. */
  host(row: number): number {
    return this.#hosts[this.#envelope[row] ?? 0] ?? 0;
  }

  envelopeOf(row: number): Envelope {
    return present(this.envelopes[this.#envelope[row] ?? 0], 'trace: the envelope of a row');
  }

  /** A field of a declared event by its place. Undefined where the text of the row does not tell it. */
  value(row: number, field: number): Value {
    const forms = formsOf(this.kind(row));
    const form = forms.all[this.#form[row] ?? 0];
    if (field < 0 || (form !== undefined && form.tells[field] !== true)) return undefined;
    const slot = (this.#at[row] ?? 0) + 2 * field;
    const lo = this.#words[slot] ?? 0;
    const hi = this.#words[slot + 1] ?? 0;
    const type = forms.types[field];
    if (type === 'name') return this.strings.text(lo);
    const number = (type === 'signed' ? hi | 0 : hi) * 2 ** 32 + lo;
    if (Number.isSafeInteger(number)) return number;
    const exact = (BigInt(hi) << 32n) | BigInt(lo);
    return type === 'signed' ? BigInt.asIntN(64, exact) : exact;
  }

  /** A declared event; null for other lines. Names are text of bytes. */
  event(row: number): TraceEvent | null {
    const kind = this.kind(row);
    if (kind < 0) return null;
    const { name, nr_fields } = formsOf(kind);
    const args = Array.from({ length: nr_fields }, (_, field) => this.value(row, field));
    const { tgid: _, ...head } = this.#head(row);
    return { ...head, name, args, host: this.#hostNames[this.host(row)] ?? '' };
  }

  /** The name of the event on a line, declared or not, without its system; null where there is no event. */
  eventName(row: number): string | null {
    const kind = this.kind(row);
    if (kind >= 0) return formsOf(kind).all[this.#form[row] ?? 0]?.name ?? formsOf(kind).name;
    if (kind !== LINE.undeclared) return null;
    const name = this.strings.text(this.#words[(this.#at[row] ?? 0) + 2] ?? 0);
    return name.slice(name.indexOf(':') + 1);
  }

  /** The line in the words of the file that it came from, without its end. */
  line(row: number): string {
    const kind = this.kind(row);
    if (kind < 0) return this.#keptText(row, 0);
    const forms = formsOf(kind);
    const form = present(forms.all[this.#form[row] ?? 0], 'trace: a row that was read from text');
    const envelope = this.envelopeOf(row);
    const name = envelope.format === 'perf' ? `${forms.system}:${form.name}` : form.name;
    const args = Array.from({ length: forms.nr_fields }, (_, field) => this.value(row, field));
    return printLine(envelope, this.#head(row), name, present(form.print(args), 'trace: what was read has a text'));
  }

  /** An undeclared event in an envelope of another format. */
  reline(row: number, envelope: Envelope): string {
    const name = this.strings.text(this.#words[(this.#at[row] ?? 0) + 2] ?? 0);
    const bare = envelope.format === 'perf' ? name : name.slice(name.indexOf(':') + 1);
    return printLine(envelope, this.#head(row), bare, this.#keptText(row, this.#words[(this.#at[row] ?? 0) + 3] ?? 0));
  }

  /** Room for so many words; they count once a row takes them. Returns where they begin. */
  reserve(nr_words: number): number {
    if (this.#nr_words + nr_words > this.#words.length) this.#words = grown(Uint32Array, this.#words, this.#nr_words + nr_words);
    return this.#nr_words;
  }

  get words(): Uint32Array {
    return this.#words;
  }

  /** A declared event whose fields were written to the words reserved for it. */
  addRead(id: number, form: number, envelope: number, nr_words: number): number {
    const row = this.#add(id, envelope, this.#nr_words);
    this.#form[row] = form;
    this.#nr_words += nr_words;
    return row;
  }

  /** A line that is kept. */
  addKept(kind: number, bytes: Uint8Array, start: number, end: number, envelope: number): number {
    const size = end - start;
    if (this.#nr_kept + size > this.#kept.length) this.#kept = grown(Uint8Array, this.#kept, this.#nr_kept + size);
    this.#kept.set(bytes.subarray(start, end), this.#nr_kept);
    const base = this.reserve(KEPT_WORDS);
    this.#words.set([this.#nr_kept, size, 0, 0], base);
    this.#nr_words += KEPT_WORDS;
    this.#nr_kept += size;
    return this.#add(kind, envelope, base);
  }

  /** Who, where and when. Thread names and flags are numbers in `strings`. */
  setHead(row: number, head: Head, comm: number, flags: number): void {
    this.#time_ns[row] = head.time_ns;
    this.#cpu[row] = head.cpu;
    this.#pid[row] = head.pid;
    this.#tgid[row] = head.tgid;
    this.#comm[row] = comm;
    this.#flags[row] = flags;
  }

  /** The name of an undeclared event, and where on its line its text begins. */
  setEvent(row: number, name: number, text: number): void {
    this.#words.set([name, text], (this.#at[row] ?? 0) + 2);
  }

  /** `count` events of a CPU were lost here; 0 for an unknown number. */
  setLost(row: number, cpu: number, count: number): void {
    this.#cpu[row] = cpu;
    this.#words[(this.#at[row] ?? 0) + 2] = count;
  }

  /** How many events were lost at a line that says so. */
  lost(row: number): number {
    return this.#words[(this.#at[row] ?? 0) + 2] ?? 0;
  }

  #head(row: number): Who {
    return {
      time_ns: this.time_ns(row),
      cpu: this.cpu(row),
      pid: this.pid(row),
      tgid: this.#tgid[row] ?? NO_TGID,
      comm: this.strings.text(this.comm(row)),
      flags: this.strings.text(this.#flags[row] ?? 0),
    };
  }

  #keptText(row: number, from: number): string {
    const base = this.#at[row] ?? 0;
    const start = this.#words[base] ?? 0;
    return latin1(this.#kept, start + from, start + (this.#words[base + 1] ?? 0));
  }

  /** A row has the time of the line before until it gets its own. */
  #add(kind: number, envelope: number, at: number): number {
    const row = this.#rows;
    if (row === this.#kind.length) this.#growRows(row + 1);
    this.#rows = row + 1;
    this.#kind[row] = kind;
    this.#envelope[row] = envelope;
    this.#time_ns[row] = this.time_ns(row - 1);
    this.#at[row] = at;
    return row;
  }

  #growRows(rows: number): void {
    this.#kind = grown(Int16Array, this.#kind, rows);
    this.#form = grown(Uint8Array, this.#form, rows);
    this.#envelope = grown(Uint8Array, this.#envelope, rows);
    this.#cpu = grown(Uint16Array, this.#cpu, rows);
    this.#pid = grown(Int32Array, this.#pid, rows);
    this.#tgid = grown(Int32Array, this.#tgid, rows);
    this.#comm = grown(Uint32Array, this.#comm, rows);
    this.#flags = grown(Uint32Array, this.#flags, rows);
    this.#time_ns = grown(Float64Array, this.#time_ns, rows);
    this.#at = grown(Uint32Array, this.#at, rows);
  }
}

/** A copy with room for twice as much, or for what is needed. */
function grown<C extends Column>(make: new (length: number) => C, column: C, needed: number): C {
  const bigger = new make(Math.max(needed, column.length * 2));
  bigger.set(column);
  return bigger;
}
