/** The monitor in a real terminal: keys, sizes, saves, and the terminal given back on every way out. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from '../../scripts/imports.ts';
import { apflab, inFolder, PROGRAM } from '../apflab.ts';
import { type Screen, type TerminalOptions, terminal } from '../terminal.ts';

const SCENARIO = `language 1
title "Two tasks"
host h0 { cpus 1; ram 16MiB; workers 1; swap disk { size 16MiB; read fixed(3ms) } }
vm web on h0 {
  ram 1MiB; vcpus 1
  protocol linux_6_12
  guest {
    apf on
    task db    on vcpu[0] user { loop { work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}
let cold = web.heap.page(17)
limit time 20ms
case "a page comes in" {
  at 0us   evict cold
  at 100us db reads cold
  expect order not_present(cold) -> switch_to(shell) -> ready(cold)
}
case "nothing happens" { never faults: took_apf(cold) }
`;

const PRELOAD = join(ROOT, 'scripts/test_preload.ts');
const CRASH = join(ROOT, 'test/data/tui/crash.ts');
const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

/** Ready: the panes are drawn and keys are read. */
async function opened(folder: string, options: TerminalOptions = {}): Promise<Screen> {
  writeFileSync(join(folder, 'two.apf'), SCENARIO);
  const env = { LC_ALL: 'C.UTF-8', ...options.env };
  const screen = terminal(process.execPath, [PROGRAM, 'watch', 'two.apf'], { cwd: folder, ...options, env });
  await screen.until('paused 0.000000ms');
  return screen;
}

/** The program is gone and has left nothing switched on. */
async function leaves(screen: Screen, code: number): Promise<void> {
  assert.is(await screen.ended(), code);
  assert.not(screen.onAlternateScreen());
  const modes = screen.written();
  assert.ok(modes.lastIndexOf('\x1b[?25h') > modes.lastIndexOf('\x1b[?25l'), 'the cursor is shown');
  assert.not.match(screen.text(), 'Tracepoints');
}

test('keys step, jump and search; q leaves', () =>
  inFolder(async folder => {
    const screen = await opened(folder);
    assert.ok(screen.onAlternateScreen());
    assert.match(screen.text(), /linux_6_12 {2}"a page comes in"/);
    screen.type('f');
    await screen.until('kvm_page_fault');
    screen.type('e');
    await screen.until('kvm_async_pf_not_present');
    screen.type(':2900us\r');
    await screen.until(/paused 2\.\d+ms/);
    screen.type('bbb');
    screen.type('G');
    await screen.until('holds  order on line');
    screen.type('/ready\r');
    await screen.until('Tracepoints /ready');
    assert.match(screen.text(), 'kvm_async_pf_ready');
    assert.not.match(screen.text(), 'kvm_entry');
    screen.type('c');
    await screen.until('"nothing happens"');
    screen.type('?');
    await screen.until('these keys');
    screen.type('\x1b');
    await screen.until('Tracepoints');
    screen.type('q');
    await leaves(screen, 0);
  }));

test('runs by itself at its speed and stops at the end', () =>
  inFolder(async folder => {
    const screen = await opened(folder);
    screen.type(':speed 1s\r');
    await screen.until('1s of the run per second');
    screen.type(' ');
    await screen.until('the run is over');
    screen.type('q');
    await leaves(screen, 0);
  }));

function isWhole(text: string, rows: number): boolean {
  const lines = text.split('\n');
  const once = ['2 Queues of web/0', '3 Tracepoints', ' space run'].every(
    part => lines.filter(line => line.includes(part)).length === 1,
  );
  return (
    lines.length === rows && once && /^ apflab .*of 20ms/.test(lines[0] ?? '') && /^▸1 vCPUs ─/.test(lines[1] ?? '')
  );
}

test('every size from 60x16 on is drawn in full, smaller ones say so', () =>
  inFolder(async folder => {
    const screen = await opened(folder);
    for (const [columns, rows] of [
      [120, 40],
      [60, 16],
      [200, 50],
      [79, 23],
      [40, 10],
      [80, 24],
      [100, 18],
      [80, 24],
    ] as const) {
      screen.resize(columns, rows);
      if (columns < 60) await screen.until(`${columns}x${rows} is too small`);
      else await screen.until(text => isWhole(text, rows), `a whole frame of ${columns}x${rows}`);
    }
    screen.type('q');
    await leaves(screen, 0);
  }));

test('a saved file is loaded again and keeps its time; one with errors shows them', () =>
  inFolder(async folder => {
    const screen = await opened(folder);
    screen.type(':2900us\r');
    const at = /paused (2\.\d+ms)/;
    const [, time = ''] = at.exec(await screen.until(at)) ?? [];
    writeFileSync(join(folder, 'two.apf'), SCENARIO.replace('read fixed(3ms)', 'read fixd(3ms)'));
    await screen.until('has errors');
    await screen.until('fixd');
    screen.type('\x1b');
    await screen.until('Tracepoints');
    assert.match(screen.text(), time);
    writeFileSync(join(folder, 'two.apf'), SCENARIO.replace('a page comes in', 'a page comes in'));
    await screen.until(text => text.includes('loaded again') && !text.includes('has errors'), 'the good file');
    assert.match(screen.text(), at);
    screen.type('q');
    await leaves(screen, 0);
  }));

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const) {
  test(`${signal} gives the terminal back`, () =>
    inFolder(async folder => {
      const screen = await opened(folder);
      screen.kill(signal);
      await leaves(screen, code);
    }));
}

test('Ctrl-C gives the terminal back', () =>
  inFolder(async folder => {
    const screen = await opened(folder);
    screen.type(CTRL_C);
    await leaves(screen, 130);
  }));

test('a bug gives the terminal back and is told', () =>
  inFolder(async folder => {
    const screen = terminal(process.execPath, ['--import', PRELOAD, CRASH], { cwd: folder });
    await screen.until('not good yet');
    screen.type('r');
    await leaves(screen, 5);
    assert.match(screen.text(), 'caught the moon is full');
  }));

test('Ctrl-Z goes to the shell, and fg comes back', () =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'two.apf'), SCENARIO);
    const env = { LC_ALL: 'C.UTF-8', PS1: 'shell> ', HISTFILE: '' };
    const screen = terminal('bash', ['--norc', '--noprofile', '-i'], { cwd: folder, env });
    await screen.until('shell>');
    screen.type(`'${process.execPath}' '${PROGRAM}' watch two.apf\r`);
    await screen.until('paused 0.000000ms');
    screen.type(CTRL_Z);
    await screen.until('Stopped');
    assert.not(screen.onAlternateScreen());
    screen.type('echo so$((40+2))\r');
    await screen.until('so42');
    screen.type('fg\r');
    await screen.until('paused 0.000000ms');
    assert.ok(screen.onAlternateScreen());
    screen.type('f');
    await screen.until('kvm_page_fault');
    screen.type('q');
    await screen.until(text => !text.includes('Tracepoints') && text.trimEnd().endsWith('shell>'), 'the shell');
    screen.type('exit $?\r');
    await screen.ended();
  }));

test('NO_COLOR takes the colours away', () =>
  inFolder(async folder => {
    const screen = await opened(folder, { env: { NO_COLOR: '1' } });
    assert.not.match(screen.written(), /\x1b\[[\d;]*38;/);
    assert.not.match(screen.written(), /\x1b\[[39]\dm/);
    screen.type('q');
    await leaves(screen, 0);
  }));

test('without a terminal there is a hint, and nothing is drawn', () =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'two.apf'), SCENARIO);
    const { code, stdout, stderr } = await apflab(['watch', 'two.apf'], { cwd: folder });
    assert.is(code, 4);
    assert.is(stdout, '');
    assert.match(stderr, 'apflab run two.apf');
  }));

test.run();
