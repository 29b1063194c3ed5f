/** Post-copy: the guest runs before its memory has come, and nothing of that is lost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { block_has, RECEIVED } from '../../../src/sim/migrate/ram.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { complaints, simulated } from './world.ts';

const GUEST = `apf on
task db on vcpu[0] user { sleep 1500us; repeat 12 { read heap sequential; work 5us }; read page(60); done }
task shell on vcpu[0] user { loop { work 50us } }
timer tick every 250us on vcpu[0] { reschedule }`;

function moved(rest: string, variant = 'linux_6_12', move = 'mode postcopy'): Simulation {
  return simulated(
    { move, link: 'bandwidth 500 Mbit/s; latency 20us', guest: GUEST, rest: `limit time 40ms\n${rest}` },
    variant,
  );
}

function received(simulation: Simulation): number {
  const { machine: m } = simulation;
  const { into } = m.program.migrations[0]!;
  return Array.from({ length: m.places.vms[into]!.pages }, (_, page) => page).filter(page =>
    block_has(m, into, page, RECEIVED),
  ).length;
}

for (const variant of ['v6', 'linux_2_6_39', 'linux_5_8', 'linux_6_12', 'sync']) {
  test(`${variant}: what the guest touches first is asked for, and comes first`, () => {
    const simulation = moved(
      'at 1ms migrate move\nexpect over: done(move) and done(db)\nexpect asked: move.requests >= 1\n',
      variant,
    );
    assert.equal(complaints(simulation), []);
    assert.is(received(simulation), 64);
    assert.is(simulation.machine.migrations[0]?.sent_pages, 64);
  });
}

test('a link that is cut at any moment loses no page', () => {
  const whole = moved('at 1ms migrate move\n');
  complaints(whole);
  const end_us = Math.ceil((whole.machine.migrations[0]?.total_ns ?? 0) / 1000);
  let paused = 0;
  for (let at = 20; at < end_us; at += 97) {
    const simulation = moved(
      `at 1ms migrate move\nat ${1000 + at}us cut lan for 700us\nat 12ms migrate move\nexpect over: done(move) and done(db)\n`,
    );
    assert.equal(complaints(simulation), [], `cut ${at} us after the start`);
    assert.is(received(simulation), 64, `cut ${at} us after the start`);
    if ((simulation.machine.migrations[0]?.total_ns ?? 0) > end_us * 1000 + 500_000) paused += 1;
  }
  assert.ok(paused >= 10, `${paused} of them in post-copy`);
});

test('pre-copy that gives way to post-copy forgets what was written after it was sent', () => {
  const simulation = simulated({
    move: 'max_downtime 1us; switch postcopy when round > 1',
    guest: 'apf on; task db on vcpu[0] user { repeat 400 { write heap sequential rate 20k/s; work 5us }; done }',
    rest: 'limit time 60ms\nat 1ms migrate move\nexpect over: done(move) and done(db)\nexpect twice: move.sent_pages > 64 pages\n',
  });
  assert.equal(complaints(simulation), []);
  assert.is(received(simulation), 64);
});

test.run();
