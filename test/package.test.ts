/** What `npm install apflab` brings: the packed files, in a folder with nothing else in it. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, match, ok } from 'uvu/assert';
import { bundle, ENTRY } from '../scripts/build.ts';
import { ROOT, read } from '../scripts/imports.ts';
import { apflab, inFolder, run } from './apflab.ts';

const TEN_LINES = `language 1
host h { cpus 1; ram 64MiB; workers 1; swap d { size 64MiB; read fixed(100us) } }
vm web on h {
  ram 32MiB; vcpus 1; protocol linux_6_12
  guest { apf on; task db on vcpu[0] user { loop { read heap uniform; work 20us } } }
}
let cold = web.heap.page(3)
at 0us evict cold
at 100us db reads cold
eventually resumes(db) within 2ms after ready(cold)
`;

test('packed, installed without a network into an empty folder, it runs', () =>
  inFolder(async folder => {
    const packed = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]);
    is(packed.code, 0, packed.stderr);
    const installed = await run(
      'npm',
      ['install', '--offline', '--no-audit', '--no-fund', join(folder, packed.stdout.trim())],
      {
        cwd: folder,
      },
    );
    is(installed.code, 0, installed.stderr);
    equal(
      readdirSync(join(folder, 'node_modules')).filter(name => !name.startsWith('.')),
      ['apflab'],
      'the package brings no other',
    );

    const program = join(folder, 'node_modules/.bin/apflab');
    const home = join(folder, 'node_modules/apflab');
    ok(existsSync(join(home, 'scenarios')), 'scenarios are shipped');
    ok(existsSync(join(home, 'dist/LICENSES.txt')), 'licences are shipped');
    const version = await run(program, ['--version'], { cwd: folder });
    match(version.stdout, JSON.parse(read('package.json')).version);

    writeFileSync(join(folder, 'ten.apf'), TEN_LINES);
    const verdict = await run(program, ['run', '--trace', '-', 'ten.apf'], { cwd: folder });
    is(verdict.code, 0, verdict.stderr);
    match(verdict.stdout, 'kvm_async_pf_not_present');
    is((await run(program, ['check', 'ten.apf'], { cwd: folder })).code, 0);
    // Without a terminal there is nothing to watch on.
    is((await run(program, ['watch', 'ten.apf'], { cwd: folder })).code, 4);
  }));

test('an old Node is told so, with exit code 4', () =>
  inFolder(async folder => {
    mkdirSync(join(folder, 'bin'));
    cpSync(join(ROOT, 'bin/apflab.js'), join(folder, 'bin/apflab.js'));
    writeFileSync(join(folder, 'old.cjs'), "Object.defineProperty(process, 'version', { value: 'v20.20.2' });");
    const { code, stdout, stderr } = await run(process.execPath, ['--require', './old.cjs', 'bin/apflab.js'], {
      cwd: folder,
    });
    is(code, 4);
    is(stdout, '');
    match(stderr, /needs Node 22 or later; this is v20\.20\.2\.\nhint: /);
  }));

test('what runs headless is free of Ink and React, and `run` of what it need not know', () =>
  inFolder(async folder => {
    const { outputs } = await bundle(join(folder, 'dist'));
    /** The packages and sources that are read when this part of the bundle is, before anything else is asked for. */
    const inputsOf = (entry: string): readonly string[] => {
      const parts = new Set<string>();
      const waiting = Object.keys(outputs).filter(path => outputs[path]?.entryPoint === entry);
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        if (parts.has(path)) continue;
        parts.add(path);
        const imports = outputs[path]?.imports ?? [];
        waiting.push(
          ...imports.filter(each => each.kind !== 'dynamic-import' && !each.external).map(each => each.path),
        );
      }
      return [...parts].flatMap(path => Object.keys(outputs[path]?.inputs ?? {}));
    };
    const screen = /node_modules\/(?:ink|react|react-reconciler|yoga-layout)\//;
    const laboratory = 'src/cli/laboratory.ts';
    for (const entry of [ENTRY, laboratory]) {
      equal(
        inputsOf(entry).filter(path => screen.test(path)),
        [],
        entry,
      );
    }
    const run = inputsOf(laboratory);
    equal(
      run.filter(path => /node_modules\/zod\//.test(path)),
      [],
    );
    ok(
      run.some(path => path.includes('src/sim/')),
      'the simulator is in `run`',
    );
  }));

test('without an argument, piped, it helps', async () => {
  const { code, stdout } = await apflab([]);
  is(code, 0);
  match(stdout, 'apflab run');
});

test('everything is pinned, nothing is needed at run time, and no lock names a host', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  equal(dependencies, undefined);
  const loose = Object.entries<string>(devDependencies).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  );
  equal(loose, []);
  ok(!/"resolved": "https?:/.test(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
});

test.run();
