/** What is ordered to fail, to be lost, to come twice or late. */
import type { OrderAct } from '../sim/ordered.ts';
import type { ActionOp, Trigger } from '../sim/program.ts';
import { evaluate } from './evaluate.ts';
import type { Expression } from './expression.ts';
import { numberOf } from './frame.ts';
import type { Lowering } from './lower.ts';
import type { Node } from './statement.ts';
import { FAILURES } from './statements/act.ts';

export class FaultLowering {
  readonly #lowering: Lowering;

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  fail(what: string, vm: Expression | null, times: Expression, condition: Expression | null, at: Node): void {
    const lowering = this.#lowering;
    const holds = condition ? evaluate(condition, lowering.env, false) : null;
    if (holds?.v === 'truth' && !holds.value) return;
    const kind = Object.entries(FAILURES).find(([name]) => name === what)?.[1];
    if (!kind) return;
    const of = vm ? lowering.entity(vm).id : 0;
    const next = (count: number): ActionOp => ({ op: 'fail', vm: of, what: kind, next: count });
    if (times.kind === 'range') lowering.exploration.range(`fail ${what}`, times, at, next);
    else if (condition && !holds) this.#once(condition, next(numberOf(times, lowering.env)), at);
    else lowering.act(next(numberOf(times, lowering.env)), at);
  }

  /** An act that waits for a condition: from the time of the trigger around it on. */
  #once(condition: Expression, op: ActionOp, at: Node): void {
    const { trigger } = this.#lowering;
    if (trigger && trigger.kind !== 'at' && trigger.kind !== 'start')
      this.#lowering.report.error('misplaced-statement', {
        span: condition.span,
        message: 'this trigger already says when',
        help: 'put the condition into a when of its own',
      });
    const from_ns = trigger?.kind === 'at' ? trigger.ns : 0;
    const when: Trigger = { kind: 'when', condition: this.#lowering.expr(condition), from_ns };
    this.#lowering.actions.push({ place: this.#lowering.place(at), trigger: when, ops: [op] });
  }

  order(
    how: OrderAct['how'],
    what: OrderAct['what'],
    vm: Expression | null,
    times: Expression,
    time: Expression | null,
    at: Node,
  ): void {
    const lowering = this.#lowering;
    const of = vm ? lowering.entity(vm).id : 0;
    const ns = time ? lowering.ns(time) : 0;
    const next = (count: number): ActionOp => ({ op: 'order', how, what, vm: of, times: count, ns });
    if (times.kind === 'range') {
      // How late does not matter where there is no clock.
      lowering.exploration.range(`${how} ${what}`, times, at, next);
      return;
    }
    const count = numberOf(times, lowering.env);
    if (!(Number.isInteger(count) && count >= 0 && count <= 1000))
      lowering.env.outOfRange(times, `a whole number from 0 to 1000, not ${count}`);
    if (how === 'delay' && !time)
      lowering.report.error('missing', {
        span: at.span,
        message: 'how late?',
        help: `write delay ${what} ${count} by 1ms`,
      });
    lowering.act(next(count), at);
  }
}
