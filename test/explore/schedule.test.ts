/** A schedule is a run: it goes the same way each time, and fails as the exploration said. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.ts';
import { subjectNamed } from '../../src/cli/subject.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { createTimeline } from '../../src/sim/timeline.ts';
import { explain } from '../../src/sim/why/explain.ts';
import { counterexamplesOf, MISSING_PAGE } from './counterexamples.ts';

const test = suite('schedule');

for (const [variant, name] of [
  ['v6', 'honest'],
  ['v7', 'woken'],
  ['linux_2_6_39', 'woken'],
] as const) {
  test(`on ${variant} it breaks '${name}' whenever it is run`, () => {
    const [program] = counterexamplesOf(MISSING_PAGE, variant);
    const outcomes = [1, 2].map(() => {
      const simulation = createSimulation(present(program, 'one was found'), { paranoid: true });
      simulation.runUntil(Number.MAX_SAFE_INTEGER);
      return simulation.outcome();
    });
    for (const { verdict, judgements } of outcomes) {
      assert.is(verdict, 'fail');
      assert.equal(
        judgements.map(each => `${each.name} ${each.holds}`),
        [`${name} no`],
      );
    }
    assert.is(outcomes[0]?.trace_hash, outcomes[1]?.trace_hash);
    assert.is(outcomes[0]?.sim_ns, program?.limit_ns, 'the clock ends where the run does');
  });
}

test('going back and on again ends the same way', () => {
  const [program] = counterexamplesOf(MISSING_PAGE, 'linux_2_6_39');
  const timeline = createTimeline(present(program, 'one was found'));
  timeline.forward(1000);
  const { steps, trace_hash, sim_ns } = timeline.simulation.outcome();
  const events = timeline.events().length;
  timeline.back(20);
  assert.is(timeline.position, steps - 20);
  assert.ok(timeline.simulation.machine.clock.now_ns < sim_ns);
  timeline.seekNs(sim_ns);
  assert.is(timeline.simulation.outcome().trace_hash, trace_hash);
  assert.is(timeline.events().length, events);
});

test('why says of a sleeper in it who did not wake it', () => {
  const [program] = counterexamplesOf(MISSING_PAGE, 'linux_2_6_39');
  const given = present(program, 'one was found');
  const { says, missing } = explain(given, subjectNamed('t.vcpu[0]', given), { ns: given.limit_ns, step: 1e9 });
  assert.is(says, 'sleeps in kvm_vcpu_block, not runnable');
  assert.ok(missing.some(each => each.startsWith('an exception is pending')));
});

test('where only some steps may be interrupted a move is all steps up to one of these, in a run as well', () => {
  const text = MISSING_PAGE.replace('case "c" {', 'case "c" { explore { yield at [before_entry, worker_thread] }');
  const programs = counterexamplesOf(text, 'v6');
  assert.ok(programs.length > 0);
  for (const program of programs) {
    const simulation = createSimulation(program, { paranoid: true });
    simulation.runUntil(Number.MAX_SAFE_INTEGER);
    const { verdict, steps } = simulation.outcome();
    assert.is(verdict, 'fail');
    assert.is(steps, program.schedule?.moves.length);
  }
});

test('a schedule that asks for what cannot be ends there, undecided', () => {
  const [program] = counterexamplesOf(MISSING_PAGE, 'v6');
  const { schedule, ...rest } = present(program, 'one was found');
  const { moves, ...others } = present(schedule, 'it has one');
  const simulation = createSimulation({ ...rest, schedule: { ...others, moves: [100_000, ...moves] } });
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  const { verdict, steps } = simulation.outcome();
  assert.is(verdict, 'inconclusive');
  assert.is(steps, 0);
});

test.run();
