/**
 * The command line: find the verb, run it, turn whatever comes out into an exit code.
 *
 * Verbs are loaded one by one, so that `run` does not wait for Ink or for anything else that it does not use.
 */
import { printable } from '../base/printable.ts';
import { didYouMean } from '../dsl/suggest.ts';
import { type Args, HELP, parse, type Verb } from './args.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Refusal } from './refusal.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { isVerb, VERB_LIST, VERBS, type VerbName } from './verbs.ts';

type Command = (args: Args, terminal: Terminal) => ExitCode | Promise<ExitCode>;

const COMMANDS: Readonly<Record<VerbName, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  watch: async () => (await import('./commands/watch.ts')).watch,
  check: async () => (await import('./commands/check.ts')).check,
  fmt: async () => (await import('./commands/fmt.ts')).fmt,
  show: async () => (await import('./commands/show.ts')).show,
  replay: async () => (await import('./commands/replay.ts')).replay,
  protocols: async () => (await import('./commands/protocols.ts')).protocols,
  init: async () => (await import('./commands/init.ts')).init,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  help: async () => (await import('./commands/help.ts')).help,
  completion: async () => (await import('./commands/completion.ts')).completion,
};

/** `argv` without the program and the script. Resolves to the exit code; never rejects. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return drive(argv, await processTerminal(env));
}

/** The same in any world; tests bring their own. */
export async function drive(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    if (!(error instanceof Refusal)) return sayBug(error, argv, terminal);
    const { err } = terminal;
    err.write(`apflab: ${printable(error.message)}\n`);
    if (error.help !== null) err.write(`${err.paint.dim('help:')} ${printable(error.help)}\n`);
    return EXIT.refused;
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h') return explain([], terminal);
  if (word === '--version' || word === '-V') {
    const { version } = await import('./package.ts');
    terminal.out.write(`${version()}\n`);
    return EXIT.ok;
  }
  if (!isVerb(word)) throw unknownVerb(word);
  const verb: Verb = VERBS[word];
  const args = parse(verb, rest);
  if (args.get(HELP)) return explain([word], terminal);
  const command = await COMMANDS[word]();
  return command(args, terminal);
}

async function explain(topic: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const command = await COMMANDS.help();
  return command(parse(VERBS.help, topic), terminal);
}

function unknownVerb(word: string): Refusal {
  const what = word.startsWith('-') ? 'flag' : 'verb';
  const names = VERB_LIST.map(({ name }) => name);
  const file = /\.apf$|[/\\]/.test(word) ? `apflab run ${word}` : null;
  return new Refusal(`unknown ${what} '${word}'`, file ?? didYouMean(word, names, 'verbs'));
}

/** A mistake of ours: say everything that helps to find it. */
function sayBug(error: unknown, argv: readonly string[], { err }: Terminal): ExitCode {
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  err.write(`${err.paint.bad('bug in apflab')}: ${stack}\nrepeat: apflab ${argv.join(' ')}\n`);
  return EXIT.bug;
}
