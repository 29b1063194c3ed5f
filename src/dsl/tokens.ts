/**
 * Tokens, and the one pass of the lexer over a file.
 *
 * Words are lexed as Identifier and become keywords afterwards, in layout.ts: only the list of statements knows them,
 * and nearly all are contextual, so a task may be called `report`. A unit is one token, and only behind a number or
 * a `]`: elsewhere `s` and `pages` are names.
 */
import { createToken, type IToken, Lexer, type TokenType } from 'chevrotain';
import { UNIT_NAMES } from './units.ts';

/** Any word that may name a thing: an identifier, or a keyword that is not reserved. */
export const Name = createToken({ name: 'Name', pattern: Lexer.NA, label: 'a name' });
/** What may stand behind a dot: no keyword is one there. */
export const Member = createToken({ name: 'Member', pattern: Lexer.NA, label: 'a name' });
export const Identifier = createToken({ name: 'Identifier', pattern: /[A-Za-z_][A-Za-z0-9_]*/, categories: [Name, Member], label: 'a name' });

/** A name with stars: only where a star cannot be a multiplication. */
export const Glob = createToken({
  name: 'Glob',
  pattern: /[A-Za-z_][A-Za-z0-9_]*(?:\*_\w*)*\*(?=[,.)\];}]|[ \t]*(?:[\r\n#}]|$))|[A-Za-z_][A-Za-z0-9_]*(?:\*_\w+)+/,
  categories: [Member],
  label: 'a name with *',
});

export const Text = createToken({ name: 'Text', pattern: /"(?:[^"\\\r\n]|\\.)*"/, label: 'a text in quotes' });
export const OpenText = createToken({ name: 'OpenText', pattern: /"(?:[^"\\\r\n]|\\.)*\\?/, label: 'a text without its end' });

export const Numeral = createToken({
  name: 'Numeral',
  pattern: /0x[0-9a-fA-F]+|\d[\d_]*(?:\.\d+)?(?:[kMG](?![A-Za-z0-9_]))?/,
  label: 'a number',
});

const longestFirst = [...UNIT_NAMES].sort((a, b) => b.length - a.length);
const KNOWN_UNIT = new RegExp(`(?:${longestFirst.join('|')})(?![A-Za-z0-9_])`, 'y');
const WORD = /[A-Za-z_]\w*/y;

/** Matches a unit only behind a number or a `]` of the same line. */
function unitAfter(bad: boolean) {
  return (text: string, offset: number, matched: IToken[]): RegExpExecArray | null => {
    const last = matched.at(-1);
    const numeral = last?.tokenType === Numeral;
    if (!last || (!numeral && last.tokenType !== RSquare)) return null;
    const attached = endOf(last) === offset;
    KNOWN_UNIT.lastIndex = offset;
    const unit = KNOWN_UNIT.exec(text);
    if (!bad) return unit?.[0] === '/s' && !attached ? null : unit;
    if (unit || !numeral || !attached) return null;
    WORD.lastIndex = offset;
    return WORD.exec(text);
  };
}

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

export const Unit = createToken({
  name: 'Unit',
  pattern: unitAfter(false),
  start_chars_hint: [...letters, '%', '/'],
  line_breaks: false,
  label: 'a unit',
});
/** `5sec`: parsed as if it were a unit, and reported by what reads the number. */
export const UnknownUnit = createToken({
  name: 'UnknownUnit',
  pattern: unitAfter(true),
  start_chars_hint: [...letters, '_'],
  line_breaks: false,
  categories: [Unit],
});

function mark(name: string, image: string): TokenType {
  return createToken({ name, pattern: image, label: `'${image}'` });
}

export const Arrow = mark('Arrow', '->');
export const DotDot = mark('DotDot', '..');
export const EqualEqual = mark('EqualEqual', '==');
export const NotEqual = mark('NotEqual', '!=');
export const LessEqual = mark('LessEqual', '<=');
export const GreaterEqual = mark('GreaterEqual', '>=');
export const Less = mark('Less', '<');
export const Greater = mark('Greater', '>');
export const Equal = mark('Equal', '=');
export const Plus = mark('Plus', '+');
export const Minus = mark('Minus', '-');
export const Star = mark('Star', '*');
export const Slash = mark('Slash', '/');
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

/** Operators in groups: one CONSUME in a loop needs no alternation. */
export const Infix = createToken({ name: 'Infix', pattern: Lexer.NA, label: 'an operator' });
export const Arithmetic = createToken({ name: 'Arithmetic', pattern: Lexer.NA, label: 'an operator' });
for (const type of [EqualEqual, NotEqual, LessEqual, GreaterEqual, Less, Greater]) type.CATEGORIES = [Infix];
for (const type of [Plus, Minus, Star, Slash]) type.CATEGORIES = [Arithmetic];

export const Newline = createToken({ name: 'Newline', pattern: /\r\n|\r|\n/, line_breaks: true, label: 'the end of the line' });
const Blank = createToken({ name: 'Blank', pattern: /[ \t\u00a0\ufeff]+/, group: Lexer.SKIPPED });
const Comment = createToken({ name: 'Comment', pattern: /#[^\r\n]*/, group: 'comments' });

const LEXED: readonly TokenType[] = [
  Blank,
  Comment,
  Newline,
  Text,
  OpenText,
  Unit,
  UnknownUnit,
  Numeral,
  Glob,
  Identifier,
  Arrow,
  DotDot,
  EqualEqual,
  NotEqual,
  LessEqual,
  GreaterEqual,
  Less,
  Greater,
  Equal,
  Plus,
  Minus,
  Star,
  Slash,
  Colon,
  Comma,
  Dot,
  Semicolon,
  Bar,
  LCurly,
  RCurly,
  LRound,
  RRound,
  LSquare,
  RSquare,
];

/**
 * Words that never name a thing, so that a missing operand is found where it is missing.
 * Behind a dot even these are names.
 */
const RESERVED = new Set(
  'and or not iff implies in is was has unless because within for by at after until during when before since while'.split(' '),
);

const keywords = new Map<string, TokenType>();

/** The token of a word with a meaning. Declared wherever it is used; the same word is the same token. */
export function keyword(image: string): TokenType {
  const known = keywords.get(image);
  if (known) return known;
  const name = `Word_${image}`;
  const type = createToken({ name, pattern: Lexer.NA, label: `'${image}'`, categories: RESERVED.has(image) ? [] : [Name] });
  keywords.set(image, type);
  return type;
}

export function keywordOf(image: string): TokenType | undefined {
  return keywords.get(image);
}

for (const image of 'and or iff implies leads_to before while since in within by because_of woken_by'.split(' ')) {
  const type = keyword(image);
  type.CATEGORIES = [...(type.CATEGORIES ?? []), Infix];
}

/** Every token type the grammar may name. */
export function vocabulary(): TokenType[] {
  return [...LEXED, Name, Member, Infix, Arithmetic, ...keywords.values()];
}

export interface Lexed {
  /** Newlines included; comments apart. */
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
  /** Characters that begin no token, in runs. */
  readonly strays: readonly { readonly offset: number; readonly length: number }[];
  /** Texts that do not end on their line. */
  readonly openTexts: readonly IToken[];
}

let lexer: Lexer | undefined;

export function lex(text: string): Lexed {
  lexer ??= new Lexer([...LEXED], { ensureOptimizations: true, positionTracking: 'onlyOffset', skipValidations: true });
  const { tokens, groups, errors } = lexer.tokenize(text);
  return {
    tokens,
    comments: groups['comments'] ?? [],
    strays: errors.map(({ offset, length }) => ({ offset, length })),
    openTexts: tokens.filter(token => token.tokenType === OpenText),
  };
}

/** The offset behind a token's last character; chevrotain keeps that of the character itself. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}
