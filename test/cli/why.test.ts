/** `apflab why`: which run, which moment, which object, and in whose words it refuses. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageFolder } from '../../src/cli/package.ts';
import { FAILS, INVALID, MATRIX, PASSES } from './scenarios.ts';
import { inWorld, type World } from './world.ts';

function scene(name: string, files: Readonly<Record<string, string>>, body: (world: World) => Promise<void>): void {
  test(name, () => inWorld(files, body));
}

scene('without a time: when the first judgement fails', { 'a.apf': FAILS }, async ({ apflab }) => {
  const { code, out, err } = await apflab(['why', 'a.apf', 'web.heap.page(17)']);
  assert.equal([code, err], [0, '']);
  const [run, head, says] = out.split('\n');
  assert.is(run, 'a.apf: it is quick on linux_6_12, seed 1');
  assert.match(head ?? '', /^web\.heap\.page\(17\) at 1ms, step \d+ \('quick' fails\)$/);
  assert.is(says, 'the fault on it is not over');
  assert.match(out, 'now: the swap device reads it');
});

scene('else at the end; or when one says', { 'a.apf': PASSES }, async ({ apflab }) => {
  assert.match((await apflab(['why', 'a.apf', 'db'])).out, /web\.task\.db at [\d.]+\w+, step \d+ \(the end\)/);
  const { out } = await apflab(['why', 'a.apf', 'db', '--at', '2ms']);
  assert.match(out, 'web.task.db at 2ms');
  assert.match(out, /parked on token 0x1000, on vCPU 0/);
  assert.is((await apflab(['why', 'a.apf', 'web.task.db', '--at', '2ms'])).out, out);
  assert.is(
    (await apflab(['why', 'a.apf', 'db', '--at', 'noon'])).err,
    'apflab: --at noon: not a time\nhelp: such as --at 3ms\n',
  );
});

scene('what is done and may not be delivered', {}, async ({ apflab }) => {
  const file = join(packageFolder(), 'scenarios/lapic-off.apf');
  const spins = await apflab(['why', file, 'vcpu[0]', '--variants', 'linux_6_12', '--at', '5ms']);
  assert.match(spins.out, /yes async_pf\.done is not empty/);
  assert.match(spins.out, 'which may not deliver it: the LAPIC is disabled');
});

scene('of several runs it takes the first, and says so', { 'a.apf': MATRIX }, async ({ apflab }) => {
  const all = await apflab(['why', 'a.apf', 'vcpu[0]']);
  assert.match(
    all.out.replaceAll(/\n +/g, ' '),
    'first [chip=kernel, ints=allowed] on v6, seed 1, the first of 10 runs: --grep, --variants',
  );
  assert.is(
    all.out.split('\n').find(line => line.length > 80),
    undefined,
    'a page is 80 columns wide',
  );
  const one = await apflab(['why', 'a.apf', 'vcpu[0]', '--grep', 'second', '--variants', 'linux_6_12']);
  assert.is(one.out.split('\n')[0], 'a.apf: second on linux_6_12, seed 1');
});

scene('the same as data', { 'a.apf': FAILS }, async ({ apflab }) => {
  const { out } = await apflab(['why', 'a.apf', '0x1000', '--report', 'json']);
  const said: unknown = JSON.parse(out);
  assert.ok(typeof said === 'object' && said !== null && 'faults' in said && Array.isArray(said.faults));
  assert.is(said.faults.length, 1);
  assert.match(JSON.stringify(said.faults[0]), '"token":4096,"ended":false');
});

scene('a run file will do', { 'a.apf': FAILS }, async ({ apflab }) => {
  await apflab(['run', 'a.apf', '--record', 'a.run']);
  assert.is((await apflab(['why', 'a.run', '0x1000'])).out, (await apflab(['why', 'a.apf', '0x1000'])).out);
});

scene('what is not there is refused in the words of the field', { 'a.apf': PASSES }, async ({ apflab }) => {
  const refused = async (object: string) => {
    const { code, err } = await apflab(['why', 'a.apf', object]);
    assert.is(code, 4);
    return err;
  };
  assert.match(await refused('web.vcpu[1]'), "nothing here is called 'web.vcpu[1]'\nhelp: did you mean 'web.vcpu[0]'?");
  assert.match(await refused('web.tsk.db'), "did you mean 'web.task.db'?");
  assert.match(await refused('page(5000)'), 'no page 5000 in the heap of web\nhelp: its pages are 0 to 1023');
  assert.match(await refused('wob.heap.page(1)'), "no VM named 'wob'\nhelp: did you mean 'web'?");
  assert.not.match(await refused('\x1b[2J'), '\x1b');
});

scene('files that cannot say why', { 'bad.apf': INVALID, 'trace.txt': 'hello\n' }, async ({ apflab }) => {
  assert.is((await apflab(['why', 'bad.apf', 'db'])).code, 2);
  const { code, err } = await apflab(['why', 'trace.txt', 'db']);
  assert.is(code, 4);
  assert.match(err, 'trace.txt is neither a scenario nor a run file');
});

test.run();
