/**
 * The token types of the grammar, and the words that are keywords.
 *
 * Nearly all keywords are contextual: a task may be called `report`. The few reserved ones never name a thing, so that
 * a missing operand is found where it is missing; behind a dot even these are names.
 */
import { createToken, type IToken, Lexer, type TokenType } from 'chevrotain';

/** Types are told apart in scanner.ts, so none has a pattern of its own. */
function type(name: string, label: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, label, categories, pattern: Lexer.NA });
}

/** Any word that may name a thing: an identifier, or a keyword that is not reserved. */
export const Name = type('Name', 'a name');
/** What may stand behind a dot: no keyword is one there. */
export const Member = type('Member', 'a name');
export const Identifier = type('Identifier', 'a name', [Name, Member]);
/** A name with stars, where a star cannot be a multiplication. */
export const Glob = type('Glob', 'a name with *', [Member]);
export const Text = type('Text', 'a text in quotes');
export const OpenText = type('OpenText', 'a text without its end');
export const Numeral = type('Numeral', 'a number');
export const Unit = type('Unit', 'a unit');
/** `5sec`: parsed as if it were a unit, and reported. */
export const UnknownUnit = type('UnknownUnit', 'a unit', [Unit]);
export const Newline = type('Newline', 'the end of the line');

/** Operators in groups: one CONSUME in a loop needs no alternation. */
export const Infix = type('Infix', 'an operator');
export const Arithmetic = type('Arithmetic', 'an operator');

const marks = new Map<string, TokenType>();

function mark(name: string, image: string, categories: TokenType[] = []): TokenType {
  const made = type(name, `'${image}'`, categories);
  marks.set(image, made);
  return made;
}

export const Arrow = mark('Arrow', '->');
export const DotDot = mark('DotDot', '..');
export const Equal = mark('Equal', '=');
export const Minus = mark('Minus', '-', [Arithmetic]);
export const Plus = mark('Plus', '+', [Arithmetic]);
export const Colon = mark('Colon', ':');
export const Comma = mark('Comma', ',');
export const Dot = mark('Dot', '.');
export const Semicolon = mark('Semicolon', ';');
export const Bar = mark('Bar', '|');
export const LCurly = mark('LCurly', '{');
export const RCurly = mark('RCurly', '}');
export const LRound = mark('LRound', '(');
export const RRound = mark('RRound', ')');
export const LSquare = mark('LSquare', '[');
export const RSquare = mark('RSquare', ']');
mark('Star', '*', [Arithmetic]);
mark('Slash', '/', [Arithmetic]);
mark('EqualEqual', '==', [Infix]);
mark('NotEqual', '!=', [Infix]);
mark('LessEqual', '<=', [Infix]);
mark('GreaterEqual', '>=', [Infix]);
mark('Less', '<', [Infix]);
mark('Greater', '>', [Infix]);

export function markOf(image: string): TokenType | undefined {
  return marks.get(image);
}

const RESERVED: ReadonlySet<string> = new Set(
  'and or not iff implies in is was has unless because within for by at after until during when before since while'.split(
    ' ',
  ),
);
export function isReserved(image: string): boolean {
  return RESERVED.has(image);
}

/** Words between two operands. */
const INFIX: ReadonlySet<string> = new Set(
  'and or iff implies leads_to before while since in within by because_of woken_by'.split(' '),
);

const keywords = new Map<string, TokenType>();

/**
 * The token of a word with a meaning. The same word is the same token, made when the first statement that uses it is
 * compiled: chevrotain takes its time with each.
 */
export function keyword(image: string): TokenType {
  const known = keywords.get(image);
  if (known) return known;
  const made = type(`Word_${image}`, `'${image}'`, [
    ...(RESERVED.has(image) ? [] : [Name]),
    ...(INFIX.has(image) ? [Infix] : []),
  ]);
  keywords.set(image, made);
  return made;
}
INFIX.forEach(keyword);

export function keywordOf(image: string): TokenType | undefined {
  return keywords.get(image);
}

/** Every token type the grammar may name. */
export function vocabulary(): TokenType[] {
  return [
    Name,
    Member,
    Identifier,
    Glob,
    Text,
    OpenText,
    Numeral,
    Unit,
    UnknownUnit,
    Newline,
    Infix,
    Arithmetic,
    ...marks.values(),
    ...keywords.values(),
  ];
}

/** The offset behind a token's last character; chevrotain keeps that of the character itself. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}
