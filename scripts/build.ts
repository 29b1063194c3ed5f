/**
 * The bundle: `dist/apflab.cjs` and the parts that it loads when they are needed.
 *
 * The monitor is a bundle of its own, `dist/monitor.js`, so that `apflab run` starts without reading Ink and
 * React. Everything is in the two; the published package depends on nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile, Plugin } from 'esbuild';
import { classSource } from '../src/base/accessors.ts';
import { present } from '../src/base/assert.ts';
import { exitWith, scriptArgs } from './args.ts';
import { files, ROOT } from './imports.ts';

const USAGE = `npm run build -- [--if-stale]

Bundles src/cli/main.ts into dist/.
  --if-stale      only when a source is newer than the bundle`;

export const ENTRY = 'src/cli/main.ts';
export const BUNDLE = 'dist/apflab.cjs';
const MONITOR = 'monitor.js';
/** What a thread of an exploration runs: src/cli/threads.ts names it too. */
const THREAD = 'explorer';

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
 * too, which loads half of Node: a third of the start-up of an empty program. Here what is not used is not read, as the
 * bundler leaves it out. The launcher makes up for Node 22.0.
 */
const plainBuiltins: Plugin = {
  name: 'plain-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) => {
      if (kind === 'dynamic-import') return { path, external: true };
      return { path, namespace: 'builtin', sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter(name => /^\w+$/.test(name));
      const exported = names.map(name => `export const ${name} = /* @__PURE__ */ (() => all.${name})();`);
      return {
        contents: [`const all = process.getBuiltinModule('${path}');`, 'export default all;', ...exported].join('\n'),
      };
    });
  },
};

export function isStale(): boolean {
  if (!existsSync(join(ROOT, BUNDLE))) return true;
  const built_ms = statSync(join(ROOT, BUNDLE)).mtimeMs;
  const sources = [...files('src/**/*.{ts,tsx}'), 'package-lock.json', 'scripts/build.ts'];
  return sources.some(file => statSync(join(ROOT, file)).mtimeMs > built_ms);
}

/** The accessor classes of the machine's tables, compiled once and for all rather than at each start. */
const writtenClasses: Plugin = {
  name: 'written-classes',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]sim[\\/]classes\.ts$/ }, async () => {
      const { compiledSchema } = await import('../src/sim/schema.ts');
      return { contents: `export const written = () => (${classSource(compiledSchema, false)})` };
    });
  },
};

/** The monitor as the parts see it: a script may not import a module, so the launcher does it for them. */
const monitorApart: Plugin = {
  name: 'monitor-apart',
  setup(build) {
    build.onResolve({ filter: /\/tui\/main\.tsx$/ }, ({ path }) => ({ path, namespace: 'monitor' }));
    build.onLoad({ filter: /.*/, namespace: 'monitor' }, () => ({
      contents: `export const watch = async options => (await importModule('./${MONITOR}')).watch(options)`,
    }));
  },
};

const OPTIONS = {
  absWorkingDir: ROOT,
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
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"', 'import.meta.dirname': '__dirname' },
  logLevel: 'warning',
} as const;

/**
 * Bundle into `outdir`; the metafile says what went into which part.
 *
 * Parts are scripts, not modules: only of a script does V8 hand out the functions that a run has compiled, and without
 * those a start spends a quarter of its time compiling them again (bin/apflab.js keeps them). esbuild splits modules
 * only, so each part becomes the expression of a function in a second pass. Names carry a hash of the content.
 * The monitor awaits while it loads, which a script cannot, so it is modules with a copy of what it shares. A thread of an
 * exploration starts without the launcher, so what it runs is one, too.
 */
export async function bundle(outdir: string): Promise<Metafile> {
  const esbuild = await import('esbuild');
  // In the hashes too: what the second pass depends on. It drops the comment.
  const second = createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(esbuild.version);
  const [parts, monitor, thread] = await Promise.all([
    esbuild.build({
      ...OPTIONS,
      entryPoints: { apflab: ENTRY },
      outdir,
      entryNames: '[name]-[hash]',
      outExtension: { '.js': '.cjs' },
      banner: { js: `// ${second.digest('hex')}` },
      plugins: [monitorApart, writtenClasses, plainBuiltins],
      write: false,
    }),
    esbuild.build({
      ...OPTIONS,
      entryPoints: { monitor: 'src/tui/main.tsx' },
      outdir,
      // CommonJS packages inside the bundle ask for Node's own modules through `require`.
      banner: { js: 'const require=process.getBuiltinModule;' },
      plugins: [withoutDevtools, writtenClasses, plainBuiltins],
    }),
    esbuild.build({
      ...OPTIONS,
      entryPoints: { [THREAD]: 'src/cli/explore_thread.ts' },
      outdir,
      plugins: [writtenClasses, plainBuiltins],
    }),
  ]);
  for (const { path, text } of parts.outputFiles) {
    const { code } = await esbuild.transform(text, {
      format: 'cjs',
      platform: 'node',
      target: 'node22',
      // Parts come from the launcher, at once: `import()` becomes a promise of `require()`.
      supported: { 'dynamic-import': false },
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: 'warning',
    });
    writeFileSync(path, script(code));
  }
  const outputs = { ...parts.metafile.outputs, ...monitor.metafile.outputs, ...thread.metafile.outputs };
  const entry = Object.keys(outputs).find(path => outputs[path]?.entryPoint === ENTRY);
  const name = basename(present(entry, 'build: a part for the entry'));
  writeFileSync(join(outdir, basename(BUNDLE)), script(`module.exports=require("./${name}")`));
  const metafile = {
    inputs: { ...parts.metafile.inputs, ...monitor.metafile.inputs, ...thread.metafile.inputs },
    outputs,
  };
  writeFileSync(join(outdir, 'LICENSES.txt'), licenses(metafile));
  return metafile;
}

/** What a part may name besides itself comes from the launcher. */
function script(code: string): string {
  return `(function(require,importModule,module,exports,__dirname){"use strict";${code}})`;
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
