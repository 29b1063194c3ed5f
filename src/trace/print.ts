/** Events to text, in the form of `cat trace`, of `trace-cmd report` or of `perf script`. */
import { TP } from './all.ts';
import { envelopeOf, printLine } from './envelope.ts';
import { fieldNames, type TraceEvent } from './event.ts';
import { formsOf, printPayload, type Style } from './forms.ts';
import { encode } from './strings.ts';

/** A recording's width of names for perf, and of the names of hosts; 0 where there is only one host. */
export interface Widths {
  readonly name: number;
  readonly host: number;
}

const PLAIN: Widths = { name: 0, host: 0 };

/** One line, without its end. Text is bytes: write it as latin1. */
export function printEvent(event: TraceEvent, style: Style, widths: Widths = PLAIN): string {
  const forms = formsOf(TP[event.name]);
  const { name, text } = printPayload(forms, style, event.args);
  const prefix = event.host === '' ? '' : `${event.host.padStart(widths.host)}: `;
  const envelope = envelopeOf(style, prefix, widths.name);
  return printLine(envelope, event, style.format === 'perf' ? `${forms.system}:${name}` : name, text);
}

/** What stands at the head of a file, each line ended. */
export function printHeader(style: Style, nr_events: number, nr_cpus: number): string {
  if (style.format === 'perf') return '';
  if (style.format === 'trace-cmd') return `cpus=${nr_cpus}\n`;
  const { nr_flags } = envelopeOf(style);
  const count = `# entries-in-buffer/entries-written: ${nr_events}/${nr_events}   #P:${nr_cpus}\n#\n`;
  return `# tracer: nop\n#\n${nr_flags > 0 ? count : ''}${LEGENDS[nr_flags] ?? ''}`;
}

/** The legends by number of flags, as kernel/trace/trace.c has them; before 3.3 there were no flags to explain. */
const LEGENDS: Readonly<Record<number, string>> = {
  0: `\
#           TASK-PID    CPU#    TIMESTAMP  FUNCTION
#              | |       |          |         |
`,
  4: `\
#                              _-----=> irqs-off
#                             / _----=> need-resched
#                            | / _---=> hardirq/softirq
#                            || / _--=> preempt-depth
#                            ||| /     delay
#           TASK-PID   CPU#  ||||    TIMESTAMP  FUNCTION
#              | |     |   ||||       |         |
`,
  5: `\
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`,
};

/** One event as a line of JSON; its fields apart, since some have a comm and pid of their own. Numbers above 2^53 are decimal text. */
export function printJson(event: TraceEvent): string {
  const fields = fieldNames(event.name).flatMap((name, index) => {
    const value = event.args[index];
    return value === undefined ? [] : [[name, typeof value === 'bigint' ? String(value) : value] as const];
  });
  const { time_ns, cpu, pid, comm, flags, name, host } = event;
  const whose = host === '' ? {} : { host };
  return encode(JSON.stringify({ time_ns, cpu, pid, comm, flags, ...whose, name, fields: Object.fromEntries(fields) }));
}
