/** `apflab mutate`: what is taken away, who notices, and what the exit code makes of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GUARD_NAMES } from '../../src/sim/protocol/guards.ts';
import { mutationsOf } from '../../src/sim/protocol/mutations.ts';
import { knobsOf, PRESET_NAMES } from '../../src/sim/protocol/presets.ts';
import { inWorld } from './world.ts';

const SCENARIO = `language 1
title "a page that comes back"
import "std/ledger.apf"
host h { cpus 1; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(1ms); depth 8; readahead 8 pages } }
vm web on h {
  ram 1MiB; vcpus 1
  guest { apf on; task db on vcpu[0] user { read page(17); work 20us; done } }
}
limit time 20ms
at 0us evict web.heap.page(17)
expect told: took_apf(web.heap.page(17))
expect goes_on: done(db)
expect closed: ledger_is_closed(web)
`;

test('a guard that a judgement depends on is noticed, by name and line', () =>
  inWorld({ 'a.apf': SCENARIO }, async ({ apflab }) => {
    const { code, out } = await apflab(['mutate', 'a.apf', '--variants', 'linux_6_12']);
    assert.is(code, 0);
    // The idle guest sleeps in HLT: only the done list says that there is something to wake up for.
    assert.match(out, /^guards remove runnable_done +goes_on on linux_6_12, a\.apf:12$/m);
    // Its task has parked long before the page comes.
    assert.match(out, /^early_wake dropped +never asked for on linux_6_12$/m);
    assert.match(out, /^double_fault second_token +survives on linux_6_12$/m);
    assert.match(out, /\d+ guards and rules taken away in \d+ runs: \d+ noticed, \d+ not/);
  }));

test('only the knobs that were asked for; below the share that was asked for it fails', () =>
  inWorld({ 'a.apf': SCENARIO }, async ({ apflab }) => {
    const argv = ['mutate', 'a.apf', '--variants', 'linux_6_12', '--knobs', 'gate', '--report', 'json'];
    const { code, out } = await apflab(argv);
    assert.is(code, 0);
    const report: { mutants: { change: string }[]; killed: number; total: number } = JSON.parse(out);
    assert.equal(
      report.mutants.map(({ change }) => change.split(' ')[0]),
      knobsOf('linux_6_12').gate.map(() => 'gate'),
    );
    assert.is(report.total, knobsOf('linux_6_12').gate.length);
    assert.is((await apflab([...argv, '--at-least', '100'])).code, 1);
  }));

test('the knobs that the file asks for, and of these the ones of the command line', () =>
  inWorld({ 'a.apf': `${SCENARIO}mutate { knobs [gate, guards] }\n` }, async ({ apflab }) => {
    const mutants = async (name: string, ...more: string[]): Promise<readonly string[]> => {
      const argv = ['mutate', name, '--variants', 'linux_6_12', '--first', '--report', 'json', ...more];
      const report: { mutants: { change: string }[] } = JSON.parse((await apflab(argv)).out);
      return [...new Set(report.mutants.map(({ change }) => change.split(' ')[0]!))].sort();
    };
    assert.equal(await mutants('a.apf'), ['gate', 'guards']);
    assert.equal(await mutants('a.apf', '--knobs', 'gate,wake'), ['gate']);
  }));

test('a file that does not hold as it is notices nothing, and is named', () =>
  inWorld({ 'a.apf': SCENARIO.replace('expect goes_on: done(db)', 'never done(db)') }, async ({ apflab }) => {
    const { code, err } = await apflab(['mutate', 'a.apf', '--variants', 'linux_6_12']);
    assert.is(code, 2);
    assert.match(err, 'does not hold as it is');
  }));

test('each mutation changes one knob and nothing else', () => {
  for (const preset of PRESET_NAMES) {
    const knobs = knobsOf(preset);
    const mutations = mutationsOf(knobs);
    assert.ok(mutations.length > GUARD_NAMES.length);
    assert.is(new Set(mutations.map(({ name }) => name)).size, mutations.length);
    for (const mutation of mutations) {
      const changed = Object.keys(knobs).filter(
        name => String(Reflect.get(knobs, name)) !== String(Reflect.get(mutation.knobs, name)),
      );
      assert.equal(changed, [mutation.knob], mutation.name);
    }
  }
});

test.run();
