/** Measures over the whole run: sums of what each VM has. */
import { Bug } from '../base/assert.ts';
import type { Entity, Expr } from '../sim/expr.ts';
import type { Expression } from './expression.ts';

export function total(vms: readonly Entity[], of: (vm: Expr) => Expr): Expr {
  const parts = vms.map(entity => of({ k: 'entity', entity }));
  return parts.reduce((left, right) => ({ k: 'binary', op: '+', left, right }));
}

/** What a word stands for, of all VMs together. */
export function sumOver(attributes: Readonly<Record<string, string>>, word: Expression, vms: readonly Entity[]): Expr {
  const name = word.kind === 'name' ? attributes[word.name] : undefined;
  if (!name) throw new Bug('a word that nothing stands for');
  return total(vms, vm => ({ k: 'get', of: vm, name }));
}

export function anyOf(attributes: Readonly<Record<string, string>>, word: Expression, vms: readonly Entity[]): Expr {
  const none: Expr = { k: 'number', value: 0, dim: 'none' };
  return { k: 'binary', op: '>', left: sumOver(attributes, word, vms), right: none };
}
