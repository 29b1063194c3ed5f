/**
 * Conditions on what has been: `for`, `was`, `since`, `prev`.
 *
 * Each keeps what it remembers in cells and looks whenever what it is about may have changed; the state that a run begins
 * with is looked at when somebody asks before the first step.
 */
import { durationText } from '../../base/duration.ts';
import type { EventPattern } from '../expr.ts';
import { matcherOf } from '../pattern.ts';
import { whenever } from './measures.ts';
import { momentText } from './moment.ts';
import { type Context, EVERY_STEP, type Node, type TruthNode, unjudgeable } from './node.ts';
import { entityText, eventText, quantityText } from './text.ts';

/**
 * `for T`: true once the condition has lasted that long without a break. Looked at whenever it may change, since what
 * lasted until this very moment has lasted, even if it breaks now.
 */
export function lasting(condition: TruthNode, for_ns: number, context: Context): TruthNode {
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

/** Whether it has been so at any moment that the judgement looks at. */
export function was(of: TruthNode, text: string, context: Context): TruthNode {
  const { cells, now, window } = context;
  const seen = cells.newCells(1);
  const look = () => {
    if (now.ns >= window.from_ns && now.ns <= window.to_ns && of.get()) cells.values[seen] = 1;
  };
  whenever(context, of.depends, look);
  const get = () => {
    look();
    return cells.values[seen] === 1;
  };
  const why = () => (get() ? text : `${of.why()}, and was never otherwise`);
  return { t: 'truth', text, depends: of.depends, get, why, show: () => String(get()) };
}

/**
 * Counts from the last time that `from` came: an event, or a condition that came true. What it is about must hold after
 * the step in which that was, and after every step since.
 */
export function since(of: TruthNode, from: TruthNode | EventPattern, text: string, context: Context): TruthNode {
  const { m, cells, hooks, now } = context;
  // Whether it still holds, when that began (-1: never), and whether the condition was true when last looked at.
  const [held, began, before] = [cells.newCells(1), cells.newCells(1, -1), cells.newCells(1)];
  const come = () => {
    cells.values[held] = 1;
    cells.values[began] = now.ns;
  };
  const condition = 'args' in from ? null : from;
  const from_text = 'args' in from ? eventText(from) : from.text;
  if ('args' in from) hooks.onEvent(m, matcherOf(m.places, from), come);
  const look = () => {
    const is = condition?.get() ?? false;
    if (is && cells.values[before] === 0) come();
    cells.values[before] = is ? 1 : 0;
    if (!of.get()) cells.values[held] = 0;
  };
  whenever(context, EVERY_STEP, look);
  const get = () => cells.values[held] === 1 && of.get();
  const why = () =>
    cells.values[began]! < 0
      ? `${from_text} has not come`
      : get()
        ? `${of.why()} since ${momentText(m, '', cells.values[began]!) || from_text}`
        : `${of.text} has not held all the time since ${momentText(m, '', cells.values[began]!) || from_text}`;
  return { t: 'truth', text, depends: EVERY_STEP, get, why, show: () => String(get()) };
}

/** The value that there was before the last step: two cells, moved on after each. */
export function prev(of: Node, text: string, context: Context): Node {
  const { cells, hooks } = context;
  if (of.t !== 'number' && of.t !== 'words' && of.t !== 'entity' && of.t !== 'truth')
    return unjudgeable(`'${of.text}' has no value`);
  const read = (): number => Number(of.get());
  const [before, last] = [cells.newCells(1, read()), cells.newCells(1, read())];
  hooks.onStep(() => {
    cells.values[before] = cells.values[last]!;
    cells.values[last] = read();
  });
  const get = () => cells.values[before]!;
  const common = { text, depends: EVERY_STEP };
  switch (of.t) {
    case 'truth': {
      const is = () => get() === 1;
      return { ...of, ...common, get: is, why: () => `${text} is ${is()}`, show: () => String(is()) };
    }
    case 'number':
      return { ...of, ...common, get, show: () => quantityText(get(), of.dimension) };
    case 'words':
      return { ...of, ...common, get, show: () => of.words[get()] ?? 'nothing' };
    case 'entity':
      return { ...of, ...common, get, show: () => entityText(context.m, of.kind, get()) };
  }
}
