/** `each`, `some`, `no` and `count(v in …: …)`: over things there are, or over records as they are made. */
import type { EntityKind } from '../attributes/attribute.ts';
import type { Expr } from '../expr.ts';
import {
  CONSTANT,
  type Context,
  dependsOnAll,
  type Node,
  type RecordsNode,
  type TruthNode,
  unjudgeable,
  type Variable,
} from './node.ts';
import { entityText, exprText } from './text.ts';

type Quantifier = Extract<Expr, { readonly k: 'quantifier' }>;

/** Compiles the body with whatever the variable stands for. */
type BodyWith = (variable: Variable) => TruthNode;

/** What a quantifier goes over: sets the variable to each member in turn until `visit` answers true. */
interface Members {
  readonly kind: EntityKind;
  readonly node: Node;
  count(): number;
  /** The row at a place, -1 for a place to pass over. */
  at(place: number): number;
}

/** Of these there are as many for the whole of a run. */
const LASTING: ReadonlySet<EntityKind | 'record'> = new Set(['vcpu', 'task']);

function membersOf(over: Node): Members {
  if (over.t === 'rows') return { kind: over.kind, node: over, count: over.positions, at: over.at };
  if (over.t !== 'list') return unjudgeable(`'${over.text}' has no members`);
  const items = over.items.map(item =>
    item.t === 'entity' ? item : unjudgeable(`'${item.text}' is nothing to go through`),
  );
  const kind = items[0]?.kind ?? 'vcpu';
  return { kind, node: over, count: () => items.length, at: place => items[place]!.get() };
}

export function quantifierNode(expr: Quantifier, over: Node, bodyWith: BodyWith, context: Context): Node {
  if (over.t === 'records') return recordQuantifier(expr, over, bodyWith, context);
  const members = membersOf(over);
  const variable: Variable = { kind: members.kind, row: -1 };
  const { hooks, cells, wanted: asked } = context;
  const remembered = cells.size;
  const body = bodyWith(variable);
  const text = exprText(expr);
  const { owner } = hooks;
  // It is broken where one of them breaks it, whatever the others: each is looked at by itself, if nothing is remembered
  // of what came before, which another step may have changed.
  const says_it_of_each = asked !== null && expr.q !== 'count' && (expr.q !== 'some') === asked;
  const falls_apart = says_it_of_each && LASTING.has(members.kind) && cells.size === remembered;
  const rows = () => Array.from({ length: members.count() }, (_, place) => members.at(place));
  const parts = falls_apart ? hooks.newPartsOf(members.kind, rows()) : 0;
  const looks = falls_apart ? hooks.looks : null;
  /** The place of the first member at or after `from` for which the body is as wanted, or -1; leaves the variable there. */
  const find = (from: number, wanted: boolean) => {
    const count = members.count();
    for (let place = from; place < count; place += 1) {
      const row = members.at(place);
      if (row < 0) continue;
      variable.row = row;
      looks?.(parts + place, owner);
      if (body.get() === wanted) return place;
    }
    looks?.(owner, owner);
    return -1;
  };
  const depends = dependsOnAll([members.node, body]);
  if (expr.q === 'count') {
    const get = () => {
      let found = 0;
      for (let place = find(0, true); place >= 0; place = find(place + 1, true)) found += 1;
      return found;
    };
    return { t: 'number', dimension: 'none', text, depends, get, show: () => String(get()) };
  }
  const wanted = expr.q !== 'each';
  const get = () => find(0, wanted) >= 0 === (expr.q === 'some');
  const why = () => {
    if (find(0, wanted) < 0) return `${members.node.text}: ${wanted ? 'none of them' : 'all of them'}`;
    return `${expr.variable} = ${entityText(context.m, members.kind, variable.row)}: ${body.why()}`;
  };
  return { t: 'truth', text, depends, get, why, show: () => String(get()) };
}

/** Each record is judged when it is made; what is kept is how many there were, how many held, and the first that did not. */
function recordQuantifier(expr: Quantifier, over: RecordsNode, bodyWith: BodyWith, context: Context): Node {
  const { cells, hooks, now, window } = context;
  const variable: Variable = { kind: 'record', row: 0 };
  const body = bodyWith(variable);
  const seen = cells.newCells(2);
  const held = seen + 1;
  const [firstHeld, firstBroken] = [cells.newText(), cells.newText()];
  for (const tracepoint of over.tracepoints) {
    hooks.onRecord(tracepoint, () => {
      if (now.ns < window.from_ns || now.ns > window.to_ns) return;
      const holds = body.get();
      const first = holds ? cells.values[held] === 0 : cells.values[seen] === cells.values[held];
      if (first) cells.texts[holds ? firstHeld : firstBroken] = body.why();
      cells.values[seen] = cells.values[seen]! + 1;
      if (holds) cells.values[held] = cells.values[held]! + 1;
    });
  }
  const text = exprText(expr);
  const depends = { ...CONSTANT, records: new Set(over.tracepoints) };
  const count = () => cells.values[held]!;
  if (expr.q === 'count')
    return { t: 'number', dimension: 'none', text, depends, get: count, show: () => String(count()) };
  const get =
    expr.q === 'each'
      ? () => count() === cells.values[seen]
      : expr.q === 'some'
        ? () => count() > 0
        : () => count() === 0;
  const why = () => {
    const told = cells.texts[expr.q === 'each' ? firstBroken : firstHeld] ?? '';
    return told === '' ? `${cells.values[seen]} records, ${count()} of them so` : told;
  };
  return { t: 'truth', text, depends, get, why, show: () => String(get()) };
}
