/** `apflab cover`: what a suite reaches and what not, and what the exit code makes of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inWorld } from './world.ts';

const SCENARIO = `language 1
title "a page that comes back"
host h { cpus 1; ram 16MiB; workers 2; swap d { size 16MiB; read fixed(1ms); depth 8; readahead 8 pages } }
vm web on h {
  ram 1MiB; vcpus 1
  guest { apf on; task db on vcpu[0] user { read page(17); work 20us; done } }
}
limit time 20ms
at 0us evict web.heap.page(17)
`;

interface Report {
  readonly runs: number;
  readonly kinds: Readonly<Record<string, { reached: number; of: number; never: readonly string[] }>>;
}

test('what one fault reaches', () =>
  inWorld({ 'a.apf': SCENARIO }, async ({ apflab }) => {
    const { code, out } = await apflab(['cover', 'a.apf', '--variants', 'linux_6_12', '--report', 'json']);
    assert.is(code, 0);
    const { runs, kinds }: Report = JSON.parse(out);
    assert.is(runs, 1);
    const never = (kind: string): readonly string[] => kinds[kind]?.never ?? [];
    assert.not(never('step').includes('async_pf_execute'));
    assert.ok(never('step').includes('migration_thread'));
    assert.not(never('transition').includes('guest -> handle_exit'));
    assert.not(never('branch').includes('gate interrupt_allowed holds'));
    assert.ok(never('branch').includes('gate interrupt_allowed refuses'));
    assert.not(never('knob').includes('wake request'));
    assert.ok(never('knob').includes('wake done_list'), 'of two values one variant has one');
    assert.not(never('event').includes('took_apf'));
    assert.not(never('state').includes('vcpu.mp_state HALTED'));
    assert.not(never('tracepoint').includes('kvm_async_pf_ready'));
    assert.not(never('guard').includes('runnable_done'));
    for (const { reached, of, never } of Object.values(kinds)) assert.is(of - reached, never.length);
  }));

test('in words, of the kinds that were asked for; below the share that was asked for it fails', () =>
  inWorld({ 'a.apf': SCENARIO }, async ({ apflab }) => {
    const argv = ['cover', 'a.apf', '--variants', 'linux_6_12', '--kinds', 'guard'];
    const { code, out } = await apflab(argv);
    assert.is(code, 0);
    assert.match(out, /^guard {2}\d+ of 15 {2}conditions that every version has/);
    assert.match(out, /^guard: never$/m);
    assert.match(out, /\d+\.\d % reached in 1 run$/m);
    assert.not.match(out, 'tracepoint');
    assert.is((await apflab([...argv, '--at-least', '100'])).code, 1);
  }));

test.run();
