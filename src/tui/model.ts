/**
 * What the monitor itself remembers: which pane has the keys, what is being typed, how fast time runs.
 *
 * The machine is not in here; `view` is the last picture of it. update.ts makes a new model for each key, tick and
 * picture; nothing else changes one.
 */
import { CHROME, layout, type PaneName, type Placed, type Size } from './layout.ts';
import type { Goal } from './session.ts';
import type { ViewModel, Window } from './view_model.ts';

/** A line being typed at the bottom of the screen. */
export interface Typing {
  readonly what: 'filter' | 'command';
  readonly text: string;
  readonly cursor: number;
  /** The filter as it was before, to go back to. */
  readonly before: string;
  /** What is wrong at the cursor; empty once it has been changed. */
  readonly error: string;
}

export interface Notice {
  readonly tone: 'good' | 'bad' | 'dim';
  readonly text: string;
}

export interface Model {
  readonly file: string;
  readonly size: Size;
  /** Null until the first picture, and where the file never compiled. */
  readonly view: ViewModel | null;
  readonly focus: PaneName;
  readonly zoomed: boolean;
  /** A page over the panes: the keys, one vCPU in full, or what is wrong with the file. */
  readonly page: 'none' | 'help' | 'vcpu' | 'diagnostics' | 'branch';
  readonly page_top: number;
  readonly why: boolean;
  readonly running: boolean;
  /** Virtual nanoseconds for each second of the wall clock. */
  readonly speed: number;
  /** Where time should be by now while running; events are further apart than ticks. */
  readonly playhead_ns: number;
  /** Far goals take several frames; null when there. */
  readonly goal: Goal | null;
  readonly selected_vcpu: number;
  readonly first_vcpu: number;
  /** Where the tracepoints stand still, and lines scrolled back from there; null follows. */
  readonly trace_end: number | null;
  readonly trace_back: number;
  readonly filter: string;
  readonly first_page: number;
  readonly fine_pages: boolean;
  readonly first_judgement: number;
  readonly typing: Typing | null;
  readonly notice: Notice | null;
  /** Who else could go on at this step, as far as that was asked; and what two branches have come to, as lines. */
  readonly others: readonly string[];
  readonly compared: readonly string[];
  /** What is wrong with the file as saved last, as lines; empty when it is good. */
  readonly diagnostics: readonly string[];
}

export const SPEEDS: readonly number[] = [
  1e3, 1e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7, 1e8, 2e8, 5e8, 1e9, 2e9, 5e9, 1e10,
];
export const DEFAULT_SPEED = 1e6;

export function initialModel(file: string, size: Size, speed = DEFAULT_SPEED): Model {
  return {
    file,
    size,
    view: null,
    focus: 'vcpus',
    zoomed: false,
    page: 'none',
    page_top: 0,
    why: false,
    running: false,
    speed,
    playhead_ns: 0,
    goal: null,
    selected_vcpu: 0,
    first_vcpu: 0,
    trace_end: null,
    trace_back: 0,
    filter: '',
    first_page: 0,
    fine_pages: false,
    first_judgement: 0,
    typing: null,
    notice: null,
    others: [],
    compared: [],
    diagnostics: [],
  };
}

export function isTold({ view }: Model): boolean {
  return view !== null && view.step !== null;
}

/** The panes as they stand now; null where the terminal is too small. */
export function panesOf(model: Model): readonly Placed[] | null {
  return layout(
    model.size,
    { nr_vcpus: model.view?.nr_vcpus ?? 1, is_recording: model.view?.kind === 'recording', is_told: isTold(model) },
    model.zoomed ? model.focus : null,
  );
}

/** Lines of a pane for its contents; 0 where it is not shown. */
export function linesOf(model: Model, pane: PaneName): number {
  const placed = panesOf(model)?.find(other => other.pane === pane);
  return placed ? placed.height - CHROME[pane] : 0;
}

/** The page map keeps its last line for the legend. */
export const PAGE_LEGEND_LINES = 1;

/** What the next picture has to show. */
export function windowOf(model: Model): Window {
  const pages = panesOf(model)?.find(other => other.pane === 'pages');
  return {
    first_vcpu: model.first_vcpu,
    vcpus: linesOf(model, 'vcpus'),
    selected_vcpu: model.selected_vcpu,
    detail: model.page === 'vcpu',
    trace_lines: linesOf(model, 'trace'),
    trace_end: model.trace_end,
    trace_back: model.trace_back,
    filter: model.filter,
    page_cells: pages ? pages.width * Math.max(0, pages.height - CHROME.pages - PAGE_LEGEND_LINES) : 0,
    first_page: model.first_page,
    fine_pages: model.fine_pages,
    judgements: linesOf(model, 'judgements'),
    first_judgement: model.first_judgement,
  };
}
