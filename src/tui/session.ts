/**
 * What the monitor steers: a run that can be stepped both ways, or a recording played like one.
 *
 * Work is done in slices: a goal may be millions of events away, and keys must be answered meanwhile.
 */
import type { Expr } from '../sim/expr.ts';
import type { ViewModel, Window } from './view_model.ts';

/** Events worth stopping at. */
export const MARKS = {
  entry: 'VM entry',
  fault: 'page fault exit',
  violation: 'failing judgement',
} as const;
export type Mark = keyof typeof MARKS;

export type Goal =
  | { readonly to: 'time'; readonly ns: number }
  /** So many events on, or back. */
  | { readonly to: 'by'; readonly events: number }
  | { readonly to: 'next' | 'previous'; readonly mark: Mark }
  /** On until a condition of the language becomes so; `text`: as it was typed. */
  | { readonly to: 'until'; readonly text: string; readonly condition: Expr }
  | { readonly to: 'start' | 'end' };

export interface Session {
  readonly time_ns: number;
  readonly position: number;
  /** Work towards the goal until it is reached or `enough()`; true when there, or when there is no further. */
  pursue(goal: Goal, enough: () => boolean): boolean;
  view(window: Window): ViewModel;
  /** What expressions are at this moment, in words; null where there is nobody to ask. */
  answers(values: readonly Expr[]): readonly string[] | null;
  /** Whether the last goal that a condition was has been reached. */
  readonly met: boolean;
}
