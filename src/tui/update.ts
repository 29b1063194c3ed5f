/**
 * update(model, message) -> [model, effect]: everything the monitor decides, and nothing it does.
 *
 * Effects are carried out by main.tsx, which alone touches the machine, the clock and the terminal.
 */
import { durationText } from '../base/duration.ts';
import type { Asking } from '../sim/expr.ts';
import { complete, completions, requestOf } from './command.ts';
import { type ActionName, bindingOf, KEYMAP } from './keymap.ts';
import { PANES, type PaneName, type Size } from './layout.ts';
import { linesOf, type Model, type Notice, panesOf, SPEEDS } from './model.ts';
import { type Goal, MARKS } from './session.ts';
import type { ViewModel } from './view_model.ts';

export type Message =
  | { readonly on: 'key'; readonly key: string }
  | { readonly on: 'tick'; readonly elapsed_ns: number }
  | { readonly on: 'size'; readonly size: Size }
  /** A new picture; `arrived`: the goal is reached. */
  | { readonly on: 'view'; readonly view: ViewModel; readonly arrived: boolean }
  /** The file was loaded; its lines of diagnostics, none where it is good, and the filter that it begins with. */
  | { readonly on: 'loaded'; readonly diagnostics: readonly string[]; readonly filter: string }
  /** A question that cannot be asked: it is typed again from where it is wrong. */
  | {
      readonly on: 'refused';
      readonly as: Asking;
      readonly text: string;
      readonly at: number;
      readonly message: string;
    }
  | { readonly on: 'others'; readonly names: readonly string[] }
  /** A branch was taken; how it compares with what it comes from, as lines. */
  | { readonly on: 'compared'; readonly lines: readonly string[] }
  /** The goal was set elsewhere. */
  | { readonly on: 'aimed'; readonly goal: Goal }
  | { readonly on: 'told'; readonly notice: Notice };

export type Effect =
  | { readonly do: 'pursue'; readonly goal: Goal }
  /** Give up the goal. */
  | { readonly do: 'stop' }
  /** What an expression is now, or on until it becomes true. */
  | { readonly do: 'ask'; readonly as: Asking; readonly text: string }
  /** Who else could go on; and one of them does. */
  | { readonly do: 'others' }
  | { readonly do: 'branch'; readonly index: number }
  | { readonly do: 'choose'; readonly case: number; readonly cell: number; readonly variant: number }
  | { readonly do: 'reload' | 'suspend' }
  | { readonly do: 'quit'; readonly code: number };

export type Updated = readonly [Model, Effect | null];
type Action = (model: Model, key: string) => Updated;

export function update(model: Model, message: Message): Updated {
  switch (message.on) {
    case 'key':
      return pressed(model, message.key);
    case 'tick':
      return ticked(model, message.elapsed_ns);
    case 'size':
      return [settle({ ...model, size: message.size }), null];
    case 'view':
      return [pictured(model, message.view, message.arrived), null];
    case 'others': {
      const { names: others } = message;
      if (others.length === 0) return [told(model, 'dim', 'nobody else could go on here'), null];
      return [typing({ ...model, others }, 'command', 'branch '), null];
    }
    case 'compared':
      return [{ ...model, others: [], compared: message.lines, page: 'branch', page_top: 0 }, null];
    case 'aimed':
      return [{ ...model, running: false, goal: message.goal }, null];
    case 'refused': {
      const { as, text, at, message: error } = message;
      const before = QUESTIONS[as];
      const again = typing(model, 'command', before + text);
      return [{ ...again, typing: again.typing && { ...again.typing, cursor: before.length + at, error } }, null];
    }
    case 'told':
      return [{ ...model, notice: message.notice }, null];
    case 'loaded':
      return [loaded(model, message.diagnostics, message.filter), null];
  }
}

function pressed(model: Model, key: string): Updated {
  const quiet = model.notice === null ? model : { ...model, notice: null };
  if (quiet.typing && key !== 'ctrl-c' && key !== 'ctrl-z') return typed(quiet, quiet.typing, key);
  const binding = bindingOf(key);
  if (!binding) return [told(quiet, 'dim', `no key '${key}'; ? shows the keys`), null];
  return act(quiet, binding.action, key);
}

function act(model: Model, action: ActionName, key: string): Updated {
  const reason = bindingOf(KEYMAP[action].keys[0])?.disabled?.(model) ?? null;
  if (reason !== null) return [told(model, 'dim', reason), null];
  return ACTIONS[action](model, key);
}

/** What stands before an expression in the command bar. */
const QUESTIONS: Readonly<Record<Asking, string>> = { value: '? ', truth: 'break when ' };

const pursue =
  (goal: Goal): Action =>
  model => [
    { ...model, running: false, goal },
    { do: 'pursue', goal },
  ];

/** Steps count from where the session is, which may be ahead of the last picture while keys come fast. */
const ACTIONS: Readonly<Record<ActionName, Action>> = {
  run(model) {
    if (model.goal) return [{ ...model, goal: null, running: false }, { do: 'stop' }];
    return [{ ...model, running: !model.running, playhead_ns: model.view?.time_ns ?? 0 }, null];
  },
  step: pursue({ to: 'by', events: 1 }),
  back: pursue({ to: 'by', events: -1 }),
  next_entry: pursue({ to: 'next', mark: 'entry' }),
  next_fault: pursue({ to: 'next', mark: 'fault' }),
  next_violation: pursue({ to: 'next', mark: 'violation' }),
  back_entry: pursue({ to: 'previous', mark: 'entry' }),
  back_fault: pursue({ to: 'previous', mark: 'fault' }),
  start: pursue({ to: 'start' }),
  end: pursue({ to: 'end' }),
  faster: model => [paced(model, 1), null],
  slower: model => [paced(model, -1), null],
  jump: model => [typing(model, 'command', 'time '), null],
  branch: model => [{ ...model, running: false, goal: null }, { do: 'others' }],
  until: model => [typing(model, 'command', QUESTIONS.truth), null],
  ask: model => [typing(model, 'command', QUESTIONS.value), null],
  command: model => [typing(model, 'command', ''), null],
  filter: model => [typing(model, 'filter', model.filter), null],
  help: model => [page(model, 'help'), null],
  why: model => [{ ...model, why: !model.why }, null],
  next_pane: model => [moved(model, 1), null],
  previous_pane: model => [moved(model, -1), null],
  pane(model, key) {
    const focus = PANES[Number(key) - 1] ?? model.focus;
    const again = focus === model.focus && model.page === 'none';
    return [
      { ...model, page: 'none', focus, zoomed: again ? !model.zoomed : model.zoomed || !isShown(model, focus) },
      null,
    ];
  },
  zoom: model => [{ ...model, zoomed: !model.zoomed }, null],
  enter(model) {
    if (model.focus !== 'vcpus') return [{ ...model, zoomed: !model.zoomed }, null];
    return [page(model, 'vcpu'), null];
  },
  escape(model) {
    if (model.goal) return [{ ...model, goal: null }, { do: 'stop' }];
    if (model.page !== 'none') return [{ ...model, page: 'none' }, null];
    if (model.why) return [{ ...model, why: false }, null];
    return [{ ...model, zoomed: false, filter: model.zoomed ? model.filter : '' }, null];
  },
  up: model => [scrolled(model, -1), null],
  down: model => [scrolled(model, 1), null],
  page_up: model => [scrolled(model, 1 - Math.max(2, linesOf(model, model.focus))), null],
  page_down: model => [scrolled(model, Math.max(2, linesOf(model, model.focus)) - 1), null],
  follow: model => [
    { ...model, trace_back: 0, trace_end: model.trace_end === null ? (model.view?.nr_traced ?? 0) : null },
    null,
  ],
  fine: model => [{ ...model, fine_pages: !model.fine_pages, first_page: 0 }, null],
  next_case: model => choose(model, 'case', 1),
  previous_case: model => choose(model, 'case', -1),
  next_cell: model => choose(model, 'cell', 1),
  next_variant: model => choose(model, 'variant', 1),
  previous_variant: model => choose(model, 'variant', -1),
  reload: model => [told(model, 'dim', 'loading the file again'), { do: 'reload' }],
  quit: model => [model, { do: 'quit', code: 0 }],
  interrupt: model => [model, { do: 'quit', code: 130 }],
  suspend: model => [{ ...model, running: false }, { do: 'suspend' }],
};

function ticked(model: Model, elapsed_ns: number): Updated {
  if (!model.running || model.goal || !model.view) return [model, null];
  // The playhead runs ahead of slow machines only by one tick: after that, time goes as fast as it can.
  const playhead_ns = Math.max(model.playhead_ns, model.view.time_ns) + Math.round((model.speed * elapsed_ns) / 1e9);
  return [
    { ...model, playhead_ns },
    { do: 'pursue', goal: { to: 'time', ns: playhead_ns } },
  ];
}

function pictured(model: Model, view: ViewModel, arrived: boolean): Model {
  const ended = model.running && view.over !== null;
  const missed = arrived && model.goal?.to === 'next' && view.over !== null ? model.goal.mark : null;
  const failing = view.judgements.find(({ holds }) => holds === 'no');
  const late = model.running && model.view !== null && !arrived;
  const next: Model = {
    ...model,
    view,
    playhead_ns: late ? view.time_ns : model.playhead_ns,
    goal: arrived ? null : model.goal,
    running: model.running && view.over === null,
  };
  if (missed === 'violation' && failing !== undefined)
    return settle(told(next, 'bad', `${failing.name} fails, and that is decided here: this is the end`));
  if (missed !== null) return settle(told(next, 'dim', `no further ${MARKS[missed]}: this is the end`));
  return settle(ended ? told(next, 'dim', `the run is over: ${view.over}`) : next);
}

function loaded(model: Model, diagnostics: readonly string[], filter: string): Model {
  if (diagnostics.length > 0)
    return { ...page({ ...model, page: 'none', diagnostics }, 'diagnostics'), running: false };
  const cleared: Model = { ...model, diagnostics, page: model.page === 'diagnostics' ? 'none' : model.page };
  return model.view === null ? { ...cleared, filter } : told(cleared, 'good', 'the file was loaded again');
}

function typed(model: Model, line: NonNullable<Model['typing']>, key: string): Updated {
  const put = (text: string, cursor: number): Updated => {
    const next = { ...model, typing: { ...line, text, cursor, error: '' } };
    return [line.what === 'filter' ? { ...next, filter: text, trace_back: 0 } : next, null];
  };
  const { text, cursor } = line;
  switch (key) {
    case 'escape':
      return [{ ...model, typing: null, filter: line.before }, null];
    case 'enter':
      return line.what === 'filter' ? [{ ...model, typing: null }, null] : command({ ...model, typing: null }, text);
    case 'backspace':
      return text === ''
        ? [{ ...model, typing: null, filter: line.before }, null]
        : put(text.slice(0, Math.max(0, cursor - 1)) + text.slice(cursor), Math.max(0, cursor - 1));
    case 'ctrl-u':
      return put('', 0);
    case 'left':
      return put(text, Math.max(0, cursor - 1));
    case 'right':
      return put(text, Math.min(text.length, cursor + 1));
    case 'home':
      return put(text, 0);
    case 'end':
      return put(text, text.length);
    case 'tab': {
      if (line.what === 'filter') return [model, null];
      const longer = complete(text, model);
      const [next] = put(longer, longer.length);
      return [
        longer === text ? told(next, 'dim', completions(text, model).join('  ') || 'nothing to complete') : next,
        null,
      ];
    }
    default: {
      const character = key === 'space' ? ' ' : key;
      return character.length > 2
        ? [model, null]
        : put(text.slice(0, cursor) + character + text.slice(cursor), cursor + character.length);
    }
  }
}

function command(model: Model, text: string): Updated {
  if (text.trim() === '') return [model, null];
  const request = requestOf(text, model);
  switch (request.ask) {
    case 'error':
      return [told(model, 'bad', request.message), null];
    case 'time':
      return pursue({ to: 'time', ns: request.ns })(model, '');
    case 'speed':
      return [told({ ...model, speed: request.per_s }, 'dim', speedText(request.per_s)), null];
    case 'case':
    case 'cell':
    case 'variant':
      return chosen(model, { [request.ask]: request.index });
    case 'pane':
      return [
        { ...model, page: 'none', focus: PANES.find(pane => pane === request.name) ?? model.focus, zoomed: true },
        null,
      ];
    case 'vcpu':
      return [settle({ ...model, selected_vcpu: request.row }), null];
    case 'branch':
      return [model, { do: 'branch', index: request.index }];
    case 'question':
      return [model, { do: 'ask', as: request.as, text: request.text }];
    case 'filter':
      return [{ ...model, filter: request.text, trace_back: 0 }, null];
    case 'key': {
      const action = Object.entries(KEYMAP).find(([name]) => name === request.name)?.[1];
      const binding = action && bindingOf(action.keys[0]);
      return binding ? act(model, binding.action, '') : [model, null];
    }
  }
}

function choose(model: Model, what: 'case' | 'cell' | 'variant', by: number): Updated {
  const choice = model.view?.choice;
  if (!choice) return [model, null];
  const count = { case: choice.cases, cell: choice.cells, variant: choice.variants }[what].length;
  return chosen(model, { [what]: (choice[what] + by + count) % count });
}

/** Another case begins at its start with its first cell; another variant of the same case stays at the same time. */
function chosen(
  model: Model,
  change: { readonly case?: number; readonly cell?: number; readonly variant?: number },
): Updated {
  const now = model.view?.choice ?? { case: 0, cell: 0, variant: 0 };
  const cell = change.case === undefined ? now.cell : 0;
  const next = { case: now.case, variant: now.variant, cell, ...change };
  return [
    { ...model, running: false, goal: null, trace_end: null, trace_back: 0 },
    { do: 'choose', ...next },
  ];
}

function typing(model: Model, what: 'filter' | 'command', text: string): Model {
  return { ...model, page: 'none', typing: { what, text, cursor: text.length, before: model.filter, error: '' } };
}

function page(model: Model, name: Model['page']): Model {
  return { ...model, page: model.page === name ? 'none' : name, page_top: 0 };
}

function moved(model: Model, by: number): Model {
  const shown = model.zoomed ? PANES : (panesOf(model)?.map(placed => placed.pane) ?? PANES);
  const index = shown.indexOf(model.focus) + by + shown.length;
  return { ...model, page: 'none', focus: shown[index % shown.length] ?? model.focus };
}

function isShown(model: Model, pane: PaneName): boolean {
  return panesOf(model)?.some(placed => placed.pane === pane) ?? false;
}

/** The pages have the arrows while one is open; else the pane in focus. */
function scrolled(model: Model, by: number): Model {
  if (model.page !== 'none') return { ...model, page_top: Math.max(0, model.page_top + by) };
  switch (model.focus) {
    case 'vcpus':
    case 'queues':
      return settle({ ...model, selected_vcpu: model.selected_vcpu + by });
    case 'trace':
      return {
        ...model,
        trace_end: model.trace_end ?? model.view?.nr_traced ?? 0,
        trace_back: Math.max(0, model.trace_back - by),
      };
    case 'pages': {
      const width = panesOf(model)?.find(placed => placed.pane === 'pages')?.width ?? 1;
      return settle({ ...model, first_page: model.first_page + by * width * (model.view?.pages?.pages_per_cell ?? 1) });
    }
    case 'judgements':
      return settle({ ...model, first_judgement: model.first_judgement + by });
  }
}

/** Selections and scroll positions put back inside of what there is. */
function settle(model: Model): Model {
  const view = model.view;
  if (!view) return model;
  const inside = (value: number, most: number) => Math.max(0, Math.min(value, most));
  const selected_vcpu = inside(model.selected_vcpu, view.nr_vcpus - 1);
  const shown = Math.max(1, linesOf(model, 'vcpus'));
  const first_vcpu = inside(
    Math.max(Math.min(model.first_vcpu, selected_vcpu), selected_vcpu - shown + 1),
    Math.max(0, view.nr_vcpus - shown),
  );
  const judged = Object.values(view.nr_judgements).reduce((sum, count) => sum + count);
  const pages = view.pages;
  return {
    ...model,
    selected_vcpu,
    first_vcpu,
    first_judgement: inside(model.first_judgement, Math.max(0, judged - linesOf(model, 'judgements'))),
    first_page: pages ? inside(model.first_page, Math.max(0, pages.pages - 1)) : 0,
  };
}

function paced(model: Model, by: 1 | -1): Model {
  const next = by > 0 ? SPEEDS.find(speed => speed > model.speed) : SPEEDS.findLast(speed => speed < model.speed);
  const speed = next ?? model.speed;
  return told({ ...model, speed }, 'dim', speedText(speed));
}

function speedText(speed: number): string {
  return `${durationText(speed)} of the run per second`;
}

function told(model: Model, tone: Notice['tone'], text: string): Model {
  return { ...model, notice: { tone, text } };
}
