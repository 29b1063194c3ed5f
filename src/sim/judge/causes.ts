/**
 * Who is behind an event: `because_of`, `woken_by`.
 *
 * A thread does what it does because it is awake, so causes travel with wake-ups: whatever happens in a thread is owed to
 * the thread that last woke it, to what that one was woken for, and so on. A kick adds to what its vCPU thread owes.
 */
import type { EventPattern, Expr } from '../expr.ts';
import { OBS } from '../observe.ts';
import { doerOf, isDoing, matcherOf } from '../pattern.ts';
import { momentText } from './moment.ts';
import { CONSTANT, type Context, type TruthNode } from './node.ts';
import { eventText, exprText } from './text.ts';

type ExprOf<K extends Expr['k']> = Extract<Expr, { readonly k: K }>;

/** One cell for each thread; what is no thread (devices, timers, the scenario) stands behind the last. */
function threadCells({ m, cells }: Context, value: number): number {
  return cells.newCells(m.places.threads.length + 1, value);
}

const current = ({ m }: Context): number => Math.min(m.clock.current_thread, m.places.threads.length);

const whole = ({ now, window }: Context): boolean => now.ns >= window.from_ns && now.ns <= window.to_ns;

/** True once the event has happened while `owed` held; for an obligation, once since that began. */
function onceSo(
  event: EventPattern,
  text: string,
  context: Context,
  owed: () => boolean,
  otherwise: () => string,
): TruthNode {
  const { m, cells, hooks, now, bases } = context;
  const count = cells.newCells(2);
  const [at, without] = [count + 1, cells.newCells(1)];
  const base = cells.newCells(1);
  bases.push({ count, base });
  const matcher = matcherOf(m.places, event);
  hooks.onEvent(m, matcher, () => {
    if (!whole(context)) return;
    if (owed()) {
      cells.values[count] = cells.values[count]! + 1;
      cells.values[at] = now.ns;
    } else cells.values[without] = 1;
  });
  const get = () => cells.values[count]! > cells.values[base]!;
  const why = () => {
    if (get()) return `${text}${momentText(m, ', at ', cells.values[at]!)}`;
    return cells.values[without] === 1
      ? `${eventText(event)} has happened, ${otherwise()}`
      : `${eventText(event)} has not happened`;
  };
  const depends = { ...CONSTANT, observations: new Set([matcher.observation]) };
  return { t: 'truth', text, depends, get, why, show: () => String(get()) };
}

export function wokenBy(expr: ExprOf<'woken_by'>, context: Context): TruthNode {
  const { m, cells, hooks } = context;
  const woken = threadCells(context, 0);
  const wanted = doerOf(m.places, expr.waker);
  // Before the event's own hook: the wake-up may be what is asked about.
  hooks.onObservation(OBS.wakeup, (_, thread) => {
    cells.values[woken + thread] = isDoing(m, wanted) ? 1 : 0;
  });
  const text = exprText(expr);
  return onceSo(
    expr.event,
    text,
    context,
    () => cells.values[woken + current(context)] === 1,
    () => `in a thread that ${expr.waker.name} had not woken`,
  );
}

export function becauseOf(expr: ExprOf<'because_of'>, context: Context): TruthNode {
  const { m, cells, hooks, now } = context;
  // When the cause came about, of those that it has led to; -1 elsewhere. What is no thread owes nothing to the past.
  const owed = threadCells(context, -1);
  const outside = m.places.threads.length;
  const owes = (thread: number) =>
    thread === outside ? cells.values[owed + thread] === now.ns : cells.values[owed + thread]! >= 0;
  hooks.onEvent(m, matcherOf(m.places, expr.cause), () => {
    cells.values[owed + current(context)] = now.ns;
  });
  hooks.onObservation(OBS.wakeup, (_, thread) => {
    cells.values[owed + thread] = owes(current(context)) ? now.ns : -1;
  });
  hooks.onObservation(OBS.kick, (_, vcpu) => {
    const { thread } = m.places.vcpus[vcpu]!;
    if (owes(current(context))) cells.values[owed + thread] = now.ns;
  });
  const text = exprText(expr);
  return onceSo(
    expr.event,
    text,
    context,
    () => owes(current(context)),
    () => `and owes nothing to ${eventText(expr.cause)}`,
  );
}
