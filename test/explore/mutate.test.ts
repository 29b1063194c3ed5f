/** Which guards carry weight on which versions, by every order: `apflab mutate --explore`. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inWorld } from '../cli/world.ts';

interface Report {
  readonly mutants: readonly {
    readonly change: string;
    readonly findings: readonly { readonly variant: string; readonly outcome: string; readonly by: string | null }[];
  }[];
  readonly unfit: readonly string[];
}

const FOLDER = 'scenarios/guards';

/** What is said of one change in a scenario of the folder, by variant: the judgement that noticed, or what came of it. */
async function found(name: string, change: string, variants: string): Promise<Readonly<Record<string, string>>> {
  let said: Record<string, string> = {};
  await inWorld({ 'g.apf': readFileSync(`${FOLDER}/${name}.apf`, 'utf8') }, async ({ apflab }) => {
    const knob = change.split(' ')[0]!;
    const argv = ['mutate', '--explore', 'g.apf', '--variants', variants, '--knobs', knob, '--report', 'json'];
    const { code, out, err } = await apflab(argv);
    assert.is(code, 0, err);
    const { mutants, unfit }: Report = JSON.parse(out);
    assert.equal(unfit, []);
    const { findings } = mutants.find(each => each.change === change)!;
    said = Object.fromEntries(findings.map(({ variant, outcome, by }) => [variant, by ?? outcome]));
  });
  return said;
}

test("without 'done is not empty' some order sleeps for ever, on every version", async () => {
  assert.equal(await found('done-term', 'guards remove runnable_done', 'v6,v6_at_fault,linux_6_12'), {
    v6: 'awake',
    v6_at_fault: 'awake',
    linux_6_12: 'awake',
  });
  assert.equal(await found('done-term-told', 'guards remove runnable_done', 'linux_2_6_39,linux_4_19'), {
    linux_2_6_39: 'attended',
    linux_4_19: 'attended',
  });
});

test('the un-halt on completion matters up to the loop of 5.7, and nowhere else', async () => {
  const variants = 'v6_at_fault,linux_2_6_39,linux_4_19,linux_5_8,linux_6_1,linux_6_12';
  assert.equal(await found('un-halt', 'completion_unhalts no', variants), {
    v6_at_fault: 'survives',
    linux_2_6_39: 'undone',
    linux_4_19: 'undone',
    linux_5_8: 'survives',
    linux_6_1: 'survives',
    linux_6_12: 'survives',
  });
});

test('without the lock a broadcast cuts off what a worker has appended', async () => {
  assert.equal(await found('done-lock', 'wakeup_all_lock no', 'linux_2_6_39,linux_4_19,linux_5_8,linux_6_12'), {
    linux_2_6_39: 'survives',
    linux_4_19: 'whole',
    linux_5_8: 'whole',
    linux_6_12: 'whole',
  });
});

test("without the lock around the done list two items get into each other's way, and one only where it is marked late", async () => {
  const lock = 'guards remove done_lock';
  assert.equal(await found('done-lock', lock, 'linux_2_6_39,linux_4_19,linux_5_8,linux_6_12'), {
    linux_2_6_39: 'whole',
    linux_4_19: 'whole',
    linux_5_8: 'whole',
    linux_6_12: 'whole',
  });
  assert.equal(await found('done-lock-pages', lock, 'linux_2_6_39,linux_6_12'), {
    linux_2_6_39: 'whole',
    linux_6_12: 'whole',
  });
  assert.equal(await found('done-lock-page', lock, 'v6,v7,linux_2_6_39,linux_4_19,linux_5_8,linux_6_1,linux_6_12'), {
    v6: 'alive',
    v7: 'survives',
    linux_2_6_39: 'survives',
    linux_4_19: 'survives',
    linux_5_8: 'survives',
    linux_6_1: 'survives',
    linux_6_12: 'survives',
  });
});

test('without the broadcast a task waits at the destination for ever', async () => {
  assert.equal(await found('broadcast', 'destination drop', 'linux_4_19,linux_5_8,linux_6_12'), {
    linux_4_19: 'paid',
    linux_5_8: 'paid',
    linux_6_12: 'paid',
  });
});

test('the note of an early wake is not needed where the handler cannot be interrupted', async () => {
  assert.equal(await found('early-wake', 'early_wake dropped', 'linux_4_19,linux_5_8,linux_6_12'), {
    linux_4_19: 'survives',
    linux_5_8: 'survives',
    linux_6_12: 'survives',
  });
});

test('a world that is not exhausted as it is says nothing', () =>
  inWorld({ 'g.apf': readFileSync(`${FOLDER}/un-halt.apf`, 'utf8') }, async ({ apflab }) => {
    const argv = ['mutate', '--explore', 'g.apf', '--variants', 'linux_6_12', '--states', '50'];
    const { code, out, err } = await apflab(argv);
    assert.is(code, 2, out);
    assert.match(err, 'does not hold in every order as it is');
    const { out: page } = await apflab(['mutate', '--explore', 'g.apf', '--variants', 'linux_6_12', '--report', 'md']);
    assert.match(page, /^\| without \| `linux_6_12` \|/m);
    assert.match(page, /survives, \d+/);
    assert.is((await apflab(['mutate', 'g.apf', '--states', '50'])).code, 4);
  }));

test.run();
