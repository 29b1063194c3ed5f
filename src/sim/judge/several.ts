/** Several things at once: a property of each, one by its place, how many conditions hold, events of what comes and goes. */
import type { EntityKind } from '../attributes/attribute.ts';
import type { Machine } from '../machine.ts';
import { OBSERVATION_NAMES } from '../observe.ts';
import {
  CONSTANT,
  type Context,
  dependsOnAll,
  type EntityNode,
  EVERY_STEP,
  type Node,
  type NumberNode,
  type SeveralNode,
  type TruthNode,
  unjudgeable,
  type Variable,
} from './node.ts';
import { entityText } from './text.ts';

/** The row there is at a place of a collection, counting only places that are taken; -1 behind the last. */
export function indexNode(of: Node, at: number, text: string, { m }: Context): Node {
  if (of.t === 'list') return of.items[at] ?? unjudgeable(`'${of.text}' has no [${at}]`);
  if (of.t !== 'rows') return unjudgeable(`'${of.text}' is not several things`);
  const get = () => {
    let left = at;
    const positions = of.positions();
    for (let position = 0; position < positions; position += 1) {
      const row = of.at(position);
      if (row < 0) continue;
      if (left === 0) return row;
      left -= 1;
    }
    return -1;
  };
  const show = () => entityText(m, of.kind, get());
  return { t: 'entity', kind: of.kind, text, depends: EVERY_STEP, get, show } satisfies EntityNode;
}

/** `itemWith` compiles the property of whatever the variable stands for. */
export function eachOf(of: Node, itemWith: (variable: Variable) => Node, text: string): SeveralNode {
  if (of.t !== 'rows') return unjudgeable(`'${of.text}' is not several things`);
  const variable: Variable = { kind: of.kind, row: -1 };
  const item = itemWith(variable);
  const turn = (position: number) => {
    const row = of.at(position);
    if (row >= 0) variable.row = row;
    return row >= 0;
  };
  const show = () => {
    const shown: string[] = [];
    for (let position = 0; position < of.positions(); position += 1) if (turn(position)) shown.push(item.show());
    return `[${shown.join(', ')}]`;
  };
  return { t: 'several', item, positions: of.positions, turn, text, depends: EVERY_STEP, show };
}

export function countTrue(items: readonly TruthNode[], text: string): NumberNode {
  const get = () => {
    let held = 0;
    for (let index = 0; index < items.length; index += 1) if (items[index]!.get()) held += 1;
    return held;
  };
  return { t: 'number', dimension: 'none', text, depends: dependsOnAll(items), get, show: () => String(get()) };
}

/** How many things of a kind there are that an event may name. */
function rowsOfKind(m: Machine, kind: EntityKind): number {
  switch (kind) {
    case 'page':
      return m.layout.tables.hva.capacity;
    case 'vcpu':
      return m.vcpus.length;
    case 'task':
      return m.tasks.length;
    case 'thread':
      return m.threads.length;
    case 'irq':
    case 'timer':
      return m.places.interrupts.length;
    case 'vm':
      return m.vms.length;
    default:
      return m.hosts.length;
  }
}

/** A cell for each thing that the event can be about counts how often it was about that one. */
export function happenedTo(name: string, given: readonly (Node | null)[], text: string, context: Context): NumberNode {
  const { m, cells, hooks, now, window } = context;
  const index = given.findIndex(arg => arg !== null);
  const arg = given[index];
  if (arg?.t !== 'entity' || given.filter(each => each !== null).length > 1)
    return unjudgeable(`'${text}' is about more than one thing`);
  const observation = (OBSERVATION_NAMES as readonly string[]).indexOf(name);
  const rows = rowsOfKind(m, arg.kind);
  const counts = cells.newCells(rows, 0, arg.kind);
  hooks.onObservation(observation, (_, a, b) => {
    const row = index === 0 ? a : b;
    if (row < 0 || row >= rows || now.ns < window.from_ns || now.ns > window.to_ns) return;
    cells.values[counts + row] = cells.values[counts + row]! + 1;
  });
  const get = () => {
    const row = arg.get();
    return row < 0 ? 0 : cells.values[counts + row]!;
  };
  const depends = { ...CONSTANT, step: arg.depends.step, observations: new Set([observation]) };
  return { t: 'number', dimension: 'none', text, depends, get, show: () => String(get()) };
}
