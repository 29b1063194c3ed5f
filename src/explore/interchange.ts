/**
 * Which vCPUs of a program may change places: those of which it says the same, and none of which it names by itself.
 *
 * The newcomer's mistake is to compare the VM's lines alone. A judgement, an act, a hold or a budget that names a vCPU, or
 * a task on it, tells it from the others; so does the number that somebody compares. What cannot be shown to be the same
 * under another name is not exchanged.
 */
import { DESCRIPTIONS } from '../sim/attributes.ts';
import type { Entity, EventPattern, Expr, Mark } from '../sim/expr.ts';
import type { Machine } from '../sim/machine.ts';
import { OBSERVATIONS } from '../sim/observe.ts';
import { MAIN_THREAD } from '../sim/pattern.ts';
import type { ActionOp, Judgement, Program, TaskSpec, Trigger, VmSpec } from '../sim/program.ts';
import { NOTIFY } from '../sim/protocol/notify.ts';
import { compiledSchema } from '../sim/schema.ts';
import { type Rename, textUnder } from './alike.ts';
import type { Exchange } from './renaming.ts';

/** Acts that do the same to a VM whatever its vCPUs are called, but for one that they name. */
const IMPARTIAL: ReadonlySet<ActionOp['op']> = new Set([
  'evict',
  'evict_part',
  'touch',
  'irq',
  'smi',
  'pmi',
  'nmi',
  'signal',
  'hold_event',
  'hold_actor',
  'release',
  'fail',
  'pending_exception',
  'interrupts',
  'lapic',
  'merge',
  'pin',
  'balloon',
  'truncate',
  'mmap',
  'order',
  'apf',
  'mark',
]);

/** Conditions that only compare and count, or keep what they remember of single members by their rows. */
const STATELESS: ReadonlySet<Expr['k']> = new Set([
  'number',
  'bool',
  'word',
  'text',
  'entity',
  'variable',
  'get',
  'all',
  'list',
  'not',
  'negate',
  'binary',
  'is',
  'quantifier',
  'deadlock',
  'count_true',
  'happened_to',
]);
/** These remember something, of the program as a whole: not where a variable stands for one member after the other. */
const REMEMBERING: ReadonlySet<Expr['k']> = new Set(['happened', 'before', 'count_events', 'was', 'since']);

/** Attributes whose value is a name: they may be compared with one another, and with 0, which is none. */
const NAMES: ReadonlySet<string> = new Set(
  Object.values(DESCRIPTIONS).flatMap(({ attributes }) =>
    Object.entries(attributes).flatMap(([name, { type, field, names }]) => {
      if (type.t === 'entity') return [];
      const number = field === null ? undefined : compiledSchema.fieldNumber(field);
      const naming = number === undefined ? null : compiledSchema.fields[number]!.kind.naming;
      return names === true || (naming !== null && naming.of !== 'area') ? [name] : [];
    }),
  ),
);

/** A pair of vCPUs, by their rows. */
interface Pair {
  readonly vm: number;
  readonly a: number;
  readonly b: number;
}

/** Exchanges of two vCPUs each that leave the program as it is; whether they leave its first state, too, is to be seen. */
export function exchanges(m: Machine): readonly Exchange[] {
  const { program, places } = m;
  if (program.migrations.length > 0 || places.saved.length > 0 || places.lates > 0) return [];
  const { exploration, actions } = program;
  if (exploration && exploration.symmetry !== null && !exploration.symmetry.includes('vcpus')) return [];
  if (actions.some(({ ops }) => ops.some(({ op }) => !IMPARTIAL.has(op)))) return [];
  return program.vms.flatMap((spec, vm) => {
    if (!isImpartial(spec)) return [];
    const pairs: Exchange[] = [];
    for (let a = 0; a < spec.vcpus; a += 1)
      for (let b = a + 1; b < spec.vcpus; b += 1) {
        const exchange = exchangeOf(m, { vm, a: places.vms[vm]!.first_vcpu + a, b: places.vms[vm]!.first_vcpu + b });
        if (exchange) pairs.push(exchange);
      }
    return pairs;
  });
}

/** Whether nothing in the VM goes by the numbers of its vCPUs. */
function isImpartial({ guest, knobs, incarnation_of, paging }: VmSpec): boolean {
  if (incarnation_of !== null || guest.address_spaces === 'per_task' || !guest.paging || paging !== 'tdp') return false;
  // Any vCPU may take the interrupt that tells of a page: there is an order among them.
  if (NOTIFY[knobs.notify].ready === 'external') return false;
  return guest.tasks.every(({ any, nested, ops }) => !any && !nested && ops.every(({ op }) => op !== 'fork'));
}

function exchangeOf(m: Machine, { vm, a, b }: Pair): Exchange | null {
  const { program, places } = m;
  const { first_vcpu } = places.vms[vm]!;
  const spec = program.vms[vm]!;
  const [here, there] = [a - first_vcpu, b - first_vcpu];
  const other = (vcpu: number) => (vcpu === here ? there : vcpu === there ? here : vcpu);
  // Where counters begin with 0, the first token of vCPU 0 is none.
  if (spec.knobs.token !== 'nonzero' && here === 0) return null;
  if (spec.pin[here] !== spec.pin[there]) return null;
  const idle = (id: number) => text(spec.guest.idles.find(({ vcpu }) => vcpu === id)?.body ?? []);
  if (idle(here) !== idle(there)) return null;
  const { irqs, timers } = spec.guest;
  const tasks = matched(spec.guest.tasks, here, there);
  const devices = matched(irqs, here, there);
  if (!tasks || !devices || !matched(timers, here, there)) return null;
  const rows = places.tasks.map((_, row) => row);
  const { first_task } = places.vms[vm]!;
  for (const [index, to] of tasks) rows[first_task + index] = first_task + to;
  const timerRows = places.timers.map((timer, row) => {
    if (timer.vm !== vm || (timer.vcpu !== a && timer.vcpu !== b)) return row;
    return places.timers.findIndex(
      to => to.vm === vm && to.vcpu === other(timer.vcpu - first_vcpu) + first_vcpu && to.vector === timer.vector,
    );
  });
  const nmis = places.nmis.map((sender, row) => {
    if (sender.vm !== vm || (sender.vcpu !== a && sender.vcpu !== b)) return row;
    return places.nmis.findIndex(
      to => to.vm === vm && to.vcpu === other(sender.vcpu - first_vcpu) + first_vcpu && to.name === sender.name,
    );
  });
  if (timerRows.includes(-1) || nmis.includes(-1)) return null;
  const names = new Names(vm, tasks, devices, here, there);
  const actions = names.actions(program);
  if (!actions || !program.judgements.every(each => names.allowsJudgement(each))) return null;
  return {
    vcpus: places.vcpus.map((_, row) => (row === a ? b : row === b ? a : row)),
    tasks: rows,
    timers: timerRows,
    nmis,
    actions,
  };
}

/** Things of two vCPUs by place among those of their own: which becomes which; null where they differ. */
function matched<T extends TaskSpec | VmSpec['guest']['irqs'][number]>(
  things: readonly T[],
  here: number,
  there: number,
): ReadonlyMap<number, number> | null {
  const of = (id: number) => things.flatMap(({ vcpu }, index) => (vcpu === id ? [index] : []));
  const [first, second] = [of(here), of(there)];
  if (first.length !== second.length) return null;
  const pairs = new Map<number, number>();
  for (const [place, index] of first.entries()) {
    const to = second[place]!;
    if (unnamed(things[index]!) !== unnamed(things[to]!)) return null;
    pairs.set(index, to);
    pairs.set(to, index);
  }
  return pairs;
}

function unnamed<T extends object>(thing: T): string {
  return JSON.stringify({ ...thing, name: '', place: null, vcpu: 0 });
}

/** What is counted of interrupts has no place of its own for each vCPU's. */
function goesByInterrupts(event: string): boolean {
  const args = Object.entries(OBSERVATIONS).find(([name]) => name === event)?.[1].args ?? [];
  return args.some(kind => kind === 'irq' || kind === 'nmi');
}

const text = (value: unknown): string => JSON.stringify(value);
const same: Rename = entity => entity;

/** Whether it stands inside of a quantifier, and whether it may name what changes places. */
interface Where {
  readonly inside: boolean;
  readonly named: boolean;
}

const NOTHING_NAMED: Where = { inside: false, named: false };

/** What names one of two vCPUs, or what belongs to it. */
class Names {
  readonly #vm: number;
  readonly #tasks: ReadonlyMap<number, number>;
  readonly #irqs: ReadonlyMap<number, number>;
  readonly #here: number;
  readonly #there: number;

  constructor(
    vm: number,
    tasks: ReadonlyMap<number, number>,
    irqs: ReadonlyMap<number, number>,
    here: number,
    there: number,
  ) {
    this.#vm = vm;
    this.#tasks = tasks;
    this.#irqs = irqs;
    this.#here = here;
    this.#there = there;
  }

  /** Where each action goes; null where one of them is not there under other names. */
  actions({ actions }: Program): readonly number[] | null {
    const taken = new Set<number>();
    const found: number[] = [];
    for (const [index, action] of actions.entries()) {
      const { trigger, ops } = action;
      if (!this.#allowsTrigger(trigger) || ops.some(op => !this.#allowsOp(op))) return null;
      const renamed = ops.map(op => this.#renamed(op));
      let to = index;
      if (text(renamed) !== text(ops)) {
        // Acts that are ordered by their times are not exchanged.
        if (trigger.kind !== 'budget') return null;
        to = actions.findIndex(
          (each, at) => !taken.has(at) && text([each.trigger, each.ops]) === text([trigger, renamed]),
        );
        if (to < 0) return null;
      }
      taken.add(to);
      found.push(to);
    }
    return taken.size === actions.length ? found : null;
  }

  /** Of what counts and looks, things may be named where all of them are. */
  allowsJudgement({ body, order, after, onset, until, opens }: Judgement): boolean {
    const patterns = [...order, ...(after ? [after] : []), ...(until ? [until] : [])];
    // What is opened for each event keeps what was counted then, of each in its place.
    const named = after === null && onset === null;
    return (
      this.#allows(body, { inside: false, named }) &&
      textUnder(body, this.#rename) === textUnder(body, same) &&
      (onset === null || this.#allows(onset, NOTHING_NAMED)) &&
      patterns.every(each => this.#allowsPattern(each, false)) &&
      (opens === null || this.#allowsTrigger(opens))
    );
  }

  readonly #rename: Rename = entity => {
    if (entity.vm !== this.#vm) return entity;
    if (entity.kind === 'task') return { ...entity, id: this.#tasks.get(entity.id) ?? entity.id };
    if (entity.kind !== 'vcpu' && entity.kind !== 'thread') return entity;
    const { id } = entity;
    return { ...entity, id: id === this.#here ? this.#there : id === this.#there ? this.#here : id };
  };

  #allowsTrigger(trigger: Trigger): boolean {
    if (trigger.kind === 'after') return this.#allowsPattern(trigger.event, false);
    if (trigger.kind === 'when') return this.#allows(trigger.condition, NOTHING_NAMED);
    return true;
  }

  #allowsOp(op: ActionOp): boolean {
    if (op.op === 'hold_event') return this.#allowsPattern(op.event, false);
    if (op.op === 'hold_actor')
      return (
        this.#allowsEntity(op.actor, false) &&
        (op.after === null || this.#allowsPattern(op.after, false)) &&
        this.#allowsPattern(op.until, false)
      );
    return op.op !== 'release' || this.#allowsEntity(op.actor, false);
  }

  /** An act on a vCPU or a task as an act on the one that it becomes. */
  #renamed(op: ActionOp): ActionOp {
    if (!('vm' in op) || op.vm !== this.#vm) return op;
    if (op.op === 'touch' && op.task !== null) return { ...op, task: this.#tasks.get(op.task) ?? op.task };
    if (!('vcpu' in op) || op.vcpu === null) return op;
    if (op.vcpu !== this.#here && op.vcpu !== this.#there) return op;
    const vcpu = op.vcpu === this.#here ? this.#there : this.#here;
    return op.op === 'irq' ? { ...op, vcpu, irq: this.#irqs.get(op.irq) ?? op.irq } : { ...op, vcpu };
  }

  #allowsPattern({ args, by }: EventPattern, named: boolean): boolean {
    const doer =
      by === null || (by.kind === 'worker' ? this.#allowsEntity(by.page, named) : this.#allowsEntity(by, named));
    return doer && args.every(each => each === null || this.#allowsEntity(each, named));
  }

  #allowsEntity(entity: Entity | Mark, named: boolean): boolean {
    switch (entity.kind) {
      case 'mark':
      case 'host':
      case 'swap':
      case 'vm':
      case 'page':
      case 'link':
        return true;
      case 'vcpu':
      case 'task':
        return named || this.#rename(entity).id === entity.id;
      case 'thread':
        // Workers go by numbers of their own.
        return entity.id >= MAIN_THREAD && (named || this.#rename(entity).id === entity.id);
      default:
        return false;
    }
  }

  #allows(expr: Expr, where: Where): boolean {
    if (REMEMBERING.has(expr.k) ? where.inside : !STATELESS.has(expr.k)) return false;
    switch (expr.k) {
      case 'entity':
        return this.#allowsEntity(expr.entity, where.named);
      case 'get':
        return !NAMES.has(expr.name) && this.#allows(expr.of, where);
      case 'all':
      case 'is':
      case 'not':
      case 'negate':
        return this.#allows(expr.of, where);
      case 'was':
        return this.#allows(expr.of, { ...where, named: false });
      case 'list':
      case 'count_true':
        return expr.items.every(each => this.#allows(each, where));
      case 'binary':
        return this.#allowsBinary(expr, where);
      case 'quantifier':
        return (
          this.#allows(expr.over, { ...where, inside: true }) && this.#allows(expr.body, { ...where, inside: true })
        );
      case 'happened_to':
        return !goesByInterrupts(expr.name) && expr.args.every(each => each === null || this.#allows(each, where));
      case 'happened':
        return this.#allowsPattern(expr.event, where.named);
      case 'count_events':
        return this.#allowsPattern(expr.event, where.named);
      case 'before':
        return this.#allowsPattern(expr.event, where.named) && this.#allowsPattern(expr.other, where.named);
      case 'since':
        return this.#allows(expr.of, { ...where, named: false }) && this.#allows(expr.from, { ...where, named: false });
      default:
        return true;
    }
  }

  /** Two names may be the same or not; no other comparison means anything under other names. */
  #allowsBinary({ op, left, right }: Extract<Expr, { readonly k: 'binary' }>, where: Where): boolean {
    const isName = (expr: Expr) => expr.k === 'get' && NAMES.has(expr.name);
    const isNone = (expr: Expr) => expr.k === 'number' && expr.value === 0;
    const allowed = (expr: Expr) =>
      expr.k === 'get' && NAMES.has(expr.name) ? this.#allows(expr.of, where) : this.#allows(expr, where);
    if (!isName(left) && !isName(right)) return this.#allows(left, where) && this.#allows(right, where);
    if (op !== '==' && op !== '!=') return false;
    return [left, right].every(each => (isName(each) || isNone(each)) && allowed(each));
  }
}
