/** What a scenario does to the machine, and what it can say about that. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSimulation } from '../../src/sim/simulation.ts';
import { lowered } from '../lowered.ts';

const WORLD = `
language 1
title "acts"
host h { cpus 1; ram 1MiB; workers 1; swap s { size 1MiB; read fixed(90us); depth 1; readahead 8 pages } }
vm t on h { ram 64KiB; vcpus 1; protocol linux_6_12; guest { apf on
  task a on vcpu[0] user { loop { read heap uniform; work 5us } }
  task b on vcpu[0] user { loop { work 5us } }
  timer tick every 500us on vcpu[0] { reschedule; work 3us } } }
limit time 4ms
`;

const verdicts = (text: string): readonly string[] => {
  const program = lowered(WORLD + text);
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(program.limit_ns);
  return simulation.outcome().judgements.map(({ name, holds }) => `${name} ${holds}`);
};

test('marks are told apart by their text', () => {
  const text = `
at 1ms mark "first"
at 2ms { mark "second"; mark "second" }
expect order: order marked("first") -> marked("second")
expect all: count(marked("first")) == 1 and count(marked("second")) == 2 and count(marked()) == 3
expect other: count(marked("third")) == 0
eventually soon: marked("second") within 1ms after marked("first")
eventually late: marked("second") within 999us after marked("first")
`;
  assert.equal(verdicts(text), ['order yes', 'all yes', 'other yes', 'soon yes', 'late no']);
});

test('an act on a condition is nobody’s step, whichever thread made the condition true', () => {
  const text = `
evict t.heap.pages(0..15)
when count(completed()) >= 1 { disable_apf t.vcpu[0] }
expect off: not t.vcpu[0].apf_enabled
always mine: writers(t.vcpu[0].apf_enabled) within [thread(t.vcpu[0])]
`;
  assert.equal(verdicts(text), ['off yes', 'mine yes']);
});

test('a halted vCPU is seen to sleep from the moment it does', () => {
  const text = `
set t.irqchip = kernel
at 600us { evict t.heap.page(3) }
at 700us a reads t.heap.page(3)
disable_apf t.vcpu[0]
hold swap_read(t.heap.page(3)) for 400us
expect asleep: max_time(t.vcpu[0] is halted(synthetic)) >= 250us
expect marked: max_time(t.vcpu[0] is halted(synthetic)) <= max_time(t.vcpu[0] is marked_halted(synthetic))
`;
  assert.equal(verdicts(text), ['asleep yes', 'marked yes']);
});

test('work is counted for the task that does it, and is not all of the time', () => {
  const text = `
expect both: t.task.a.work > 1ms and t.task.b.work > 1ms
expect shared: t.task.a.work + t.task.b.work == t.vcpu[0].work
expect less: t.vcpu[0].work < 4ms
`;
  assert.equal(verdicts(text), ['both yes', 'shared yes', 'less yes']);
});

test('a page that needs no read is a minor fault', () => {
  const text = `
at 1ms evict t.heap.pages(0..15)
expect minor: t.minor_faults >= 4
expect sum: t.minor_faults + count(took_apf()) >= 8
`;
  assert.equal(verdicts(text), ['minor yes', 'sum yes']);
});

test.run();
