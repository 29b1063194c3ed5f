/** `suite`: which cases of which files run on which variants. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FAILS, MATRIX, PASSES } from './scenarios.ts';
import { inWorld, type World } from './world.ts';

const FILES = { 'a/passes.apf': PASSES, 'a/matrix.apf': MATRIX, 'fails.apf': FAILS };

function scene(name: string, suite: string, body: (world: World) => Promise<void>): void {
  test(name, () => inWorld({ ...FILES, 'suite.apf': `language 1\n${suite}` }, body));
}

/** `a/matrix.apf: second on v6`, in the order in which they ran. */
async function runsOf({ apflab }: World, ...argv: string[]): Promise<readonly string[]> {
  const { out, err } = await apflab(['run', ...argv, '--report', 'json']);
  assert.is(err.includes('error'), false, err);
  const report: { results: { file: string; case: string; variant: string }[] } = JSON.parse(out);
  return [...new Set(report.results.map(each => `${each.file}: ${each.case} on ${each.variant}`))];
}

const BOTH = 'suite both { files ["a/passes.apf", "a/matrix.apf"] }';

scene('all cases of its files, on their own variants', BOTH, async world => {
  assert.equal(await runsOf(world, 'suite.apf'), [
    'a/passes.apf: a page comes back on linux_6_12',
    'a/matrix.apf: first on v6',
    'a/matrix.apf: first on linux_6_12',
    'a/matrix.apf: second on v6',
    'a/matrix.apf: second on linux_6_12',
  ]);
  const { code, out } = await world.apflab(['run', 'suite.apf']);
  assert.is(code, 0);
  assert.match(out, '11 runs: ');
});

scene(
  'by tag, by name, on its variants',
  `suite few { files ["a/matrix.apf"]; cases ["second"]; variants [v7] }`,
  async world => {
    assert.equal(await runsOf(world, 'suite.apf'), ['a/matrix.apf: second on v7']);
    assert.equal(await runsOf(world, 'suite.apf', '--variants', 'v6'), ['a/matrix.apf: second on v6']);
  },
);

scene(
  'only what has one of its tags',
  `suite quick { files ["a/passes.apf", "a/matrix.apf"]; tags quick, slow }`,
  async world => {
    assert.equal(await runsOf(world, 'suite.apf'), ['a/passes.apf: a page comes back on linux_6_12']);
  },
);

scene('several in a file, beside cases of its own; a folder runs its files for themselves', BOTH, async world => {
  assert.equal(await runsOf(world, '.', '--tag', 'quick'), ['a/passes.apf: a page comes back on linux_6_12']);
  await inWorld(
    { ...FILES, 'suite.apf': `${PASSES}suite one { files ["fails.apf"] }\nsuite other { files ["a/passes.apf"] }\n` },
    async own => {
      assert.equal(await runsOf(own, 'suite.apf'), [
        'suite.apf: a page comes back on linux_6_12',
        'fails.apf: it is quick on linux_6_12',
        'a/passes.apf: a page comes back on linux_6_12',
      ]);
    },
  );
});

test('a suite of suites: the outer one narrows; one that names itself is refused', () =>
  inWorld(
    {
      ...FILES,
      'all.apf': 'language 1\nsuite all { files ["inner.apf"]; variants [v7] }',
      'inner.apf': 'language 1\nsuite inner { files ["a/matrix.apf"]; cases ["second"]; variants [v6] }',
      'circle.apf': 'language 1\nsuite circle { files ["circle.apf"] }',
    },
    async world => {
      assert.equal(await runsOf(world, 'all.apf'), ['a/matrix.apf: second on v7']);
      const { code, err } = await world.apflab(['run', 'circle.apf']);
      assert.is(code, 2);
      assert.match(err, "'circle.apf' names this file in turn");
    },
  ));

scene(
  'what is not there is said where it stands',
  `suite bad {\n  files ["a/passes.apf", "nowhere.apf"]\n  cases ["a page goes back"]\n}`,
  async world => {
    const { code, err } = await world.apflab(['run', 'suite.apf']);
    assert.is(code, 2);
    assert.match(err, /error\[import\]: cannot read 'nowhere\.apf'\n --> suite\.apf:3:/);
    assert.match(err, /no case named 'a page goes back' in these files\n --> suite\.apf:4:/);
    assert.match(err, "did you mean 'a page comes back'?");
  },
);

scene('checked, explained and recorded like any other', BOTH, async world => {
  const checked = await world.apflab(['check', 'suite.apf']);
  assert.match(checked.out, 'a/passes.apf: ok, 1 case, 1 run\na/matrix.apf: ok, 2 cases, 10 runs\n');
  await world.apflab(['run', 'suite.apf', '--record', 'kept.run']);
  const again = await world.apflab(['replay', 'kept.run']);
  assert.equal([again.code, again.err], [0, '']);
  assert.match(again.out, '11 runs: ');
  assert.match((await world.apflab(['why', 'suite.apf', 'db', '--grep', 'second'])).out, 'a/matrix.apf: second on v6');
});

test.run();
