/**
 * What the monitor steers: a run that can be stepped both ways, or a recording played like one.
 *
 * Work is done in slices: a goal may be millions of events away, and keys must be answered meanwhile.
 */
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
  | { readonly to: 'start' | 'end' };

export interface Session {
  readonly time_ns: number;
  readonly position: number;
  /** Work towards the goal until it is reached or `enough()`; true when there, or when there is no further. */
  pursue(goal: Goal, enough: () => boolean): boolean;
  view(window: Window): ViewModel;
}
