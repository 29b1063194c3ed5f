/**
 * Expressions as written: the tree that the grammar's expression rules are read into, each node with its place.
 *
 * Nothing is resolved yet: `cold` may be a let, a task or a word of the place where it stands.
 */
import type { Span } from '../base/source.ts';
import type { Dimension } from './units.ts';

/** A name with its place. */
export interface Word {
  readonly text: string;
  readonly span: Span;
}

export type BinaryOperator =
  | 'iff'
  | 'implies'
  | 'leads_to'
  | 'or'
  | 'and'
  | 'before'
  | 'while'
  | 'since'
  | '=='
  | '!='
  | '<='
  | '>='
  | '<'
  | '>'
  | 'in'
  | 'within'
  | 'by'
  | 'because_of'
  | 'woken_by'
  | '+'
  | '-'
  | '*'
  | '/';

export interface Argument {
  readonly name: Word | null;
  readonly value: Expression;
}

export type Expression = {
  readonly span: Span;
} /** Without a dimension where the unit is unknown: reported, and never complained about again. */ & (
  | { readonly kind: 'number'; readonly value: number; readonly dimension: Dimension | null }
  | { readonly kind: 'text'; readonly value: string }
  /** May hold stars: `kvm_async_pf_*`. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: Word }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression }
  | { readonly kind: 'call'; readonly of: Expression; readonly args: readonly Argument[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'range'; readonly from: Expression; readonly to: Expression }
  | { readonly kind: 'not' | 'negate'; readonly of: Expression }
  | { readonly kind: 'binary'; readonly op: BinaryOperator; readonly left: Expression; readonly right: Expression }
  /** `x is [not] state(arg)`; with `was` the past. */
  | {
      readonly kind: 'is';
      readonly of: Expression;
      readonly state: Word;
      readonly arg: Word | null;
      readonly negated: boolean;
      readonly past: boolean;
    }
  | { readonly kind: 'has'; readonly of: Expression; readonly knob: Word; readonly value: Word }
  /** `each v in S: P`, and `count(v in S: P)`. */
  | {
      readonly kind: 'quantifier';
      readonly q: 'each' | 'some' | 'no' | 'count';
      readonly variable: Word;
      readonly over: Expression;
      readonly body: Expression;
    }
  /** `P for 1ms`. */
  | { readonly kind: 'lasting'; readonly of: Expression; readonly time: Expression }
);

export type KindOf<K extends Expression['kind']> = Extract<Expression, { readonly kind: K }>;

/** `vcpu_enter_guest.requests`, where dots are part of a name. */
export function pathText(of: Expression): string {
  if (of.kind === 'name') return of.name;
  return of.kind === 'member' ? `${pathText(of.of)}.${of.name.text}` : '';
}
