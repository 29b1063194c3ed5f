/** docs/language.md: the scenario language, from the declarations of its statements, functions, units and errors. */
import { CODES } from '../../src/dsl/diagnostic.ts';
import type { Statement } from '../../src/dsl/statement.ts';
import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import type { Context } from '../../src/dsl/syntax.ts';
import { DIMENSIONS, sameDimension, UNITS } from '../../src/dsl/units.ts';
import { DISTRIBUTIONS, EVENTS, FUNCTIONS, type Measure } from '../../src/dsl/vocabulary.ts';
import type { Document } from '../gen_docs.ts';
import { table } from '../markdown.ts';

const INTRODUCTION = `# The scenario language

Made from the statements' own declarations in \`src/dsl\` by \`npm run docs\`. What can be asked about the machine, and its
events, is in [attributes.md](attributes.md).

\`\`\`apf
language 1
title "A slow page lets another task run"

host h0 { cpus 1; ram 512MiB; workers 2; swap nvme { size 1GiB; read fixed(90us) } }

vm web on h0 {
  ram 16MiB; vcpus 1; protocol linux_6_12
  guest {
    task db    on vcpu[0] user { loop { read heap uniform; work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}

let cold = web.heap.page(17)

at 0us   evict cold
at 100us db reads cold
hold swap_read(cold) for 5ms
never swap_wait(cold) by thread(web.vcpu[0])
eventually resumes(db) within 3ms after ready(cold)
\`\`\`

## How a file reads

- A newline or \`;\` ends a statement, but not inside \`( )\` or \`[ ]\`. A line that begins with \`unless\`, \`because\`, \`within\`,
  \`after\`, \`and\`, \`or\`, \`iff\`, \`implies\` or \`->\` goes on with the one before, and so does the line below a name and its \`:\`; a line that begins with \`after EVENT\` and has
  an act or a block behind the event is a statement of its own.
- \`#\` begins a comment. Texts stand in double quotes.
- Every number that measures something has a unit, with or without a blank before it; a unit behind a list is that of
  each number: \`[5k, 20k] pages/s\`. \`k\`, \`M\` and \`G\` right behind a number multiply it.
- Declarations may stand in any order. In a file with one VM, \`db\` is short for \`web.task.db\`.
- Keywords are words like any other: a task may be called \`report\`. Only the words of conditions and clauses are
  reserved: \`and or not iff implies in is was has unless because within for by at after until during when before since
  while\`.
- A file without a \`case\` is one case. What stands outside of the cases holds for each of them.
`;

/** Sections in the order in which one learns the language. */
const SECTIONS: readonly (readonly [Context, string, string])[] = [
  ['file', 'A file', 'Statements that may stand outside of every block.'],
  ['case', 'A case', 'What may stand in `case "…" { }`.'],
  [
    'act',
    'Acts',
    'What a scenario does to the machine: behind `at 5ms`, in the block of a trigger, or bare, for the start.',
  ],
  ['matrix', 'In a matrix', ''],
  ['host', 'In a host', ''],
  ['swap', 'In a swap device', ''],
  ['cost', 'In cost', ''],
  ['link', 'In a link', ''],
  ['vm', 'In a VM', ''],
  ['userfault', 'In userfault', ''],
  ['guest', 'In a guest', ''],
  ['script', 'In a task', ''],
  ['handler', 'In the handler of an interrupt or timer', ''],
  ['variant', 'In a variant', '`apflab protocols` lists the knobs and their values.'],
  ['migration', 'In a migration', ''],
  ['snapshot', 'In a snapshot plan', ''],
  ['tracepoints', 'In tracepoints', ''],
  ['suite', 'In a suite', ''],
  ['sweep', 'In a sweep', ''],
  ['explore', 'In an exploration', ''],
  ['faults', 'In faults', ''],
  ['reaction', 'In on violation', ''],
  ['mutate', 'In mutate', ''],
];

export const documents: readonly Document[] = [{ file: 'docs/language.md', render }];

function render(): string {
  const told = new Set<Statement>();
  const sections = SECTIONS.map(([context, title, about]) => {
    // An act may stand in a file too; it is told among the acts.
    const mine = STATEMENTS.filter(
      each => each.where.includes(context) && !told.has(each) && (context === 'act' || !each.where.includes('act')),
    );
    for (const each of mine) told.add(each);
    return [`## ${title}\n`, ...(about === '' ? [] : [`${about}\n`]), ...mine.map(section)].join('\n');
  });
  return `${[INTRODUCTION, ...sections, expressions(), units(), errors()].join('\n').trimEnd()}\n`;
}

function section({ keyword, id, syntax, summary, about, examples, needs }: Statement): string {
  const lines = [
    `### ${keyword ?? id.replaceAll('_', ' ')}\n`,
    `${summary}${about === undefined ? '' : ` ${about}`}\n`,
    `    ${syntax.text}\n`,
  ];
  if (examples.length > 0) lines.push(['```text', ...examples, '```\n'].join('\n'));
  if (needs !== undefined) lines.push(`Checked now; running it needs ${needs}.\n`);
  return lines.join('\n');
}

const OPERATORS: readonly (readonly [string, string])[] = [
  ['`iff`, `implies`, `or`, `and`, `not`', 'Logic, loosest first.'],
  ['`while`', 'Two conditions at one time.'],
  [
    '`ready(p) before irq(tick)`',
    'The first of one event has come when the other had not happened yet; from then on it stays so.',
  ],
  ['`==` `!=` `<` `<=` `>` `>=`', 'Quantities of one kind, words, things, addresses of one kind.'],
  ['`x in [a, b]`, `a in queue`', 'One of several; on a list of the vCPU.'],
  ['`list within [a, b]`', 'Nothing else than these.'],
  ['`v is halted(synthetic)`, `is not`', 'A state; attributes.md lists them.'],
  ['`variant in [v6]`, `variant has wake = request`', 'The variant of the run; known before it begins.'],
  ['`swap_wait(p) by thread(v)`', 'Only where that thread did it.'],
  ['`P for 1ms`', 'Held for so long without a break.'],
  ['`each v in S: P`, `some`, `no`', 'All of them, one at least, none.'],
  ['`+` `-` `*` `/`', 'A size by a time is a bandwidth; sizes and times do not add.'],
];

function expressions(): string {
  return [
    '## Expressions\n',
    table(['', ''], OPERATORS),
    '### Functions\n',
    measures(FUNCTIONS),
    '### Distributions\n',
    measures(DISTRIBUTIONS),
    '### Events of later versions\n',
    table(
      ['event', 'happens when'],
      Object.entries(EVENTS).flatMap(([name, { summary, needs, args }]) =>
        needs ? [[`\`${name}(${args.join(', ')})\``, summary] as const] : [],
      ),
    ),
  ].join('\n');
}

function measures(of: Readonly<Record<string, Measure>>): string {
  return table(
    ['', 'gives', 'example'],
    Object.entries(of).map(([name, { summary, example, needs }]) => [
      `\`${name}\``,
      needs ? `${summary} Needs ${needs}.` : summary,
      `\`${example}\``,
    ]),
  );
}

function units(): string {
  const rows = DIMENSIONS.flatMap(({ dimension, words, example }) => {
    const names = Object.entries(UNITS).flatMap(([name, unit]) =>
      sameDimension(unit.dimension, dimension) && unit.dimension.percent === dimension.percent ? [`\`${name}\``] : [],
    );
    return [[words, names.join(' ') || 'none', `\`${example}\``] as const];
  });
  return ['## Units\n', table(['measures', 'units', 'example'], rows)].join('\n');
}

function errors(): string {
  return [
    '## Errors\n',
    '`apflab help error CODE` prints the same.\n',
    table(
      ['code', ''],
      Object.entries(CODES).map(([code, text]) => [`\`${code}\``, text] as const),
    ),
  ].join('\n');
}
