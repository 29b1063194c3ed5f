/** The command that a violation prints, run: it must find that violation again, and nothing else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inWorld } from './world.ts';

const FILE = `language 1
param depth = 1
param wait = 1.5ms
host h0 { cpus 1; ram 512MiB; swap nvme { size 1GiB; depth depth; read lognormal(p50: 90us, p99: 2ms) } }
vm web on h0 { ram 16MiB; guest { task db on vcpu[0] user { read page(17); done } } }
let cold = web.heap.page(17)
limit time 20ms
evict cold
`;

/** As a shell reads it; the first word is the program. */
function wordsOf(command: string): readonly string[] {
  const words = command.match(/(?:'[^']*'|\\.|[^\s'])+/g) ?? [];
  return words
    .map(word => word.replace(/'([^']*)'|\\(.)/g, (_, quoted = '', escaped = '') => quoted + escaped))
    .slice(1);
}

type Result = {
  readonly verdict: string;
  readonly seed: number;
  readonly params: Readonly<Record<string, string>>;
  readonly trace_hash: string;
  readonly violations: readonly { readonly message: string; readonly repeat: string }[];
};

function resultsOf(out: string): readonly Result[] {
  const report: { readonly results: readonly Result[] } = JSON.parse(out);
  return report.results;
}

/** Runs the file, then every command that its violations print; gives those and all results. */
async function repeated(cases: string, argv: readonly string[]): Promise<readonly Result[]> {
  let all: readonly Result[] = [];
  await inWorld({ 'a b.apf': FILE + cases }, async ({ apflab }) => {
    all = resultsOf((await apflab(['run', 'a b.apf', '--report', 'json', ...argv])).out);
    for (const { violations, ...failed } of all.filter(each => each.verdict === 'fail')) {
      const [violation] = violations;
      assert.ok(violation);
      const again = resultsOf((await apflab([...wordsOf(violation.repeat), '--report', 'json'])).out);
      assert.equal(again, [{ ...failed, violations }], violation.repeat);
    }
  });
  return all;
}

const repeats = suite('the command that repeats a failure');

repeats('of a plain case', async () => {
  const [only] = await repeated(`case "it's late" { expect not ready(cold) }\ncase "fine" { expect ready(cold) }`, []);
  assert.is(
    only?.violations[0]?.repeat,
    String.raw`apflab run 'a b.apf' --grep 'it'\''s late' --variants linux_6_12 --seed 1`,
  );
});

repeats('of one cell of a matrix', async () => {
  const all = await repeated(
    `case "a" { matrix { chip in [kernel, user]; patience in [1us, 1.5ms, 10ms]; depth in [1, 2] }
set web.irqchip = chip
expect took_apf(cold) iff chip == kernel
expect ready(cold) by patience }`,
    ['--variants', 'v7,linux_6_12'],
  );
  assert.is(all.length, 24);
  assert.ok(all.some(each => each.verdict === 'fail' && each.params['patience'] === '1us'));
});

repeats('with a parameter changed and another seed', async () => {
  const [only] = await repeated('expect wait < 2ms or not ready(cold)', ['--set', 'wait=2.5 ms', '--seed', '77']);
  assert.is(only?.verdict, 'fail');
  assert.match(only?.violations[0]?.repeat ?? '', '--seed 77 --set wait=');
});

repeats('of one seed of several', async () => {
  const all = await repeated('case "luck" { seed 5; repeat 12 seeds; expect ready(cold) by 150us }', []);
  assert.equal(
    all.map(each => each.seed),
    [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  );
  assert.ok(new Set(all.map(each => each.trace_hash)).size > 1);
  assert.equal(
    [...new Set(all.map(each => each.verdict))].sort(),
    ['fail', 'pass'],
    'some of the draws are late and some are not',
  );
  const shifted = await repeated('case "luck" { seed 5; repeat 2 seeds; expect ready(cold) by 150us }', [
    '--seed',
    '9',
  ]);
  assert.equal(
    shifted,
    all.slice(4, 6).map((each, index) => ({ ...each, ...lineOf(shifted[index]) })),
  );
});

/** What differs because the text of the case does. */
function lineOf(of: Result | undefined): object {
  return of ? { violations: of.violations } : {};
}

repeats('seeds are told apart in reports and come back from run files', async () => {
  const file = `${FILE}case "luck" { repeat 3 seeds; expect ready(cold) }`;
  await inWorld({ 'a.apf': file }, async ({ apflab }) => {
    const run = await apflab(['run', 'a.apf', '--report', 'tap', '--record', 'a.run']);
    assert.match(run.out, 'luck [seed=1] on linux_6_12');
    assert.match(run.out, 'luck [seed=3] on linux_6_12');
    const replay = await apflab(['replay', 'a.run']);
    assert.is(replay.code, 0, replay.err);
    assert.match(replay.out, '3 pass');
  });
});

repeats.run();
