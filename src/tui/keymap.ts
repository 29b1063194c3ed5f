/**
 * Every key, once: what it does, what to say about it, and when it is of no use.
 *
 * The footer, the help screen and docs/keys.md are made from this table; update.ts must have an action for each name.
 */
import type { Model } from './model.ts';

export type Group = 'run' | 'back' | 'go' | 'panes' | 'file';

export const GROUPS: Readonly<Record<Group, string>> = {
  run: 'Forward',
  back: 'Back',
  go: 'Go to',
  panes: 'Panes',
  file: 'File and program',
};

interface Key {
  /** Names as keys.ts gives them. */
  readonly keys: readonly string[];
  /** As printed on the keyboard. */
  readonly shown: string;
  readonly group: Group;
  readonly help: string;
  /** The word in the footer, for the few that fit there. */
  readonly footer?: string;
  /** Why it does nothing now, or null. */
  readonly disabled?: (model: Model) => string | null;
}

const ended = (model: Model) => (model.view?.over ? `this is the end of the run (${model.view.over})` : null);
/** Behind the last step of a cycle comes its first. */
const endedForGood = (model: Model) => ((model.view?.step?.cycle ?? 0) > 0 ? null : ended(model));
const atStart = (model: Model) => (model.view?.position === 0 ? 'this is the start' : null);
const notRecording = (what: string) => (model: Model) =>
  model.view?.kind === 'recording' ? `a recording has no ${what}` : null;
const fewerThanTwo = (what: 'cases' | 'cells' | 'variants') => (model: Model) =>
  notRecording(what)(model) ?? ((model.view?.choice[what].length ?? 0) < 2 ? `there is only one of the ${what}` : null);

export const KEYMAP = {
  run: { keys: ['space'], shown: 'space', group: 'run', help: 'run, pause', footer: 'run', disabled: ended },
  step: { keys: ['s'], shown: 's', group: 'run', help: 'one event', footer: 'step', disabled: endedForGood },
  next_entry: { keys: ['e'], shown: 'e', group: 'run', help: 'to the next VM entry', footer: 'entry', disabled: ended },
  next_fault: {
    keys: ['f'],
    shown: 'f',
    group: 'run',
    help: 'to the next page fault',
    footer: 'fault',
    disabled: ended,
  },
  next_violation: {
    keys: ['n'],
    shown: 'n',
    group: 'run',
    help: 'to the next failing judgement',
    disabled: model => notRecording('judgements')(model) ?? ended(model),
  },
  until: {
    keys: ['u'],
    shown: 'u',
    group: 'run',
    help: 'until a condition becomes true: break when EXPR',
    disabled: model => notRecording('machine')(model) ?? ended(model),
  },
  branch: {
    keys: ['o'],
    shown: 'o',
    group: 'run',
    help: 'let another go on from here, and compare',
    disabled: model => (model.view?.step ? null : 'only in a run that an exploration has found can another be chosen'),
  },
  faster: { keys: ['+', '='], shown: '+', group: 'run', help: 'faster: more virtual time per second' },
  slower: { keys: ['-', '_'], shown: '-', group: 'run', help: 'slower' },
  back: { keys: ['b'], shown: 'b', group: 'back', help: 'one event back', footer: 'back', disabled: atStart },
  back_entry: { keys: ['E'], shown: 'E', group: 'back', help: 'back to the last VM entry', disabled: atStart },
  back_fault: { keys: ['F'], shown: 'F', group: 'back', help: 'back to the last page fault', disabled: atStart },
  start: { keys: ['g', 'home'], shown: 'g', group: 'go', help: 'to the start', disabled: atStart },
  end: { keys: ['G', 'end'], shown: 'G', group: 'go', help: 'to the end', disabled: ended },
  jump: { keys: ['j'], shown: 'j', group: 'go', help: 'to a time: 3ms, 1.5us, +20us, -1ms', footer: 'jump' },
  ask: {
    keys: ['a'],
    shown: 'a',
    group: 'go',
    help: 'ask what an expression is now: ? EXPR',
    disabled: notRecording('machine'),
  },
  help: { keys: ['?'], shown: '?', group: 'file', help: 'these keys', footer: 'help' },
  filter: { keys: ['/'], shown: '/', group: 'panes', help: 'filter the tracepoints', footer: 'filter' },
  command: { keys: [':'], shown: ':', group: 'go', help: 'command: a time, speed, case, variant, ...' },
  next_pane: { keys: ['tab'], shown: 'Tab', group: 'panes', help: 'next pane' },
  previous_pane: { keys: ['shift-tab'], shown: 'S-Tab', group: 'panes', help: 'pane before' },
  pane: { keys: ['1', '2', '3', '4', '5'], shown: '1-5', group: 'panes', help: 'that pane; again: zoom' },
  zoom: { keys: ['z'], shown: 'z', group: 'panes', help: 'zoom the pane, and back' },
  enter: { keys: ['enter'], shown: 'Enter', group: 'panes', help: 'the selected vCPU in full' },
  why: { keys: ['w'], shown: 'w', group: 'panes', help: 'why the vCPU runs, or does not', footer: 'why' },
  up: { keys: ['up'], shown: 'Up', group: 'panes', help: 'select or scroll up' },
  down: { keys: ['down'], shown: 'Down', group: 'panes', help: 'select or scroll down' },
  page_up: { keys: ['pageup'], shown: 'PgUp', group: 'panes', help: 'a page up' },
  page_down: { keys: ['pagedown'], shown: 'PgDn', group: 'panes', help: 'a page down' },
  follow: { keys: ['p'], shown: 'p', group: 'panes', help: 'tracepoints: pause, follow' },
  fine: {
    keys: ['x'],
    shown: 'x',
    group: 'panes',
    help: 'page map: one cell per page, or all',
    disabled: notRecording('pages'),
  },
  next_case: { keys: ['c'], shown: 'c', group: 'file', help: 'next case', disabled: fewerThanTwo('cases') },
  previous_case: { keys: ['C'], shown: 'C', group: 'file', help: 'case before', disabled: fewerThanTwo('cases') },
  next_cell: {
    keys: ['m'],
    shown: 'm',
    group: 'file',
    help: 'next cell of the matrix',
    disabled: fewerThanTwo('cells'),
  },
  next_variant: { keys: ['v'], shown: 'v', group: 'file', help: 'next variant', disabled: fewerThanTwo('variants') },
  previous_variant: {
    keys: ['V'],
    shown: 'V',
    group: 'file',
    help: 'variant before',
    disabled: fewerThanTwo('variants'),
  },
  reload: { keys: ['r'], shown: 'r', group: 'file', help: 'load the file again' },
  escape: { keys: ['escape'], shown: 'Esc', group: 'panes', help: 'back out of a page or a zoom' },
  quit: { keys: ['q'], shown: 'q', group: 'file', help: 'quit', footer: 'quit' },
  interrupt: { keys: ['ctrl-c'], shown: 'C-c', group: 'file', help: 'quit, with exit code 130' },
  suspend: { keys: ['ctrl-z'], shown: 'C-z', group: 'file', help: 'suspend; fg comes back' },
} as const satisfies Record<string, Key>;

export type ActionName = keyof typeof KEYMAP;
export interface Binding extends Key {
  readonly action: ActionName;
}

export const BINDINGS: readonly Binding[] = Object.entries(KEYMAP).flatMap(([action, key]) =>
  isAction(action) ? [{ action, ...key }] : [],
);
const byKey = new Map(BINDINGS.flatMap(binding => binding.keys.map(key => [key, binding] as const)));

export function bindingOf(key: string): Binding | null {
  return byKey.get(key) ?? null;
}

function isAction(name: string): name is ActionName {
  return Object.hasOwn(KEYMAP, name);
}

/** The table for the documents. */
export function keymapMarkdown(): string {
  const sections = Object.entries(GROUPS).map(([group, title]) => {
    const rows = BINDINGS.filter(binding => binding.group === group).map(
      ({ shown, help }) => `| \`${shown}\` | ${help} |`,
    );
    return [`## ${title}`, '', '| key | does |', '| --- | --- |', ...rows].join('\n');
  });
  return `# Keys of the monitor\n\n${sections.join('\n\n')}\n`;
}
