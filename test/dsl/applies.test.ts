/** Which variants a case makes sense on: what `needs` says, and what happens to the others. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../src/dsl/diagnostic.ts';

const HEAD = `language 1
host h0 { cpus 1; ram 32MiB; swap nvme { size 32MiB; read fixed(90us) } }
vm web on h0 { ram 1MiB; guest { task db on vcpu[0] user { read page(3) } } }
evict web.heap.page(3)
`;

function compiled(text: string): ReturnType<typeof compile> {
  return compile({ path: 'needs.apf', text: `${HEAD}${text}\n` }, () => null);
}

const complaints = (text: string): string =>
  compiled(text)
    .diagnostics.map(({ code, message }) => `${code}: ${message}`)
    .join('\n');

test('all are those that have what it needs', () => {
  const { suite, diagnostics } = compiled(`
run on variants all
needs not variant has resolve = wait because "nothing is asynchronous"
case "told" { needs not variant has notify = none; expect parks(db) }
case "any" { expect took_apf(web.page(3)) }`);
  assert.equal(
    diagnostics.map(each => renderDiagnostic(each)),
    [],
  );
  const [told, any] = suite?.cases ?? [];
  assert.not.ok(told?.variants.includes('v6'));
  assert.ok(any?.variants.includes('v6'));
  assert.not.ok(any?.variants.includes('sync'));
  assert.is(any?.applies('sync'), 'nothing is asynchronous');
  assert.is(told?.applies('v6'), 'not variant has notify = none');
  assert.is(told?.applies('linux_6_12'), null);
});

test('the list of a file is narrowed by a case, and by nothing else', () => {
  const { suite } = compiled('run on variants [v6, linux_6_12]\ncase "x" { needs not variant has notify = none }');
  assert.equal(suite?.cases[0]?.variants, ['linux_6_12']);
  assert.is(
    complaints('case "x" { variants [v6, linux_6_12]; needs not variant has notify = none because "nobody is told" }'),
    'unfit-variant: v6 is not what this needs: nobody is told',
  );
  assert.is(
    complaints('needs not variant has resolve = wait\nrun on variant sync'),
    'unfit-variant: sync is not what this needs: not variant has resolve = wait',
  );
});

test('only what is known before the run', () => {
  assert.is(complaints('needs took_apf(web.page(3))'), 'type: only the run could tell this');
});

test('an expectation of all variants that are so', () => {
  const { suite } = compiled(
    'never told: parks(db)\nexpect fail of told on variants where not variant has notify = none because "it is"',
  );
  const [only] = suite?.cases ?? [];
  const [cell] = only?.cells ?? [];
  const expected = (variant: string) => cell && only?.lower(cell, variant).program?.expectations.length;
  assert.is(expected('linux_6_12'), 1);
  assert.is(expected('v6'), 0);
});

test.run();
