/** Looking through an expression without compiling it. */
import type { Expr, Program } from '../program.ts';

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
      return inside(expr.of);
    case 'aggregate':
      return inside(expr.series);
    case 'binary':
      return inside(expr.left) || inside(expr.right);
    case 'quantifier':
      return inside(expr.over) || inside(expr.body);
    case 'list':
      return expr.items.some(inside);
    default:
      return false;
  }
}

/** Whether some judgement or report asks who has written what: only then need the machine be made to tell. */
export function asksForWriters({ judgements, report, actions }: Program): boolean {
  const conditions = actions.flatMap(({ trigger }) => (trigger.kind === 'when' ? [trigger.condition] : []));
  const all = [...judgements.map(each => each.body), ...report.map(each => each.value), ...conditions];
  return all.some(expr => anywhere(expr, part => part.k === 'writers'));
}
