/** Opening recordings of real kernels: plain or gzipped, and what to say about files that are something else. */
import { importTrace } from '../trace/import.ts';
import { LINE, type Recording } from '../trace/recording.ts';
import { Refusal } from './refusal.ts';

const GZIP = [0x1f, 0x8b];
/** trace-cmd's own format begins with these and the word "tracing". */
const TRACE_DAT = [0x17, 0x08, 0x44];

export async function openRecording(path: string, raw: Uint8Array): Promise<Recording> {
  const bytes = await unzipped(path, raw);
  if (begins(bytes, TRACE_DAT)) {
    throw new Refusal(
      `${path} is a trace.dat, which apflab does not read yet`,
      `trace-cmd report ${path} > trace.txt, then apflab show trace.txt`,
    );
  }
  if (bytes.length === 0) throw new Refusal(`${path} is empty`);
  const recording = importTrace(bytes, path);
  if (!hasEvents(recording)) {
    const help = path.endsWith('.apf')
      ? `a scenario is run: apflab run ${path}`
      : 'expected text of ftrace, trace-cmd report or perf script, or a run file';
    throw new Refusal(`no trace event in ${path}`, help);
  }
  return recording;
}

async function unzipped(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (!begins(bytes, GZIP)) return bytes;
  const { gunzipSync } = await import('node:zlib');
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new Refusal(`${path} is gzipped but damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function hasEvents(recording: Recording): boolean {
  for (let row = 0; row < recording.length; row += 1) if (recording.kind(row) >= LINE.undeclared) return true;
  return false;
}
