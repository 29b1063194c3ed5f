/** How often may happen what need not happen at all. */
import type { Program } from '../sim/program.ts';

/** Of what comes again and again (timers, watchdogs, `every`) once, unless the file says otherwise. */
export function ticksOf({ exploration }: Program): number {
  return exploration?.budgets.find(({ what }) => what === 'tick')?.times ?? 1;
}

/** The budgets of a program by name; of ticks only where something ticks. */
export function budgetNames(program: Program): Readonly<Record<string, number>> {
  const { vms, actions, exploration } = program;
  const ticking =
    actions.some(({ trigger }) => trigger.kind === 'every') ||
    vms.some(({ guest }) => guest.timers.length > 0 || guest.nmis.some(({ period_ns }) => period_ns !== null));
  const others = exploration?.budgets.filter(({ what }) => what !== 'tick') ?? [];
  return Object.fromEntries([
    ...(ticking ? [['tick', ticksOf(program)] as const] : []),
    ...others.map(({ what, times }) => [what, times] as const),
  ]);
}
