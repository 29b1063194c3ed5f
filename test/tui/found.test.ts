/** What an exploration has found, in the monitor: told step by step, and round for ever where it goes round. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { foundIn } from '../../src/cli/found.ts';
import { othersAt } from '../../src/explore/branch.ts';
import type { Program } from '../../src/sim/program.ts';
import { pick } from '../../src/tui/choice.ts';
import { Monitor } from '../../src/tui/monitor.ts';
import type { Session } from '../../src/tui/session.ts';
import { openSimulation } from '../../src/tui/simulation_session.ts';
import type { StepRow, ViewModel } from '../../src/tui/view_model.ts';
import { explored, faults } from '../explore/small.ts';
import { WINDOW } from './sample.ts';

const never = () => false;

function foundFirst(text: string, variant: string): Program {
  const [outcome] = foundIn(explored(text, variant));
  if (!outcome) throw new Error('nothing was found');
  return outcome.program;
}

/** The first that is found in a scenario, opened. */
function opened(text: string, variant: string): Session {
  const picked = pick([foundFirst(text, variant)], { case: 0, cell: 0, variant: 0 });
  if (!picked) throw new Error('nothing to open');
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

test('another may go on from a step, and the two orders are compared', () => {
  const program = foundFirst(FAULT, 'linux_6_12');
  const steps = program.schedule?.moves.length ?? 0;
  const position = Array.from({ length: steps }, (_, at) => at).find(at => othersAt(program, at).length > 0);
  if (position === undefined) throw new Error('nobody ever has a choice');
  const names = othersAt(program, position).map(({ name }) => name);
  const shown = new Monitor(
    {
      file: 'found.run',
      load: () => ({ kind: 'programs', programs: [program] }),
      open: openSimulation,
      at_ns: 0,
      speed: 0,
      now: () => 0,
    },
    { columns: 100, rows: 40 },
  );
  const press = (...keys: readonly string[]) => {
    for (const key of keys) shown.key(key);
  };
  for (let nr = 0; nr < position; nr += 1) press('s');
  const before = shown.model.view?.step;
  press('o');
  assert.equal(shown.model.others, names);
  press('9', '9', 'enter');
  assert.match(shown.model.notice?.text ?? '', 'branch to whom?');
  press('o', '1', 'enter');
  assert.is(shown.model.page, 'branch');
  assert.match(shown.model.compared.join('\n'), /do alike|same in both/);
  assert.match(shown.model.compared.join('\n'), /branch: +comes (holds|FAILS|is open) after/);
  press('escape');
  const { view } = shown.model;
  assert.is(view?.position, position + 1);
  assert.is.not(view?.step?.actor, '');
  assert.is(view?.choice.cells.length, 2, 'the branch stands beside what it comes from');
  press('b');
  assert.is(shown.model.view?.step?.actor, before?.actor, 'up to there both are the same');
  press('G');
  assert.is(shown.model.view?.position, shown.model.view?.step?.moves);
});

test('where time chooses there is no other to choose', () => {
  const program: Program = { ...foundFirst(FAULT, 'linux_6_12') };
  const { schedule: _, ...timed } = program;
  assert.equal(othersAt(timed, 3), []);
});

test.run();
