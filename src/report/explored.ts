/** What an exploration covered and what it did not, in words. */
import type { Explored } from './result.ts';

/** `355 states, 725 transitions, depth 33, collision odds 3e-15`. */
export function coveredText({ exploration: { states, transitions, depth, collision_odds } }: Explored): string {
  const odds = collision_odds === 0 ? [] : [`collision odds ${collision_odds.toExponential(0)}`];
  return [plural(states, 'state'), plural(transitions, 'transition'), `depth ${depth}`, ...odds].join(', ');
}

/** The bounds that were set, those of what need not happen included, as far as there are any. */
export function boundsOf({ exploration: { program, budgets }, options }: Explored): {
  readonly depth: number | null;
  readonly preemptions: number | null;
  readonly states: number | null;
  readonly memory_bytes: number | null;
  readonly budgets: Readonly<Record<string, number>>;
  readonly fair: string[] | null;
} {
  const { depth, preemptions, states, memory_bytes } = options;
  const fair = program.exploration?.fair ?? null;
  return { depth, preemptions, states, memory_bytes, budgets, fair: fair && [...fair] };
}

/** What a reader of the verdict has to know, a line each. */
export function notesOf(explored: Explored): readonly string[] {
  const { exploration, options, seconds } = explored;
  const { depth, preemptions, states, fair } = boundsOf(explored);
  const bounds = [
    ...Object.entries(exploration.budgets).map(([what, times]) => `${what} 0..${times}`),
    ...(fair === null ? [] : [`fair [${fair.join(', ')}]`]),
    ...(depth === null ? [] : [`depth ${depth}`]),
    ...(preemptions === null ? [] : [`preemptions ${preemptions}`]),
    ...(states === null ? [] : [`states ${states}`]),
  ];
  const yields = exploration.program.exploration?.yields;
  const walks = options.strategy === 'random' || options.strategy === 'pct';
  return [
    ...(bounds.length === 0 ? [] : [`within ${bounds.join(', ')}`]),
    ...(walks ? [`${plural(options.walks, 'walk')} by ${options.strategy}, seed ${options.seed}`] : []),
    ...(yields ? [`unsound: threads are interrupted at ${yields.join(', ')} only`] : []),
    ...listed('left to a clock', exploration.left_out),
    ...listed('never reached', neverReached(explored)),
    ...(seconds === null ? [] : [`${seconds.toFixed(2)}s, ${Math.round(exploration.bytes_per_state)} bytes per state`]),
  ];
}

/** How far from the start the judgement breaks, on the way that was found. */
export function orderText({ exploration }: Explored, property: string): string {
  const found = exploration.counterexamples.find(({ judgement }) => judgement.name === property);
  return found ? `after ${plural(found.schedule.length, 'step')}` : 'in no order';
}

/** What should be possible, and was met in no order, or in none that was tried. */
export function neverReached({ exploration }: Explored): readonly { readonly name: string }[] {
  return exploration.judgements.filter(({ kind, holds }) => kind === 'sometimes' && holds !== 'yes');
}

function listed(words: string, of: readonly { readonly name: string }[]): readonly string[] {
  return of.length === 0 ? [] : [`${words}: ${of.map(({ name }) => name).join(', ')}`];
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
