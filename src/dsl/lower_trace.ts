/** Traces in expressions: those of the run, and those of one that was recorded before. */
import type { Expr } from '../sim/expr.ts';
import type { KindOf } from './expression.ts';
import type { Place, Variables } from './lower_expression.ts';
import type { Scope } from './scope.ts';
import { isAbout } from './watched.ts';

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

/** A record is judged when it is made: what a variable around it will stand for when somebody asks is not known then. */
export function refuseVariables(of: KindOf<'quantifier'>, place: Place, variables: Variables): void {
  for (const [name, { k }] of variables) {
    if (k === 'variable' && name !== of.variable.text && isAbout(of.body, name))
      place.refuse(
        of.body,
        `what is said of a record cannot speak of '${name}', which stands for one after the other`,
        'go through things that are there from the start, such as web.vcpus, or name one',
      );
  }
}
