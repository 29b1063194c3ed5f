/** What the architecture promises, held against the files: who imports whom, and what stands nowhere. */
import { homedir } from 'node:os';
import { transform } from 'esbuild';
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { files, importsOf, ROOT, reachedFrom, read } from '../scripts/imports.ts';

/**
 * Who may import whom. An entry is a folder of src, a file in one, or a package; with `type` before it, only its types.
 * Everyone may import within their own folder.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  trace: ['base'],
  sim: ['base', 'trace'],
  // Of the simulator the language sees names and shapes, never the machine that runs.
  dsl: [
    'base',
    'trace',
    'sim/expr.ts',
    'sim/program.ts',
    'sim/schema.ts',
    'sim/at.ts',
    'sim/observe.ts',
    'sim/pattern.ts',
    'sim/attributes.ts',
    'sim/cost.ts',
    'sim/ordered.ts',
    'sim/fair.ts',
    'sim/attributes/',
    'sim/protocol/',
    'chevrotain',
  ],
  explore: ['base', 'sim'],
  report: ['base', 'trace', 'type sim', 'type explore', 'zod'],
  tui: ['base', 'trace', 'sim', 'explore', 'ink', 'react', 'chalk', 'string-width', 'slice-ansi'],
};

/** These see everything, and they alone see the machine we run on. */
const OUTERMOST = ['cli', 'tui/main.tsx'];

const sources = files('src/**/*.{ts,tsx}');
const pure = sources.filter(file => /^src\/(base|trace|sim|dsl|explore|report)\//.test(file));

function folderOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function allowed(from: string, target: string, typeOnly: boolean): boolean {
  const inSrc = target.startsWith('src/');
  const named = inSrc ? target.slice('src/'.length) : target;
  if (OUTERMOST.some(each => from.startsWith(`src/${each}`))) return true;
  if (inSrc && folderOf(target) === folderOf(from)) return true;
  return (MAY_IMPORT[folderOf(from)] ?? []).some(entry => {
    const name = entry.replace('type ', '');
    if (entry.startsWith('type ') && !typeOnly) return false;
    return named === name || (inSrc && named.startsWith(name.endsWith('/') ? name : `${name}/`));
  });
}

test('imports follow the table', () => {
  const wrong = sources.flatMap(file => {
    const bad = importsOf(file).filter(({ target, typeOnly }) => !allowed(file, target, typeOnly));
    return bad.map(({ target, typeOnly }) => `${file} imports ${typeOnly ? 'types of ' : ''}${target}`);
  });
  equal(wrong, []);
});

test('every folder of src is in the table', () => {
  const known = [...Object.keys(MAY_IMPORT), ...OUTERMOST];
  equal(
    [...new Set(sources.map(folderOf))].filter(folder => !known.includes(folder)),
    [],
  );
});

test('no import leads back to its beginning', () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const seen = path.indexOf(file);
    if (seen >= 0) cycles.push([...path.slice(seen), file].join(' -> '));
    if (seen >= 0 || done.has(file)) return;
    for (const { target, typeOnly } of sources.includes(file) ? importsOf(file) : []) {
      if (!typeOnly) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of sources) visit(file, []);
  equal(cycles, []);
});

test('the monitor is loaded only when it is asked for', () => {
  const eager = sources
    .filter(file => folderOf(file) === 'cli')
    .flatMap(file =>
      importsOf(file)
        .filter(({ target, typeOnly, lazy }) => target.startsWith('src/tui/') && !typeOnly && !lazy)
        .map(({ target }) => `${file} imports ${target}`),
    );
  equal(eager, []);
});

/** Files without comments and types: what is left is what runs. */
async function codeOf(file: string): Promise<string> {
  const options = { loader: 'ts', minifyWhitespace: true, legalComments: 'none', target: 'esnext' } as const;
  return (await transform(read(file), options)).code;
}

async function occurrences(among: readonly string[], forbidden: RegExp): Promise<readonly string[]> {
  const found = await Promise.all(
    among.map(async file => [...(await codeOf(file)).matchAll(forbidden)].map(([word]) => `${file}: ${word}`)),
  );
  return found.flat();
}

test('what runs is a value: no clock, chance, waiting, console or process below cli and tui', async () => {
  const clock = /\bnew Date\b|\bDate[.(]|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\(|\bqueueMicrotask\(/;
  const chance = /\bMath\.random\b|\bcrypto\./;
  const waiting = /\bawait [\w(]|\basync(?:\(| function\b| \w+=>)|\bPromise[.(]/;
  const outside = /\bconsole\.|\bprocess\.|\bglobalThis\b/;
  // Their answers depend on the language of the machine.
  const locale = /\.localeCompare\(|\.toLocale\w+\(|\bIntl\./;
  const all = [clock, chance, waiting, outside, locale].map(each => each.source).join('|');
  equal(await occurrences(pure, new RegExp(all, 'g')), []);
});

test('the simulator keeps nothing beside its buffer and asks no libm, which differs between platforms', async () => {
  const sim = sources.filter(file => folderOf(file) === 'sim');
  equal(
    await occurrences(sim, /\bnew Weak(?:Map|Set|Ref)\b|\bMath\.(?:exp|expm1|log\w*|pow|sinh?|cosh?|tanh?|cbrt)\b/g),
    [],
  );
  equal(
    sim.filter(file => /^(?:export )?(?:let|var) /m.test(read(file))),
    [],
    'variables of a module',
  );
});

test('nothing silences the type checker or the linter', () => {
  const silencers =
    /\bas any\b|: any\b|<any>|\bas unknown as\b|\bas never\b|@ts-(?:ignore|expect-error|nocheck)|biome-ignore/;
  const checked = [...sources, ...files('scripts/**/*.ts')];
  equal(
    checked.filter(file => silencers.test(read(file))),
    [],
  );
});

test('files are short and named for the thing in them', () => {
  const generated = (file: string): boolean => /^\/[/*].*[Gg]enerated/.test(read(file));
  const tooLong = sources.filter(file => read(file).split('\n').length > 500 && !generated(file));
  equal(tooLong, [], 'longer than 500 lines: split by meaning');
  const nameless = /(?:^|\/)(?:utils?|types|helpers?|common|misc|index|\w*(?:manager|handler))\.tsx?$/i;
  equal(
    sources.filter(file => nameless.test(file)),
    [],
  );
});

test('every source file is reached by a test', () => {
  const reached = reachedFrom(files('test/**/*.test.{ts,tsx}'));
  // The command line is reached through the bundle, as a program.
  equal(
    sources.filter(file => !reached.has(file) && folderOf(file) !== 'cli'),
    [],
  );
});

test('tests are run, all of them, and none alone', () => {
  for (const file of files('test/**/*.test.{ts,tsx}')) {
    is(/\.(?:only|skip)\(/.test(read(file)) && !file.includes('tidy'), false, `${file} skips or focuses`);
    is(/\.run\(\);?\s*$/.test(read(file)), true, `${file} does not end with .run()`);
  }
});

test('no file names the machine it was written on', () => {
  const places = [ROOT, homedir()].filter(place => place.length > 1).map(place => `${place}/`);
  const texts = files(
    '*.{md,json,ts}',
    '{.ci,bin,docs,scenarios,scripts,src,std,test}/**/*.{md,json,ts,tsx,js,apf}',
    '.ci/run',
  );
  equal(
    texts.filter(file => places.some(place => read(file).includes(place))),
    [],
  );
});

test.run();
