/** The monitor without a terminal: what it does about files that change, runs that are chosen, work that takes long. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { type Loaded, Monitor } from '../../src/tui/monitor.ts';
import { openSimulation } from '../../src/tui/simulation_session.ts';

function scenario(changes: { readonly read?: string; readonly case_name?: string } = {}): string {
  return `language 1
title "One task"
host h0 { cpus 1; ram 16MiB; workers 1; swap disk { size 16MiB; read fixed(${changes.read ?? '3ms'}) } }
vm web on h0 { ram 256KiB; vcpus 1; protocol linux_6_12
  guest { apf on; task db on vcpu[0] user { loop { work 20us } }; timer tick every 1ms on vcpu[0] { reschedule } } }
limit time 20ms
case "first" { at 1ms evict web.heap.page(3); at 2ms db reads web.heap.page(3) }
case "${changes.case_name ?? 'second'}" { variants [linux_5_8, linux_6_12]; at 2ms db reads web.heap.page(3) }
`;
}

function loaded(text: string): Loaded {
  const { suite, diagnostics } = compile({ path: 'one.apf', text }, () => null);
  if (!suite) return { kind: 'errors', lines: diagnostics.map(({ message }) => message) };
  const runs = suite.cases.flatMap(each =>
    each.cells.flatMap(cell => each.variants.map(variant => each.lower(cell, variant))),
  );
  return { kind: 'programs', programs: runs.flatMap(({ program }) => program ?? []) };
}

/** A monitor whose clock stands still unless `slow`: then each look at it takes a second. */
function monitor(file: { text: string }, slow = false): Monitor {
  let now = 0;
  const clock = () => {
    if (slow) now += 1000;
    return now;
  };
  return new Monitor(
    { file: 'one.apf', load: () => loaded(file.text), open: openSimulation, at_ns: 0, speed: 0, now: clock },
    { columns: 80, rows: 24 },
  );
}

function keys(on: Monitor, ...pressed: readonly string[]): void {
  for (const key of pressed) on.key(key);
}

const shown = ({ model: { view } }: Monitor) =>
  `${view?.choice.cases[view.choice.case]} ${view?.choice.variants[view.choice.variant]}`;

test('another variant of the case stays at its time, another case begins', () => {
  const it = monitor({ text: scenario() });
  keys(it, ':', ...'5ms', 'enter');
  const time = it.model.view?.time_ns ?? 0;
  assert.ok(time > 4e6);
  keys(it, 'c');
  assert.equal([shown(it), it.model.view?.time_ns], ['second linux_5_8', 0]);
  keys(it, ':', ...'5ms', 'enter', 'v');
  assert.is(shown(it), 'second linux_6_12');
  assert.ok((it.model.view?.time_ns ?? 0) > 4e6);
});

test('a saved file goes on with the same run at the same time', () => {
  const file = { text: scenario() };
  const it = monitor(file);
  keys(it, 'c', 'v', ':', ...'5ms', 'enter');
  const time = it.model.view?.time_ns ?? 0;
  file.text = scenario({ read: '4ms' });
  it.load();
  assert.equal([shown(it), it.model.view?.time_ns], ['second linux_6_12', time]);
  file.text = scenario({ read: '4 parsecs' });
  it.load();
  assert.equal([it.model.page, it.model.view?.time_ns], ['diagnostics', time]);
  keys(it, 'escape', 's');
  assert.ok((it.model.view?.time_ns ?? 0) > time, 'the last good version goes on');
  file.text = scenario({ case_name: 'another' });
  keys(it, 'r');
  assert.equal([it.model.page, shown(it)], ['none', 'first linux_6_12']);
});

test('a file that never was good shows why, and opens once it is', () => {
  const file = { text: 'language 1\nnonsense' };
  const it = monitor(file);
  assert.equal([it.model.page, it.model.view], ['diagnostics', null]);
  keys(it, 's', 'tab', 'f', '?', 'escape');
  file.text = scenario();
  it.load();
  assert.is(shown(it), 'first linux_6_12');
});

test('far goals take several frames and can be given up', () => {
  const it = monitor({ text: scenario() }, true);
  keys(it, 'G');
  assert.ok(it.moving);
  assert.is(it.model.view?.over, null);
  it.frame(1e8);
  assert.ok(it.moving);
  const position = it.model.view?.position ?? 0;
  keys(it, 'escape');
  assert.not(it.moving);
  it.frame(1e8);
  assert.is(it.model.view?.position, position);
  keys(it, 'G');
  for (let frame = 0; frame < 1000 && it.moving; frame += 1) it.frame(1e8);
  assert.is(it.model.view?.over, 'time');
});

test('time runs at its speed, until the end', () => {
  const it = monitor({ text: scenario() });
  keys(it, ':', ...'speed', 'space', ...'1ms', 'enter', 'space');
  for (let frame = 0; frame < 50; frame += 1) it.frame(1e8);
  const time = it.model.view?.time_ns ?? 0;
  assert.ok(time > 4.8e6 && time <= 5e6, `5 seconds later: ${time}`);
  for (let frame = 0; frame < 1000 && it.moving; frame += 1) it.frame(1e8);
  assert.is(it.model.view?.over, 'time');
  assert.not(it.moving);
  assert.match(it.model.notice?.text ?? '', 'over');
});

test('leaving and suspending are asked for, not done', () => {
  const it = monitor({ text: scenario() });
  keys(it, 'ctrl-z');
  assert.equal([it.takeSuspend(), it.takeSuspend()], [true, false]);
  keys(it, 'ctrl-c');
  assert.is(it.ended, 130);
});

test.run();
