/**
 * Checkpoint files: an exploration as it stands, written now and then, and taken up again by another process.
 *
 * A line of JSON: the format, the version of apflab, what is explored and its hash, where it stands, the lengths of what
 * follows. Then that, each at a multiple of 8 bytes, and the hash of everything before. A file is there whole or not at all.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Checkpoint, Keeper, Resumed } from '../explore/checkpoint.ts';
import type { ExploreOptions } from '../explore/explore.ts';
import type { Program } from '../sim/program.ts';
import { version } from './package.ts';
import { Refusal, refusalOf } from './refusal.ts';

const FORMAT = 4;
const GRAIN = 8;
const HASH_BYTES = 32;
/** Longer reads and writes are cut up: some systems do not do them at once. */
const MOST_AT_ONCE = 2 ** 30;

interface Head {
  readonly apflab_exploration: number;
  readonly engine: string;
  /** File, case and variant; and the hash of all that decides what there is to explore. */
  readonly of: string;
  readonly identity: string;
  readonly progress: Checkpoint['progress'];
  readonly lengths: readonly number[];
}

/** What a checkpoint is of. Bounds are not part of it: they may be raised. */
export function identityOf(program: Program, options: ExploreOptions): string {
  const { strategy, depth, preemptions, reductions, exact, all } = options;
  const plain = (_: string, value: unknown) =>
    value instanceof Set || value instanceof Map ? [...value].sort() : value;
  const text = JSON.stringify([program, strategy, depth, preemptions, [...reductions].sort(), exact, all], plain);
  return createHash('sha256').update(text).digest('hex');
}

export function nameOf({ file, case_name, variant, params }: Program): string {
  const cell = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return [file, `'${case_name}'`, ...cell, variant].join(' ');
}

/** Writes one every so often; at most a tenth of the time is spent on it. */
export function keeperOf(path: string, of: string, identity: string, now_ms: () => number, every_ms: number): Keeper {
  let next_ms = now_ms() + every_ms;
  return {
    due: () => now_ms() >= next_ms,
    keep(checkpoint) {
      const begun_ms = now_ms();
      write(path, of, identity, checkpoint);
      next_ms = now_ms() + Math.max(every_ms, 10 * (now_ms() - begun_ms));
    },
  };
}

function write(path: string, of: string, identity: string, { progress, parts }: Checkpoint): void {
  const lengths = parts.map(({ length }) => length);
  const head: Head = { apflab_exploration: FORMAT, engine: version(), of, identity, progress, lengths };
  const fresh = `${path}.${process.pid}`;
  try {
    const file = openSync(fresh, 'w');
    try {
      const hash = createHash('sha256');
      const line = `${JSON.stringify(head)}\n`;
      put(
        file,
        Buffer.from(
          line.padStart(Math.ceil(Buffer.byteLength(line) / GRAIN) * GRAIN - Buffer.byteLength(line) + line.length),
        ),
        hash,
      );
      for (const part of parts) {
        put(file, part, hash);
        put(file, new Uint8Array(-part.length & (GRAIN - 1)), hash);
      }
      put(file, hash.digest(), null);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw refusalOf('write', path, error);
  }
}

function put(file: number, bytes: Uint8Array<ArrayBufferLike>, hash: Hash | null): void {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + MOST_AT_ONCE);
    hash?.update(piece);
    let written = 0;
    while (written < piece.length) written += writeSync(file, piece, written);
    at += piece.length;
  }
}

export interface CheckpointFile {
  readonly of: string;
  readonly identity: string;
  readonly resumed: Resumed;
}

/** Throws a Refusal where it cannot be gone on with. */
export function readCheckpoint(path: string): CheckpointFile {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw refusalOf('read', path, error);
  }
  try {
    const hash = createHash('sha256');
    const { size } = fstatSync(file);
    const head = headOf(path, file, hash);
    const rest = head.lengths.reduce((sum, length) => sum + Math.ceil(length / GRAIN) * GRAIN, HASH_BYTES);
    if (size !== rest + head.bytes) throw damaged(path);
    const parts = head.lengths.map(length => {
      const part = take(path, file, length, hash);
      take(path, file, -length & (GRAIN - 1), hash);
      return part;
    });
    const expected = Buffer.from(take(path, file, HASH_BYTES, null));
    if (!expected.equals(hash.digest())) throw damaged(path);
    const { of, identity, progress } = head;
    return { of, identity, resumed: { progress, parts } };
  } finally {
    closeSync(file);
  }
}

function headOf(path: string, file: number, hash: Hash): Head & { readonly bytes: number } {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (let ended = false; !ended; ) {
    const piece = take(path, file, GRAIN, hash);
    pieces.push(piece);
    bytes += piece.length;
    ended = piece.includes(10);
    if (bytes === GRAIN && !/^ *\{/.test(Buffer.from(piece).toString())) throw notOne(path);
  }
  let head: Head;
  try {
    head = JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw notOne(path);
  }
  if (head.apflab_exploration !== FORMAT) throw notOne(path);
  if (head.engine !== version())
    throw new Refusal(
      `${path} was written by apflab ${head.engine}, this is ${version()}`,
      'begin anew without --resume',
    );
  return { ...head, bytes };
}

function take(path: string, file: number, length: number, hash: Hash | null): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const read = readSync(file, bytes, at, Math.min(length - at, MOST_AT_ONCE), null);
    if (read === 0) throw damaged(path);
    hash?.update(bytes.subarray(at, at + read));
    at += read;
  }
  return bytes;
}

function notOne(path: string): Refusal {
  return new Refusal(`${path} is no checkpoint of an exploration`, 'apflab explore --checkpoint writes them');
}

function damaged(path: string): Refusal {
  return new Refusal(`${path} is damaged: it does not match its hash`, 'begin anew without --resume');
}
