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

function overview({ strong }: Channel['paint']): string {
  const verbs = columns(
    VERB_LIST.map(({ name, operands, summary }) => [`${name} ${operands}`.trim(), summary]),
    { first: strong, indent: 2 },
  );
  return `apflab, a terminal laboratory for KVM asynchronous page faults
usage: apflab VERB ...

${verbs}
first steps: apflab init first.apf, apflab run first.apf, apflab watch first.apf
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
