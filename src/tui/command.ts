/** The command bar: `:3ms`, `:variant linux_5_8`. Declared once; completion and help come from the table. */
import { durationNs } from '../base/duration.ts';
import type { Asking } from '../sim/expr.ts';
import { PANES } from './layout.ts';
import type { Model } from './model.ts';
import { MARKS } from './session.ts';

/** What a command asks for; update.ts carries it out. */
export type Request =
  | { readonly ask: 'time'; readonly ns: number }
  | { readonly ask: 'speed'; readonly per_s: number }
  | { readonly ask: 'case' | 'cell' | 'variant'; readonly index: number }
  | { readonly ask: 'pane' | 'key'; readonly name: string }
  | { readonly ask: 'vcpu'; readonly row: number }
  | { readonly ask: 'question'; readonly as: Asking; readonly text: string }
  | { readonly ask: 'branch'; readonly index: number }
  | { readonly ask: 'filter'; readonly text: string }
  | { readonly ask: 'error'; readonly message: string };

interface Command {
  readonly argument: string;
  readonly help: string;
  choices(model: Model): readonly string[];
  request(argument: string, model: Model): Request;
}

const none = () => [];
const error = (message: string): Request => ({ ask: 'error', message });

function oneOf(ask: 'case' | 'cell' | 'variant', list: 'cases' | 'cells' | 'variants'): Command {
  const choices = (model: Model) => model.view?.choice[list] ?? [];
  return {
    argument: 'NAME or 1-N',
    help: `shows that ${ask}`,
    choices,
    request(argument, model) {
      const names = choices(model);
      const number = Number(argument);
      const exact = names.indexOf(argument);
      const index =
        exact >= 0
          ? exact
          : Number.isInteger(number) && number >= 1
            ? number - 1
            : names.findIndex(name => name.startsWith(argument));
      return names[index] === undefined
        ? error(`no ${ask} '${argument}'; there are: ${names.join(', ')}`)
        : { ask, index };
    },
  };
}

function stop(direction: 'next' | 'back'): Command {
  return {
    argument: Object.keys(MARKS).join('|'),
    help: direction === 'next' ? 'goes on to the next such event' : 'goes back to the last such event',
    choices: () => Object.keys(MARKS),
    request: argument =>
      Object.hasOwn(MARKS, argument) && !(direction === 'back' && argument === 'violation')
        ? { ask: 'key', name: `${direction}_${argument}` }
        : error(`${direction} what? ${Object.keys(MARKS).join(', ')}`),
  };
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  time: {
    argument: 'TIME',
    help: 'goes to a time; `+20us` and `-1ms` count from here; in a recording also as its lines have it; TIME alone will do',
    choices: none,
    request: (argument, model) =>
      timeRequest(argument, model) ?? error(`'${argument}' is no time; try 3ms, 1.5us or +20us`),
  },
  speed: {
    argument: 'TIME',
    help: 'virtual time per second, such as 1ms',
    choices: () => ['10us', '100us', '1ms', '10ms', '100ms', '1s'],
    request(argument) {
      const ns = durationNs(argument);
      return ns === null || ns <= 0
        ? error(`'${argument}' is no speed; try 1ms, which is 1 ms of the run per second`)
        : { ask: 'speed', per_s: ns };
    },
  },
  case: oneOf('case', 'cases'),
  cell: oneOf('cell', 'cells'),
  variant: oneOf('variant', 'variants'),
  next: stop('next'),
  back: stop('back'),
  break: {
    argument: 'when EXPR',
    help: 'runs on until a condition of the language becomes true: break when done(db)',
    choices: () => ['when '],
    request: argument =>
      /^when\s+\S/.test(argument)
        ? { ask: 'question', as: 'truth', text: argument.replace(/^when\s+/, '') }
        : error('break when what? such as break when web.vcpu[0] is halted'),
  },
  branch: {
    argument: 'N',
    help: 'lets another go on from here, one of those that o lists, and compares',
    choices: ({ others }) => others.map((name, index) => `${index + 1} ${name}`),
    request(argument, { others }) {
      const index = Number(/^\d+/.exec(argument)?.[0] ?? Number.NaN) - 1;
      return others[index] === undefined
        ? error(others.length === 0 ? 'nobody else could go on here; o looks' : `branch to whom? 1 to ${others.length}`)
        : { ask: 'branch', index };
    },
  },
  '?': {
    argument: 'EXPR',
    help: 'says what an expression of the language is now: ? count(web.vcpu[0].done)',
    choices: none,
    request: text =>
      text === '' ? error('what? such as ? web.vcpu[0].mp_state') : { ask: 'question', as: 'value', text },
  },
  filter: {
    argument: 'EXPRESSION',
    help: 'shows these tracepoints only; nothing: all',
    choices: none,
    request: text => ({ ask: 'filter', text }),
  },
  pane: {
    argument: PANES.join('|'),
    help: 'zooms a pane',
    choices: () => PANES,
    request: name =>
      PANES.some(pane => pane === name)
        ? { ask: 'pane', name }
        : error(`no pane '${name}'; there are: ${PANES.join(', ')}`),
  },
  vcpu: {
    argument: 'N',
    help: 'selects the vCPU of that row, from 0',
    choices: none,
    request(argument, model) {
      const row = Number(argument);
      const rows = model.view?.nr_vcpus ?? 0;
      return Number.isInteger(row) && row >= 0 && row < rows
        ? { ask: 'vcpu', row }
        : error(`no vCPU '${argument}'; there are 0 to ${rows - 1}`);
    },
  },
  start: { argument: '', help: 'goes to the start', choices: none, request: () => ({ ask: 'key', name: 'start' }) },
  end: { argument: '', help: 'goes to the end', choices: none, request: () => ({ ask: 'key', name: 'end' }) },
  reload: {
    argument: '',
    help: 'loads the file again',
    choices: none,
    request: () => ({ ask: 'key', name: 'reload' }),
  },
  help: { argument: '', help: 'shows the keys', choices: none, request: () => ({ ask: 'key', name: 'help' }) },
  quit: { argument: '', help: 'quits', choices: none, request: () => ({ ask: 'key', name: 'quit' }) },
};

export function requestOf(text: string, model: Model): Request {
  const trimmed = text.trim().replace(/^\?(?=\S)/, '? ');
  const time = timeRequest(trimmed, model);
  if (time) return time;
  const [word = '', ...rest] = trimmed.split(/\s+/);
  const name =
    Object.keys(COMMANDS).find(command => command === word) ??
    only(Object.keys(COMMANDS).filter(command => command.startsWith(word)));
  const command = name === undefined || word === '' ? undefined : COMMANDS[name];
  return command
    ? command.request(rest.join(' '), model)
    : error(`no command '${word}'; there are: ${Object.keys(COMMANDS).join(', ')}`);
}

/** The whole lines that what is typed could become. */
export function completions(text: string, model: Model): readonly string[] {
  const found = /^\s*(\S+)\s+(.*)$/.exec(text);
  if (!found)
    return Object.keys(COMMANDS)
      .filter(name => name.startsWith(text.trimStart()))
      .map(name => (COMMANDS[name]?.argument ? `${name} ` : name));
  const [, word = '', argument = ''] = found;
  return (COMMANDS[word]?.choices(model) ?? [])
    .filter(choice => choice.startsWith(argument))
    .map(choice => `${word} ${choice}`);
}

/** As far as all the completions agree; the text itself where there are none. */
export function complete(text: string, model: Model): string {
  const [first, ...others] = completions(text, model);
  if (first === undefined) return text;
  let length = first.length;
  for (const other of others) {
    while (!other.startsWith(first.slice(0, length))) length -= 1;
  }
  return length > text.length ? first.slice(0, length) : text;
}

function timeRequest(text: string, model: Model): Request | null {
  const now = model.view?.time_ns ?? 0;
  const ns = durationNs(text.replace(/^[+-]/, ''));
  if (ns === null) return null;
  return { ask: 'time', ns: text.startsWith('+') ? now + ns : text.startsWith('-') ? Math.max(0, now - ns) : ns };
}

function only(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}
