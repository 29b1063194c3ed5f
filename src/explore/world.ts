/**
 * A machine whose moves are chosen from outside: what could happen next, and making one of it happen.
 *
 * The same steps, actions and judgements as in a timed run, under another policy. A move is a step of one thread, or the
 * event of one source (a request that ends, a timer that expires, an action of the scenario). Time appears only as order:
 * the clock stands still, whatever is pending may come at any point, and actions with times come in the order of these.
 */
import { NEVER_NS } from '../base/event_queue.ts';
import { AT } from '../sim/at.ts';
import { boot } from '../sim/boot.ts';
import { NO_THREAD } from '../sim/engine.ts';
import { may_prefer } from '../sim/guest/sched.ts';
import { Judge } from '../sim/judge/judge.ts';
import { createLaws } from '../sim/laws.ts';
import { createMachine, type Machine } from '../sim/machine.ts';
import type { Program } from '../sim/program.ts';
import { takeMove, yieldsOf } from '../sim/scheduled.ts';
import { createScript, type Script } from '../sim/script.ts';
import { byName } from '../sim/simulation.ts';
import { ticksOf } from './budgets.ts';
import { fairMoves } from './fairness.ts';

/** Told of each access to the state; see base/fifo.ts. */
export interface Footprint {
  read(field: number, row: number): void;
  /** What it was, and what it is from now on. */
  write(field: number, row: number, was: number, is: number): void;
  /** Rows are looked for by what is in that field; up to the next call, or the end of the step. See sim/search.ts. */
  search(key: number, value: number): void;
  /** A source is armed or disarmed. */
  pending(source: number): void;
  /** Something has happened that a budget allows so many times: all that share it are in each other's way. */
  spends(group: number): void;
  /** What follows is read by who judges, up to lookEnds(). `seen`: because of something that the step lets be seen. */
  lookBegins(seen: boolean): void;
  /** Which of those who judge, and whose part that is; see Hooks in sim/judge/hooks.ts. */
  looks(part: number, owner: number): void;
  /** Where a thread stands is asked by whoever looks; see sim/standing.ts. */
  stands(question: number, thread: number): void;
  lookEnds(): void;
}

export class World {
  readonly m: Machine;
  readonly judge: Judge;
  readonly script: Script;
  /** Moves [0, threads) are steps of threads; the others are sources, from `threads` on. */
  readonly threads: number;
  readonly moves: number;
  readonly #laws: ReturnType<typeof createLaws> | null;
  readonly #footprint: Footprint | null;
  /** Actions with a time, in the order in which they are due. */
  readonly #timed: readonly number[];
  /** Sources that nobody has to let happen: how often each group may; and the group of each source, -1 for fair ones. */
  readonly #group: Int16Array;
  /** For each move, whether somebody has to let it happen, some time. */
  readonly #fair: Uint8Array;
  readonly budgets: readonly number[];
  /** Columns that are looked at in every state, without taking notes of it. */
  readonly #columns: Readonly<Record<'at' | 'on_rq' | 'held' | 'due_ns', ArrayLike<number>>>;
  readonly #spontaneous: readonly number[];
  /** Tasks that share a CPU with others: whose turn it is there, nobody can tell without a clock. */
  readonly #shared: readonly number[];
  /** Steps before which alone a thread may be interrupted; null for all. */
  readonly #yields: ReadonlySet<number> | null;
  /** Moves that were made before anybody's turn. */
  readonly settled: number[] = [];
  /** Room for readBeside(): the same as numbers and as words. */
  beside = numbersOf(64);
  /** Where preemptions are counted: the thread that stepped last, + 1, and how many there were. */
  last = 0;
  preempted = 0;
  /** How often each group has happened: part of the state. */
  readonly spent: Uint8Array;

  constructor(program: Program, options: { readonly footprint?: Footprint | null; readonly paranoid?: boolean } = {}) {
    const { footprint = null, paranoid = false } = options;
    let judge: Judge | null = null;
    let laws: ReturnType<typeof createLaws> | null = null;
    const probe =
      footprint || paranoid
        ? {
            read(field: number, row: number) {
              footprint?.read(field, row);
            },
            write(field: number, row: number, was: number, is: number) {
              footprint?.write(field, row, was, is);
              laws?.wrote(field, row);
              if (!judge?.watchesWrites(field)) return;
              footprint?.lookBegins(true);
              judge.wrote(field, row);
              footprint?.lookEnds();
            },
          }
        : null;
    const m = createMachine(program, probe);
    this.m = m;
    this.#footprint = footprint;
    if (footprint) {
      noteSources(m, footprint);
      m.search = (key, value) => footprint.search(key, value);
      m.stood = (question, thread) => footprint.stands(question, thread);
    }
    boot(m);
    m.clock.current_thread = NO_THREAD;
    const judging = new Judge(m, undefined, footprint && ((part, owner) => footprint.looks(part, owner)));
    judge = judging;
    this.judge = judging;
    this.#laws = paranoid ? createLaws(m) : null;
    laws = this.#laws;
    this.script = createScript(
      m,
      program.actions.map(({ trigger }, index) => (trigger.kind === 'when' ? () => judging.holds(index) : null)),
    );
    const { script } = this;
    const { needs } = judging;
    m.emit = needs.records
      ? (id, ...args) => {
          if (!judging.watchesRecord(id)) return;
          footprint?.lookBegins(true);
          judging.emit(id, ...args);
          footprint?.lookEnds();
        }
      : null;
    m.observe =
      needs.observations || program.actions.some(({ trigger }) => trigger.kind === 'after') || script.holds
        ? byName(m, (observation, vm, a, b) => {
            script.observe(observation, vm, a, b);
            if (!judging.watches(observation)) return;
            footprint?.lookBegins(true);
            judging.observe(observation, vm, a, b);
            footprint?.lookEnds();
          })
        : null;
    const column = (field: 'at' | 'on_rq' | 'held') => m.layout.column('thread', field).values;
    this.#columns = {
      at: column('at'),
      on_rq: column('on_rq'),
      held: column('held'),
      due_ns: m.layout.floats('event', 'time_ns'),
    };
    script.start();
    this.threads = m.threads.length;
    this.moves = this.threads + m.places.sources + m.tasks.length;
    const at = (index: number) => {
      const { trigger, raced } = program.actions[index]!;
      return trigger.kind === 'at' && !raced ? trigger.ns : -1;
    };
    this.#timed = program.actions
      .map((_, index) => index)
      .filter(index => at(index) >= 0)
      .sort((a, b) => at(a) - at(b) || a - b);
    this.budgets = budgetsOf(program);
    this.#yields = yieldsOf(program);
    this.spent = new Uint8Array(this.budgets.length);
    this.#group = this.#groups();
    this.#fair = fairMoves(m, this.#group);
    this.#shared = m.tasks.flatMap(({ id }) => {
      const { vm, vcpu, spec } = m.places.tasks[id]!;
      const rivals = m.places.tasks.filter(
        other =>
          other.vm === vm && (other.vcpu === vcpu || other.spec.any || spec.any) && other.spec.prio === spec.prio,
      );
      return rivals.length > 1 ? [id] : [];
    });
    this.#spontaneous = program.actions.flatMap(({ trigger }, index) =>
      trigger.kind === 'budget' ? [m.places.source.action + index] : [],
    );
    this.#settle();
  }

  #groups(): Int16Array {
    const { m } = this;
    const { source } = m.places;
    const group = new Int16Array(m.places.sources).fill(-1);
    group.fill(TICKS, source.timer, source.task);
    group.fill(TICKS, source.nmi, source.wire);
    m.program.actions.forEach(({ trigger }, index) => {
      if (trigger.kind === 'budget') group[source.action + index] = trigger.group;
      if (trigger.kind === 'every') group[source.action + index] = TICKS;
    });
    return group;
  }

  /** What the scenario has evicted at the start is gone before anybody moves. */
  #settle(): void {
    const { m } = this;
    const moves = new Int32Array(this.moves);
    for (;;) {
      const count = this.enabled(moves);
      const move = moves.subarray(0, count).find(each => m.places.hosts.some(({ kswapd }) => kswapd === each));
      if (move === undefined) return;
      this.settled.push(move);
      this.take(move);
    }
  }

  /** What is the state's and not the machine's, copied to `beside`; returns how many numbers that is. */
  readBeside(): number {
    const { cells } = this.judge;
    const own = this.spent.length + 2;
    const count = own + cells.size;
    if (count > this.beside.numbers.length) this.beside = numbersOf(count * 2);
    const { numbers } = this.beside;
    for (let index = 0; index < this.spent.length; index += 1) numbers[index] = this.spent[index]!;
    numbers[own - 2] = this.last;
    numbers[own - 1] = this.preempted;
    cells.copyTo(numbers, own);
    return count;
  }

  /** The reverse. */
  writeBeside(): void {
    const own = this.spent.length + 2;
    const { numbers } = this.beside;
    for (let index = 0; index < this.spent.length; index += 1) this.spent[index] = numbers[index]!;
    this.last = numbers[own - 2]!;
    this.preempted = numbers[own - 1]!;
    this.judge.cells.copyFrom(numbers, own);
  }

  /** Writes the moves that can be made now, and returns how many: first those of threads, by number. */
  enabled(into: Int32Array): number {
    const { m, threads } = this;
    let count = 0;
    const { at, on_rq, held } = this.#columns;
    for (let id = 0; id < threads; id += 1) {
      if (on_rq[id] === 0 || held[id] !== 0 || at[id] === AT.off) continue;
      into[count] = id;
      count += 1;
    }
    const { action } = m.places.source;
    const { sources } = m.places;
    const { due_ns } = this.#columns;
    for (let source = 0; source < sources; source += 1) {
      if (due_ns[source] === NEVER_NS) continue;
      const group = this.#group[source]!;
      if (group >= 0 && this.spent[group]! >= this.budgets[group]!) continue;
      if (source >= action && source < m.places.source.nmi && !this.#isNext(source - action)) continue;
      into[count] = threads + source;
      count += 1;
    }
    for (const source of this.#spontaneous) {
      const group = this.#group[source]!;
      if (this.spent[group]! >= this.budgets[group]!) continue;
      into[count] = threads + source;
      count += 1;
    }
    for (const id of this.#shared) {
      if (!may_prefer(m, id)) continue;
      into[count] = threads + sources + id;
      count += 1;
    }
    return count;
  }

  /** Whether a source can never happen again, since its budget is spent. */
  isSpent(source: number): boolean {
    const group = this.#group[source]!;
    return group >= 0 && this.spent[group]! >= this.budgets[group]!;
  }

  /** Whether somebody will let it happen, sooner or later. */
  isFair(move: number): boolean {
    return this.#fair[move] === 1;
  }

  /** Makes a move. */
  take(move: number): void {
    if (move >= this.threads) this.#spend(move - this.threads);
    takeMove(this.m, this.script, this.#yields, this.#looks, move);
  }

  #spend(source: number): void {
    const group = this.#group[source] ?? -1;
    if (group < 0) return;
    this.spent[group] = this.spent[group]! + 1;
    this.#footprint?.spends(group);
  }

  readonly #looks = (): void => {
    this.look();
    this.#laws?.check();
  };

  /** Whoever looks after each step does so. */
  look(): void {
    const { script, judge } = this;
    if (!script.polls && !judge.needs.steps) return;
    this.#footprint?.lookBegins(false);
    if (script.polls) script.poll();
    if (judge.needs.steps) judge.stepped();
    this.#footprint?.lookEnds();
  }

  /** Of the actions with times, only the earliest that has not happened yet. */
  #isNext(action: number): boolean {
    const { trigger, raced } = this.m.program.actions[action]!;
    if (trigger.kind !== 'at' || raced) return true;
    const next = this.#timed.find(each => this.m.actions[each]!.fired === 0);
    return next === undefined || next === action;
  }
}

/** Tells of each source that is armed or disarmed: that is part of the state, and in no field. */
function noteSources({ queue }: Machine, footprint: Footprint): void {
  const arm = queue.arm.bind(queue);
  const disarm = queue.disarm.bind(queue);
  queue.arm = (source, time_ns) => {
    footprint.pending(source);
    arm(source, time_ns);
  };
  queue.disarm = source => {
    footprint.pending(source);
    disarm(source);
  };
}

/** The group of what comes again and again: timers, watchdogs, `every`. */
const TICKS = 0;

/** How often each group may happen. */
function budgetsOf(program: Program): readonly number[] {
  const budgets = program.exploration?.budgets ?? [];
  return [ticksOf(program), ...budgets.filter(({ what }) => what !== 'tick').map(({ times }) => times)];
}

function numbersOf(count: number): { readonly numbers: Float64Array; readonly words: Uint32Array } {
  const numbers = new Float64Array(count);
  return { numbers, words: new Uint32Array(numbers.buffer) };
}
