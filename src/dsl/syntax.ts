/**
 * The syntax of a statement as data: from one declaration come its grammar rule, the typed record that its tree is
 * read into, the line that help prints and the words that the lexer must know.
 *
 * `seq(word('hold'), place('actor'), word('at'), name('step'))` is read as `{ actor: Expression, step: Word }`.
 * What may be missing is null. Nothing here looks at meaning.
 */
import type { CstElement, CstNode, IToken, TokenType } from 'chevrotain';
import { Bug } from '../base/assert.ts';
import type { Expression, Word } from './expression.ts';
import { readExpression, readPlace, readSum } from './read_expression.ts';
import { Colon, Comma, endOf, Equal, Glob, keyword, LCurly, LSquare, Name, Numeral, RCurly, RSquare, Text } from './tokens.ts';

/** Where a statement may stand: the kind of block around it. */
export type Context =
  | 'file'
  | 'case'
  | 'suite'
  | 'host'
  | 'swap'
  | 'cost'
  | 'link'
  | 'vm'
  | 'userfault'
  | 'guest'
  | 'script'
  | 'handler'
  | 'variant'
  | 'migration'
  | 'snapshot'
  | 'tracepoints'
  | 'matrix'
  | 'act'
  | 'explore'
  | 'faults'
  | 'reaction'
  | 'sweep'
  | 'mutate';

/** Rules of the parser that a statement may call. */
export type SharedRule = 'expression' | 'sum' | 'place' | 'event' | 'act';

/** The part of chevrotain that declarations need. Indices tell apart uses of the same thing in one rule. */
export interface Grammar {
  consume(index: number, type: TokenType, label: string): void;
  rule(index: number, name: SharedRule, label: string): void;
  option(index: number, body: () => void): void;
  /** Only where the token after the next is of this type. */
  optionBefore(index: number, second: TokenType, body: () => void): void;
  many(index: number, body: () => void): void;
  or(index: number, alternatives: readonly (() => void)[]): void;
}

/** `T` is what the part reads into, `N` the same with null where it may have been left out. */
export interface Part<T extends object, N extends object> {
  /** For people: `hold EVENT for TIME`. */
  readonly text: string;
  readonly block: Context | null;
  compile(next: () => number): (grammar: Grammar) => void;
  read(cst: CstNode): T;
  readIfThere(cst: CstNode): N;
}

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

export function childrenOf(cst: CstNode, label: string): readonly CstElement[] {
  return cst.children[label] ?? [];
}

export function isNode(element: CstElement): element is CstNode {
  return 'children' in element;
}

function tokenOf(element: CstElement): IToken {
  if (isNode(element)) throw new Bug(`a token is expected, not the rule ${element.name}`);
  return element;
}

function nodeOf(element: CstElement): CstNode {
  if (!isNode(element)) throw new Bug(`a rule is expected, not the token ${element.image}`);
  return element;
}

export function wordOf(token: IToken): Word {
  return { text: token.image, span: { start: token.startOffset, end: endOf(token) } };
}

/** The text between the quotes: `\"`, `\\` and `\n` are the only escapes. */
export function textOf(token: IToken): Word {
  const inner = token.image.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return { text: inner, span: { start: token.startOffset, end: endOf(token) } };
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
const globKind = ofToken(Glob, 'PATTERN', wordOf);
const textKind = ofToken(Text, 'TEXT', textOf);
const numberKind = ofToken(Numeral, 'NUMBER', wordOf);

/** A name that the statement declares or refers to. */
export const name = <K extends string>(field: K, text?: string) => hole(field, nameKind, text);
export const text = <K extends string>(field: K, shown?: string) => hole(field, textKind, shown);
export const numeral = <K extends string>(field: K, shown?: string) => hole(field, numberKind, shown);
export const glob = <K extends string>(field: K, shown?: string) => hole(field, globKind, shown);
/** Anything, comparisons and logic included. */
export const expression = <K extends string>(field: K, shown = 'EXPRESSION') => hole(field, ofRule('expression', 'EXPRESSION', readExpression), shown);
/** A value with arithmetic, ending where a clause such as `for` or `by` begins. */
export const sum = <K extends string>(field: K, shown = 'VALUE') => hole(field, ofRule('sum', 'VALUE', readSum), shown);
/** A thing reached by dots and brackets, or a call. */
export const place = <K extends string>(field: K, shown = 'THING') => hole(field, ofRule('place', 'THING', readPlace), shown);
/** A call, with the actor that makes it: `swap_wait(p) by thread(v)`. */
export const event = <K extends string>(field: K, shown = 'EVENT') => hole(field, ofRule('event', 'EVENT', readExpression), shown);

// -- How parts are put together -------------------------------------------------------------------

/** A word that must stand there. */
export function word(image: string): Part<object, object> {
  const type = keyword(image);
  return {
    text: image,
    block: null,
    compile(next) {
      const index = next();
      return grammar => grammar.consume(index, type, `word_${image}`);
    },
    read: () => ({}),
    readIfThere: () => ({}),
  };
}

/** A word whose presence is what is said: `flag('vary')` reads true or false. */
export function flag<K extends string>(image: K): Part<One<K, boolean>, One<K, boolean>> {
  const type = keyword(image);
  const read = (cst: CstNode): One<K, boolean> => one(image, childrenOf(cst, image).length > 0);
  return {
    text: image,
    block: null,
    compile(next) {
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
        grammar.optionBefore(option, Colon, () => {
          inner(grammar);
          grammar.consume(colon, Colon, 'mark_Colon');
        });
    },
    read: inside.readIfThere,
    readIfThere: inside.readIfThere,
  };
}

/** One of several words. */
export function oneOf<K extends string>(field: K, words: readonly string[]): Part<One<K, Word>, One<K, Word | null>> {
  const types = words.map(keyword);
  const kind: Kind<Word> = {
    text: words.length === 1 ? `${words[0]}` : `(${words.join(' | ')})`,
    compile(label, next) {
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

function both<A extends object, AN extends object, B extends object, BN extends object>(a: Part<A, AN>, b: Part<B, BN>): Part<A & B, AN & BN> {
  return {
    text: `${a.text} ${b.text}`,
    block: a.block ?? b.block,
    compile(next) {
      const [first, second] = [a.compile(next), b.compile(next)];
      return grammar => {
        first(grammar);
        second(grammar);
      };
    },
    read: cst => ({ ...a.read(cst), ...b.read(cst) }),
    readIfThere: cst => ({ ...a.readIfThere(cst), ...b.readIfThere(cst) }),
  };
}

type Any = Part<object, object>;

/** One after the other. */
export function seq<A extends object, AN extends object, B extends object, BN extends object>(a: Part<A, AN>, b: Part<B, BN>): Part<A & B, AN & BN>;
export function seq<A extends object, AN extends object, B extends object, BN extends object, C extends object, CN extends object>(
  a: Part<A, AN>,
  b: Part<B, BN>,
  c: Part<C, CN>,
): Part<A & B & C, AN & BN & CN>;
export function seq<
  A extends object,
  AN extends object,
  B extends object,
  BN extends object,
  C extends object,
  CN extends object,
  D extends object,
  DN extends object,
>(a: Part<A, AN>, b: Part<B, BN>, c: Part<C, CN>, d: Part<D, DN>): Part<A & B & C & D, AN & BN & CN & DN>;
export function seq<
  A extends object,
  AN extends object,
  B extends object,
  BN extends object,
  C extends object,
  CN extends object,
  D extends object,
  DN extends object,
  E extends object,
  EN extends object,
>(a: Part<A, AN>, b: Part<B, BN>, c: Part<C, CN>, d: Part<D, DN>, e: Part<E, EN>): Part<A & B & C & D & E, AN & BN & CN & DN & EN>;
export function seq<
  A extends object,
  AN extends object,
  B extends object,
  BN extends object,
  C extends object,
  CN extends object,
  D extends object,
  DN extends object,
  E extends object,
  EN extends object,
  F extends object,
  FN extends object,
>(
  a: Part<A, AN>,
  b: Part<B, BN>,
  c: Part<C, CN>,
  d: Part<D, DN>,
  e: Part<E, EN>,
  f: Part<F, FN>,
): Part<A & B & C & D & E & F, AN & BN & CN & DN & EN & FN>;
export function seq(first: Any, ...rest: readonly Any[]): Any {
  return rest.reduce((before, part) => both(before, part), first);
}

/** May be left out. */
export function opt<T extends object, N extends object>(part: Part<T, N>): Part<N, N> {
  return {
    text: `[${part.text}]`,
    block: part.block,
    compile(next) {
      const index = next();
      const inner = part.compile(next);
      return grammar => grammar.option(index, () => inner(grammar));
    },
    read: part.readIfThere,
    readIfThere: part.readIfThere,
  };
}

/** Any of the clauses, in any order: judgements have many. */
export function anyOrder<A extends object, AN extends object, B extends object, BN extends object>(a: Part<A, AN>, b: Part<B, BN>): Part<AN & BN, AN & BN> {
  const either = choice(a, b);
  return {
    ...either,
    text: `[${a.text}] [${b.text}]`,
    compile(next) {
      const index = next();
      const inner = either.compile(next);
      return grammar => grammar.many(index, () => inner(grammar));
    },
  };
}

/** One or the other; the first that fits. */
export function choice<A extends object, AN extends object, B extends object, BN extends object>(a: Part<A, AN>, b: Part<B, BN>): Part<AN & BN, AN & BN> {
  const read = (cst: CstNode): AN & BN => ({ ...a.readIfThere(cst), ...b.readIfThere(cst) });
  return {
    text: `(${a.text} | ${b.text})`,
    block: a.block ?? b.block,
    compile(next) {
      const index = next();
      const [first, second] = [a.compile(next), b.compile(next)];
      return grammar => grammar.or(index, [() => first(grammar), () => second(grammar)]);
    },
    read,
    readIfThere: read,
  };
}

/** Several, with commas between. */
function series<K extends string, V>(field: K, kind: Kind<V>, shown: string): Part<One<K, readonly V[]>, One<K, readonly V[]>> {
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

export const names = <K extends string>(field: K, shown = 'NAME') => series(field, nameKind, shown);

/** `[a, b]`: names in square brackets. */
export function nameList<K extends string>(field: K, shown = 'NAME'): Part<One<K, readonly Word[]>, One<K, readonly Word[]>> {
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
export function chain<K extends string>(field: K, arrow: TokenType): Part<One<K, readonly Expression[]>, One<K, readonly Expression[]>> {
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
