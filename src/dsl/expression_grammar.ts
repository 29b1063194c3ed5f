/**
 * The grammar of expressions, rule by rule.
 *
 * Operators stand in flat rows: precedence is applied in read_expression.ts. What looks two tokens ahead decides only
 * whether a word goes on with the expression or begins a clause of the statement around it.
 */
import { type IToken, tokenMatcher } from 'chevrotain';
import type { Grammar } from './syntax.ts';
import {
  Arithmetic,
  Colon,
  Comma,
  Dot,
  DotDot,
  Equal,
  Glob,
  Infix,
  keyword,
  LRound,
  LSquare,
  Member,
  Minus,
  Name,
  Numeral,
  RRound,
  RSquare,
  Text,
  Unit,
} from './tokens.ts';

const Not = keyword('not');
const Is = keyword('is');
const Was = keyword('was');
const Has = keyword('has');
const For = keyword('for');
const By = keyword('by');
const In = keyword('in');
const Within = keyword('within');
const Quantifiers = [keyword('each'), keyword('some'), keyword('no')];

/** Who may stand behind `by`: anything else there is a deadline. */
const ACTORS: ReadonlySet<string> = new Set(['thread', 'worker', 'kswapd', 'vmm', 'task']);

/** Whether the words ahead go on with the expression. */
function goesOn({ ahead }: Grammar): boolean {
  const [one, two]: readonly [IToken, IToken] = [ahead(1), ahead(2)];
  if (one.tokenType === By) return ACTORS.has(two.image);
  if (one.tokenType === Within) return two.tokenType === LSquare;
  return one.tokenType !== For || two.image !== 'each';
}

function isQuantifier({ ahead }: Grammar): boolean {
  return Quantifiers.includes(ahead(1).tokenType) && tokenMatcher(ahead(2), Name) && ahead(3).tokenType === In;
}

function expression(g: Grammar): void {
  g.rule(0, 'clause', 'clause');
  g.many(
    0,
    () => g.rule(0, 'tail', 'tail'),
    () => goesOn(g),
  );
}

function clause(g: Grammar): void {
  g.many(0, () => g.consume(0, Not, 'not'));
  g.or(0, [
    { when: () => isQuantifier(g), body: () => g.rule(0, 'quantifier', 'quantifier') },
    () => g.rule(0, 'range', 'range'),
  ]);
}

function quantifier(g: Grammar): void {
  g.or(
    0,
    Quantifiers.map((type, index) => () => g.consume(index, type, 'q')),
  );
  g.consume(0, Name, 'variable');
  g.consume(0, In, 'in');
  g.rule(0, 'range', 'over');
  g.consume(0, Colon, 'colon');
  g.rule(0, 'expression', 'body');
}

/** What may stand behind an operand. */
function tail(g: Grammar): void {
  g.or(0, [() => infix(g), () => state(g), () => knob(g), () => lasting(g)]);
}

function infix(g: Grammar): void {
  g.consume(0, Infix, 'op');
  g.rule(0, 'clause', 'clause');
}

function state(g: Grammar): void {
  g.or(1, [() => g.consume(0, Is, 'is'), () => g.consume(0, Was, 'was')]);
  g.option(0, () => g.consume(0, Not, 'not'));
  g.consume(0, Name, 'state');
  g.option(1, () => {
    g.consume(0, LRound, 'open');
    g.consume(1, Name, 'arg');
    g.consume(0, RRound, 'close');
  });
}

function knob(g: Grammar): void {
  g.consume(0, Has, 'has');
  g.consume(2, Name, 'knob');
  g.consume(0, Equal, 'equal');
  g.consume(3, Name, 'value');
}

function lasting(g: Grammar): void {
  g.consume(0, For, 'for');
  g.rule(1, 'sum', 'time');
}

function range(g: Grammar): void {
  g.rule(0, 'sum', 'sum');
  g.option(0, () => {
    g.consume(0, DotDot, 'to');
    g.rule(1, 'sum', 'sum');
  });
}

function sum(g: Grammar): void {
  g.rule(0, 'factor', 'factor');
  g.many(0, () => {
    g.consume(0, Arithmetic, 'op');
    g.rule(1, 'factor', 'factor');
  });
}

function factor(g: Grammar): void {
  g.many(0, () => g.consume(0, Minus, 'minus'));
  g.rule(0, 'place', 'place');
}

function place(g: Grammar): void {
  g.rule(0, 'primary', 'primary');
  g.many(0, () => g.rule(0, 'postfix', 'postfix'));
}

function event(g: Grammar): void {
  g.rule(0, 'place', 'place');
  g.option(
    0,
    () => {
      g.consume(0, By, 'by');
      g.rule(1, 'place', 'actor');
    },
    () => goesOn(g),
  );
}

function postfix(g: Grammar): void {
  g.or(0, [() => member(g), () => call(g), () => index(g)]);
}

function member(g: Grammar): void {
  g.consume(0, Dot, 'dot');
  g.consume(0, Member, 'member');
}

function call(g: Grammar): void {
  g.consume(0, LRound, 'open');
  g.option(0, () => {
    g.rule(0, 'argument', 'argument');
    g.many(0, () => {
      g.consume(0, Comma, 'comma');
      g.rule(1, 'argument', 'argument');
    });
  });
  g.consume(0, RRound, 'close');
}

function index(g: Grammar): void {
  g.consume(0, LSquare, 'open');
  g.rule(0, 'expression', 'index');
  g.consume(0, RSquare, 'close');
}

function argument(g: Grammar): void {
  g.rule(0, 'expression', 'expression');
  g.option(0, () => {
    g.consume(0, Colon, 'colon');
    g.rule(1, 'expression', 'expression');
  });
}

function primary(g: Grammar): void {
  g.or(0, [
    () => number(g),
    () => g.consume(0, Name, 'name'),
    () => g.consume(0, Glob, 'name'),
    () => g.consume(0, Text, 'text'),
    () => inner(g),
    () => list(g),
  ]);
}

function number(g: Grammar): void {
  g.consume(0, Numeral, 'numeral');
  g.option(0, () => g.consume(0, Unit, 'unit'));
}

function inner(g: Grammar): void {
  g.consume(0, LRound, 'open');
  g.rule(0, 'expression', 'inner');
  g.consume(0, RRound, 'close');
}

function list(g: Grammar): void {
  g.consume(0, LSquare, 'open');
  g.option(1, () => {
    g.rule(1, 'expression', 'item');
    g.many(0, () => {
      g.consume(0, Comma, 'comma');
      g.rule(2, 'expression', 'item');
    });
  });
  g.consume(0, RSquare, 'close');
  g.option(2, () => g.consume(1, Unit, 'unit'));
}

/** `first-steps`: words joined by dashes. */
function tag(g: Grammar): void {
  g.consume(0, Name, 'name');
  g.many(0, () => {
    g.consume(0, Minus, 'dash');
    g.consume(1, Name, 'name');
  });
}

export const EXPRESSION_RULES = {
  expression,
  clause,
  quantifier,
  tail,
  range,
  sum,
  factor,
  place,
  event,
  postfix,
  argument,
  primary,
  tag,
} as const;
