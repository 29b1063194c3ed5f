/**
 * Run files: what `--record` writes and `show`, `watch` and `replay` reopen.
 *
 * Lines of JSON. The first says what it is, which version wrote it, and the hash of everything below. Then every source
 * text that the runs need, the library's included, and one line for each run: what chose it and what came out. A run is
 * a value of these, so no events are kept: reopening runs it again, and the hash of its trace says whether that went
 * the same way. A counterexample of an exploration has its schedule besides, who moved when: format 2.
 */
import type { Source } from '../base/source.ts';
import { VERDICTS } from '../report/result.ts';
import type { Verdict } from '../sim/outcome.ts';
import type { Schedule } from '../sim/program.ts';
import { Refusal } from './refusal.ts';

const FORMAT = 1;
const FORMAT_WITH_SCHEDULES = 2;
const OPENING = '{"apflab_run":';

export interface RecordedRun {
  readonly file: string;
  readonly case_name: string;
  readonly cell: Readonly<Record<string, string>>;
  readonly variant: string;
  readonly seed: number;
  /** What the command line gave; the rest is in the sources. */
  readonly set: Readonly<Record<string, string>>;
  readonly verdict: Verdict;
  readonly trace_hash: string;
  readonly events: number;
  readonly sim_ns: number;
  /** The order of a counterexample; null for a run that goes by time. */
  readonly schedule: Schedule | null;
}

export interface RunFile {
  /** The version of apflab that wrote it. */
  readonly engine: string;
  readonly sources: readonly Source[];
  readonly runs: readonly RecordedRun[];
}

export function isRunFile(bytes: Uint8Array): boolean {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, OPENING.length)).toString('latin1') === OPENING
  );
}

export async function printRunFile({ engine, sources, runs }: RunFile): Promise<string> {
  const lines = runs.map(({ schedule, ...run }) => ({ run: schedule ? { ...run, schedule } : run }));
  const body = [...sources.map(source => ({ source })), ...lines].map(line => `${JSON.stringify(line)}\n`).join('');
  const format = runs.some(({ schedule }) => schedule) ? FORMAT_WITH_SCHEDULES : FORMAT;
  return `${JSON.stringify({ apflab_run: format, engine, sha256: await sha256(body) })}\n${body}`;
}

/** Throws a Refusal that says why it cannot be opened. */
export async function readRunFile(path: string, bytes: Uint8Array): Promise<RunFile> {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf('\n') + 1;
  const head = object(parse(path, text.slice(0, end)));
  const format = head['apflab_run'];
  if (format !== FORMAT && format !== FORMAT_WITH_SCHEDULES) {
    throw new Refusal(
      `${path} is a run file of format ${JSON.stringify(format)}; this apflab reads formats ${FORMAT} and ${FORMAT_WITH_SCHEDULES}`,
      `it was written by apflab ${String(head['engine'])}`,
    );
  }
  const body = text.slice(end);
  if (head['sha256'] !== (await sha256(body))) throw damaged(path);
  const lines = body
    .split('\n')
    .filter(Boolean)
    .map(line => object(parse(path, line)));
  return {
    engine: String(head['engine']),
    sources: lines.flatMap(({ source }) => (source === undefined ? [] : [sourceOf(object(source))])),
    runs: lines.flatMap(({ run }) => (run === undefined ? [] : [runOf(path, object(run))])),
  };
}

function damaged(path: string): Refusal {
  return new Refusal(`${path} is damaged: it does not match the hash in its first line`, 'record the run again');
}

/** Cryptography is loaded for run files only. */
async function sha256(text: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(text).digest('hex');
}

function parse(path: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw damaged(path);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function sourceOf(fields: Fields): Source {
  return { path: String(fields['path']), text: String(fields['text']) };
}

function runOf(path: string, fields: Fields): RecordedRun {
  const verdict = VERDICTS.find(each => each === fields['verdict']);
  if (verdict === undefined) throw damaged(path);
  return {
    file: String(fields['file']),
    case_name: String(fields['case_name']),
    cell: texts(fields['cell']),
    variant: String(fields['variant']),
    seed: Number(fields['seed']),
    set: texts(fields['set']),
    verdict,
    trace_hash: String(fields['trace_hash']),
    events: Number(fields['events']),
    sim_ns: Number(fields['sim_ns']),
    schedule: fields['schedule'] === undefined ? null : scheduleOf(path, object(fields['schedule'])),
  };
}

function scheduleOf(path: string, { moves, end, breaks, cycle }: Fields): Schedule {
  if (!Array.isArray(moves) || !moves.every(move => Number.isInteger(move) && move >= 0)) throw damaged(path);
  const schedule = {
    moves: moves.map(Number),
    end: end === 'quiescent' ? 'quiescent' : 'steps',
    breaks: String(breaks),
  } as const;
  if (cycle === undefined) return schedule;
  if (!Number.isInteger(cycle) || Number(cycle) > moves.length) throw damaged(path);
  return { ...schedule, cycle: Number(cycle) };
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object(value)).map(([name, text]) => [name, String(text)]));
}
