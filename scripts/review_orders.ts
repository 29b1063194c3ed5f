/** The part of docs/review.md that says what holds in every order: scenarios/review/x*.apf, explored. */
import { compile } from '../src/dsl/compile.ts';
import { DEFAULTS, type Exploration, explore } from '../src/explore/explore.ts';
import { files, read } from './imports.ts';
import { table } from './markdown.ts';

const INTRODUCTION = `## In every order

Six points, each in a world of one vCPU, one task and one page, small enough for every order of its steps to be tried:
\`apflab explore scenarios/review/x*.apf\`. *yes, 500*: every claim holds in every order, and these have 500 states. *no, 50*:
some order breaks a claim that the file says breaks there, found after 50 states; the reason is below.
`;

/** Far more than any of these worlds has. */
const STATES = 100_000;

export function renderOrders(): string {
  return [INTRODUCTION, ...files('scenarios/review/x*.apf').map(sectionIn)].join('\n');
}

function sectionIn(file: string): string {
  const text = read(file);
  const { suite } = compile({ path: file, text }, path => ({ path, text: read(path) }));
  if (!suite) throw new Error(`${file} has errors`);
  const point = /\/x0*(\d+)-/.exec(file)?.[1];
  const explorations = suite.cases.flatMap(each =>
    each.cells.flatMap(cell =>
      each.variants.flatMap(variant => {
        const { program } = each.lower(cell, variant);
        return program ? [explore(program, { ...DEFAULTS, states: STATES })] : [];
      }),
    ),
  );
  const variants = [...new Set(explorations.map(({ program }) => program.variant))];
  const cases = [...new Set(explorations.map(({ program }) => program.case_name))];
  const rows = cases.map(name => [
    name,
    ...variants.map(variant => {
      const found = explorations.find(({ program }) => program.variant === variant && program.case_name === name);
      return found ? answerOf(found) : '';
    }),
  ]);
  return [
    `### S${point}: ${suite.title}\n`,
    table(['', ...variants.map(variant => `\`${variant}\``)], rows),
    ...reasons(explorations),
    `[${file}](../${file})\n`,
  ].join('\n');
}

function answerOf({ verdict, states }: Exploration): string {
  const word = verdict === 'pass' ? 'yes' : verdict === 'xfail' ? 'no' : verdict;
  return `${word}, ${states}`;
}

/** Why claims fail, each reason once with the versions it holds for. */
function reasons(explorations: readonly Exploration[]): readonly string[] {
  const found = new Map<string, Set<string>>();
  for (const { program, expected_failures } of explorations)
    for (const { name, because } of expected_failures) {
      const key = `*${name}* fails: ${because}`;
      found.set(key, (found.get(key) ?? new Set()).add(`\`${program.variant}\``));
    }
  if (found.size === 0) return [];
  return [[...found].map(([text, variants]) => `- ${[...variants].join(', ')}: ${text}\n`).join('')];
}
