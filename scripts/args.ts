/**
 * Command lines of the scripts: `node:util` parseArgs, plus `--help` and one way to say that a line was not understood.
 *
 * The product's own command line is in `src/cli`; scripts are for those who work on it.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/** The first line of `usage` is the form of the command. Prints it and ends the process for `--help` and for mistakes. */
export function scriptArgs<const O extends Options>(usage: string, options: O) {
  try {
    const config = { options, allowPositionals: true, args: process.argv.slice(2).filter(arg => arg !== '--help') };
    const parsed = parseArgs(config);
    if (process.argv.includes('--help')) exitWith(0, usage);
    return parsed;
  } catch (error) {
    return exitWith(4, `${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

/** End at once: 0 goes to stdout, anything else is a complaint. */
export function exitWith(code: number, message: string): never {
  (code === 0 ? process.stdout : process.stderr).write(`${message.trimEnd()}\n`);
  process.exit(code);
}
