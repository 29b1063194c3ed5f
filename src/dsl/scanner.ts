/**
 * From text to tokens, in one pass of one pattern.
 *
 * A scanner of our own, since a unit is one only behind a number or a `]`: elsewhere `s` and `pages` are names. Words
 * come out as identifiers and become keywords in layout.ts.
 */
import type { IToken, TokenType } from 'chevrotain';
import {
  endOf,
  Glob,
  Identifier,
  markOf,
  Newline,
  Numeral,
  OpenText,
  RSquare,
  Text,
  Unit,
  UnknownUnit,
} from './tokens.ts';
import { UNIT_NAMES } from './units.ts';

export interface Lexed {
  /** Newlines included; comments apart. */
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
  /** Characters that begin no token, in runs. */
  readonly strays: readonly { readonly offset: number; readonly length: number }[];
  /** Texts that do not end on their line. */
  readonly openTexts: readonly IToken[];
}

/** Groups in the order of KINDS; blanks match outside of them. */
const TOKEN = new RegExp(
  [
    '[ \\t\\u00a0\\ufeff]+',
    '(\\r\\n|\\r|\\n)',
    '(#[^\\r\\n]*)',
    '("(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*")',
    '("(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*\\\\?)',
    '(0x[0-9a-fA-F]+|\\d[\\d_]*(?:\\.\\d+)?(?:[kMG](?![A-Za-z0-9_]))?)',
    // With a star at its end, or an underscore behind it: `a*b` multiplies.
    '([A-Za-z_]\\w*(?:\\*_\\w*)*\\*(?=[,.:)\\];}]|[ \\t]*(?:[\\r\\n#}]|$))|[A-Za-z_]\\w*(?:\\*_\\w+)+)',
    '([A-Za-z_]\\w*)',
    '(->|\\.\\.|==|!=|<=|>=|[<>=+\\-*/:,.;|{}()[\\]])',
  ].join('|'),
  'y',
);

const COMMENT = 2;
const MARK = 8;
const KINDS: readonly (TokenType | null)[] = [null, Newline, null, Text, OpenText, Numeral, Glob, Identifier, null];

const longestFirst = [...UNIT_NAMES].sort((a, b) => b.length - a.length);
const UNIT = new RegExp(`(?:${longestFirst.join('|')})(?![A-Za-z0-9_])`, 'y');
const LETTERS = /[A-Za-z_]\w*/y;

export function lex(text: string): Lexed {
  const tokens: IToken[] = [];
  const comments: IToken[] = [];
  const strays: { offset: number; length: number }[] = [];
  let offset = 0;
  let last: IToken | null = null;
  while (offset < text.length) {
    const unit: IToken | null =
      last && (last.tokenType === Numeral || last.tokenType === RSquare) ? unitAt(text, offset, last) : null;
    if (unit) {
      tokens.push(unit);
      offset = endOf(unit);
      last = unit;
      continue;
    }
    TOKEN.lastIndex = offset;
    const found = TOKEN.exec(text);
    if (!found) {
      const stray = strays.at(-1);
      const length = text.codePointAt(offset) === text.charCodeAt(offset) ? 1 : 2;
      if (stray && stray.offset + stray.length === offset) stray.length += length;
      else strays.push({ offset, length });
      offset += length;
      continue;
    }
    const [image] = found;
    const kind = found.findIndex((group, index) => index > 0 && group !== undefined);
    if (kind === COMMENT) comments.push(token(image, offset, Newline));
    else if (kind > 0) {
      last = token(image, offset, (kind === MARK ? markOf(image) : KINDS[kind]) ?? Identifier);
      tokens.push(last);
    }
    offset += image.length;
  }
  return { tokens, comments, strays, openTexts: tokens.filter(each => each.tokenType === OpenText) };
}

/** A unit behind a number or a list, on the same line; letters right behind a number are at least meant as one. */
function unitAt(text: string, offset: number, last: IToken): IToken | null {
  const attached = endOf(last) === offset;
  UNIT.lastIndex = offset;
  const known = UNIT.exec(text)?.[0];
  if (known !== undefined)
    return known === '/s' && (!attached || last.tokenType !== Numeral) ? null : token(known, offset, Unit);
  if (!attached || last.tokenType !== Numeral) return null;
  LETTERS.lastIndex = offset;
  const unknown = LETTERS.exec(text)?.[0];
  return unknown === undefined ? null : token(unknown, offset, UnknownUnit);
}

function token(image: string, startOffset: number, tokenType: TokenType): IToken {
  return { image, startOffset, tokenType, tokenTypeIdx: tokenType.tokenTypeIdx ?? 0 };
}
