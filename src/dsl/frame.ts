/** What the statements of one block have said while it is lowered: its settings, and the parts that stand in it. */
import { Bug } from '../base/assert.ts';
import type {
  Distribution,
  GuestSpec,
  HandlerOp,
  IdleSpec,
  IrqSpec,
  NmiSpec,
  SwapSpec,
  TaskOp,
  TaskSpec,
  TimerSpec,
  VmSpec,
} from '../sim/program.ts';
import { type Environment, evaluate, type Value } from './evaluate.ts';
import type { Expression } from './expression.ts';
import type { Turn } from './variant.ts';

export const PAGE_BYTES = 4096;
const PAGES_MAX = (256 * 1024 ** 2) / 4;

export class Frame {
  readonly env: Environment;
  readonly parent: Frame | null;
  /** The name of the thing, for `set web.irqchip = …`: `web`; null for a block without one. */
  readonly owner: string | null;
  readonly settings = new Map<string, Expression>();
  readonly overrides: ReadonlyMap<string, Expression>;
  readonly costs = new Map<string, number>();
  readonly tasks: TaskSpec[] = [];
  readonly timers: TimerSpec[] = [];
  readonly irqs: IrqSpec[] = [];
  readonly idles: IdleSpec[] = [];
  /** Spinlocks that scripts name, in the order they come up. */
  readonly locks: string[] = [];
  readonly nmis: NmiSpec[] = [];
  readonly nmi_handler: HandlerOp[] = [];
  readonly ops: TaskOp[] = [];
  readonly handler: HandlerOp[] = [];
  readonly turns: Turn[] = [];
  swap: SwapSpec | null = null;
  userfault:
    | (Pick<NonNullable<VmSpec['userfault']>, 'name' | 'latency' | 'threads'> & { readonly serves: Expression | null })
    | null = null;
  guest: GuestSpec | null = null;

  constructor(
    env: Environment,
    parent: Frame | null,
    owner: string | null,
    overrides: ReadonlyMap<string, Expression>,
  ) {
    this.env = env;
    this.parent = parent;
    this.owner = owner;
    this.overrides = overrides;
  }

  /** As set for this run, as given in the block, or null. */
  expression(name: string): Expression | null {
    return this.overrides.get(`${this.path()}.${name}`) ?? this.settings.get(name) ?? null;
  }

  /** `web`, `h0.nvme`; a block without a name of its own is part of what it stands in. */
  path(): string {
    const outer = this.parent?.path() ?? '';
    if (this.owner === null) return outer;
    return outer === '' ? this.owner : `${outer}.${this.owner}`;
  }

  value(name: string): Value | null {
    const expression = this.expression(name);
    return expression ? evaluate(expression, this.env, true) : null;
  }

  number(name: string, otherwise: number): number {
    const value = this.value(name);
    return value?.v === 'number' ? value.value : otherwise;
  }

  /** A whole number of at least so many; `most` keeps a slip of the finger from filling the memory. */
  whole(name: string, otherwise: number, least: number, most = 4096): number {
    const of = this.expression(name);
    const value = this.number(name, otherwise);
    if (of && !(Number.isInteger(value) && value >= least && value <= most)) {
      this.env.outOfRange(of, `${name} is a whole number from ${least} to ${most}, not ${value}`);
      return otherwise;
    }
    return value;
  }

  /** A size in pages; a page at least, and 256 GiB at most. */
  pages(name: string, otherwise_bytes: number): number {
    const of = this.expression(name);
    const pages = Math.floor(this.number(name, otherwise_bytes) / PAGE_BYTES);
    if (of && !(pages >= 1 && pages <= PAGES_MAX)) {
      this.env.outOfRange(of, `${name} is at least one page of 4KiB, and 256GiB at most`);
      return 1;
    }
    return pages;
  }

  duration(name: string, otherwise_ns: number): number {
    const of = this.expression(name);
    return of ? nsOf(of, this.env) : otherwise_ns;
  }

  word<const W extends string>(name: string, allowed: readonly W[], otherwise: W): W {
    const value = this.value(name);
    return value?.v === 'word' ? (allowed.find(each => each === value.value) ?? otherwise) : otherwise;
  }

  on(name: string, otherwise: boolean): boolean {
    return this.word(name, ['on', 'off'], otherwise ? 'on' : 'off') === 'on';
  }

  distribution(name: string, otherwise_ns: number): Distribution {
    const expression = this.expression(name);
    return expression ? distributionOf(expression, this.env) : { kind: 'fixed', ns: otherwise_ns };
  }
}

/** A distribution as written; a plain time is always that time. */
export function distributionOf(of: Expression, env: Environment): Distribution {
  if (of.kind === 'name') {
    const found = env.scope.find(of.name);
    if (found?.value && found.what !== 'property') return distributionOf(found.value, env);
  }
  if (of.kind !== 'call' || of.of.kind !== 'name') return { kind: 'fixed', ns: nsOf(of, env) };
  const named = (name: string): Expression | undefined => of.args.find(arg => arg.name?.text === name)?.value;
  const at = (index: number, name = ''): number => {
    const arg = named(name) ?? of.args[index]?.value;
    if (!arg) throw new Bug(`argument ${index} of a distribution`);
    return nsOf(arg, env);
  };
  switch (of.of.name) {
    case 'uniform':
    case 'any': {
      const [min_ns, max_ns] = [at(0), at(1)];
      if (min_ns > max_ns) env.outOfRange(of, 'the first time must not be above the second');
      return { kind: 'uniform', min_ns, max_ns };
    }
    case 'exp':
      return { kind: 'exponential', mean_ns: at(0) };
    case 'pareto': {
      const shape = of.args[1] ? numberOf(of.args[1].value, env) : 1;
      if (!(shape >= 1)) env.outOfRange(of, 'the shape is 1 at least');
      return { kind: 'pareto', min_ns: at(0), shape };
    }
    case 'lognormal': {
      const [p50_ns, p99_ns] = [at(0, 'p50'), at(1, 'p99')];
      if (p50_ns < 1 || p50_ns > p99_ns) env.outOfRange(of, 'p50 must be above 0 and not above p99');
      return { kind: 'lognormal', p50_ns, p99_ns };
    }
    case 'empirical': {
      const [file] = of.args;
      const samples_ns = file && env.scope.samplesOf(file.value);
      return { kind: 'empirical', samples_ns: samples_ns ?? of.args.map(arg => nsOf(arg.value, env)) };
    }
    default:
      return { kind: 'fixed', ns: at(0) };
  }
}

export function nsOf(of: Expression, env: Environment): number {
  const ns = Math.round(numberOf(of, env));
  if (ns >= 0 && ns <= Number.MAX_SAFE_INTEGER) return ns;
  env.outOfRange(of, 'a time is not negative, and 104 days at most');
  return 0;
}

export function numberOf(of: Expression, env: Environment): number {
  const value = evaluate(of, env, false);
  if (value?.v !== 'number') throw new Bug(`a ${of.kind} that is no constant number`);
  return value.value;
}
