/**
 * From when to when a judgement looks: from the start or from when its trigger fires, to the end or to its `until`.
 *
 * Where the trigger never fires, nothing is asked: the judgement holds, as one `after E` does when there is no E.
 */
import { matcherOf } from '../pattern.ts';
import type { Judgement } from '../program.ts';
import { whenever } from './measures.ts';
import type { Context, TruthNode, Window } from './node.ts';

const NEVER = Number.POSITIVE_INFINITY;

export interface Opening {
  readonly window: Window;
  /** When an `expect` that says nothing else is judged; infinite for the end of the run. */
  moment(): number;
  /** Whether what opens it has come; true where nothing has to. */
  isOpen(): boolean;
  /** To be told of the event of `until`. */
  whenClosed(handler: () => void): void;
}

/**
 * `judged_once`: what it measures it measures from the start of the run to the moment at which it is judged.
 * `condition`: that of a `when`.
 */
export function openingOf(
  { opens, until, at_ns }: Judgement,
  span: Window,
  judged_once: boolean,
  context: Context,
  condition: TruthNode | null,
): Opening {
  const opened = openedAt(opens, context, condition);
  const window: Window = judged_once || !opened ? span : new OpenedWindow(opened, span);
  const { m, cells, hooks, now } = context;
  return {
    window,
    moment: judged_once && opened ? opened : () => at_ns ?? span.to_ns,
    isOpen: () => !opened || opened() !== NEVER,
    whenClosed(handler) {
      if (!until) return;
      const closed = cells.newCells(1);
      hooks.onEvent(m, matcherOf(m.places, until), () => {
        if (cells.values[closed] === 1 || now.ns < window.from_ns) return;
        cells.values[closed] = 1;
        handler();
        context.reschedule();
      });
    },
  };
}

class OpenedWindow implements Window {
  readonly to_ns: number;
  readonly #opened: () => number;
  readonly #least_ns: number;

  constructor(opened: () => number, { from_ns, to_ns }: Window) {
    this.#opened = opened;
    this.#least_ns = from_ns;
    this.to_ns = to_ns;
  }

  get from_ns(): number {
    return Math.max(this.#opened(), this.#least_ns);
  }
}

/** When the trigger fires, infinite before; null where the judgement waits for nothing. */
function openedAt(opens: Judgement['opens'], context: Context, condition: TruthNode | null): (() => number) | null {
  if (!opens || opens.kind === 'every') return null;
  const { m, cells, hooks, now } = context;
  const at = cells.newCells(1, opens.kind === 'at' ? opens.ns : NEVER);
  const open = (ns: number): void => {
    if (cells.values[at] !== NEVER) return;
    cells.values[at] = ns;
    context.reschedule();
  };
  if (opens.kind === 'after') hooks.onEvent(m, matcherOf(m.places, opens.event), () => open(now.ns + opens.plus_ns));
  if (opens.kind === 'when' && condition) {
    whenever(context, condition.depends, () => {
      if (now.ns >= opens.from_ns && condition.get()) open(now.ns);
    });
  }
  return () => cells.values[at]!;
}
