/**
 * A recording of a real kernel, played like a run.
 *
 * The position is a row; what lies before it has happened. States are kept every so many rows, so that going back
 * costs no more than that. Nothing can be asked of a recording that its events do not say.
 */
import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import { TP } from '../trace/all.ts';
import type { Style } from '../trace/forms.ts';
import { LINE, type Recording } from '../trace/recording.ts';
import { type AddressLabel, addressLabel } from './address_kind.ts';
import { NO_CHOICE } from './choice.ts';
import { filtered } from './filtered.ts';
import { after, type RecordingState, type ThreadState } from './recording_state.ts';
import type { Goal, Mark, Session } from './session.ts';
import { traceRow } from './trace_row.ts';
import { TraceWindow } from './trace_window.ts';
import type { QueueRow, TraceRow, VcpuRow, ViewModel, WhyRow, Window } from './view_model.ts';

const CHECKPOINT_ROWS = 4096;
/** Rows between two looks at the clock. */
const SLICE_ROWS = 256;

/** Kinds of addresses that are kept; more lines than these are on no screen. */
const LABELS_KEPT = 4096;
const MARK_KINDS: Readonly<Record<Mark, number>> = {
  entry: TP.kvm_entry,
  fault: TP.kvm_page_fault,
  violation: Number.NaN,
};

export function openRecording(recording: Recording): Session {
  return new RecordingSession(recording);
}

class RecordingSession implements Session {
  readonly #recording: Recording;
  readonly #origin_ns: number;
  readonly #end_ns: number;
  readonly #window = new TraceWindow();
  readonly #labels = new Map<number, AddressLabel | null>();
  readonly #checkpoints: RecordingState[] = [[]];
  #position = 0;
  #state: RecordingState = [];

  constructor(recording: Recording) {
    this.#recording = recording;
    this.#origin_ns = recording.time_ns(this.#nextEvent(0));
    this.#end_ns = recording.time_ns(this.#previousEvent(recording.length)) - this.#origin_ns;
  }

  get position(): number {
    return this.#position;
  }

  /** Time of the last event that has happened, from the first event of the recording on. */
  get time_ns(): number {
    const row = this.#previousEvent(this.#position);
    return row < 0 ? 0 : this.#recording.time_ns(row) - this.#origin_ns;
  }

  pursue(goal: Goal, enough: () => boolean): boolean {
    const { length } = this.#recording;
    switch (goal.to) {
      case 'start':
        this.#seek(0);
        return true;
      case 'until':
        return true;
      case 'end':
        return this.#forward(enough, () => false);
      case 'next':
        return this.#forward(enough, row => this.#recording.kind(row) === MARK_KINDS[goal.mark]);
      case 'previous':
        return this.#backTo(row => this.#recording.kind(row) === MARK_KINDS[goal.mark]);
      case 'by':
        if (goal.events < 0) this.#seek(this.#previousEvent(this.#position));
        else this.#seek(Math.min(length, this.#nextEvent(this.#position) + 1));
        return true;
      case 'time': {
        const ns = this.#sinceStart(goal.ns);
        if (ns < this.time_ns) return this.#backTo(row => this.#recording.time_ns(row) - this.#origin_ns <= ns);
        return this.#forward(enough, () => this.#timeAfter() > ns);
      }
    }
  }

  /** A time beyond the end that the host's clock did show during the recording, as its lines do, is meant as such. */
  #sinceStart(ns: number): number {
    const beyond = ns > this.#end_ns;
    return beyond && ns >= this.#origin_ns && ns <= this.#origin_ns + this.#end_ns ? ns - this.#origin_ns : ns;
  }

  readonly met = false;

  /** It holds what was recorded, and no machine. */
  answers(): null {
    return null;
  }

  view(window: Window): ViewModel {
    const recording = this.#recording;
    const threads = this.#state;
    const selected = threads[window.selected_vcpu];
    const { accepts, error } = filtered(window.filter, {
      event: row => recording.event(row),
      name: row => recording.eventName(row),
      vcpu: ({ pid }) => threads.find(thread => thread.pid === pid)?.vcpu,
    });
    const end = Math.min(window.trace_end ?? this.#position, this.#position);
    const rows = this.#window.numbers(end, window.trace_lines, window.trace_back, 0, window.filter, accepts);
    return {
      kind: 'recording',
      title: printable(recording.source),
      choice: NO_CHOICE,
      time_ns: this.time_ns,
      end_ns: this.#end_ns,
      position: this.#position,
      step: null,
      over: this.#position >= recording.length ? 'end of the recording' : null,
      nr_vcpus: threads.length,
      vcpus: threads
        .slice(window.first_vcpu, window.first_vcpu + window.vcpus)
        .map((thread, index) => this.#vcpu(thread, window.first_vcpu + index)),
      selected: selected ? this.#name(selected) : 'no vCPU yet',
      queues: selected ? this.#queues(selected) : [],
      why: selected ? this.#why(selected) : [],
      detail: selected ? this.#detail(selected) : [],
      trace: rows.flatMap(row => this.#row(row) ?? []),
      nr_traced: this.#position,
      filter_error: error,
      pages: null,
      judgements: [],
      nr_judgements: { yes: 0, no: 0, 'so far': 0, undecided: 0 },
    };
  }

  #forward(enough: () => boolean, stopAfter: (row: number) => boolean): boolean {
    const { length } = this.#recording;
    while (this.#position < length) {
      for (let slice = 0; slice < SLICE_ROWS && this.#position < length; slice += 1) {
        const row = this.#position;
        this.#advance();
        if (stopAfter(row)) return true;
      }
      if (enough()) return false;
    }
    return true;
  }

  /** To just behind the last row before this one that is wanted, or to the start. */
  #backTo(wanted: (row: number) => boolean): boolean {
    let row = this.#position - 2;
    while (row >= 0 && !(this.#isEvent(row) && wanted(row))) row -= 1;
    this.#seek(row + 1);
    return true;
  }

  #advance(): void {
    this.#state = after(this.#state, this.#recording, this.#position);
    this.#position += 1;
    if (this.#position % CHECKPOINT_ROWS === 0) this.#checkpoints[this.#position / CHECKPOINT_ROWS] ??= this.#state;
  }

  #seek(position: number): void {
    const target = Math.max(0, Math.min(position, this.#recording.length));
    if (target < this.#position) {
      const checkpoint = Math.floor(target / CHECKPOINT_ROWS);
      this.#state = this.#checkpoints[checkpoint] ?? [];
      this.#position = this.#checkpoints[checkpoint] ? checkpoint * CHECKPOINT_ROWS : 0;
    }
    while (this.#position < target) this.#advance();
  }

  #isEvent(row: number): boolean {
    return this.#recording.kind(row) >= LINE.undeclared;
  }

  #nextEvent(from: number): number {
    let row = from;
    while (row < this.#recording.length && !this.#isEvent(row)) row += 1;
    return row;
  }

  #previousEvent(before: number): number {
    let row = before - 1;
    while (row >= 0 && !this.#isEvent(row)) row -= 1;
    return row;
  }

  /** Time of the next event. */
  #timeAfter(): number {
    const row = this.#nextEvent(this.#position);
    return row < this.#recording.length ? this.#recording.time_ns(row) - this.#origin_ns : Number.POSITIVE_INFINITY;
  }

  #name({ vcpu, pid }: ThreadState): string {
    return `${vcpu}/${pid}`;
  }

  #vcpu(thread: ThreadState, row: number): VcpuRow {
    return {
      row,
      name: this.#name(thread),
      runs: thread.runs,
      cpu: `cpu ${thread.cpu}`,
      mp_state: '-',
      synthetic: false,
      task: '',
      handlers: '',
      requests: [],
      queue: thread.open.filter(open => !open.completed).length,
      done: thread.open.filter(open => open.completed).length,
      reason: this.#text(thread.last),
    };
  }

  /** An event without its thread: `kvm_exit reason EXIT_hlt ...`. */
  #text(row: number): string {
    const shown = this.#row(row);
    return shown ? `${shown.name} ${shown.text}` : '';
  }

  #queues(thread: ThreadState): readonly QueueRow[] {
    const item = ({ token, address, since_ns }: ThreadState['open'][number]) =>
      `0x${token.toString(16)}@0x${address?.toString(16) ?? '?'} ${durationText(this.time_ns + this.#origin_ns - since_ns)}`;
    const items = (completed: boolean) =>
      thread.open
        .filter(open => open.completed === completed)
        .map(open => ({ role: completed ? ('apf' as const) : ('warn' as const), text: item(open) }));
    return [
      { label: 'open', count: thread.open.length, items: items(false) },
      { label: 'done', count: items(true).length, items: items(true) },
      { label: 'last', count: null, items: [{ role: 'plain', text: this.#text(thread.last) }] },
      {
        label: 'last exit',
        count: null,
        items: thread.last_exit < 0 ? [] : [{ role: 'plain', text: this.#text(thread.last_exit) }],
      },
      { label: 'entries', count: thread.nr_entries, items: [{ role: 'dim', text: `exits ${thread.nr_exits}` }] },
    ];
  }

  #why(thread: ThreadState): readonly WhyRow[] {
    return [
      { text: 'it is in the guest', value: thread.runs === 'guest' },
      { text: 'it is on a host CPU', value: thread.runs === 'guest' || thread.runs === 'kvm' },
      { text: 'a token is open', value: thread.open.length > 0 },
      { text: 'a completed page was not reported to it yet', value: thread.open.some(open => open.completed) },
    ];
  }

  #detail(thread: ThreadState): readonly QueueRow[] {
    const recording = this.#recording;
    const text = (value: string) => [{ role: 'plain' as const, text: value }];
    return [
      { label: 'vCPU', count: null, items: text(String(thread.vcpu)) },
      { label: 'thread', count: null, items: text(printable(`${recording.strings.text(thread.comm)}-${thread.pid}`)) },
      { label: 'recording begins', count: null, items: text(`${this.#origin_ns / 1e9} s after the host`) },
    ];
  }

  /** Found once: it takes a look at many lines before. */
  #label(row: number): AddressLabel | null {
    const known = this.#labels.get(row);
    if (known !== undefined) return known;
    if (this.#labels.size >= LABELS_KEPT) this.#labels.clear();
    const label = addressLabel(each => this.#recording.event(each), row, 0);
    this.#labels.set(row, label);
    return label;
  }

  #row(row: number): TraceRow | null {
    const recording = this.#recording;
    const event = recording.event(row);
    if (event) {
      return traceRow(event, styleOf(recording), this.#label(row), this.#origin_ns);
    }
    const kind = recording.kind(row);
    if (kind === LINE.comment) return null;
    const name = recording.eventName(row);
    const line = printable(recording.line(row));
    return {
      time_ns: recording.time_ns(row) - this.#origin_ns,
      who: printable(recording.strings.text(recording.comm(row))),
      pid: name === null ? 0 : recording.pid(row),
      name: kind === LINE.lost ? 'LOST' : kind === LINE.damaged ? 'damaged' : printable(name ?? ''),
      text: name === null ? line.trim() : line.slice(line.indexOf(name) + name.length + 1).trim(),
      label: '',
      role: kind === LINE.undeclared ? 'dim' : 'bad',
    };
  }
}

/** The newest words for what a record says: a recording does not tell of which version it is. */
function styleOf(recording: Recording): Style {
  return { format: recording.envelopes[0]?.format ?? 'ftrace', version: '6.12' };
}
