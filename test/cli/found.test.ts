/** Counterexamples in run files: what explore keeps, the other verbs reopen. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MISSING_PAGE } from '../explore/counterexamples.ts';
import { faults } from '../explore/small.ts';
import { inWorld, type World } from './world.ts';

function scene(name: string, body: (world: World) => Promise<void>): void {
  test(name, () =>
    inWorld({ 'race.apf': MISSING_PAGE }, async world => {
      const { code } = await world.apflab(['explore', 'race.apf', '--variants', 'v6,v7', '--record', 'found.run']);
      assert.is(code, 1);
      await body(world);
    }),
  );
}

scene('they replay to the same failures', async ({ apflab }) => {
  const { code, out, err } = await apflab(['replay', 'found.run']);
  assert.is(code, 1);
  assert.is(err, '');
  assert.match(out, /violated: honest[\s\S]*violated: woken/);
  assert.match(out, '2 runs: 2 fail');
});

scene('they are shown, explained and compared', async ({ apflab }) => {
  for (const as of ['story', 'sequence', 'table', 'review', 'ftrace']) {
    const { code, out } = await apflab(['show', 'found.run', '--as', as, '--variants', 'v7']);
    assert.is(code, 0);
    assert.match(out, as === 'ftrace' ? 'kvm_async_pf_not_present' : 'not_present(');
  }
  assert.match((await apflab(['why', 'found.run', 't.vcpu[0]', '--variants', 'v7'])).out, "'woken' fails");
  const { code, out } = await apflab(['diff', 'found.run', '--variants', 'v6,v7']);
  assert.is(code, 1);
  assert.match(out, 'v6 beside v7');
});

scene('shrink says how short they are, and writes them', async ({ apflab, folder }) => {
  const { code, out } = await apflab(['shrink', 'found.run', '--record', 'short.run']);
  assert.is(code, 0);
  assert.match(out, "race.apf: c on v6, 'honest': 20 steps, 0 context switches -> 20 steps, 0 context switches\n");
  assert.ok(existsSync(join(folder, 'short.run')));
  assert.is((await apflab(['replay', 'short.run'])).code, 1);
});

scene('a recording cannot be told, and a run by time cannot be shrunk', async ({ apflab }) => {
  assert.is((await apflab(['run', 'race.apf', '--variants', 'v6', '--record', 'timed.run'])).code, 1);
  assert.match((await apflab(['shrink', 'timed.run'])).err, 'timed.run holds no such counterexample');
  assert.is((await apflab(['show', 'timed.run', '--as', 'story'])).code, 0);
  await apflab(['run', 'race.apf', '--variants', 'v6', '--trace', 'trace.txt']);
  assert.match((await apflab(['show', 'trace.txt', '--as', 'story'])).err, 'trace.txt is no run file');
});

const EARLY = faults(
  'task a on vcpu[0] user { read page(1); done }',
  `
  race { irq disk on t.vcpu[0] }
  explore {
    always listed: each a in t.vcpu[0].done: (a is queued or a.wakeup_all)
  }
`,
).replace('guest {', 'guest { irq disk on vcpu[0] { work 2us }; ');

test('as a scenario they are run by time, held where it matters', () =>
  inWorld({ 'early.apf': EARLY }, async ({ apflab, folder }) => {
    assert.is(
      (await apflab(['explore', 'early.apf', '--variants', 'linux_4_19', '--all', '--record', 'e.run'])).code,
      1,
    );
    const { code, out, err } = await apflab(['show', 'e.run', '--as', 'apf']);
    assert.is(err, '');
    assert.is(code, 0);
    assert.match(
      out,
      'hold t.vcpu[0] at kvm_setup_async_pf after took_apf(t.heap.page(1)) until completed(t.heap.page(1))',
    );
    assert.not.match(out, 'explore {');
    writeFileSync(join(folder, 'held.apf'), out);
    const held = await apflab(['run', 'held.apf', '--variants', 'linux_4_19']);
    assert.is(held.code, 1);
    assert.match(held.out, 'violated: listed');
  }));

test('what a counterexample does not need goes from its scenario', () =>
  inWorld({ 'early.apf': EARLY }, async ({ apflab }) => {
    assert.is((await apflab(['explore', 'early.apf', '--variants', 'linux_4_19', '--record', 'e.run'])).code, 1);
    const { code, out } = await apflab(['shrink', 'e.run', '--scenario', '--record', 'm.run']);
    assert.is(code, 0);
    assert.match(out, /^early.apf: c on linux_4_19, 'listed': .* -> .*, without \d+ statements\n$/);
    const review = (await apflab(['show', 'm.run', '--as', 'review'])).out;
    assert.match(review, 'read page(1)');
    assert.match(review, 'took_apf(t.heap.page(1))');
    assert.not.match(review, 'irq disk');
    assert.is((await apflab(['replay', 'm.run'])).code, 1);
  }));

test('an explore block may have them written, below the folder and nowhere else', () =>
  inWorld(
    {
      'early.apf': EARLY.replace('explore {', 'explore { on violation { write "found/%title-%n.apf" }'),
      'out.apf': EARLY.replace('explore {', 'explore { on violation { write "../%title.apf" }'),
    },
    async ({ apflab }) => {
      const { err } = await apflab(['explore', 'early.apf', '--variants', 'linux_4_19']);
      assert.match(err, 'wrote found/small-1.apf');
      assert.match((await apflab(['run', 'found/small-1.apf', '--variants', 'linux_4_19'])).out, 'violated: listed');
      const outside = await apflab(['explore', 'out.apf', '--variants', 'linux_4_19']);
      assert.is(outside.code, 4);
      assert.match(outside.err, 'not a scenario below this folder');
    },
  ));

const EXPORTED = ['perfetto', 'ftrace', 'itf', 'csv', 'html', 'svg'];

test('what breaks a judgement is shown as a trace, and exported', () =>
  inWorld(
    {
      'race.apf': `${MISSING_PAGE}explore { on violation { show trace; ${EXPORTED.map(each => `export ${each}`).join('; ')} } }`,
      'out.apf': `${MISSING_PAGE}explore { on violation { export csv to "../%title.csv" } }`,
      'wrong.apf': `${MISSING_PAGE}explore { on violation { export csv to "a.apf" } }`,
    },
    async ({ apflab, folder }) => {
      const { out, err } = await apflab(['explore', 'race.apf', '--variants', 'v6']);
      assert.match(out, /\n# tracer: nop\n[\s\S]*kvm_async_pf_not_present/);
      const read = (ending: string) => readFileSync(join(folder, `small-1${ending}`), 'utf8');
      assert.match(err, 'wrote small-1.json\nwrote small-1.txt\nwrote small-1.itf.json\n');
      const { traceEvents }: { traceEvents: { ph: string }[] } = JSON.parse(read('.json'));
      assert.equal([...new Set(traceEvents.map(({ ph }) => ph))].sort(), ['M', 'X', 'i']);
      assert.match(read('.txt'), 'kvm_async_pf_not_present');
      const itf: { vars: string[]; states: { actor: string }[] } = JSON.parse(read('.itf.json'));
      assert.equal(itf.vars, ['actor', 'function', 'what']);
      assert.is(itf.states.at(-1)?.actor, 'CPU 0/KVM');
      assert.match(
        read('.csv'),
        /^step,time_ns,actor,function,what\n\d+,\d+,kswapd0,try_to_unmap,evicted\(t\.heap\.page\(1\)\)\n/,
      );
      assert.match(read('.html'), 'wakes kworker/0:0');
      assert.match(read('.svg'), /^<svg [\s\S]*took_apf\(page\(1\)\)[\s\S]*<\/svg>\n$/);
      const again = await apflab(['explore', 'race.apf', '--variants', 'v6']);
      assert.match(again.err, 'small-1.svg exists and is left as it is');
      assert.is((await apflab(['explore', 'race.apf', '--variants', 'linux_6_12'])).err, '');
      for (const file of ['out.apf', 'wrong.apf']) {
        const refused = await apflab(['explore', file, '--variants', 'v6']);
        assert.is(refused.code, 4);
        assert.match(refused.err, 'not a .csv below this folder');
      }
    },
  ));

test('a run is shown and exported where the file says so', () =>
  inWorld(
    {
      'race.apf': `${MISSING_PAGE}show table\nshow trace\nexport csv to "runs/%n.csv"\nexport perfetto to "runs/%n.json"`,
    },
    async ({ apflab, folder }) => {
      const { out, err } = await apflab(['run', 'race.apf', '--variants', 'v6,linux_6_12']);
      assert.match(out, /\nstep +time +actor +function +what\n[\s\S]*# tracer: nop\n[\s\S]*kvm_async_pf_ready/);
      assert.is(err, ['1.csv', '1.json', '2.csv', '2.json'].map(name => `wrote runs/${name}\n`).join(''));
      // An arrow from whoever wakes to whoever is woken.
      const { traceEvents }: { traceEvents: { ph: string }[] } = JSON.parse(
        readFileSync(join(folder, 'runs/2.json'), 'utf8'),
      );
      assert.equal(
        traceEvents.filter(({ ph }) => ph === 's').length,
        traceEvents.filter(({ ph }) => ph === 'f').length,
      );
      assert.ok(traceEvents.some(({ ph }) => ph === 'f'));
      assert.match(readFileSync(join(folder, 'runs/2.csv'), 'utf8'), 'ready(t.heap.page(1))');
      assert.not.match((await apflab(['explore', 'race.apf', '--variants', 'linux_6_12'])).out, 'tracer');
    },
  ));

test('races are counted by outcome and variant', () =>
  inWorld(
    {
      'race.apf': MISSING_PAGE.replace('expect finished: done(a)', 'outcome resumed: done(a)'),
      'none.apf': MISSING_PAGE,
    },
    async ({ apflab }) => {
      const { code, out } = await apflab(['litmus', 'race.apf', '--variants', 'v6,v7']);
      assert.is(code, 0);
      assert.match(out, /^race.apf: c\n {2}resumed {2}v6 {2}Always {2}Positive: \d+ Negative: 0 {2}allowed\n/);
      assert.match(out, / {2}v7 {2}\d+ final of \d+ states\n$/);
      const json = JSON.parse((await apflab(['litmus', 'race.apf', '--variants', 'v6', '--report', 'json'])).out);
      assert.is(json.results[0].outcomes[0].name, 'resumed');
      assert.is((await apflab(['litmus', 'race.apf', '--variants', 'v6', '--states', '1'])).code, 3);
      assert.match((await apflab(['litmus', 'none.apf'])).err, 'names no outcome');
    },
  ));

test.run();
