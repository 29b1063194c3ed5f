/**
 * The judge of a run: follows what is observed, traced and written, and says of each judgement whether it holds.
 *
 * The simulation tells it of observations and records as they happen, calls pass() before the clock goes beyond
 * `due_ns`, and stepped() after each step when `needs.steps` says so. It never changes the machine.
 */
import { assert } from '../../base/assert.ts';
import { durationText } from '../../base/duration.ts';
import type { Expr } from '../expr.ts';
import type { Machine } from '../machine.ts';
import { OBSERVATION_NAMES } from '../observe.ts';
import type { JudgementResult } from '../outcome.ts';
import type { Judgement } from '../program.ts';
import type { Recorded } from './baseline.ts';
import { Cells, type CellsState } from './cells.ts';
import { compile, compileTruth } from './compile.ts';
import { Hooks, type Looks, SCRIPT_LOOKS } from './hooks.ts';
import { type Decision, type End, FAILS, HOLDS, lookOf, MONITORS, type Monitor, UNDECIDED } from './monitor.ts';
import { type Context, type Node, type Now, WHOLE_RUN } from './node.ts';
import { newRecord } from './records.ts';
import { judgementText } from './text.ts';

export type JudgeState = CellsState;

/** What the judgements of a program look at; the rest need not be reported. */
export interface Needs {
  readonly steps: boolean;
  readonly observations: boolean;
  readonly records: boolean;
}

/** Truth of a judgement while the run goes on, for the monitor. */
interface Standing {
  readonly judgement: Judgement;
  readonly holds: 'yes' | 'no' | 'undecided';
  readonly at_ns: number | null;
  readonly actual: string;
  /** Whether what it asks for is so at this moment, whatever the verdict; null for an order of events. */
  readonly now: boolean | null;
  /** Why it is, or is not. */
  readonly why: string;
}

export class Judge {
  readonly needs: Needs;
  /** Goes up with each verdict that is found. */
  decided = 0;
  /** The next deadline: pass() must be called before the clock goes beyond it. */
  due_ns = Number.POSITIVE_INFINITY;

  readonly #m: Machine;
  readonly #baseline: () => readonly Recorded[];
  /** All that the judgements remember. */
  readonly cells = new Cells();
  readonly #hooks: Hooks;
  readonly #now: Now = { ns: 0, stamp_ns: 0 };
  readonly #monitors: Monitor[] = [];
  readonly #columns: { readonly title: string; readonly value: Node }[];
  readonly #conditions: ((() => boolean) | null)[];
  readonly #places: { readonly verdict: number; readonly text: number }[] = [];
  #rescheduled = true;

  /**
   * `baseline`: the records of the run to compare with, asked for once where a judgement does. `looks` is told who is about
   * to look at the machine: the judgements share no memory, nor do the parts that `each` of a vCPU or task falls into.
   */
  constructor(m: Machine, baseline: () => readonly Recorded[] = () => [], looks: Looks | null = null) {
    this.#m = m;
    this.#baseline = baseline;
    this.#hooks = new Hooks(newRecord(), looks);
    const hooks = this.#hooks;
    const { program } = m;
    for (const judgement of program.judgements) this.#compile(judgement);
    const whole = this.#context(WHOLE_RUN);
    hooks.owner = hooks.newParts(1);
    this.#columns = program.report.map(({ title, value }) => ({ title, value: compile(value, whole) }));
    hooks.owner = SCRIPT_LOOKS;
    this.#conditions = program.actions.map(({ trigger }) =>
      trigger.kind === 'when' ? this.#condition(trigger.condition) : null,
    );
    this.needs = {
      steps: hooks.steps.length > 0,
      observations: OBSERVATION_NAMES.some((_, observation) => hooks.wantsObservation(observation)),
      records: hooks.wantsRecords(),
    };
    this.#reschedule();
  }

  /** Whether any judgement wants to know of it. */
  watches(observation: number): boolean {
    return this.#hooks.wantsObservation(observation);
  }

  watchesRecord(tracepoint: number): boolean {
    return this.#hooks.wantsRecord(tracepoint);
  }

  /** How many parts look; see Hooks. */
  get parts(): number {
    return this.#hooks.parts;
  }

  partUnder(part: number, rowUnder: Parameters<Hooks['partUnder']>[1]): number {
    return this.#hooks.partUnder(part, rowUnder);
  }

  watchesWrites(field: number): boolean {
    return this.#hooks.wantsWrite(field);
  }

  observe(observation: number, _vm: number, a: number, b: number): void {
    if (!this.#hooks.wantsObservation(observation)) return;
    this.#readClock();
    this.#hooks.observed(observation, a, b);
    if (this.#rescheduled) this.#reschedule();
  }

  /** A tracepoint has fired. */
  emit(tracepoint: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0): void {
    const hooks = this.#hooks;
    if (!hooks.wantsRecord(tracepoint)) return;
    this.#readClock();
    const { record } = hooks;
    record.tracepoint = tracepoint;
    const { fields } = record;
    fields[0] = a;
    fields[1] = b;
    fields[2] = c;
    fields[3] = d;
    fields[4] = e;
    fields[5] = f;
    fields[6] = g;
    fields[7] = h;
    hooks.recorded();
    if (this.#rescheduled) this.#reschedule();
  }

  /** A field of a recording machine was written by the current thread; `field` as in compiledSchema.fields. */
  wrote(field: number, row: number): void {
    if (!this.#hooks.wantsWrite(field)) return;
    this.#readClock();
    this.#hooks.wrote(field, row);
  }

  stepped(): void {
    this.#readClock();
    this.#hooks.stepped();
    if (this.#rescheduled) this.#reschedule();
  }

  /** The clock is about to be set to `next_ns`: judges whatever is due before. */
  pass(next_ns: number): void {
    while (this.due_ns < next_ns) {
      const due_ns = this.due_ns;
      this.#passDeadline(due_ns);
      assert(this.due_ns > due_ns, 'judge: a deadline that has passed does not come again');
    }
  }

  /** Nothing follows. Can be undone by restore(). */
  finish(end: End): void {
    const { now_ns } = this.#m.clock;
    // When nothing can ever happen again, the state lasts: to the end of the run's time and to every deadline after.
    if (end === 'quiescent') this.pass(Number.POSITIVE_INFINITY);
    if (end === 'time') this.pass(this.#m.program.limit_ns + 1);
    this.#now.ns = end === 'steps' ? now_ns : Math.max(now_ns, this.#m.program.limit_ns);
    this.#now.stamp_ns = now_ns;
    for (const monitor of this.#monitors) monitor.finish(end);
  }

  results(): readonly JudgementResult[] {
    return this.#m.program.judgements.map((judgement, index) => {
      const { holds, at_ns, actual } = this.#finding(index);
      const { name, kind, place } = judgement;
      const step = at_ns === null ? null : this.cells.values[this.#places[index]!.verdict + 2]!;
      if (holds === 'yes') return { name, kind, place, holds, at_ns, step, expected: '', actual: '', message: '' };
      const expected = judgementText(judgement);
      return {
        name,
        kind,
        place,
        holds,
        at_ns,
        step,
        expected,
        actual,
        message: messageOf(judgement, holds, at_ns, step, expected, actual),
      };
    });
  }

  /** Forgets what was found of one judgement, which then goes on. */
  reopen(index: number): void {
    this.cells.values.fill(0, this.#places[index]!.verdict, this.#places[index]!.verdict + 3);
  }

  /** How each judgement stands at this moment, in the order of the program. */
  standings(): readonly Standing[] {
    this.#readClock();
    return this.#m.program.judgements.map((judgement, index) => {
      const { condition } = this.#monitors[index]!;
      return { judgement, ...this.#finding(index), now: condition?.get() ?? null, why: condition?.why() ?? '' };
    });
  }

  /** The columns of `report`, as they are now. */
  report(): readonly { readonly title: string; readonly value: string }[] {
    this.#readClock();
    return this.#columns.map(({ title, value }) => ({ title, value: value.show() }));
  }

  /** Of the columns of `report` that are conditions, whether they hold now. */
  truths(): readonly boolean[] {
    this.#readClock();
    return this.#columns.map(({ value }) => value.t === 'truth' && value.get());
  }

  /** Whether each of these is so now; null for those that are no conditions. */
  columnsHold(): readonly (boolean | null)[] {
    this.#readClock();
    return this.#columns.map(({ value }) => (value.t === 'truth' ? value.get() : null));
  }

  /** Whether the condition of an action `when COND` holds now; only for actions with such a trigger. */
  holds(action: number): boolean {
    this.#readClock();
    return this.#conditions[action]?.() ?? false;
  }

  save(): JudgeState {
    return this.cells.save();
  }

  restore(state: JudgeState): void {
    this.cells.restore(state);
    this.#readClock();
    this.#reschedule();
  }

  #compile(judgement: Judgement): void {
    const cells = this.cells;
    // The verdict, when it was found, and in which step.
    const place = { verdict: cells.newCells(3), text: cells.newText() };
    this.#places.push(place);
    const decision: Decision = {
      undecided: () => cells.values[place.verdict] === UNDECIDED,
      decide: (verdict, actual) => {
        if (cells.values[place.verdict] !== UNDECIDED) return;
        cells.values[place.verdict] = verdict;
        cells.values[place.verdict + 1] = this.#now.stamp_ns;
        cells.values[place.verdict + 2] = this.#m.clock.step;
        if (verdict === FAILS) cells.texts[place.text] = actual;
        this.decided += 1;
        this.#rescheduled = true;
      },
    };
    this.#hooks.owner = this.#hooks.newParts(1);
    const obliges = judgement.after !== null || judgement.onset !== null;
    const context = { ...this.#context(WHOLE_RUN), obliges };
    const opening = lookOf(judgement, context);
    const monitor = MONITORS[judgement.kind](judgement, { ...context, window: opening.window }, decision, opening);
    this.#monitors.push(monitor);
    opening.whenClosed(() => monitor.close());
  }

  #condition(expr: Expr): () => boolean {
    return compileTruth(expr, this.#context(WHOLE_RUN)).get;
  }

  #context(window: Context['window']): Context {
    return {
      m: this.#m,
      baseline: this.#baseline,
      cells: this.cells,
      hooks: this.#hooks,
      now: this.#now,
      window,
      rate_window_ns: null,
      variables: new Map(),
      bases: [],
      obliges: false,
      wanted: null,
      reschedule: () => {
        this.#rescheduled = true;
      },
    };
  }

  #finding(index: number): Pick<Standing, 'holds' | 'at_ns' | 'actual'> {
    const { verdict, text } = this.#places[index]!;
    const { values, texts } = this.cells;
    const decided = values[verdict] !== UNDECIDED;
    return {
      holds: values[verdict] === HOLDS ? 'yes' : decided ? 'no' : 'undecided',
      at_ns: decided ? values[verdict + 1]! : null,
      actual: texts[text]!,
    };
  }

  #readClock(): void {
    this.#now.ns = this.#m.clock.now_ns;
    this.#now.stamp_ns = this.#now.ns;
  }

  #passDeadline(due_ns: number): void {
    const due = this.#monitors.filter(monitor => monitor.due() <= due_ns);
    this.#now.ns = due_ns;
    this.#now.stamp_ns = due_ns;
    for (const monitor of due) monitor.pass();
    this.#reschedule();
  }

  #reschedule(): void {
    this.#rescheduled = false;
    let due_ns = Number.POSITIVE_INFINITY;
    for (const monitor of this.#monitors) due_ns = Math.min(due_ns, monitor.due());
    this.due_ns = due_ns;
  }
}

function messageOf(
  { kind, name }: Judgement,
  holds: 'no' | 'undecided',
  at_ns: number | null,
  step: number | null,
  expected: string,
  actual: string,
): string {
  if (holds === 'undecided' || at_ns === null)
    return `undecided: ${kind} '${name}': the run ended too early to tell whether ${expected}`;
  return `violated: ${kind} '${name}' at ${durationText(at_ns)}, step ${step}: expected ${expected}, found ${actual}`;
}
