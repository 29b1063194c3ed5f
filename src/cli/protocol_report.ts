/** What `apflab protocols` says, for programs and as pages: the list, one with its card, two compared. */
import { CARDS, type Card } from '../sim/protocol/cards.ts';
import { isSetKnob, KNOB_NAMES, KNOBS, type KnobName, type Knobs } from '../sim/protocol/knobs.ts';
import { knobsOf, knobsThatDiffer, type Preset, presetNamed } from '../sim/protocol/presets.ts';

/** What can be said of a variant; one that a scenario declares is only its knobs. */
export interface Protocol {
  readonly name: string;
  readonly knobs: Knobs;
  readonly preset: Preset | null;
}

const NOTHING: Card = { facts: [], reconstructed: [] };

export function cardOf({ name, preset }: Protocol): Card {
  return (preset && CARDS[name]) ?? NOTHING;
}

export function protocolOf(preset: Preset): Protocol {
  return { name: preset.name, knobs: knobsOf(preset.name), preset };
}

/** The value of a knob; of a set what the other one has not. */
export function besides(knobs: Knobs, others: Knobs, name: KnobName): string {
  const [value, other] = [knobs[name], others[name]];
  if (typeof value === 'string') return value;
  const more = value.filter(each => !String(other).split(',').includes(each));
  return more.length === 0 ? '-' : more.join(', ');
}

export function valueText(knobs: Knobs, name: KnobName): string {
  const value = knobs[name];
  return typeof value === 'string' ? value : `[${value.join(', ')}]`;
}

/** The knobs that a preset turns, with what they were. */
export function turnsOf({ knobs, preset }: Protocol): readonly { knob: KnobName; was: string; is: string }[] {
  if (!preset?.extends) return [];
  const base = knobsOf(preset.extends);
  return knobsThatDiffer(base, knobs).map(knob => ({ knob, was: valueText(base, knob), is: valueText(knobs, knob) }));
}

// -- For programs ---------------------------------------------------------------------------------

function shownJson(protocol: Protocol): object {
  const { name, preset } = protocol;
  const { facts, reconstructed } = cardOf(protocol);
  return {
    name,
    provenance: preset?.provenance ?? 'declared',
    summary: preset?.summary ?? null,
    source: preset?.source ?? null,
    extends: preset?.extends ?? null,
    changes: turnsOf(protocol),
    facts,
    reconstructed,
  };
}

export function listJson(all: readonly Protocol[]): string {
  return jsonText({ version: 1, protocols: all.map(shownJson) });
}

export function cardJson(protocol: Protocol): string {
  const knobs = KNOB_NAMES.map(knob => {
    const { values, summary } = KNOBS[knob];
    return { knob, value: protocol.knobs[knob], values, set: isSetKnob(knob), summary };
  });
  return jsonText({ version: 1, ...shownJson(protocol), knobs });
}

export function comparisonJson(a: Protocol, b: Protocol): string {
  const differences = knobsThatDiffer(a.knobs, b.knobs).map(knob => ({ knob, a: a.knobs[knob], b: b.knobs[knob] }));
  return jsonText({ version: 1, a: a.name, b: b.name, differences });
}

const jsonText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

// -- As pages -------------------------------------------------------------------------------------

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('');
}

const code = (text: string): string => `\`${text}\``;

export function listMarkdown(all: readonly Protocol[]): string {
  const rows = all.map(({ name, preset }) => [
    code(name),
    preset?.provenance ?? 'declared',
    preset?.extends ? code(preset.extends) : '',
    preset?.summary ?? '',
  ]);
  return table(['protocol', 'provenance', 'extends', 'what it is'], rows);
}

/** The card alone: where from, what it turns, what is known, what is ours. */
export function factsMarkdown(protocol: Protocol): string {
  const { name, preset } = protocol;
  const { facts, reconstructed } = cardOf(protocol);
  const turns = turnsOf(protocol).map(({ knob, was, is }) => [code(knob), code(was), code(is)]);
  const base = preset?.extends ?? '';
  return [
    `## ${name}\n\n${preset ? `${preset.summary}\n\n*${preset.provenance}*: ${preset.source}\n` : 'Declared in the scenario.\n'}`,
    ...(turns.length > 0 ? [table(['knob', `in ${code(base)}`, 'here'], turns)] : []),
    ...(facts.length > 0 ? [`Known:\n\n${facts.map(each => `- ${each.text} (${each.source})\n`).join('')}`] : []),
    ...(reconstructed.length > 0 ? [`Ours:\n\n${reconstructed.map(each => `- ${each}\n`).join('')}`] : []),
  ].join('\n');
}

export function cardMarkdown(protocol: Protocol): string {
  const rows = KNOB_NAMES.map(knob => [code(knob), code(valueText(protocol.knobs, knob)), KNOBS[knob].summary]);
  return `${factsMarkdown(protocol)}\n${table(['knob', 'value', 'what it decides'], rows)}`;
}

export function comparisonMarkdown(a: Protocol, b: Protocol): string {
  const rows = knobsThatDiffer(a.knobs, b.knobs).map(knob => [
    code(knob),
    code(besides(a.knobs, b.knobs, knob)),
    code(besides(b.knobs, a.knobs, knob)),
  ]);
  return rows.length === 0
    ? `${code(a.name)} and ${code(b.name)} have the same knobs.\n`
    : table(['knob', code(a.name), code(b.name)], rows);
}

export function presetProtocol(name: string): Protocol | null {
  const preset = presetNamed(name);
  return preset ? protocolOf(preset) : null;
}
