import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { traceHash } from '../../src/sim/record.ts';
import { createTimeline } from '../../src/sim/timeline.ts';
import { lowered } from '../lowered.ts';

const WORLD = `
language 1
title "busy"
host h { cpus 2; ram 256KiB; page 4KiB; workers 2; swap s { size 1MiB; read exp(90us); depth 2; readahead 4 pages } }
vm t on h {
  ram 192KiB; limit 96KiB; vcpus 2; protocol linux_6_12
  guest {
    apf on
    task a on vcpu[0] user { loop { read heap uniform; work 5us } }
    task b on vcpu[0] user { loop { work 50us } }
    task c on vcpu[1] user { loop { write heap uniform; work 20us } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}
limit time 60ms
eventually done_with_it: count(ready(t.heap.page(3))) >= 1
`;

const timelineOfWorld = () => createTimeline(lowered(WORLD));

function stateOf(timeline: ReturnType<typeof timelineOfWorld>): unknown {
  const { machine, judge } = timeline.simulation;
  const bytes = new Uint8Array(machine.layout.buffer.slice(0));
  // Stopping between two steps of a CPU takes an order number; which one says nothing, only which came first.
  for (const table of ['cpu_event', 'event', 'event_order'] as const) {
    const { byteOffset, byteLength } = machine.layout.column(table, 'order').values;
    bytes.fill(0, byteOffset, byteOffset + byteLength);
  }
  return {
    bytes: Buffer.from(bytes).toString('base64'),
    judge: judge.standings().map(({ holds, at_ns }) => ({ holds, at_ns })),
    hash: traceHash(machine),
  };
}

test('back is where one was', () => {
  const timeline = timelineOfWorld();
  timeline.forward(5000);
  const before = stateOf(timeline);
  timeline.forward(7777);
  timeline.back(7777);
  assert.is(timeline.position, 5000);
  assert.equal(stateOf(timeline), before);
});

test('to a position by any way is the same state', () => {
  const straight = timelineOfWorld();
  straight.forward(12_345);
  const wandering = timelineOfWorld();
  for (const position of [20_000, 300, 12_000, 0, 9_999, 12_345]) wandering.seek(position);
  assert.is(wandering.position, 12_345);
  assert.equal(stateOf(wandering), stateOf(straight));
});

test('to a time and back', () => {
  const timeline = timelineOfWorld();
  timeline.seekNs(20_000_000);
  const { clock } = timeline.simulation.machine;
  const position = timeline.position;
  assert.ok(clock.now_ns <= 20_000_000);
  timeline.seekNs(50_000_000);
  timeline.seekNs(20_000_000);
  assert.is(timeline.position, position);
  timeline.back(timeline.position);
  assert.is(clock.step, 0);
});

test('to the next and the previous of something', () => {
  const timeline = timelineOfWorld();
  const { machine } = timeline.simulation;
  const halted = () => machine.vcpus[0]!.apf_done.length > 0;
  assert.ok(timeline.forwardTo(halted));
  const first = timeline.position;
  timeline.forward(4000);
  assert.ok(timeline.backTo(halted));
  assert.ok(timeline.position >= first && halted());
  timeline.seek(first);
  timeline.backTo(halted);
  assert.is(timeline.position, 0);
});

test('the end is the same whether one has looked back or not', () => {
  const straight = timelineOfWorld();
  straight.forward(Number.MAX_SAFE_INTEGER);
  const wandering = timelineOfWorld();
  wandering.forward(30_000);
  wandering.back(29_000);
  wandering.forward(Number.MAX_SAFE_INTEGER);
  assert.is(wandering.position, straight.position);
  assert.equal(wandering.simulation.outcome(), straight.simulation.outcome());
  // From the end one can go back too.
  wandering.back(100);
  assert.is(wandering.position, straight.position - 100);
  assert.is(wandering.simulation.over, null);
});

test('events behind the position are there, in order, once each', () => {
  const timeline = timelineOfWorld();
  timeline.forward(20_000);
  timeline.back(6_000);
  const steps = timeline.events().map(({ step }) => step);
  assert.ok(steps.length > 20);
  assert.equal(
    steps,
    steps.toSorted((a, b) => a - b),
  );
  assert.ok(steps.every(step => step <= timeline.position));
  const straight = timelineOfWorld();
  straight.forward(timeline.position);
  const tail = straight.events().slice(-20);
  assert.equal(timeline.events().slice(-20), tail);
});

test.run();
