/**
 * Lookahead of one token, worked out for a decision when it is first taken.
 *
 * chevrotain works out every decision of the grammar before the first token is read, which is most of the time that
 * building a parser takes; a scenario of ten lines takes few of them. Validation stays chevrotain's.
 */
import {
  Alternation,
  type ILookaheadStrategy,
  type IOrAlt,
  type IProduction,
  type IToken,
  LLkLookaheadStrategy,
  NonTerminal,
  Option,
  Repetition,
  type Rule,
  Terminal,
} from 'chevrotain';
import { Bug } from '../base/assert.ts';

/** Token types by number. */
type Firsts = ReadonlySet<number>;

export class LazyLookahead implements ILookaheadStrategy {
  /** The token ahead; set by the parser, which this belongs to. */
  peek: () => IToken = () => {
    throw new Bug('no parser');
  };
  readonly #firsts = new Map<Rule, Firsts>();

  validate(options: Parameters<ILookaheadStrategy['validate']>[0]): ReturnType<ILookaheadStrategy['validate']> {
    return new LLkLookaheadStrategy({ maxLookahead: 1 }).validate(options);
  }

  buildLookaheadForAlternation({ rule, prodOccurrence }: { readonly rule: Rule; readonly prodOccurrence: number }) {
    let table: ReadonlyMap<number, readonly number[]> | null = null;
    return (alternatives?: readonly IOrAlt<unknown>[]): number | undefined => {
      table ??= this.#table(find(rule.definition, Alternation, prodOccurrence));
      // The first that fits wins, so words are listed before names.
      return table.get(this.peek().tokenTypeIdx)?.find(index => alternatives?.[index]?.GATE?.call(null) ?? true);
    };
  }

  buildLookaheadForOptional({
    rule,
    prodOccurrence,
    prodType,
  }: {
    readonly rule: Rule;
    readonly prodOccurrence: number;
    readonly prodType: string;
  }) {
    let firsts: Firsts | null = null;
    return (): boolean => {
      firsts ??= this.#firstsOf(
        find(rule.definition, prodType === 'Option' ? Option : Repetition, prodOccurrence).definition,
      );
      return firsts.has(this.peek().tokenTypeIdx);
    };
  }

  #table(alternation: Alternation): ReadonlyMap<number, readonly number[]> {
    const table = new Map<number, number[]>();
    alternation.definition.forEach((alternative, index) => {
      for (const type of this.#firstsOf([alternative])) table.set(type, [...(table.get(type) ?? []), index]);
    });
    return table;
  }

  /** Types of tokens that may begin a sequence: those of its parts up to the first that cannot be left out. */
  #firstsOf(sequence: readonly IProduction[]): Firsts {
    const found = new Set<number>();
    for (const part of sequence) {
      for (const type of this.#begins(part)) found.add(type);
      if (!isOptional(part)) break;
    }
    return found;
  }

  #begins(part: IProduction): Firsts {
    if (part instanceof Terminal)
      return new Set([part.terminalType.tokenTypeIdx ?? 0, ...(part.terminalType.categoryMatches ?? [])]);
    if (part instanceof NonTerminal) {
      const rule = part.referencedRule;
      const known = this.#firsts.get(rule) ?? this.#firstsOf(rule.definition);
      this.#firsts.set(rule, known);
      return known;
    }
    if (part instanceof Alternation) return new Set(part.definition.flatMap(each => [...this.#begins(each)]));
    return this.#firstsOf(definitionOf(part));
  }
}

function isOptional(part: IProduction): boolean {
  return part instanceof Option || part instanceof Repetition;
}

function definitionOf(part: IProduction): readonly IProduction[] {
  return 'definition' in part && Array.isArray(part.definition) ? part.definition : [];
}

/** The production of a class and number within a rule. */
function find<P extends IProduction & { readonly idx: number }>(
  sequence: readonly IProduction[],
  type: abstract new (...args: never[]) => P,
  index: number,
): P {
  const found = seek(sequence, type, index);
  if (!found) throw new Bug(`no ${type.name} ${index} in the rule`);
  return found;
}

function seek<P extends IProduction & { readonly idx: number }>(
  sequence: readonly IProduction[],
  type: abstract new (...args: never[]) => P,
  index: number,
): P | null {
  for (const part of sequence) {
    if (part instanceof type && part.idx === index) return part;
    const inside = part instanceof NonTerminal ? null : seek(definitionOf(part), type, index);
    if (inside) return inside;
  }
  return null;
}
