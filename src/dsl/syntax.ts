/**
 * The syntax of a statement as data: from one declaration come its grammar rule, the typed record that its tree is
 * read into, the line that help prints and the words that the lexer must know.
 *
 * `seq(word('hold'), place('actor'), word('at'), name('step'))` is read as `{ actor: Expression, step: Word }`.
 * What may be missing is null. The parts themselves are in holes.ts; nothing here looks at meaning.
 */
import type { CstElement, CstNode, IToken, TokenType } from 'chevrotain';
import type { Word } from './expression.ts';
import type { EXPRESSION_RULES } from './expression_grammar.ts';
import { endOf } from './tokens.ts';

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

/** Rules of the grammar that another may call: those of expressions, and `act`. */
export type SharedRule = keyof typeof EXPRESSION_RULES | 'act';

/** One way out of several; with `when`, only where that holds. */
export type Alternative = (() => void) | { readonly when: () => boolean; readonly body: () => void };

/** The part of chevrotain that declarations need. Indices tell apart uses of the same thing in one rule. */
export interface Grammar {
  consume(index: number, type: TokenType, label: string): void;
  rule(index: number, name: SharedRule, label: string): void;
  option(index: number, body: () => void, when?: () => boolean): void;
  many(index: number, body: () => void, when?: () => boolean): void;
  or(index: number, alternatives: readonly Alternative[]): void;
  /** The token so many further on, 1 for the next. */
  ahead(howMany: number): IToken;
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

export function childrenOf(cst: CstNode, label: string): readonly CstElement[] {
  return cst.children[label] ?? [];
}

export function isNode(element: CstElement): element is CstNode {
  return 'children' in element;
}

export function wordOf(token: IToken): Word {
  return { text: token.image, span: { start: token.startOffset, end: endOf(token) } };
}

/** The text between the quotes: `\"`, `\\` and `\n` are the only escapes. */
export function textOf(token: IToken): Word {
  const inner = token.image.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return { text: inner, span: { start: token.startOffset, end: endOf(token) } };
}

// -- How parts are put together -------------------------------------------------------------------

function both<A extends object, AN extends object, B extends object, BN extends object>(
  a: Part<A, AN>,
  b: Part<B, BN>,
): Part<A & B, AN & BN> {
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
export function seq<A extends object, AN extends object, B extends object, BN extends object>(
  a: Part<A, AN>,
  b: Part<B, BN>,
): Part<A & B, AN & BN>;
export function seq<
  A extends object,
  AN extends object,
  B extends object,
  BN extends object,
  C extends object,
  CN extends object,
>(a: Part<A, AN>, b: Part<B, BN>, c: Part<C, CN>): Part<A & B & C, AN & BN & CN>;
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
>(
  a: Part<A, AN>,
  b: Part<B, BN>,
  c: Part<C, CN>,
  d: Part<D, DN>,
  e: Part<E, EN>,
): Part<A & B & C & D & E, AN & BN & CN & DN & EN>;
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
export function anyOrder<A extends object, AN extends object, B extends object, BN extends object>(
  a: Part<A, AN>,
  b: Part<B, BN>,
): Part<AN & BN, AN & BN> {
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
export function choice<A extends object, AN extends object, B extends object, BN extends object>(
  a: Part<A, AN>,
  b: Part<B, BN>,
): Part<AN & BN, AN & BN> {
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
