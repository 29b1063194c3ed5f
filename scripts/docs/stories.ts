/** docs/stories.md: every bug that is known, the story that tells it, or why none does. */
import { INCIDENTS, type Incident } from '../../src/cli/incidents.ts';
import { reasonsOf, type Story, storyOf, variantsOf } from '../../src/cli/stories.ts';
import { compile } from '../../src/dsl/compile.ts';
import type { Document } from '../gen_docs.ts';
import { files, read } from '../imports.ts';
import { table } from '../markdown.ts';

const INTRODUCTION = `# Incidents

Made from \`scenarios/bugs\` and \`src/cli/incidents.ts\` by \`npm run docs\`.

The real bugs of asynchronous page faults since 2010, B01 to B35, and what happened to those who ran them. A story is a
scenario that fails on the versions which had the bug and passes on those that have not: \`apflab story NAME\` shows the
one, \`apflab story NAME --fix\` the other. The numbers of invariants are those of \`std/invariants.apf\`.
`;

export const documents: readonly Document[] = [{ file: 'docs/stories.md', render }];

function render(): string {
  const all = files('scenarios/bugs/*.apf').map(storyIn);
  const rows = INCIDENTS.flatMap(incident => {
    const told = all.filter(({ id }) => id === incident.id);
    return told.length > 0
      ? told.map(each => rowOf(each, told.length > 1 ? each.name : each.id, breaks(incident)))
      : [outsideRow(incident)];
  });
  const others = all.filter(({ id }) => !INCIDENTS.some(incident => incident.id === id));
  return [
    INTRODUCTION,
    table(['', 'what', 'command', 'broken on', 'repaired on', 'breaks'], rows),
    '## Named after those who met them\n',
    table(
      ['', 'what', 'command', 'broken on', 'repaired on'],
      others.map(each => rowOf(each, each.id)),
    ),
    '## Outside of the model\n',
    table(
      ['', 'what', 'why it is not here'],
      INCIDENTS.flatMap(({ id, outside }) => (outside ? [[id, outside.title, outside.why]] : [])),
    ),
    '## Why they fail\n',
    ...all.map(
      each =>
        `**${each.title}**\n\n${reasonsOf(each.broken)
          .map(reason => `- ${reason}\n`)
          .join('')}`,
    ),
  ].join('\n');
}

function storyIn(file: string): Story {
  const text = read(file);
  const { suite } = compile({ path: file, text }, path => ({ path, text: read(path) }));
  if (!suite) throw new Error(`${file} has errors`);
  const name = /([^/]*)\.apf$/.exec(file)?.[1] ?? file;
  return storyOf(name, { file, text }, suite);
}

function rowOf({ name, file, title, broken, repaired }: Story, command: string, broke?: string): readonly string[] {
  const row = [
    `[${name}](../${file})`,
    title.replace(/^[\w-]+: /, ''),
    `\`apflab story ${command}\``,
    listed(broken, repaired),
    listed(repaired, broken),
  ];
  return broke === undefined ? row : [...row, broke];
}

function outsideRow({ id, outside, ...incident }: Incident): readonly string[] {
  if (!outside) throw new Error(`${id} is neither told nor explained`);
  return [id, outside.title, 'outside of the model, see below', '', '', breaks({ id, ...incident })];
}

function breaks({ invariants, besides }: Incident): string {
  return [...invariants.map(String), ...(besides ? [besides] : [])].join(', ');
}

/** Where a version both fails and passes it is the case that makes the difference: a setting of the VM. */
function listed(runs: Story['broken'], others: Story['broken']): string {
  const elsewhere = variantsOf(others);
  const found = runs.map(({ variant, each }) =>
    elsewhere.includes(variant) ? `\`${variant}\` (${each.name})` : `\`${variant}\``,
  );
  return [...new Set(found)].join(', ');
}
