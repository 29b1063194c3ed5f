/** What the statements of one block have said while it is lowered: its settings, and the parts that stand in it. */
import { Bug } from '../base/assert.ts';
import type {
  Distribution,
  GuestSpec,
  HandlerOp,
  IrqSpec,
  SwapSpec,
  TaskOp,
  TaskSpec,
  TimerSpec,
} from '../sim/program.ts';
import { type Environment, evaluate, type Value } from './evaluate.ts';
import type { Expression } from './expression.ts';
import type { Turn } from './variant.ts';

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
  readonly ops: TaskOp[] = [];
  readonly handler: HandlerOp[] = [];
  readonly turns: Turn[] = [];
  swap: SwapSpec | null = null;
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
    case 'any':
      return { kind: 'uniform', min_ns: at(0), max_ns: at(1) };
    case 'exp':
      return { kind: 'exponential', mean_ns: at(0) };
    case 'lognormal':
      return { kind: 'lognormal', p50_ns: at(0, 'p50'), p99_ns: at(1, 'p99') };
    case 'empirical':
      return { kind: 'empirical', samples_ns: of.args.map(arg => nsOf(arg.value, env)) };
    default:
      return { kind: 'fixed', ns: at(0) };
  }
}

export function nsOf(of: Expression, env: Environment): number {
  return Math.round(numberOf(of, env));
}

export function numberOf(of: Expression, env: Environment): number {
  const value = evaluate(of, env, false);
  if (value?.v !== 'number') throw new Bug(`a ${of.kind} that is no constant number`);
  return value.value;
}
