/** A file that may be large: its first bytes tell what it is, the rest comes in pieces, so that it is never there whole. */
import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { refusalOf } from './refusal.ts';
import type { Terminal } from './terminal.ts';

const PIECE = 1 << 20;

export interface Input {
  readonly path: string;
  /** Enough to know what it is; empty where the file is. */
  readonly head: Uint8Array;
  /** All of it, the head included. May be asked for once. */
  pieces(): Generator<Uint8Array>;
}

/** Throws a Refusal where it cannot be read. */
export function openInput(path: string, terminal: Pick<Terminal, 'cwd' | 'stdin'>): Input {
  if (path === '-') {
    const bytes = terminal.stdin();
    return {
      path,
      head: bytes,
      *pieces() {
        yield bytes;
      },
    };
  }
  const file = opened(path, terminal);
  const head = nextPiece(path, file);
  return {
    path,
    head,
    *pieces() {
      try {
        for (let piece = head; piece.length > 0; piece = nextPiece(path, file)) yield piece;
      } finally {
        closeSync(file);
      }
    },
  };
}

/** All of it at once, where it must be. */
export function wholeOf(input: Input): Uint8Array {
  return Buffer.concat([...input.pieces()]);
}

function opened(path: string, { cwd }: Pick<Terminal, 'cwd'>): number {
  try {
    return openSync(resolve(cwd, path), 'r');
  } catch (error) {
    throw refusalOf('read', path, error);
  }
}

/** Full but for the last one: a pipe may give less at a time. */
function nextPiece(path: string, file: number): Uint8Array {
  const piece = Buffer.allocUnsafe(PIECE);
  let size = 0;
  try {
    while (size < PIECE) {
      const more = readSync(file, piece, size, PIECE - size, null);
      if (more === 0) break;
      size += more;
    }
  } catch (error) {
    closeSync(file);
    throw refusalOf('read', path, error);
  }
  return piece.subarray(0, size);
}
