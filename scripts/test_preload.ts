/**
 * Loaded before each test file: lets Node import .tsx, and puts the recorder in the place of uvu.
 *
 * Node strips types by itself, but not JSX; esbuild turns a .tsx file into JavaScript once per content.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './imports.ts';

const RECORDER = new URL('./test_recorder.ts', import.meta.url).href;
const CACHE = join(ROOT, 'node_modules/.cache/apflab-tsx');

registerHooks({
  resolve(specifier, context, next) {
    const recorded =
      specifier === 'uvu' && context.parentURL !== RECORDER && process.env.APFLAB_TEST_RECORD !== undefined;
    return recorded ? { url: RECORDER, shortCircuit: true } : next(specifier, context);
  },
  load(url, context, next) {
    if (!url.endsWith('.tsx')) return next(url, context);
    return { format: 'module', source: javaScriptOf(fileURLToPath(url)), shortCircuit: true };
  },
});

function javaScriptOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  const key = createHash('sha256').update(`${path}\0${text}`).digest('hex').slice(0, 24);
  const cached = join(CACHE, `${key}.js`);
  try {
    return readFileSync(cached, 'utf8');
  } catch {
    const options = { loader: 'tsx', jsx: 'automatic', format: 'esm', target: 'node24', sourcemap: 'inline' } as const;
    // Most test files never come here, and esbuild takes a while to load.
    const esbuild: typeof import('esbuild') = createRequire(import.meta.url)('esbuild');
    const { code } = esbuild.transformSync(text, { ...options, sourcefile: path });
    mkdirSync(CACHE, { recursive: true });
    // Several test files may do this at once: a rename leaves one whole file.
    writeFileSync(`${cached}.${process.pid}`, code);
    renameSync(`${cached}.${process.pid}`, cached);
    return code;
  }
}
