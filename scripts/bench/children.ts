/** Programs that are run to be measured: our bundled worker, and the C++ yardsticks where they can be had. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../imports.ts';

const SOURCES = join(ROOT, '../shared/bench');
const NUMBERS = z.array(z.number());

export interface Children {
  /** What a measurement of worker.ts came to. */
  worker(name: string, ...args: readonly number[]): readonly number[];
  /** Output of a yardstick in C++; null where there is no compiler or no source. */
  readonly yardstick: ((name: 'hold' | 'apf', ...args: readonly (string | number)[]) => string) | null;
  /** A folder for files, gone after dispose(). */
  readonly folder: string;
  dispose(): void;
}

export async function prepare(): Promise<Children> {
  const folder = mkdtempSync(join(tmpdir(), 'apflab-bench-'));
  const esbuild = await import('esbuild');
  const worker = join(folder, 'worker.cjs');
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ['scripts/bench/worker.ts'],
    outfile: worker,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
  });
  return {
    folder,
    worker: (name, ...args) => NUMBERS.parse(JSON.parse(output(process.execPath, [worker, name, ...args.map(String)]))),
    yardstick: compiled(folder)
      ? (name, ...args) =>
          output(
            join(folder, name),
            args.map(arg => String(arg)),
          )
      : null,
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function compiled(folder: string): boolean {
  return ['hold', 'apf'].every(name => {
    const source = join(SOURCES, `${name}.cpp`);
    if (!existsSync(source)) return false;
    return spawnSync('g++', ['-O3', '-march=native', '-o', join(folder, name), source]).status === 0;
  });
}

/** Standard output of a program that must succeed. */
export function output(program: string, args: readonly string[], env = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
