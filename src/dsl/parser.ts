/**
 * The parser: the rules of expressions, and one for each statement, built from its declaration.
 *
 * Building all of it takes tens of milliseconds, so it is built when the first file is parsed, and for the statements
 * of that file. Validations run in the tests. A rule is asked for one statement at a time (layout.ts says where each ends) and gives up at its first error.
 */
import {
  type CstNode,
  CstParser,
  type DSLMethodOpts,
  EOF,
  type IOrAlt,
  type IToken,
  type TokenType,
  tokenLabel,
  tokenMatcher,
} from 'chevrotain';
import { present } from '../base/assert.ts';
import { EXPRESSION_RULES } from './expression_grammar.ts';
import { LazyLookahead } from './lookahead.ts';
import type { Statement } from './statement.ts';
import { STATEMENTS } from './statements/all.ts';
import { nearest } from './suggest.ts';
import type { Alternative, Grammar } from './syntax.ts';
import { Comma, isReserved, LCurly, LRound, LSquare, Name, Numeral, RRound, RSquare, vocabulary } from './tokens.ts';

export interface Parsed {
  readonly cst: CstNode | null;
  readonly error: SyntaxFailure | null;
}

export interface SyntaxFailure {
  /** Null at the end of the statement. */
  readonly token: IToken | null;
  readonly message: string;
  readonly help: string | null;
}

let built: Parser | undefined;
let times = 0;

/**
 * A parser that knows these statements. Most of its cost is in building rules, and a file uses few of them, so it is
 * built for what the file needs; once a third file needs more, for everything.
 */
export function parserFor(needed: ReadonlySet<Statement>): Parser {
  const known = built?.statements ?? new Set();
  if (built && [...needed].every(each => known.has(each))) return built;
  times += 1;
  const all = times > 2 ? STATEMENTS : [...known, ...needed];
  built = newParser(new Set(all), true);
  return built;
}

/** Statements are compiled first, since that makes the tokens of their words. */
export function newParser(statements: ReadonlySet<Statement>, skipValidations: boolean): Parser {
  const rules = [...statements].map(statement => {
    let indices = 0;
    return { statement, parse: statement.syntax.compile(() => indices++) };
  });
  return new ApfParser(rules, skipValidations);
}

/** Parentheses inside one another, and tokens without a comma: the stack of whoever walks the tree has an end. */
const DEEPEST = 64;
const LONGEST = 1000;

function tooDeep(tokens: readonly IToken[]): IToken | null {
  let depth = 0;
  let length = 0;
  for (const token of tokens) {
    if (token.tokenType === LRound || token.tokenType === LSquare) depth += 1;
    else if (token.tokenType === RRound || token.tokenType === RSquare) depth -= 1;
    length = token.tokenType === Comma ? 0 : length + 1;
    if (depth > DEEPEST || length > LONGEST) return token;
  }
  return null;
}

interface StatementRule {
  readonly statement: Statement;
  readonly parse: (grammar: Grammar) => void;
}

/** An act names the rules of statements too. */
interface AnyRule extends Grammar {
  rule(index: number, name: string, label: string): void;
}

class ApfParser extends CstParser {
  readonly statements: ReadonlySet<Statement>;
  readonly #rules = new Map<string, () => CstNode>();

  constructor(rules: readonly StatementRule[], skipValidations: boolean) {
    const lookahead = new LazyLookahead();
    super(vocabulary(), {
      maxLookahead: 1,
      lookaheadStrategy: lookahead,
      skipValidations,
      errorMessageProvider: messages,
    });
    lookahead.peek = () => this.LA(1);
    this.statements = new Set(rules.map(each => each.statement));
    for (const [name, rule] of Object.entries(EXPRESSION_RULES)) this.#define(name, () => rule(this.#grammar));
    for (const { statement, parse } of rules) this.#define(idOf(statement), () => parse(this.#grammar));
    this.#defineAct();
    this.performSelfAnalysis();
  }

  /** One statement by its rule. The tokens must be those of one statement. */
  parse(statement: Statement, tokens: readonly IToken[]): Parsed {
    const deep = tooDeep(tokens);
    if (deep) {
      const error = {
        token: deep,
        message: 'this expression is too long or too deep',
        help: 'name parts of it with let',
      };
      return { cst: null, error };
    }
    this.input = [...tokens];
    const cst = this.#rule(idOf(statement)).call(this);
    const error = this.errors[0];
    if (!error) return { cst, error: null };
    const token = tokenMatcher(error.token, EOF) ? null : error.token;
    const words = wordsIn(statement.syntax.text);
    const near = token && /^[A-Za-z_]+$/.test(token.image) ? nearest(token.image, words) : null;
    const reserved = token && isReserved(token.image) ? token.image : null;
    const isSlip = near !== null && near !== token?.image;
    const help =
      reserved !== null
        ? `'${reserved}' is reserved for clauses and conditions; choose another name, or say what stands before it`
        : isSlip
          ? `did you mean '${near}'?`
          : `the syntax is: ${statement.syntax.text}`;
    return { cst: null, error: { token, message: error.message, help } };
  }

  #rule(name: string): () => CstNode {
    return present(this.#rules.get(name), `grammar rule ${name}`);
  }

  #define(name: string, body: () => void): void {
    this.#rules.set(name, this.RULE(name, body));
  }

  // Called by chevrotain around the recording of its rules. Its own pair puts ninety methods on the parser and deletes
  // them again, which takes longer than all of the recording; what a rule may use here is five of them.
  enableRecording(): void {
    this.RECORDING_PHASE = true;
    this.#grammar = this.#recording;
  }

  disableRecording(): void {
    this.RECORDING_PHASE = false;
    this.#grammar = this.#parsing;
  }

  declare consumeInternalRecord: (type: TokenType, index: number, options: { readonly LABEL: string }) => void;
  declare subruleInternalRecord: (rule: () => CstNode, index: number, options: { readonly LABEL: string }) => void;
  declare optionInternalRecord: (body: (() => void) | DSLMethodOpts<void>, index: number) => void;
  declare manyInternalRecord: (index: number, body: (() => void) | DSLMethodOpts<void>) => void;
  declare orInternalRecord: (alternatives: readonly IOrAlt<void>[], index: number) => void;

  readonly #recording: AnyRule = {
    consume: (index, type, label) => this.consumeInternalRecord(type, index, { LABEL: label }),
    rule: (index, name, label) => this.subruleInternalRecord(this.#rule(name), index, { LABEL: label }),
    option: (index, body, when) => this.optionInternalRecord(guarded(body, when), index),
    many: (index, body, when) => this.manyInternalRecord(index, guarded(body, when)),
    or: (index, alternatives) => this.orInternalRecord(alternatives.map(alternativeOf), index),
    ahead: howMany => this.LA(howMany),
  };

  /** What declarations and rules may use. */
  readonly #parsing: AnyRule = {
    consume: (index, type, label) => this.consume(index, type, { LABEL: label }),
    rule: (index, name, label) => this.subrule(index, this.#rule(name), { LABEL: label }),
    option: (index, body, when) => this.option(index, guarded(body, when)),
    many: (index, body, when) => this.many(index, guarded(body, when)),
    or: (index, alternatives) => this.or(index, alternatives.map(alternativeOf)),
    ahead: howMany => this.LA(howMany),
  };
  #grammar = this.#parsing;

  #defineAct(): void {
    // Those that begin with a name come last: every keyword is a name too.
    const acts = [...this.statements].filter(each => each.where.includes('act'));
    const ordered = [...acts.filter(each => each.keyword !== null), ...acts.filter(each => each.keyword === null)];
    const nested = ordered.map((each, index) => {
      return (): void => this.#grammar.rule(index, idOf(each), each.id);
    });
    this.#define('act', () => this.#grammar.or(0, nested));
  }
}

function guarded(body: () => void, when: (() => boolean) | undefined): (() => void) | DSLMethodOpts<void> {
  return when ? { GATE: when, DEF: body } : body;
}

function alternativeOf(alternative: Alternative): IOrAlt<void> {
  if (typeof alternative === 'function') return { ALT: alternative, IGNORE_AMBIGUITIES: true };
  return { GATE: alternative.when, ALT: alternative.body, IGNORE_AMBIGUITIES: true };
}

export type Parser = Pick<ApfParser, 'statements' | 'parse'>;

function idOf(statement: Statement): string {
  return `statement_${statement.id}`;
}

// -- Messages in the words of the field -----------------------------------------------------------

function found(token: IToken): string {
  if (tokenMatcher(token, EOF)) return 'the end of the statement';
  return token.image === '' ? 'nothing' : `'${token.image}'`;
}

/** `a value` for whatever begins an expression; else the words themselves. */
function expectation(types: readonly TokenType[]): string {
  const labels = new Set(types.map(tokenLabel));
  if (labels.has(tokenLabel(LCurly)) && labels.size > 2) return "an act or '{'";
  if (labels.has(tokenLabel(Numeral)) && labels.has(tokenLabel(Name))) return 'a value';
  const list = [...labels];
  const last = list.pop() ?? 'something else';
  return list.length === 0 ? last : `${list.join(', ')} or ${last}`;
}

const messages = {
  buildMismatchTokenMessage: ({ expected, actual }: { expected: TokenType; actual: IToken }) =>
    `expected ${expectation([expected])}, found ${found(actual)}`,
  buildNotAllInputParsedMessage: ({ firstRedundant }: { firstRedundant: IToken }) =>
    `expected the end of the statement, found ${found(firstRedundant)}`,
  buildNoViableAltMessage: ({
    expectedPathsPerAlt,
    actual,
  }: {
    expectedPathsPerAlt: TokenType[][][];
    actual: IToken[];
  }) =>
    `expected ${expectation(expectedPathsPerAlt.flatMap(paths => paths.flatMap(path => path.slice(0, 1))))}, found ${actual[0] ? found(actual[0]) : 'nothing'}`,
  buildEarlyExitMessage: ({
    expectedIterationPaths,
    actual,
  }: {
    expectedIterationPaths: TokenType[][];
    actual: IToken[];
  }) =>
    `expected ${expectation(expectedIterationPaths.flatMap(path => path.slice(0, 1)))}, found ${actual[0] ? found(actual[0]) : 'nothing'}`,
};

/** The words of a syntax line that are written as they stand. */
function wordsIn(syntax: string): readonly string[] {
  return syntax.match(/[a-z][a-z_]+/g) ?? [];
}
