/** `apflab story`: each incident fails on the versions that had it, for the reasons its file gives, and not on the others. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { INCIDENTS } from '../../src/cli/incidents.ts';
import { packageFolder } from '../../src/cli/package.ts';
import { inWorld } from './world.ts';

const NAMES = readdirSync(join(packageFolder(), 'scenarios/bugs')).map(file => file.replace(/\.apf$/, ''));

test('the list names every scenario of the folder', () =>
  inWorld({}, async ({ apflab }) => {
    const { code, out } = await apflab(['story']);
    assert.is(code, 0);
    for (const name of NAMES) assert.match(out, new RegExp(`^${name.split('-')[0]}`, 'm'));
  }));

test('each of the known bugs is told, or it is said why not', () =>
  inWorld({}, async ({ apflab }) => {
    const { out } = await apflab(['story']);
    const known = Array.from({ length: 35 }, (_, index) => `b${String(index + 1).padStart(2, '0')}`);
    assert.equal(
      INCIDENTS.map(({ id }) => id),
      known,
    );
    for (const { id, outside } of INCIDENTS) {
      assert.is(
        NAMES.some(name => name.startsWith(`${id}-`)),
        outside === undefined,
        id,
      );
      assert.match(out, new RegExp(`^${id} `, 'm'));
    }
    const told = INCIDENTS.filter(({ outside }) => !outside);
    assert.ok(told.length >= 29, `${told.length} stories`);
  }));

for (const name of NAMES) {
  test(`${name} fails, and its repair passes`, () =>
    inWorld({}, async ({ apflab }) => {
      const told = await apflab(['story', name]);
      assert.is(told.code, 1, told.out);
      assert.match(told.out, /^ {2}fail /m);
      assert.not.match(told.out, /^ {2}(pass|xpass|inconclusive|invalid) /m);
      assert.match(told.out, /^because /m);
      const fixed = await apflab(['story', name, '--fix']);
      assert.is(fixed.code, 0, fixed.out);
      assert.match(fixed.out, /^ {2}pass /m);
    }));
}

test('a trace of an incident is the kernel’s own lines', () =>
  inWorld({}, async ({ apflab }) => {
    const { out, err, code } = await apflab(['story', 'b06', '--trace', '-']);
    assert.is(code, 1);
    assert.match(out, 'kvm_async_pf_not_present');
    assert.match(err, 'violated: awake');
  }));

test('a name that no story has', () =>
  inWorld({}, async ({ apflab }) => {
    const { code, err } = await apflab(['story', 'b60']);
    assert.is(code, 4);
    assert.match(err, "no story named 'b60'");
  }));

test.run();
