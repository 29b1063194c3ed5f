/** Runs and recordings as the monitor steers them: the same moment shows the same, however one came there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from '../../scripts/imports.ts';
import { compile } from '../../src/dsl/compile.ts';
import type { Program } from '../../src/sim/program.ts';
import { importTrace } from '../../src/trace/import.ts';
import { pick, pickNamed, wantedOf } from '../../src/tui/choice.ts';
import { openRecording } from '../../src/tui/recording_session.ts';
import type { Goal, Session } from '../../src/tui/session.ts';
import { openSimulation } from '../../src/tui/simulation_session.ts';
import type { ViewModel, Window } from '../../src/tui/view_model.ts';
import { WINDOW } from './sample.ts';

const SCENARIO = `language 1
title "Two tasks"
host h0 { cpus 2; ram 16MiB; workers 2; swap disk { size 16MiB; read fixed(3ms) } }
vm web on h0 {
  ram 256KiB; vcpus 2
  protocol linux_6_12
  guest {
    apf on
    task db    on vcpu[0] user { loop { work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    task http  on vcpu[1] user { loop { work 50us; sleep 1ms } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}
let cold = web.heap.page(17)
limit time 20ms
case "a page comes in" {
  matrix { gap in [3ms, 9ms] }
  at 0us   evict cold
  at 100us db reads cold
  at 8ms   evict cold
  at gap + 6ms db reads cold
  expect order not_present(cold) -> switch_to(shell) -> ready(cold)
  never early: count(ready) >= 1
}
case "nothing happens" { variants [v6, linux_5_8]; never faults: took_apf(cold) }
`;

function programs(text = SCENARIO): readonly Program[] {
  const { suite, diagnostics } = compile({ path: 'two.apf', text }, () => null);
  assert.equal(diagnostics, []);
  const all = suite?.cases.flatMap(each =>
    each.cells.flatMap(cell => each.variants.map(variant => each.lower(cell, variant))),
  );
  return (all ?? []).flatMap(({ program }) => program ?? []);
}

const at = (index: { case?: number; cell?: number; variant?: number }) => ({ case: 0, cell: 0, variant: 0, ...index });

function simulation(text = SCENARIO): Session {
  const picked = pick(programs(text), at({}));
  assert.ok(picked);
  return openSimulation(picked);
}

function recording(): Session {
  const file = join(ROOT, 'test/data/recordings/mg-pv-1cpu/trace.txt.gz');
  return openRecording(importTrace(gunzipSync(readFileSync(file)), 'mg-pv-1cpu'));
}

function go(session: Session, goal: Goal, window: Partial<Window> = {}): ViewModel {
  assert.ok(session.pursue(goal, () => false));
  return session.view({ ...WINDOW, ...window });
}

for (const [name, open] of [
  ['a run', () => simulation()],
  ['a recording', recording],
] as const) {
  test(`${name}: back and on again is the same picture`, () => {
    const session = open();
    const there = go(session, { to: 'next', mark: 'fault' });
    assert.match(there.trace.at(-1)?.name ?? '', 'kvm_page_fault');
    const on = go(session, { to: 'next', mark: 'entry' });
    assert.is(on.trace.at(-1)?.name, 'kvm_entry');
    assert.is(on.vcpus[0]?.runs, 'guest');
    assert.equal(go(session, { to: 'previous', mark: 'fault' }), there);
    assert.equal(go(session, { to: 'next', mark: 'entry' }), on);
    const steps = on.position - there.position;
    assert.ok(steps > 0);
    for (let step = 0; step < 40; step += 1) go(session, { to: 'by', events: 1 });
    for (let step = 0; step < 40; step += 1) go(session, { to: 'by', events: -1 });
    assert.equal(session.view(WINDOW), on);
    const end = go(session, { to: 'end' });
    assert.not.equal(end.over, null);
    assert.equal(go(session, { to: 'time', ns: on.time_ns }).time_ns, on.time_ns);
    const begin = go(session, { to: 'start' });
    assert.equal([begin.position, begin.trace.length], [0, 0]);
    assert.equal(go(session, { to: 'end' }), end);
  });

  test(`${name}: work stops when it is enough and goes on later`, () => {
    const session = open();
    let slices = 1;
    while (!session.pursue({ to: 'end' }, () => true)) slices += 1;
    assert.ok(slices > 1);
    const other = open();
    assert.equal(session.view(WINDOW), go(other, { to: 'end' }));
  });

  test(`${name}: the filter shows the newest that match, also scrolled back`, () => {
    const session = open();
    const filter = 'kvm_async_pf_ready';
    const all = go(session, { to: 'end' }, { filter });
    assert.ok(all.trace.length > 0);
    assert.ok(all.trace.every(row => row.name === filter));
    const back = session.view({ ...WINDOW, filter, trace_back: 1 });
    assert.equal(back.trace.at(-1), all.trace.at(-2));
    assert.match(session.view({ ...WINDOW, filter: 'token == ' }).filter_error ?? '', 'column');
    assert.is(session.view({ ...WINDOW, filter: 'token == ' }).trace.length, 0);
  });
}

test('a run: what the panes say of a fault that waits', () => {
  const session = simulation();
  const view = go(session, { to: 'time', ns: 1_500_000 });
  const row = (label: string) => view.queues.find(queue => queue.label === label);
  assert.is(row('queue')?.count, 1);
  assert.match(row('queue')?.items[0]?.text ?? '', /^0x1000:page 17 /);
  assert.match(row('swap')?.items[0]?.text ?? '', /^reads page 17 /);
  assert.match(row('owed')?.items[0]?.text ?? '', 'db 0x1000');
  assert.is(view.vcpus[0]?.task, 'shell');
  assert.is(view.vcpus.length, 2);
  assert.is(view.pages?.counts.flight, 1);
  assert.is(view.pages?.cells[17], 'flight');
  assert.ok(view.why.length > 3);
  assert.ok(view.detail.length > 5);
  assert.equal(
    view.judgements.map(each => each.holds),
    ['undecided', 'so far'],
  );
});

test('a run: the next failing judgement is found, with its reason', () => {
  const session = simulation();
  const view = go(session, { to: 'next', mark: 'violation' });
  const failed = view.judgements.find(each => each.name === 'early');
  assert.is(failed?.holds, 'no');
  assert.match(failed?.reason ?? '', 'found');
  assert.is(failed?.changed_ns, view.time_ns);
  const end = go(session, { to: 'end' });
  assert.equal(
    end.judgements.map(each => each.holds),
    ['no', 'yes'],
  );
});

test('a recording: a time may be given as its lines have it', () => {
  const session = recording();
  session.pursue({ to: 'time', ns: 1_819_477_211_000 }, () => false);
  assert.is(session.time_ns, 1_819_477_211_000 - 1_817_460_378_000);
  const there = session.position;
  session.pursue({ to: 'start' }, () => false);
  session.pursue({ to: 'time', ns: 1_819_477_211_000 - 1_817_460_378_000 }, () => false);
  assert.is(session.position, there);
});

test('a recording: tokens are open between their not_present and their ready', () => {
  const session = recording();
  let opened = 0;
  for (;;) {
    const view = go(session, { to: 'next', mark: 'entry' }, { trace_lines: 1 });
    if (view.over !== null) break;
    const open = (view.queues.find(row => row.label === 'open')?.count ?? 0) > 0;
    if (open) opened += 1;
  }
  assert.ok(opened > 0);
  const end = session.view(WINDOW);
  assert.is(end.queues.find(row => row.label === 'open')?.count, 0);
  assert.is(end.pages, null);
});

/** The labels of the lines of a session, by the tracepoint. */
function labelsOf(session: Session): Readonly<Record<string, readonly string[]>> {
  const { trace } = session.view({ ...WINDOW, trace_lines: 100_000, filter: 'kvm_async_pf_* || kvm_page_fault' });
  const names = [...new Set(trace.map(({ name }) => name))];
  const of = (wanted: string) => trace.filter(({ name }) => name === wanted).map(({ label }) => label);
  return Object.fromEntries(names.map(name => [name, [...new Set(of(name))].sort()]));
}

test('what kind of address a line has is told, though no record says it', () => {
  const labelled = (paging: string) => {
    const text = SCENARIO.replace('ram 256KiB', `ram 256KiB; paging ${paging}`)
      .replace('user { loop { work 20us } }', 'user nested { loop { work 20us; read page(17); write page(33) } }')
      .replaceAll(/at .* db reads cold\n/g, '');
    const session = simulation(text);
    session.pursue({ to: 'end' }, () => false);
    return labelsOf(session);
  };
  assert.equal(labelled('tdp').kvm_async_pf_not_present, ['gpa']);
  assert.equal(labelled('shadow').kvm_async_pf_not_present, ['gva']);
  assert.equal(labelled('nested(l1: tdp, l2: shadow)').kvm_async_pf_not_present, ['gpa']);
  const nested = labelled('nested(l1: tdp, l2: tdp)');
  for (const name of ['kvm_async_pf_not_present', 'kvm_async_pf_completed', 'kvm_page_fault'])
    assert.ok(nested[name]?.includes('l2 gpa, uninterpretable'), name);
});

test('choices: names, and going on with the same run of a changed file', () => {
  const all = programs();
  const picked = pick(all, at({ cell: 1 }));
  assert.equal(picked?.choice.cases, ['a page comes in', 'nothing happens']);
  assert.equal(picked?.choice.cells.length, 2);
  assert.is(picked?.choice.cell, 1);
  const other = pick(all, at({ case: 1, variant: 1 }));
  assert.equal([other?.choice.variants, other?.program.variant], [['v6', 'linux_5_8'], 'linux_5_8']);
  assert.ok(other);
  assert.is(pickNamed(all, wantedOf(other.program))?.program, other.program);
  const gone = pickNamed(all.slice(0, 1), wantedOf(other.program));
  assert.is(gone?.program, all[0]);
  assert.is(pick([], at({})), null);
});

test.run();
