/** A program as it can be seen: told, and its trace. Both come of running it again. */
import type { Shown } from '../report/result.ts';
import type { ExportSpec, Program, View } from '../sim/program.ts';
import { createSimulation } from '../sim/simulation.ts';
import { tell } from '../sim/tell.ts';
import { TraceWriter } from './trace_writer.ts';

/** What somebody wants to see, and in which files. */
interface Wanted {
  readonly views: readonly View[];
  readonly exports: readonly ExportSpec[];
}

export function shownOf(program: Program, { views, exports }: Wanted): Shown {
  const traced = views.includes('trace') || exports.some(({ format }) => format === 'ftrace');
  return { telling: tell(program), trace: traced ? traceOf(program) : '' };
}

function traceOf(program: Program): string {
  const pieces: string[] = [];
  const write = (text: string | Uint8Array) => {
    pieces.push(typeof text === 'string' ? text : Buffer.from(text).toString());
  };
  const writer = new TraceWriter({ write }, 'ftrace');
  createSimulation(program, { record: writer.begin(program, null, null) }).runUntil(program.limit_ns);
  writer.end(program);
  return pieces.join('');
}
