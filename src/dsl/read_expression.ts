/**
 * From the trees of the grammar's expression rules to expressions.
 *
 * The grammar keeps operators in a flat row and their precedence stands here, once: fewer rules to build at start-up.
 */
import type { CstElement, CstNode, IToken } from 'chevrotain';
import { Bug, present } from '../base/assert.ts';
import type { Span } from '../base/source.ts';
import type { Argument, BinaryOperator, Expression, Word } from './expression.ts';
import { endOf } from './tokens.ts';
import { COUNT, inBaseUnits, numberOf, UNITS } from './units.ts';

/** Loosest first. `not` stands between `and` and the comparisons. */
const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  iff: 1,
  implies: 2,
  leads_to: 2,
  or: 3,
  and: 4,
  before: 5,
  while: 5,
  since: 5,
  '==': 7,
  '!=': 7,
  '<=': 7,
  '>=': 7,
  '<': 7,
  '>': 7,
  in: 7,
  within: 7,
  by: 7,
  because_of: 7,
  woken_by: 7,
  '+': 8,
  '-': 8,
  '*': 9,
  '/': 9,
};
const NOT = 6;
/** `is`, `has` and `for` are comparisons too. */
const TAIL = 7;

function isOperator(image: string): image is BinaryOperator {
  return Object.hasOwn(PRECEDENCE, image);
}

function nodes(cst: CstNode, label: string): readonly CstNode[] {
  return (cst.children[label] ?? []).map(element => {
    if (!('children' in element)) throw new Bug(`${label} of ${cst.name} is no rule`);
    return element;
  });
}

function tokens(cst: CstNode, label: string): readonly IToken[] {
  return (cst.children[label] ?? []).map(element => {
    if ('children' in element) throw new Bug(`${label} of ${cst.name} is no token`);
    return element;
  });
}

function first<T>(of: readonly T[], what: string): T {
  return present(of[0], what);
}

function word(token: IToken): Word {
  return { text: token.image, span: { start: token.startOffset, end: endOf(token) } };
}

function across(from: Span, to: Span): Span {
  return { start: from.start, end: to.end };
}

/** Rules `expression` and `event`. */
export function readExpression(cst: CstNode): Expression {
  if (cst.name === 'event') return readEvent(cst);
  const row = { tails: nodes(cst, 'tail'), next: 0 };
  return climb(readClause(first(nodes(cst, 'clause'), 'clause')), row, 0);
}

interface Row {
  readonly tails: readonly CstNode[];
  next: number;
}

/** A clause is operand and the `not`s before it; what a `not` covers is settled while climbing. */
interface Clause {
  readonly nots: readonly IToken[];
  readonly operand: Expression;
}

function readClause(cst: CstNode): Clause {
  const quantifier = nodes(cst, 'quantifier')[0];
  return {
    nots: tokens(cst, 'not'),
    operand: quantifier ? readQuantifier(quantifier) : readRange(first(nodes(cst, 'range'), 'range')),
  };
}

function climb(clause: Clause, row: Row, least: number): Expression {
  let left: Expression;
  const [not, ...inner] = clause.nots;
  if (not) {
    const of = climb({ nots: inner, operand: clause.operand }, row, NOT);
    left = { kind: 'not', of, span: across(word(not).span, of.span) };
  } else left = clause.operand;

  for (;;) {
    const tail = row.tails[row.next];
    if (!tail) return left;
    const op = tokens(tail, 'op')[0];
    if (!op) {
      if (TAIL < least) return left;
      row.next += 1;
      left = readTail(tail, left);
      continue;
    }
    if (!isOperator(op.image)) throw new Bug(`no operator ${op.image}`);
    const precedence = PRECEDENCE[op.image];
    if (precedence < least) return left;
    row.next += 1;
    const right = climb(readClause(first(nodes(tail, 'clause'), 'right side')), row, precedence + 1);
    left = { kind: 'binary', op: op.image, left, right, span: across(left.span, right.span) };
  }
}

function readTail(cst: CstNode, of: Expression): Expression {
  const state = tokens(cst, 'state')[0];
  if (state) {
    const arg = tokens(cst, 'arg')[0];
    const close = tokens(cst, 'close')[0];
    return {
      kind: 'is',
      of,
      state: word(state),
      arg: arg ? word(arg) : null,
      negated: tokens(cst, 'not').length > 0,
      past: tokens(cst, 'was').length > 0,
      span: { start: of.span.start, end: endOf(close ?? state) },
    };
  }
  const knob = tokens(cst, 'knob')[0];
  if (knob) {
    const value = word(first(tokens(cst, 'value'), 'value of the knob'));
    return { kind: 'has', of, knob: word(knob), value, span: across(of.span, value.span) };
  }
  const time = readSum(first(nodes(cst, 'time'), 'time of for'));
  return { kind: 'lasting', of, time, span: across(of.span, time.span) };
}

function readQuantifier(cst: CstNode): Expression {
  const q = first(tokens(cst, 'q'), 'quantifier');
  const body = readExpression(first(nodes(cst, 'body'), 'body'));
  const kind = q.image;
  if (kind !== 'each' && kind !== 'some' && kind !== 'no') throw new Bug(`no quantifier ${kind}`);
  return {
    kind: 'quantifier',
    q: kind,
    variable: word(first(tokens(cst, 'variable'), 'variable')),
    over: readRange(first(nodes(cst, 'over'), 'domain')),
    body,
    span: across(word(q).span, body.span),
  };
}

function readEvent(cst: CstNode): Expression {
  const left = readPlace(first(nodes(cst, 'place'), 'event'));
  const actor = nodes(cst, 'actor')[0];
  if (!actor) return left;
  const right = readPlace(actor);
  return { kind: 'binary', op: 'by', left, right, span: across(left.span, right.span) };
}

function readRange(cst: CstNode): Expression {
  const [from, to] = nodes(cst, 'sum').map(readSum);
  if (!from) throw new Bug('a range without a start');
  return to ? { kind: 'range', from, to, span: across(from.span, to.span) } : from;
}

/** Rule `sum`: factors with + - * / between them. */
export function readSum(cst: CstNode): Expression {
  const factors = nodes(cst, 'factor').map(readFactor);
  const operators = tokens(cst, 'op');
  let next = 0;
  const level = (least: number): Expression => {
    let left = present(factors[next], 'factor');
    next += 1;
    for (;;) {
      const op = operators[next - 1];
      if (!op || !isOperator(op.image) || PRECEDENCE[op.image] < least) return left;
      const right = level(PRECEDENCE[op.image] + 1);
      left = { kind: 'binary', op: op.image, left, right, span: across(left.span, right.span) };
    }
  };
  return level(0);
}

function readFactor(cst: CstNode): Expression {
  const inner = readPlace(first(nodes(cst, 'place'), 'place'));
  return tokens(cst, 'minus').reduceRight<Expression>(
    (of, minus) => ({ kind: 'negate', of, span: across(word(minus).span, of.span) }),
    inner,
  );
}

/** Rule `place`: a primary with `.name`, `(…)` and `[…]` behind it. */
export function readPlace(cst: CstNode): Expression {
  return nodes(cst, 'postfix').reduce(readPostfix, readPrimary(first(nodes(cst, 'primary'), 'primary')));
}

function readPostfix(of: Expression, cst: CstNode): Expression {
  const member = tokens(cst, 'member')[0];
  if (member) {
    const name = word(member);
    return { kind: 'member', of, name, span: across(of.span, name.span) };
  }
  const end = endOf(first(tokens(cst, 'close'), 'closing bracket'));
  const index = nodes(cst, 'index')[0];
  if (index) return { kind: 'index', of, index: readExpression(index), span: { start: of.span.start, end } };
  const args = nodes(cst, 'argument');
  return readCall(of, args, { start: of.span.start, end });
}

/** `count(v in S: P)` is a quantifier that looks like a call with a named argument. */
function readCall(of: Expression, args: readonly CstNode[], span: Span): Expression {
  const read = args.map(readArgument);
  const only = read[0];
  if (
    of.kind === 'name' &&
    of.name === 'count' &&
    only?.body &&
    only.head.kind === 'binary' &&
    only.head.op === 'in' &&
    only.head.left.kind === 'name'
  ) {
    const { left, right } = only.head;
    return {
      kind: 'quantifier',
      q: 'count',
      variable: { text: left.name, span: left.span },
      over: right,
      body: only.body,
      span,
    };
  }
  return {
    kind: 'call',
    of,
    args: read.map(({ head, body }): Argument => {
      if (body && head.kind === 'name') return { name: { text: head.name, span: head.span }, value: body };
      return { name: null, value: body ?? head };
    }),
    span,
  };
}

function readArgument(cst: CstNode): { readonly head: Expression; readonly body: Expression | null } {
  const [head, body] = nodes(cst, 'expression').map(readExpression);
  return { head: present(head, 'argument'), body: body ?? null };
}

function readPrimary(cst: CstNode): Expression {
  const numeral = tokens(cst, 'numeral')[0];
  if (numeral) return readNumber(numeral, tokens(cst, 'unit')[0]);
  const name = tokens(cst, 'name')[0];
  if (name) return { kind: 'name', name: name.image, span: word(name).span };
  const text = tokens(cst, 'text')[0];
  if (text) return { kind: 'text', value: text.image.slice(1, -1).replace(/\\(.)/g, '$1'), span: word(text).span };
  const inner = nodes(cst, 'inner')[0];
  const open = first(tokens(cst, 'open'), 'bracket');
  const close = first(tokens(cst, 'close'), 'bracket');
  const unit = tokens(cst, 'unit')[0];
  const span = { start: open.startOffset, end: endOf(unit ?? close) };
  if (inner) return { ...readExpression(inner), span };
  const items = nodes(cst, 'item').map(readExpression);
  return { kind: 'list', items: unit ? items.map(item => inUnit(item, unit)) : items, span };
}

function readNumber(numeral: IToken, unit: IToken | undefined): Expression {
  const span = { start: numeral.startOffset, end: endOf(unit ?? numeral) };
  const dimension = unit && !Object.hasOwn(UNITS, unit.image) ? null : COUNT;
  const plain: Expression = { kind: 'number', value: numberOf(numeral.image), dimension, span };
  return unit ? inUnit(plain, unit) : plain;
}

/** `[5k, 20k] pages/s`: the unit behind the list is that of each number. Unknown ones are reported in tree.ts. */
function inUnit(item: Expression, token: IToken): Expression {
  const unit = UNITS[token.image];
  if (item.kind !== 'number' || !unit) return item;
  return { ...item, value: inBaseUnits(item.value, unit), dimension: unit.dimension };
}

/** Every token of a tree, in the order of the text. */
export function tokensIn(element: CstElement): IToken[] {
  const found: IToken[] = [];
  const walk = (each: CstElement): void => {
    if ('children' in each) for (const inner of Object.values(each.children).flat()) walk(inner);
    else found.push(each);
  };
  walk(element);
  return found.sort((a, b) => a.startOffset - b.startOffset);
}
