/**
 * The monitor without its terminal: holds the model and the session, and carries out what update() asks for.
 *
 * The clock is handed in: a slice of work ends when it says so. Nothing here knows of Ink or of the process.
 */

import { printable } from '../base/printable.ts';
import { branched, type Other, othersAt } from '../explore/branch.ts';
import type { Answerable, Asking } from '../sim/expr.ts';
import type { Program } from '../sim/program.ts';
import { comparedText } from './branch_text.ts';
import { type Picked, pick, pickNamed, wantedOf } from './choice.ts';
import type { Size } from './layout.ts';
import { DEFAULT_SPEED, initialModel, type Model, windowOf } from './model.ts';
import type { Goal, Session } from './session.ts';
import { type Effect, type Message, update } from './update.ts';

/** An expression of the language for the machine of a program, with the names of its file and case. */
export type Ask = (program: Program, text: string, as: Asking) => Answerable;

/** What loading a file gave: runs of a scenario, a recording or a run to play, or lines that say what is wrong. */
export type Loaded =
  | { readonly kind: 'programs'; readonly programs: readonly Program[]; readonly filter?: string; readonly ask?: Ask }
  | { readonly kind: 'recording'; readonly session: Session }
  | { readonly kind: 'errors'; readonly lines: readonly string[] };

export interface MonitorOptions {
  readonly file: string;
  readonly load: () => Loaded;
  readonly open: (picked: Picked) => Session;
  readonly at_ns: number;
  readonly speed: number;
  /** Wall clock, in milliseconds from anywhere. */
  readonly now: () => number;
}

/** Wall time of one slice of work; keys wait at most so long. */
const SLICE_MS = 40;

export class Monitor {
  #model: Model;
  #session: Session | null = null;
  #programs: readonly Program[] = [];
  #picked: Picked | null = null;
  #ask: Ask | null = null;
  #others: readonly Other[] = [];
  #goal: Goal | null = null;
  #ended: number | null = null;
  #suspending = false;
  readonly #options: MonitorOptions;

  constructor(options: MonitorOptions, size: Size) {
    this.#options = options;
    this.#model = initialModel(options.file, size, options.speed > 0 ? options.speed : DEFAULT_SPEED);
    this.load();
    if (options.at_ns > 0) this.#pursue({ to: 'time', ns: options.at_ns });
    this.#picture();
  }

  get model(): Model {
    return this.#model;
  }

  /** The exit code once the user has asked to leave. */
  get ended(): number | null {
    return this.#ended;
  }

  /** Whether a suspend was asked for; asking again clears it. */
  takeSuspend(): boolean {
    const asked = this.#suspending;
    this.#suspending = false;
    return asked;
  }

  /** Whether time moves by itself, so that frames are due. */
  get moving(): boolean {
    return this.#model.running || this.#goal !== null;
  }

  key(key: string): void {
    this.#dispatch({ on: 'key', key });
    this.#picture();
  }

  resize(size: Size): void {
    this.#dispatch({ on: 'size', size });
    this.#picture();
  }

  /** One frame of time. */
  frame(elapsed_ns: number): void {
    if (this.#goal) this.#work();
    else this.#dispatch({ on: 'tick', elapsed_ns });
    this.#picture();
  }

  /** Read the file again; a file with errors leaves the last good run as it is. */
  load(): void {
    const loaded = this.#options.load();
    if (loaded.kind === 'errors') {
      this.#dispatch({ on: 'loaded', diagnostics: loaded.lines, filter: '' });
      return;
    }
    const time_ns = this.#session?.time_ns ?? 0;
    if (loaded.kind === 'recording') {
      this.#session = loaded.session;
    } else {
      this.#programs = loaded.programs;
      this.#ask = loaded.ask ?? null;
      const before = this.#picked?.program;
      this.#open(
        before ? pickNamed(loaded.programs, wantedOf(before)) : pick(loaded.programs, { case: 0, cell: 0, variant: 0 }),
      );
    }
    this.#dispatch({ on: 'loaded', diagnostics: [], filter: loaded.kind === 'programs' ? (loaded.filter ?? '') : '' });
    if (time_ns > 0) this.#pursue({ to: 'time', ns: time_ns });
    this.#picture();
  }

  #open(picked: Picked | null): void {
    if (!picked) return;
    this.#picked = picked;
    this.#goal = null;
    this.#session = this.#options.open(picked);
  }

  #dispatch(message: Message): void {
    const [model, effect] = update(this.#model, message);
    this.#model = model;
    if (effect) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'pursue':
        this.#pursue(effect.goal);
        return;
      case 'stop':
        this.#goal = null;
        return;
      case 'choose': {
        const before = this.#picked;
        const time_ns = this.#session?.time_ns ?? 0;
        this.#open(pick(this.#programs, effect));
        if (before?.program.case_name === this.#picked?.program.case_name) this.#pursue({ to: 'time', ns: time_ns });
        return;
      }
      case 'others': {
        this.#others = othersOf(this.#picked, this.#session);
        this.#dispatch({ on: 'others', names: this.#others.map(({ name }) => printable(name)) });
        return;
      }
      case 'branch':
        this.#branch(this.#others[effect.index]);
        return;
      case 'ask':
        this.#question(effect.text, effect.as);
        return;
      case 'reload':
        this.load();
        return;
      case 'suspend':
        this.#suspending = true;
        return;
      case 'quit':
        this.#ended = effect.code;
        return;
    }
  }

  /** The branch is one more of the runs, beside the one it comes from. */
  #branch(other: Other | undefined): void {
    const from = this.#picked?.program;
    const position = this.#session?.position ?? 0;
    const branch = from && other ? branched(from, position, other.move) : null;
    if (!from || !branch) return;
    if (!this.#programs.some(each => isSameRun(each, branch))) this.#programs = [...this.#programs, branch];
    const ask = this.#ask;
    if (ask) this.#ask = (program, text, as) => ask(program === branch ? from : program, text, as);
    this.#open(pickNamed(this.#programs, wantedOf(branch)));
    this.#pursue({ to: 'by', events: position + 1 });
    this.#dispatch({ on: 'compared', lines: comparedText(from, branch).map(printable) });
  }

  #question(text: string, as: Asking): void {
    const session = this.#session;
    const program = this.#picked?.program;
    if (!session || !program || !this.#ask) {
      this.#tell('dim', 'there is no scenario whose names an expression could be in');
      return;
    }
    const asked = this.#ask(program, text, as);
    if (!asked.ok) {
      this.#dispatch({ on: 'refused', as, text, at: asked.at, message: asked.message });
      return;
    }
    const [condition] = asked.values;
    if (as === 'value' || !condition) {
      this.#tell('good', `= ${session.answers(asked.values)?.join(', ') ?? 'nobody can tell'}   (${text})`);
      return;
    }
    const goal: Goal = { to: 'until', text, condition };
    this.#dispatch({ on: 'aimed', goal });
    this.#pursue(goal);
  }

  #tell(tone: 'good' | 'dim', text: string): void {
    this.#dispatch({ on: 'told', notice: { tone, text } });
  }

  #pursue(goal: Goal): void {
    this.#goal = goal;
    this.#work();
  }

  #work(): void {
    if (!this.#session || !this.#goal) return;
    const until = this.#options.now() + SLICE_MS;
    if (this.#session.pursue(this.#goal, () => this.#options.now() >= until)) {
      const { to } = this.#goal;
      if (to === 'until' && this.#session.met) this.#tell('good', `true from here: ${this.#goal.text}`);
      else if (to === 'until') this.#tell('dim', `this is the end, it does not become true: ${this.#goal.text}`);
      this.#goal = null;
    }
    // While running, each tick sets a new goal; one that was missed is not owed.
    else if (this.#model.running) this.#goal = null;
  }

  /** Twice where the first picture moves what the window shows, such as a selection that is out of it. */
  #picture(): void {
    if (!this.#session) return;
    for (let round = 0; round < 2; round += 1) {
      const window = windowOf(this.#model);
      this.#dispatch({ on: 'view', view: this.#session.view(window), arrived: this.#goal === null });
      if (JSON.stringify(windowOf(this.#model)) === JSON.stringify(window)) return;
    }
  }
}

function othersOf(picked: Picked | null, session: Session | null): readonly Other[] {
  return picked && session ? othersAt(picked.program, session.position) : [];
}

function isSameRun(one: Program, other: Program): boolean {
  return JSON.stringify([wantedOf(one), one.schedule]) === JSON.stringify([wantedOf(other), other.schedule]);
}
