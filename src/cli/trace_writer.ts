/**
 * The trace of runs as text, run after run.
 *
 * ftrace says at the head of a buffer how many events it holds, so there a run is kept until it is over; the other
 * formats are written as the events come.
 */
import { globMatches } from '../base/glob.ts';
import { printable } from '../base/printable.ts';
import type { Program } from '../sim/program.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { Style } from '../trace/forms.ts';
import { printEvent, printHeader, printJson } from '../trace/print.ts';
import { encode } from '../trace/strings.ts';
import type { Output } from './output.ts';
import type { TraceFormat } from './verbs.ts';

const PIECE = 1 << 16;

export class TraceWriter {
  readonly #output: Pick<Output, 'write'>;
  readonly #format: TraceFormat;
  readonly #ns: boolean;
  #pending: string[] = [];
  #size = 0;
  #nr_events = 0;

  constructor(output: Pick<Output, 'write'>, format: TraceFormat, { ns = false } = {}) {
    this.#output = output;
    this.#format = format;
    this.#ns = ns;
  }

  /** Takes the events of a run. `title` heads it where there are several; `wanted` leaves other events out. */
  begin(program: Program, title: string | null, wanted: readonly string[] | null): (event: TraceEvent) => void {
    const style = this.#style(program);
    if (title !== null)
      this.#write(style ? `# ${encode(printable(title))}\n` : `${encode(JSON.stringify({ run: title }))}\n`);
    if (style && style.format !== 'ftrace') this.#write(printHeader(style, 0, nrCpus(program)));
    this.#nr_events = 0;
    const host = program.hosts.length > 1 ? Math.max(...program.hosts.map(({ name }) => name.length)) : 0;
    const print = style ? (event: TraceEvent) => printEvent(event, style, { name: 0, host }) : printJson;
    return event => {
      if (wanted && !wanted.some(glob => globMatches(glob, event.name))) return;
      this.#nr_events += 1;
      this.#pending.push(print(event));
      this.#size += this.#pending.at(-1)?.length ?? 0;
      if (style?.format !== 'ftrace' && this.#size > PIECE) this.#flush();
    };
  }

  /** The run is over. */
  end(program: Program): void {
    const style = this.#style(program);
    if (style?.format === 'ftrace') this.#write(printHeader(style, this.#nr_events, nrCpus(program)));
    this.#flush();
  }

  #style(program: Program): Style | null {
    const version = program.vms[0]?.knobs.trace_format ?? '6.12';
    return this.#format === 'jsonl' ? null : { format: this.#format, version, ns: this.#ns };
  }

  #flush(): void {
    const lines = this.#pending;
    this.#pending = [];
    this.#size = 0;
    for (let from = 0; from < lines.length; from += 512) this.#write(`${lines.slice(from, from + 512).join('\n')}\n`);
  }

  #write(text: string): void {
    this.#output.write(Buffer.from(text, 'latin1'));
  }
}

function nrCpus({ hosts }: Program): number {
  return hosts.reduce((sum, { cpus }) => sum + cpus, 0);
}
