/** The types of calls: events, functions, distributions, properties, methods and words with arguments. */
import { FREED_TWICE, LEAKED, USED_AFTER_FREE } from '../sim/attributes/life.ts';
import type { Check } from './check.ts';
import type { Argument, Expression, KindOf, Word } from './expression.ts';
import { didYouMean } from './suggest.ts';
import { COUNT, FREQUENCY, PERCENT, TIME } from './units.ts';
import {
  ADDRESS_KINDS,
  type AddressKind,
  ANY,
  address,
  describe,
  EVENT,
  fits,
  listOf,
  quantity,
  TEXT,
  type ThingKind,
  TRUTH,
  type Type,
  thing,
  words,
} from './value_type.ts';
import { AGGREGATES, type ArgumentKind, DISTRIBUTIONS, EVENTS, FUNCTIONS, fieldsOf } from './vocabulary.ts';

export function callType(of: KindOf<'call'>, check: Check, hint: Type | null): Type {
  if (of.of.kind === 'member') return methodType(of, of.of, check);
  if (of.of.kind !== 'name') {
    check.error('type', { span: of.of.span, message: 'this cannot be called' });
    return ANY;
  }
  const name: Word = { text: of.of.name, span: of.of.span };
  const args = positional(of);
  if (hint?.t === 'word' && (hint.words === null || hint.words.includes(name.text)) && !isKnownCall(name.text))
    return words(name.text);
  if (hint?.t === 'list' && hint.of.t === 'word') return callType(of, check, hint.of);
  const property = check.scope.find(name.text);
  if (property?.what === 'property') {
    arity(of, property.parameters.length, property.parameters.length, check);
    for (const arg of of.args) check.type(arg.value);
    return check.entry(property);
  }
  if (hint?.t === 'distribution' && Object.hasOwn(DISTRIBUTIONS, name.text)) return distribution(name.text, of, check);
  if (Object.hasOwn(EVENTS, name.text)) return eventType(name.text, of, check);
  if (Object.hasOwn(FUNCTIONS, name.text)) return functionType(name.text, of, args, check);
  if (Object.hasOwn(DISTRIBUTIONS, name.text)) return distribution(name.text, of, check);
  const kind = ADDRESS_KINDS.find(each => each === name.text);
  if (kind) return addressLiteral(kind, of, check);
  if ((name.text === 'page' || name.text === 'pages') && (check.variable('heap') || check.scope.onlyVm()))
    return pageMethod(name.text, of, check);
  if (hint?.t === 'distribution') {
    check.error('unknown-word', {
      span: name.span,
      message: `no distribution is called '${name.text}'`,
      help: didYouMean(name.text, Object.keys(DISTRIBUTIONS), 'known'),
    });
    return ANY;
  }
  const known = [
    ...Object.keys(EVENTS),
    ...Object.keys(FUNCTIONS),
    ...check.scope.ofKind('property').map(each => each.name),
  ];
  check.error('unknown-event', {
    span: name.span,
    message: `no event or function is called '${name.text}'`,
    help: didYouMean(name.text, known, 'known'),
  });
  return ANY;
}

function isKnownCall(name: string): boolean {
  return Object.hasOwn(EVENTS, name) || Object.hasOwn(FUNCTIONS, name);
}

function positional(of: KindOf<'call'>): readonly Expression[] {
  return of.args.filter(arg => arg.name === null).map(arg => arg.value);
}

function arity(of: KindOf<'call'>, least: number, most: number, check: Check): boolean {
  const given = of.args.length;
  if (given >= least && given <= most) return true;
  const wanted =
    least === most ? `${least}` : most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`;
  check.error('wrong-arguments', {
    span: of.span,
    message: `expected ${wanted} argument${wanted === '1' ? '' : 's'}, found ${given}`,
  });
  return false;
}

/** Kinds that may stand for another in an event: a tick is an interrupt, a vCPU may run a task as well as a handler. */
function accepts(event: string, wanted: ArgumentKind, found: ThingKind): boolean {
  if (found === wanted) return true;
  if (wanted === 'irq') return found === 'timer' || (event === 'runs' && found === 'task');
  return event === 'done' && found === 'migration';
}

function eventType(name: string, of: KindOf<'call'>, check: Check): Type {
  const kinds = EVENTS[name]?.args ?? [];
  if (!arity(of, 0, kinds.length, check)) return EVENT;
  for (const [index, arg] of of.args.entries()) {
    const wanted = kinds[index] ?? 'mark';
    const found = check.type(arg.value);
    if (found.t === 'any' || (found.t === 'thing' && accepts(name, wanted, found.kind))) continue;
    if (wanted === 'mark') {
      if (found.t !== 'text') check.mismatch(arg.value.span, found, TEXT);
      continue;
    }
    check.error('type', {
      span: arg.value.span,
      message: `${name} expects ${describe(thing(wanted))}, found ${describe(found)}`,
    });
  }
  return EVENT;
}

function functionType(name: string, of: KindOf<'call'>, args: readonly Expression[], check: Check): Type {
  const first = args[0];
  if (!first) {
    check.error('wrong-arguments', {
      span: of.span,
      message: `'${name}' needs something to look at`,
      help: `write ${FUNCTIONS[name]?.example ?? name}`,
    });
    return ANY;
  }
  if (name === 'trace') return tracePatterns(of, check);
  if (!arity(of, 1, 1, check)) return ANY;
  if (name === 'count') return counted(first, check);
  if (AGGREGATES.some(each => each === name)) return aggregate(first, check);
  switch (name) {
    case 'rate':
      check.event(first);
      return quantity(FREQUENCY);
    case 'max_time':
      check.truth(first);
      return quantity(TIME);
    case 'writers':
      if (first.kind !== 'member')
        check.error('type', { span: first.span, message: 'expected a field, such as web.vcpu[0].mp_state' });
      else check.type(first);
      return listOf(thing('thread'));
    case 'thread':
      check.thing(first, 'vcpu');
      return thing('thread');
    case 'worker':
      check.thing(first, 'page', 'work');
      return thing('thread');
    case 'kind':
      return kindOfAddress(first, check);
    case 'halts':
      check.expect(first, words('synthetic', 'guest'));
      return quantity(COUNT);
    case 'ledger':
      check.thing(first, 'vm');
      return thing('ledger');
    case 'freed_once':
      check.expect(first, words(...Object.keys(FREED_TWICE)));
      return TRUTH;
    case 'use_after_free':
      check.expect(first, words(...Object.keys(USED_AFTER_FREE)));
      return TRUTH;
    case 'leaked':
      check.expect(first, words(...Object.keys(LEAKED)));
      return quantity(COUNT);
    case 'prev':
      return check.type(first);
    default:
      check.thing(first, 'vcpu');
      return TEXT;
  }
}

function tracePatterns(of: KindOf<'call'>, check: Check): Type {
  for (const { value } of of.args) {
    if (value.kind === 'name') check.tracepoint({ text: value.name, span: value.span });
    else
      check.error('type', {
        span: value.span,
        message: 'expected the name of a tracepoint, or a pattern such as kvm_async_pf_*',
      });
  }
  return listOf(thing('record'));
}

function counted(first: Expression, check: Check): Type {
  const type = check.type(first);
  if (type.t !== 'any' && type.t !== 'event' && type.t !== 'list' && type.t !== 'series') {
    check.error('type', {
      span: first.span,
      message: `expected an event or several things, found ${describe(type)}`,
      help: 'write count(switch_to(db)) or count(v in web.vcpus: v is runnable)',
    });
  }
  return quantity(COUNT);
}

/** A single quantity is a series too: one sample per run of a sweep. */
function aggregate(first: Expression, check: Check): Type {
  const type = check.type(first);
  if (type.t === 'any') return ANY;
  if (type.t === 'series' || type.t === 'quantity') return quantity(type.dimension);
  if (type.t === 'list' && type.of.t === 'quantity') return type.of;
  if (type.t === 'list' && type.of.t === 'series') return quantity(type.of.dimension);
  check.error('type', { span: first.span, message: `expected samples, such as web.stall, found ${describe(type)}` });
  return ANY;
}

function kindOfAddress(first: Expression, check: Check): Type {
  const type = check.type(first);
  const ofList = type.t === 'list' ? type.of : type;
  const addressed = ofList.t === 'address' || (ofList.t === 'thing' && ofList.kind === 'record_address');
  if (!addressed && type.t !== 'any')
    check.error('type', { span: first.span, message: `expected an address, found ${describe(type)}` });
  return words('gva', 'gpa', 'hva', 'gfn', 'pfn', 'l2gpa', 'unknown');
}

function addressLiteral(kind: AddressKind, of: KindOf<'call'>, check: Check): Type {
  if (!arity(of, 1, 1, check)) return address(kind);
  const [arg] = of.args;
  if (!arg) return address(kind);
  const type = check.type(arg.value);
  if (type.t === 'address' && type.kind !== kind) {
    check.error('address-kind', {
      span: arg.value.span,
      message: `${describe(type)} is no ${kind}`,
      help: 'only the machine translates addresses',
    });
  } else if (!fits(type, quantity(COUNT)) && type.t !== 'address')
    check.mismatch(arg.value.span, type, quantity(COUNT));
  return address(kind);
}

function methodType(of: KindOf<'call'>, callee: KindOf<'member'>, check: Check): Type {
  const owner = check.type(callee.of);
  if (owner.t === 'any') return ANY;
  if (owner.t === 'thing' && owner.kind === 'recording' && callee.name.text === 'trace')
    return tracePatterns(of, check);
  const field = owner.t === 'thing' ? fieldsOf(owner.kind)[callee.name.text] : undefined;
  if (field?.type.t === 'method') return pageMethod(field.type.name, of, check);
  check.error('unknown-field', {
    span: callee.name.span,
    message: `${describe(owner)} has no '${callee.name.text}(…)'`,
    help: owner.t === 'thing' ? didYouMean(callee.name.text, Object.keys(fieldsOf(owner.kind)), 'it has') : null,
  });
  return ANY;
}

function pageMethod(name: string, of: KindOf<'call'>, check: Check): Type {
  if (!arity(of, 1, name === 'page' ? 1 : Number.POSITIVE_INFINITY, check)) return ANY;
  for (const arg of of.args) pageArgument(name, arg, check);
  return thing(name === 'pages' ? 'pages' : 'page');
}

function pageArgument(name: string, { name: label, value }: Argument, check: Check): void {
  if (!label) {
    check.countOrRange(value, COUNT);
    return;
  }
  if (name === 'page') check.error('wrong-arguments', { span: label.span, message: 'a page has only its number' });
  else check.choice(label, ['cold', 'hot'], 'a choice of pages');
  check.quantity(value, PERCENT);
}

/** What each distribution takes: so many times and plain numbers, or named ones. */
const DISTRIBUTION_ARGS: Readonly<
  Record<string, { readonly times: number; readonly counts?: number; readonly named?: readonly string[] }>
> = {
  fixed: { times: 1 },
  uniform: { times: 2 },
  exp: { times: 1 },
  lognormal: { times: 2, named: ['p50', 'p99'] },
  pareto: { times: 1, counts: 1 },
  any: { times: 2 },
  empirical: { times: Number.POSITIVE_INFINITY },
};

function distribution(name: string, of: KindOf<'call'>, check: Check): Type {
  const wanted = DISTRIBUTION_ARGS[name] ?? { times: 1 };
  const [file, ...rest] = of.args.map(arg => arg.value);
  if (name === 'empirical' && file?.kind === 'text' && rest.length === 0) {
    // One of an imported file has been read, from where that file lies.
    const samples_ns = check.scope.samplesOf(file) ?? check.samplesIn({ text: file.value, span: file.span }, 'times');
    if (samples_ns) check.scope.keepSamples(file, samples_ns);
    return { t: 'distribution' };
  }
  const most = wanted.times + (wanted.counts ?? 0);
  arity(of, most === Number.POSITIVE_INFINITY ? 1 : most, most, check);
  of.args.forEach((arg, index) => {
    if (arg.name && !wanted.named?.includes(arg.name.text))
      check.error('unknown-word', {
        span: arg.name.span,
        message: `'${arg.name.text}' is not an argument of ${name}`,
        help: `for example: ${DISTRIBUTIONS[name]?.example}`,
      });
    check.quantity(arg.value, index < wanted.times ? TIME : COUNT);
  });
  return { t: 'distribution' };
}
