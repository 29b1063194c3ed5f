/** In which fields two machines differ at a moment: what stands behind doing one thing and not another. */
import { durationText } from '../../base/duration.ts';
import { entityText } from '../judge/text.ts';
import { KVM_REQ_NAMES } from '../kvm/requests.ts';
import type { Machine } from '../machine.ts';
import type { Program } from '../program.ts';
import { schema } from '../schema.ts';
import { createSimulation } from '../simulation.ts';

/** A field of a row, and what it holds on either side, in words. */
export interface FieldDifference {
  readonly field: string;
  readonly a: string;
  readonly b: string;
}

/** Tables whose rows stand for what a scenario speaks of, the most telling first. */
const TABLES = ['vcpu', 'task', 'node', 'work', 'vm', 'thread'] as const;
type TableName = (typeof TABLES)[number];

/** The fields that differ when all is done that is due up to a time, but for those that did before `from_ns`. */
export function stateAt(a: Program, b: Program, from_ns: number, ns: number): readonly FieldDifference[] {
  const [one, other] = [createSimulation(a), createSimulation(b)];
  const [left, right] = [one.machine, other.machine];
  for (const simulation of [one, other]) if (from_ns > 0) simulation.runUntil(from_ns - 1);
  const before = new Set(differences(left, right).map(({ field }) => field));
  for (const simulation of [one, other]) simulation.runUntil(ns);
  return differences(left, right).filter(({ field }) => !before.has(field));
}

function differences(left: Machine, right: Machine): readonly FieldDifference[] {
  return TABLES.flatMap(table => {
    const [rows, others] = [left.layout.rows(table), right.layout.rows(table)];
    return rows.slice(0, others.length).flatMap((row, id) =>
      Object.entries(schema[table].fields).flatMap(([name, kind]) => {
        const [a, b] = [row, others[id]].map(each => valueText(Reflect.get(each ?? {}, name), name, kind.names));
        return a === undefined || b === undefined || a === b
          ? []
          : [{ field: `${rowText(left, table, id)}.${name}`, a, b }];
      }),
    );
  });
}

/** Undefined for an array: those hold tables of their own, which say nothing in a line. */
function valueText(value: unknown, name: string, names: readonly string[] | null): string | undefined {
  if (typeof value === 'number') {
    if (names) return names[value] ?? String(value);
    if (name === 'requests') return KVM_REQ_NAMES.filter((_, bit) => value & (1 << bit)).join(' ') || 'none';
    if (name.endsWith('_ns')) return durationText(value);
    return value > 0xfff ? `0x${value.toString(16)}` : String(value);
  }
  if (typeof value === 'object' && value !== null && 'toArray' in value && 'length' in value)
    return value.length === 0 ? 'empty' : `${value.length} ${value.length === 1 ? 'entry' : 'entries'}`;
  return undefined;
}

function rowText(m: Machine, table: TableName, id: number): string {
  switch (table) {
    case 'vcpu':
    case 'task':
    case 'vm':
      return entityText(m, table, id);
    case 'thread':
      return m.places.threads[id]?.comm ?? `thread ${id}`;
    case 'node':
      return id < m.tasks.length ? `${entityText(m, 'task', id)}.wait` : `node[${id}]`;
    default:
      return `${table}[${id}]`;
  }
}
