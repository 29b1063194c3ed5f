/**
 * `npm run bench:explore`: how long an exploration takes on problems of a standard set.
 *
 * V vCPUs, P pages, T tasks on each vCPU, each of which touches K pages. The guest is told of page faults (pv) or is not.
 * Each problem within a budget of states and of time; one that was not gone through to its end says so, and its states then
 * count for nothing but the rate.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { REDUCTIONS } from '../src/explore/explore.ts';
import { scriptArgs } from './args.ts';
import { bareSearch } from './bench/bare.ts';
import { BENCH, type Figure } from './bench/schema.ts';
import { build, isStale } from './build.ts';
import { ROOT } from './imports.ts';

const USAGE = `npm run bench:explore -- [--json] [--only NAME] [--way NAME] [--states N] [--seconds N] [--quick]

Explores the standard problems with one and with two threads, and with each reduction left out.
  --json          an array of {name, value, unit, yardstick, ratio}: see docs/schema/bench.json
  --only NAME     problems whose name contains NAME, such as V1P2T2; may be repeated
  --way NAME      ways whose name contains NAME, such as '2 threads' or 'without'; may be repeated
  --states N      at most so many states each (2000000)
  --seconds N     at most so long each (60)
  --quick         one thread, all reductions, 5000 states

The yardstick is a search over a typed array with as many moves, which has no model at all: bench/bare.ts.`;

interface Problem {
  readonly name: string;
  readonly vcpus: number;
  readonly pages: number;
  readonly tasks: number;
  /** Pages that each task touches. */
  readonly touches: number;
  /** Each page is touched on every vCPU. */
  readonly shared: boolean;
  readonly acts: string;
  readonly budgets: string;
}

const size = (vcpus: number, pages: number, tasks: number, touches: number): Problem => {
  const name = `V${vcpus}P${pages}T${tasks}K${touches}`;
  return { name, vcpus, pages, tasks, touches, shared: false, acts: '', budgets: '' };
};

const PROBLEMS: readonly Problem[] = [
  size(1, 2, 2, 2),
  size(1, 3, 2, 3),
  size(2, 1, 1, 1),
  size(2, 2, 1, 1),
  size(2, 2, 1, 2),
  size(2, 2, 2, 1),
  { ...size(2, 2, 2, 1), name: 'V2P2T2K1 shared', shared: true },
  { ...size(1, 2, 2, 1), name: 'V1P2T2K1 with an NMI and a save', budgets: 'budget nmi 0..1; budget save 0..1' },
  {
    ...size(1, 2, 1, 2),
    name: 'V1P2T1K2 with an eviction and a tick',
    acts: 'at 10us evict t.page(1)',
    budgets: 'budget tick 0..1',
  },
];

const PAGES = [1, 4, 7];

/** Tasks touch their pages in turn: beginning with that of their vCPU or, where all are shared, with the next for each. */
function bodyOf({ vcpus, pages, touches, shared }: Problem, task: number): string {
  const first = shared ? Math.floor(task / vcpus) : task % vcpus;
  const touched = Array.from({ length: touches }, (_, index) => PAGES[(first + index) % pages]);
  return touched.map(page => `read page(${page}); `).join('');
}

function scenario(problem: Problem, pv: boolean): string {
  const { vcpus, pages, tasks, acts, budgets } = problem;
  const declared = Array.from(
    { length: vcpus * tasks },
    (_, task) => `task t${task} on vcpu[${task % vcpus}] user { ${bodyOf(problem, task)}done }`,
  );
  const tick = budgets.includes('tick') ? 'timer tick every 1ms on vcpu[0] { reschedule }' : '';
  return `language 1
title "A standard problem"
import "std/invariants.apf"
host h { cpus ${vcpus + 1}; ram 1MiB; page 4KiB; workers 2; swap d { size 256KiB; read fixed(100us); depth 64; readahead 1 pages } }
vm t on h {
  ram 64KiB; paging tdp; irqchip kernel; vcpus ${vcpus}
  guest { apf ${pv ? 'on' : 'off'}; heap 32KiB; ${declared.join('; ')}; ${tick} }
}
${PAGES.slice(0, pages)
  .map(page => `evict t.page(${page})`)
  .join('; ')}
${acts}
${budgets ? `explore { ${budgets} }` : ''}
case "all" {
  always woken: no_unwoken_sleeper(t)
  always honest: real_halts_only(t)
  always once: items_freed_once(t)
  expect owed: every_token_is_owed(t)
  ${budgets.includes('nmi') ? 'always single: no_nested_nmi(t)' : ''}
  expect ends: each k in t.tasks: done(k)
}
`;
}

const REPORT = z.object({
  results: z.array(
    z.object({
      verdict: z.string(),
      states: z.number(),
      transitions: z.number(),
      stopped: z.string().nullable(),
      bytes_per_state: z.number(),
      seconds: z.number(),
    }),
  ),
});
type Result = z.infer<typeof REPORT>['results'][number];

const { values } = scriptArgs(USAGE, {
  json: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  way: { type: 'string', multiple: true, default: [] },
  states: { type: 'string', default: '2000000' },
  seconds: { type: 'string', default: '60' },
  quick: { type: 'boolean', default: false },
});

/** What is tried of each problem. Reductions that are named are there from the start, however small the world. */
const WAYS: readonly { readonly name: string; readonly flags: readonly string[] }[] = [
  { name: '1 thread', flags: ['--workers', '1', '--reductions', REDUCTIONS.join()] },
  ...(values.quick
    ? []
    : [
        { name: '2 threads', flags: ['--workers', '2', '--reductions', REDUCTIONS.join()] },
        ...REDUCTIONS.map(left_out => ({
          name: `without ${left_out}`,
          flags: ['--reductions', REDUCTIONS.filter(each => each !== left_out).join()],
        })),
        { name: 'without reductions', flags: ['--no-reduce'] },
      ]),
];

async function explored(file: string, flags: readonly string[]): Promise<Result> {
  const states = values.quick ? '5000' : values.states;
  const wanted = ['--variants', 'linux_6_12', '--all', '--report', 'json', '--timing', '--states', states, ...flags];
  const child = spawn(process.execPath, [join(ROOT, 'bin/apflab.js'), 'explore', file, ...wanted]);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // An interrupted exploration says what was covered.
  const limit = setTimeout(() => child.kill('SIGINT'), 1000 * Number(values.seconds));
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  clearTimeout(limit);
  const [result] = stdout.startsWith('{') ? REPORT.parse(JSON.parse(stdout)).results : [];
  if (!result) throw new Error(`${file} ${flags.join(' ')} was not explored: ${stderr}`);
  return result;
}

const rounded = (value: number) => Number(value.toPrecision(4));

function figuresOf(
  name: string,
  { states, transitions, seconds, bytes_per_state, stopped }: Result,
): readonly Figure[] {
  const said = stopped === null ? name : `${name}, not exhausted`;
  const bare_s = bareSearch(states, transitions);
  const plain = (what: string, value: number, unit: string): Figure => {
    return { name: `${said}: ${what}`, value: rounded(value), unit, yardstick: null, ratio: null };
  };
  return [
    plain('states', states, ''),
    plain('transitions', transitions, ''),
    plain('memory', bytes_per_state, 'B/state'),
    {
      name: `${said}: rate`,
      value: rounded(states / seconds),
      unit: 'states/s',
      yardstick: rounded(states / bare_s),
      ratio: rounded(bare_s / seconds),
    },
    plain('time', seconds, 's'),
  ];
}

if (isStale()) await build();
const folder = mkdtempSync(join(tmpdir(), 'apflab-bench-'));
try {
  const figures: Figure[] = [];
  for (const problem of PROBLEMS)
    for (const pv of [true, false]) {
      const name = `${problem.name} ${pv ? 'pv' : 'non-pv'}`;
      if (values.only.length > 0 && !values.only.some(each => name.includes(each))) continue;
      const file = join(folder, 'problem.apf');
      writeFileSync(file, scenario(problem, pv));
      for (const way of WAYS) {
        if (values.way.length > 0 && !values.way.some(each => way.name.includes(each))) continue;
        const result = await explored(file, way.flags);
        figures.push(...figuresOf(`${name}, ${way.name}`, result));
        if (!values.json) console.log(line(`${name}, ${way.name}`, result));
      }
    }
  if (values.json) console.log(JSON.stringify(BENCH.parse(figures), null, 2));
  else console.log('\nyardstick: a search over a typed array, without a model; spin was not measured');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function line(name: string, result: Result): string {
  const { verdict, states, transitions, bytes_per_state, seconds, stopped } = result;
  const rate = Math.round(states / seconds);
  return [
    name.padEnd(54),
    `${states} states`.padStart(15),
    `${transitions} transitions`.padStart(20),
    `${Math.round(bytes_per_state)} B/state`.padStart(12),
    `${rate} states/s`.padStart(15),
    `${seconds.toFixed(1)} s`.padStart(8),
    `  ${stopped === null ? verdict : `not exhausted: ${stopped}`}`,
  ].join('');
}
