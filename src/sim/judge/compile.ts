/**
 * From an expression to closures, once for each judgement of a run.
 *
 * What is asked about comes from attributes.ts and what has to be watched from measures.ts; here names meet rows.
 */

import type { Attribute, ValueType } from '../attributes/attribute.ts';
import { RECORD_ADDRESS_KINDS } from '../attributes/record.ts';
import { DESCRIPTIONS } from '../attributes.ts';
import type { Expr } from '../expr.ts';
import { can_move, row_now } from '../incarnation.ts';
import { rowOf } from '../pattern.ts';

import { deadlockOf, deadlockText } from '../why/deadlock.ts';

import { hasRate } from './anywhere.ts';
import { sameTrace } from './baseline.ts';
import { becauseOf, wokenBy } from './causes.ts';
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
import { lasting, prev, since, was } from './past.ts';
import { quantifierNode } from './quantifier.ts';
import { addressKind, recordAttribute, tracepointsMatching } from './records.ts';
import { countTrue, eachOf, happenedTo, indexNode } from './several.ts';
import { entityText, exprText, hexText, quantityText } from './text.ts';
import { whyNode } from './why.ts';

type ExprOf<K extends Expr['k']> = Extract<Expr, { readonly k: K }>;

export function compile(expr: Expr, around: Context): Node {
  const context = around.wanted === null || expr.k === 'quantifier' ? around : { ...around, wanted: null };
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
    case 'recorded':
      return {
        t: 'recorded',
        tracepoints: tracepointsMatching(expr.globs),
        text: exprText(expr),
        depends: CONSTANT,
        show: () => exprText(expr),
      };
    case 'binary':
      return (
        comparison(expr, context) ??
        binary(context.m, expr.op, compile(expr.left, context), compile(expr.right, context), exprText(expr))
      );
    case 'is':
      return isNode(expr, context);
    case 'quantifier':
      return quantified(expr, context);
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
    case 'lasting':
      return hasRate(expr.of)
        ? compile(expr.of, { ...context, rate_window_ns: expr.for_ns })
        : lasting(compileTruth(expr.of, context), expr.for_ns, context);
    case 'was':
      return was(compileTruth(expr.of, context), exprText(expr), context);
    case 'since': {
      const from = expr.from.k === 'happened' ? expr.from.event : compileTruth(expr.from, context);
      return since(compileTruth(expr.of, context), from, exprText(expr), context);
    }
    case 'prev':
      return prev(compile(expr.of, context), exprText(expr), context);
    case 'because_of':
      return becauseOf(expr, context);
    case 'woken_by':
      return wokenBy(expr, context);
    case 'index':
      return indexNode(compile(expr.of, context), expr.at, exprText(expr), context);
    case 'each_of':
      return eachOfNode(expr, context);
    case 'count_true':
      return countTrue(
        expr.items.map(item => compileTruth(item, context)),
        exprText(expr),
      );
    case 'happened_to': {
      const args = expr.args.map(arg => arg && compile(arg, context));
      return happenedTo(expr.name, args, exprText(expr), context);
    }
    case 'why':
      return whyNode(asEntity(compile(expr.of, context)), exprText(expr), context);
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

/** Of two traces, one of which was recorded before; null for anything else. */
function comparison(expr: ExprOf<'binary'>, context: Context): Node | null {
  if (expr.op !== '==' && expr.op !== '!=') return null;
  const [here, there] = expr.left.k === 'recorded' ? [expr.right, expr.left] : [expr.left, expr.right];
  if (here.k !== 'trace' || there.k !== 'recorded') return null;
  const records = compile(here, context);
  const recorded = compile(there, context);
  if (records.t !== 'records' || recorded.t !== 'recorded') return null;
  const same = sameTrace(context, records, recorded, exprText(expr));
  return expr.op === '==' ? same : not(same, exprText(expr));
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
        show: () => {
          const told = owner.get() < 0 ? '' : (attribute.tell?.(m, owner.get()) ?? '');
          return `${quantityText(read(), type.dimension)}${told === '' ? '' : ` (${told})`}`;
        },
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

function quantified(expr: ExprOf<'quantifier'>, context: Context): Node {
  const inside = { ...context, wanted: null };
  const over = compile(expr.over, inside);
  return quantifierNode(
    expr,
    over,
    variable => compileTruth(expr.body, withVariable(inside, expr.variable, variable)),
    context,
  );
}

/** The name of the variable that `each_of` goes through; no scenario can spell it. */
const EACH = 'each of them';

function eachOfNode(expr: ExprOf<'each_of'>, context: Context): Node {
  const value: Expr = { k: 'get', of: { k: 'variable', name: EACH }, name: expr.name };
  const itemWith = (variable: Variable) => compile(value, withVariable(context, EACH, variable));
  return eachOf(compile(expr.of, context), itemWith, exprText(expr));
}

function withVariable(context: Context, name: string, variable: Variable): Context {
  return { ...context, variables: new Map(context.variables).set(name, variable) };
}
