/**
 * From an expression to closures, once for each judgement of a run.
 *
 * What is asked about comes from attributes.ts and what has to be watched from measures.ts; here names meet rows.
 */

import type { Attribute, EntityKind, ValueType } from '../attributes/attribute.ts';
import { RECORD_ADDRESS_KINDS } from '../attributes/record.ts';
import { DESCRIPTIONS } from '../attributes.ts';
import { can_move, row_now } from '../incarnation.ts';
import { rowOf } from '../pattern.ts';
import type { Expr } from '../program.ts';
import { deadlockOf, deadlockText } from '../why/deadlock.ts';
import {
  aggregate,
  anyOf,
  before,
  countEvents,
  countRecords,
  happened,
  maxTime,
  rateEvents,
  series,
  writers,
} from './measures.ts';
import {
  asTruth,
  CONSTANT,
  type Context,
  dependsOnAll,
  type EntityNode,
  EVERY_STEP,
  type ListNode,
  type Node,
  type NumberNode,
  type RecordsNode,
  type RowsNode,
  rowsOf,
  type ThreadsNode,
  type TruthNode,
  unjudgeable,
  type Variable,
} from './node.ts';
import { binary, isWord, negate, not, truthNode } from './operators.ts';
import { addressKind, recordAttribute, tracepointsMatching } from './records.ts';
import { entityText, exprText, hexText, quantityText } from './text.ts';

type ExprOf<K extends Expr['k']> = Extract<Expr, { readonly k: K }>;

export function compile(expr: Expr, context: Context): Node {
  switch (expr.k) {
    case 'number':
      return numberNode(expr.value, expr.dim);
    case 'bool':
      return truthNode(
        String(expr.value),
        [],
        () => expr.value,
        () => `it is ${expr.value}`,
      );
    case 'word':
    case 'text':
      return { t: 'word', text: expr.value, depends: CONSTANT, show: () => expr.value };
    case 'entity':
      return entityNode(expr, context);
    case 'variable':
      return variableNode(expr, context);
    case 'get':
      return getNode(expr, context);
    case 'all':
      return allNode(expr, context);
    case 'list':
      return listNode(expr, context);
    case 'not':
      return not(compile(expr.of, context), exprText(expr));
    case 'negate':
      return negate(compile(expr.of, context), exprText(expr));
    case 'binary':
      return binary(context.m, expr.op, compile(expr.left, context), compile(expr.right, context), exprText(expr));
    case 'is':
      return isNode(expr, context);
    case 'quantifier':
      return quantifierNode(expr, context);
    case 'deadlock':
      return deadlockNode(context);
    case 'happened':
      return happened(context, expr.event);
    case 'before':
      return before(context, expr.event, expr.other, exprText(expr));
    case 'count_events':
      return countEvents(context, expr.event, expr.window_ns, exprText(expr));
    case 'rate_events':
      return rateEvents(context, expr.event, expr.window_ns ?? context.rate_window_ns, exprText(expr));
    case 'max_time':
      return maxTime(context, asTruth(compile(expr.of, context)), exprText(expr));
    case 'aggregate':
      return aggregateNode(expr, context);
    case 'writers':
      return writersNode(expr, context);
    case 'trace':
      return {
        t: 'records',
        tracepoints: tracepointsMatching(expr.globs),
        text: exprText(expr),
        depends: CONSTANT,
        show: () => exprText(expr),
      };
  }
}

export function compileTruth(expr: Expr, context: Context): TruthNode {
  return asTruth(compile(expr, context));
}

function numberNode(value: number, dimension: NumberNode['dimension']): NumberNode {
  const text = quantityText(value, dimension);
  return { t: 'number', dimension, text, depends: CONSTANT, get: () => value, show: () => text };
}

function entityNode({ entity }: ExprOf<'entity'>, { m }: Context): EntityNode {
  const row = rowOf(m.places, entity);
  const moves = can_move(m);
  return {
    t: 'entity',
    kind: entity.kind,
    text: entity.name,
    depends: CONSTANT,
    get: moves ? () => row_now(m, entity.kind, row) : () => row,
    show: () => entity.name,
  };
}

function variableNode({ name }: ExprOf<'variable'>, { m, variables }: Context): Node {
  const variable = variables.get(name) ?? unjudgeable(`no variable '${name}'`);
  const { kind } = variable;
  if (kind === 'record') return { t: 'record', text: name, depends: CONSTANT, show: () => name };
  return {
    t: 'entity',
    kind,
    text: name,
    depends: EVERY_STEP,
    get: () => variable.row,
    show: () => entityText(m, kind, variable.row),
  };
}

function asEntity(node: Node): EntityNode {
  return node.t === 'entity' ? node : unjudgeable(`'${node.text}' is nothing that has attributes`);
}

function getNode(expr: ExprOf<'get'>, context: Context): Node {
  const of = compile(expr.of, context);
  const text = exprText(expr);
  if (of.t === 'record') return recordAttribute(context, expr.name, text, of.depends);
  if (of.t === 'record_address')
    return expr.name === 'kind' ? addressKind(context, text, of.depends) : unjudgeable(`'${text}'`);
  if (of.t === 'records') return everyRecord(of, expr.name, text, context);
  const owner = asEntity(of);
  const { attributes, series: declared } = DESCRIPTIONS[owner.kind];
  const samples = declared[expr.name];
  if (samples) return series(context, owner, samples.source, samples.dimension, text);
  const attribute = attributes[expr.name] ?? unjudgeable(`a ${owner.kind} has no '${expr.name}'`);
  return attributeNode(attribute, attribute.type, owner, text, context);
}

/** An attribute of no entity, such as the task of an idle vCPU, is nothing: it equals nothing and orders nowhere. */
function attributeNode(attribute: Attribute, type: ValueType, owner: EntityNode, text: string, { m }: Context): Node {
  const common = { text, depends: EVERY_STEP };
  const read = () => {
    const row = owner.get();
    return row < 0 ? Number.NaN : attribute.read(m, row);
  };
  switch (type.t) {
    case 'truth': {
      const get = () => read() === 1;
      return { t: 'truth', ...common, get, show: () => (get() ? 'true' : 'false'), why: () => `${text} is ${get()}` };
    }
    case 'quantity':
      return {
        t: 'number',
        ...common,
        dimension: type.dimension,
        get: read,
        show: () => quantityText(read(), type.dimension),
      };
    case 'address':
      return { t: 'number', ...common, dimension: 'none', get: read, show: () => hexText(read()) };
    case 'words':
      return { t: 'words', ...common, words: type.words, get: read, show: () => type.words[read()] ?? 'nothing' };
    case 'entity': {
      const get = () => {
        const row = read();
        return row >= 0 ? row : -1;
      };
      return { t: 'entity', ...common, kind: type.kind, get, show: () => entityText(m, type.kind, get()) };
    }
  }
}

/** `trace(x).address`: what all records of the run so far agree on. */
function everyRecord(of: RecordsNode, name: string, text: string, context: Context): Node {
  const each = recordAttribute(context, name, text, of.depends);
  if (each.t === 'record_address') return agreed(of, addressKind(context, text, of.depends), text, context);
  return agreed(of, each, text, context);
}

const NONE_YET = -1;
const MIXED = -2;

function agreed(of: RecordsNode, each: Node, text: string, { cells, hooks }: Context): Node {
  if (each.t !== 'words' && each.t !== 'number') return unjudgeable(`'${text}'`);
  const common = cells.newCells(1, NONE_YET);
  for (const tracepoint of of.tracepoints) {
    hooks.onRecord(tracepoint, () => {
      const value = each.get();
      const before = cells.values[common]!;
      cells.values[common] = before === NONE_YET || before === value ? value : MIXED;
    });
  }
  const get = () => cells.values[common]!;
  const depends = { ...CONSTANT, records: new Set(of.tracepoints) };
  const unusual = () => (get() === NONE_YET ? 'nothing yet' : get() === MIXED ? 'not the same in all' : null);
  if (each.t === 'number')
    return { ...each, text, depends, get, show: () => unusual() ?? quantityText(get(), each.dimension) };
  return { ...each, text, depends, get, show: () => unusual() ?? each.words[get()] ?? 'nothing' };
}

function allNode(expr: ExprOf<'all'>, context: Context): RowsNode {
  const owner = asEntity(compile(expr.of, context));
  const collection =
    DESCRIPTIONS[owner.kind].collections[expr.name] ?? unjudgeable(`a ${owner.kind} has no '${expr.name}'`);
  return rowsOf(context.m, owner, collection, exprText(expr));
}

function listNode(expr: ExprOf<'list'>, context: Context): ListNode {
  const items = expr.items.map(item => compile(item, context));
  return {
    t: 'list',
    items,
    text: exprText(expr),
    depends: dependsOnAll(items),
    show: () => `[${items.map(item => item.show()).join(', ')}]`,
  };
}

function isNode(expr: ExprOf<'is'>, context: Context): TruthNode {
  const { m } = context;
  const of = compile(expr.of, context);
  const text = exprText(expr);
  if (of.t === 'record_address') return isKind(addressKind(context, `${of.text}.kind`, of.depends), expr.state, text);
  if (of.t === 'words') return isKind(of, expr.state, text);
  const owner = asEntity(of);
  const state = DESCRIPTIONS[owner.kind].states[expr.state] ?? unjudgeable(`a ${owner.kind} is never '${expr.state}'`);
  const arg = expr.arg === null ? -1 : state.args.indexOf(expr.arg);
  if (expr.arg !== null && arg < 0) unjudgeable(`'${expr.state}' has no kind '${expr.arg}'`);
  const get = () => {
    const row = owner.get();
    return row >= 0 && state.holds(m, row, arg);
  };
  const words = expr.arg === null ? expr.state : `${expr.state}(${expr.arg})`;
  return {
    t: 'truth',
    text,
    depends: EVERY_STEP,
    get,
    why: () => `${owner.show()} is ${get() ? '' : 'not '}${words}`,
    show: () => String(get()),
  };
}

function deadlockNode({ m }: Context): TruthNode {
  const get = () => deadlockOf(m) !== null;
  const why = () => deadlockText(m);
  return { t: 'truth', text: 'deadlock', depends: EVERY_STEP, get, why, show: () => String(get()) };
}

/** `x.kind is known` besides the words themselves. */
function isKind(of: Node, word: string, text: string): TruthNode {
  if (of.t !== 'words') return unjudgeable(`'${text}'`);
  const is = isWord(of, word);
  const unknown = isWord(of, RECORD_ADDRESS_KINDS[0]);
  return truthNode(text, [of], word === 'known' ? () => !unknown() : is, () => `${of.text} is ${of.show()}`);
}

function aggregateNode(expr: ExprOf<'aggregate'>, context: Context): NumberNode {
  const of = compile(expr.series, context);
  const isCount = expr.fn === 'count' && of.t === 'records';
  return isCount ? countRecords(context, of, exprText(expr)) : aggregate(expr.fn, of, exprText(expr));
}

function writersNode(expr: ExprOf<'writers'>, context: Context): ThreadsNode {
  const of = compile(expr.of, context);
  const text = exprText(expr);
  const each = (of.t === 'list' ? of.items : [of]).map(item => {
    const owner = asEntity(item);
    const { attributes, collections } = DESCRIPTIONS[owner.kind];
    const field = attributes[expr.name] ?? collections[expr.name];
    return writers(context, owner, field ?? unjudgeable(`a ${owner.kind} has no '${expr.name}'`), text);
  });
  return anyOf(context.m, each, text);
}

// -- Quantifiers ----------------------------------------------------------------------------------

/** What a quantifier goes over: sets the variable to each member in turn until `visit` answers true. */
interface Members {
  readonly kind: EntityKind;
  readonly node: Node;
  count(): number;
  /** The row at a place, -1 for a place to pass over. */
  at(place: number): number;
}

function membersOf(over: Node): Members {
  if (over.t === 'rows') return { kind: over.kind, node: over, count: over.positions, at: over.at };
  if (over.t !== 'list') return unjudgeable(`'${over.text}' has no members`);
  const items = over.items.map(asEntity);
  const kind = items[0]?.kind ?? 'vcpu';
  return { kind, node: over, count: () => items.length, at: place => items[place]!.get() };
}

function quantifierNode(expr: ExprOf<'quantifier'>, context: Context): Node {
  const over = compile(expr.over, context);
  if (over.t === 'records') return recordQuantifier(expr, over, context);
  const members = membersOf(over);
  const variable: Variable = { kind: members.kind, row: -1 };
  const body = compileTruth(expr.body, {
    ...context,
    variables: new Map(context.variables).set(expr.variable, variable),
  });
  const text = exprText(expr);
  /** The place of the first member at or after `from` for which the body is as wanted, or -1; leaves the variable there. */
  const find = (from: number, wanted: boolean) => {
    const count = members.count();
    for (let place = from; place < count; place += 1) {
      const row = members.at(place);
      if (row < 0) continue;
      variable.row = row;
      if (body.get() === wanted) return place;
    }
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
function recordQuantifier(expr: ExprOf<'quantifier'>, over: RecordsNode, context: Context): Node {
  const { cells, hooks, now, window } = context;
  const variable: Variable = { kind: 'record', row: 0 };
  const body = compileTruth(expr.body, {
    ...context,
    variables: new Map(context.variables).set(expr.variable, variable),
  });
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
