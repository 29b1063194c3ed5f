/** docs/protocols.md: every protocol that ships with its card, and every knob. */
import { factsMarkdown, listMarkdown, protocolOf } from '../../src/cli/protocol_report.ts';
import { isSetKnob, KNOB_NAMES, KNOBS } from '../../src/sim/protocol/knobs.ts';
import { PRESETS } from '../../src/sim/protocol/presets.ts';
import type { Document } from '../gen_docs.ts';
import { table } from '../markdown.ts';

const INTRODUCTION = `# Protocols

Made from \`src/sim/protocol\` by \`npm run docs\`. A protocol is a value for each knob; what ships are named sets of values.
Each says where it comes from: *posted* to a list, *merged* into Linux, *proposed* in words, or a *reconstruction* of ours;
what is known of it, and what of it is ours. \`apflab protocols NAME\` shows one with all its knobs, \`apflab protocols A B\`
what differs between two. A scenario turns knobs itself: \`variant mine extends linux_5_8 { wake done_list }\`.
`;

export const documents: readonly Document[] = [{ file: 'docs/protocols.md', render }];

function render(): string {
  const all = PRESETS.map(protocolOf);
  const knobs = KNOB_NAMES.map(knob => {
    const { values, summary } = KNOBS[knob];
    return [
      `\`${knob}\``,
      `${isSetKnob(knob) ? 'any of ' : ''}${values.map(each => `\`${each}\``).join(', ')}`,
      summary,
    ];
  });
  return [
    INTRODUCTION,
    listMarkdown(all),
    ...all.map(factsMarkdown),
    `## Knobs\n\n${table(['knob', 'values', 'what it decides'], knobs)}`,
  ].join('\n');
}
