/** What an `explore` block, `race`, `any`, budgets and faults come to. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { DEFAULTS, explore } from '../../src/explore/explore.ts';
import type { Program } from '../../src/sim/program.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { explored, faults, programOf, said } from './small.ts';

const test = suite('language');
const ONE = 'task a on vcpu[0] user { read page(1); done }';

/** Every case of a file on each of its variants. */
function programsOf(path: string): readonly Program[] {
  const read = (file: string) => ({ path: file, text: readFileSync(file, 'utf8') });
  const { suite } = compile(read(path), read);
  return (suite?.cases ?? []).flatMap(each =>
    each.variants.map(variant => {
      const { program, diagnostics } = each.lower(each.cells[0]!, variant);
      if (!program) throw new Error(diagnostics.map(({ message }) => message).join('; '));
      return program;
    }),
  );
}

const EXAMPLE = programsOf('test/dsl/examples/explore-nmi-cancel.apf');

test('the example of the design lowers whole', () => {
  assert.is(EXAMPLE.length, 6);
  const [first, , , teardown] = EXAMPLE;
  const spec = first?.exploration;
  assert.equal([spec?.strategy, spec?.depth, spec?.preemptions, spec?.states], ['bfs', 60, 3, 2_000_000]);
  assert.equal(
    spec?.budgets.map(({ what, times, acts }) => [what, times, acts.length]),
    [
      ['drop kick', 1, 1],
      ['duplicate ready', 1, 1],
      ['delay work', 1, 1],
    ],
  );
  assert.equal([spec?.symmetry, spec?.fair, spec?.probe], [['vcpus', 'pages'], ['workers', 'scheduler'], ['save']]);
  assert.equal(spec?.reaction, { shrink: true, show: ['sequence'], write: ['found/%title-%n.apf'], exports: [] });
  assert.is(new Set(spec?.judgements.map(({ name }) => name)).size, 6);
  assert.equal(
    first?.actions.map(({ raced, choice }) => [raced, choice]),
    [
      [undefined, undefined],
      [true, undefined],
      [true, undefined],
    ],
  );
  assert.equal(
    teardown?.actions.map(({ raced, choice }) => [raced, choice]),
    [
      [undefined, undefined],
      [true, 0],
      [true, 0],
      [true, 0],
    ],
  );
  assert.is(teardown?.exploration?.budgets.at(-1)?.what, 'fail alloc');
});

for (const program of EXAMPLE)
  test(`the example explores, as far as there is room: ${program.case_name} on ${program.variant}`, () => {
    const found = explore(program, { ...DEFAULTS, states: 300, preemptions: 3, paranoid: true, all: true });
    assert.ok(found.states >= 300 || found.stopped === null);
  });

/** The marks that a run with this seed sets, in order. */
function marksIn(text: string, seed: number): readonly string[] {
  const { machine, ...simulation } = createSimulation({ ...programOf(text, 'linux_6_12'), seed });
  simulation.runUntil(machine.program.limit_ns, 100_000);
  return simulation.outcome().judgements.flatMap(({ name, holds }) => (holds === 'yes' ? [name] : []));
}

test('in a run a race happens as written, and the seed picks one of any', () => {
  const race = faults(
    ONE,
    `race { mark "a"; mark "b" }
     any { mark "y" | mark "z" }
     expect ordered: order marked("a") -> marked("b")
     expect y: marked("y")
     expect z: marked("z")`,
  );
  assert.equal(
    [0, 1, 2].map(seed => marksIn(race, seed)),
    [
      ['ordered', 'y'],
      ['ordered', 'z'],
      ['ordered', 'y'],
    ],
  );
});

test('acts before a race come before it', () => {
  const { actions } = programOf(faults(ONE, 'at 1us { mark "a"; race { mark "b"; mark "c" }; mark "d" }'), 'v6');
  const names = actions.slice(2).map(({ ops }) => ops.map(op => (op.op === 'mark' ? op.name : op.op)));
  assert.equal(names, [['a'], ['b'], ['c'], ['d']]);
});

test('explored, a race comes in every order, and each of any in some', () => {
  const orders = explored(
    faults(
      ONE,
      `race { mark "x"; mark "y" }
       any { mark "p" | mark "q" }
       sometimes forth: marked("x") before marked("y")
       sometimes back: marked("y") before marked("x")
       sometimes p: marked("p")
       sometimes q: marked("q")
       never both: marked("p") and marked("q")`,
    ),
    'linux_6_12',
  );
  assert.is(said(orders), 'pass');
});

/** What lowering has against a case. */
function refusalOf(judged: string): string {
  const { suite } = compile({ path: 'small.apf', text: faults(ONE, judged) }, path => ({
    path,
    text: readFileSync(path, 'utf8'),
  }));
  const [first] = suite?.cases ?? [];
  const { diagnostics = [] } = first?.lower(first.cells[0]!, 'v6') ?? {};
  return diagnostics.map(({ message }) => message).join('; ');
}

test('a race is no choice', () => {
  for (const wrong of ['any { race { mark "x" } | mark "y" }', 'any { any { mark "x" } | mark "y" }'])
    assert.match(refusalOf(wrong), /no single act|into one any/);
});

test('a block of the case says otherwise than that of the file, and more', () => {
  const text = `${faults(ONE, 'explore { depth 7; budget evict 0..2 }')}
explore { depth 60; states 2k; sometimes far: took_apf(page(1)) }`;
  const spec = programOf(text, 'linux_6_12').exploration;
  assert.equal([spec?.depth, spec?.states, spec?.judgements.length], [7, 2000, 1]);
  assert.equal(
    spec?.budgets[0]?.acts.map(op => (op.op === 'evict' ? op.pages : [])),
    [[1]],
  );
});

test('what need not happen happens as often as the budget says, or never', () => {
  const more = (budget: string) =>
    explored(
      faults(
        ONE,
        `explore { ${budget}; sometimes twice: count(not_present(page(1))) == 2; never thrice: count(not_present(page(1))) == 3 }`,
      ),
      'linux_6_12',
    );
  assert.is(said(more('budget evict 0..1')), 'pass');
  assert.is(said(more('budget evict 0..0')), 'fail, twice no');
});

test('a signal ends KVM_RUN and nothing else, wherever it comes', () => {
  const block = (budget: string) =>
    `expect through: done(a)
     explore { ${budget}; sometimes out: count(trace(kvm_userspace_exit)) == 1; never more: count(trace(kvm_userspace_exit)) > 1 }`;
  for (const variant of ['v6', 'linux_5_8', 'linux_6_12']) {
    assert.is(said(explored(faults(ONE, block('budget signal 0..1')), variant)), 'pass');
    assert.is(said(explored(faults(ONE, block('budget signal 0..0')), variant)), 'fail, out no');
  }
  const run = createSimulation(
    programOf(
      faults(ONE, 'after took_apf(page(1)) signal to t.vcpu[0]\nexpect out: count(trace(kvm_userspace_exit)) == 1'),
      'linux_6_12',
    ),
  );
  run.runUntil(run.machine.program.limit_ns, 100_000);
  assert.is(run.outcome().verdict, 'pass');
});

test('what nothing in the file can do is refused', () => {
  for (const [budget, message] of [
    ['budget irq 0..1', /no guest declares an irq/],
    ['budget evict 0..99', /whole numbers from 0 to 16/],
  ] as const)
    assert.match(refusalOf(`explore { ${budget} }`), message);
});

test('a range of failures is a choice, and its lower end is sure', () => {
  const { actions, exploration } = programOf(faults(ONE, 'fail alloc next 1..3'), 'v6');
  assert.equal(actions.at(-1)?.ops, [{ op: 'fail', vm: 0, what: 'alloc', next: 1 }]);
  assert.is(exploration?.budgets[0]?.times, 2);
  const refused = explored(
    faults(ONE, 'fail alloc next 0..1; sometimes told: took_apf(page(1)); sometimes alone: swap_wait(page(1))'),
    'linux_6_12',
  );
  assert.is(said(refused), 'pass');
});

test('the probe finds a halt that a save would take for a real one', () => {
  const probe = faults(ONE, 'explore { probe save at every state }');
  assert.is(said(explored(probe, 'linux_6_12')), 'pass');
  assert.match(said(explored(probe, 'v6')), 'saved_halt of t no');
});

test('what is judged or expected in the block is of explorations alone', () => {
  const text = faults(
    ONE,
    `always honest: real_halts_only(t)
     explore { expect fail of honest on variant v6 because "the halt is stored as a real one"; sometimes never_run: done(a) }`,
  );
  assert.is(said(explored(text, 'v6')), 'xfail, honest no');
  assert.is(said(explored(text, 'linux_6_12')), 'pass');
  const simulation = createSimulation(programOf(text, 'linux_6_12'), {});
  simulation.runUntil(Number.MAX_SAFE_INTEGER, 1_000_000);
  assert.equal(
    simulation.outcome().judgements.map(({ name }) => name),
    ['honest'],
  );
});

test('fewer steps at which a thread may be interrupted make fewer states', () => {
  const all = explored(faults(ONE, 'never stuck: deadlock'), 'linux_6_12', { reductions: new Set() });
  const few = explored(
    faults(ONE, 'never stuck: deadlock; explore { yield at [before_entry, worker_thread] }'),
    'linux_6_12',
    { reductions: new Set() },
  );
  assert.is(said(few), 'pass');
  assert.ok(few.states < all.states, `${few.states} < ${all.states}`);
});

test.run();
