/** Same program, same run: by hash, by bytes, whatever is watched, saved and restored on the way. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { workload } from '../scripts/bench/programs.ts';
import { fingerprintText } from '../src/base/fingerprint.ts';
import { hashOf } from '../src/sim/meaning.ts';
import type { Program } from '../src/sim/program.ts';
import { createSimulation, type Simulation, type SimulationOptions } from '../src/sim/simulation.ts';
import type { TraceEvent } from '../src/trace/event.ts';
import { printEvent } from '../src/trace/print.ts';
import { runName, runsOf } from './runs.ts';

/** Ticks, random pages, evictions, two vCPUs; a container under pressure; a VMM that stops its vCPUs all the time. */
const FILES = ['scenarios/demo.apf', 'scenarios/container.apf', 'scenarios/review/s20-looking.apf'];
const programs = FILES.flatMap(runsOf);
const [demo] = runsOf('scenarios/demo.apf');
if (!demo) throw new Error('the demonstration has no run');

function started(program: Program, options: SimulationOptions = {}): Simulation {
  return createSimulation(program, options);
}

function finished(program: Program, options: SimulationOptions = {}): Simulation {
  const simulation = started(program, options);
  simulation.runUntil(program.limit_ns, program.limit_steps);
  return simulation;
}

const bytesOf = (simulation: Simulation): Buffer => Buffer.from(simulation.save().bytes);
const stateOf = (simulation: Simulation): string => fingerprintText(hashOf(simulation.machine));

test('twice the same: trace, bytes and verdict', () => {
  for (const program of programs) {
    const [once, again] = [finished(program), finished(program)];
    assert.is(once.outcome().trace_hash, again.outcome().trace_hash, runName(program));
    assert.ok(bytesOf(once).equals(bytesOf(again)), runName(program));
    assert.equal(once.outcome(), again.outcome(), runName(program));
  }
});

test('the printed trace is the same text', () => {
  const text = () => {
    const events: TraceEvent[] = [];
    finished(demo, { record: event => events.push(event) });
    return events.map(event => printEvent(event, { format: 'ftrace', version: '6.12' })).join('\n');
  };
  assert.is(text(), text());
});

test('a large machine that looks ahead, with accessors of its own, goes as one that is watched', () => {
  const program = workload({ mode: 'pv', pages: 65_536, frames: 16_384, service_ns: 20_000, sim_ns: 3e6 });
  const [free, watched] = [finished(program, { trace: 'off' }), finished(program, { trace: 'off', paranoid: true })];
  assert.equal([free.machine.looks_ahead, watched.machine.looks_ahead], [true, false]);
  assert.ok(free.machine.hosts[0]!.pswpin > 50, 'it has taken pages away and read them again');
  assert.ok(bytesOf(free).equals(bytesOf(watched)));
});

test('another seed is another run', () => {
  const hashes = [1, 2, 3].map(seed => finished({ ...demo, seed }).outcome().trace_hash);
  assert.is(new Set(hashes).size, hashes.length);
});

test('in steps, in slices or at once', () => {
  const whole = finished(demo);
  const sliced = started(demo);
  for (let ns = 0; ns <= demo.limit_ns; ns += 777_777) sliced.runUntil(ns);
  sliced.runUntil(demo.limit_ns, demo.limit_steps);
  assert.is(sliced.outcome().trace_hash, whole.outcome().trace_hash);
  const stepped = started(demo);
  while (stepped.step());
  assert.is(stepped.outcome().trace_hash, whole.outcome().trace_hash);
});

test('saved, led astray, restored and continued', () => {
  for (const program of programs) {
    // Numbers that order simultaneous events also count the pauses, so the run to compare bytes with pauses as well.
    const third_ns = Math.floor(program.limit_ns / 3);
    const paused = started(program);
    paused.runUntil(third_ns);
    paused.runUntil(program.limit_ns, program.limit_steps);
    const simulation = started(program);
    simulation.runUntil(third_ns);
    const half = simulation.save();
    const before = bytesOf(simulation);
    simulation.runUntil(program.limit_ns, program.limit_steps);
    simulation.outcome();
    simulation.restore(half);
    assert.ok(bytesOf(simulation).equals(before), `${runName(program)}: restored`);
    simulation.runUntil(program.limit_ns, program.limit_steps);
    assert.equal(simulation.outcome(), finished(program).outcome(), `${runName(program)}: continued`);
    assert.ok(bytesOf(simulation).equals(bytesOf(paused)), `${runName(program)}: bytes`);
  }
});

test('continued by another simulation', () => {
  const first = started(demo);
  first.runUntil(demo.limit_ns / 2);
  const second = started(demo);
  second.restore(first.save());
  second.runUntil(demo.limit_ns, demo.limit_steps);
  assert.equal(second.outcome(), finished(demo).outcome());
});

test('watching changes nothing', () => {
  for (const program of programs) {
    const plain = finished(program);
    const ways: readonly SimulationOptions[] = [
      { trace: 'off' },
      { trace: 'sched', record: () => undefined },
      { paranoid: true },
    ];
    for (const options of ways) {
      // What is judged of the trace is judged only where there is one.
      const watched = finished(
        options.trace === 'off' ? { ...program, judgements: [], expectations: [] } : program,
        options,
      );
      assert.is(stateOf(watched), stateOf(plain), `${runName(program)} ${JSON.stringify(options)}`);
      if (options.trace !== 'off') assert.is(watched.outcome().verdict, plain.outcome().verdict, runName(program));
    }
  }
});

test.run();
