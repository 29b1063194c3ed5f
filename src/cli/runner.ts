/** Runs what was planned, one after the other: verdicts as they come, then the reports. `run` and `replay` share it. */
import type { Asked } from '../dsl/asked.ts';
import type { Diagnostic } from '../dsl/diagnostic.ts';
import { caseTitle, type End, type Entry, isGood, type RunName, verdictOf } from '../report/result.ts';
import { columnsFor, entryText, fileHeading, fileSummary, totals } from '../report/text.ts';
import type { Answerable } from '../sim/expr.ts';
import { repeatCommand } from '../sim/judge/verdict.ts';
import type { Program } from '../sim/program.ts';
import { sayBug } from './bug.ts';
import { hasErrors, problemsOf, sayDiagnostics } from './diagnostics.ts';
import { execute } from './execute.ts';
import { EXIT, EXIT_OF, type ExitCode, worst } from './exit.ts';
import { Progress } from './progress.ts';
import { Refusal } from './refusal.ts';
import type { Channel, Terminal } from './terminal.ts';
import type { TraceWriter } from './trace_writer.ts';

/** A run that is known by name; its program is made when its turn comes, since programs can be large. */
export interface PlannedRun extends Pick<RunName, 'case_name' | 'cell' | 'variant'> {
  readonly line: number;
  readonly column: number;
  /** The file asks for the laws of the model to be checked. */
  readonly paranoid: boolean;
  /** Tracepoints that the file wants in the trace, names or patterns; null for all. */
  readonly tracepoints: readonly string[] | null;
  /** The knobs that the case wants mutated; empty for all. */
  readonly mutated_knobs: readonly string[];
  lower(): { readonly program: Program | null; readonly diagnostics: readonly Diagnostic[] };
  /** An expression for its machine; null where nobody can ask. */
  readonly ask: ((asked: Asked) => Answerable) | null;
}

export interface PlannedFile {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  /** None where there are errors. */
  readonly runs: readonly PlannedRun[];
}

export interface Conduct {
  readonly verdicts: Channel;
  readonly paranoid: boolean;
  readonly bail: boolean;
  readonly trace: TraceWriter | null;
  /** What is done with a program instead of one run; null where it is run. */
  readonly explore: ((program: Program, going: Going) => Promise<End>) | null;
}

/** What happens around something that takes long. */
export interface Going {
  readonly title: string;
  readonly paranoid: boolean;
  readonly progress: Progress;
  /** Somebody has asked to stop. */
  readonly interrupted: () => boolean;
}

export interface Result {
  readonly entries: readonly Entry[];
  readonly code: ExitCode;
  /** Somebody has asked to stop, and of some runs there is no result. An interrupted exploration has one. */
  readonly cut_short: boolean;
}

export async function runAll(files: readonly PlannedFile[], conduct: Conduct, terminal: Terminal): Promise<Result> {
  const { verdicts, bail } = conduct;
  const total = files.reduce((sum, { runs }) => sum + runs.length, 0);
  const session = new Session(conduct, total, terminal);
  const entries: Entry[] = [];
  try {
    for (const { file, diagnostics, runs } of files) {
      const before = entries.length;
      const columns = columnsFor(runs);
      verdicts.write(`${before > 0 ? '\n' : ''}${fileHeading(file, verdicts.paint)}`);
      const invalid = hasErrors(diagnostics) ? [invalidEntry(file, null, diagnostics)] : [];
      for (const next of [...invalid, ...runs]) {
        const entry = 'end' in next ? next : await session.run(file, next);
        if (entry === null) break;
        entries.push(entry);
        verdicts.write(entryText(entry, columns, verdicts.paint));
        if (session.stopped || (bail && !isGood(verdictOf(entry)))) break;
      }
      verdicts.write(fileSummary(entries.slice(before), verdicts.paint));
      const last = entries.at(-1);
      if (session.stopped || (bail && last && !isGood(verdictOf(last)))) break;
    }
  } finally {
    session.close();
  }
  verdicts.write(`\n${totals(entries)}`);
  if (session.stopped) terminal.err.write(`interrupted: ${entries.length} of ${session.total} runs are over\n`);
  const code = session.stopped ? EXIT.interrupted : worst(entries.map(codeOf));
  return { entries, code, cut_short: session.stopped && entries.length < session.total };
}

/** What the runs share: the progress line, the trace, and whether somebody interrupted. */
class Session {
  readonly total: number;
  readonly close: () => void;
  stopped = false;
  readonly #conduct: Conduct;
  readonly #terminal: Terminal;
  readonly #progress: Progress;
  readonly #said = new Set<string>();

  constructor(conduct: Conduct, total: number, terminal: Terminal) {
    this.total = total;
    this.#conduct = conduct;
    this.#terminal = terminal;
    this.#progress = new Progress(terminal, total);
    this.close = terminal.onInterrupt(() => {
      this.stopped = true;
    });
  }

  /** Null where it was interrupted. */
  async run(file: string, planned: PlannedRun): Promise<Entry | null> {
    const { program, diagnostics } = planned.lower();
    if (!program) {
      this.#sayOnce(diagnostics);
      return invalidEntry(file, planned, diagnostics);
    }
    const { case_name, cell, variant, line, column } = planned;
    const { params, seed } = program;
    const place = { file, line, column, run: { case_name, cell, params, variant, seed } };
    const title = `${file}: ${caseTitle(planned)} on ${variant}`;
    const { trace, explore } = this.#conduct;
    const paranoid = this.#conduct.paranoid || planned.paranoid;
    try {
      if (explore) {
        const interrupted = () => this.stopped;
        const end = await explore(program, { title, paranoid, progress: this.#progress, interrupted });
        this.#progress.step();
        return { ...place, end };
      }
      const outcome = await execute(program, {
        paranoid,
        record: trace?.begin(program, this.total > 1 ? `${title}, seed ${seed}` : null, planned.tracepoints) ?? null,
        interrupted: () => this.stopped,
        reached: ns => this.#progress.tick(title, ns / program.limit_ns),
      });
      this.#progress.step();
      if (outcome === null) return null;
      const shown = program.shown ? (await import('./shown.ts')).shownOf(program, program.shown) : null;
      return { ...place, end: { kind: 'ran', outcome, shown } };
    } catch (error) {
      this.#progress.clear();
      // What was asked for there is not, and it makes no difference which run comes next.
      if (error instanceof Refusal) throw error;
      sayBug(error, this.#terminal.err);
      const message = error instanceof Error ? error.message : String(error);
      return {
        ...place,
        end: { kind: 'bug', message, repeat: `${repeat(program, explore !== null)}${paranoid ? ' --paranoid' : ''}` },
      };
    } finally {
      trace?.end(program);
      this.#progress.clear();
    }
  }

  /** The runs of a case mostly lack the same. */
  #sayOnce(diagnostics: readonly Diagnostic[]): void {
    const fresh = diagnostics.filter(({ code, message, source, span }) => {
      const key = `${source.path} ${span.start} ${code} ${message}`;
      return !this.#said.has(key) && this.#said.add(key);
    });
    this.#progress.clear();
    sayDiagnostics(fresh, this.#terminal.err);
  }
}

function invalidEntry(file: string, planned: PlannedRun | null, diagnostics: readonly Diagnostic[]): Entry {
  const problems = problemsOf(diagnostics);
  const { line = 1, column = 1 } = problems[0] ?? {};
  const run = planned && {
    case_name: planned.case_name,
    cell: planned.cell,
    params: planned.cell,
    variant: planned.variant,
    seed: 0,
  };
  return { file, line, column, run, end: { kind: 'invalid', problems } };
}

function repeat(program: Program, explored: boolean): string {
  return repeatCommand(explored ? { ...program, untimed: true } : program);
}

function codeOf(entry: Entry): ExitCode {
  return entry.end.kind === 'bug' ? EXIT.bug : EXIT_OF[verdictOf(entry)];
}
