/** `apflab diff`: where two runs part, in words and as data, and which knob does it. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageFolder } from '../../src/cli/package.ts';
import { FAILS, INVALID, MATRIX, PASSES } from './scenarios.ts';
import { inWorld, type World } from './world.ts';

function scene(name: string, files: Readonly<Record<string, string>>, body: (world: World) => Promise<void>): void {
  test(name, () => inWorld(files, body));
}

const HALT = `language 1
title "Where is the halt?"
host h { cpus 1; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(1ms); depth 8; readahead 8 pages } }
vm web on h {
  ram 1MiB; vcpus 1
  guest { apf on; task db on vcpu[0] user { work 20us; read page(17); done } }
}
limit time 5ms
variant mine extends v6 { halt at_fault_with_unhalt }
at 0us evict web.heap.page(17)
expect done(db)
`;

scene('the same scenario on two variants: what, who, when, and the knob', { 'a.apf': HALT }, async ({ apflab }) => {
  const { code, out, err } = await apflab(['diff', 'a.apf', '--variants', 'v6,mine']);
  assert.equal([code, err], [1, '']);
  const text = out.replaceAll(/\s+/g, ' ');
  assert.match(text, /^a\.apf: Where is the halt\?, seed 1 v6 beside mine /);
  assert.match(text, 'The same so far: ');
  assert.match(text, /At [\d.]+us mine has kvm_async_pf_not_present: gva 0x1011868 not present \(CPU 0\/KVM, in /);
  assert.match(text, /v6 has halt\(web\.vcpu\[0\]\) \(CPU 0\/KVM, in kvm_check_async_pf_completion\.entry\) next, at/);
  assert.match(text, /mine has halt\(web\.vcpu\[0\]\), at [\d.]+us/);
  assert.match(text, /web\.vcpu\[0\]\.mp_state RUNNABLE HALTED/);
  assert.match(
    text,
    'turned alone, makes v6 do there what mine does halt: entry_check in v6, at_fault_with_unhalt in mine.',
  );
});

scene('names of variants do, with the scenario that declares them', { 'a.apf': HALT }, async ({ apflab }) => {
  const { out } = await apflab(['diff', 'a.apf', '--variants', 'v6,mine']);
  assert.is((await apflab(['diff', 'v6', 'mine', '--in', 'a.apf'])).out, out);
  assert.match((await apflab(['diff', 'a.apf', 'mine'])).out, /Where is the halt\?/);
});

test('without a scenario on one that nearly all versions can run', () =>
  inWorld({}, async ({ apflab }) => {
    const { code, out } = await apflab(['diff', 'linux_6_1', 'linux_6_12', '--from', '1ms']);
    assert.is(code, 1);
    assert.match(out, /Is it worth it here\?, seed 1\n {2}linux_6_1 beside linux_6_12\n/);
    assert.match(out, /makes linux_6_1 do there what linux_6_12 does\n {2}nowait_single_page: waits in linux_6_1/);
    const same = await apflab(['diff', 'linux_5_8', 'linux_6_1']);
    assert.is(same.code, 0);
    assert.match(same.out, /no difference in \d+ events/);
  }));

scene('two run files, case by case', { 'a.apf': MATRIX }, async ({ apflab }) => {
  await apflab(['run', 'a.apf', '--record', 'a.run']);
  const same = await apflab(['diff', 'a.run', 'a.run']);
  assert.is(same.code, 0);
  assert.is(same.out.match(/no difference/g)?.length, 10);
  const other = await apflab(['diff', 'a.run', 'a.run', '--variants', 'v6,linux_6_12', '--grep', 'second']);
  assert.is(other.code, 1);
  assert.match(other.out, 'v6 beside linux_6_12');
});

scene('two scenarios; one that goes on longer', { 'a.apf': PASSES, 'b.apf': FAILS }, async ({ apflab }) => {
  // They differ in what they expect; what happens is the same.
  assert.is((await apflab(['diff', 'a.apf', 'b.apf'])).code, 0);
  const shorter = HALT.replace('limit time 5ms', 'limit time 500us');
  await inWorld({ 'a.apf': HALT, 'b.apf': shorter }, async each => {
    const { code, out } = await each.apflab(['diff', 'a.apf', 'b.apf', '--variants', 'linux_6_12']);
    assert.is(code, 1);
    assert.match(out, 'B is over; A goes on: swap_read(web.heap.page(17))');
    assert.not.match(out, 'B goes on\n');
  });
});

scene('a run and the text of its own trace are the same', { 'a.apf': PASSES }, async ({ apflab }) => {
  for (const format of ['ftrace', 'trace-cmd', 'perf']) {
    await apflab(['run', 'a.apf', '--trace', 'a.txt', '--format', format]);
    const { code, out } = await apflab(['diff', 'a.apf', 'a.txt']);
    assert.match(out, /^A +a\.apf: .* on linux_6_12, seed 1\nB +a\.txt, a recording\nno difference in \d+ events\n$/);
    assert.is(code, 0, format);
  }
  await apflab(['run', 'a.apf', '--trace', 'b.txt', '--variants', 'linux_5_8', '--seed', '7']);
  assert.is((await apflab(['diff', 'a.txt', 'b.txt'])).code, 1);
});

test('the model and a real kernel: by the order of events in an exit', () =>
  inWorld({}, async ({ apflab }) => {
    const root = packageFolder();
    const recording = join(root, 'test/data/recordings/mg-pv-1cpu/trace.txt.gz');
    const argv = [join(root, 'scenarios/recorded-mg-1cpu.apf'), recording, '--grep', 'paravirtual'];
    const { code, out } = await apflab(['diff', ...argv, '--variants', 'linux_6_1']);
    assert.is(code, 1);
    assert.match(out, /exits with asynchronous page faults: \d+ in A, 1136 in B/);
    assert.match(out, /after async_pf_not_present: \w+ in A, \w+ in B/);
    // Neither order is foreign to the other side: only which comes when differs.
    assert.not.match(out, / 0 in B\n/);
    const same = await apflab(['diff', recording, recording]);
    assert.is(same.code, 0);
  }));

const LOST = `language 1
title "lost"
host h { cpus 1; ram 64KiB; workers 1; swap d { size 1MiB; read fixed(1us); depth 1 } }
vm t on h { ram 32KiB; vcpus 1; guest { apf on; task a on vcpu[0] user { read page(1); done } } }
evict t.heap.page(1)
variant broken extends linux_6_12 { wake none }
run on variants [broken]
eventually got: done(a)
explore { strategy bfs; states 100k }
`;

scene('an order that an exploration found, beside the one that time picks', { 'a.apf': LOST }, async ({ apflab }) => {
  await apflab(['explore', 'a.apf', '--record', 'a.run']);
  assert.is((await apflab(['diff', 'a.run', 'a.run'])).code, 0);
  const { code, out } = await apflab(['diff', 'a.apf', 'a.run']);
  assert.is(code, 1);
  assert.match(out.replaceAll(/\s+/g, ' '), "B a.apf: lost on broken, seed 1, in the order that breaks 'got'");
  assert.match(out, /At [\d.]+us [AB] has /);
});

scene('the same as data', { 'a.apf': HALT }, async ({ apflab }) => {
  const { code, out } = await apflab(['diff', 'a.apf', '--variants', 'v6,mine', '--report', 'json']);
  assert.is(code, 1);
  const report: {
    version: number;
    comparisons: { differs: boolean; knobs: unknown; parting: { same: number; a: { text: string }[] } }[];
  } = JSON.parse(out);
  assert.is(report.version, 1);
  const [only] = report.comparisons;
  assert.ok(only?.differs && only.parting.same > 0);
  assert.is(only.parting.a[0]?.text, 'halt(web.vcpu[0])');
  assert.equal(only.knobs, [{ knob: 'halt', makes: 'same' }]);
});

scene('what cannot be compared is refused', { 'a.apf': PASSES, 'bad.apf': INVALID }, async ({ apflab }) => {
  const refused = async (...argv: string[]) => {
    const { code, err } = await apflab(['diff', ...argv]);
    assert.is(code, 4, argv.join(' '));
    return err;
  };
  assert.match(await refused('a.apf'), 'diff needs a second side');
  assert.match(await refused('a.apf', '--variants', 'v6,v7,sync'), 'one for both sides, or one for each');
  assert.match(await refused('a.apf', 'nowhere.txt'), 'cannot read nowhere.txt');
  assert.match(await refused('a.apf', 'linux_6_21'), "no variant named 'linux_6_21'\nhelp: did you mean");
  assert.match(await refused('a.apf', 'a.apf', '--from', 'noon'), '--from noon: not a time');
  assert.is((await apflab(['diff', 'a.apf', 'bad.apf'])).code, 2);
});

test.run();
