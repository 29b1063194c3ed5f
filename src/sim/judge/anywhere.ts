/** Looking through an expression without compiling it. */
import type { Expr } from '../expr.ts';
import type { Program } from '../program.ts';

/** Whether `wanted` is so of an expression or of any part of it. */
export function anywhere(expr: Expr, wanted: (part: Expr) => boolean): boolean {
  if (wanted(expr)) return true;
  const inside = (part: Expr) => anywhere(part, wanted);
  switch (expr.k) {
    case 'not':
    case 'negate':
    case 'get':
    case 'all':
    case 'is':
    case 'max_time':
    case 'writers':
    case 'lasting':
    case 'was':
    case 'prev':
    case 'index':
    case 'each_of':
    case 'why':
      return inside(expr.of);
    case 'since':
      return inside(expr.of) || inside(expr.from);
    case 'happened_to':
      return expr.args.some(arg => arg !== null && inside(arg));
    case 'aggregate':
      return inside(expr.series);
    case 'binary':
      return inside(expr.left) || inside(expr.right);
    case 'quantifier':
      return inside(expr.over) || inside(expr.body);
    case 'list':
    case 'count_true':
      return expr.items.some(inside);
    default:
      return false;
  }
}

/** A rate that lasts `for T` is the rate over the last T. */
export const hasRate = (expr: Expr): boolean => anywhere(expr, part => part.k === 'rate_events');

/** Whether some judgement or report asks who has written what: only then need the machine be made to tell. */
export function asksForWriters({ judgements, report, actions }: Program): boolean {
  const triggers = [...actions.map(each => each.trigger), ...judgements.map(each => each.opens)];
  const conditions = triggers.flatMap(each => (each?.kind === 'when' ? [each.condition] : []));
  const judged = judgements.flatMap(({ body, onset }) => (onset ? [body, onset] : [body]));
  const all = [...judged, ...report.map(each => each.value), ...conditions];
  return all.some(expr => anywhere(expr, part => part.k === 'writers'));
}
