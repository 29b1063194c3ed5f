/**
 * Who imports whom, read from the text of our own files: for the architecture test, for `--watch`, and for the build's
 * question whether anything changed.
 *
 * A scanner instead of the compiler, since TypeScript 7 has no API. It relies on our formatting: an import or export
 * declaration starts a line, and nothing else at the start of a line looks like one.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  /** Path from the root of the repository, or the name of a package: `src/base/table.ts`, `ink`, `node:fs`. */
  readonly target: string;
  /** Nothing is left of it when the program runs. */
  readonly typeOnly: boolean;
  /** Loaded only when asked for: `await import('../tui/main.tsx')`. */
  readonly lazy: boolean;
}

export const ROOT = join(import.meta.dirname, '..');

const DECLARATION = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const LAZY = /\bimport\('([^']+)'\)/g;

/** Files of the repository that match, relative to its root and in an order of their own on every machine. */
export function files(...patterns: readonly string[]): readonly string[] {
  const found = globSync([...patterns], { cwd: ROOT, exclude: ['node_modules/**', 'dist/**'] });
  return found.map(file => file.replaceAll('\\', '/')).sort();
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

export function importsOf(file: string): readonly Import[] {
  const code = read(file).replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const resolve = (target: string): string =>
    target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
  const declared = [...code.matchAll(DECLARATION)].map(([, type, target = '']) => {
    return { target: resolve(target), typeOnly: type !== undefined, lazy: false };
  });
  const lazy = [...code.matchAll(LAZY)].map(([, target = '']) => ({
    target: resolve(target),
    typeOnly: false,
    lazy: true,
  }));
  return [...declared, ...lazy];
}

/** Our own files that `roots` need, themselves included, however far away. */
export function reachedFrom(roots: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...roots];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file) || !/\.tsx?$/.test(file) || !existsSync(join(ROOT, file))) continue;
    reached.add(file);
    for (const { target } of importsOf(file)) waiting.push(target);
  }
  return reached;
}
