/** Files that a verb writes because the user named them; `-` is standard output, which only one of them can have. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { Refusal, refusalOf } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export interface Output {
  write(text: string | Uint8Array): void;
  close(): void;
}

/** Which flag writes where: `['--trace', '-']`. */
export type Destination = readonly [flag: string, path: string];

/** Refuses what would overwrite a scenario or another output. Nothing is opened yet. */
export function checkDestinations(
  destinations: readonly Destination[],
  inputs: readonly string[],
  { cwd }: Terminal,
): void {
  const taken = new Map(inputs.map((path): [string, string] => [resolve(cwd, path), 'an input']));
  for (const [flag, path] of destinations) {
    const place = path === '-' ? '-' : resolve(cwd, path);
    const other = taken.get(place);
    if (other !== undefined && place === '-')
      throw new Refusal(`${other} and ${flag} cannot both have standard output`, `${flag} with a file name`);
    if (other !== undefined)
      throw new Refusal(
        `${flag} would overwrite ${path}, which is ${other === 'an input' ? other : `written by ${other}`}`,
      );
    taken.set(place, flag);
  }
}

export function openOutput(path: string, { cwd, out }: Terminal): Output {
  if (path === '-') return { write: text => out.write(text), close() {} };
  let fd: number;
  try {
    fd = openSync(resolve(cwd, path), 'w');
  } catch (error) {
    throw refusalOf('write', path, error);
  }
  return {
    write(text) {
      let rest = typeof text === 'string' ? Buffer.from(text) : text;
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
      } catch (error) {
        throw refusalOf('write', path, error);
      }
    },
    close: () => closeSync(fd),
  };
}

/** A whole file at once; `fresh` refuses to overwrite. */
export function writeWhole(path: string, text: string, { cwd }: Terminal, fresh = false): void {
  try {
    writeFileSync(resolve(cwd, path), text, { flag: fresh ? 'wx' : 'w' });
  } catch (error) {
    throw refusalOf('write', path, error);
  }
}
