/**
 * A recording as text again: in its own format byte for byte, in another one as that tool would have printed it.
 *
 * Text is bytes, one unit each: names in recordings need not be UTF-8.
 */
import { envelopeOf } from '../trace/envelope.ts';
import type { Format, Style } from '../trace/forms.ts';
import { printEvent, printHeader, printJson } from '../trace/print.ts';
import { LINE, type Recording } from '../trace/recording.ts';
import type { Version } from '../trace/tracepoint.ts';

/** Lines with their ends. */
export function* recordedText(recording: Recording, format: Format | 'jsonl'): Generator<string> {
  if (format === 'jsonl') yield* jsonLines(recording);
  else if (recording.envelopes[0]?.format === format) yield* ownLines(recording);
  else yield* otherLines(recording, { format, version: versionOf(recording) });
}

function* ownLines(recording: Recording): Generator<string> {
  for (let row = 0; row < recording.length; row += 1) {
    yield row === recording.length - 1 && !recording.ended ? recording.line(row) : `${recording.line(row)}\n`;
  }
}

/** Events that nobody declared are left out: their fields are not known. */
function* jsonLines(recording: Recording): Generator<string> {
  for (let row = 0; row < recording.length; row += 1) {
    const event = recording.event(row);
    if (event) yield `${printJson(event)}\n`;
  }
}

/** Headings are those of the other tool; marks of lost events stay in the words of the one that left them. */
function* otherLines(recording: Recording, style: Style): Generator<string> {
  const [nr_events, nr_cpus] = extent(recording);
  yield printHeader(style, nr_events, nr_cpus);
  for (let row = 0; row < recording.length; row += 1) {
    const event = recording.event(row);
    const kind = recording.kind(row);
    if (event) yield `${printEvent(event, style)}\n`;
    else if (kind === LINE.undeclared) yield `${recording.reline(row, envelopeOf(style))}\n`;
    else if (kind === LINE.lost) yield `${recording.line(row)}\n`;
  }
}

function extent(recording: Recording): readonly [nr_events: number, nr_cpus: number] {
  let nr_events = 0;
  let cpu_max = 0;
  for (let row = 0; row < recording.length; row += 1) {
    if (recording.kind(row) < LINE.undeclared) continue;
    nr_events += 1;
    cpu_max = Math.max(cpu_max, recording.cpu(row));
  }
  return [nr_events, cpu_max + 1];
}

/** Which kernel it was shows in the flags, where the format has any. */
function versionOf({ envelopes }: Recording): Version {
  const [first] = envelopes;
  return first?.format === 'ftrace' && first.nr_flags === 4 ? '5.8' : '6.1';
}
