/** docs/attributes.md: what scenarios can ask about the machine, from the declarations in src/sim/attributes. */
import type { Description, ValueType } from '../../src/sim/attributes/attribute.ts';
import { RECORD, RECORD_ADDRESS_KINDS } from '../../src/sim/attributes/record.ts';
import { DESCRIPTIONS } from '../../src/sim/attributes.ts';
import { OBSERVATIONS } from '../../src/sim/observe.ts';
import type { Document } from '../gen_docs.ts';
import { table } from '../markdown.ts';

const INTRODUCTION = `# What scenarios can ask

Made from the declarations in \`src/sim/attributes\` and \`src/sim/observe.ts\` by \`npm run docs\`.

A dot leads to an attribute, to several things, or to samples: \`web.vcpu[0].mp_state\`, \`web.vcpus\`, \`web.stall\`. \`is\` asks
for a state: \`web.vcpu[0] is halted(synthetic)\`. \`writers(…)\` takes an attribute that has a field behind it, which is named
in the last column; the others are computed.
`;

const TITLES: Readonly<Record<keyof typeof DESCRIPTIONS, string>> = {
  host: 'A host',
  swap: 'A swap device',
  vm: 'A VM',
  vcpu: 'A vCPU',
  task: 'A task',
  page: 'A page',
  irq: 'An interrupt',
  timer: 'A timer',
  nmi: 'A sender of NMIs',
  nmi_state: "A vCPU's NMIs",
  thread: 'A host thread',
  saved: 'A saved VM',
  saved_vcpu: 'A saved vCPU',
  migration: 'A migration',
  link: 'A link',
  ledger: 'A ledger',
  work: 'A work item',
  handler: 'A userfault handler',
};

export const documents: readonly Document[] = [{ file: 'docs/attributes.md', render }];

function render(): string {
  const kinds = Object.entries(DESCRIPTIONS).flatMap(([kind, description]) => {
    const tables = tablesOf(description);
    const title = Object.entries(TITLES).find(([name]) => name === kind)?.[1];
    return tables === '' ? [] : [`## ${title}\n\n${tables}`];
  });
  return [INTRODUCTION, ...kinds, recordSection(), eventSection()].join('\n');
}

function tablesOf({ attributes, collections, states, series }: Description): string {
  const things = [
    ...Object.entries(attributes).map(([name, { type, summary, field }]) => [
      code(name),
      typeText(type),
      summary,
      field ? code(field) : '',
    ]),
    ...Object.entries(collections).map(([name, { of, summary, field }]) => [
      code(name),
      `several: ${of}`,
      summary,
      field ? code(field) : '',
    ]),
    ...Object.entries(series).map(([name, { dimension, summary }]) => [
      code(name),
      `samples of ${dimension}`,
      summary,
      '',
    ]),
  ];
  const asked = Object.entries(states).map(([name, { args, summary }]) => [
    code(args.length > 0 ? `${name}(${args.join('|')})` : name),
    summary,
  ]);
  return [table(['name', 'gives', 'what it is', 'field'], things), table(['`is` …', 'when'], asked)]
    .filter(part => part !== '')
    .join('\n');
}

function recordSection(): string {
  const rows = Object.entries(RECORD).map(([name, { type, summary }]) => [
    code(name),
    type.t === 'record_address' || type.t === 'name' ? 'a word' : typeText(type),
    summary,
  ]);
  const kinds = RECORD_ADDRESS_KINDS.map(code).join(', ');
  return `## A trace record\n\nAny field of the tracepoint by its name (see tracepoints.md), and:\n\n${table(['name', 'gives', 'what it is'], rows)}\nThe kind of an address is one of ${kinds}; \`is known\` asks whether it is not the first.\n`;
}

function eventSection(): string {
  const rows = Object.entries(OBSERVATIONS).map(([name, { args, summary }]) => [
    code(`${name}(${args.join(', ')})`),
    summary,
  ]);
  return `## Events\n\nAn argument that is left out stands for any.\n\n${table(['event', 'when'], rows)}`;
}

function typeText(type: ValueType): string {
  switch (type.t) {
    case 'quantity':
      return type.dimension === 'none' ? 'a number' : type.dimension;
    case 'truth':
      return 'yes or no';
    case 'words':
      return type.words.map(code).join(', ');
    case 'address':
      return `an address: ${type.kind}`;
    case 'entity':
      return `a ${type.kind}`;
  }
}

const code = (text: string): string => `\`${text}\``;
