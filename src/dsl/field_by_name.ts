/** The field that a lowered expression means by a name, for what lowering has to know about it. */
import type { Expr } from '../sim/expr.ts';
import { type Field, fieldsOf } from './vocabulary.ts';

/** Where the owner's kind is known, its field; else any kind's field of that name: they agree in what matters here. */
export function fieldByName(owner: Expr, name: string): Field | undefined {
  if (owner.k === 'entity') {
    const { kind } = owner.entity;
    const fields = fieldsOf(kind);
    if (fields[name]) return fields[name];
  }
  if (owner.k === 'get' && owner.name === 'nmi') return fieldsOf('nmi_state')[name];
  for (const kind of [
    'vcpu',
    'task',
    'work',
    'vm',
    'page',
    'host',
    'record',
    'record_address',
    'saved_vcpu',
    'saved',
    'migration',
    'ledger',
  ] as const) {
    const field = fieldsOf(kind)[name];
    if (field) return field;
  }
  return undefined;
}
