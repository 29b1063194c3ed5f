/** A run of a scenario as the monitor steers it: the timeline below, its machine shown by machine_view.ts. */
import { printable } from '../base/printable.ts';
import type { Expr } from '../sim/expr.ts';
import type { Place } from '../sim/program.ts';
import { Awaited, answersTo } from '../sim/question.ts';
import { type Move, tell } from '../sim/tell.ts';
import { createTimeline, type Timeline } from '../sim/timeline.ts';
import { vcpuRows } from '../sim/why/text.ts';
import type { TracepointName } from '../trace/all.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { Style } from '../trace/forms.ts';
import { addressLabel } from './address_kind.ts';
import type { Picked } from './choice.ts';
import { filtered } from './filtered.ts';
import { detailRows, queueRows, vcpuName, vcpuRow } from './machine_view.ts';
import { pageMap } from './page_map.ts';
import type { Goal, Mark, Session } from './session.ts';
import { traceRow } from './trace_row.ts';
import { TraceWindow } from './trace_window.ts';
import type { Choice, JudgementRow, StepRow, TraceRow, ViewModel, WhyRow, Window } from './view_model.ts';

/** Steps between two looks at the clock. */
const SLICE_STEPS = 1024;

const MARK_EVENTS: Readonly<Record<Exclude<Mark, 'violation'>, TracepointName>> = {
  entry: 'kvm_entry',
  fault: 'kvm_page_fault',
};

export function openSimulation({ program, choice }: Picked): Session {
  return new SimulationSession(createTimeline(program), choice);
}

class SimulationSession implements Session {
  readonly #timeline: Timeline;
  readonly #choice: Choice;
  readonly #window = new TraceWindow();
  /** Rows of events that were on the screen: most stay there for some frames. */
  readonly #rows = new WeakMap<TraceEvent, TraceRow>();
  /** The judgements of a run that is over; they do not change any more. */
  #ended: readonly JudgementRow[] | null = null;
  /** What each step of a run in a given order does; null where time chooses. */
  readonly #moves: readonly Move[] | null;

  /** What is waited for, by its goal; kept over slices. */
  #awaited: { readonly goal: Goal; readonly condition: Awaited | null } | null = null;
  met = false;

  constructor(timeline: Timeline, choice: Choice) {
    this.#timeline = timeline;
    this.#choice = choice;
    const { program } = timeline.simulation.machine;
    this.#moves = program.schedule ? tell(program).moves : null;
  }

  get position(): number {
    return this.#timeline.position;
  }

  get time_ns(): number {
    return this.#timeline.simulation.machine.clock.now_ns;
  }

  pursue(goal: Goal, enough: () => boolean): boolean {
    const timeline = this.#timeline;
    switch (goal.to) {
      case 'start':
        timeline.seek(0);
        return true;
      case 'end':
        while (timeline.forward(SLICE_STEPS) > 0) if (enough()) return false;
        return true;
      case 'by':
        if (goal.events < 0) timeline.back(-goal.events);
        else if (timeline.forward(goal.events) === 0) this.#goRound();
        return true;
      case 'time':
        return timeline.seekNs(goal.ns, enough);
      case 'next':
        return timeline.forwardTo(this.#found(goal.mark), enough) || timeline.simulation.over !== null;
      case 'previous':
        timeline.backTo(this.#found(goal.mark));
        return true;
      case 'until':
        return this.#await(goal, goal.condition, enough);
    }
  }

  view(window: Window): ViewModel {
    const { simulation } = this.#timeline;
    const { machine, over } = simulation;
    const { program, clock } = machine;
    const nr_vcpus = machine.vcpus.length;
    const selected = Math.min(window.selected_vcpu, nr_vcpus - 1);
    const shown = Math.max(0, Math.min(window.vcpus, nr_vcpus - window.first_vcpu));
    const standings = this.#judgements();
    const counts = { yes: 0, no: 0, 'so far': 0, undecided: 0 };
    for (const { holds } of standings) counts[holds] += 1;
    return {
      kind: 'scenario',
      title: printable(program.title),
      choice: this.#choice,
      time_ns: clock.now_ns,
      end_ns: program.limit_ns,
      position: clock.step,
      over,
      step: this.#step(),
      nr_vcpus,
      vcpus: Array.from({ length: shown }, (_, index) => vcpuRow(machine, window.first_vcpu + index)),
      selected: vcpuName(machine, selected),
      queues: queueRows(machine, selected),
      why: this.#why(selected),
      detail: window.detail ? detailRows(machine, selected) : [],
      ...this.#trace(window),
      nr_traced: clock.events,
      pages: pageMap(
        machine,
        machine.places.vcpus[selected]?.vm ?? 0,
        window.first_page,
        window.page_cells,
        window.fine_pages,
      ),
      judgements: failingFirst(standings).slice(window.first_judgement, window.first_judgement + window.judgements),
      nr_judgements: counts,
    };
  }

  answers(values: readonly Expr[]): readonly string[] {
    return answersTo(this.#timeline.simulation, values).map(printable);
  }

  #await(goal: Goal, condition: Expr, enough: () => boolean): boolean {
    const timeline = this.#timeline;
    const { simulation } = timeline;
    if (this.#awaited?.goal !== goal) this.#awaited = { goal, condition: Awaited.of(simulation, condition) };
    const awaited = this.#awaited.condition;
    this.met = false;
    if (!awaited) return true;
    const deaf = awaited.listen();
    this.met = timeline.forwardTo(() => awaited.stepped(), enough);
    deaf();
    return this.met || simulation.over !== null;
  }

  /** From the end of a cycle to its first step once more: by then all is as it was. */
  #goRound(): void {
    const { schedule } = this.#timeline.simulation.machine.program;
    if (schedule?.cycle) this.#timeline.seek(schedule.moves.length - schedule.cycle + 1);
  }

  #step(): StepRow | null {
    const { schedule } = this.#timeline.simulation.machine.program;
    if (!schedule || !this.#moves) return null;
    const { position } = this;
    const taken = this.#moves[position - 1];
    return {
      actor: printable(taken?.actor ?? ''),
      at: taken?.at ?? '',
      text: printable(taken?.doings.map(({ text }) => text).join('; ') ?? ''),
      next: printable(this.#moves[position]?.actor ?? ''),
      moves: schedule.moves.length,
      breaks: printable(schedule.breaks),
      cycle: schedule.cycle ?? 0,
    };
  }

  /** Whether the step just taken was one of those; asked after each step on the way. */
  #found(mark: Mark): () => boolean {
    const timeline = this.#timeline;
    const { simulation } = timeline;
    if (mark === 'violation') {
      const before = this.#failing();
      return () => this.#failing() > before;
    }
    const wanted = MARK_EVENTS[mark];
    return () => {
      const events = timeline.events();
      for (let index = events.length - 1; index >= 0; index -= 1) {
        const entry = events[index];
        if (!entry || entry.step < simulation.machine.clock.step) return false;
        if (entry.event.name === wanted) return true;
      }
      return false;
    };
  }

  #failing(): number {
    return this.#timeline.simulation.judge.standings().filter(({ holds }) => holds === 'no').length;
  }

  /** At the end of a run the judgements that had to wait for it are decided too. */
  #judgements(): readonly JudgementRow[] {
    const { simulation } = this.#timeline;
    if (simulation.over === null) {
      this.#ended = null;
      return simulation.judge.standings().map(({ judgement, holds, at_ns, actual }) => ({
        ...named(judgement),
        holds: holds === 'undecided' && (judgement.kind === 'always' || judgement.kind === 'never') ? 'so far' : holds,
        changed_ns: at_ns,
        step: null,
        reason: holds === 'no' ? found(actual) : '',
      }));
    }
    this.#ended ??= simulation.outcome().judgements.map(({ at_ns, step, holds, actual, ...judgement }) => ({
      ...named(judgement),
      holds,
      changed_ns: at_ns,
      step,
      reason: holds === 'no' ? found(actual) : '',
    }));
    return this.#ended;
  }

  #why(row: number): readonly WhyRow[] {
    const { machine } = this.#timeline.simulation;
    const vcpu = machine.vcpus[row];
    if (!vcpu) return [];
    return vcpuRows(machine, vcpu).map(row => ({ ...row, text: printable(row.text) }));
  }

  #trace(window: Window): Pick<ViewModel, 'trace' | 'filter_error'> {
    const { machine } = this.#timeline.simulation;
    const events = this.#timeline.events();
    const end = machine.clock.events;
    const first = end - events.length;
    const at = (number: number) => events[number - first]?.event ?? null;
    const { threads, vcpus } = machine.places;
    const { accepts, error } = filtered(window.filter, {
      event: at,
      name: () => null,
      vcpu: ({ pid }) => vcpus[threads.find(thread => thread.pid === pid)?.vcpu ?? -1]?.vcpu_id,
    });
    const until = Math.max(first, Math.min(window.trace_end ?? end, end));
    const numbers = this.#window.numbers(until, window.trace_lines, window.trace_back, first, window.filter, accepts);
    const style: Style = { format: 'ftrace', version: machine.program.vms[0]?.knobs.trace_format ?? '6.12' };
    const rows = numbers.flatMap(number => {
      const event = at(number);
      if (!event) return [];
      const row = this.#rows.get(event) ?? traceRow(event, style, addressLabel(at, number, first));
      this.#rows.set(event, row);
      return [row];
    });
    return { trace: rows, filter_error: error };
  }
}

function named({
  name,
  kind,
  place,
}: {
  readonly name: string;
  readonly kind: string;
  readonly place: Place;
}): Pick<JudgementRow, 'name' | 'kind' | 'line'> {
  return { name: printable(name), kind, line: place.line };
}

/** What fails is seen also where there is room for few. */
function failingFirst(rows: readonly JudgementRow[]): readonly JudgementRow[] {
  return rows.toSorted((a, b) => Number(b.holds === 'no') - Number(a.holds === 'no'));
}

function found(actual: string): string {
  return printable(`found ${actual}`);
}
