/**
 * The program as users start it: the bundle, in a process and a folder of its own.
 *
 * The runner builds the bundle before the first test that imports this file; a test file started by hand uses the
 * bundle that is there.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../scripts/imports.ts';

export const PROGRAM = join(ROOT, 'bin/apflab.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd?: string;
  /** What is piped into it; nothing by default. */
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Run any program to its end and keep what it said. */
export async function run(command: string, args: readonly string[], around: Surroundings = {}): Promise<Ended> {
  // `npm test` tells every npm below it which folder is meant; a test that calls npm means its own.
  const env = { ...process.env, npm_config_local_prefix: undefined, ...around.env };
  const child = spawn(command, args, { cwd: around.cwd ?? ROOT, env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {}); // A program that reads nothing may be gone before it is written to.
  child.stdin.end(around.stdin ?? '');
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, stdout, stderr };
}

export function apflab(args: readonly string[], around: Surroundings = {}): Promise<Ended> {
  return run(process.execPath, [PROGRAM, ...args], around);
}

/** Call `body` with an empty folder that is gone afterwards; `copied` names what of the repository it shall hold. */
export async function inFolder<T>(body: (folder: string) => Promise<T>, copied: readonly string[] = []): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'apflab-'));
  try {
    for (const name of copied) {
      if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
