/**
 * The grammar: expressions, written out here, and one rule per statement, built from its declaration.
 *
 * Building all of it takes tens of milliseconds, so it is built when the first file is parsed, and for the statements
 * of that file. Validations run in the tests. A rule is asked for one statement at a time (layout.ts says where each ends) and gives up at its first error.
 */
import { type CstNode, CstParser, EOF, type IToken, tokenLabel, tokenMatcher, type TokenType } from 'chevrotain';
import { present } from '../base/assert.ts';
import { LazyLookahead } from './lookahead.ts';
import type { Statement } from './statement.ts';
import { STATEMENTS } from './statements/all.ts';
import { nearest } from './suggest.ts';
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
  LCurly,
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
  vocabulary,
} from './tokens.ts';

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
export const ACTORS = ['thread', 'worker', 'kswapd', 'vmm', 'task'] as const;
const ACTOR_WORDS: ReadonlySet<string> = new Set(ACTORS);

let built: ApfParser | undefined;
let times = 0;

/**
 * A parser that knows these statements. Most of its cost is in building rules, and a file uses few of them, so it is
 * built for what the file needs; once a third file needs more, for everything.
 */
export function parserFor(needed: ReadonlySet<Statement>): ApfParser {
  const known = built?.statements ?? new Set();
  if (built && [...needed].every(each => known.has(each))) return built;
  times += 1;
  const all = times > 2 ? STATEMENTS : [...known, ...needed];
  built = new ApfParser(new Set(all), true);
  return built;
}

export class ApfParser extends CstParser {
  readonly statements: ReadonlySet<Statement>;
  readonly #rules = new Map<string, () => CstNode>();

  constructor(statements: ReadonlySet<Statement>, skipValidations: boolean) {
    const lookahead = new LazyLookahead();
    super(vocabulary(), { maxLookahead: 1, lookaheadStrategy: lookahead, skipValidations, errorMessageProvider: messages });
    lookahead.peek = () => this.LA(1);
    this.statements = statements;
    this.#expressions();
    this.#statements();
    this.performSelfAnalysis();
  }

  /** One statement by its rule. The tokens must be those of one statement. */
  parse(statement: Statement, tokens: readonly IToken[]): Parsed {
    this.input = [...tokens];
    const cst = this.#rule(idOf(statement)).call(this);
    const error = this.errors[0];
    if (!error) return { cst, error: null };
    const token = tokenMatcher(error.token, EOF) ? null : error.token;
    const words = wordsIn(statement.syntax.text);
    const near = token && /^[A-Za-z_]+$/.test(token.image) ? nearest(token.image, words) : null;
    const help = near !== null && near !== token?.image ? `did you mean '${near}'?` : `${statement.syntax.text}`;
    return { cst: null, error: { token, message: error.message, help: near === null ? `the syntax is: ${help}` : help } };
  }

  #rule(name: string): () => CstNode {
    return present(this.#rules.get(name), `grammar rule ${name}`);
  }

  #define(name: string, body: () => void): void {
    this.#rules.set(name, this.RULE(name, body));
  }

  /** What declarations may use. */
  readonly #grammar: Grammar = {
    consume: (index, type, label) => this.consume(index, type, { LABEL: label }),
    rule: (index, name, label) => this.subrule(index, this.#rule(name), { LABEL: label }),
    option: (index, body) => this.option(index, body),
    optionBefore: (index, second, body) => this.option(index, { GATE: () => this.LA(2).tokenType === second, DEF: body }),
    many: (index, body) => this.many(index, body),
    or: (index, alternatives) => this.or(index, alternatives.map(ALT => ({ ALT, IGNORE_AMBIGUITIES: true }))),
  };

  #statements(): void {
    const acts = [...this.statements].filter(each => each.where.includes('act'));
    for (const statement of this.statements) {
      let indices = 0;
      const parse = statement.syntax.compile(() => indices++);
      this.#define(idOf(statement), () => parse(this.#grammar));
    }
    // Those that begin with a name come last: every keyword is a name too.
    const ordered = [...acts.filter(each => each.keyword !== null), ...acts.filter(each => each.keyword === null)];
    this.#define('act', () => {
      this.or(
        0,
        ordered.map((each, index) => ({
          ALT: () => this.subrule(index, this.#rule(idOf(each)), { LABEL: each.id }),
          IGNORE_AMBIGUITIES: true,
        })),
      );
    });
  }

  /** Whether what follows goes on with the expression, or begins a clause of the statement around it. */
  #tailFollows(): boolean {
    const [one, two] = [this.LA(1).tokenType, this.LA(2)];
    if (one === By) return ACTOR_WORDS.has(two.image);
    if (one === Within) return two.tokenType === LSquare;
    if (one === For) return two.image !== 'each';
    return true;
  }

  #quantifierFollows(): boolean {
    return Quantifiers.includes(this.LA(1).tokenType) && tokenMatcher(this.LA(2), Name) && this.LA(3).tokenType === In;
  }

  #expressions(): void {
    const sub = (index: number, rule: string, label = rule) => this.subrule(index, this.#rule(rule), { LABEL: label });

    this.#define('expression', () => {
      sub(0, 'clause');
      this.many(0, { GATE: () => this.#tailFollows(), DEF: () => sub(0, 'tail') });
    });

    this.#define('clause', () => {
      this.many(0, () => this.consume(0, Not, { LABEL: 'not' }));
      this.or(0, [
        { GATE: () => this.#quantifierFollows(), ALT: () => sub(0, 'quantifier'), IGNORE_AMBIGUITIES: true },
        { ALT: () => sub(0, 'range') },
      ]);
    });

    this.#define('quantifier', () => {
      this.or(0, Quantifiers.map((type, index) => ({ ALT: () => this.consume(index, type, { LABEL: 'q' }) })));
      this.consume(0, Name, { LABEL: 'variable' });
      this.consume(0, In);
      sub(0, 'range', 'over');
      this.consume(0, Colon);
      sub(0, 'expression', 'body');
    });

    this.#define('tail', () => {
      this.or(0, [
        {
          ALT: () => {
            this.consume(0, Infix, { LABEL: 'op' });
            sub(0, 'clause');
          },
        },
        {
          ALT: () => {
            this.or(1, [
              { ALT: () => this.consume(0, Is, { LABEL: 'is' }) },
              { ALT: () => this.consume(0, Was, { LABEL: 'was' }) },
            ]);
            this.option(0, () => this.consume(0, Not, { LABEL: 'not' }));
            this.consume(0, Name, { LABEL: 'state' });
            this.option(1, () => {
              this.consume(0, LRound, { LABEL: 'open' });
              this.consume(1, Name, { LABEL: 'arg' });
              this.consume(0, RRound, { LABEL: 'close' });
            });
          },
        },
        {
          ALT: () => {
            this.consume(0, Has);
            this.consume(2, Name, { LABEL: 'knob' });
            this.consume(0, Equal);
            this.consume(3, Name, { LABEL: 'value' });
          },
        },
        {
          ALT: () => {
            this.consume(0, For);
            sub(1, 'sum', 'time');
          },
        },
      ]);
    });

    this.#define('range', () => {
      sub(0, 'sum');
      this.option(0, () => {
        this.consume(0, DotDot);
        sub(1, 'sum');
      });
    });

    this.#define('sum', () => {
      sub(0, 'factor');
      this.many(0, () => {
        this.consume(0, Arithmetic, { LABEL: 'op' });
        sub(1, 'factor');
      });
    });

    this.#define('factor', () => {
      this.many(0, () => this.consume(0, Minus, { LABEL: 'minus' }));
      sub(0, 'place');
    });

    this.#define('place', () => {
      sub(0, 'primary');
      this.many(0, () => sub(0, 'postfix'));
    });

    this.#define('event', () => {
      sub(0, 'place');
      this.option(0, {
        GATE: () => this.#tailFollows(),
        DEF: () => {
          this.consume(0, By);
          sub(1, 'place', 'actor');
        },
      });
    });

    this.#define('postfix', () => {
      this.or(0, [
        {
          ALT: () => {
            this.consume(0, Dot);
            this.consume(0, Member, { LABEL: 'member' });
          },
        },
        {
          ALT: () => {
            this.consume(0, LRound, { LABEL: 'open' });
            this.option(0, () => {
              sub(0, 'argument');
              this.many(0, () => {
                this.consume(0, Comma);
                sub(1, 'argument');
              });
            });
            this.consume(0, RRound, { LABEL: 'close' });
          },
        },
        {
          ALT: () => {
            this.consume(0, LSquare, { LABEL: 'open' });
            sub(0, 'expression', 'index');
            this.consume(0, RSquare, { LABEL: 'close' });
          },
        },
      ]);
    });

    this.#define('argument', () => {
      sub(0, 'expression');
      this.option(0, () => {
        this.consume(0, Colon);
        sub(1, 'expression');
      });
    });

    this.#define('primary', () => {
      this.or(0, [
        {
          ALT: () => {
            this.consume(0, Numeral, { LABEL: 'numeral' });
            this.option(0, () => this.consume(0, Unit, { LABEL: 'unit' }));
          },
        },
        { ALT: () => this.consume(0, Name, { LABEL: 'name' }) },
        { ALT: () => this.consume(0, Glob, { LABEL: 'name' }) },
        { ALT: () => this.consume(0, Text, { LABEL: 'text' }) },
        {
          ALT: () => {
            this.consume(0, LRound, { LABEL: 'open' });
            sub(0, 'expression', 'inner');
            this.consume(0, RRound, { LABEL: 'close' });
          },
        },
        {
          ALT: () => {
            this.consume(0, LSquare, { LABEL: 'open' });
            this.option(1, () => {
              sub(1, 'expression', 'item');
              this.many(0, () => {
                this.consume(0, Comma);
                sub(2, 'expression', 'item');
              });
            });
            this.consume(0, RSquare, { LABEL: 'close' });
            this.option(2, () => this.consume(1, Unit, { LABEL: 'unit' }));
          },
        },
      ]);
    });
  }
}

export function idOf(statement: Statement): string {
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
  buildNoViableAltMessage: ({ expectedPathsPerAlt, actual }: { expectedPathsPerAlt: TokenType[][][]; actual: IToken[] }) =>
    `expected ${expectation(expectedPathsPerAlt.flatMap(paths => paths.flatMap(path => path.slice(0, 1))))}, found ${actual[0] ? found(actual[0]) : 'nothing'}`,
  buildEarlyExitMessage: ({ expectedIterationPaths, actual }: { expectedIterationPaths: TokenType[][]; actual: IToken[] }) =>
    `expected ${expectation(expectedIterationPaths.flatMap(path => path.slice(0, 1)))}, found ${actual[0] ? found(actual[0]) : 'nothing'}`,
};

/** The words of a syntax line that are written as they stand. */
function wordsIn(syntax: string): readonly string[] {
  return syntax.match(/[a-z][a-z_]+/g) ?? [];
}
