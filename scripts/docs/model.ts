/**
 * docs/model.md, from the comments above the modelled functions: which kernel function is where, and how it differs.
 * The same as data for `apflab doc`, which has no comments left to read.
 *
 * What a step without a `Models` line models follows from its name. What is left over are parts of the functions beside
 * them, and is named, so that nothing in the folders of the model goes unsaid.
 */

import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import { EVENTS } from '../../src/dsl/vocabulary.ts';
import { STEP_NAMES } from '../../src/sim/at.ts';
import { PRESETS } from '../../src/sim/protocol/presets.ts';
import { steps } from '../../src/sim/steps.ts';
import type { Document } from '../gen_docs.ts';
import { files, read } from '../imports.ts';
import { table } from '../markdown.ts';

const FOLDERS = ['kvm', 'mm', 'guest', 'host'] as const;

interface Modelled {
  readonly name: string;
  /** The kernel functions, or null for a part of one beside it. */
  readonly models: string | null;
  readonly differs: string | null;
}

interface Source {
  readonly file: string;
  /** What the file is, from its first comment. */
  readonly about: string;
  readonly models: string | null;
  readonly differs: string | null;
  readonly functions: readonly Modelled[];
}

const INTRODUCTION = `# The model

Made by \`npm run docs\` from the comments in \`src/sim\`, so that it cannot fall behind them.

Code in \`src/sim/kvm\`, \`mm\`, \`guest\` and \`host\` bears the kernel's names, so that each function can be read beside its
original. Below: which is modelled where, and how ours differs. One function serves all versions; where they differ, it
asks a knob (\`apflab protocols NAME\`). A kernel function that others can look into while it runs is several steps here.
`;

/** What nobody could find out from the comments, since nothing is there to bear one. */
const ABSENT = `## Not modelled

- What is in a page: a page *is* somewhere (in a frame, in swap, in flight), and that is all that is known of it.
- Instructions and their bytes: a task names a page of its heap and how it accesses it; nothing is decoded.
- FPU state, debug registers, the guest's clocks, performance counters; Hyper-V and Xen; the VMX timer.
- More than two levels of guests; what a nested guest does with interrupts and tables of its own.
- NUMA, compressed swap, collapsing of small pages to huge ones.
- Weakly ordered memory. Steps happen one after the other; a race that needs a missing barrier cannot be found.

Every order of events that was seen in the recordings of real kernels occurs in the model:
[recordings.md](recordings.md) lists them, each with the scenario that shows it. Kinds of lines that only the recordings have
stand there too, with the reason.
`;

const OURS = `## Ours, not the kernel's

Whoever compares times with a real machine should know that these are made up, in the right order of magnitude:

- Costs of steps (\`src/sim/cost.ts\`): parameters, not measurements; \`cost\` in a host overrides each.
- The swap device: a queue of some depth in front of a latency distribution, drawn from 4096 quantiles. No seeks, no
  merging but read-ahead, no bandwidth.
- The host's scheduler, in the manner of CFS with fixed slice and granularity; a fixed number of kworkers per host, in
  place of a pool that grows and shrinks. No frequency, no hyper-threads.
- Reclaim: one list with a second chance; a reclaiming thread evicts in one step, a scenario's \`evict\` in three.
- The guest: a scheduler that takes whoever was charged least, at ticks and wakes; no tick but those of the scenario;
  tasks that compute, touch, sleep and switch modes. Instruction pointers and addresses are synthetic.
- Process ids, names of threads, and where memory lies.

The scenario's own acts stand for a device, an administrator or the VMM, and take no time.

Versions rest on the sources in the table. What none of these says is from memory of the code: until when leaving the
block was told by KVM_REQ_UNHALT (about 6.1), since when wake-ups from the synthetic halt have no event (about 5.17), and
that a check of the seventh posting delivers one completion.
`;

export const documents: readonly Document[] = [
  { file: 'docs/model.md', render },
  { file: 'src/cli/modelled.json', render: () => `${JSON.stringify(sources(), null, 2)}\n` },
];

function sources(): readonly Source[] {
  return FOLDERS.flatMap(folder => files(`src/sim/${folder}/*.ts`)).map(sourceOf);
}

function render(): string {
  return [INTRODUCTION, versions(), '## Functions\n', ...sources().map(section), later(), ABSENT, OURS].join('\n');
}

/** The words of a comment, without its stars. */
function wordsOf(comment: string): string {
  return comment
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .replace(/\n(?!\n)/g, ' ')
    .trim();
}

function said(words: string, what: RegExp): string | null {
  return what.exec(words)?.[1]?.replace(/\s+/g, ' ').trim() ?? null;
}

/** To the full stop before the next sentence: those inside file names have no blank behind them. */
const MODELS = /\bModels ([\s\S]*?)\.(?=\s|$)/;
const DIFFERS = /\bDiffers: ([\s\S]*?)(?:\.?\s*$)/;

const COMMENT = String.raw`\/\*\*((?:(?!\*\/)[\s\S])*)\*\/`;
const COMMENTED = new RegExp(
  String.raw`(?:${COMMENT}\n)?^(?:export )?(?:function (\w+)|const (\w+): readonly \w+\[\] =)`,
  'gm',
);
const STEP_OF = new Map(STEP_NAMES.map(name => [steps[name].name, name]));

/** A step of several is named for the kernel function that they are steps of. */
function kernelNameOfStep(name: string): string | null {
  const step = STEP_OF.get(name);
  return step?.includes('_') ? `${step.split('.')[0]}()` : null;
}

function sourceOf(file: string): Source {
  const text = read(file);
  const head = wordsOf(new RegExp(COMMENT).exec(text)?.[1] ?? '');
  const functions = [...text.matchAll(COMMENTED)].map(([, comment = '', called, constant]): Modelled => {
    const name = called ?? constant ?? '';
    const words = wordsOf(comment);
    return { name, models: said(words, MODELS) ?? kernelNameOfStep(name), differs: said(words, DIFFERS) };
  });
  const [about = ''] = head.split(/(?<=\.)\s/);
  return {
    file,
    about: head.startsWith('Models') ? '' : about,
    models: said(head, MODELS),
    differs: said(head, DIFFERS),
    functions,
  };
}

function section({ file, about, models, differs, functions }: Source): string {
  const rows = functions.filter(each => each.models !== null || each.differs !== null);
  const parts = functions.filter(each => !rows.includes(each)).map(({ name }) => `\`${name}\``);
  return [
    `### ${file}\n`,
    `${[about, models && `Models ${models}.`, differs && `Differs: ${differs}.`].filter(Boolean).join(' ')}\n`,
    ...(rows.length > 0
      ? [
          table(
            ['kernel', 'here', 'differs'],
            rows.map(each => [each.models ?? '', `\`${each.name}\``, each.differs ?? '']),
          ),
        ]
      : []),
    ...(parts.length > 0 ? [`Parts of these, or helpers: ${parts.join(', ')}.\n`] : []),
  ].join('\n');
}

function versions(): string {
  const rows = PRESETS.map(each => [`\`${each.name}\``, each.provenance, each.source, each.summary] as const);
  return ['## Versions\n', table(['name', 'is', 'source', ''], rows)].join('\n');
}

/** What the language knows and the model does not run yet. */
function later(): string {
  const names = [
    ...STATEMENTS.map(({ keyword, id, needs }) => ({ name: keyword ?? id.replaceAll('_', ' '), needs })),
    ...Object.entries(EVENTS).map(([name, { needs }]) => ({ name: `${name}()`, needs })),
  ];
  const needs = [...new Set(names.flatMap(each => each.needs ?? []))].sort();
  const line = (need: string): string => {
    const those = [...new Set(names.filter(each => each.needs === need).map(({ name }) => `\`${name}\``))];
    return `- ${need}: ${those.join(', ')}`;
  };
  return [
    '## Checked, but not run yet\n',
    'The language knows these; to run them needs\n',
    ...needs.map(line),
    '',
  ].join('\n');
}
