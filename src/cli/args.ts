/**
 * The command line as data: flags and verbs are declared in verbs.ts; reading, help and completion are made from that.
 *
 * A flag knows how to read itself, so `args.get(SEED)` is a number without anybody saying so twice.
 */
import { didYouMean } from '../dsl/suggest.ts';
import { Refusal } from './refusal.ts';

export interface Flag<T> {
  readonly name: string;
  /** What stands for the value in help, `FILE`; null for a switch. */
  readonly value: string | null;
  readonly summary: string;
  /** The words that a value may be or begin with, for completion. */
  readonly choices: readonly string[];
  /** From everything that was written for it, in order. */
  readonly read: (given: readonly string[]) => T;
}

export interface Verb {
  readonly name: string;
  /** As in a usage line: `FILE...`. */
  readonly operands: string;
  /** How many operands there may be. */
  readonly count: readonly [number, number];
  readonly summary: string;
  /** Where it stands in `apflab help`, and all that there is room for there: half a line. */
  readonly group: 'judge' | 'look' | 'write' | 'learn';
  readonly brief: string;
  /** More for `apflab help VERB`; paragraphs are separated by an empty line. */
  readonly about: string;
  readonly flags: readonly Flag<unknown>[];
  readonly examples: readonly (readonly [line: string, says: string])[];
  /** The words that the first operand may be, for completion; empty: files. */
  readonly words?: readonly string[];
}

export interface Args {
  readonly verb: Verb;
  readonly operands: readonly string[];
  /** A flag that the verb does not have was not given. */
  get<T>(flag: Flag<T>): T;
}

const last = (given: readonly string[]): string | null => given.at(-1) ?? null;

export function toggle(name: string, summary: string): Flag<boolean> {
  return { name, value: null, summary, choices: [], read: given => given.length > 0 };
}

export function text(name: string, value: string, summary: string): Flag<string | null> {
  return { name, value, summary, choices: [], read: last };
}

/** Every use adds to the list, and so does a comma. */
export function list(
  name: string,
  value: string,
  summary: string,
  choices: readonly string[] = [],
): Flag<readonly string[]> {
  const read = (given: readonly string[]) => given.flatMap(each => each.split(',')).filter(each => each !== '');
  return { name, value, summary, choices, read };
}

export function choice<const C extends string>(
  name: string,
  choices: readonly C[],
  otherwise: C,
  summary: string,
): Flag<C> {
  const read = (given: readonly string[]): C => {
    const word = last(given);
    if (word === null) return otherwise;
    const found = choices.find(each => each === word);
    if (found !== undefined) return found;
    throw new Refusal(`--${name} ${word}: not one of ${choices.join(', ')}`, didYouMean(word, choices, 'possible'));
  };
  return { name, value: choices.join('|'), summary, choices, read };
}

export function integer(name: string, value: string, summary: string): Flag<number | null> {
  const read = (given: readonly string[]) => {
    const word = last(given);
    if (word === null) return null;
    const number = Number(word);
    if (/^\d+$/.test(word) && Number.isSafeInteger(number)) return number;
    throw new Refusal(`--${name} ${word}: not a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  };
  return { name, value, summary, choices: [], read };
}

/** One of these words, or null where none is given. */
export function oneOf<const C extends string>(name: string, choices: readonly C[], summary: string): Flag<C | null> {
  const read = (given: readonly string[]): C | null =>
    last(given) === null ? null : choice(name, choices, choices[0]!, summary).read(given);
  return { name, value: choices.join('|'), summary, choices, read };
}

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
const SIZES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A count as the language writes it, `2M`; null where none is given. */
export function count(name: string, value: string, summary: string): Flag<number | null> {
  return measured(name, value, summary, MULTIPLES, 'a count, such as 2M or 20000');
}

/** A size in bytes as the language writes it, `2GiB`. */
export function size(name: string, value: string, summary: string): Flag<number | null> {
  return measured(name, value, summary, SIZES, 'a size, such as 512MiB or 4GiB');
}

function measured(
  name: string,
  value: string,
  summary: string,
  units: Readonly<Record<string, number>>,
  wanted: string,
): Flag<number | null> {
  const read = (given: readonly string[]) => {
    const word = last(given);
    if (word === null) return null;
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(word) ?? [];
    const total = Math.round(Number(number) * (Object.hasOwn(units, unit) ? units[unit]! : Number.NaN));
    if (number !== '' && total > 0 && Number.isSafeInteger(total)) return total;
    throw new Refusal(`--${name} ${word}: not ${wanted}`);
  };
  return { name, value, summary, choices: [], read };
}

/** `--set k=v`; a later one of the same name wins. */
export function pairs(name: string, summary: string): Flag<ReadonlyMap<string, string>> {
  const read = (given: readonly string[]) =>
    new Map(
      given.map(each => {
        const at = each.indexOf('=');
        if (at < 1) throw new Refusal(`--${name} ${each}: expected NAME=VALUE`, `such as --${name} ram=128MiB`);
        return [each.slice(0, at).trim(), each.slice(at + 1).trim()] as const;
      }),
    );
  return { name, value: 'NAME=VALUE', summary, choices: [], read };
}

export const HELP = toggle('help', 'explain this verb');

/** Reads what follows the verb. Throws a Refusal that says what to write instead. */
export function parse(verb: Verb, argv: readonly string[]): Args {
  const flags = [...verb.flags, HELP];
  const options = Object.fromEntries(
    flags.map(({ name, value }) => [name, { type: value === null ? ('boolean' as const) : ('string' as const) }]),
  );
  // Importing node:util would also load the lazy half of it.
  const { tokens } = process.getBuiltinModule('node:util').parseArgs({
    args: [...argv],
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });

  const given = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (!flag) {
      const names = flags.map(({ name }) => `--${name}`);
      throw new Refusal(`${verb.name} has no flag ${token.rawName}`, didYouMean(token.rawName, names, 'flags here'));
    }
    given.set(flag.name, [...(given.get(flag.name) ?? []), written(flag, token)]);
  }

  const args: Args = {
    verb,
    operands,
    get(flag) {
      return flag.read(given.get(flag.name) ?? []);
    },
  };
  if (args.get(HELP)) return args;
  for (const flag of flags) args.get(flag);
  checkCount(verb, operands);
  return args;
}

function written(
  flag: Flag<unknown>,
  token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined },
): string {
  if (flag.value === null) {
    if (token.value !== undefined) throw new Refusal(`--${flag.name} takes no value`);
    return '';
  }
  const missing = token.value === undefined || (!token.inlineValue && /^-./.test(token.value));
  if (missing || token.value === undefined)
    throw new Refusal(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  return token.value;
}

function checkCount({ name, operands, count: [least, most] }: Verb, given: readonly string[]): void {
  const help = `apflab help ${name}`;
  if (given.length < least) throw new Refusal(`${name} needs ${operands}`, help);
  const extra = given[most];
  if (extra !== undefined) throw new Refusal(`${name}: '${extra}' is one too many`, help);
}
