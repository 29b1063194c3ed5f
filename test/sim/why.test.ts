/** Why something is as it is: scenarios in, explanations out. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { durationNs } from '../../src/base/duration.ts';
import { place } from '../../src/sim/places.ts';
import type { Program } from '../../src/sim/program.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { explain, missingWake, type Subject, termsOf } from '../../src/sim/why/explain.ts';
import { nameOf } from '../../src/sim/why/name.ts';
import { explanationLines, vcpuRows } from '../../src/sim/why/text.ts';
import { whereIsVcpu } from '../../src/sim/why.ts';
import { lowered } from '../lowered.ts';
import { runsOf } from '../runs.ts';

const MACHINE = `language 1
host h0 { cpus 2; ram 16MiB; workers 2; swap disk { size 16MiB; read fixed(200us); depth 8 } }
vm web on h0 {
  ram 1MiB; vcpus 1
  guest {
    apf off
    task db on vcpu[0] user { work 300us; read page(17); work 10us; done }
  }
}
let cold = web.heap.page(17)
limit time 50ms
at 0us evict cold
hold swap_read(cold) for 5ms
variant deaf extends linux_6_12 { wake none }
case "a fault" { expect mapped(cold) }
`;

/** The guest is told: B06, the completion that nobody sees. */
const TOLD = MACHINE.replace('apf off', 'apf on; irq device on vcpu[0] { work 1us }').replace(
  'case "a fault" {',
  `at 100us irq device on web.vcpu[0] via lapic
hold web.vcpu[0] at vcpu_run.tail after hlt(web.vcpu[0]) until completed(cold)
case "a fault" {`,
);

function why(program: Program, subject: Subject, at: string): string {
  const ns = durationNs(at);
  assert.ok(ns !== null);
  return explanationLines(explain(program, subject, { ns, step: Number.MAX_SAFE_INTEGER })).join('\n');
}

const CPU: Subject = { kind: 'vcpu', row: 0, name: 'web.vcpu[0]' };
const DB: Subject = { kind: 'task', row: 0, name: 'web.task.db' };
const PAGE: Subject = { kind: 'page', row: 17, name: 'web.heap.page(17)' };
const TOKEN: Subject = { kind: 'token', vm: 0, token: 0x1000, name: '0x1000' };

function inOrder(text: string, ...words: readonly string[]): void {
  let from = 0;
  for (const word of words) {
    const at = text.indexOf(word, from);
    assert.ok(at >= 0, `${JSON.stringify(word)} comes next in\n${text.slice(from)}`);
    from = at + word.length;
  }
}

test('a halted vCPU: each term, since when, by whom, and who could flip it', () => {
  const text = why(lowered(MACHINE, 'linux_6_12'), CPU, '2ms');
  inOrder(
    text,
    'sleeps in kvm_vcpu_block, not runnable',
    'kvm_arch_vcpu_runnable(): no, any of',
    'no  mp_state is RUNNABLE and not apf.halted',
    'since CPU 0/KVM in vcpu_enter_guest.requests at ',
    'no  async_pf.done is not empty',
    'could flip it: item 0x1000 is with kworker/',
    'waiting for page',
    'KVM_REQ_EVENT is set (not looked at by this version)',
  );
  assert.not.match(text, 'missing:');
});

test('a page in flight says what it waits for, and its links so far', () => {
  const text = why(lowered(MACHINE, 'linux_6_12'), PAGE, '2ms');
  inOrder(text, 'the fault on it is not over', 'token 0x1000, not over:');
  inOrder(text, 'evicted', 'fault ', 'swap_submit', 'took_apf', 'swap_wait', 'halt', 'blocked');
  inOrder(text, 'now: item 0x1000 is with kworker/', 'now: the swap device reads it, since ');
});

test('a token from fault to resume, where the vCPU is halted', () => {
  const text = why(lowered(MACHINE, 'linux_6_12'), TOKEN, '50ms');
  inOrder(text, 'the fault is over', 'fault of web.task.db on web.vcpu[0], web.heap.page(17), token 0x1000, over:');
  inOrder(text, 'took_apf', 'completed', 'async_pf_execute.request', 'kick', 'wake', 'ready');
  inOrder(text, 'unhalt', 'ready', 'resumes');
});

test('a token from fault to resume, where the guest is told', () => {
  const text = why(lowered(TOLD, 'linux_6_12'), DB, '50ms');
  inOrder(
    text,
    'injected',
    'parks',
    'swap_read',
    'completed',
    'async_pf_execute.request',
    'ready',
    'token',
    'interrupt',
  );
  inOrder(text, 'interrupt', 'wakes', 'resumes');
});

test('a parked task names its token and what its vCPU does', () => {
  const text = why(lowered(TOLD, 'linux_6_12'), DB, '2ms');
  assert.match(text, 'parked on token 0x1000, on vCPU 0, whose thread ');
  assert.match(text, 'token 0x1000, not over:');
});

test('a wake that finds nothing to run for: the term that this version lacks, and who made it true', () => {
  const text = why(lowered(MACHINE, 'deaf'), CPU, '20ms');
  inOrder(text, 'missing:', 'nobody is left who could wake it', 'async_pf.done is not empty, by kworker/');
  inOrder(text, 'in async_pf_execute.append at 5.', 'does not look at that');
});

test('a completion that is eaten: who took it, and what that should have done', () => {
  const program = lowered(TOLD, 'linux_2_6_39');
  for (const subject of [CPU, DB]) {
    const text = why(program, subject, '20ms');
    inOrder(text, 'missing:', 'nobody is left', 'an exception is pending, by CPU 0/KVM in kvm_arch_async_page_present');
    inOrder(text, 'CPU 0/KVM in kvm_check_async_pf_completion at 5.', 'left mp_state as it was');
  }
  assert.not.match(why(lowered(TOLD, 'linux_6_12'), CPU, '20ms'), 'missing:');
});

test('a completion that is eaten while another page is to come', () => {
  const program = runsOf('scenarios/bugs/b06-completion-eaten.apf').find(
    ({ case_name, variant }) => case_name.startsWith('the broadcast') && variant === 'linux_2_6_39',
  );
  assert.ok(program);
  inOrder(why(program, CPU, '2ms'), 'missing:', 'only something else could wake it', 'an exception is pending, by ');
});

test('runnable, asleep, and not woken: the missing wake is named', () => {
  const { machine: m, ...simulation } = createSimulation(lowered(MACHINE, 'linux_6_12'));
  simulation.runUntil(2_000_000);
  const [vcpu] = m.vcpus;
  assert.ok(vcpu);
  assert.equal(missingWake(m, vcpu, termsOf(m, vcpu)), []);
  vcpu.nmi_pending = 1;
  assert.match(whereIsVcpu(m, vcpu), 'runnable, and nobody has woken it');
  assert.equal(missingWake(m, vcpu, termsOf(m, vcpu)), ['it could run, and nobody has woken it']);
  const changed = { time_ns: 1_000_000, step: 5, who: 'kworker/0:0', at: 'async_pf_execute.append' };
  const history = termsOf(m, vcpu).map(term => ({ changed: term.value ? changed : null, held: null }));
  assert.equal(missingWake(m, vcpu, termsOf(m, vcpu, history)), [
    "'an NMI is pending and allowed' since kworker/0:0 in async_pf_execute.append at 1ms, which woke nobody: no kvm_vcpu_wake_up() has come after it",
  ]);
});

test('an interrupt to come could wake it, unless the guest has interrupts off', () => {
  const text = MACHINE.replace('apf off', 'apf off; irq disk on vcpu[0] { work 2us }').replace(
    'case',
    'at 3ms irq disk on web.vcpu[0]\ncase',
  );
  assert.match(why(lowered(text, 'linux_6_12'), CPU, '2ms'), /could flip it: the scenario, line \d+, at 3ms/);
  assert.not.match(why(lowered(text, 'linux_6_12'), CPU, '4ms'), 'the scenario, line');
});

test('to follow a run changes nothing in it', () => {
  const program = lowered(MACHINE, 'linux_6_12');
  const plain = createSimulation(program);
  plain.runUntil(program.limit_ns);
  const { step } = explain(program, CPU, { ns: program.limit_ns, step: Number.MAX_SAFE_INTEGER });
  assert.is(step, plain.machine.clock.step);
});

test('the monitor says the same of a vCPU', () => {
  const simulation = createSimulation(lowered(MACHINE, 'linux_6_12'));
  simulation.runUntil(2_000_000);
  const { machine } = simulation;
  const rows = machine.vcpus.flatMap(vcpu => vcpuRows(machine, vcpu));
  assert.equal(rows.find(({ text }) => text.startsWith('async_pf.done'))?.value, false);
  assert.ok(rows.some(({ text, value }) => value === null && text.includes('could flip it: item 0x1000')));
});

test('names are those of a scenario', () => {
  const program = lowered(MACHINE, 'linux_6_12');
  const where = { program, places: place(program) };
  assert.is(nameOf(where, 'vcpu', 0), 'web.vcpu[0]');
  assert.is(nameOf(where, 'task', 0), 'web.task.db');
  assert.is(nameOf(where, 'page', 17), 'web.heap.page(17)');
});

test.run();
