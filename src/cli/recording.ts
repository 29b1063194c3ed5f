/** Opening recordings of real kernels: plain or gzipped, and what to say about files that are something else. */
import { Importer } from '../trace/import.ts';
import { LINE, type Recording } from '../trace/recording.ts';
import type { Input } from './input.ts';
import { Refusal } from './refusal.ts';

const GZIP = [0x1f, 0x8b];
/** trace-cmd's own format begins with these and the word "tracing". */
const TRACE_DAT = [0x17, 0x08, 0x44];

/** Read and unzipped piece by piece: in memory there is the recording, not the file. */
export async function openRecording(input: Input): Promise<Recording> {
  const { path, head } = input;
  if (begins(head, TRACE_DAT)) throw traceDat(path);
  if (head.length === 0) throw new Refusal(`${path} is empty`);
  const importer = new Importer(path);
  if (begins(head, GZIP)) await unzipInto(importer, input);
  else for (const piece of input.pieces()) importer.push(piece);
  const recording = importer.finish();
  if (!hasEvents(recording)) {
    const help = path.endsWith('.apf')
      ? `a scenario is run: apflab run ${path}`
      : 'expected text of ftrace, trace-cmd report or perf script, or a run file';
    throw new Refusal(`no trace event in ${path}`, help);
  }
  return recording;
}

/** Unzipping and streams are loaded for what is zipped only. */
async function unzipInto(importer: Importer, { path, pieces }: Input): Promise<void> {
  const { createGunzip } = await import('node:zlib');
  const { pipeline } = await import('node:stream/promises');
  let first = true;
  try {
    await pipeline(pieces, createGunzip(), async (unzipped: AsyncIterable<Uint8Array>) => {
      for await (const piece of unzipped) {
        if (first && begins(piece, TRACE_DAT)) throw traceDat(path);
        first = false;
        importer.push(piece);
      }
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${path} is gzipped but damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function traceDat(path: string): Refusal {
  return new Refusal(
    `${path} is a trace.dat, which apflab does not read yet`,
    `trace-cmd report ${path} > trace.txt, then apflab show trace.txt`,
  );
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function hasEvents(recording: Recording): boolean {
  for (let row = 0; row < recording.length; row += 1) if (recording.kind(row) >= LINE.undeclared) return true;
  return false;
}
