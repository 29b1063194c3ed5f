/** A process that explores, says so after each checkpoint, and in the end what came out: checkpoint.test.ts kills it. */
import { identityOf, keeperOf, readCheckpoint } from '../../src/cli/checkpoint.ts';
import { newThreads } from '../../src/cli/threads.ts';
import { DEFAULTS, type Exploration, exploring } from '../../src/explore/explore.ts';
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

function explore(path: string, variant: string, strategy: 'bfs' | 'dfs', workers: number, resume: boolean): void {
  const program = programOf(TWO, variant);
  const threads = workers > 1 ? newThreads() : null;
  const options = { ...DEFAULTS, all: true, strategy, workers, threads };
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

const [, self = '', path, variant = '', strategy, workers, how] = process.argv;
if (self.endsWith('kept.ts') && path)
  explore(path, variant, strategy === 'dfs' ? 'dfs' : 'bfs', Number(workers), how === 'resume');
