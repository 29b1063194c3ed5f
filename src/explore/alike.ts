/** Expressions and events as text that is the same for two that mean the same, perhaps under other names. */
import type { Entity } from '../sim/expr.ts';

/** The same thing under another name. */
export type Rename = (entity: Entity) => Entity;

/** Parts whose order means nothing are put in order; how a thing is written counts as little. */
export function textUnder(value: unknown, rename: Rename): string {
  if (Array.isArray(value)) return `[${value.map(each => textUnder(each, rename)).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? '';
  if (isEntity(value)) {
    const { kind, vm, id, name } = rename(value);
    return kind === 'vcpu' || kind === 'task' || kind === 'thread'
      ? `${kind} ${vm} ${id}`
      : `${kind} ${vm} ${id} ${name}`;
  }
  const { k, op } = value;
  if (k === 'binary' && (op === 'and' || op === 'or' || op === '+'))
    return `${op}(${partsOf(value, op, rename).sort().join()})`;
  if ((k === 'list' || k === 'count_true') && Array.isArray(value['items']))
    return `${k}(${value['items']
      .map(each => textUnder(each, rename))
      .sort()
      .join()})`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${key}:${textUnder(each, rename)}`)
    .join()}}`;
}

/** `a and (b and c)`: a, b and c. */
function partsOf(value: unknown, op: string, rename: Rename): string[] {
  if (!isRecord(value) || value['k'] !== 'binary' || value['op'] !== op) return [textUnder(value, rename)];
  return [...partsOf(value['left'], op, rename), ...partsOf(value['right'], op, rename)];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isEntity(value: object): value is Entity {
  return 'kind' in value && 'vm' in value && 'id' in value && 'name' in value;
}
