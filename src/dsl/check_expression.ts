/**
 * The types of expressions: names resolved, dimensions kept, address kinds never mixed.
 *
 * One function per kind of expression. Each reports its own mistakes and answers `any`, so one mistake is one message.
 */
import { globMatches } from '../base/glob.ts';
import { KNOB_NAMES, KNOBS } from '../sim/protocol/knobs.ts';
import type { Check } from './check.ts';
import { callType } from './check_call.ts';
import type { Expression, KindOf, Word } from './expression.ts';
import type { Entry } from './scope.ts';
import { didYouMean } from './suggest.ts';
import { COUNT, isPure, PERCENT, sameDimension, TIME, times, wordsFor } from './units.ts';
import {
  ANY,
  ANY_WORD,
  describe,
  EVENT,
  fits,
  isPureQuantity,
  listOf,
  quantity,
  TEXT,
  type ThingKind,
  TRUTH,
  type Type,
  thing,
  words,
} from './value_type.ts';
import { EVENTS, fieldsOf, statesOf } from './vocabulary.ts';

export function infer(of: Expression, check: Check, hint: Type | null): Type {
  switch (of.kind) {
    case 'number':
      return of.dimension ? quantity(of.dimension) : ANY;
    case 'text':
      return TEXT;
    case 'name':
      return nameType(of, check, hint);
    case 'member':
      return memberType(of, check);
    case 'index':
      return indexType(of, check);
    case 'call':
      return callType(of, check, hint);
    case 'list':
      return listType(of, check, hint);
    case 'range':
      return rangeType(of, check);
    case 'not':
      check.truth(of.of);
      return TRUTH;
    case 'negate':
      return negated(of, check);
    case 'binary':
      return binaryType(of, check, hint);
    case 'is':
      return stateType(of, check);
    case 'has':
      return hasType(of, check);
    case 'quantifier':
      return quantifierType(of, check);
    case 'lasting':
      check.truth(of.of);
      check.quantity(of.time, TIME);
      return TRUTH;
  }
}

/** Names that every file knows. */
const BUILTIN: Readonly<Record<string, Type>> = {
  entry: thing('entry'),
  plan: thing('plan'),
  variant: ANY_WORD,
  true: TRUTH,
  false: TRUTH,
};

function nameType(of: KindOf<'name'>, check: Check, hint: Type | null): Type {
  const name: Word = { text: of.name, span: of.span };
  const variable = check.variable(of.name);
  if (variable) return variable;
  const found = check.scope.find(of.name);
  if (found && !(hint?.t === 'word' && hint.words?.includes(of.name))) return entryType(found, check);
  if (hint?.t === 'word' && hint.words?.includes(of.name)) return words(of.name);
  if (hint?.t === 'list') return nameType(of, check, hint.of);
  const builtin = BUILTIN[of.name];
  if (builtin) return builtin;
  if (hint?.t === 'word' && hint.words === null) return words(of.name);
  if (Object.hasOwn(EVENTS, of.name)) return EVENT;
  if (hint?.t === 'word' && hint.words) {
    check.error('unknown-word', {
      span: of.span,
      message: `'${of.name}' is not ${describe(hint)}`,
      help: didYouMean(of.name, hint.words, 'possible'),
    });
    return ANY;
  }
  check.unknownName(name, hint);
  return ANY;
}

/** The type behind a name; of a let or a parameter, that of its value, inferred once. */
export function entryType(found: Entry, check: Check): Type {
  if (found.type) return found.type;
  found.type = ANY; // Against cycles: `let a = b`, `let b = a`.
  if (found.value) {
    if (found.what === 'property') {
      let inside = check;
      for (const parameter of found.parameters) inside = inside.with(parameter.text, ANY);
      found.type = inside.type(found.value, TRUTH);
    } else {
      const type = check.type(found.value, found.what === 'matrix' ? listOf(ANY_WORD) : null);
      found.type = found.what === 'matrix' ? matrixType(found.value, type) : type;
    }
  }
  return found.type;
}

/** The words of a matrix value are those listed, calls such as nested(…) by their name. */
function matrixType(value: Expression, type: Type): Type {
  const of = type.t === 'list' ? type.of : type;
  if (of.t !== 'word' || value.kind !== 'list') return of;
  return words(...value.items.map(headOf).filter(each => each !== null));
}

function headOf(of: Expression): string | null {
  if (of.kind === 'name') return of.name;
  return of.kind === 'call' ? headOf(of.of) : null;
}

function memberType(of: KindOf<'member'>, check: Check): Type {
  const owner = check.type(of.of);
  if (owner.t === 'any') return ANY;
  if (owner.t === 'list') {
    const each = fieldType(owner.of, of, check);
    return each.t === 'any' ? ANY : listOf(each);
  }
  if (owner.t === 'named') return namedType(owner.of, of, check);
  return fieldType(owner, of, check);
}

function fieldType(owner: Type, of: KindOf<'member'>, check: Check): Type {
  if (owner.t === 'any') return ANY;
  if (owner.t !== 'thing') {
    check.error('unknown-field', { span: of.name.span, message: `${describe(owner)} has no '${of.name.text}'` });
    return ANY;
  }
  const fields = fieldsOf(owner.kind);
  const field = Object.hasOwn(fields, of.name.text) ? fields[of.name.text] : undefined;
  if (field) return field.type;
  if (of.name.text.endsWith('*')) {
    const list = fields[`${of.name.text.slice(0, -1)}s`];
    if (list) return list.type;
  }
  if (owner.kind === 'host') {
    const swap = of.of.kind === 'name' ? check.scope.member(of.of.name, of.name.text) : null;
    if (swap) return entryType(swap, check);
  }
  check.error('unknown-field', {
    span: of.name.span,
    message: `${describe(owner)} has no '${of.name.text}'`,
    help: didYouMean(of.name.text, Object.keys(fields), `${describe(owner)} has`),
  });
  return ANY;
}

function namedType(kind: ThingKind, of: KindOf<'member'>, check: Check): Type {
  const vm = of.of.kind === 'member' ? vmNameOf(of.of.of, check) : null;
  const members = (vm ? check.scope.members(vm) : []).filter(each => each.what === kind);
  const found = members.find(each => globMatches(of.name.text, each.name));
  if (found) return of.name.text.includes('*') ? listOf(thing(kind)) : thing(kind);
  if (vm === null) return thing(kind);
  check.error('unknown-name', {
    span: of.name.span,
    message: `'${vm}' has no ${kind} '${of.name.text}'`,
    help: didYouMean(
      of.name.text,
      members.map(each => each.name),
      'it has',
    ),
  });
  return ANY;
}

/** The name of the VM that an expression stands for, through lets. */
export function vmNameOf(of: Expression, check: Check): string | null {
  if (of.kind !== 'name') return null;
  const found = check.scope.find(of.name);
  if (found?.what === 'vm') return found.name;
  return found?.what === 'let' && found.value ? vmNameOf(found.value, check) : null;
}

function indexType(of: KindOf<'index'>, check: Check): Type {
  check.quantity(of.index, COUNT);
  const owner = check.type(of.of);
  if (owner.t === 'any') return ANY;
  if (owner.t === 'indexed') return thing(owner.of);
  if (owner.t === 'list') return owner.of;
  if (owner.t === 'thing' && owner.kind === 'task') return owner;
  check.error('type', { span: of.span, message: `${describe(owner)} takes no [number]` });
  return ANY;
}

function listType(of: KindOf<'list'>, check: Check, hint: Type | null): Type {
  const inside = hint?.t === 'list' ? hint.of : hint;
  const [first, ...rest] = of.items;
  if (!first) return listOf(ANY);
  const type = check.type(first, inside);
  for (const item of rest) {
    const found = check.type(item, inside ?? type);
    if (!fits(found, type) && !(found.t === 'word' && type.t === 'word')) check.mismatch(item.span, found, type);
  }
  if (type.t !== 'word') return listOf(type);
  return listOf(words(...of.items.map(headOf).filter(each => each !== null)));
}

function rangeType(of: KindOf<'range'>, check: Check): Type {
  const from = check.type(of.from);
  const to = check.type(of.to);
  if (from.t === 'any' || to.t === 'any') return ANY;
  if (from.t !== 'quantity') check.mismatch(of.from.span, from, quantity(COUNT));
  else if (to.t !== 'quantity' || !sameDimension(from.dimension, to.dimension)) check.mismatch(of.to.span, to, from);
  return listOf(from);
}

function negated(of: KindOf<'not' | 'negate'>, check: Check): Type {
  const type = check.type(of.of);
  if (type.t !== 'any' && type.t !== 'quantity') check.mismatch(of.of.span, type, quantity(COUNT));
  return type;
}

function binaryType(of: KindOf<'binary'>, check: Check, hint: Type | null): Type {
  switch (of.op) {
    case 'and':
    case 'or':
    case 'iff':
    case 'implies':
    case 'while':
    case 'since':
      check.truth(of.left);
      check.truth(of.right);
      return TRUTH;
    case 'leads_to':
      check.error('type', {
        span: of.span,
        message: "'leads_to' is no condition: it speaks of the whole run",
        help: 'write always A leads_to B, or expect A leads_to B within 2ms',
      });
      return TRUTH;
    case 'before':
      check.event(of.left);
      check.event(of.right);
      return TRUTH;
    case '==':
    case '!=':
      return equality(of, check);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordering(of, check);
    case 'in':
      return membership(of, check);
    case 'within': {
      const left = check.type(of.left);
      const right = check.type(of.right, left);
      if (left.t !== 'any' && left.t !== 'list') check.mismatch(of.left.span, left, listOf(ANY));
      else if (!fits(right, left)) check.mismatch(of.right.span, right, left);
      return TRUTH;
    }
    case 'by':
      check.event(of.left);
      check.thing(of.right, 'thread');
      return EVENT;
    case 'because_of':
      check.event(of.left);
      check.event(of.right);
      return TRUTH;
    case 'woken_by':
      check.event(of.left);
      check.thing(of.right, 'thread');
      return TRUTH;
    case '+':
    case '-':
    case '*':
    case '/':
      return arithmetic(of, check, hint);
  }
}

function equality(of: KindOf<'binary'>, check: Check): Type {
  const swap =
    of.left.kind === 'name' &&
    of.right.kind !== 'name' &&
    !check.scope.find(of.left.name) &&
    !check.variable(of.left.name);
  const [one, other] = swap ? [of.right, of.left] : [of.left, of.right];
  const type = check.type(one);
  const found = check.type(other, type.t === 'any' ? ANY_WORD : type);
  if (!fits(found, type) && !fits(type, found)) compare(other, found, type, check);
  return TRUTH;
}

function compare(at: Expression, found: Type, wanted: Type, check: Check): void {
  const [one, other] = [elementOf(found), elementOf(wanted)];
  if (one.t === 'address' && other.t === 'address' && one.kind !== other.kind && (one !== found || other !== wanted))
    compare(at, one, other, check);
  else if ((found.t === 'list') !== (wanted.t === 'list')) {
    const [several, single] = found.t === 'list' ? [found, wanted] : [wanted, found];
    check.error('type', {
      span: at.span,
      message: `${describe(several)} is compared with ${describe(single)}`,
      help: 'say for which it must hold: each v in web.vcpus: v.mp_state == RUNNABLE; or take one value of them: max(web.vcpu*.queued)',
    });
  } else if (found.t === 'quantity' && wanted.t === 'quantity') {
    check.error('dimension', {
      span: at.span,
      message: `${wordsFor(wanted.dimension)} is compared with ${wordsFor(found.dimension)}`,
    });
  } else if (found.t === 'address' && wanted.t === 'address') {
    check.error('address-kind', {
      span: at.span,
      message: `${describe(wanted)} is compared with ${describe(found)}`,
      help: 'addresses of different kinds never compare: take the same kind of both, such as p.gpa and q.gpa',
    });
  } else check.mismatch(at.span, found, wanted);
}

function elementOf(type: Type): Type {
  return type.t === 'list' ? type.of : type;
}

function ordering(of: KindOf<'binary'>, check: Check): Type {
  const left = check.type(of.left);
  const right = check.type(of.right);
  if (left.t === 'any' || right.t === 'any') return TRUTH;
  if (left.t === 'list') compare(of.left, left, right, check);
  else if (left.t !== 'quantity' && left.t !== 'address') check.mismatch(of.left.span, left, quantity(COUNT));
  else if (!fits(right, left)) compare(of.right, right, left, check);
  return TRUTH;
}

function membership(of: KindOf<'binary'>, check: Check): Type {
  const { left, right } = of;
  if (left.kind === 'name' && left.name === 'variant' && !check.scope.find('variant')) {
    if (right.kind !== 'list') check.mismatch(right.span, check.type(right), listOf(ANY_WORD));
    else for (const item of right.items) if (item.kind === 'name') check.variant({ text: item.name, span: item.span });
    return TRUTH;
  }
  const type = check.type(left);
  const states = type.t === 'thing' ? statesOf(type.kind) : null;
  if (right.kind === 'name' && type.t === 'thing') {
    if (states && Object.hasOwn(states, right.name)) return TRUTH;
    if (type.kind === 'work' && (right.name === 'queue' || right.name === 'done')) return TRUTH;
    if (states && !check.scope.find(right.name) && !check.variable(right.name)) {
      unknownState({ text: right.name, span: right.span }, type, Object.keys(states), check);
      return TRUTH;
    }
  }
  const found = check.type(right, listOf(type.t === 'any' ? ANY_WORD : type));
  if (found.t === 'any' || type.t === 'any') return TRUTH;
  if (found.t !== 'list') check.mismatch(right.span, found, listOf(type));
  else if (!fits(found.of, type) && !fits(type, found.of)) check.mismatch(right.span, found, listOf(type));
  return TRUTH;
}

function arithmetic(of: KindOf<'binary'>, check: Check, hint: Type | null): Type {
  const left = check.type(of.left, hint);
  const right = check.type(of.right, hint);
  if (left.t === 'any' || right.t === 'any') return ANY;
  const adds = of.op === '+' || of.op === '-';
  if (left.t === 'address' && adds) {
    if (of.op === '-' && right.t === 'address') {
      if (!fits(right, left)) compare(of.right, right, left, check);
      return quantity(COUNT);
    }
    if (!isPureQuantity(right) && right.t !== 'quantity') check.mismatch(of.right.span, right, quantity(COUNT));
    return left;
  }
  if (left.t !== 'quantity') {
    check.mismatch(of.left.span, left, quantity(COUNT));
    return ANY;
  }
  if (right.t !== 'quantity') {
    check.mismatch(of.right.span, right, adds ? left : quantity(COUNT));
    return ANY;
  }
  if (!adds) return quantity(times(left.dimension, right.dimension, of.op === '*' ? 1 : -1));
  if (!sameDimension(left.dimension, right.dimension)) {
    check.error('dimension', {
      span: of.span,
      message: `${wordsFor(right.dimension)} is ${of.op === '+' ? 'added to' : 'taken from'} ${wordsFor(left.dimension)}`,
      help: 'only quantities of one kind add; * and / combine kinds, such as 1MiB / 1s',
    });
    return ANY;
  }
  return isPure(left.dimension) ? quantity(left.dimension.percent && right.dimension.percent ? PERCENT : COUNT) : left;
}

function stateType(of: KindOf<'is'>, check: Check): Type {
  const type = check.type(of.of);
  if (type.t === 'any') return TRUTH;
  if (type.t === 'word' && type.words) {
    check.choice(of.state, type.words, describe(type));
    return TRUTH;
  }
  const subject = type.t === 'thing' && type.kind === 'saved_vcpu' && of.past ? thing('vcpu') : type;
  const states = subject.t === 'thing' ? statesOf(subject.kind) : null;
  if (!states) {
    check.error('unknown-state', { span: of.span, message: `${describe(type)} has no states` });
    return TRUTH;
  }
  const state = Object.hasOwn(states, of.state.text) ? states[of.state.text] : undefined;
  if (!state) unknownState(of.state, type, Object.keys(states), check);
  else if (of.arg && !state.args?.includes(of.arg.text)) {
    check.error('unknown-state', {
      span: of.arg.span,
      message: `'${of.state.text}' has no kind '${of.arg.text}'`,
      help: state.args ? didYouMean(of.arg.text, state.args, 'kinds') : `write '${of.state.text}' alone`,
    });
  }
  return TRUTH;
}

function unknownState(name: Word, type: Type, known: readonly string[], check: Check): void {
  check.error('unknown-state', {
    span: name.span,
    message: `${describe(type)} is never '${name.text}'`,
    help: didYouMean(name.text, known, 'its states'),
  });
}

function hasType(of: KindOf<'has'>, check: Check): Type {
  if (of.of.kind !== 'name' || of.of.name !== 'variant') {
    check.error('type', { span: of.of.span, message: "only the variant has knobs: write 'variant has KNOB = VALUE'" });
    return TRUTH;
  }
  checkKnob(of.knob, [of.value], check);
  return TRUTH;
}

/** A knob by its name and the values given for it. */
export function checkKnob(knob: Word, values: readonly Word[], check: Check): void {
  const name = KNOB_NAMES.find(each => each === knob.text);
  if (!name) {
    check.error('unknown-knob', {
      span: knob.span,
      message: `the protocol has no knob '${knob.text}'`,
      help: didYouMean(knob.text, KNOB_NAMES, 'knobs'),
    });
    return;
  }
  for (const value of values) check.choice(value, KNOBS[name].values, `a value of the knob ${name}`);
}

function quantifierType(of: KindOf<'quantifier'>, check: Check): Type {
  const over = check.type(of.over);
  const element = over.t === 'list' ? over.of : ANY;
  if (over.t !== 'any' && over.t !== 'list') {
    check.error('type', {
      span: of.over.span,
      message: `expected several things to choose from, found ${describe(over)}`,
      help: over.t === 'thing' && over.kind === 'vm' ? 'a VM has vcpus and tasks' : null,
    });
  }
  check.with(of.variable.text, element).truth(of.body);
  return of.q === 'count' ? quantity(COUNT) : TRUTH;
}
