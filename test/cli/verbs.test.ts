/** The verbs besides run: check, fmt, init, protocols, doctor, help, completion, and what is no verb. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { STARTER } from '../../src/cli/starter.ts';
import { VERB_LIST } from '../../src/cli/verbs.ts';
import { CODES } from '../../src/dsl/diagnostic.ts';
import { format } from '../../src/dsl/print.ts';
import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import { FAILS, INVALID, MATRIX, PASSES } from './scenarios.ts';
import { inWorld, type World } from './world.ts';

function scene(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (world: World) => Promise<void>,
): void {
  test(name, () => inWorld(files, body));
}

scene('no verb at all is a question for help', {}, async ({ apflab }) => {
  const { code, out } = await apflab([]);
  assert.is(code, 0);
  for (const { name, brief } of VERB_LIST) assert.match(out, new RegExp(`  ${name} +${brief}(  |\\n)`));
  assert.equal(await apflab(['--help']), await apflab(['help']));
});

scene('the overview fits a terminal of 80 by 24, between the command and the next prompt', {}, async ({ apflab }) => {
  const lines = (await apflab([])).out.trimEnd().split('\n');
  assert.ok(lines.length <= 22, `${lines.length} lines`);
  assert.equal(
    lines.filter(line => line.length > 80),
    [],
  );
});

scene('every verb explains itself, with every flag and example', {}, async ({ apflab }) => {
  for (const verb of VERB_LIST) {
    const { code, out } = await apflab([verb.name, '--help']);
    assert.is(code, 0);
    for (const { name } of verb.flags) assert.match(out, `--${name}`);
    for (const [line] of verb.examples) assert.match(out, line);
    assert.is(out, (await apflab(['help', verb.name])).out);
  }
});

scene('an unknown verb or flag is exit code 4, with a suggestion', {}, async ({ apflab }) => {
  assert.equal(await apflab(['rnu']), {
    code: 4,
    out: '',
    err: "apflab: unknown verb 'rnu'\nhelp: did you mean 'run'?\n",
  });
  assert.is((await apflab(['halt.apf'])).err, "apflab: unknown verb 'halt.apf'\nhelp: apflab run halt.apf\n");
  assert.is((await apflab(['explore', 'x.apf'])).code, 4);
  assert.is(
    (await apflab(['run', 'x.apf', '--varaints', 'v6'])).err,
    "apflab: run has no flag --varaints\nhelp: did you mean '--variants'?\n",
  );
  assert.is((await apflab(['\x1b[2J'])).err.includes('\x1b'), false);
});

scene('check says all that is wrong and runs nothing', { 'a.apf': PASSES, 'b.apf': INVALID }, async ({ apflab }) => {
  const good = await apflab(['check', 'a.apf']);
  assert.equal(good, { code: 0, out: 'a.apf: ok, 1 case, 1 run\n', err: '' });
  const bad = await apflab(['check', '.']);
  assert.is(bad.code, 2);
  assert.is(bad.out, good.out);
  assert.match(bad.err, '2 errors');
});

scene('check --print shows what a run would get', { 'm.apf': MATRIX }, async ({ apflab }) => {
  const { out } = await apflab([
    'check',
    'm.apf',
    '--print',
    '--grep',
    'first',
    '--set',
    'chip=user',
    '--variants',
    'v6',
  ]);
  assert.match(out, 'm.apf: ok, 1 case, 2 runs\n');
  assert.match(out, 'first on v6, seed 1\n');
  assert.match(out, '  param chip = user\n  param ints = blocked\n');
  assert.match(out, 'irqchip user, protocol v6');
  assert.match(out, 'swap disk: 64 MiB, read fixed(3ms)');
});

scene(
  'imports stay inside the folder',
  { 'lib.apf': 'language 1\nparam x = 3ms\n', 'in/a.apf': '' },
  async ({ apflab, folder }) => {
    const body = (path: string) => PASSES.replace('language 1', `language 1\nimport "${path}"`);
    const codeFor = async (path: string) => {
      writeFileSync(join(folder, 'in/a.apf'), body(path));
      return (await apflab(['check', 'in/a.apf'])).code;
    };
    mkdirSync(join(folder, 'in/deep'));
    writeFileSync(join(folder, 'in/deep/ok.apf'), 'language 1\nparam y = 3ms\n');
    symlinkSync(join(folder, 'lib.apf'), join(folder, 'in/out.apf'));
    assert.is(await codeFor('deep/ok.apf'), 0);
    assert.is(await codeFor('std/invariants.apf'), 0);
    assert.is(await codeFor('../lib.apf'), 2);
    assert.is(await codeFor('out.apf'), 2);
    assert.is(await codeFor(join(folder, 'lib.apf')), 2);
    assert.is(await codeFor('std/../package.json'), 2);
  },
);

const CROOKED = 'language 1\n  title   "crooked"   # but a comment\n';

scene('fmt writes in place and says what it changed', { 'a.apf': CROOKED }, async ({ apflab, folder }) => {
  const read = () => readFileSync(join(folder, 'a.apf'), 'utf8');
  assert.equal(await apflab(['fmt', '--check', 'a.apf']), { code: 1, out: 'not formatted: a.apf\n', err: '' });
  assert.is(read(), CROOKED);
  assert.equal(await apflab(['fmt', 'a.apf']), { code: 0, out: 'formatted a.apf\n', err: '' });
  assert.match(read(), 'title "crooked"');
  assert.match(read(), '# but a comment');
  assert.equal(await apflab(['fmt', 'a.apf']), { code: 0, out: '', err: '' });
  assert.equal(await apflab(['fmt', '--check', 'a.apf']), { code: 0, out: '', err: '' });
});

scene('fmt - goes from stdin to stdout', {}, async ({ apflab }) => {
  const { code, out } = await apflab(['fmt', '-'], { stdin: () => Buffer.from(CROOKED) });
  assert.is(code, 0);
  assert.match(out, 'language 1\n');
  assert.match(out, 'title "crooked"');
});

scene(
  'fmt leaves a file with a syntax error alone',
  { 'a.apf': 'language 1\nvm {{{\n' },
  async ({ apflab, folder }) => {
    const { code, err } = await apflab(['fmt', 'a.apf']);
    assert.is(code, 2);
    assert.match(err, '--> a.apf:2:');
    assert.is(readFileSync(join(folder, 'a.apf'), 'utf8'), 'language 1\nvm {{{\n');
  },
);

scene(
  'fmt --upgrade: to the newest language, or says that it is there',
  {
    'new.apf': PASSES,
    'bare.apf': PASSES.replace('language 1\n', '# a draft\n'),
    'zero.apf': PASSES.replace('1', '0'),
  },
  async ({ apflab, folder }) => {
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    assert.match((await apflab(['check', 'zero.apf'])).err, 'help: apflab fmt --upgrade FILE rewrites it');
    assert.equal(await apflab(['fmt', '--upgrade', '--check', 'bare.apf', 'zero.apf']), {
      code: 1,
      out: 'not in the newest language: bare.apf\nnot in the newest language: zero.apf\n',
      err: '',
    });
    await apflab(['fmt', 'new.apf']);
    const before = read('new.apf');
    assert.equal(await apflab(['fmt', '--upgrade', 'new.apf', 'bare.apf', 'zero.apf']), {
      code: 0,
      out: `new.apf: in the newest language
bare.apf: said no language, is in language 1 now
zero.apf: was in language 0, is in language 1 now
`,
      err: '',
    });
    assert.is(read('new.apf'), before);
    assert.is(read('zero.apf'), before);
    assert.match(read('bare.apf'), /^language 1\n+# a draft\n/);
    assert.is((await apflab(['check', 'new.apf', 'bare.apf', 'zero.apf'])).code, 0);
    assert.match(
      (await apflab(['fmt', '--upgrade', '-'], { stdin: () => Buffer.from('title "x"\n') })).out,
      /^language 1\n/,
    );
  },
);

scene(
  'a file of a language to come stays as it is',
  { 'a.apf': PASSES.replace('language 1', 'language 2') },
  async ({ apflab, folder }) => {
    assert.equal(await apflab(['fmt', '--upgrade', 'a.apf']), {
      code: 2,
      out: '',
      err: 'a.apf: in language 2, which this apflab does not know\n',
    });
    assert.match(readFileSync(join(folder, 'a.apf'), 'utf8'), /^language 2\n/);
    assert.match((await apflab(['check', 'a.apf'])).err, 'help: it was written for a newer apflab');
  },
);

scene('init writes a scenario that passes, is formatted, and never overwrites', {}, async ({ apflab, folder }) => {
  assert.equal(await apflab(['init']), {
    code: 0,
    out: 'wrote scenario.apf\nnext: apflab run scenario.apf\n',
    err: '',
  });
  assert.is((await apflab(['run', 'scenario.apf'])).code, 0);
  assert.is((await apflab(['fmt', '--check', 'scenario.apf'])).code, 0);
  writeFileSync(join(folder, 'scenario.apf'), FAILS);
  assert.equal(await apflab(['init', 'scenario.apf']), {
    code: 4,
    out: '',
    err: 'apflab: cannot write scenario.apf: it exists already\n',
  });
  assert.is(readFileSync(join(folder, 'scenario.apf'), 'utf8'), FAILS);
});

test('the starter is written as fmt would write it', () => {
  assert.equal(format({ path: 'scenario.apf', text: STARTER }), { text: STARTER });
});

scene('protocols: the list, one, two', {}, async ({ apflab }) => {
  const list = await apflab(['protocols']);
  assert.match(list.out, /^v6 +posted /m);
  assert.match(list.out, /^linux_6_12 +merged /m);
  const card = await apflab(['protocols', 'v6_request']);
  assert.match(card.out, 'v6_request: ');
  assert.match(card.out, /^\* \w+ \w+$/m);
  const pair = await apflab(['protocols', 'v6', 'v6_request']);
  assert.match(pair.out, /^knob +v6 +v6_request\n/);
  assert.equal(await apflab(['protocols', 'v6', 'v6']), { code: 0, out: 'v6 and v6 have the same knobs\n', err: '' });
  assert.is(
    (await apflab(['protocols', 'linux_6_2'])).err,
    "apflab: no protocol named 'linux_6_2'\nhelp: did you mean 'linux_6_1'?\n",
  );
});

scene('protocols --report: for programs and as a page', {}, async ({ apflab }) => {
  const list = JSON.parse((await apflab(['protocols', '--report', 'json'])).out);
  assert.is(list.version, 1);
  assert.is(list.protocols.find(({ name }: { name: string }) => name === 'arm64_sdei').provenance, 'reconstruction');
  const card = JSON.parse((await apflab(['protocols', 'protected_6_15', '--report', 'json'])).out);
  assert.equal(
    card.changes.map(({ knob }: { knob: string }) => knob),
    ['deliver'],
  );
  const pair = JSON.parse((await apflab(['protocols', 'v6', 'v6_list_move', '--report', 'json'])).out);
  assert.equal(pair.differences, [{ knob: 'lists', a: 'queue_and_done', b: 'move' }]);
  assert.match(
    (await apflab(['protocols', 'v6', 'v6_list_move', '--report', 'md'])).out,
    '| `lists` | `queue_and_done` | `move` |',
  );
  assert.match(
    (await apflab(['protocols', 's390_pfault', '--report', 'md'])).out,
    /^## s390_pfault\n(?:.*\n)*Ours:\n\n- /,
  );
});

scene(
  'protocols --in: a variant of one’s own differs in what it turns',
  { 'm.apf': `${PASSES}\nvariant mine extends v6 { wake request }` },
  async ({ apflab }) => {
    assert.is(
      (await apflab(['protocols', 'v6', 'mine', '--in', 'm.apf'])).out,
      'knob  v6         mine\nwake  done_list  request\n',
    );
    assert.match((await apflab(['protocols', 'mine', '--in', 'm.apf'])).out, /^mine: declared in the scenario\n/);
    assert.match((await apflab(['protocols', '--in', 'm.apf'])).out, /^mine +declared /m);
    assert.is((await apflab(['protocols', 'mine'])).code, 4);
  },
);

scene('doctor works without a terminal', {}, async ({ apflab }) => {
  const { code, out } = await apflab(['doctor']);
  assert.is(code, 0);
  assert.match(out, /^node +ok +v\d+/m);
  assert.match(out, /^terminal +limited +none$/m);
  assert.match(out, 'watch needs a terminal');
});

scene('doctor sees a small terminal, a dumb one, and tmux', {}, async ({ apflab }) => {
  const { out } = await apflab(['doctor'], {
    tty: { in: true, out: true, err: true },
    size: () => ({ columns: 60, rows: 20 }),
    env: { TERM: 'dumb', TMUX: '/somewhere', LANG: 'C' },
  });
  assert.match(out, /^size +limited +60x20$/m);
  assert.match(out, /^TERM +limited +dumb$/m);
  assert.match(out, /^UTF-8 +limited +C$/m);
  assert.match(out, /^tmux, screen, ssh +limited +tmux$/m);
});

scene('every error code and every statement can be asked for', {}, async ({ apflab }) => {
  for (const code of Object.keys(CODES)) {
    const { out } = await apflab(['help', 'error', code]);
    assert.match(out, `error[${code}]\n`);
  }
  for (const { id, summary } of STATEMENTS) {
    const { out } = await apflab(['help', 'statement', id]);
    assert.match(out.replace(/\s+/g, ' '), summary.replace(/\s+/g, ' '));
  }
});

scene('help knows its topics, and what is near them', {}, async ({ apflab }) => {
  assert.match((await apflab(['help', 'exit-codes'])).out, /^ {2}2 {2}a scenario is invalid$/m);
  assert.match((await apflab(['help', 'errors'])).out, /^dimension /m);
  assert.match((await apflab(['help', 'events'])).out, /^not_present /m);
  assert.match((await apflab(['help', 'statements'])).out, /^migrate /m);
  assert.match((await apflab(['help', 'evict'])).out, 'evict');
  assert.match((await apflab(['help', 'dimension'])).out, 'error[dimension]');
  assert.is(
    (await apflab(['help', 'evct'])).err,
    "apflab: nothing is known about 'evct'\nhelp: did you mean 'evict'?\n",
  );
  assert.is((await apflab(['help', 'error', 'dimnsion'])).code, 4);
});

scene('completion names every verb and flag for each shell', {}, async ({ apflab }) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await apflab(['completion', shell]);
    assert.is(code, 0);
    for (const verb of VERB_LIST) {
      assert.match(out, verb.name);
      for (const { name } of verb.flags) assert.match(out, shell === 'fish' ? `-l ${name}` : `--${name}`);
    }
  }
  assert.is((await apflab(['completion', 'tcsh'])).code, 4);
});

scene('watch without a terminal says what to do instead', { 'a.apf': PASSES }, async ({ apflab }) => {
  const { code, err } = await apflab(['watch', 'a.apf']);
  assert.is(code, 4);
  assert.match(err, 'watch needs a terminal');
  assert.match(err, 'apflab run a.apf');
});

test.run();
