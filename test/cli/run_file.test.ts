/** Run files and recordings: what --record keeps, and what show and replay make of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SUMMARY } from '../../src/report/schema/summary.ts';
import { FAILS, MATRIX, PASSES } from './scenarios.ts';
import { inWorld, type World } from './world.ts';

function scene(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (world: World) => Promise<void>,
): void {
  test(name, () => inWorld(files, body));
}

scene(
  'a run file holds everything: it replays where the scenario is gone',
  { 'f.apf': FAILS },
  async ({ apflab, folder }) => {
    const first = await apflab(['run', 'f.apf', '--record', 'f.run', '--set', 'latency=2ms']);
    writeFileSync(join(folder, 'f.apf'), 'language 1\n');
    const again = await apflab(['replay', 'f.run']);
    assert.is(again.code, 1);
    assert.is(again.out, first.out);
    assert.is(again.err, '');
  },
);

scene(
  'imports are in it too',
  {
    'a.apf': PASSES.replace('language 1', 'language 1\nimport "std/invariants.apf"\nimport "own.apf"'),
    'own.apf': 'language 1\n',
  },
  async ({ apflab, folder }) => {
    assert.is((await apflab(['run', 'a.apf', '--record', 'a.run'])).code, 0);
    writeFileSync(join(folder, 'own.apf'), 'broken');
    assert.is((await apflab(['replay', 'a.run'])).code, 0);
    assert.match(readFileSync(join(folder, 'a.run'), 'utf8'), '"path":"std/invariants.apf"');
  },
);

scene('recording twice gives the same bytes', { 'm.apf': MATRIX }, async ({ apflab, folder }) => {
  await apflab(['run', 'm.apf', '--record', 'a.run']);
  await apflab(['run', 'm.apf', '--record', 'b.run']);
  assert.is(readFileSync(join(folder, 'a.run'), 'utf8'), readFileSync(join(folder, 'b.run'), 'utf8'));
});

scene('replay and show choose among the runs', { 'm.apf': MATRIX }, async ({ apflab }) => {
  await apflab(['run', 'm.apf', '--record', 'm.run']);
  assert.match((await apflab(['replay', 'm.run', '--variants', 'v6', '--grep', 'second'])).out, '1 run: 1 pass');
  const { vcpus } = SUMMARY.parse(
    JSON.parse((await apflab(['show', 'm.run', '--report', 'json', '--variants', 'v6'])).out),
  );
  assert.is(vcpus.length, 5);
  assert.match(
    (await apflab(['replay', 'm.run', '--variants', 'v7'])).err,
    "the run file holds no such run\nhelp: it holds: 'first' on v6",
  );
});

scene('show of a run file and of its trace count the same', { 'p.apf': PASSES }, async ({ apflab }) => {
  await apflab(['run', 'p.apf', '--record', 'p.run', '--trace', 'p.txt']);
  const summary = async (file: string) =>
    SUMMARY.parse(JSON.parse((await apflab(['show', file, '--report', 'json'])).out));
  const [run, trace] = [await summary('p.run'), await summary('p.txt')];
  assert.equal(run.events, trace.events);
  assert.equal(run.tokens, trace.tokens);
  assert.is(run.lines.damaged, 0);
  assert.is(run.tokens.not_present, 1);
});

scene('show --as prints a run in any format', { 'p.apf': PASSES }, async ({ apflab, folder }) => {
  await apflab(['run', 'p.apf', '--record', 'p.run', '--trace', 'p.txt', '--format', 'perf']);
  assert.is((await apflab(['show', 'p.run', '--as', 'perf'])).out, readFileSync(join(folder, 'p.txt'), 'latin1'));
});

scene('a file that was changed, or is of another kind, is refused', { 'p.apf': PASSES }, async ({ apflab, folder }) => {
  await apflab(['run', 'p.apf', '--record', 'p.run']);
  const whole = readFileSync(join(folder, 'p.run'), 'utf8');
  const refused = async (content: string | Uint8Array, verb = 'replay') => {
    writeFileSync(join(folder, 'x.run'), content);
    const { code, err, out } = await apflab([verb, 'x.run']);
    assert.is(code, 4);
    assert.is(out, '');
    return err;
  };
  assert.match(await refused(whole.replace('3ms', '4ms')), 'x.run is damaged: it does not match the hash');
  assert.match(await refused(whole.slice(0, -20)), 'damaged');
  assert.match(await refused('{"apflab_run":1,"eng'), 'damaged');
  assert.match(
    await refused(whole.replace('"apflab_run":1', '"apflab_run":9')),
    'is a run file of format 9; this apflab reads formats 1 and 2',
  );
  assert.match(await refused(PASSES), 'x.run is no run file');
  assert.match(await refused('nothing like a trace\n', 'show'), 'no trace event in x.run');
  assert.match(await refused('', 'show'), 'x.run is empty');
  assert.match(
    await refused(Buffer.from([0x17, 0x08, 0x44, 0x74]), 'show'),
    'trace.dat, which apflab does not read yet',
  );
  assert.match(await refused(Buffer.from([0x1f, 0x8b, 1, 2, 3]), 'show'), 'gzipped but damaged');
});

scene(
  'a trace that comes out different is our bug, or another version',
  { 'p.apf': PASSES },
  async ({ apflab, folder }) => {
    await apflab(['run', 'p.apf', '--record', 'p.run']);
    const whole = readFileSync(join(folder, 'p.run'), 'utf8');
    const [head = '', ...lines] = whole.split('\n');
    const changed = lines.join('\n').replace(/"trace_hash":"[0-9a-f]{16}"/, '"trace_hash":"0000000000000000"');
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(changed).digest('hex');
    const write = (engine: string) => {
      const fields = { ...JSON.parse(head), sha256, ...(engine === '' ? {} : { engine }) };
      writeFileSync(join(folder, 'x.run'), `${JSON.stringify(fields)}\n${changed}`);
    };
    write('');
    const own = await apflab(['replay', 'x.run']);
    assert.is(own.code, 5);
    assert.match(
      own.err,
      /differs: p\.apf: a page comes back on linux_6_12 has the trace [0-9a-f]{16}, recorded was 0{16}\nboth by apflab/,
    );
    write('0.0.1');
    const other = await apflab(['replay', 'x.run']);
    assert.is(other.code, 4);
    // Said before anything is repeated, so that whatever follows is read with that in mind.
    assert.match(other.err, /^recorded by apflab 0\.0\.1, repeated by [\d.]+: traces need not be the same\ndiffers: /);
  },
);

/** Two faults as a 6.1 kernel printed them, one line damaged. */
const RECORDING = `# tracer: nop
#
       CPU 0/KVM-4711    [002] d..1.  1234.500000: kvm_entry: vcpu 0, rip 0x1000
       CPU 0/KVM-4711    [002] .....  1234.500010: kvm_async_pf_not_present: token 0x1000 gva 0x7f0000
     kworker/2:1-99      [002] .....  1234.503010: kvm_async_pf_completed: gva 0x7f0000 address 0x55550000
       CPU 0/KVM-4711    [002] .....  1234.503020: kvm_async_pf_ready: token 0x1000 gva 0x7f0000
       CPU 0/KVM-4711    [002] .....  1234.503030: kvm_entry: vcpu zero, rip 0x1000
`;

scene(
  'show summarises a recording, plain, gzipped or piped',
  { 't.txt': RECORDING, 't.txt.gz': gzipSync(RECORDING) },
  async ({ apflab }) => {
    const { out, code } = await apflab(['show', 't.txt', '--report', 'json']);
    assert.is(code, 0);
    const summary = SUMMARY.parse(JSON.parse(out));
    assert.equal(summary.lines, { total: 7, parsed: 4, kept_verbatim: 2, damaged: 1 });
    assert.is(summary.latency_us.not_present_to_ready.p50, 3010);
    assert.equal(JSON.parse((await apflab(['show', 't.txt.gz', '--report', 'json'])).out), {
      ...summary,
      source: 't.txt.gz',
    });
    const piped = await apflab(['show', '-', '--report', 'json'], { stdin: () => Buffer.from(RECORDING) });
    assert.equal(JSON.parse(piped.out), { ...summary, source: '-' });
  },
);

scene('show --as its own format gives the file back, damaged lines too', { 't.txt': RECORDING }, async ({ apflab }) => {
  assert.is((await apflab(['show', 't.txt', '--as', 'ftrace'])).out, RECORDING);
  const other = await apflab(['show', 't.txt', '--as', 'trace-cmd']);
  assert.match(other.out, /^cpus=3\n/);
  assert.match(other.out, 'kvm_async_pf_not_present: token 0x1000 gva 0x7f0000');
  const json = (await apflab(['show', 't.txt', '--as', 'jsonl'])).out.trim().split('\n');
  assert.is(json.length, 4);
});

const HOSTILE = RECORDING.replaceAll('CPU 0/KVM', 'C\x1b[2J\x9b/K');

scene('names in a recording move no cursor', { 't.txt': Buffer.from(HOSTILE, 'latin1') }, async ({ apflab }) => {
  const tty = { in: true, out: true, err: true };
  assert.not.match((await apflab(['show', 't.txt'], { tty })).out, /[\x1b\x9b]/);
  assert.not.match((await apflab(['show', 't.txt', '--as', 'ftrace'], { tty })).out, /[\x1b\x9b]/);
  // Into a file it is the file.
  assert.is((await apflab(['show', 't.txt', '--as', 'ftrace'])).out, HOSTILE);
});

test.run();
