/**
 * From a row of tokens to a tree of statements: where each begins and ends, before anybody asks what it says.
 *
 * This is what keeps one mistake from becoming twenty: the grammar is asked about one statement at a time, so an error
 * costs that statement and no other, and a forgotten brace is found by the statements that can stand only in a file.
 */
import type { IToken } from 'chevrotain';
import type { Span } from '../base/source.ts';
import type { Report } from './diagnostic.ts';
import type { Lexed } from './scanner.ts';
import {
  Arrow,
  Bar,
  Colon,
  Dot,
  endOf,
  Identifier,
  keyword,
  keywordOf,
  LCurly,
  LRound,
  LSquare,
  Minus,
  Newline,
  Numeral,
  Plus,
  RCurly,
  RRound,
  RSquare,
  Semicolon,
  Unit,
} from './tokens.ts';

/** The tokens of one statement. The insides of its blocks are taken out; `{` and `}` remain. */
export interface Line {
  readonly tokens: IToken[];
  readonly blocks: Block[];
  /** What stands between this statement and the one before it in the block. */
  readonly separator: 'none' | 'newline' | 'semicolon' | 'bar';
}

export interface Block {
  readonly open: IToken | null;
  readonly lines: Line[];
}

/** A line that begins with one of these goes on with the one before. */
export const CONTINUATIONS = ['unless', 'because', 'within', 'after', 'and', 'or', 'iff', 'implies'] as const;
const CONTINUATION_WORDS: ReadonlySet<string> = new Set(CONTINUATIONS);

/** Third person behind a name is a task's act, `db reads cold`, even if the task is named like a statement. */
export const TASK_VERBS = ['reads', 'writes'] as const;
const TASK_VERB_WORDS: ReadonlySet<string> = new Set(TASK_VERBS);

export function spanOf(line: Line): Span {
  const first = line.tokens[0];
  const last = line.tokens.at(-1);
  return first && last ? { start: first.startOffset, end: endOf(last) } : { start: 0, end: 0 };
}

export function spanOfToken(token: IToken): Span {
  return { start: token.startOffset, end: endOf(token) };
}

interface Open {
  readonly block: Block;
  /** In the block of `any`, where `|` stands between statements. */
  readonly bars: boolean;
  line: Line | null;
  separator: Line['separator'];
}

/** `fileOnly`: statements that stand in no block; one at the left margin closes whatever was left open. */
export function layOut(lexed: Lexed, fileOnly: ReadonlySet<string>, report: Report): Block {
  const tokens = lexed.tokens;
  const root: Block = { open: null, lines: [] };
  const outermost: Open = { block: root, bars: false, line: null, separator: 'none' };
  const stack: Open[] = [outermost];
  let brackets: IToken[] = [];
  let lineStart = 0;

  const top = (): Open => stack.at(-1) ?? outermost;

  const endStatement = (separator: Line['separator']): void => {
    for (const bracket of brackets) {
      report.error('unclosed-bracket', {
        span: spanOfToken(bracket),
        message: `this '${bracket.image}' is never closed`,
      });
    }
    brackets = [];
    const open = top();
    if (open.line || open.block.lines.length > 0) open.separator = separator;
    open.line = null;
  };

  const push = (token: IToken): Line => {
    const open = top();
    if (!open.line) {
      open.line = { tokens: [], blocks: [], separator: open.block.lines.length > 0 ? open.separator : 'none' };
      open.block.lines.push(open.line);
    }
    open.line.tokens.push(token);
    return open.line;
  };

  const closeBlock = (close: IToken): void => {
    endStatement('none');
    stack.pop();
    push(close);
    endStatement('newline');
  };

  const closeUnclosed = (at: IToken | undefined): void => {
    while (stack.length > 1) {
      const { open } = top().block;
      if (open) report.error('unclosed-bracket', { span: spanOfToken(open), message: "this '{' is never closed" });
      closeBlock(imaginary(open, at));
    }
  };

  tokens.forEach((token, index) => {
    const type = token.tokenType;
    if (type === Newline) {
      lineStart = endOf(token);
      const next = tokens[index + 1];
      if (!next || next.tokenType === Newline) return;
      const column = next.startOffset - lineStart;
      if (column === 0 && fileOnly.has(next.image) && stack.length > 1) closeUnclosed(next);
      const line = top().line;
      if (!line) return;
      if (brackets.length > 0 && !startsStatement(next, column, line, lexed)) return;
      const isOpen = line.tokens.at(-1)?.tokenType === Colon && !startsStatement(next, column, line, lexed);
      if (brackets.length > 0 || !(isOpen || goesOn(tokens, index + 1))) endStatement('newline');
    } else if (type === Semicolon && brackets.length === 0) {
      endStatement('semicolon');
    } else if (type === Bar && brackets.length === 0) {
      if (!top().bars)
        report.error('syntax', {
          span: spanOfToken(token),
          message: "'|' stands only between the acts of 'any { … }'",
        });
      endStatement('bar');
    } else if (type === LCurly) {
      const block: Block = { open: token, lines: [] };
      for (const bracket of brackets) {
        report.error('unclosed-bracket', {
          span: spanOfToken(bracket),
          message: `this '${bracket.image}' is never closed`,
        });
      }
      brackets = [];
      push(token).blocks.push(block);
      stack.push({ block, bars: tokens[index - 1]?.image === 'any', line: null, separator: 'none' });
    } else if (type === RCurly) {
      if (stack.length > 1) closeBlock(token);
      else if (!misses(root))
        report.error('stray-bracket', { span: spanOfToken(token), message: "no '{' is open here" });
    } else if (type === LRound || type === LSquare) {
      push(token);
      brackets.push(token);
    } else if (type === RRound || type === RSquare) {
      if (brackets.length === 0) {
        report.error('stray-bracket', {
          span: spanOfToken(token),
          message: `no '${type === RRound ? '(' : '['}' is open here`,
        });
      } else {
        brackets.pop();
        push(token);
      }
    } else {
      classify(token, tokens[index - 1], tokens[index + 1], tokens[index + 2]);
      push(token);
    }
  });
  if (top().line) endStatement('newline');
  closeUnclosed(tokens.at(-1));
  return root;
}

/** Words become keywords here: not behind a dot, and not where a task's name stands; `expect reads: …` names no task. */
function classify(token: IToken, previous?: IToken, next?: IToken, third?: IToken): void {
  if (token.tokenType !== Identifier || previous?.tokenType === Dot) return;
  if (next?.tokenType === Identifier && TASK_VERB_WORDS.has(next.image) && third?.tokenType !== Colon) return;
  const type = keywordOf(token.image);
  if (type?.tokenTypeIdx === undefined) return;
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx;
}

/** A bracket was left open if the next line starts a statement no deeper than this one. */
function startsStatement(token: IToken, column: number, line: Line, { tokens }: Lexed): boolean {
  if (token.tokenType !== Identifier || !keywordOf(token.image) || CONTINUATION_WORDS.has(token.image)) return false;
  const first = line.tokens[0];
  if (!first) return false;
  const newline = tokens.findLast(each => each.tokenType === Newline && each.startOffset < first.startOffset);
  const margin = first.startOffset - (newline ? endOf(newline) : 0);
  return column <= margin;
}

function goesOn(tokens: readonly IToken[], index: number): boolean {
  const token = tokens[index];
  if (!token) return false;
  if (token.tokenType === Arrow) return true;
  if (token.tokenType !== Identifier || !CONTINUATION_WORDS.has(token.image)) return false;
  return token.image !== 'after' || !isTrigger(tokens, index);
}

/**
 * `after done(move)` on its own goes on with the judgement above; `after switchover(move) { … }` begins a statement.
 * What tells them apart is whether an act or a block follows the event.
 */
function isTrigger(tokens: readonly IToken[], after: number): boolean {
  let index = after + 1;
  let depth = 0;
  for (; index < tokens.length; index += 1) {
    const token = tokens[index];
    const before = tokens[index - 1];
    if (!token || !before) return false;
    const type = token.tokenType;
    if (type === LRound || type === LSquare) depth += 1;
    else if (type === RRound || type === RSquare) depth -= 1;
    else if (depth > 0) continue;
    else if (type === LCurly) return true;
    else if (type === Newline || type === Semicolon || type === RCurly || type === Bar) return false;
    else if (type === Dot || type === Plus || type === Minus || type === Unit) continue;
    else if (CONTINUATION_WORDS.has(token.image) && before.tokenType !== Dot) {
      if (token.image === 'and' || token.image === 'or') continue;
      return false;
    } else if (['until', 'during', 'for', 'by', 'at'].includes(token.image) && before.tokenType !== Dot) return false;
    else if (index > after + 1 && !joins(before)) return true;
  }
  return false;
}

/** Whether an operand may follow: behind anything else, a further word begins an act. */
function joins(before: IToken): boolean {
  const type = before.tokenType;
  return (
    type === Dot ||
    type === Plus ||
    type === Minus ||
    type === Arrow ||
    before.image === 'and' ||
    before.image === 'or' ||
    type === Numeral
  );
}

/** The file already has a statement that lost its `{`: the `}` that is then left over is no second mistake. */
function misses(root: Block): boolean {
  return root.lines.some(line => line.blocks.length === 0 && BLOCK_OWNERS.has(line.tokens[0]?.image ?? ''));
}

/** Statements of a file that never stand without a block. */
const BLOCK_OWNERS: ReadonlySet<string> = new Set(['case', 'host', 'vm', 'explore', 'sweep', 'migration', 'link']);

function imaginary(open: IToken | null, at: IToken | undefined): IToken {
  const offset = at ? at.startOffset : (open?.startOffset ?? 0);
  const type = RCurly;
  return { image: '', startOffset: offset, tokenType: type, tokenTypeIdx: type.tokenTypeIdx ?? 0 };
}

// Declared here since the words of the layout belong to no statement.
for (const word of CONTINUATIONS) keyword(word);
