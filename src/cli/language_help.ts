/** What the language says about itself, for `apflab help`: error codes, statements, events. */
import { CODES } from '../dsl/diagnostic.ts';
import { STATEMENTS } from '../dsl/statements/all.ts';
import { didYouMean } from '../dsl/suggest.ts';
import { EVENTS } from '../dsl/vocabulary.ts';
import { columns, paragraph } from './columns.ts';
import { Refusal } from './refusal.ts';
import type { Channel } from './terminal.ts';
import { VERB_LIST } from './verbs.ts';

type Paint = Channel['paint'];

const codes = new Map<string, string>(Object.entries(CODES));

export function errorHelp(code: string, { strong }: Paint): string {
  const explanation = codes.get(code);
  if (explanation === undefined) throw new Refusal(`no error code '${code}'`, didYouMean(code, codes.keys(), 'codes'));
  return `${strong(`error[${code}]`)}\n${paragraph(explanation, 0)}\n`;
}

export function statementHelp(name: string, { strong, dim }: Paint): string {
  const found = STATEMENTS.filter(({ id, keyword }) => keyword === name || id === name);
  if (found.length === 0) throw new Refusal(`no statement '${name}'`, didYouMean(name, statementNames(), 'statements'));
  return found
    .map(({ id, where, summary, about, examples, needs }) => {
      const more = [about, needs && `This version checks the statement; a run needs ${needs}, which comes later.`];
      return [
        `${strong(id)}  ${dim(`in ${where.join(', ')}`)}`,
        ...[summary, ...more].flatMap(each => (each ? [paragraph(each, 2)] : [])),
        ...examples.flatMap(example => example.split('\n').map(line => `    ${line}`)),
        '',
      ].join('\n');
    })
    .join('\n');
}

/** A word on its own: one of the lists, or whatever goes by that name. */
export function topicHelp(topic: string, paint: Paint): string {
  if (topic === 'errors')
    return columns(
      [...codes].map(([code, text]) => [code, firstSentence(text)]),
      { first: paint.strong },
    );
  if (topic === 'statements')
    return columns(
      STATEMENTS.map(({ id, summary }) => [id, summary]),
      { first: paint.strong },
    );
  if (topic === 'events')
    return columns(
      Object.entries(EVENTS).map(([name, { summary }]) => [name, summary]),
      { first: paint.strong },
    );
  if (codes.has(topic)) return errorHelp(topic, paint);
  if (statementNames().includes(topic)) return statementHelp(topic, paint);
  const known = [
    ...VERB_LIST.map(({ name }) => name),
    ...statementNames(),
    ...codes.keys(),
    'exit-codes',
    'errors',
    'statements',
    'events',
  ];
  throw new Refusal(`nothing is known about '${topic}'`, didYouMean(topic, known, 'topics') ?? null);
}

function statementNames(): readonly string[] {
  return [...new Set(STATEMENTS.flatMap(({ id, keyword }) => (keyword === null ? [id] : [id, keyword])))];
}

function firstSentence(text: string): string {
  return text.slice(0, text.indexOf('. ') + 1) || text;
}
