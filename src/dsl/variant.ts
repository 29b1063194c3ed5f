/** The knobs of a variant: those of a preset, or of another variant of the file with some of them turned. */
import { isSetKnob, KNOB_NAMES, KNOBS, type KnobName, type Knobs } from '../sim/protocol/knobs.ts';
import { knobsOf, presetNamed } from '../sim/protocol/presets.ts';
import type { Scope } from './scope.ts';
import type { Node } from './statement.ts';
import { childrenOf, isNode } from './syntax.ts';

export interface Turn {
  readonly knob: string;
  readonly change: 'set' | 'add' | 'remove';
  readonly values: readonly string[];
}

/** Null for a name that nobody declared, or for variants that extend one another in a circle. */
export function knobsOfVariant(name: string, scope: Scope, turnsOf: (node: Node) => readonly Turn[]): Knobs | null {
  return follow(name, scope, turnsOf, []);
}

function follow(
  name: string,
  scope: Scope,
  turnsOf: (node: Node) => readonly Turn[],
  through: readonly string[],
): Knobs | null {
  const node = scope.variant(name)?.node;
  if (!node) return presetNamed(name) ? knobsOf(name) : null;
  if (through.includes(name)) return null;
  const [base] = childrenOf(node.cst, 'base');
  if (!base || isNode(base)) return null;
  const knobs = follow(base.image, scope, turnsOf, [...through, name]);
  return knobs && turnsOf(node).reduce(turned, knobs);
}

function turned(knobs: Knobs, { knob, change, values }: Turn): Knobs {
  const name = KNOB_NAMES.find(each => each === knob);
  if (!name) return knobs;
  if (!isSetKnob(name)) return { ...knobs, [name]: values[0] ?? knobs[name] };
  const before: readonly string[] = asSet(knobs, name);
  const after =
    change === 'set'
      ? values
      : change === 'add'
        ? [...before, ...values]
        : before.filter(each => !values.includes(each));
  return { ...knobs, [name]: KNOBS[name].values.filter(each => after.includes(each)).sort() };
}

function asSet(knobs: Knobs, name: KnobName): readonly string[] {
  const value: string | readonly string[] = knobs[name];
  return typeof value === 'string' ? [value] : value;
}
