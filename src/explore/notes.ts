/** What an exploration finds out about the judgements: which of them failed, how to get there, and what was reached. */
import type { Judge } from '../sim/judge/judge.ts';
import type { Judgement, Program } from '../sim/program.ts';

export interface Found {
  readonly judgement: Judgement;
  readonly actual: string;
  /** Moves from the start to the step that broke it. */
  readonly path: readonly number[];
}

export class Notes {
  /** Judgements of kind `sometimes` that held once. */
  readonly reached = new Set<string>();
  readonly #program: Program;
  readonly #judge: Judge;
  readonly #all: boolean;
  readonly #found = new Map<string, Found>();
  readonly #expected: ReadonlySet<string>;
  #decided = 0;

  /** `all`: one that nobody expected to fail is not enough. */
  constructor(program: Program, judge: Judge, all: boolean) {
    this.#program = program;
    this.#judge = judge;
    this.#all = all;
    this.#expected = new Set(program.expectations.flatMap(({ of, verdict }) => (verdict === 'fail' ? [of] : [])));
  }

  get found(): readonly Found[] {
    return [...this.#found.values()];
  }

  /** Forgets what failed: a round that is to be begun again. */
  clear(): void {
    this.#found.clear();
  }

  /** Somewhere else: what was decided before was decided there. */
  begin(): void {
    this.#decided = this.#judge.decided;
  }

  /** After a step. */
  look(path: readonly number[] | (() => readonly number[])): void {
    if (this.#judge.decided === this.#decided) return;
    this.#decided = this.#judge.decided;
    this.#judge.results().forEach(({ holds, name, actual }, index) => {
      const judgement = this.#program.judgements[index]!;
      if (holds === 'yes' && judgement.kind === 'sometimes') this.reached.add(name);
      if (holds !== 'no') return;
      const moves = typeof path === 'function' ? path() : [...path];
      if (judgement.kind !== 'sometimes' && !this.#found.has(name))
        this.#found.set(name, { judgement, actual, path: moves });
      this.#judge.reopen(index);
    });
  }

  /** Where nothing goes on by itself: what is judged at the end is judged. */
  end(path: readonly number[] | (() => readonly number[])): void {
    const before = this.#judge.save();
    this.#judge.finish('quiescent');
    this.look(path);
    this.#judge.restore(before);
    this.#decided = this.#judge.decided;
  }

  /** What failed decides the verdict, and no more is asked for. */
  get enough(): boolean {
    if (this.#found.size === 0) return false;
    if (!this.#all && [...this.#found.keys()].some(name => !this.#expected.has(name))) return true;
    const { judgements } = this.#program;
    return this.#found.size + this.reached.size === judgements.length;
  }
}
