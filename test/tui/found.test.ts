/** What an exploration has found, in the monitor: told step by step, and round for ever where it goes round. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { foundIn } from '../../src/cli/found.ts';
import { pick } from '../../src/tui/choice.ts';
import type { Session } from '../../src/tui/session.ts';
import { openSimulation } from '../../src/tui/simulation_session.ts';
import type { StepRow, ViewModel } from '../../src/tui/view_model.ts';
import { explored, faults } from '../explore/small.ts';
import { WINDOW } from './sample.ts';

const never = () => false;

/** The first that is found in a scenario, opened. */
function opened(text: string, variant: string): Session {
  const [outcome] = foundIn(explored(text, variant));
  const picked = outcome && pick([outcome.program], { case: 0, cell: 0, variant: 0 });
  if (!picked) throw new Error('nothing was found');
  return openSimulation(picked);
}

function stepOf({ step }: ViewModel): StepRow {
  if (!step) throw new Error('nothing is told');
  return step;
}

const FAULT = faults('task a on vcpu[0] user { read page(1); done }', 'never comes: done(a)');
const LOOP = faults(
  'task a on vcpu[0] user { loop { work 1us } }; task b on vcpu[0] user { work 1us; done }',
  'eventually runs: done(b)',
);

test('each step says who took it and who is next, and the last breaks the judgement', () => {
  const session = opened(FAULT, 'linux_6_12');
  const start = stepOf(session.view(WINDOW));
  assert.is(start.actor, '');
  assert.is(start.breaks, 'comes');
  let { next } = start;
  for (let nr = 1; nr <= start.moves; nr += 1) {
    session.pursue({ to: 'by', events: 1 }, never);
    const step = stepOf(session.view(WINDOW));
    assert.is(step.actor, next, `step ${nr}`);
    next = step.next;
  }
  const end = session.view(WINDOW);
  assert.is(end.judgements[0]?.holds, 'no');
  assert.match(stepOf(end).text, 'done(');
  session.pursue({ to: 'start' }, never);
  session.pursue({ to: 'next', mark: 'violation' }, never);
  assert.is(session.position, start.moves);
});

test('what goes round for ever goes round', () => {
  const session = opened(LOOP, 'linux_6_12');
  const { cycle, moves } = stepOf(session.view(WINDOW));
  assert.ok(cycle > 0);
  session.pursue({ to: 'end' }, never);
  assert.is(session.position, moves);
  session.pursue({ to: 'by', events: 1 }, never);
  assert.is(session.position, moves - cycle + 1);
});

test.run();
