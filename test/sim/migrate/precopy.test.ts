/** Pre-copy: what each round sends, when it stops, and how it ends early. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planPrecopy } from '../../../src/sim/migrate/plan.ts';
import { DEVICE_BYTES_PER_VCPU } from '../../../src/sim/migrate/source.ts';
import { complaints, simulated } from './world.ts';

const PAGE_ON_WIRE = 4096 + 8;
const idle = 'apf off; task db on vcpu[0] user { loop { work 50us } }';

test('a guest that writes nothing is sent once, each page with its header', () => {
  const simulation = simulated({
    move: 'max_downtime 1ms',
    guest: idle,
    rest: `limit time 10ms
at 1ms migrate move
expect over: done(move) and web.host == dst
expect once: move.sent_pages == 64 pages and move.rounds == 1
`,
  });
  assert.equal(complaints(simulation), []);
  assert.is(simulation.machine.migrations[0]?.sent_bytes, 64 * PAGE_ON_WIRE + DEVICE_BYTES_PER_VCPU);
});

test('each round sends what was written in the one before, byte for byte', () => {
  const simulation = simulated({
    move: 'max_downtime 1us',
    guest: 'apf off; task db on vcpu[0] user { loop { write heap sequential rate 10k/s; work 20us } }',
    rest: 'limit time 10ms\nat 1ms migrate move\nexpect over: done(move)\n',
  });
  const { machine } = simulation;
  const [row] = machine.migrations;
  if (!row) throw new Error('no migration');
  const rounds: number[] = [];
  let pages = 0;
  let bytes = 0;
  while (simulation.step()) {
    if (row.round > rounds.length) rounds.push(row.nr_dirty + row.round_pages);
    pages = Math.max(pages, row.sent_pages);
    bytes = Math.max(bytes, row.sent_bytes);
    assert.is(row.round_bytes, row.round_pages * PAGE_ON_WIRE);
  }
  assert.is(rounds[0], 64);
  assert.ok(rounds.length >= 3, `${rounds}`);
  assert.is(bytes, pages * PAGE_ON_WIRE + DEVICE_BYTES_PER_VCPU);
});

test('it agrees with the closed form to 1 % where that holds', () => {
  const cases = [
    { rate: 4000, downtime_us: 2000, mbit: 1000, mib: 16 },
    { rate: 12_000, downtime_us: 10_000, mbit: 1000, mib: 32 },
    { rate: 10_000, downtime_us: 5000, mbit: 2500, mib: 64 },
  ];
  for (const { rate, downtime_us, mbit, mib } of cases) {
    const simulation = simulated(
      {
        move: `max_downtime ${downtime_us}us`,
        link: `bandwidth ${mbit} Mbit/s; latency 20us`,
        vm: `ram ${mib}MiB; vcpus 1`,
        ram: '128MiB',
        guest: `apf off; task db on vcpu[0] user { loop { write heap sequential rate ${rate}/s; work 10us } }`,
        rest: 'limit time 3s\nat 1ms migrate move\nexpect over: done(move)\n',
      },
      'linux_6_12',
      false,
    );
    assert.equal(complaints(simulation), []);
    const [row] = simulation.machine.migrations;
    const plan = planPrecopy({
      pages: mib * 256,
      dirty_pages_per_s: rate,
      bytes_per_s: (mbit * 1e6) / 8,
      latency_ns: 20_000,
      max_downtime_ns: downtime_us * 1000,
      device_bytes: DEVICE_BYTES_PER_VCPU,
    });
    if (!row || !plan) throw new Error('no plan');
    const off = (found: number, wanted: number) => Math.abs(found - wanted) / wanted;
    const told = `${row.total_ns} for ${plan.total_ns} ns, ${row.sent_bytes} for ${plan.sent_bytes} bytes`;
    assert.is(row.round, plan.rounds.length - 1, told);
    assert.ok(off(row.total_ns, plan.total_ns) < 0.01, told);
    assert.ok(off(row.sent_bytes, plan.sent_bytes) < 0.01, told);
  }
});

test('a plan says when it never converges', () => {
  const of = { pages: 1000, bytes_per_s: 1e8, latency_ns: 0, max_downtime_ns: 1e6, device_bytes: 0 };
  assert.is(planPrecopy({ ...of, dirty_pages_per_s: 30_000 }), null);
  assert.ok(planPrecopy({ ...of, dirty_pages_per_s: 20_000 }));
});

for (const [act, status] of [
  ['cancel move', 'cancelled'],
  ['cut lan for 1ms', 'failed'],
] as const) {
  test(`${act}: the guest goes on where it is, and it can be tried again`, () => {
    const simulation = simulated({
      move: 'max_downtime 1ms',
      guest: 'apf on; task db on vcpu[0] user { loop { write heap sequential rate 5k/s; work 20us } }',
      rest: `limit time 30ms
at 0us evict web.heap.pages(0..31)
at 1ms migrate move
at 2ms ${act}
at 10ms migrate move
expect early: move.status == ${status} at 4ms
expect stays: web.host == src at 4ms
expect empty: dst.free_pages == 1024 pages at 8ms
expect over: done(move)
`,
    });
    assert.equal(complaints(simulation), []);
  });
}

test('a guest that writes too fast is slowed down until its memory can be sent', () => {
  const guest = 'apf off; task db on vcpu[0] user { loop { write heap sequential rate 100k/s; work 2us } }';
  const run = (auto: string) =>
    simulated(
      {
        move: `max_downtime 300us; auto_converge ${auto}; give_up after 150ms`,
        link: 'bandwidth 500 Mbit/s; latency 20us',
        guest,
        rest: 'limit time 250ms\nat 1ms migrate move\n',
      },
      'linux_6_12',
      false,
    );
  const plain = run('off');
  complaints(plain);
  assert.is(plain.machine.migrations[0]?.status, 8); // Given up: cancelled.
  const slowed = run('on(start: 50%, step: 20%, max: 99%)');
  complaints(slowed);
  assert.is(slowed.machine.migrations[0]?.status, 6); // Completed.
});

for (const log of ['write_protect', 'pml', 'ring'] as const) {
  test(`dirty_log ${log} notices each write once a round`, () => {
    const simulation = simulated({
      src: log === 'pml' ? 'isa vmx' : '',
      move: `max_downtime 1us; dirty_log ${log}`,
      guest:
        'apf off; task db on vcpu[0] user { sleep 2ms; repeat 9 { write page(3); write page(7); read page(9) } done }',
      rest: `limit time 10ms
at 1ms migrate move
expect over: done(move) and done(db)
expect sent: move.sent_pages == 66 pages
`,
    });
    assert.equal(complaints(simulation), []);
  });
}

test.run();
