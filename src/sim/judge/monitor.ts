/**
 * Judgements while a run goes on: each kind decides at the first moment at which nothing can change its mind.
 *
 * Time words mean: `at T` the state when everything up to T has happened; `by T` true at some moment up to T; `during`
 * throughout, unless the condition itself counts or measures, which then does so over that span; `within T after E` for
 * each E. A step that happens at T belongs to T.
 */
import { durationText } from '../../base/duration.ts';
import { matcherOf } from '../pattern.ts';
import type { EventPattern, Expr, Judgement } from '../program.ts';
import { anywhere } from './anywhere.ts';
import { compileTruth } from './compile.ts';
import { whenever } from './measures.ts';
import type { Context, TruthNode } from './node.ts';
import { not } from './operators.ts';
import { eventText, exprText } from './text.ts';

export const UNDECIDED = 0;
export const HOLDS = 1;
export const FAILS = 2;

export type End = 'time' | 'quiescent' | 'steps';

export interface Monitor {
  /** What should be so, where that is a condition. */
  readonly condition: TruthNode | null;
  /** The next virtual time at which it wants to be asked before the clock passes it. */
  due(): number;
  /** The clock stands at due() and is about to go on. */
  pass(): void;
  /** Nothing follows. Whatever is left undecided stays so. */
  finish(end: End): void;
}

/** Where a monitor puts what it finds. The first answer stands. */
export interface Decision {
  readonly undecided: () => boolean;
  decide(verdict: typeof HOLDS | typeof FAILS, actual: string): void;
}

type MakeMonitor = (judgement: Judgement, context: Context, decision: Decision) => Monitor;

const NEVER = Number.POSITIVE_INFINITY;

const MEASURES: ReadonlySet<Expr['k']> = new Set([
  'happened',
  'before',
  'count_events',
  'rate_events',
  'max_time',
  'aggregate',
  'writers',
  'trace',
]);

/** Whether a condition counts or measures, and so takes the judgement's span as its own. */
const measures = (expr: Expr): boolean => anywhere(expr, part => MEASURES.has(part.k));

/** A rate that lasts `for T` is the rate over the last T. */
const hasRate = (expr: Expr): boolean => anywhere(expr, part => part.k === 'rate_events');

/**
 * `for T`: true once the condition has lasted that long without a break. Looked at whenever it may change, since what
 * lasted until this very moment has lasted, even if it breaks now.
 */
function lasting(condition: TruthNode, for_ns: number | null, context: Context): TruthNode {
  if (for_ns === null) return condition;
  const { cells, now, window } = context;
  const since = cells.newCells(2, -1);
  const held = since + 1;
  const lasted = () => cells.values[since]! >= 0 && now.ns - cells.values[since]! >= for_ns;
  const look = () => {
    const { values } = cells;
    values[held] = lasted() ? 1 : 0;
    if (!condition.get()) values[since] = -1;
    else if (values[since]! < 0) values[since] = Math.max(now.ns, window.from_ns);
  };
  const depends = { ...condition.depends, step: true };
  whenever(context, depends, look);
  const why = () => `${condition.why()} for ${durationText(Math.max(0, now.ns - Math.max(0, cells.values[since]!)))}`;
  return { ...condition, depends, get: () => cells.values[held] === 1 || lasted(), why };
}

/** Judges at one moment: the end, `at T`, or the end of the span that the condition measures over. */
function atMoment(at_ns: number | null, body: TruthNode, decision: Decision): Monitor {
  const judge = () => decision.decide(body.get() ? HOLDS : FAILS, body.why());
  return {
    condition: body,
    due: () => (at_ns !== null && decision.undecided() ? at_ns : NEVER),
    pass: judge,
    finish(end) {
      if (end === 'quiescent' || (end === 'time' && at_ns === null)) judge();
    },
  };
}

/** Holds at the first moment in which `body` is true; fails when the time is over. */
function byDeadline(by_ns: number | null, body: TruthNode, context: Context, decision: Decision): Monitor {
  const { now, window } = context;
  const look = () => {
    if (!decision.undecided() || now.ns < window.from_ns || (by_ns !== null && now.ns > by_ns)) return;
    if (body.get()) decision.decide(HOLDS, '');
  };
  whenever(context, body.depends, look);
  const fail = () => decision.decide(FAILS, body.why());
  return {
    condition: body,
    due: () => (by_ns !== null && decision.undecided() ? by_ns : NEVER),
    pass() {
      look();
      fail();
    },
    finish(end) {
      look();
      if (end === 'quiescent' || (end === 'time' && by_ns === null)) fail();
    },
  };
}

/**
 * Fails at the first moment in the span at which `body` is not as wanted. With `after E` it looks only from each E on,
 * for as long as `within` says.
 */
function throughout(
  judgement: Judgement,
  body: TruthNode,
  wanted: boolean,
  context: Context,
  decision: Decision,
): Monitor {
  const { m, cells, hooks, now, window } = context;
  const { after, within_ns } = judgement;
  const until = cells.newCells(1, after ? -1 : NEVER);
  const look = () => {
    if (!decision.undecided() || now.ns < window.from_ns || now.ns > window.to_ns || now.ns > cells.values[until]!)
      return;
    if (body.get() !== wanted) decision.decide(FAILS, body.why());
  };
  if (after) {
    hooks.onEvent(m, matcherOf(m.places, after), () => {
      cells.values[until] = within_ns === null ? NEVER : now.ns + within_ns;
    });
  }
  whenever(context, body.depends, look);
  return {
    condition: wanted ? body : not(body, `not ${body.text}`),
    // The state that the span begins with counts too, although no step made it.
    due: () => (!decision.undecided() ? NEVER : now.ns < window.from_ns ? window.from_ns : window.to_ns),
    pass() {
      look();
      if (now.ns >= window.to_ns) decision.decide(HOLDS, '');
    },
    finish(end) {
      look();
      if (end !== 'steps') decision.decide(HOLDS, '');
    },
  };
}

/** `eventually B within T after E`: each E opens an obligation, which the first B at or after it closes. */
function obligations(
  after: EventPattern,
  within_ns: number | null,
  body: TruthNode,
  context: Context,
  decision: Decision,
): Monitor {
  const { m, cells, hooks, now, bases, window } = context;
  // One log of records of a fixed length: when it began, then where each count of events in the body stood.
  const opened = cells.newLog();
  const length = 1 + bases.length;
  const closed = cells.newCells(1);
  const first = () => cells.values[closed]! * length;
  const open = () => opened.length > first();
  const deadline = () => (within_ns === null || !open() ? NEVER : opened.at(first()) + within_ns);
  const look = () => {
    while (decision.undecided() && open()) {
      if (now.ns > deadline()) return fail();
      bases.forEach(({ base }, index) => {
        cells.values[base] = opened.at(first() + 1 + index);
      });
      if (!body.get()) return;
      cells.values[closed] = cells.values[closed]! + 1;
      context.reschedule();
    }
  };
  const fail = () =>
    decision.decide(FAILS, `after ${eventText(after)} at ${durationText(opened.at(first()))}: ${body.why()}`);
  whenever(context, body.depends, look);
  hooks.onEvent(m, matcherOf(m.places, after), () => {
    if (!decision.undecided() || now.ns < window.from_ns || now.ns > window.to_ns) return;
    opened.push(now.ns);
    for (const { count } of bases) opened.push(cells.values[count]!);
    context.reschedule();
    if (!body.depends.step) look();
  });
  return {
    condition: body,
    due: () => (decision.undecided() ? deadline() : NEVER),
    pass() {
      look();
      if (open() && now.ns >= deadline()) fail();
    },
    finish(end) {
      look();
      if (!decision.undecided() || end === 'steps') return;
      if (!open()) decision.decide(HOLDS, '');
      else if (end === 'quiescent' || within_ns === null) fail();
      // The run's time is over before the deadline: those that were due have been kept, which counts if there were any.
      else if (cells.values[closed]! > 0) decision.decide(HOLDS, '');
    },
  };
}

/** `a -> b -> c`: a b at or after the first a, a c at or after that b. */
function inOrder(judgement: Judgement, context: Context, decision: Decision): Monitor {
  const { m, cells, hooks, now, window } = context;
  const { order } = judgement;
  const matched = cells.newCells(1);
  const times = cells.newCells(order.length);
  // Last place first, so that one observation moves one place on: `irq(x) -> irq(x)` asks for two.
  for (let index = order.length - 1; index >= 0; index -= 1) {
    hooks.onEvent(m, matcherOf(m.places, order[index]!), () => {
      if (cells.values[matched] !== index || now.ns < window.from_ns || now.ns > window.to_ns) return;
      cells.values[times + index] = now.ns;
      cells.values[matched] = index + 1;
      if (index === order.length - 1) decision.decide(HOLDS, '');
    });
  }
  return {
    condition: null,
    due: () => (decision.undecided() ? window.to_ns : NEVER),
    pass: fail,
    finish(end) {
      if (end === 'quiescent' || (end === 'time' && window.to_ns === NEVER)) fail();
    },
  };

  function fail(): void {
    const done = cells.values[matched]!;
    const missing = order[done];
    if (!missing) return;
    const before =
      done === 0 ? '' : ` after ${eventText(order[done - 1]!)} at ${durationText(cells.values[times + done - 1]!)}`;
    decision.decide(FAILS, `no ${eventText(missing)}${before}`);
  }
}

/** The span over which a judgement looks. */
export function windowOf({ during_ns, by_ns, at_ns }: Judgement): { readonly from_ns: number; readonly to_ns: number } {
  if (during_ns) return { from_ns: during_ns[0], to_ns: during_ns[1] };
  return { from_ns: 0, to_ns: by_ns ?? at_ns ?? NEVER };
}

function bodyOf({ body, for_ns }: Judgement, context: Context): TruthNode {
  if (for_ns !== null && hasRate(body)) return compileTruth(body, { ...context, rate_window_ns: for_ns });
  return lasting(compileTruth(body, context), for_ns, context);
}

const sometime: MakeMonitor = (judgement, context, decision) => {
  const body = bodyOf(judgement, context);
  if (judgement.after) return obligations(judgement.after, judgement.within_ns, body, context, decision);
  return byDeadline(judgement.within_ns ?? finite(context.window.to_ns), body, context, decision);
};

const finite = (ns: number): number | null => (ns === NEVER ? null : ns);

export const MONITORS: Readonly<Record<Judgement['kind'], MakeMonitor>> = {
  expect(judgement, context, decision) {
    const { during_ns, at_ns, by_ns, after, for_ns } = judgement;
    if (after) return sometime(judgement, context, decision);
    const body = bodyOf(judgement, context);
    if (by_ns !== null || (during_ns && for_ns !== null))
      return byDeadline(finite(context.window.to_ns), body, context, decision);
    if (during_ns && !measures(judgement.body)) return throughout(judgement, body, true, context, decision);
    return atMoment(at_ns ?? during_ns?.[1] ?? null, body, decision);
  },
  /** With `for T`, what must not last that long is the opposite. */
  always(judgement, context, decision) {
    const { body, for_ns } = judgement;
    if (for_ns === null || hasRate(body))
      return throughout(judgement, bodyOf(judgement, context), true, context, decision);
    const opposite = not(compileTruth(body, context), `not ${exprText(body)}`);
    return throughout(judgement, lasting(opposite, for_ns, context), false, context, decision);
  },
  never: (judgement, context, decision) => throughout(judgement, bodyOf(judgement, context), false, context, decision),
  eventually: sometime,
  sometimes: sometime,
  order: inOrder,
};
