/**
 * What statements may ask while they are checked. Every question reports what is wrong and goes on.
 */
import type { Span } from '../base/source.ts';
import { STEP_NAMES } from '../sim/at.ts';
import { COST_NAMES } from '../sim/cost.ts';
import { isSetKnob, KNOB_NAMES, KNOBS } from '../sim/protocol/knobs.ts';
import { PRESET_NAMES, presetNamed } from '../sim/protocol/presets.ts';
import { tracepoints } from '../trace/all.ts';
import { checkKnob, entryType, infer } from './check_expression.ts';
import type { Code, Finding, Report } from './diagnostic.ts';
import { type Expression, pathText, type Word } from './expression.ts';
import type { Entry, Scope } from './scope.ts';
import { checkSetting, isSettable, settingOf, settingsOf } from './setting.ts';
import { didYouMean, nearest } from './suggest.ts';
import { COUNT, DIMENSIONS, type Dimension, numberOf, PAGES, sameDimension, TIME } from './units.ts';
import {
  ANY,
  ANY_WORD,
  describe,
  EVENT,
  fits,
  listOf,
  quantity,
  type ThingKind,
  TRUTH,
  type Type,
  thing,
} from './value_type.ts';

/** Of a path, as written. */
export type SamplesIn = (path: Word, what: 'times' | 'pages') => readonly number[] | null;

export class Check {
  readonly report: Report;
  readonly scope: Scope;
  /** Names that are words here and not things: matrix values, states, settings. */
  readonly #guests: ReadonlyMap<string, Type>;
  /** The samples in a file beside this one; reports what is wrong with it, and answers null. */
  readonly samplesIn: SamplesIn;

  constructor(report: Report, scope: Scope, samplesIn: SamplesIn, guests: ReadonlyMap<string, Type> = new Map()) {
    this.report = report;
    this.scope = scope;
    this.samplesIn = samplesIn;
    this.#guests = guests;
  }

  /** The same, with variables of a quantifier or parameters of a property. */
  with(name: string, type: Type): Check {
    return new Check(this.report, this.scope, this.samplesIn, new Map(this.#guests).set(name, type));
  }

  /** The same, with the names of a block. */
  within(scope: Scope): Check {
    return new Check(this.report, scope, this.samplesIn);
  }

  variable(name: string): Type | null {
    return this.#guests.get(name) ?? null;
  }

  variables(): readonly string[] {
    return [...this.#guests.keys()];
  }

  error(code: Code, finding: Finding): void {
    this.report.error(code, finding);
  }

  /** The type of an expression; `hint` is what the place wants, so that its words are known. */
  type(of: Expression, hint: Type | null = null): Type {
    return infer(of, this, hint);
  }

  /** The type behind a name, inferred once. */
  entry(found: Entry): Type {
    return entryType(found, this);
  }

  /** Reports unless the expression fits. */
  expect(of: Expression, wanted: Type): Type {
    const found = this.type(of, wanted);
    if (!fits(found, wanted)) this.mismatch(of.span, found, wanted);
    return found;
  }

  mismatch(span: Span, found: Type, wanted: Type): void {
    const kinds = found.t === 'quantity' && wanted.t === 'quantity';
    const addresses = found.t === 'address' && wanted.t === 'address';
    this.report.error(kinds ? 'dimension' : addresses ? 'address-kind' : 'type', {
      span,
      message: `expected ${describe(wanted)}, found ${describe(found)}`,
      help: wanted.t === 'quantity' ? exampleOf(wanted.dimension) : null,
    });
  }

  truth(of: Expression): void {
    this.expect(of, TRUTH);
  }

  event(of: Expression): void {
    this.expect(of, EVENT);
  }

  quantity(of: Expression, dimension: Dimension): void {
    this.expect(of, quantity(dimension));
  }

  /** One number or a range of them: `0..1` leaves the choice to the explorer. */
  countOrRange(of: Expression, dimension: Dimension): void {
    for (const each of of.kind === 'range' ? [of.from, of.to] : [of]) this.quantity(each, dimension);
  }

  thing(of: Expression, ...kinds: readonly ThingKind[]): void {
    const found = this.type(of);
    if (found.t === 'any' || kinds.some(kind => fits(found, thing(kind)))) return;
    const wanted = kinds.map(kind => describe(thing(kind))).join(' or ');
    this.report.error('type', { span: of.span, message: `expected ${wanted}, found ${describe(found)}` });
  }

  /** A name that must have been declared as one of these. */
  declared(name: Word, what: ThingKind): void {
    const found = this.scope.find(name.text);
    if (found && (found.what === what || found.type?.t === 'any')) return;
    const known = this.scope.ofKind(what).map(each => each.name);
    const kind = describe(thing(what)).replace(/^an? /, '');
    this.report.error('unknown-name', {
      span: name.span,
      message: found ? `'${name.text}' is not ${describe(thing(what))}` : `no ${kind} named '${name.text}'`,
      help: didYouMean(name.text, known, 'known here'),
    });
  }

  /** One of some words. */
  choice(name: Word, allowed: readonly string[], what: string): void {
    if (allowed.includes(name.text)) return;
    this.report.error('unknown-word', {
      span: name.span,
      message: `'${name.text}' is not ${what}`,
      help: didYouMean(name.text, allowed, 'possible'),
    });
  }

  variant(name: Word): void {
    if (this.scope.variant(name.text) || presetNamed(name.text)) return;
    const known = [...this.scope.variants().map(each => each.name), ...PRESET_NAMES];
    this.report.error('unknown-variant', {
      span: name.span,
      message: `no variant named '${name.text}'`,
      help: didYouMean(name.text, known, 'known here'),
    });
  }

  /** The name of a tracepoint, or a pattern that fits some. */
  tracepoint(name: Word): void {
    const pattern = new RegExp(`^${name.text.replaceAll('*', '.*')}$`);
    if (TRACEPOINT_NAMES.some(each => pattern.test(each))) return;
    this.report.error('unknown-tracepoint', {
      span: name.span,
      message: name.text.includes('*') ? `no tracepoint fits '${name.text}'` : `no tracepoint is called '${name.text}'`,
      help: didYouMean(name.text.replaceAll('*', ''), TRACEPOINT_NAMES, 'tracepoints'),
    });
  }

  /** A step of a thread, or whatever else has a cost. */
  step(of: Expression, what: 'step' | 'cost'): void {
    const names = what === 'cost' ? COST_NAMES : ['before_entry', ...STEP_NAMES];
    const path = pathText(of);
    if (names.includes(path)) return;
    this.report.error('unknown-name', {
      span: of.span,
      message: `no ${what === 'cost' ? 'step or charge' : 'step'} is called '${path}'`,
      help: didYouMean(path, names, 'known'),
    });
  }

  /** A word that may be written out, or be the value of a matrix or parameter. */
  wordOrParameter(name: Word, allowed: Type): void {
    const found = this.scope.find(name.text);
    if (!found || (allowed.t === 'word' && allowed.words?.includes(name.text))) {
      if (allowed.t === 'word') this.choice(name, allowed.words ?? [], describe(allowed));
      return;
    }
    const type = this.entry(found);
    if (fits(type, allowed)) return;
    const odd =
      type.t === 'word' && allowed.t === 'word' ? type.words?.find(each => !allowed.words?.includes(each)) : undefined;
    if (odd === undefined) this.mismatch(name.span, type, allowed);
    else
      this.report.error('unknown-word', {
        span: name.span,
        message: `'${name.text}' can be '${odd}', which is not ${describe(allowed)}`,
      });
  }

  /** The values of a matrix; those of a parameter must be of its kind. */
  matrix(name: Word, values: Expression): void {
    if (values.kind !== 'list' && values.kind !== 'range') {
      this.report.error('type', {
        span: values.span,
        message: 'expected a list of values',
        help: `write ${name.text} in [a, b]`,
      });
      return;
    }
    const param = this.scope.find(name.text);
    const type = param ? this.entry(param) : ANY;
    const found = this.type(values, listOf(type.t === 'any' ? ANY_WORD : type));
    const isNumeric = type.t === 'quantity' && found.t === 'list' && found.of.t === 'quantity';
    // `dirty in [5k, 20k] pages/s` gives the unit behind the list; plain numbers must not stand for anything else.
    if (param?.what === 'param' && found.t === 'list' && !fits(found.of, type))
      this.mismatch(values.span, found.of, type);
    else if (isNumeric && !sameDimension(found.of.dimension, type.dimension))
      this.mismatch(values.span, found.of, type);
  }

  /** `set web.irqchip = chip`: a setting of something declared, and a value for it. */
  setting(what: Expression, value: Expression): void {
    const owner = what.kind === 'member' ? this.type(what.of) : ANY;
    if (what.kind !== 'member' || owner.t !== 'thing' || !isSettable(owner.kind)) {
      if (owner.t !== 'any' || what.kind !== 'member') {
        this.report.error('type', {
          span: what.span,
          message: 'expected a setting of a VM, host or swap device',
          help: 'write it like web.irqchip',
        });
      }
      return;
    }
    const setting = settingOf(owner.kind, what.name.text);
    if (setting) checkSetting(value, setting.takes, this);
    else {
      this.report.error('unknown-field', {
        span: what.name.span,
        message: `${describe(owner)} has no setting '${what.name.text}'`,
        help: didYouMean(what.name.text, settingsOf(owner.kind), 'settings'),
      });
    }
  }

  /** A number of digits alone, within bounds. */
  whole(number: Word, least: number, most: number): void {
    const value = numberOf(number.text);
    if (Number.isInteger(value) && value >= least && value <= most) return;
    this.report.error('range', {
      span: number.span,
      message: `a whole number from ${least} to ${most}, not ${number.text}`,
    });
  }

  /** The name of a parameter or of a matrix value. */
  parameter(name: Word): void {
    const found = this.scope.find(name.text);
    if (found && (found.what === 'param' || found.what === 'matrix' || found.type?.t === 'any')) return;
    const known = [...this.scope.ofKind('param'), ...this.scope.ofKind('matrix')].map(each => each.name);
    this.report.error('unknown-name', {
      span: name.span,
      message: `no parameter named '${name.text}'`,
      help: didYouMean(name.text, known, 'parameters'),
    });
  }

  /** Infers the type of a property's body, once. */
  property(name: Word): void {
    const found = this.scope.find(name.text);
    if (found?.what === 'property') this.entry(found);
  }

  judgement(name: Word): void {
    if (this.scope.judgement(name.text)) return;
    const known = this.scope.judgements().map(each => each.name);
    this.report.error('unknown-judgement', {
      span: name.span,
      message: `no judgement is named '${name.text}'`,
      help: didYouMean(name.text, known, 'named here') ?? `give one a name: always ${name.text}: …`,
    });
  }

  /** `vcpu[0]` or `any`, inside of a guest. */
  vcpuOfGuest(of: Expression): void {
    if (of.kind === 'name' && of.name === 'any') return;
    if (of.kind === 'index' && of.of.kind === 'name' && of.of.name === 'vcpu') {
      this.quantity(of.index, COUNT);
      return;
    }
    this.report.error('type', {
      span: of.span,
      message: 'expected a vCPU of this guest',
      help: "write 'vcpu[0]', or 'any'",
    });
  }

  /** The name of a task, in a script of its guest. */
  taskOfGuest(name: Word): void {
    const tasks = this.scope
      .ofKind('vm')
      .flatMap(vm => this.scope.members(vm.name).filter(each => each.what === 'task'))
      .map(each => each.name);
    this.choice(name, tasks, 'a task of a guest');
  }

  /** Memory as a script names it: `heap`, `page(3)`, `heap.pages(0..7)`. */
  heap(of: Expression): void {
    this.with('heap', thing('heap')).thing(of, 'heap', 'page', 'pages');
  }

  /** Pages of a heap from a file; one of an imported file has been read, from where that file lies. */
  pageFile(file: Word): void {
    const pages = this.scope.samplesOf(file) ?? this.samplesIn(file, 'pages');
    if (pages) this.scope.keepSamples(file, pages);
  }

  /** How a script picks pages: a word, or one with a number. */
  pattern(of: Expression, allowed: readonly string[]): void {
    const callee = of.kind === 'call' ? of.of : of;
    if (callee.kind !== 'name') {
      this.report.error('type', { span: of.span, message: `expected ${allowed.join(', ')}` });
      return;
    }
    this.choice({ text: callee.name, span: callee.span }, allowed, 'a pattern of accesses');
    const takes = callee.name === 'zipf' || callee.name === 'stride' ? 1 : 0;
    const args = of.kind === 'call' ? of.args : [];
    for (const arg of args) this.either(arg.value, COUNT, PAGES);
    if (args.length !== takes && allowed.includes(callee.name)) {
      this.report.error('wrong-arguments', {
        span: of.span,
        message: `'${callee.name}' takes ${takes === 0 ? 'no number' : 'one number'}`,
      });
    }
  }

  /** A quantity of either dimension. */
  either(of: Expression, one: Dimension, other: Dimension): void {
    const found = this.type(of);
    if (fits(found, quantity(one)) || fits(found, quantity(other))) return;
    this.mismatch(of.span, found, quantity(one));
  }

  timeOrDistribution(of: Expression): void {
    const found = this.type(of, { t: 'distribution' });
    if (found.t !== 'distribution' && !fits(found, quantity(TIME))) this.mismatch(of.span, found, quantity(TIME));
  }

  /** A variant must not hide a preset, nor extend itself in a circle. */
  freshVariant(name: Word, base: Word): void {
    if (presetNamed(name.text)) {
      this.report.error('duplicate', {
        span: name.span,
        message: `'${name.text}' is a variant that ships with apflab`,
        help: 'give yours another name',
      });
    }
    if (base.text === name.text)
      this.report.error('unknown-variant', { span: base.span, message: `'${name.text}' extends itself` });
  }

  knob(knob: Word, change: Word | null, value: Expression): void {
    const values = value.kind === 'list' ? value.items : [value];
    const listed = values.flatMap(each => (each.kind === 'name' ? [{ text: each.name, span: each.span }] : []));
    if (listed.length !== values.length) {
      this.report.error('type', { span: value.span, message: 'expected the name of a value, or a list of them' });
      return;
    }
    checkKnob(knob, listed, this);
    const name = KNOB_NAMES.find(each => each === knob.text);
    if (!name) return;
    if (!isSetKnob(name) && (change || value.kind === 'list')) {
      this.report.error('type', {
        span: change?.span ?? value.span,
        message: `the knob '${name}' has one value, it is no set`,
        help: `write '${name} ${KNOBS[name].values[0]}'`,
      });
    }
  }

  unknownName(name: Word, hint: Type | null): void {
    const names = [...this.scope.visible().map(each => each.name), ...this.#guests.keys()];
    const more = hint?.t === 'word' && hint.words ? hint.words : [];
    const near = nearest(name.text, [...more, ...names]);
    this.report.error('unknown-name', {
      span: name.span,
      message: `nothing is named '${name.text}' here`,
      help: near ? `did you mean '${near}'?` : didYouMean(name.text, names, 'declared here'),
    });
  }
}

const TRACEPOINT_NAMES: readonly string[] = tracepoints.map(each => each.name);

function exampleOf(dimension: Dimension): string | null {
  const known = DIMENSIONS.find(
    each => sameDimension(each.dimension, dimension) && each.dimension.percent === dimension.percent,
  );
  return known ? `write it like ${known.example}` : null;
}
