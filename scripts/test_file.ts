/**
 * One test file, run in a process of its own, and what came of it.
 *
 * The process is watched from outside: a crash, a hang and a file without tests are failures like any other.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './imports.ts';
import type { RecordLine } from './test_recorder.ts';

export interface TestCase {
  readonly name: string;
  readonly ms: number;
  readonly error: string | null;
}

export interface FileResult {
  readonly file: string;
  readonly ms: number;
  readonly cases: readonly TestCase[];
  readonly output: string;
}

/** What a terminal or a machine sets must not decide a test. */
const NEUTRAL = { CI: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined, COLUMNS: undefined, TZ: 'UTC' };

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach(stop));

/** End the whole group: a test may have started programs of its own, which hold its output open when it is gone. */
function stop({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** `folder` takes the record that the file's process writes. */
export async function runFile(file: string, deadline_s: number, folder: string): Promise<FileResult> {
  const record = join(folder, `${file.replaceAll('/', '_')}.jsonl`);
  const started = performance.now();
  const child = spawn(process.execPath, ['--import', join(ROOT, 'scripts/test_preload.ts'), file], {
    cwd: ROOT,
    env: { ...process.env, ...NEUTRAL, APFLAB_TEST_RECORD: record },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  let output = '';
  let hung = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const guard = setTimeout(() => {
    hung = true;
    stop(child);
  }, deadline_s * 1000);
  const code = await new Promise<number | null>(resolve => child.on('close', resolve));
  clearTimeout(guard);
  running.delete(child);

  const ended = hung
    ? `still running after ${deadline_s} s`
    : code === 0
      ? null
      : `ended with ${code ?? child.signalCode}`;
  return { file, ms: Math.round(performance.now() - started), cases: casesOf(record, ended), output };
}

/** The tests of a file; one more, failed, where the file as a whole went wrong in a way that no test of it shows. */
function casesOf(record: string, ended: string | null): readonly TestCase[] {
  const text = existsSync(record) ? readFileSync(record, 'utf8') : '';
  const lines = text.split('\n').flatMap((line): RecordLine[] => (line === '' ? [] : [JSON.parse(line)]));
  const cases = lines.flatMap(({ test, ms, error = null }) => (ms === undefined ? [] : [{ name: test, ms, error }]));
  const last = lines.at(-1);
  const whole = (error: string, name = 'the file'): readonly TestCase[] => [...cases, { name, ms: 0, error }];

  if (ended !== null && last !== undefined && last.ms === undefined) return whole(ended, last.test);
  if (ended !== null && cases.every(({ error }) => error === null)) {
    return whole(cases.length > 0 ? `${ended}, all tests done` : ended);
  }
  return cases.length > 0 ? cases : whole('has no test; is .run() missing?');
}

export function failures({ cases }: FileResult): readonly TestCase[] {
  return cases.filter(({ error }) => error !== null);
}
