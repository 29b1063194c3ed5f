/** `apflab protocols`: the variants that ship, one of them, or two compared. */

import { didYouMean } from '../../dsl/suggest.ts';
import { KNOB_NAMES, KNOBS, type KnobName, type Knobs } from '../../sim/protocol/knobs.ts';
import {
  knobsOf,
  knobsThatDiffer,
  PRESET_NAMES,
  PRESETS,
  type Preset,
  presetNamed,
} from '../../sim/protocol/presets.ts';
import type { Args } from '../args.ts';
import { columns, paragraph } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';

export function protocols({ operands }: Args, { out }: Terminal): ExitCode {
  const [first, second] = operands.map(presetFor);
  if (!first) out.write(listText(out.paint.strong));
  else out.write(second ? comparisonText(first, second) : cardText(first, out.paint.strong));
  return EXIT.ok;
}

function presetFor(name: string): Preset {
  const preset = presetNamed(name);
  if (!preset) throw new Refusal(`no protocol named '${name}'`, didYouMean(name, PRESET_NAMES, 'protocols'));
  return preset;
}

function listText(strong: (text: string) => string): string {
  const rows = PRESETS.map(({ name, provenance, summary }) => [name, provenance, summary]);
  return `${columns(rows, { first: strong })}\napflab protocols NAME explains one, apflab protocols A B compares two.\n`;
}

function cardText(preset: Preset, strong: (text: string) => string): string {
  const { name, summary, provenance, source } = preset;
  const knobs = knobsOf(name);
  const changed = new Set<string>(preset.extends === null ? [] : Object.keys(preset.changes));
  const rows = KNOB_NAMES.flatMap(knob => [
    [changed.has(knob) ? '*' : ' ', strong(knob), valueText(knobs, knob)].join(' '),
    paragraph(KNOBS[knob].summary, 4),
  ]);
  const base = preset.extends === null ? '' : `extends ${preset.extends}; * marks what differs from it\n`;
  return `${strong(name)}: ${summary}\n${provenance}: ${source}\n${base}\n${rows.join('\n')}\n`;
}

function comparisonText(a: Preset, b: Preset): string {
  const [left, right] = [knobsOf(a.name), knobsOf(b.name)];
  const names = knobsThatDiffer(left, right);
  if (names.length === 0) return `${a.name} and ${b.name} have the same knobs\n`;
  const rows = names.map(knob => [knob, besides(left, right, knob), besides(right, left, knob)]);
  return columns([['knob', a.name, b.name], ...rows]);
}

/** The value of a knob; of a set what the other one has not. */
function besides(knobs: Knobs, others: Knobs, name: KnobName): string {
  const [value, other] = [knobs[name], others[name]];
  if (typeof value === 'string') return value;
  const more = value.filter(each => !String(other).split(',').includes(each));
  return more.length === 0 ? '-' : more.join(', ');
}

function valueText(knobs: Knobs, name: KnobName): string {
  const value = knobs[name];
  return typeof value === 'string' ? value : `[${value.join(', ')}]`;
}
