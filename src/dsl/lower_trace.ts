/** Traces in expressions: those of the run, and those of one that was recorded before. */
import type { Expr } from '../sim/expr.ts';
import type { KindOf } from './expression.ts';
import type { Scope } from './scope.ts';

/** The patterns of `trace(kvm_async_pf_*)`. */
export function globsOf(of: KindOf<'call'>): readonly string[] {
  return of.args.flatMap(({ value }) => (value.kind === 'name' ? [value.name] : []));
}

/** `baseline.trace(kvm_async_pf_*)`; null for any other call. */
export function recordedTrace(of: KindOf<'call'>, scope: Scope): Expr | null {
  if (of.of.kind !== 'member' || of.of.of.kind !== 'name' || of.of.name.text !== 'trace') return null;
  const recording = scope.find(of.of.of.name);
  return recording?.what === 'recording' ? { k: 'recorded', globs: globsOf(of), recording: recording.name } : null;
}
