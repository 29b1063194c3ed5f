/**
 * Expressions as the simulator takes them: names resolved to entities, constants folded, events apart from conditions.
 *
 * Everything has been checked, so what does not fit here is either for a later version, and says so, or a bug.
 */
import { Bug } from '../base/assert.ts';
import { FREED_TWICE, LEAKED, USED_AFTER_FREE } from '../sim/attributes/life.ts';
import type { Actor, Entity, EventPattern, Expr, Mark } from '../sim/expr.ts';
import { OBSERVATIONS } from '../sim/observe.ts';
import { type Environment, evaluate, type Value } from './evaluate.ts';
import type { Expression, KindOf } from './expression.ts';
import { fieldByName } from './field_by_name.ts';
import { anyOf, sumOver, total } from './lower_total.ts';
import { globsOf, recordedTrace, refuseVariables } from './lower_trace.ts';
import type { Entry } from './scope.ts';
import type { Needs } from './statement.ts';
import { nameOf } from './units.ts';
import { ADDRESS_KINDS } from './value_type.ts';
import { AGGREGATES, EVENTS, FUNCTIONS } from './vocabulary.ts';
import { isAbout, isOfRecords, isWatched } from './watched.ts';

/** What lowering an expression needs to know about the machine of this run. */
export interface Place {
  readonly env: Environment;
  /** The thing an expression stands for, or null if it is something else. */
  entity(of: Expression): Entity | null;
  /** `web.vcpus`, `web.tasks`: what is there from the start to the end. */
  members(of: Entity, name: string): readonly Entity[] | null;
  /** `web.task.crew*`. */
  fitting(of: Entity, kind: string, glob: string): readonly Entity[] | null;
  /** All VMs, for measures over the whole run. */
  readonly vms: readonly Entity[];
  /** Refuses the run: for a later version. */
  needs(of: Expression, what: string, needs: Needs): void;
  /** Refuses the run: it makes no sense, or cannot be watched. */
  refuse(of: Expression, message: string, help: string): void;
  ns(of: Expression): number;
}

/** Variables of quantifiers, and parameters of properties with what they stand for. */
export type Variables = ReadonlyMap<string, Expr>;

const NOTHING: Expr = { k: 'bool', value: false };
/** Stands in for a thread that was refused. */
const NOBODY: Entity = { kind: 'thread', vm: 0, id: 0, name: '' };
const none: Variables = new Map();

export function lowerExpression(of: Expression, place: Place, variables: Variables = none): Expr {
  const constant = evaluate(of, place.env, false);
  if (constant) return valueExpr(constant);
  switch (of.kind) {
    case 'number':
    case 'text':
    case 'has':
      throw new Bug(`a constant that does not evaluate: ${of.kind}`);
    case 'name':
      return nameExpr(of, place, variables);
    case 'member':
      return memberExpr(of, place, variables);
    case 'index':
      return entityExpr(of, place) ?? indexed(of, place, variables);
    case 'call':
      return callExpr(of, place, variables);
    case 'list':
      return { k: 'list', items: of.items.map(item => lowerExpression(item, place, variables)) };
    case 'range':
      place.needs(of, 'a range of values', 'exploration');
      return NOTHING;
    case 'not':
      return { k: 'not', of: lowerExpression(of.of, place, variables) };
    case 'negate':
      return { k: 'negate', of: lowerExpression(of.of, place, variables) };
    case 'binary':
      return binaryExpr(of, place, variables);
    case 'is':
      return stateExpr(of, place, variables);
    case 'quantifier':
      return quantifierExpr(of, place, variables);
    case 'lasting':
      return { k: 'lasting', of: remembered(of, of.of, place, variables), for_ns: place.ns(of.time) };
  }
}

function quantifierExpr(of: KindOf<'quantifier'>, place: Place, variables: Variables): Expr {
  const variable = of.variable.text;
  const inside = (value: Expr): Expr => lowerExpression(of.body, place, new Map(variables).set(variable, value));
  // `each s in web.vcpu*.mp_state` goes over the vCPUs, and `s` is that of each.
  const owner = of.over.kind === 'member' ? severalIn(of.over.of, place, variables) : null;
  if (owner && of.over.kind === 'member') {
    const value: Expr = { k: 'get', of: { k: 'variable', name: variable }, name: of.over.name.text };
    return { k: 'quantifier', q: of.q, variable, over: owner, body: inside(value) };
  }
  const over = lowerExpression(of.over, place, variables);
  const members = entitiesOf(over, place);
  // An event is watched from the start, so it must say of whom: one condition for each of those there are.
  const apart = members
    ? isWatched(of.body, variable) && members.map(entity => ({ k: 'entity', entity }) as const)
    : over.k === 'list' && over.items;
  if (apart && of.q === 'count') return { k: 'count_true', items: apart.map(inside) };
  if (apart) {
    const joined = apart
      .map(inside)
      .reduceRight<Expr | null>(
        (right, left) => (right ? { k: 'binary', op: of.q === 'each' ? 'and' : 'or', left, right } : left),
        null,
      );
    const all = joined ?? { k: 'bool', value: of.q === 'each' };
    return of.q === 'no' ? { k: 'not', of: all } : all;
  }
  if (isOfRecords(of.over)) refuseVariables(of, place, variables);
  return { k: 'quantifier', q: of.q, variable, over, body: inside({ k: 'variable', name: variable }) };
}

/** The list itself, where an expression stands for several things rather than for a value of theirs. */
function severalIn(of: Expression, place: Place, variables: Variables): Expr | null {
  if (of.kind !== 'member' && of.kind !== 'name') return null;
  if (of.kind === 'name' && place.env.scope.find(of.name)?.what !== 'let') return null;
  const lowered = lowerExpression(of, place, variables);
  const isSeveral = lowered.k === 'all' || (lowered.k === 'list' && lowered.items.every(item => item.k === 'entity'));
  return isSeveral ? lowered : null;
}

/** What a list is made of, where that is known from the start. */
function entitiesOf(of: Expr, place: Place): readonly Entity[] | null {
  if (of.k === 'all' && of.of.k === 'entity') return place.members(of.of.entity, of.name);
  const items = of.k === 'list' ? of.items.flatMap(item => (item.k === 'entity' ? [item.entity] : [])) : [];
  return of.k === 'list' && items.length === of.items.length ? items : null;
}

export function valueExpr(value: Value): Expr {
  switch (value.v) {
    case 'number': {
      const named = nameOf(value.dimension);
      return { k: 'number', value: value.value * (named?.scale ?? 1), dim: named?.program ?? 'none' };
    }
    case 'truth':
      return { k: 'bool', value: value.value };
    case 'text':
      return { k: 'text', value: value.value };
    case 'word':
      return { k: 'word', value: value.value };
    case 'list':
      return { k: 'list', items: value.items.map(valueExpr) };
    case 'range':
      return { k: 'list', items: [valueExpr(value.from), valueExpr(value.to)] };
  }
}

function entityExpr(of: Expression, place: Place): Expr | null {
  const entity = place.entity(of);
  return entity ? { k: 'entity', entity } : null;
}

function nameExpr(of: KindOf<'name'>, place: Place, variables: Variables): Expr {
  const variable = variables.get(of.name);
  if (variable) return variable;
  const found = place.env.scope.find(of.name);
  if (found?.what === 'let' && found.value) return lowerExpression(found.value, place, variables);
  const entity = entityExpr(of, place);
  if (entity) return entity;
  if (of.name === 'deadlock') return { k: 'deadlock' };
  if (Object.hasOwn(EVENTS, of.name)) return { k: 'happened', event: lowerEvent(of, place) };
  return { k: 'word', value: of.name };
}

/** An element of a list, `web.vcpu[0].done[0]`: what is there at that moment. */
function indexed(of: KindOf<'index'>, place: Place, variables: Variables): Expr {
  const at = evaluate(of.index, place.env, false);
  const list = lowerExpression(of.of, place, variables);
  if (at?.v === 'number' && Number.isInteger(at.value) && at.value >= 0) {
    if (list.k === 'list') return list.items[at.value] ?? outside(of, list.items.length, place);
    return { k: 'index', of: list, at: at.value };
  }
  place.refuse(of.index, 'an element is named by a whole number from 0', 'such as web.vcpu[0].done[0]');
  return NOTHING;
}

function outside(of: KindOf<'index'>, count: number, place: Place): Expr {
  place.env.outOfRange(of, `there are ${count} of them, numbered from 0`);
  return NOTHING;
}

/** What is remembered from step to step must be known from the start: one place to remember, one thing. */
function remembered(of: Expression, inner: Expression, place: Place, variables: Variables): Expr {
  for (const [name, { k }] of variables)
    if (k === 'variable' && isAbout(inner, name))
      place.refuse(
        of,
        `'${name}' comes and goes, so what it was before is not kept`,
        'look back on what is there from the start, such as a vCPU, a task or a page',
      );
  return lowerExpression(inner, place, variables);
}

function memberExpr(of: KindOf<'member'>, place: Place, variables: Variables): Expr {
  const entity = entityExpr(of, place);
  if (entity) return entity;
  const name = of.name.text;
  if (of.of.kind === 'name' && of.of.name === 'entry')
    return total(place.vms, vm => ({ k: 'get', of: vm, name: 'entry_checks' }));
  if (of.of.kind === 'member' && name.includes('*')) {
    const vm = place.entity(of.of.of);
    const found = vm && place.fitting(vm, of.of.name.text, name);
    if (found) return { k: 'list', items: found.map(entity => ({ k: 'entity', entity })) };
  }
  const owner = lowerExpression(of.of, place, variables);
  if (owner === NOTHING) return NOTHING;
  if (name.endsWith('*')) return { k: 'all', of: owner, name: `${name.slice(0, -1)}s` };
  const members = entitiesOf(owner, place);
  const [one] = members ?? [];
  const field = fieldByName(one ? { k: 'entity', entity: one } : owner, name);
  if (field?.needs) {
    place.needs(of, `'${name}'`, field.needs);
    return NOTHING;
  }
  if (owner.k !== 'all' && owner.k !== 'list')
    return field?.type.t === 'list' ? { k: 'all', of: owner, name } : { k: 'get', of: owner, name };
  // Of several things the values, as a list: they must be known from the start.
  if (members && field?.type.t !== 'list')
    return { k: 'list', items: members.map(entity => ({ k: 'get', of: { k: 'entity', entity }, name })) };
  if (owner.k === 'all' && field?.type.t !== 'list') return { k: 'each_of', of: owner, name };
  place.refuse(of, `'${name}' of each of them is a list of lists`, 'go through them: each v in web.vcpus: …');
  return NOTHING;
}

function binaryExpr(of: KindOf<'binary'>, place: Place, variables: Variables): Expr {
  const lower = (side: Expression): Expr => lowerExpression(side, place, variables);
  switch (of.op) {
    case 'by':
      return { k: 'happened', event: lowerEvent(of, place) };
    case 'while':
      return { k: 'binary', op: 'and', left: lower(of.left), right: lower(of.right) };
    case 'before':
      return {
        k: 'before',
        event: lowerEvent(of.left, place, variables),
        other: lowerEvent(of.right, place, variables),
      };
    case 'since':
      return {
        k: 'since',
        of: remembered(of, of.left, place, variables),
        from: remembered(of, of.right, place, variables),
      };
    case 'leads_to':
      throw new Bug('leads_to below the top');
    case 'because_of':
      return {
        k: 'because_of',
        event: lowerEvent(of.left, place, variables),
        cause: lowerEvent(of.right, place, variables),
      };
    case 'woken_by':
      return {
        k: 'woken_by',
        event: lowerEvent(of.left, place, variables),
        waker: actor(of.right, place, variables) ?? NOBODY,
      };
    case 'in':
      return membership(of, place, variables);
    case '==':
    case '!=': {
      const [left, right] = [lower(of.left), lower(of.right)];
      const traces = [left, right]
        .map(({ k }) => k)
        .sort()
        .join(' ');
      if (traces.includes('trace') && traces !== 'recorded trace')
        place.refuse(
          of,
          'a whole trace is compared with one that was recorded before',
          'say record baseline, and compare with baseline.trace(…)',
        );
      for (const [side, { k }] of [
        [of.left, left],
        [of.right, right],
      ] as const)
        if (k === 'each_of')
          place.refuse(
            side,
            'the values of things that come and go are not compared as a list',
            'say each … in …: …, or take one of them, such as max(…)',
          );
      return { k: 'binary', op: of.op, left: asBeside(left, right), right: asBeside(right, left) };
    }
    default:
      return { k: 'binary', op: of.op, left: lower(of.left), right: lower(of.right) };
  }
}

/** `v.exception == injected`: beside a value that is one of several words, the name of an event is a word. */
function asBeside(of: Expr, beside: Expr): Expr {
  if (beside.k !== 'get' || fieldByName(beside.of, beside.name)?.type.t !== 'word') return of;
  if (of.k === 'list') return { ...of, items: of.items.map(item => asBeside(item, beside)) };
  return of.k === 'happened' && of.event.args.length === 0 ? { k: 'word', value: of.event.name } : of;
}

function membership(of: KindOf<'binary'>, place: Place, variables: Variables): Expr {
  const left = lowerExpression(of.left, place, variables);
  const { right } = of;
  if (right.kind === 'name' && !variables.has(right.name) && !place.env.scope.find(right.name)) {
    // `a in queue` is a state of the work item, as `v in nmi_handler` is one of the vCPU.
    return { k: 'is', of: left, state: right.name === 'queue' ? 'queued' : right.name, arg: null };
  }
  return { k: 'binary', op: 'in', left, right: asBeside(lowerExpression(right, place, variables), left) };
}

function stateExpr(of: KindOf<'is'>, place: Place, variables: Variables): Expr {
  const subject = lowerExpression(of.of, place, variables);
  const executing = of.state.text === 'executing';
  const is: Expr = { k: 'is', of: subject, state: of.state.text, arg: of.arg?.text ?? null };
  const isSaved = (subject.k === 'entity' && subject.entity.kind === 'saved_vcpu') || executing;
  if (!of.past || isSaved) return of.negated ? { k: 'not', of: is } : is;
  remembered(of, of.of, place, variables);
  return of.negated ? { k: 'not', of: { k: 'was', of: is } } : { k: 'was', of: is };
}

// -- Calls ----------------------------------------------------------------------------------------

function callExpr(of: KindOf<'call'>, place: Place, variables: Variables): Expr {
  const entity = entityExpr(of, place);
  if (entity) return entity;
  const recorded = recordedTrace(of, place.env.scope);
  if (recorded) return recorded;
  if (of.of.kind !== 'name') {
    place.refuse(of, 'only the moment tells what this is', 'such as web.heap.page(17)');
    return NOTHING;
  }
  const { name } = of.of;
  const property = place.env.scope.find(name);
  if (property?.what === 'property' && property.value) return expand(property, property.value, of, place, variables);
  if (name === 'deadlock') return { k: 'deadlock' };
  if (Object.hasOwn(EVENTS, name))
    return happenedTo(of, place, variables) ?? { k: 'happened', event: lowerEvent(of, place, variables) };
  const [first] = of.args;
  if (!first) throw new Bug(`${name} without arguments`);
  const needs = FUNCTIONS[name]?.needs;
  if (needs) {
    place.needs(of, `'${name}'`, needs);
    return NOTHING;
  }
  return functionExpr(name, of, first.value, place, variables);
}

/** An event of a thing that only the moment tells, `ready(w.page)`; null for one of things known from the start. */
function happenedTo(of: KindOf<'call'>, place: Place, variables: Variables): Expr | null {
  const times = timesHappenedTo(of, place, variables);
  return times && { k: 'binary', op: '>', left: times, right: { k: 'number', value: 0, dim: 'none' } };
}

function timesHappenedTo(of: Expression, place: Place, variables: Variables): Expr | null {
  if (of.kind !== 'call' || of.of.kind !== 'name' || !Object.hasOwn(OBSERVATIONS, of.of.name)) return null;
  const args = of.args.map(({ value }) =>
    value.kind === 'name' && value.name === 'any' ? null : lowerExpression(value, place, variables),
  );
  const [one, ...more] = args.filter(arg => arg !== null);
  if (!one || more.length > 0 || (one.k !== 'variable' && one.k !== 'get' && one.k !== 'index')) return null;
  return { k: 'happened_to', name: of.of.name, args };
}

/** A property is its body with the arguments in place of the parameters. */
function expand(property: Entry, body: Expression, of: KindOf<'call'>, place: Place, variables: Variables): Expr {
  const inside = new Map(variables);
  property.parameters.forEach((parameter, index) => {
    const arg = of.args[index];
    if (arg) inside.set(parameter.text, lowerExpression(arg.value, place, variables));
  });
  return lowerExpression(body, place, inside);
}

function functionExpr(name: string, of: KindOf<'call'>, first: Expression, place: Place, variables: Variables): Expr {
  const lower = (each: Expression): Expr => lowerExpression(each, place, variables);
  const aggregate = AGGREGATES.find(each => each === name);
  if (aggregate) return { k: 'aggregate', fn: aggregate, series: lower(first) };
  if (ADDRESS_KINDS.some(each => each === name)) return lower(first);
  switch (name) {
    case 'count': {
      const times = timesHappenedTo(first, place, variables);
      if (times) return times;
      const counted = lower(first);
      if (counted.k === 'deadlock') wanted('deadlock', first, place);
      if (counted.k === 'each_of') return { k: 'aggregate', fn: 'count', series: counted.of };
      if (counted.k === 'list') return { k: 'number', value: counted.items.length, dim: 'none' };
      return counted.k === 'happened'
        ? { k: 'count_events', event: counted.event, window_ns: null }
        : { k: 'aggregate', fn: 'count', series: counted };
    }
    case 'rate':
      return { k: 'rate_events', event: lowerEvent(first, place, variables), window_ns: null };
    case 'max_time':
      return { k: 'max_time', of: remembered(of, first, place, variables) };
    case 'prev':
      return { k: 'prev', of: remembered(of, first, place, variables) };
    case 'why':
      return { k: 'why', of: lower(first) };
    case 'ledger':
      return { k: 'get', of: lower(first), name: 'ledger' };
    case 'writers': {
      if (first.kind !== 'member') throw new Bug('writers of no field');
      const owner = lower(first.of);
      const items = entitiesOf(owner, place)?.map(entity => ({ k: 'entity', entity }) as const);
      return { k: 'writers', of: items ? { k: 'list', items } : owner, name: first.name.text };
    }
    case 'thread': {
      const vcpu = lower(first);
      return vcpu.k === 'entity'
        ? { k: 'entity', entity: { ...vcpu.entity, kind: 'thread', name: `thread(${vcpu.entity.name})` } }
        : { k: 'get', of: vcpu, name: 'thread' };
    }
    case 'worker':
      place.refuse(
        of,
        'only the moment tells which worker this is',
        'it is said of events: swap_wait(cold) by worker(cold)',
      );
      return NOTHING;
    case 'leaked':
      return sumOver(LEAKED, first, place.vms);
    case 'freed_once':
      return { k: 'not', of: anyOf(FREED_TWICE, first, place.vms) };
    case 'use_after_free':
      return anyOf(USED_AFTER_FREE, first, place.vms);
    case 'trace':
      return { k: 'trace', globs: globsOf(of) };
    case 'kind':
      return kindExpr(lower(first));
    case 'halts':
      return first.kind === 'name' && first.name === 'guest'
        ? { k: 'count_events', event: { name: 'hlt', args: [], by: null }, window_ns: null }
        : total(place.vms, vm => ({ k: 'get', of: vm, name: 'synthetic_halts' }));
    default:
      throw new Bug(`the function ${name} means nothing`);
  }
}

/** The kind of a typed address is known here; that of a record is what the record says. */
function kindExpr(of: Expr): Expr {
  if (of.k !== 'get') return NOTHING;
  if (ADDRESS_KINDS.some(each => each === of.name)) return { k: 'word', value: of.name };
  return of.of.k === 'trace' ? of : { k: 'get', of, name: 'kind' };
}

/** A call, perhaps with its actor. Arguments that are variables cannot be told from the start. */
export function lowerEvent(of: Expression, place: Place, variables: Variables = none): EventPattern {
  if (of.kind === 'binary' && of.op === 'by') {
    const { name, args } = lowerEvent(of.left, place, variables);
    return { name, args, by: actor(of.right, place, variables) };
  }
  if (of.kind === 'name') {
    const found = place.env.scope.find(of.name);
    if (found?.what === 'let' && found.value) return lowerEvent(found.value, place, variables);
    wanted(of.name, of, place);
    return { name: of.name, args: [], by: null };
  }
  if (of.kind !== 'call' || of.of.kind !== 'name') throw new Bug('no event');
  const { name } = of.of;
  if (!wanted(name, of, place)) return { name, args: [], by: null };
  const args = of.args.map(({ value }) => argument(value, place, variables));
  // A task is done when it has ended, a migration when all of the VM has come.
  return { name: name === 'done' && args[0]?.kind === 'migration' ? 'migrated' : name, args, by: null };
}

/** Whether the model reports such events. */
function wanted(name: string, of: Expression, place: Place): boolean {
  if (Object.hasOwn(OBSERVATIONS, name)) return true;
  place.refuse(of, `'${name}' is a state, not something that happens`, `judge it: never ${name}`);
  return false;
}

function argument(of: Expression, place: Place, variables: Variables): Entity | Mark | null {
  const lowered = lowerExpression(of, place, variables);
  if (lowered.k === 'entity') return lowered.entity;
  if (lowered.k === 'text') return { kind: 'mark', name: lowered.value };
  if (of.kind === 'name' && of.name === 'any') return null;
  if (lowered.k === 'word') {
    place.refuse(of, `'${lowered.value}' is a word, and nothing that an event is about`, 'name a page, a vCPU, a task');
    return null;
  }
  place.refuse(
    of,
    'only the moment tells which one this is, so its events are not followed from the start',
    'such an event stands alone or in count(…): each w in web.vcpu[0].queue: took_apf(w.page)',
  );
  return null;
}

function actor(of: Expression, place: Place, variables: Variables): Actor | null {
  const [item] = of.kind === 'call' && of.of.kind === 'name' && of.of.name === 'worker' ? of.args : [];
  if (item) {
    const page = lowerExpression(item.value, place, variables);
    if (page.k === 'entity' && page.entity.kind === 'page')
      return { kind: 'worker', page: page.entity, name: `worker(${page.entity.name})` };
  }
  const lowered = lowerExpression(of, place, variables);
  if (lowered.k === 'entity') return lowered.entity;
  place.refuse(of, 'only the moment tells which thread this is', 'name one, such as thread(web.vcpu[0])');
  return null;
}
