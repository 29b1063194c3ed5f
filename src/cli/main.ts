/**
 * The command line: find the verb, run it, turn whatever comes out into an exit code.
 *
 * Whatever needs the language, the model or the monitor is loaded when it is asked for.
 */
import { present } from '../base/assert.ts';
import { printable } from '../base/printable.ts';
import { didYouMean } from '../dsl/suggest.ts';
import { HELP, parse, type Verb } from './args.ts';
import { sayBug } from './bug.ts';
import { completion } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { help } from './commands/help.ts';
import { init } from './commands/init.ts';
import { EXIT } from './exit.ts';
import { keepsCode } from './inlining.ts';
import type { Command } from './laboratory.ts';
import { version } from './package.ts';
import { Refusal } from './refusal.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { isVerb, VERB_LIST, VERBS, type VerbName } from './verbs.ts';

/** Those that need neither the language nor the model. */
const LIGHT: { readonly [V in VerbName]?: Command } = { completion, doctor, help, init };

async function commandOf(name: VerbName): Promise<Command> {
  const light = LIGHT[name];
  if (light) return light;
  const { LABORATORY } = await import('./laboratory.ts');
  const commands: { readonly [V in VerbName]?: Command } = LABORATORY;
  return present(commands[name], `cli: ${name} does something`);
}

export { keepsCode };

/** `argv` without the program and the script. Resolves to the exit code; never rejects. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return drive(argv, await processTerminal(env));
}

/** The same in any world; tests bring their own. */
export async function drive(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    const { err } = terminal;
    if (!(error instanceof Refusal)) {
      sayBug(error, err);
      err.write(`repeat: apflab ${argv.map(printable).join(' ')}\n`);
      return EXIT.bug;
    }
    err.write(`apflab: ${printable(error.message)}\n`);
    if (error.help !== null) err.write(`${err.paint.dim('help:')} ${printable(error.help)}\n`);
    return EXIT.refused;
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h') return help(parse(VERBS.help, []), terminal);
  if (word === '--version' || word === '-V') {
    terminal.out.write(`${version()}\n`);
    return EXIT.ok;
  }
  if (!isVerb(word)) throw unknownVerb(word);
  const verb: Verb = VERBS[word];
  const args = parse(verb, rest);
  if (args.get(HELP)) return help(parse(VERBS.help, [word]), terminal);
  const command = await commandOf(word);
  return command(args, terminal);
}

function unknownVerb(word: string): Refusal {
  const what = word.startsWith('-') ? 'flag' : 'verb';
  const names = VERB_LIST.map(({ name }) => name);
  const file = /\.apf$|[/\\]/.test(word) ? `apflab run ${word}` : null;
  return new Refusal(`unknown ${what} '${word}'`, file ?? didYouMean(word, names, 'verbs'));
}
