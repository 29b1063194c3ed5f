/** `apflab explore`: what it prints where, and how it ends. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXPLORE_REPORT } from '../../src/report/schema/explore.ts';
import { inFolder } from '../apflab.ts';
import { inWorld, type World } from './world.ts';

function scenario(judged: string, task = 'read page(1); done', file = ''): string {
  return `language 1
title "small"
import "std/invariants.apf"
host h { cpus 2; ram 1MiB; page 4KiB; workers 2; swap d { size 256KiB; read fixed(100us); depth 4; readahead 2 pages } }
vm t on h {
  ram 64KiB; paging tdp; irqchip kernel; vcpus 1
  guest { apf on; heap 32KiB; task a on vcpu[0] user { ${task} } }
}
run on variants [v6, linux_6_12]
${file}
evict t.page(1)
case "c" {
${judged}
}
`;
}

const HALT = scenario(`  always honest: real_halts_only(t)
  sometimes faulted: took_apf(page(1))
  expect quick: done(a) at 3ms`);
const EXPECTED = scenario(`  always honest: real_halts_only(t)
  expect fail of honest on variant v6 because "a synthetic halt is stored as a real one"`);

function scene(name: string, files: Readonly<Record<string, string>>, body: (world: World) => Promise<void>): void {
  test(name, () => inWorld(files, body));
}

scene('one line for each case and variant, and below it what was covered', { 'c.apf': HALT }, async ({ apflab }) => {
  const { code, out, err } = await apflab(['explore', 'c.apf', '--variants', 'linux_6_12']);
  assert.is(code, 0);
  assert.is(err, '');
  assert.match(
    out,
    /^c\.apf\n {2}pass +c {2}linux_6_12 {2}\d+ states, \d+ transitions, depth \d+, collision odds \de-\d+\n {4}left to a clock: quick\n\n1 run: 1 pass\n$/,
  );
});

scene('a judgement that some order breaks fails, with the way to see it again', { 'c.apf': HALT }, async world => {
  const { code, out } = await world.apflab(['explore', 'c.apf', '--variants', 'v6']);
  assert.is(code, 1);
  assert.match(out, /violated: honest after \d+ steps\n {6}--> c\.apf:13:3/);
  assert.match(out, 'found    v = t.vcpu[0]: v.mp_state is HALTED, t.vcpu[0] is not executing(HLT)');
  const [, command = ''] = /repeat: apflab (.+)/.exec(out) ?? [];
  assert.is((await world.apflab(command.split(' '))).out, out);
});

scene('what the file expects to fail is fine where it does', { 'c.apf': EXPECTED }, async ({ apflab }) => {
  const { code, out } = await apflab(['explore', 'c.apf']);
  assert.is(code, 0);
  assert.match(out, '2 runs: 1 pass, 1 xfail');
});

scene('a checkpoint is gone on with, and refused where it is of something else', { 'c.apf': HALT }, world =>
  inFolder(async folder => {
    const far = join(folder, 'far.bin');
    const explore = (...flags: readonly string[]) =>
      world.apflab(['explore', 'c.apf', '--variants', 'linux_6_12', ...flags]);
    const paths = ['--strategy', 'random', '--walks', '40'];
    const alone = await explore(...paths);
    assert.is((await explore('--strategy', 'random', '--walks', '17', '--checkpoint', far)).code, 3);
    assert.equal(await explore(...paths, '--resume', far), alone);
    assert.equal(await explore(...paths, '--workers', '2'), alone);
    for (const flags of [['--strategy', 'pct'], ['--exact'], ['--all', ...paths]]) {
      const { code, err } = await explore(...flags, '--resume', far);
      assert.is(code, 4);
      assert.match(err, /^apflab: .*far\.bin is of c\.apf 'c' linux_6_12; the file or the options are others now$/m);
    }
  }),
);

const TIMELESS = scenario(`  never began: took_apf(page(1))
  never later: took_apf(page(1)) before done(a)
  after took_apf(page(1)) never again: completed(page(1))
  expect back: order done(a) -> took_apf(page(1))
  always honest: real_halts_only(t)
  expect fail of honest on variant linux_6_12 because "no good reason"`);

scene('where there is no clock no moment is named, in any report', { 'c.apf': TIMELESS }, async ({ apflab }) => {
  for (const report of ['pretty', 'json', 'junit', 'tap', 'md', 'github']) {
    const { code, out } = await apflab(['explore', 'c.apf', '--variants', 'linux_6_12', '--all', '--report', report]);
    assert.is(code, 1, out);
    assert.match(out, /after \d+ steps/);
    assert.not.match(out, /\b\d+(?:\.\d+)?[nu]s\b/);
    if (report === 'junit')
      assert.match(out, "always 'honest' holds in every order, but is expected to fail because no good reason");
  }
});

scene('a bound that is reached leaves the verdict open: exit code 3', { 'c.apf': HALT }, async ({ apflab }) => {
  for (const bound of [
    ['--states', '20'],
    ['--depth', '3'],
  ]) {
    const { code, out } = await apflab(['explore', 'c.apf', '--variants', 'linux_6_12', ...bound]);
    assert.is(code, 3, out);
    assert.match(out, /undecided: not every order was tried, it stopped at (?:20 states|depth 3)/);
  }
});

scene('a sometimes that no order meets is said to be so', { 'c.apf': HALT }, async ({ apflab }) => {
  const text = scenario('  sometimes told: took_apf(page(3))');
  const { code, out } = await apflab(['explore', '-', '--variants', 'linux_6_12'], {
    stdin: () => new TextEncoder().encode(text),
  });
  assert.is(code, 1);
  assert.match(out, 'violated: told in no order');
  assert.match(out, 'never reached: told');
});

scene('a way to what was found is shown, as the flag says, or the file', { 'c.apf': HALT }, async ({ apflab }) => {
  const story = await apflab(['explore', 'c.apf', '--variants', 'v6', '--show', 'story,sequence']);
  assert.match(story.out, /\d+ steps, \d+ shown steps, \d+ context switch/);
  assert.match(story.out, 'took_apf(t.heap.page(1)): The fault was made');
  assert.match(story.out, /\n +kswapd0 +CPU 0\/KVM/);
  const asks = scenario('  always honest: real_halts_only(t)\n  explore { on violation { shrink; show table } }');
  const world = { stdin: () => new TextEncoder().encode(asks) };
  assert.match((await apflab(['explore', '-', '--variants', 'v6'], world)).out, 'took_apf');
  assert.is((await apflab(['explore', '-', '--variants', 'linux_6_12'], world)).out.includes('took_apf'), false);
});

scene('pages drawn by lot cannot be explored', {}, async ({ apflab }) => {
  const text = scenario('  never stuck: deadlock', 'loop { read heap uniform; work 1us }');
  const { code, out } = await apflab(['explore', '-', '--variants', 'v6'], {
    stdin: () => new TextEncoder().encode(text),
  });
  assert.is(code, 2);
  assert.match(out, 'error[unexplorable]: task a touches a page drawn by lot');
});

scene('the report for programs has the published shape', { 'c.apf': HALT }, async ({ apflab }) => {
  const plain = await apflab(['explore', 'c.apf', '--report', 'json']);
  const { results } = EXPLORE_REPORT.parse(JSON.parse(plain.out));
  assert.equal(
    results.map(({ variant, verdict, property }) => [variant, verdict, property]),
    [
      ['v6', 'fail', 'honest'],
      ['linux_6_12', 'pass', null],
    ],
  );
  const [failed, passed] = results;
  assert.is(failed?.stopped, 'a judgement has failed');
  assert.ok((failed?.counterexample?.steps ?? 0) > (failed?.counterexample?.context_switches ?? 0));
  assert.is(passed?.counterexample, null);
  assert.is(passed?.stopped, null);
  assert.equal(passed?.left_out, ['quick']);
  assert.equal(passed?.bounds, {
    depth: null,
    preemptions: null,
    states: null,
    memory_bytes: 4 * 2 ** 30,
    budgets: {},
    fair: null,
  });
  assert.is(passed?.seconds, undefined);
  assert.is((await apflab(['explore', 'c.apf', '--report', 'json'])).out, plain.out);
  const timed = await apflab(['explore', 'c.apf', '--report', 'json', '--timing']);
  assert.is(EXPLORE_REPORT.parse(JSON.parse(timed.out)).results[0]?.seconds, 0);
});

scene('reductions change how much is tried, and no verdict', { 'c.apf': EXPECTED }, async ({ apflab }) => {
  const states = async (...flags: readonly string[]) => {
    const { code, out } = await apflab(['explore', 'c.apf', '--all', '--report', 'json', ...flags]);
    assert.is(code, 0);
    return EXPLORE_REPORT.parse(JSON.parse(out)).results.map(each => each.states);
  };
  const [, reduced = 0] = await states('--reductions', 'order,identity');
  const [, plain = 0] = await states('--no-reduce');
  const [, some = 0] = await states('--reductions', 'identity');
  assert.ok(reduced < some && some <= plain, `${reduced} < ${some} <= ${plain}`);
  assert.equal(await states('--exact'), await states());
  // So small a world is not worth it.
  assert.is((await states())[1], some);
});

scene('flags that ask for what there is not are refused', { 'c.apf': HALT }, async ({ apflab }) => {
  for (const [flags, message] of [
    [['--reductions', 'luck'], "no reduction 'luck'"],
    [['--no-reduce', '--reductions', 'order'], '--no-reduce leaves nothing for --reductions'],
    [['--states', 'many'], '--states many: not a count, such as 2M or 20000'],
    [['--memory', '2'], '--memory 2: not a size, such as 512MiB or 4GiB'],
    [['--show', 'pictures'], "no view 'pictures'"],
    [['--strategy', 'guess'], '--strategy guess: not one of bfs, dfs, random, pct'],
  ] as const) {
    const { code, err } = await apflab(['explore', 'c.apf', ...flags]);
    assert.is(code, 4, message);
    assert.match(err, message);
  }
});

scene('an interrupt stops it, and what was covered is said', { 'c.apf': HALT }, async ({ apflab }) => {
  const { code, out, err } = await apflab(['explore', 'c.apf', '--variants', 'linux_6_12', '--no-reduce'], {
    onInterrupt(interrupt) {
      interrupt();
      return () => {};
    },
  });
  assert.is(code, 130);
  assert.match(out, /inconclusive +c {2}linux_6_12 {2}\d+ states/);
  assert.match(out, 'undecided: not every order was tried, it was interrupted');
  assert.match(err, 'interrupted: 1 of 1 runs are over');
});

scene('on a terminal a line says how far it is', { 'c.apf': HALT }, async ({ apflab }) => {
  let now_ms = 0;
  const { err } = await apflab(
    ['explore', 'c.apf', '--variants', 'linux_6_12', '--no-reduce', '--states', '100k', '--depth', '900'],
    { tty: { in: true, out: true, err: true }, now_ms: () => (now_ms += 200) },
  );
  assert.match(err, /\d+ states, \d+\/s, \d+ ahead, depth \d+, \d+MiB, ~\S+ left/);
});

test.run();
