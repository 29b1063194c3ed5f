/**
 * Judgements while a run goes on: each kind decides at the first moment at which nothing can change its mind.
 *
 * Time words mean: `at T` the state when everything up to T has happened; `by T` true at some moment up to T; `during`
 * throughout, unless the condition itself counts or measures, which then does so over that span; `within T after E` for
 * each E. A step that happens at T belongs to T.
 */
import type { EventPattern, Expr } from '../expr.ts';
import { matcherOf } from '../pattern.ts';
import type { Judgement } from '../program.ts';
import { anywhere, hasRate } from './anywhere.ts';
import { compileTruth } from './compile.ts';
import { whenever } from './measures.ts';
import { momentText } from './moment.ts';
import type { Context, TruthNode } from './node.ts';
import { type Opening, openingOf } from './opening.ts';
import { not } from './operators.ts';
import { lasting } from './past.ts';
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
  /** The event of its `until` has come: nothing after it counts. */
  close(): void;
}

/** Where a monitor puts what it finds. The first answer stands. */
export interface Decision {
  readonly undecided: () => boolean;
  decide(verdict: typeof HOLDS | typeof FAILS, actual: string): void;
}

type MakeMonitor = (judgement: Judgement, context: Context, decision: Decision) => Monitor;

const NEVER = Number.POSITIVE_INFINITY;

type Ticks = Extract<NonNullable<Judgement['opens']>, { readonly kind: 'every' }>;

const MEASURES: ReadonlySet<Expr['k']> = new Set([
  'happened',
  'before',
  'count_events',
  'rate_events',
  'max_time',
  'aggregate',
  'writers',
  'trace',
  'was',
  'because_of',
  'woken_by',
  'happened_to',
]);

/** Whether a condition counts or measures, and so takes the judgement's span as its own. */
const measures = (expr: Expr): boolean => anywhere(expr, part => MEASURES.has(part.k));

/** Judges at one moment: the end, `at T`, when it is opened, or the end of the span that the condition measures over. */
function atMoment({ moment, isOpen }: Opening, body: TruthNode, decision: Decision): Monitor {
  const judge = () => decision.decide(!isOpen() || body.get() ? HOLDS : FAILS, body.why());
  return {
    condition: body,
    due: () => (decision.undecided() ? moment() : NEVER),
    pass: judge,
    finish(end) {
      if (end === 'quiescent' || (end === 'time' && moment() === NEVER)) judge();
    },
    close: judge,
  };
}

/** `every T expect …`: at each of those moments, for as long as the run and `for` go on. */
function atMoments({ period_ns, from_ns, until_ns }: Ticks, body: TruthNode, context: Context, decision: Decision) {
  const { m, cells } = context;
  const next = cells.newCells(1, from_ns);
  const last_ns = Math.min(until_ns ?? NEVER, m.program.limit_ns);
  const due = () => (decision.undecided() && cells.values[next]! <= last_ns ? cells.values[next]! : NEVER);
  return {
    condition: body,
    due,
    pass() {
      if (!body.get()) decision.decide(FAILS, body.why());
      cells.values[next] = cells.values[next]! + period_ns;
      if (cells.values[next]! > last_ns) decision.decide(HOLDS, '');
    },
    finish(end: End) {
      if (end !== 'steps') decision.decide(HOLDS, '');
    },
    close: () => decision.decide(HOLDS, ''),
  };
}

/** Holds at the first moment in which `body` is true; fails when the time is over. */
function byDeadline(by: () => number, body: TruthNode, context: Context, decision: Decision): Monitor {
  const { now, window } = context;
  const look = () => {
    if (!decision.undecided() || now.ns < window.from_ns || now.ns > by()) return;
    if (body.get()) decision.decide(HOLDS, '');
  };
  whenever(context, body.depends, look);
  // What was never opened asks for nothing.
  const fail = () => decision.decide(window.from_ns === NEVER ? HOLDS : FAILS, body.why());
  return {
    condition: body,
    due: () => (decision.undecided() ? by() : NEVER),
    pass() {
      look();
      fail();
    },
    finish(end) {
      look();
      if (end === 'quiescent' || (end === 'time' && by() === NEVER)) fail();
    },
    close: fail,
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
    close: () => decision.decide(HOLDS, ''),
  };
}

/** Calls back each time that an event happens, or that a condition comes true. */
function onEach(after: EventPattern | TruthNode, context: Context, handler: () => void): void {
  const { m, cells, hooks } = context;
  if ('args' in after) {
    hooks.onEvent(m, matcherOf(m.places, after), handler);
    return;
  }
  const before = cells.newCells(1);
  whenever(context, after.depends, () => {
    const is = after.get();
    if (is && cells.values[before] === 0) handler();
    cells.values[before] = is ? 1 : 0;
  });
}

/** `eventually B within T after E`, `E leads_to B`: each E opens an obligation, which the first B at or after it closes. */
function obligations(
  after: EventPattern | TruthNode,
  within_ns: number | null,
  body: TruthNode,
  context: Context,
  decision: Decision,
): Monitor {
  const { cells, now, bases, window } = context;
  const what = 'args' in after ? eventText(after) : after.text;
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
    decision.decide(FAILS, `after ${what}${momentText(context.m, ' at ', opened.at(first()))}: ${body.why()}`);
  whenever(context, body.depends, look);
  onEach(after, context, () => {
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
    close: () => (open() ? fail() : decision.decide(HOLDS, '')),
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
    close: fail,
  };

  function fail(): void {
    const done = cells.values[matched]!;
    const missing = order[done];
    if (!missing) return;
    if (window.from_ns === NEVER) {
      decision.decide(HOLDS, '');
      return;
    }
    const before =
      done === 0
        ? ''
        : ` after ${eventText(order[done - 1]!)}${momentText(m, ' at ', cells.values[times + done - 1]!)}`;
    decision.decide(FAILS, `no ${eventText(missing)}${before}`);
  }
}

/** The span over which a judgement looks, and when it is opened. */
export function lookOf(judgement: Judgement, context: Context): Opening {
  const { during_ns, by_ns, at_ns, opens } = judgement;
  const span = during_ns
    ? { from_ns: during_ns[0], to_ns: during_ns[1] }
    : { from_ns: 0, to_ns: by_ns ?? at_ns ?? NEVER };
  const condition = opens?.kind === 'when' ? compileTruth(opens.condition, { ...context, bases: [] }) : null;
  return openingOf(judgement, span, isMoment(judgement), context, condition);
}

/** Judged once, at one moment: nothing else than the moment is said. */
function isMoment({ kind, during_ns, by_ns, after, onset, within_ns, for_ns, until }: Judgement): boolean {
  const said = [during_ns, by_ns, after, onset, within_ns, for_ns, until];
  return kind === 'expect' && said.every(each => each === null);
}

function bodyOf({ body, for_ns }: Judgement, context: Context): TruthNode {
  if (for_ns !== null && hasRate(body)) return compileTruth(body, { ...context, rate_window_ns: for_ns });
  const condition = compileTruth(body, context);
  return for_ns === null ? condition : lasting(condition, for_ns, context);
}

const sometime: MakeMonitor = (judgement, context, decision) => {
  const body = bodyOf(judgement, context);
  const { after, onset, within_ns } = judgement;
  const each = after ?? (onset && compileTruth(onset, { ...context, bases: [] }));
  if (each) return obligations(each, within_ns, body, context, decision);
  const { window } = context;
  return byDeadline(
    within_ns === null ? () => window.to_ns : () => window.from_ns + within_ns,
    body,
    context,
    decision,
  );
};

/** What is judged of every moment alike may be judged of each part by itself; what begins or ends with an event may not. */
function falling({ after, opens, until }: Judgement, context: Context, wanted: boolean): Context {
  return after || opens || until ? context : { ...context, wanted };
}

type Make = (judgement: Judgement, context: Context, decision: Decision, opening: Opening) => Monitor;

export const MONITORS: Readonly<Record<Judgement['kind'], Make>> = {
  expect(judgement, context, decision, opening) {
    const { during_ns, by_ns, after, onset, within_ns, for_ns, opens, until } = judgement;
    if (after || onset || within_ns !== null) return sometime(judgement, context, decision);
    const body = bodyOf(judgement, context);
    const { window } = context;
    if (opens?.kind === 'every') return atMoments(opens, body, context, decision);
    if (by_ns !== null || (during_ns && for_ns !== null))
      return byDeadline(() => window.to_ns, body, context, decision);
    if ((during_ns || until) && !measures(judgement.body)) return throughout(judgement, body, true, context, decision);
    return atMoment(opening, body, decision);
  },
  /** With `for T`, what must not last that long is the opposite. */
  always(judgement, context, decision) {
    const { body, for_ns, onset } = judgement;
    if (onset) return sometime(judgement, context, decision);
    if (for_ns === null || hasRate(body))
      return throughout(judgement, bodyOf(judgement, falling(judgement, context, true)), true, context, decision);
    const opposite = not(compileTruth(body, context), `not ${exprText(body)}`);
    return throughout(judgement, lasting(opposite, for_ns, context), false, context, decision);
  },
  never: (judgement, context, decision) =>
    throughout(judgement, bodyOf(judgement, falling(judgement, context, false)), false, context, decision),
  eventually: sometime,
  sometimes: sometime,
  order: inOrder,
};
