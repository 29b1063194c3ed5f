/** What an exploration finds out about the judgements: which of them failed, how to get there, and what was reached. */
import { assert } from '../base/assert.ts';
import type { Judge } from '../sim/judge/judge.ts';
import type { Judgement, Program } from '../sim/program.ts';

export interface Found {
  readonly judgement: Judgement;
  readonly actual: string;
  /** Moves from the start to the step that broke it. */
  readonly path: readonly number[];
  /** Of the state before. */
  readonly level: number;
}

/** How it was come by: the moves take longer to tell than how many there are. */
export interface Way {
  steps(): number;
  moves(): readonly number[];
}

/** What was found out, as plain data. */
export interface Findings {
  readonly found: readonly {
    readonly name: string;
    readonly actual: string;
    readonly path: readonly number[];
    readonly level: number;
  }[];
  readonly reached: readonly string[];
}

export class Notes {
  /** Judgements of kind `sometimes` that held once. */
  readonly reached = new Set<string>();
  /** Of the state that is looked at. What is found there counts for less than what was found at one before. */
  level = 0;
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

  /** In the order of the program. */
  get found(): readonly Found[] {
    return this.#program.judgements.flatMap(({ name }) => this.#found.get(name) ?? []);
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
  look(way: Way): void {
    if (this.#judge.decided === this.#decided) return;
    this.#decided = this.#judge.decided;
    this.#judge.results().forEach(({ holds, name, actual }, index) => {
      const judgement = this.#program.judgements[index]!;
      if (holds === 'yes' && judgement.kind === 'sometimes') this.reached.add(name);
      if (holds !== 'no') return;
      if (judgement.kind !== 'sometimes' && this.#mayBeBetter(name, way))
        this.#keep({ judgement, actual, path: way.moves(), level: this.level });
      this.#judge.reopen(index);
    });
  }

  #mayBeBetter(name: string, way: Way): boolean {
    const known = this.#found.get(name);
    if (!known || known.level !== this.level) return !known || known.level > this.level;
    return known.path.length >= way.steps();
  }

  /** Keeps it if it is the first of its judgement, or better: of an earlier level, shorter, or before it among equals. */
  #keep(found: Found): void {
    const { name } = found.judgement;
    const known = this.#found.get(name);
    if (!known || isBetter(found, known)) this.#found.set(name, found);
  }

  save(): Findings {
    return {
      found: this.found.map(({ judgement, actual, path, level }) => ({ name: judgement.name, actual, path, level })),
      reached: [...this.reached],
    };
  }

  /** Takes what somebody else has found out. */
  add({ found, reached }: Findings): void {
    for (const { name, ...rest } of found) {
      const judgement = this.#program.judgements.find(each => each.name === name);
      assert(judgement !== undefined, 'notes: a judgement of the program');
      this.#keep({ judgement, ...rest });
    }
    for (const name of reached) this.reached.add(name);
  }

  /** Where nothing goes on by itself: what is judged at the end is judged. */
  end(way: Way): void {
    const before = this.#judge.save();
    this.#judge.finish('quiescent');
    this.look(way);
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

function isBetter(a: Found, b: Found): boolean {
  if (a.level !== b.level) return a.level < b.level;
  if (a.path.length !== b.path.length) return a.path.length < b.path.length;
  const differs = a.path.findIndex((move, index) => move !== b.path[index]);
  return differs >= 0 && a.path[differs]! < b.path[differs]!;
}
