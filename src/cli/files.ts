/** Reading what the user named: scenarios, folders of them, standard input; and what a scenario imports. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Source } from '../base/source.ts';
import { packageFolder } from './package.ts';
import { Refusal, refusalOf } from './refusal.ts';
import type { Terminal } from './terminal.ts';

const EXTENSION = '.apf';

/** Far above any scenario; a disk image named by mistake is refused before it is parsed. */
const SCENARIO_BYTES_MAX = 4 << 20;

/** The scenarios that operands stand for, each once, folders in an order of their own on every machine. */
export function scenarioPaths(operands: readonly string[], { cwd }: Terminal): readonly string[] {
  const found = operands.flatMap(operand => {
    if (operand === '-' || !isFolder(operand, cwd)) return [operand];
    const inside = walk(resolve(cwd, operand)).map(path => join(operand, path));
    if (inside.length === 0) throw new Refusal(`no ${EXTENSION} file in ${operand}`);
    return inside;
  });
  return [...new Map(found.map(path => [path === '-' ? path : resolve(cwd, path), path])).values()];
}

function isFolder(path: string, cwd: string): boolean {
  try {
    return statSync(resolve(cwd, path)).isDirectory();
  } catch (error) {
    throw refusalOf('read', path, error);
  }
}

/** Paths below a folder. Links to folders are not followed: they may lead back. */
function walk(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const hidden = (name: string): boolean => name.startsWith('.') || name === 'node_modules';
    return entries
      .filter(({ name }) => !hidden(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(entry => {
        if (entry.isDirectory()) return walk(join(folder, entry.name)).map(path => join(entry.name, path));
        return entry.name.endsWith(EXTENSION) ? [entry.name] : [];
      });
  } catch (error) {
    throw refusalOf('read', folder, error);
  }
}

export function readBytes(path: string, terminal: Terminal): Uint8Array {
  if (path === '-') return terminal.stdin();
  try {
    return readFileSync(resolve(terminal.cwd, path));
  } catch (error) {
    throw refusalOf('read', path, error);
  }
}

/** Bytes that are no UTF-8 become U+FFFD, which is refused where it stands. A mark of byte order is left out. */
export function readScenario(path: string, terminal: Terminal): Source {
  const bytes = readBytes(path, terminal);
  if (bytes.length > SCENARIO_BYTES_MAX) {
    const mib = Math.ceil(bytes.length / (1 << 20));
    throw new Refusal(
      `${path} has ${mib} MiB: no scenario is that long`,
      `recordings are opened by apflab show ${path}`,
    );
  }
  return { path, text: textOf(bytes) };
}

/** As TextDecoder does it, which would have to be loaded first. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString()
    .replace(/^\ufeff/, '');
}

/**
 * Reads what scenarios import, from the folder of the importing file or from the library of the package; links that
 * lead out of these do not count as inside. Keeps everything it read, for run files.
 */
export class Imports {
  readonly read = new Map<string, Source>();
  readonly #cwd: string;
  readonly #shipped = new Set<string>();

  constructor({ cwd }: Terminal) {
    this.#cwd = cwd;
  }

  readonly load = (path: string, from: string): Source | null => {
    const label = importLabel(path, from);
    const known = this.read.get(label);
    if (known) return known;
    // What the library imports is the library's too.
    const shipped = isShipped(path) || this.#shipped.has(from);
    if (shipped) this.#shipped.add(label);
    const folder = shipped ? join(packageFolder(), 'std') : resolve(this.#cwd, dirname(from));
    const text = readInside(folder, shipped ? join(packageFolder(), label) : resolve(this.#cwd, label));
    if (text === null) return null;
    const source = { path: label, text };
    this.read.set(label, source);
    return source;
  };
}

const isShipped = (path: string): boolean => path.startsWith('std/');

/** What an imported file is called in messages; also its key in a run file. */
export function importLabel(path: string, from: string): string {
  if (isShipped(path)) return path;
  return join(dirname(from), path);
}

function readInside(folder: string, path: string): string | null {
  try {
    const real = realpathSync(path);
    const inside = relative(realpathSync(folder), real);
    if (isAbsolute(inside) || inside.split(sep)[0] === '..') return null;
    return readFileSync(real, 'utf8');
  } catch {
    return null;
  }
}
