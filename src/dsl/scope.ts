/**
 * Names and what they stand for. Everything is declared before anything is checked, so order in the file is free.
 *
 * Variants, judgements and the tasks, interrupts and timers of a VM have spaces of their own; in a file with one VM
 * the latter are also reached without it.
 */
import type { Span } from '../base/source.ts';
import type { Report } from './diagnostic.ts';
import type { Expression, Word } from './expression.ts';
import type { Node } from './statement.ts';
import type { ThingKind, Type } from './value_type.ts';
import { thing } from './value_type.ts';

export type What = ThingKind | 'param' | 'let' | 'matrix' | 'property' | 'variable' | 'judgement' | 'variant';

export interface Entry {
  readonly name: string;
  readonly what: What;
  /** Null until it is inferred from `value`. */
  type: Type | null;
  readonly span: Span;
  /** What a let, param or property stands for. */
  readonly value: Expression | null;
  /** Of a property. */
  readonly parameters: readonly Word[];
  /** The VM that a task, interrupt or timer belongs to; the host of a swap device. */
  readonly owner: string | null;
  /** How many there are of `task db[4]`; null for one that is not numbered. */
  readonly times: Expression | null;
  readonly node: Node | null;
  used: boolean;
}

export class Scope {
  readonly parent: Scope | null;
  readonly #names = new Map<string, Entry>();
  readonly #variants = new Map<string, Entry>();
  readonly #judgements = new Map<string, Entry>();
  readonly #members = new Map<string, Map<string, Entry>>();
  /** In ns, by the text that names their file. */
  readonly #samples = new Map<Expression | Word, readonly number[]>();

  constructor(parent: Scope | null) {
    this.parent = parent;
  }

  /** The entry of a name: here, further out, or as the member of the only VM. */
  find(name: string): Entry | null {
    const found = this.#names.get(name) ?? this.parent?.find(name) ?? null;
    if (found) found.used = true;
    return found ?? (this.parent === null ? this.#memberOfOnlyVm(name) : null);
  }

  variant(name: string): Entry | null {
    return this.#variants.get(name) ?? this.parent?.variant(name) ?? null;
  }

  judgement(name: string): Entry | null {
    return this.#judgements.get(name) ?? this.parent?.judgement(name) ?? null;
  }

  member(owner: string, name: string): Entry | null {
    return this.#members.get(owner)?.get(name) ?? this.parent?.member(owner, name) ?? null;
  }

  members(owner: string): readonly Entry[] {
    return [...(this.#members.get(owner)?.values() ?? []), ...(this.parent?.members(owner) ?? [])];
  }

  /** Everything that could be meant by a name here, for did-you-mean and completion. */
  visible(): readonly Entry[] {
    const vm = this.parent === null ? this.onlyVm() : null;
    const members = vm ? this.members(vm) : [];
    return [...this.#names.values(), ...members, ...(this.parent?.visible() ?? [])];
  }

  /** Declared in this very block. */
  own(): readonly Entry[] {
    return [...this.#names.values()];
  }

  ownJudgements(): readonly Entry[] {
    return [...this.#judgements.values()];
  }

  variants(): readonly Entry[] {
    return [...this.#variants.values(), ...(this.parent?.variants() ?? [])];
  }

  judgements(): readonly Entry[] {
    return [...this.#judgements.values(), ...(this.parent?.judgements() ?? [])];
  }

  ofKind(what: What): readonly Entry[] {
    return [...[...this.#names.values()].filter(each => each.what === what), ...(this.parent?.ofKind(what) ?? [])];
  }

  onlyVm(): string | null {
    const vms = this.ofKind('vm');
    return vms.length === 1 ? (vms[0]?.name ?? null) : null;
  }

  /** A name whose statement did not parse: known, so that nothing else complains about it. */
  poison(name: Word): void {
    if (!this.#names.has(name.text)) this.#names.set(name.text, entry(name, 'variable', { t: 'any' }, {}));
    if (!this.#variants.has(name.text)) this.#variants.set(name.text, entry(name, 'variant', { t: 'any' }, {}));
  }

  /** The entry that is in the way, if there is one. */
  add(space: 'names' | 'variants' | 'judgements', one: Entry): Entry | null {
    const map = space === 'names' ? this.#names : space === 'variants' ? this.#variants : this.#judgements;
    const before = map.get(one.name);
    if (before) return before;
    map.set(one.name, one);
    return null;
  }

  addMember(owner: string, one: Entry): Entry | null {
    const map = this.#members.get(owner) ?? new Map<string, Entry>();
    this.#members.set(owner, map);
    const before = map.get(one.name);
    if (before) return before;
    map.set(one.name, one);
    return null;
  }

  keepSamples(file: Expression | Word, samples_ns: readonly number[]): void {
    if (this.parent) this.parent.keepSamples(file, samples_ns);
    else this.#samples.set(file, samples_ns);
  }

  samplesOf(file: Expression | Word): readonly number[] | null {
    return this.parent ? this.parent.samplesOf(file) : (this.#samples.get(file) ?? null);
  }

  /** Declarations of an imported file. */
  adopt(other: Scope): void {
    for (const [file, samples_ns] of other.#samples) this.#samples.set(file, samples_ns);
    for (const one of other.#names.values()) if (!this.#names.has(one.name)) this.#names.set(one.name, one);
    for (const one of other.#variants.values()) if (!this.#variants.has(one.name)) this.#variants.set(one.name, one);
    for (const [owner, members] of other.#members) for (const one of members.values()) this.addMember(owner, one);
  }

  #memberOfOnlyVm(name: string): Entry | null {
    const vm = this.onlyVm();
    return vm ? this.member(vm, name) : null;
  }
}

interface Details {
  readonly value?: Expression;
  readonly parameters?: readonly Word[];
  readonly owner?: string;
  readonly times?: Expression | null;
  readonly node?: Node;
}

export function entry(
  name: Word,
  what: What,
  type: Type | null,
  { value, parameters, owner, times, node }: Details,
): Entry {
  return {
    name: name.text,
    what,
    type,
    span: name.span,
    value: value ?? null,
    parameters: parameters ?? [],
    owner: owner ?? null,
    times: times ?? null,
    node: node ?? null,
    used: false,
  };
}

/** What a statement's `declare` may do. `owner` is the VM or host around it. */
export class Declarations {
  readonly scope: Scope;
  readonly owner: string | null;
  readonly #report: Report;

  constructor(scope: Scope, owner: string | null, report: Report) {
    this.scope = scope;
    this.owner = owner;
    this.#report = report;
  }

  /** For what stands in the block of `owner`. */
  within(owner: string): Declarations {
    return new Declarations(this.scope, owner, this.#report);
  }

  thing(name: Word, what: ThingKind, node: Node): void {
    this.#taken(name, this.scope.add('names', entry(name, what, thing(what), { node })));
  }

  /** A task, interrupt, timer or NMI source of the VM around it. */
  member(name: Word, what: ThingKind, node: Node, times: Expression | null = null): void {
    const owner = this.owner ?? '';
    this.#taken(name, this.scope.addMember(owner, entry(name, what, thing(what), { owner, node, times })));
  }

  value(name: Word, what: 'param' | 'let', value: Expression, node: Node): void {
    this.#taken(name, this.scope.add('names', entry(name, what, null, { value, node })));
  }

  matrix(name: Word, value: Expression, node: Node): void {
    this.#taken(name, this.scope.add('names', entry(name, 'matrix', null, { value, node })));
  }

  property(name: Word, parameters: readonly Word[], value: Expression, node: Node): void {
    this.#taken(name, this.scope.add('names', entry(name, 'property', null, { value, parameters, node })));
  }

  variant(name: Word, node: Node): void {
    this.#taken(name, this.scope.add('variants', entry(name, 'variant', { t: 'any' }, { node })));
  }

  judgement(name: Word, node: Node): void {
    this.#taken(name, this.scope.add('judgements', entry(name, 'judgement', { t: 'truth' }, { node })));
  }

  #taken(name: Word, before: Entry | null): void {
    if (!before || (before.what === 'variable' && before.type?.t === 'any')) return;
    this.#report.error('duplicate', {
      span: name.span,
      message: `'${name.text}' is already ${WHAT[before.what] ?? `a ${before.what}`}`,
      labels: [{ span: before.span, text: 'declared here first' }],
      help: 'names are unique within their block, so give one of them another name',
    });
  }
}

const WHAT: Readonly<Partial<Record<What, string>>> = {
  param: 'a parameter',
  let: 'declared by let',
  matrix: 'a matrix value',
  irq: 'an interrupt',
  vm: 'a VM',
  vcpu: 'a vCPU',
};
