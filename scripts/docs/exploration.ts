/**
 * The table in docs/exploration.md: what it takes each strategy to come by the first way to break a judgement.
 *
 * The rest of that page is written by hand. No times: the same table on every machine.
 */
import { SMALL_WORLD_STATES } from '../../src/cli/exploring.ts';
import { compile } from '../../src/dsl/compile.ts';
import { DEFAULTS, type Exploration, type ExploreOptions, explore } from '../../src/explore/explore.ts';
import type { Program } from '../../src/sim/program.ts';
import type { Document } from '../gen_docs.ts';
import { read } from '../imports.ts';
import { table } from '../markdown.ts';

const FILE = 'docs/exploration.md';
const BEGIN = '<!-- begin: npm run docs -->\n';
const END = '<!-- end -->\n';

/** Paths of a walk, steps of a path, and the seeds it is tried with. */
const WALKS = 200;
const LONGEST = 200;
const SEEDS = [0, 1, 2, 3, 4];

interface Bug {
  readonly title: string;
  readonly file: string;
  readonly variant: string;
}

const BUGS: readonly Bug[] = [
  { title: 'B01', file: 'scenarios/explore/b01-phantom-halt.apf', variant: 'v6' },
  { title: 'B07', file: 'scenarios/explore/b07-double-fault.apf', variant: 'linux_4_13' },
  { title: 'B06', file: 'scenarios/explore/b06-completion-eaten.apf', variant: 'linux_2_6_39' },
];

const SEARCHES: readonly (readonly [string, Partial<ExploreOptions>])[] = [
  ['`bfs`', { plain_first: SMALL_WORLD_STATES }],
  ['`bfs --reductions order,identity`', {}],
  ['`bfs --preemptions 1`', { preemptions: 1 }],
  ['`bfs --preemptions 2`', { preemptions: 2 }],
  ['`dfs`', { strategy: 'dfs' }],
];

export const documents: readonly Document[] = [{ file: FILE, render }];

function render(): string {
  const page = read(FILE);
  const begin = page.indexOf(BEGIN) + BEGIN.length;
  const end = page.indexOf(END);
  if (begin < BEGIN.length || end < begin) throw new Error(`${FILE} has no place for the table`);
  return `${page.slice(0, begin)}\n${strategies()}\n${page.slice(end)}`;
}

function strategies(): string {
  const columns = BUGS.map(bug => {
    const program = programOf(bug);
    return [
      ...SEARCHES.map(([, options]) => searched(explore(program, { ...DEFAULTS, ...options }))),
      walked(program, 'random'),
      walked(program, 'pct'),
    ];
  });
  const rows = [...SEARCHES.map(([name]) => name), '`random`', '`pct`'].map((name, row) => [
    name,
    ...columns.map(column => column[row] ?? ''),
  ]);
  return table(['', ...BUGS.map(({ title, variant }) => `${title}, ${variant}`)], rows);
}

/** Its first case, with nothing expected to fail: the first failure is what is looked for. */
function programOf({ file, variant }: Bug): Program {
  const { suite } = compile({ path: file, text: read(file) }, path => ({ path, text: read(path) }));
  const [first] = suite?.cases ?? [];
  const [cell] = first?.cells ?? [];
  const program = first && cell ? first.lower(cell, variant).program : null;
  if (!program) throw new Error(`${file} does not run on ${variant}`);
  const exploration = program.exploration ?? null;
  return { ...program, expectations: [], exploration: exploration && { ...exploration, expectations: [] } };
}

function searched({ counterexamples, states, steps, stopped }: Exploration): string {
  const [way] = counterexamples;
  return way
    ? `${states} states, ${steps} steps: a way of ${way.schedule.length}`
    : `not found: ${stopped ?? 'no way'}`;
}

/** In the middle one of the seeds; where most of them find nothing, how many do. */
function walked(program: Program, strategy: 'random' | 'pct'): string {
  const all = SEEDS.map(seed => explore(program, { ...DEFAULTS, strategy, walks: WALKS, depth: LONGEST, seed }));
  const found = all
    .filter(({ counterexamples }) => counterexamples.length > 0)
    .sort(
      (a, b) =>
        a.steps - b.steps ||
        (a.counterexamples[0]?.schedule.length ?? 0) - (b.counterexamples[0]?.schedule.length ?? 0),
    );
  const middle = found[SEEDS.length >> 1];
  if (!middle) return `by ${found.length} of ${SEEDS.length} seeds`;
  return `${middle.steps} steps: a way of ${middle.counterexamples[0]?.schedule.length}`;
}
