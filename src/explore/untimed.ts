/**
 * A program with its times taken away: an exploration knows order and no clock.
 *
 * What would have taken time may come at any point instead. What would have been paced happens when it is its turn. A
 * judgement that names a time is about the clock and is left out, but for a deadline: "within 1ms" becomes "some time".
 */
import type { Action, Distribution, Judgement, Program, TaskOp, VmSpec } from '../sim/program.ts';

const AT_ONCE: Distribution = { kind: 'fixed', ns: 0 };

export interface Untimed {
  readonly program: Program;
  /** Judgements that only a clock can decide. */
  readonly left_out: readonly Judgement[];
  /** Why it cannot be explored, or null. */
  readonly refusal: string | null;
}

export function untimed(program: Program): Untimed {
  const explored = program.exploration;
  const judged = [...program.judgements, ...(explored?.judgements ?? [])].map(each => ({
    each,
    ordered: orderOnly(each),
  }));
  const kept = judged.flatMap(({ ordered }) => ordered ?? []);
  const names = new Set(kept.map(({ name }) => name));
  return {
    program: {
      ...program,
      untimed: true,
      limit_ns: Number.MAX_SAFE_INTEGER,
      limit_steps: Number.MAX_SAFE_INTEGER,
      hosts: program.hosts.map(host => ({
        ...host,
        halt_poll_ns: 0,
        swap: host.swap && { ...host.swap, read: AT_ONCE, write: AT_ONCE, error_ppm: 0 },
      })),
      vms: program.vms.map(untimedVm),
      actions: [...program.actions.map(pending), ...spontaneous(program)],
      judgements: kept,
      expectations: [...program.expectations, ...(explored?.expectations ?? [])].filter(({ of }) => names.has(of)),
      report: [],
    },
    left_out: judged.filter(({ ordered }) => ordered === null).map(({ each }) => each),
    refusal: refusalOf(program),
  };
}

/** What is raced or chosen at the start is pending then, and not done. A condition is looked at from the start on. */
function pending(action: Action): Action {
  if (action.trigger.kind === 'when') return { ...action, trigger: { ...action.trigger, from_ns: 0 } };
  const open = action.raced || action.choice !== undefined;
  return open && action.trigger.kind === 'start' ? { ...action, trigger: { kind: 'at', ns: 0 }, raced: true } : action;
}

/** Each act of a budget as an action that an exploration may take. */
function spontaneous({ exploration }: Program): readonly Action[] {
  const budgets = exploration?.budgets.filter(({ what }) => what !== 'tick') ?? [];
  return budgets.flatMap(({ acts, place }, index) =>
    acts.map(act => ({ place, trigger: { kind: 'budget' as const, group: index + 1 }, ops: [act] })),
  );
}

/** The judgement as far as it is about order, or null where it is about time alone. */
function orderOnly(judgement: Judgement): Judgement | null {
  const { kind, at_ns, by_ns, during_ns, for_ns, opens, within_ns } = judgement;
  if (at_ns !== null || during_ns !== null || for_ns !== null) return null;
  if (opens !== null && opens.kind !== 'after' && opens.kind !== 'when') return null;
  if (within_ns !== null && (kind === 'always' || kind === 'never')) return null;
  const some_time = by_ns !== null && kind === 'expect' ? ('eventually' as const) : kind;
  return { ...judgement, kind: some_time, by_ns: null, within_ns: null };
}

function untimedVm(vm: VmSpec): VmSpec {
  return {
    ...vm,
    guest: { ...vm.guest, tasks: vm.guest.tasks.map(task => ({ ...task, ops: task.ops.map(untimedOp) })) },
  };
}

function untimedOp(op: TaskOp): TaskOp {
  switch (op.op) {
    case 'work':
    case 'sleep':
      return { op: op.op, time: AT_ONCE };
    case 'read':
    case 'write':
      return { ...op, rate_per_s: 0 };
    default:
      return op;
  }
}

/** What is drawn by lot has no set of orders: each draw would be one of many values. */
function refusalOf({ vms }: Program): string | null {
  for (const { guest } of vms)
    for (const { name, ops } of guest.tasks)
      for (const op of ops)
        if ((op.op === 'read' || op.op === 'write') && (op.page.kind === 'uniform' || op.page.kind === 'zipf'))
          return `task ${name} touches a page drawn by lot; an exploration needs pages that are named`;
  return null;
}
