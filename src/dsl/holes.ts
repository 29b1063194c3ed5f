/** The parts that syntax is put together from: words, marks, blocks, and holes for names, values and events. */
import type { CstElement, CstNode, IToken, TokenType } from 'chevrotain';
import { Bug } from '../base/assert.ts';
import type { Expression, Word } from './expression.ts';
import { readExpression, readPlace, readSum, tokensIn } from './read_expression.ts';
import {
  type Context,
  childrenOf,
  type Grammar,
  isNode,
  type Part,
  type SharedRule,
  textOf,
  wordOf,
} from './syntax.ts';
import { Colon, Comma, Equal, keyword, LCurly, LSquare, Name, Numeral, RCurly, RSquare, Text } from './tokens.ts';

interface Kind<V> {
  readonly text: string;
  compile(label: string, next: () => number): (grammar: Grammar) => void;
  read(element: CstElement): V;
}

type One<K extends string, V> = Readonly<Record<K, V>>;

/** Adds a field to a record, so that its type is built without being asserted. */
function set<K extends string, V>(record: object, name: K, value: V): asserts record is One<K, V> {
  Object.assign(record, { [name]: value });
}

function one<K extends string, V>(name: K, value: V): One<K, V> {
  const record: object = {};
  set(record, name, value);
  return record;
}

function tokenOf(element: CstElement): IToken {
  if (isNode(element)) throw new Bug(`a token is expected, not the rule ${element.name}`);
  return element;
}

function nodeOf(element: CstElement): CstNode {
  if (!isNode(element)) throw new Bug(`a rule is expected, not the token ${element.image}`);
  return element;
}

// -- What a hole may hold -------------------------------------------------------------------------

function ofToken<V>(type: TokenType, text: string, read: (token: IToken) => V): Kind<V> {
  return {
    text,
    compile(label, next) {
      const index = next();
      return grammar => grammar.consume(index, type, label);
    },
    read: element => read(tokenOf(element)),
  };
}

function ofRule<V>(rule: SharedRule, text: string, read: (cst: CstNode) => V): Kind<V> {
  return {
    text,
    compile(label, next) {
      const index = next();
      return grammar => grammar.rule(index, rule, label);
    },
    read: element => read(nodeOf(element)),
  };
}

function hole<K extends string, V>(name: K, kind: Kind<V>, text = kind.text): Part<One<K, V>, One<K, V | null>> {
  const there = (cst: CstNode): V | null => {
    const element = childrenOf(cst, name)[0];
    return element ? kind.read(element) : null;
  };
  return {
    text,
    block: null,
    compile: next => kind.compile(name, next),
    read(cst) {
      const element = childrenOf(cst, name)[0];
      if (!element) throw new Bug(`${name} is missing from the tree of ${cst.name}`);
      return one(name, kind.read(element));
    },
    readIfThere: cst => one(name, there(cst)),
  };
}

const nameKind = ofToken(Name, 'NAME', wordOf);
const textKind = ofToken(Text, 'TEXT', textOf);
const numberKind = ofToken(Numeral, 'NUMBER', wordOf);

/** A name that the statement declares or refers to. */
export const name = <K extends string>(field: K, text?: string) => hole(field, nameKind, text);
export const text = <K extends string>(field: K, shown?: string) => hole(field, textKind, shown);
export const numeral = <K extends string>(field: K, shown?: string) => hole(field, numberKind, shown);
/** Anything, comparisons and logic included. */
export const expression = <K extends string>(field: K, shown = 'EXPRESSION') =>
  hole(field, ofRule('expression', 'EXPRESSION', readExpression), shown);
/** A value with arithmetic, ending where a clause such as `for` or `by` begins. */
export const sum = <K extends string>(field: K, shown = 'VALUE') => hole(field, ofRule('sum', 'VALUE', readSum), shown);
/** A thing reached by dots and brackets, or a call. */
export const place = <K extends string>(field: K, shown = 'THING') =>
  hole(field, ofRule('place', 'THING', readPlace), shown);
/** A call, with the actor that makes it: `swap_wait(p) by thread(v)`. */
export const event = <K extends string>(field: K, shown = 'EVENT') =>
  hole(field, ofRule('event', 'EVENT', readExpression), shown);

// -- Words, marks and blocks ----------------------------------------------------------------------

/** A word that must stand there. */
export function word(image: string): Part<object, object> {
  return {
    text: image,
    block: null,
    compile(next) {
      const type = keyword(image);
      const index = next();
      return grammar => grammar.consume(index, type, `word_${image}`);
    },
    read: () => ({}),
    readIfThere: () => ({}),
  };
}

/** A word whose presence is what is said: `flag('vary')` reads true or false. */
export function flag<K extends string>(image: K): Part<One<K, boolean>, One<K, boolean>> {
  const read = (cst: CstNode): One<K, boolean> => one(image, childrenOf(cst, image).length > 0);
  return {
    text: image,
    block: null,
    compile(next) {
      const type = keyword(image);
      const index = next();
      return grammar => grammar.consume(index, type, image);
    },
    read,
    readIfThere: read,
  };
}

/** `NAME:` in front of a judgement; null without. */
export function label<K extends string>(field: K): Part<One<K, Word | null>, One<K, Word | null>> {
  const inside = name(field);
  return {
    text: '[NAME:]',
    block: null,
    compile(next) {
      const [option, colon] = [next(), next()];
      const inner = inside.compile(next);
      return grammar =>
        grammar.option(
          option,
          () => {
            inner(grammar);
            grammar.consume(colon, Colon, 'mark_Colon');
          },
          () => grammar.ahead(2).tokenType === Colon,
        );
    },
    read: inside.readIfThere,
    readIfThere: inside.readIfThere,
  };
}

/** One of several words. */
export function oneOf<K extends string>(field: K, words: readonly string[]): Part<One<K, Word>, One<K, Word | null>> {
  const kind: Kind<Word> = {
    text: words.length === 1 ? `${words[0]}` : `(${words.join(' | ')})`,
    compile(label, next) {
      const types = words.map(keyword);
      const indices = words.map(next);
      const index = next();
      return grammar =>
        grammar.or(
          index,
          types.map((type, at) => () => grammar.consume(indices[at] ?? 0, type, label)),
        );
    },
    read: element => wordOf(tokenOf(element)),
  };
  return hole(field, kind);
}

export function mark(type: TokenType, shown: string): Part<object, object> {
  return {
    text: shown,
    block: null,
    compile(next) {
      const index = next();
      return grammar => grammar.consume(index, type, `mark_${type.name}`);
    },
    read: () => ({}),
    readIfThere: () => ({}),
  };
}

export const equals = mark(Equal, '=');

/** The statement's block, or one act in its place: `at 2ms { … }`, `at 2ms evict cold`. */
export function body(context: Context): Part<object, object> {
  return {
    text: '(ACT | { … })',
    block: context,
    compile(next) {
      const [or, open, close, act] = [next(), next(), next(), next()];
      return grammar =>
        grammar.or(or, [
          () => {
            grammar.consume(open, LCurly, 'open');
            grammar.consume(close, RCurly, 'close');
          },
          () => grammar.rule(act, 'act', 'act'),
        ]);
    },
    read: () => ({}),
    readIfThere: () => ({}),
  };
}

/** The statements inside are taken out before parsing and parsed on their own: see layout.ts. */
export function block(context: Context): Part<object, object> {
  return {
    text: '{ … }',
    block: context,
    compile(next) {
      const [open, close] = [next(), next()];
      return grammar => {
        grammar.consume(open, LCurly, 'open');
        grammar.consume(close, RCurly, 'close');
      };
    },
    read: () => ({}),
    readIfThere: () => ({}),
  };
}

/** Several, with commas between. */
function series<K extends string, V>(
  field: K,
  kind: Kind<V>,
  shown: string,
): Part<One<K, readonly V[]>, One<K, readonly V[]>> {
  const read = (cst: CstNode): One<K, readonly V[]> => one(field, childrenOf(cst, field).map(kind.read));
  return {
    text: `${shown}, …`,
    block: null,
    compile(next) {
      const [first, again] = [kind.compile(field, next), kind.compile(field, next)];
      const [many, comma] = [next(), next()];
      return grammar => {
        first(grammar);
        grammar.many(many, () => {
          grammar.consume(comma, Comma, 'mark_Comma');
          again(grammar);
        });
      };
    },
    read,
    readIfThere: read,
  };
}

/** Names that may have dashes in them. */
export const tags = <K extends string>(field: K) =>
  series(
    field,
    ofRule('tag', 'TAG', cst =>
      tokensIn(cst)
        .map(token => token.image)
        .join(''),
    ),
    'TAG',
  );
export const names = <K extends string>(field: K, shown = 'NAME') => series(field, nameKind, shown);

/** `[a, b]`: names in square brackets. */
export function nameList<K extends string>(
  field: K,
  shown = 'NAME',
): Part<One<K, readonly Word[]>, One<K, readonly Word[]>> {
  const inside = names(field, shown);
  return {
    ...inside,
    text: `[${inside.text}]`,
    compile(next) {
      const [open, close] = [next(), next()];
      const inner = inside.compile(next);
      return grammar => {
        grammar.consume(open, LSquare, 'list_open');
        inner(grammar);
        grammar.consume(close, RSquare, 'list_close');
      };
    },
  };
}

/** `a -> b -> c`: events in order. */
export function chain<K extends string>(
  field: K,
  arrow: TokenType,
): Part<One<K, readonly Expression[]>, One<K, readonly Expression[]>> {
  const kind = ofRule('event', 'EVENT', readExpression);
  const read = (cst: CstNode): One<K, readonly Expression[]> => one(field, childrenOf(cst, field).map(kind.read));
  return {
    text: 'EVENT -> EVENT …',
    block: null,
    compile(next) {
      const [first, again] = [kind.compile(field, next), kind.compile(field, next)];
      const [many, mark] = [next(), next()];
      return grammar => {
        first(grammar);
        grammar.many(many, () => {
          grammar.consume(mark, arrow, 'mark_Arrow');
          again(grammar);
        });
      };
    },
    read,
    readIfThere: read,
  };
}
