/**
 * The outside world of a verb: where its text goes, where input comes from, whether there is a terminal, its colours.
 *
 * Output is written synchronously: a run is one long computation, and a stream would pile its trace up in memory until
 * the end. A reader that goes away (`head`, a pager) ends the output, not the verdict.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { COLUMNS } from '../base/source.ts';
import { type Paint, PLAIN } from '../report/paint.ts';
import { colourDepth } from './colour.ts';
import { refusalOf } from './refusal.ts';

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** Which of the three are terminals. */
  readonly tty: { readonly in: boolean; readonly out: boolean; readonly err: boolean };
  /** Of the terminal that shows standard output; null where there is none. */
  size(): { readonly columns: number; readonly rows: number } | null;
  readonly out: Channel;
  readonly err: Channel;
  /** All of standard input. */
  stdin(): Uint8Array;
  /** Calls back at SIGINT and SIGTERM until released; without it they end the process at once. */
  onInterrupt(interrupt: () => void): () => void;
  /** The clock on the wall, for the progress line; no verdict depends on it. */
  now_ms(): number;
}

export interface Channel {
  readonly paint: Paint;
  /** How wide its terminal is; 120 where there is none. */
  columns(): number;
  /** Bytes are written as they are: traces carry names that are not UTF-8. */
  write(text: string | Uint8Array): void;
}

export async function processTerminal(env: NodeJS.ProcessEnv): Promise<Terminal> {
  const tty = { in: await isTerminal(0), out: await isTerminal(1), err: await isTerminal(2) };
  return {
    env,
    cwd: process.cwd(),
    tty,
    size: () => (tty.out ? { columns: process.stdout.columns, rows: process.stdout.rows } : null),
    out: {
      paint: await paintFor(env, tty.out),
      columns: () => (tty.out ? process.stdout.columns : COLUMNS),
      write: text => writeAll(1, text),
    },
    err: {
      paint: await paintFor(env, tty.err),
      columns: () => (tty.err ? process.stderr.columns : COLUMNS),
      write: text => writeAll(2, text),
    },
    stdin: readStdin,
    onInterrupt,
    // `performance` would load a module of Node's that nothing else needs.
    now_ms: () => process.uptime() * 1e3,
  };
}

/** The module that knows drags in half of the network stack: asked only where there may be a terminal. */
async function isTerminal(fd: number): Promise<boolean> {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch {
    return false; // Closed.
  }
  return (await import('node:tty')).isatty(fd);
}

function onInterrupt(interrupt: () => void): () => void {
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  return () => process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
}

/** Chalk is loaded only where something will be coloured: a piped run starts without it. */
async function paintFor(env: NodeJS.ProcessEnv, tty: boolean): Promise<Paint> {
  if ((await colourDepth(env, tty)) === 1) return PLAIN;
  const { Chalk } = await import('chalk');
  // Basic colours only: they follow the user's own palette, so every level shows them alike.
  const chalk = new Chalk({ level: 1 });
  return { good: chalk.green, bad: chalk.red, warn: chalk.yellow, dim: chalk.dim, strong: chalk.bold };
}

const closed = new Set<number>();

function writeAll(fd: number, text: string | Uint8Array): void {
  if (closed.has(fd)) return;
  let rest = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EPIPE') {
        closed.add(fd);
        return;
      }
      // A pipe that somebody made non-blocking is full: give its reader a moment.
      if (code !== 'EAGAIN') throw refusalOf('write to', fd === 1 ? 'standard output' : 'standard error', error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function readStdin(): Uint8Array {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(1 << 16);
    try {
      const size = readSync(0, part);
      if (size === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, size));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EOF') return Buffer.concat(parts);
      if (code !== 'EAGAIN') throw refusalOf('read', 'standard input', error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
