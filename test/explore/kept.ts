/** A process that explores, says so after each checkpoint, and in the end what came out: checkpoint.test.ts kills it. */
import { identityOf, keeperOf, readCheckpoint } from '../../src/cli/checkpoint.ts';
import { newThreads } from '../../src/cli/threads.ts';
import { DEFAULTS, type Exploration, type ExploreOptions, exploring } from '../../src/explore/explore.ts';
import { faults, programOf, said } from './small.ts';

const JUDGED = 'expect finished: done(a); always honest: real_halts_only(t); never stuck: deadlock';
export const TWO = faults(
  'task a on vcpu[0] user { read page(1); done }; task b on vcpu[0] user { read page(4); done }',
  JUDGED,
);

export function summary(exploration: Exploration) {
  const { states, transitions, steps, depth, stopped, endless, counterexamples } = exploration;
  const ways = counterexamples.map(({ judgement, schedule }) => `${judgement.name}: ${schedule.join(' ')}`);
  return { said: said(exploration), states, transitions, steps, depth, stopped, endless, ways };
}

/** As of the command line; what it leaves out, and how, is decided here. */
export function optionsOf(how: string, workers: number): ExploreOptions {
  const threads = workers > 1 ? newThreads() : null;
  const options = { ...DEFAULTS, all: true, workers, threads, walks: 300, depth: isPaths(how) ? 150 : null };
  if (how === 'exact') return { ...options, exact: true };
  return { ...options, strategy: how === 'bfs' || how === 'dfs' || isPaths(how) ? how : 'bfs' };
}

function isPaths(how: string): how is 'random' | 'pct' {
  return how === 'random' || how === 'pct';
}

function explore(path: string, variant: string, how: string, workers: number, resume: boolean): void {
  const program = programOf(TWO, variant);
  const options = optionsOf(how, workers);
  const identity = identityOf(program, options);
  const keeper = keeperOf(path, variant, identity, () => process.uptime() * 1e3, 0);
  const going = exploring(program, {
    ...options,
    resume: resume ? readCheckpoint(path).resumed : null,
    keeper: {
      due: () => keeper.due(),
      keep(checkpoint) {
        keeper.keep(checkpoint);
        process.stdout.write('kept\n');
      },
    },
  });
  let step = going.next();
  while (!step.done) step = going.next();
  process.stdout.write(`${JSON.stringify(summary(step.value))}\n`);
}

const [, self = '', path, variant = '', how = '', workers, resume] = process.argv;
if (self.endsWith('kept.ts') && path) explore(path, variant, how, Number(workers), resume === 'resume');
