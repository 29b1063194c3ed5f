/** `apflab protocols`: the variants that ship, one of them, or two compared. */

import { compile } from '../../dsl/compile.ts';
import { didYouMean } from '../../dsl/suggest.ts';
import type { Suite } from '../../dsl/suite.ts';
import { KNOB_NAMES, KNOBS } from '../../sim/protocol/knobs.ts';
import { knobsThatDiffer, PRESET_NAMES, PRESETS, presetNamed } from '../../sim/protocol/presets.ts';
import type { Args } from '../args.ts';
import { columns, paragraph } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { Imports, readScenario } from '../files.ts';
import {
  besides,
  cardJson,
  cardMarkdown,
  cardOf,
  comparisonJson,
  comparisonMarkdown,
  listJson,
  listMarkdown,
  type Protocol,
  presetProtocol,
  protocolOf,
  valueText,
} from '../protocol_report.ts';
import { Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { IN, PROTOCOLS_REPORT } from '../verbs.ts';

export function protocols(args: Args, terminal: Terminal): ExitCode {
  const { out } = terminal;
  const path = args.get(IN);
  const suite = path === null ? null : suiteOf(path, terminal);
  const [first, second] = args.operands.map(name => protocolNamed(name, suite));
  const { strong } = out.paint;
  switch (args.get(PROTOCOLS_REPORT)) {
    case 'json':
      out.write(!first ? listJson(allOf(suite)) : second ? comparisonJson(first, second) : cardJson(first));
      break;
    case 'md':
      out.write(!first ? listMarkdown(allOf(suite)) : second ? comparisonMarkdown(first, second) : cardMarkdown(first));
      break;
    default:
      out.write(!first ? listText(suite, strong) : second ? comparisonText(first, second) : cardText(first, strong));
  }
  return EXIT.ok;
}

function protocolNamed(name: string, suite: Suite | null): Protocol {
  const shipped = presetProtocol(name);
  if (shipped) return shipped;
  const knobs = suite?.knobs(name) ?? null;
  if (!knobs)
    throw new Refusal(`no protocol named '${name}'`, didYouMean(name, suite?.variants ?? PRESET_NAMES, 'protocols'));
  return { name, knobs, preset: null };
}

function suiteOf(path: string, terminal: Terminal): Suite {
  const { suite } = compile(readScenario(path, terminal), new Imports(terminal).load);
  if (!suite) throw new Refusal(`${path} has errors`, `apflab check ${path}`);
  return suite;
}

function ownOf(suite: Suite | null): readonly string[] {
  return suite?.variants.filter(name => !presetNamed(name)) ?? [];
}

function allOf(suite: Suite | null): readonly Protocol[] {
  return [...PRESETS.map(protocolOf), ...ownOf(suite).map(name => protocolNamed(name, suite))];
}

function listText(suite: Suite | null, strong: (text: string) => string): string {
  const shipped = PRESETS.map(({ name, provenance, summary }) => [name, provenance, summary]);
  const rows = [...shipped, ...ownOf(suite).map(name => [name, 'declared', `In ${suite?.file}.`])];
  return `${columns(rows, { first: strong })}\napflab protocols NAME explains one, apflab protocols A B compares two.\n`;
}

function cardText(protocol: Protocol, strong: (text: string) => string): string {
  const { knobs, preset } = protocol;
  const changed = new Set<string>(preset?.extends ? Object.keys(preset.changes) : []);
  const rows = KNOB_NAMES.flatMap(knob => [
    [changed.has(knob) ? '*' : ' ', strong(knob), valueText(knobs, knob)].join(' '),
    paragraph(KNOBS[knob].summary, 4),
  ]);
  return `${headText(protocol, strong)}\n${rows.join('\n')}\n`;
}

function headText(protocol: Protocol, strong: (text: string) => string): string {
  const { name, preset } = protocol;
  if (!preset) return `${strong(name)}: declared in the scenario\n`;
  const base = preset.extends === null ? '' : `extends ${preset.extends}; * marks what differs from it\n`;
  const { facts, reconstructed } = cardOf(protocol);
  const known = facts.map(({ text, source }) => `${paragraph(`${text} (${source})`, 2)}\n`).join('');
  const ours = reconstructed.map(text => `${paragraph(text, 2)}\n`).join('');
  return [
    `${strong(name)}: ${preset.summary}\n${preset.provenance}: ${preset.source}\n${base}`,
    ...(known === '' ? [] : [`\nknown:\n${known}`]),
    ...(ours === '' ? [] : [`\nours:\n${ours}`]),
  ].join('');
}

function comparisonText(a: Protocol, b: Protocol): string {
  const names = knobsThatDiffer(a.knobs, b.knobs);
  if (names.length === 0) return `${a.name} and ${b.name} have the same knobs\n`;
  const rows = names.map(knob => [knob, besides(a.knobs, b.knobs, knob), besides(b.knobs, a.knobs, knob)]);
  return columns([['knob', a.name, b.name], ...rows]);
}
