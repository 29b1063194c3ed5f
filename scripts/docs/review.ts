/** docs/review.md: the questions of the review mail, each with the verdict of every version, from scenarios/review. */
import { compile } from '../../src/dsl/compile.ts';
import type { Outcome } from '../../src/sim/outcome.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import type { Document } from '../gen_docs.ts';
import { files, read } from '../imports.ts';
import { table } from '../markdown.ts';
import { renderOrders } from '../review_orders.ts';

const INTRODUCTION = `# The review mail, question by question

Made from \`scenarios/review\` by \`npm run docs\`; \`apflab run scenarios/review --variants all\` prints the same verdicts.

In October 2010 the sixth posting of asynchronous page faults for KVM was reviewed on the list. Its questions are the titles
here, in the words of the mail. Each is a scenario that runs on the versions it makes sense for, from the posting to today.
*yes*: everything that the file claims holds. *no*: a claim fails, one that the file says fails there, and the reason is
below. An empty field: the question does not arise there.
`;

interface Question {
  readonly point: string;
  readonly title: string;
  readonly file: string;
  readonly about: string;
  readonly outcomes: readonly Outcome[];
}

export const documents: readonly Document[] = [{ file: 'docs/review.md', render }];

function render(): string {
  const questions = files('scenarios/review/s*.apf').map(questionIn);
  const variants = [...new Set(questions.flatMap(({ outcomes }) => outcomes.map(({ program }) => program.variant)))];
  const shared = variants.filter(variant => questions.filter(each => answersOn(each, variant)).length > 1);
  const rows = questions.map(each => [
    `[${each.point}](#${anchorOf(each)})`,
    each.title,
    ...shared.map(variant => answersOn(each, variant) ?? ''),
  ]);
  const matrix = table(['', 'question', ...shared.map(code)], rows);
  return [INTRODUCTION, matrix, ...questions.map(sectionOf), renderOrders()].join('\n');
}

function questionIn(file: string): Question {
  const text = read(file);
  const { suite } = compile({ path: file, text }, path => ({ path, text: read(path) }));
  if (!suite) throw new Error(`${file} has errors`);
  const point = /\/s0*(\d+)-/.exec(file)?.[1];
  const outcomes = suite.cases.flatMap(each =>
    each.cells.flatMap(cell =>
      each.variants.flatMap(variant => {
        const { program } = each.lower(cell, variant);
        if (!program) return [];
        const simulation = createSimulation(program);
        simulation.runUntil(program.limit_ns);
        return [simulation.outcome()];
      }),
    ),
  );
  return { point: `S${point}`, title: suite.title, file, about: aboutOf(text), outcomes };
}

/** The comment at the head of the file, as paragraphs. */
function aboutOf(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex(line => line.startsWith('#'));
  const rest = first < 0 ? [] : lines.slice(first);
  const end = rest.findIndex(line => !line.startsWith('#'));
  return rest
    .slice(0, end < 0 ? rest.length : end)
    .map(line => line.replace(/^# ?/, ''))
    .join('\n');
}

/** Null where it does not run. */
function answersOn({ outcomes }: Question, variant: string): 'yes' | 'no' | null {
  const own = outcomes.filter(({ program }) => program.variant === variant);
  if (own.length === 0) return null;
  return own.every(({ verdict }) => verdict === 'pass') ? 'yes' : 'no';
}

function sectionOf(question: Question): string {
  const { point, title, file, about, outcomes } = question;
  const variants = [...new Set(outcomes.map(({ program }) => program.variant))];
  const cases = [...new Set(outcomes.map(({ program }) => caseTitle(program)))];
  const rows = cases.map(name => [
    name,
    ...variants.map(variant => {
      const found = outcomes.find(({ program }) => program.variant === variant && caseTitle(program) === name);
      return found ? (found.verdict === 'pass' ? 'yes' : 'no') : '';
    }),
  ]);
  return [
    `## ${point}: ${title}\n`,
    `${about}\n`,
    table(['', ...variants.map(code)], rows),
    ...reasons(outcomes),
    `[${file}](../${file})\n`,
  ].join('\n');
}

/** Why claims fail, each reason once with the versions it holds for. */
function reasons(outcomes: readonly Outcome[]): readonly string[] {
  const found = new Map<string, Set<string>>();
  for (const { program, expected_failures } of outcomes)
    for (const { name, because } of expected_failures) {
      const key = `*${name}* fails: ${because}`;
      found.set(key, (found.get(key) ?? new Set()).add(program.variant));
    }
  if (found.size === 0) return [];
  return [[...found].map(([text, variants]) => `- ${[...variants].map(code).join(', ')}: ${text}\n`).join('')];
}

function caseTitle({ case_name, params }: Outcome['program']): string {
  const cell = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return cell.length === 0 ? case_name : `${case_name} [${cell.join(', ')}]`;
}

/** As a reader of Markdown on the web makes it from the heading. */
function anchorOf({ point, title }: Question): string {
  return `${point}: ${title}`
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

const code = (text: string): string => `\`${text}\``;
