/**
 * A statement of the language, declared once: its words, its syntax, what it means, how it is explained.
 *
 * The parser, the checker, the lowering, `apflab help`, docs/language.md and completion are loops over the list in
 * statements/all.ts.
 */
import type { CstNode } from 'chevrotain';
import type { Span } from '../base/source.ts';
import type { Check } from './check.ts';
import type { Line } from './layout.ts';
import type { Lowering } from './lower.ts';
import type { Declarations } from './scope.ts';
import type { Context, Part } from './syntax.ts';

/** The issue that brings the model behind a statement; until then a run is refused with a diagnostic. */
export type Needs = 'exploration' | 'sweeps';

/** When a statement is lowered: what is set, then hosts and the VMs on them and how these move, then what happens and is judged. */
export type Round = 'settings' | 'hosts' | 'vms' | 'moves' | 'behaviour';

export interface Declaration<T extends object> {
  /** Unique; help finds the statement by it or by its keyword. */
  readonly id: string;
  /** The word it begins with, or null where it begins with a name. */
  readonly keyword: string | null;
  readonly where: readonly Context[];
  readonly syntax: Part<T, object>;
  readonly summary: string;
  /** Each parses, checks in its context and prints back the same. */
  readonly examples: readonly string[];
  /** More than the summary says. */
  readonly about?: string;
  readonly needs?: Needs;
  /** At most one in its block. */
  readonly once?: true;
  /** `behaviour` unless said otherwise. */
  readonly round?: Round;
  /** Puts what it names into the scope, before anything is checked. */
  declare?(fields: T, at: Node, scope: Declarations): void;
  check?(fields: T, at: Node, check: Check): void;
  lower?(fields: T, at: Node, lowering: Lowering): void;
}

/** A statement with the type of its fields taken away. */
export interface Statement extends Omit<Declaration<object>, 'syntax' | 'declare' | 'check' | 'lower'> {
  readonly syntax: Part<object, object>;
  /** It gives something a name. */
  readonly declares: boolean;
  bind(cst: CstNode): Bound;
}

/** A statement with its fields read from a tree. */
interface Bound {
  declare(at: Node, scope: Declarations): void;
  check(at: Node, check: Check): void;
  lower(at: Node, lowering: Lowering): void;
}

/** One statement of a file. */
export interface Node extends Bound {
  readonly statement: Statement;
  readonly cst: CstNode;
  readonly line: Line;
  readonly span: Span;
  /** The statements of its block, or the one act that stands in its place. */
  readonly body: readonly Node[];
}

export function statement<T extends object, N extends object>(
  declaration: Declaration<T> & { readonly syntax: Part<T, N> },
): Statement {
  const { declare, check, lower, ...rest } = declaration;
  return {
    ...rest,
    declares: declare !== undefined,
    bind(cst) {
      const fields = declaration.syntax.read(cst);
      return {
        declare: (at, scope) => declare?.(fields, at, scope),
        check: (at, on) => check?.(fields, at, on),
        lower(at, to) {
          if (lower) lower(fields, at, to);
          else if (declaration.needs)
            to.needs(at.span, `'${declaration.keyword ?? declaration.id}'`, declaration.needs);
        },
      };
    },
  };
}
