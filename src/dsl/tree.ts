/**
 * From text to the tree of its statements: lexed, laid out, each statement parsed by its own rule.
 *
 * A statement that does not parse is reported once and left out; the statements of its block are still read.
 */
import type { CstNode, IToken } from 'chevrotain';
import type { Source, Span } from '../base/source.ts';
import { Report } from './diagnostic.ts';
import { type Block, type Line, layOut, spanOf, spanOfToken, TASK_VERBS } from './layout.ts';
import { type Parser, parserFor } from './parser.ts';
import { type Lexed, lex } from './scanner.ts';
import type { Node, Statement } from './statement.ts';
import { STATEMENTS } from './statements/all.ts';
import { didYouMean, nearest } from './suggest.ts';
import { type Context, childrenOf, isNode } from './syntax.ts';
import { Arrow, Identifier, OpenText, UnknownUnit } from './tokens.ts';
import { UNIT_NAMES } from './units.ts';

export interface Tree {
  readonly source: Source;
  readonly lexed: Lexed;
  readonly root: Block;
  readonly nodes: readonly Node[];
  readonly report: Report;
  /** Names that statements which do not parse seem to declare. */
  readonly doubtful: readonly IToken[];
}

interface Words {
  readonly byKeyword: ReadonlyMap<string, readonly Statement[]>;
  /** Those that begin with a name. */
  readonly nameless: readonly Statement[];
}

const contexts = new Map<Context, Words>();
const byId = new Map<string, Statement>();

export function statementsIn(context: Context): Words {
  const known = contexts.get(context);
  if (known) return known;
  const byKeyword = new Map<string, Statement[]>();
  const nameless: Statement[] = [];
  for (const statement of STATEMENTS.filter(each => each.where.includes(context))) {
    if (statement.keyword === null) nameless.push(statement);
    else byKeyword.set(statement.keyword, [...(byKeyword.get(statement.keyword) ?? []), statement]);
  }
  const found = { byKeyword, nameless };
  contexts.set(context, found);
  return found;
}

export function statementById(id: string): Statement | undefined {
  if (byId.size === 0) for (const statement of STATEMENTS) byId.set(statement.id, statement);
  return byId.get(id);
}

let fileOnly: ReadonlySet<string> | undefined;

/** Words that begin a statement of a file and never one of a block. */
function fileOnlyWords(): ReadonlySet<string> {
  if (fileOnly) return fileOnly;
  const inBlocks = new Set(
    STATEMENTS.filter(each => each.where.some(context => context !== 'file')).map(each => each.keyword),
  );
  const words = STATEMENTS.filter(each => each.where.includes('file') && !inBlocks.has(each.keyword)).flatMap(
    each => each.keyword ?? [],
  );
  fileOnly = new Set(words);
  return fileOnly;
}

/** What people write for sizes in the units of marketing. */
const DECIMAL: Readonly<Record<string, string>> = {
  KB: 'KiB',
  kB: 'KiB',
  K: 'KiB',
  MB: 'MiB',
  GB: 'GiB',
  TB: 'TiB',
  MiBs: 'MiB/s',
};

export function parseTree(source: Source): Tree {
  const report = new Report(source);
  const lexed = lex(source.text);
  for (const { offset, length } of lexed.strays) {
    const image = source.text.slice(offset, offset + length);
    report.error('unexpected-character', {
      span: { start: offset, end: offset + length },
      message: `'${image}' means nothing here`,
      help: image.startsWith("'")
        ? 'texts go into double quotes: "…"'
        : image.startsWith('//')
          ? 'a comment begins with #'
          : null,
    });
  }
  for (const token of lexed.openTexts) {
    report.error('unterminated-text', {
      span: spanOfToken(token),
      message: 'this text does not end on its line',
      help: 'close it with "',
    });
  }
  for (const token of lexed.tokens.filter(each => each.tokenType === UnknownUnit)) {
    const slip = DECIMAL[token.image];
    report.error('unknown-unit', {
      span: spanOfToken(token),
      message: `no unit is called '${token.image}'`,
      help: slip ? `sizes are powers of 1024 here: ${slip}` : didYouMean(token.image, UNIT_NAMES, 'units'),
    });
  }
  const words = new Set(lexed.tokens.map(token => token.image));
  const needed = new Set(STATEMENTS.filter(each => each.keyword === null || words.has(each.keyword)));
  // Before the layout, which asks for the words of the statements.
  const parser = parserFor(needed);
  const root = layOut(lexed, fileOnlyWords(), report);
  const doubtful: IToken[] = [];
  const nodes = parseBlock(root, 'file', { report, doubtful, parser });
  return { source, lexed, root, nodes, report, doubtful };
}

/** What reading a file gathers on its way. */
interface Reading {
  readonly report: Report;
  readonly doubtful: IToken[];
  readonly parser: Parser;
}

function parseBlock(block: Block, context: Context, reading: Reading): readonly Node[] {
  const seen = new Map<string, Span>();
  return block.lines.flatMap(line => {
    const node = parseLine(line, context, reading);
    if (!node) return [];
    const before = seen.get(node.statement.id);
    if (before && node.statement.once) {
      reading.report.error('duplicate', {
        span: spanOfFirst(line),
        message: `'${node.statement.keyword}' is given twice`,
        labels: [{ span: before, text: 'given here first' }],
      });
    }
    seen.set(node.statement.id, spanOfFirst(line));
    return [node];
  });
}

function spanOfFirst(line: Line): Span {
  const [first] = line.tokens;
  return first ? spanOfToken(first) : spanOf(line);
}

function parseLine(line: Line, context: Context, reading: Reading): Node | null {
  const { report, doubtful, parser } = reading;
  const statement = choose(line, context);
  if (!statement) {
    unknown(line, context, report);
    return null;
  }
  const { cst, error } = parser.parse(statement, line.tokens);
  if (cst) return nodeOf(statement, cst, line, reading);
  if (error) {
    const broken = line.tokens.some(token => token.image === '' || token.tokenType === OpenText);
    const span = error.token ? spanOfToken(error.token) : endOfLine(line);
    // A bracket that is never closed has been reported where it opens.
    const reported = report.all.some(
      each => each.code === 'unclosed-bracket' && each.span.start >= spanOf(line).start && each.span.end <= span.end,
    );
    if (!broken && !reported) report.error('syntax', { span, message: error.message, help: error.help });
  }
  const [, second] = line.tokens;
  if (statement.declares && second?.tokenType === Identifier) doubtful.push(second);
  const [inner] = line.blocks;
  if (inner && statement.syntax.block) parseBlock(inner, statement.syntax.block, reading);
  return null;
}

function endOfLine(line: Line): Span {
  const { end } = spanOf(line);
  return { start: end, end };
}

function nodeOf(statement: Statement, cst: CstNode, line: Line, reading: Reading): Node {
  return {
    statement,
    cst,
    line,
    span: spanOf(line),
    body: bodyOf(statement, cst, line, reading),
    ...statement.bind(cst),
  };
}

function bodyOf(statement: Statement, cst: CstNode, line: Line, reading: Reading): readonly Node[] {
  const context = statement.syntax.block;
  if (!context) return [];
  const [act] = childrenOf(cst, 'act');
  if (act && isNode(act)) {
    for (const [id, [inner]] of Object.entries(act.children)) {
      const nested = statementById(id);
      if (nested && inner && isNode(inner)) return [nodeOf(nested, inner, line, reading)];
    }
  }
  const [block] = line.blocks;
  return block && childrenOf(cst, 'open').length > 0 ? parseBlock(block, context, reading) : [];
}

/** The statement that a line is, by its first word; where several share it, by what follows. */
function choose(line: Line, context: Context): Statement | null {
  const { byKeyword, nameless } = statementsIn(context);
  const [first, second, third] = line.tokens.map(token => token.image);
  if (first === undefined) return null;
  const [byName] = nameless;
  if (byName?.id === 'matrix_entry' && second === 'in') return byName;
  const candidates = byKeyword.get(first) ?? [];
  if (candidates.length > 1) {
    const verdict = (second === 'fail' || second === 'pass') && (third === 'of' || third === 'on');
    const order = line.tokens.some(token => token.tokenType === Arrow);
    const id = verdict ? 'expect_verdict' : order ? 'expect_order' : 'expect';
    return candidates.find(each => each.id === id) ?? candidates[0] ?? null;
  }
  if (byName?.id !== 'task_access') return candidates[0] ?? byName ?? null;
  // `report reads cold`, where a task is named like a statement: its name is no keyword then (layout.ts).
  const isAccess = line.tokens[0]?.tokenType === Identifier && line.tokens.some(isTaskVerb);
  return isAccess ? byName : (candidates[0] ?? null);
}

function isTaskVerb(token: IToken): boolean {
  return TASK_VERBS.some(verb => verb === token.image);
}

const BLOCK_NAMES: Readonly<Partial<Record<Context, string>>> = {
  file: 'a file',
  act: 'the acts of a trigger',
  script: "a task's script",
  handler: 'an interrupt handler',
};

export function blockName(context: Context): string {
  return BLOCK_NAMES[context] ?? `${/^[aeiou]/.test(context) ? 'an' : 'a'} ${context} block`;
}

function unknown(line: Line, context: Context, report: Report): void {
  const [first] = line.tokens;
  if (!first || first.image === '') return;
  const span = spanOfToken(first);
  const here = [...statementsIn(context).byKeyword.keys()];
  const elsewhere = STATEMENTS.filter(each => each.keyword === first.image);
  if (elsewhere.length > 0) {
    const places = [...new Set(elsewhere.flatMap(each => each.where))].map(blockName);
    report.error('misplaced-statement', {
      span,
      message: `'${first.image}' does not belong in ${blockName(context)}`,
      help: `it belongs in ${places.join(', ')}`,
    });
    return;
  }
  const near = nearest(first.image, here);
  report.error('unknown-statement', {
    span,
    message: `no statement begins with '${first.image}' in ${blockName(context)}`,
    help: near
      ? `did you mean '${near}'?`
      : `statements here: ${here.slice(0, 14).join(', ')}${here.length > 14 ? ', …' : ''}`,
  });
}
