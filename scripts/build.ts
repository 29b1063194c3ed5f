/**
 * The bundle: `dist/apflab.js` and the parts that it loads when they are needed.
 *
 * The monitor stands behind a dynamic import and becomes a part of its own, so that `apflab run` starts without
 * reading Ink and React. Everything is in the bundle; the published package depends on nothing.
 */
import { existsSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile, Plugin } from 'esbuild';
import { exitWith, scriptArgs } from './args.ts';
import { files, ROOT } from './imports.ts';

const USAGE = `npm run build -- [--if-stale]

Bundles src/cli/main.ts into dist/.
  --if-stale      only when a source is newer than the bundle`;

export const ENTRY = 'src/cli/main.ts';
export const BUNDLE = 'dist/apflab.js';

/** Ink asks for the developer tools of React only when DEV is set, but names them where every start would see it. */
const withoutDevtools: Plugin = {
  name: 'without-devtools',
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'empty' }));
    build.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export default undefined' }));
  },
};

/**
 * Node's own modules straight from the process. An `import` of one first reads every export that it has, lazy ones
 * too, which loads half of Node: a third of the start-up of an empty program. The launcher makes up for Node 22.0.
 */
const plainBuiltins: Plugin = {
  name: 'plain-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) => {
      return kind === 'dynamic-import' ? { path, external: true } : { path, namespace: 'builtin' };
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}')`,
    }));
  },
};

export function isStale(): boolean {
  if (!existsSync(join(ROOT, BUNDLE))) return true;
  const built_ms = statSync(join(ROOT, BUNDLE)).mtimeMs;
  const sources = [...files('src/**/*.{ts,tsx}'), 'package-lock.json', 'scripts/build.ts'];
  return sources.some(file => statSync(join(ROOT, file)).mtimeMs > built_ms);
}

/** Bundle into `outdir`; the metafile says what went into which part. */
export async function bundle(outdir: string): Promise<Metafile> {
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: { apflab: ENTRY },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    // CommonJS packages inside the bundle ask for Node's own modules through `require`.
    banner: { js: 'const require=process.getBuiltinModule;' },
    plugins: [withoutDevtools, plainBuiltins],
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, 'LICENSES.txt'), licenses(metafile));
  return metafile;
}

/** The licences of what is in the bundle: they ask to travel with it. */
function licenses(metafile: Metafile): string {
  const inputs = Object.keys(metafile.inputs).map(file => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const packages = [...new Set(inputs)].filter(folder => folder !== undefined).sort();
  return packages
    .map(folder => {
      const [file] = globSync('{LICEN[CS]E,licen[cs]e}*', { cwd: join(ROOT, folder) });
      const text = readFileSync(join(ROOT, folder, file ?? 'package.json'), 'utf8');
      return `${folder.slice('node_modules/'.length)}\n\n${text.trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** Bring `dist` up to date. It is swapped as a whole, since a program may be starting from it at this moment. */
export async function build(): Promise<void> {
  const dist = join(ROOT, 'dist');
  const fresh = `${dist}.new-${process.pid}`;
  const old = `${dist}.old-${process.pid}`;
  try {
    await bundle(fresh);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = scriptArgs(USAGE, { 'if-stale': { type: 'boolean', default: false } });
  if (!existsSync(join(ROOT, ENTRY))) exitWith(4, `${ENTRY} is missing`);
  if (!values['if-stale'] || isStale()) await build();
}
