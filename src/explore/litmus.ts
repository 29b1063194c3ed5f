/**
 * How a race may end: every final state of every order, counted by the outcomes that the scenario names.
 *
 * As herd counts: a state is positive for an outcome if the outcome is so of it. One that is so of no state is forbidden.
 */
import type { Program } from '../sim/program.ts';
import type { ExploreOptions } from './explore.ts';
import { Search, type SearchResult } from './search.ts';
import { untimed } from './untimed.ts';

export interface Litmus {
  readonly outcomes: readonly { readonly name: string; readonly positive: number; readonly negative: number }[];
  /** Final states; of these, such as are none of the outcomes. */
  readonly final: number;
  readonly other: number;
  /** All states, the final ones among them. */
  readonly states: number;
  /** Why not everything was seen; null where everything was. */
  readonly stopped: string | null;
}

export function litmus(timed: Program, options: ExploreOptions): Litmus {
  const outcomes = timed.outcomes ?? [];
  const program: Program = {
    ...untimed(timed).program,
    judgements: [],
    expectations: [],
    report: outcomes.map(({ name, condition }) => ({ title: name, value: condition })),
  };
  const final = new Map<string, readonly boolean[]>();
  const search = new Search(program, {
    ...options,
    quiescent(world, high, low) {
      const key = `${high} ${low}`;
      if (!final.has(key)) final.set(key, world.judge.truths());
    },
  });
  const { states, stopped } = ended(search);
  const found = [...final.values()];
  return {
    outcomes: outcomes.map(({ name }, index) => {
      const positive = found.filter(truths => truths[index]).length;
      return { name, positive, negative: found.length - positive };
    }),
    final: found.length,
    other: found.filter(truths => !truths.includes(true)).length,
    states,
    stopped,
  };
}

function ended(search: Search): SearchResult {
  const going = search.run();
  for (;;) {
    const { done, value } = going.next();
    if (done) return value;
  }
}
