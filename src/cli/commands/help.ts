/** `apflab help`: the verbs, and everything that explains itself: error codes, statements, events, exit codes. */
import type { Args, Flag, Verb } from '../args.ts';
import { HELP } from '../args.ts';
import { columns, paragraph } from '../columns.ts';
import { EXIT, EXIT_MEANING, type ExitCode } from '../exit.ts';
import type { LANGUAGE_HELP } from '../laboratory.ts';
import { Refusal } from '../refusal.ts';
import type { Channel, Terminal } from '../terminal.ts';
import { isVerb, VERB_LIST, VERBS } from '../verbs.ts';

export async function help({ operands: [topic, name] }: Args, { out }: Terminal): Promise<ExitCode> {
  out.write(await textFor(topic, name, out.paint));
  return EXIT.ok;
}

async function textFor(topic: string | undefined, name: string | undefined, paint: Channel['paint']): Promise<string> {
  if (topic === undefined) return overview(paint);
  if (topic === 'error' && name !== undefined) return (await language()).errorHelp(name, paint);
  if (topic === 'statement' && name !== undefined) return (await language()).statementHelp(name, paint);
  if (name !== undefined) throw new Refusal(`nothing is known about '${topic} ${name}'`, 'apflab help');
  if (isVerb(topic)) return verbHelp(VERBS[topic], paint);
  if (topic === 'exit-codes') return exitCodes();
  return (await language()).topicHelp(topic, paint);
}

/** The language is loaded when somebody asks about it. */
async function language(): Promise<typeof LANGUAGE_HELP> {
  return (await import('../laboratory.ts')).LANGUAGE_HELP;
}

const GROUPS: Readonly<Record<Verb['group'], string>> = {
  judge: 'Judge scenarios',
  look: 'Look at what happened',
  write: 'Write scenarios',
  learn: 'Learn more',
};
/** Of the two columns. */
const NAME_WIDTH = 12;
const CELL_WIDTH = 40;

/** Fits a terminal of 80 by 24, with the command above it and the prompt below. */
function overview({ strong }: Channel['paint']): string {
  const cell = ({ name, brief }: Verb) => `  ${strong(name)}${' '.repeat(NAME_WIDTH - name.length)}${brief}`;
  const gap = ({ brief }: Verb) => ' '.repeat(CELL_WIDTH - 2 - NAME_WIDTH - brief.length);
  const line = (verb: Verb, beside: Verb | undefined) => cell(verb) + (beside ? gap(verb) + cell(beside) : '');
  const groups = Object.entries(GROUPS).map(([group, title]) => {
    const verbs = VERB_LIST.filter(each => each.group === group);
    const rows = Math.ceil(verbs.length / 2);
    return [title, ...verbs.slice(0, rows).map((verb, row) => line(verb, verbs[rows + row]))].join('\n');
  });
  return `apflab, a terminal laboratory for KVM asynchronous page faults
usage: apflab VERB ...

${groups.join('\n')}

First steps: apflab init first.apf, apflab run first.apf, apflab watch first.apf
apflab help VERB explains a verb; also exit-codes, errors, statements, events.
`;
}

function verbHelp(verb: Verb, { strong }: Channel['paint']): string {
  const flags = [...verb.flags, HELP].map(flag => [usage(flag), flag.summary]);
  const parts = [
    `usage: apflab ${verb.name} ${[...verb.operands.split(' '), verb.flags.length > 0 ? '[flags]' : ''].join(' ').trim()}\n`,
    `${verb.summary[0]?.toUpperCase()}${verb.summary.slice(1)}.\n\n${verb.about
      .split('\n\n')
      .map(text => paragraph(text, 0))
      .join('\n\n')}\n`,
    `flags\n${columns(flags, { first: strong, indent: 2 })}`,
    `examples\n${columns(verb.examples, { indent: 2 })}`,
  ];
  return parts.join('\n');
}

function usage({ name, value }: Flag<unknown>): string {
  return value === null ? `--${name}` : `--${name} ${value}`;
}

function exitCodes(): string {
  const rows = Object.entries(EXIT).map(([name, code]) => [String(code).padStart(3), meaning(name)]);
  return `${columns(rows)}\nWith several files: the first of 5, 2, 1, 3, 0 that occurred.\n`;
}

function meaning(name: string): string {
  return new Map(Object.entries(EXIT_MEANING)).get(name) ?? '';
}
