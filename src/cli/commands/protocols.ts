/** `apflab protocols`: the variants that ship, one of them, or two compared. */

import { compile } from '../../dsl/compile.ts';
import { didYouMean } from '../../dsl/suggest.ts';
import type { Suite } from '../../dsl/suite.ts';
import { KNOB_NAMES, KNOBS, type KnobName, type Knobs, laterValues } from '../../sim/protocol/knobs.ts';
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
import { Imports, readScenario } from '../files.ts';
import { Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { IN } from '../verbs.ts';

/** What can be said of a variant; one that a scenario declares is only its knobs. */
interface Protocol {
  readonly name: string;
  readonly knobs: Knobs;
  readonly preset: Preset | null;
}

export function protocols(args: Args, terminal: Terminal): ExitCode {
  const { out } = terminal;
  const path = args.get(IN);
  const suite = path === null ? null : suiteOf(path, terminal);
  const [first, second] = args.operands.map(name => protocolNamed(name, suite));
  if (!first) out.write(listText(suite, out.paint.strong));
  else out.write(second ? comparisonText(first, second) : cardText(first, out.paint.strong));
  return EXIT.ok;
}

function protocolNamed(name: string, suite: Suite | null): Protocol {
  const preset = presetNamed(name) ?? null;
  const knobs = suite?.knobs(name) ?? (preset && knobsOf(name));
  if (!knobs)
    throw new Refusal(`no protocol named '${name}'`, didYouMean(name, suite?.variants ?? PRESET_NAMES, 'protocols'));
  return { name, knobs, preset };
}

function suiteOf(path: string, terminal: Terminal): Suite {
  const { suite } = compile(readScenario(path, terminal), new Imports(terminal).load);
  if (!suite) throw new Refusal(`${path} has errors`, `apflab check ${path}`);
  return suite;
}

function listText(suite: Suite | null, strong: (text: string) => string): string {
  const shipped = PRESETS.map(({ name, provenance, summary }) => [name, provenance, summary]);
  const own = suite?.variants.filter(name => !presetNamed(name)) ?? [];
  const rows = [...shipped, ...own.map(name => [name, 'declared', `In ${suite?.file}.`])];
  return `${columns(rows, { first: strong })}\napflab protocols NAME explains one, apflab protocols A B compares two.\n`;
}

function cardText({ name, knobs, preset }: Protocol, strong: (text: string) => string): string {
  const changed = new Set<string>(preset?.extends ? Object.keys(preset.changes) : []);
  const rows = KNOB_NAMES.flatMap(knob => [
    [changed.has(knob) ? '*' : ' ', strong(knob), valueText(knobs, knob)].join(' '),
    paragraph(KNOBS[knob].summary + laterText(knob), 4),
  ]);
  return `${headText(name, preset, strong)}\n${rows.join('\n')}\n`;
}

function headText(name: string, preset: Preset | null, strong: (text: string) => string): string {
  if (!preset) return `${strong(name)}: declared in the scenario\n`;
  const base = preset.extends === null ? '' : `extends ${preset.extends}; * marks what differs from it\n`;
  return `${strong(name)}: ${preset.summary}\n${preset.provenance}: ${preset.source}\n${base}`;
}

/** What of a knob waits for the complete model. */
function laterText(knob: KnobName): string {
  const later = laterValues(knob);
  if (later.length === 0) return '';
  return later.length === KNOBS[knob].values.length
    ? ' No difference yet.'
    : ` No difference yet: ${later.join(', ')}.`;
}

function comparisonText(a: Protocol, b: Protocol): string {
  const names = knobsThatDiffer(a.knobs, b.knobs);
  if (names.length === 0) return `${a.name} and ${b.name} have the same knobs\n`;
  const rows = names.map(knob => [knob, besides(a.knobs, b.knobs, knob), besides(b.knobs, a.knobs, knob)]);
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
