/** vCPUs that may change places: nothing that they do depends on which of them is which. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { below, type Stream, seedStream } from '../../src/base/rng.ts';
import { DEFAULTS, type Exploration, type ExploreOptions, type ReductionName } from '../../src/explore/explore.ts';
import { Explorer } from '../../src/explore/explorer.ts';
import { PRIVATE } from '../../src/explore/memory.ts';
import { PutOff } from '../../src/explore/put_off.ts';
import { irrelevant } from '../../src/explore/roomy.ts';
import { Standpoint } from '../../src/explore/standpoint.ts';
import { Symmetry } from '../../src/explore/symmetry.ts';
import { untimed } from '../../src/explore/untimed.ts';
import { Visited } from '../../src/explore/visited.ts';
import { World } from '../../src/explore/world.ts';
import { Meaning } from '../../src/sim/meaning.ts';
import type { Program } from '../../src/sim/program.ts';
import { compiledSchema, type S } from '../../src/sim/schema.ts';
import { explored, faults, programOf, said } from './small.ts';

const test = suite('symmetry');
const ALL = ['sync', 'v6', 'v7', 'linux_2_6_39', 'linux_4_19', 'linux_5_8', 'linux_6_1', 'linux_6_12'];
const JUDGED = `
  expect finished: each t in t.tasks: t is finished
  expect owed: every_token_is_owed(t)
  always honest: real_halts_only(t)
  always woken: no_unwoken_sleeper(t)
  never stuck: deadlock
`;

function alike(count: number, ops: string, more = ''): string {
  const tasks = Array.from({ length: count }, (_, id) => `task t${id} on vcpu[${id}] user { ${ops}; done }`);
  return faults(`${tasks.join('; ')}; ${more}`, JUDGED, count);
}

/**
 * The law that the reduction rests on: renamed moves in a renamed world lead to the renamed state. Two worlds go the same
 * way, one of them under other names, and are compared after each move; returns how many moves were made.
 */
function goAlike(program: Program, steps: number, stream: Stream): number {
  const { program: explored } = untimed(program);
  const [world, other] = [new World(explored), new World(explored)];
  const ignored = irrelevant(
    explored,
    world.m.places.vms.map(({ pages }) => pages),
  );
  const meaning = new Meaning(world.m);
  meaning.update();
  const symmetry = Symmetry.of(world, meaning, ignored);
  if (!symmetry) return 0;
  const theirs = new Meaning(other.m);
  const index = below(stream, symmetry.renamings.length);
  const names = symmetry.renamings[index]!;
  const moves = new Int32Array(world.moves);
  const made: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    const enabled = [...moves.subarray(0, world.enabled(moves))];
    const renamed = enabled.map(move => names.moves[move]!).sort((a, b) => a - b);
    const others = [...moves.subarray(0, other.enabled(moves))].sort((a, b) => a - b);
    assert.equal(others, renamed, `moves after ${made.join()}`);
    if (enabled.length === 0) break;
    const move = enabled[below(stream, enabled.length)]!;
    made.push(move);
    world.take(move);
    other.take(names.moves[move]!);
    if (symmetry.isBroken()) break;
    meaning.update();
    world.readBeside();
    symmetry.rename(index);
    theirs.update();
    const differs = differences(world, meaning, theirs, ignored);
    assert.equal(differs, [], `after ${made.join()} under ${index}`);
    const count = other.readBeside();
    assert.equal(
      [...world.beside.numbers.subarray(0, count)],
      [...other.beside.numbers.subarray(0, count)],
      `beside, after ${made.join()}`,
    );
  }
  return made.length;
}

/** Fields in which two states differ, of those that count, and how. */
function differences({ m }: World, one: Meaning, two: Meaning, ignored: ReadonlySet<string>): readonly string[] {
  if (one.bytes.every((byte, index) => byte === two.bytes[index])) return [];
  return compiledSchema.fields.flatMap(({ table, name, kind, hashed }) => {
    if (!hashed || ignored.has(`${table}.${name}`)) return [];
    const key = table as keyof S & string;
    const columns = kind.shape === 'fifo' ? Object.values(m.layout.queues(key, name)) : [m.layout.column(key, name)];
    return columns.flatMap(({ values, first, step, length }) => {
      const Values = values.constructor as Uint32ArrayConstructor;
      const [a, b] = [one, two].map(each => new Values(each.words.buffer, values.byteOffset, values.length));
      return Array.from(values.keys()).flatMap(at =>
        (at - first) % step < length && a![at] !== b![at] ? [`${table}.${name} ${at}: ${a![at]} and ${b![at]}`] : [],
      );
    });
  });
}

function streamOf(seed: number): Stream {
  const stream: Stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };
  seedStream(stream, seed, 'symmetry');
  return stream;
}

const OPS = [
  'read page(1)',
  'write page(4)',
  'read page(1); write page(4)',
  'hlt',
  'preempt off; preempt on',
  'sleep 1us',
];
const MORE = ['', 'timer tick every 100us on vcpu[0] { reschedule }; timer tock every 100us on vcpu[1] { reschedule }'];

for (const variant of ALL)
  test(`renamed moves lead to the renamed state on ${variant}`, () => {
    let moves = 0;
    for (let seed = 0; seed < 12; seed += 1) {
      const stream = streamOf(seed);
      const ops = Array.from({ length: 1 + below(stream, 2) }, () => OPS[below(stream, OPS.length)]!).join('; ');
      const text = alike(3, ops, MORE[below(stream, 3)] ?? '');
      // Acts of a budget, one for each vCPU, change places as well.
      const budgets = below(stream, 2) === 0 ? 'explore { budget nmi 0..2; budget signal 0..1 }' : '';
      const program = programOf(text.replace('never stuck', `${budgets}\n  never stuck`), variant);
      moves += goAlike(program, 400, stream);
    }
    assert.ok(moves > 300, `${moves} moves`);
  });

/** The same worlds with all names and with one for those that are alike; null where there are too many states for a test. */
function compared(text: string, variant: string, options: Partial<ExploreOptions>, most: number): number | null {
  const reductions = options.reductions ?? new Set();
  const plain = explored(text, variant, { ...options, states: most, reductions });
  if (plain.stopped?.endsWith('states')) return null;
  const with_symmetry = new Set<ReductionName>([...reductions, 'symmetry']);
  const reduced = explored(text, variant, { ...options, reductions: with_symmetry });
  assert.is(said(reduced), said(plain), `on ${variant}:\n${text}`);
  assert.is(reduced.stopped, plain.stopped);
  assert.ok(reduced.states <= plain.states);
  const lengths = (of: Exploration) => of.counterexamples.map(each => `${each.judgement.name} ${each.schedule.length}`);
  if (reductions.size === 0) assert.equal(lengths(reduced), lengths(plain));
  return plain.states / reduced.states;
}

test('verdicts and shortest ways are the same, whatever the lot', () => {
  let seen = 0;
  const verdicts = new Set<string>();
  for (let seed = 0; seen < 8; seed += 1) {
    const stream = streamOf(1000 + seed);
    const one = <T>(of: readonly T[]): T => of[below(stream, of.length)]!;
    const ops = Array.from({ length: 1 + below(stream, 2) }, () => one(OPS)).join('; ');
    const text = alike(3, ops, one(['apf off', 'apf off', one(MORE)])).replace(/apf on; (.*apf off)/, '$1');
    const judged = one([
      'each k in t.tasks: done(k)',
      'count(done(t0)) + count(done(t1)) + count(done(t2)) < 3',
      'not some v in t.vcpus: v is blocked',
      'count(evicted) == 0',
    ]);
    const whole = text.replace('always honest', `always lucky: ${judged}; always honest`);
    const variant = one(ALL);
    const factor = compared(whole, variant, { reductions: one([new Set(), new Set(['identity'] as const)]) }, 9000);
    if (factor === null) continue;
    if (factor > 1) seen += 1;
    const all = explored(whole, variant);
    assert.is(
      said(all),
      said(explored(whole, variant, { reductions: new Set() })),
      `with all on ${variant}:\n${whole}`,
    );
    for (const { holds } of explored(whole, variant).judgements) verdicts.add(holds);
  }
  assert.equal([...verdicts].sort(), ['no', 'yes']);
});

for (const variant of ['sync', 'v7', 'linux_6_12'])
  test(`faults of three at once, with one preemption, on ${variant}`, () => {
    const factor = compared(alike(3, 'read page(1)'), variant, { preemptions: 0 }, 60_000);
    assert.ok(factor !== null && factor > 1.5, `${factor} times`);
  });

test('three that are alike: less than a fifth of the states', () => {
  const text = alike(3, 'read page(2)').replace('apf on;', 'apf off;');
  const factor = compared(text, 'linux_6_12', { reductions: new Set(['identity']) }, 9000);
  assert.ok(factor !== null && factor >= 5, `${factor} times`);
});

test('who is named by the scenario keeps its place', () => {
  const named = [
    'always first: not t.vcpu[0] is blocked',
    'sometimes second: done(t1)',
    'always numbers: each v in t.vcpus: v.number < 3',
    'at 10us nmi n to t.vcpu[2]',
  ];
  const options = { reductions: new Set(['symmetry'] as const), preemptions: 0 };
  const text = alike(3, 'read page(2)');
  const states = named.map(each => explored(text.replace('always honest', `${each}; always honest`), 'v7', options));
  assert.equal(
    states.map(({ reductions }) => reductions.join()),
    ['symmetry', '', '', ''],
  );
});

test('what is learned of one is known of all', () => {
  const { program } = untimed(programOf(alike(3, 'read page(1)'), 'linux_6_12'));
  const { footprints, world } = new Explorer(
    program,
    DEFAULTS,
    moves => new Visited(moves),
    null,
    new PutOff(PRIVATE, 2 ** 20),
  );
  const standpoint = new Standpoint(world.m);
  const mode = compiledSchema.fieldNumber('vcpu.mode')!;
  const learn = () => footprints.apply([[...footprints.noted]]);
  footprints.meet(0);
  learn();
  assert.equal(
    [...footprints.classes.subarray(0, 4)].map(each => each > 0),
    [true, true, true, false],
  );
  footprints.begin(standpoint.keyOf(0), 0);
  footprints.read(mode, 0);
  footprints.write(mode, 1, 0, 1);
  footprints.end();
  learn();
  for (const vcpu of [0, 1, 2]) {
    const kind = footprints.kindOf(standpoint.keyOf(vcpu));
    const touched = new Set(kind?.cells);
    for (const row of [0, 1, 2])
      assert.ok(touched.has(footprints.cells.of(mode, row) * 2 + (row === vcpu ? 0 : 1)), `${row} by ${vcpu}`);
  }
});

test('where the model goes by numbers after all, it is begun again without', () => {
  const text = alike(3, 'read page(2)').replace('apf on;', 'apf off;');
  const world = new World(untimed(programOf(text, 'linux_6_12')).program);
  const meaning = new Meaning(world.m);
  meaning.update();
  const symmetry = Symmetry.of(world, meaning, new Set())!;
  assert.is(symmetry.isBroken(), false);
  world.m.vcpus[1]!.guest_ipi = 1;
  assert.is(symmetry.isBroken(), false);
  world.m.vcpus[2]!.guest_ipi = 1;
  assert.is(symmetry.isBroken(), true);
  const { isBroken } = Symmetry.prototype;
  Symmetry.prototype.isBroken = () => true;
  try {
    const plain = explored(text, 'linux_6_12', { reductions: new Set(['identity']) });
    const begun_again = explored(text, 'linux_6_12', { reductions: new Set(['identity', 'symmetry']) });
    assert.is(begun_again.states, plain.states);
    assert.equal(begun_again.reductions, ['identity']);
    const deep = explored(text, 'linux_6_12', { reductions: new Set(['identity', 'symmetry']), strategy: 'dfs' });
    assert.is(deep.states, plain.states);
  } finally {
    Symmetry.prototype.isBroken = isBroken;
  }
});

test.run();
