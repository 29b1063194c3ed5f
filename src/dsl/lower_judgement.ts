/** Judgements and what is expected of them, for the variant of this run. */
import type { Expr } from '../sim/expr.ts';
import type { Expectation, Judgement, Place, RaceOutcome } from '../sim/program.ts';
import { evaluate } from './evaluate.ts';
import type { Expression, Word } from './expression.ts';
import type { Lowering } from './lower.ts';
import type { Node } from './statement.ts';
import type { Clauses } from './statements/judge.ts';

export class JudgementLowering {
  readonly judgements: Judgement[] = [];
  readonly expectations: Expectation[] = [];
  /** The same of `explore` blocks: an exploration judges these too. */
  readonly explorations: { readonly judgements: Judgement[]; readonly expectations: Expectation[] } = {
    judgements: [],
    expectations: [],
  };
  /** What is lowered now stands in such a block. */
  explored = false;
  readonly outcomes: RaceOutcome[] = [];
  readonly #lowering: Lowering;
  /** Not judged on this variant, since their `unless` says so. */
  readonly #waived = new Set<string>();
  readonly #passes: { readonly because: string; readonly place: Place }[] = [];

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  judgement(
    kind: Judgement['kind'],
    label: Word | null,
    what: { readonly body?: Expression; readonly order?: readonly Expression[] },
    clauses: Clauses,
    at: Node,
  ): void {
    const place = this.#lowering.place(at);
    const { trigger } = this.#lowering;
    const name = label?.text ?? `${kind} on line ${place.line}`;
    const { by, at: time, from, to, within, after, until, unless } = clauses;
    const waived = unless ? evaluate(unless, this.#lowering.env, false) : null;
    if (waived?.v === 'truth' && waived.value) {
      this.#waived.add(name);
      return;
    }
    const leads = what.body?.kind === 'binary' && what.body.op === 'leads_to' ? what.body : null;
    const asked = leads?.right ?? what.body;
    const lasting = asked?.kind === 'lasting' ? asked : null;
    const condition = lasting?.of ?? asked;
    const body: Expr = condition ? this.#lowering.expr(condition) : { k: 'bool', value: true };
    const onset = leads ? this.#lowering.expr(leads.left) : null;
    const each = onset?.k === 'happened' ? onset.event : null;
    const at_ns = time ? this.#lowering.ns(time) : null;
    const opens = trigger && trigger.kind !== 'start' && !time ? trigger : null;
    if (
      opens?.kind === 'every' &&
      !(kind === 'expect' && !by && !from && !within && !after && !until && !lasting && !leads)
    )
      this.#lowering.report.error('misplaced-statement', {
        span: at.span,
        message: 'only a plain expect is judged again and again',
        help: 'what looks on from a moment begins once: write it outside of the every',
      });
    const by_ns = by ? this.#lowering.ns(by) : null;
    const during_ns: Judgement['during_ns'] = from && to ? [this.#lowering.ns(from), this.#lowering.ns(to)] : null;
    this.#lowering.lasts(Math.max(at_ns ?? 0, by_ns ?? 0, during_ns?.[1] ?? 0));
    this.#into.judgements.push({
      place,
      name: this.#unique(name, place.line),
      kind: leads ? 'eventually' : kind,
      body: unless && waived === null ? excused(kind, this.#lowering.expr(unless), body) : body,
      order: (what.order ?? []).map(each => this.#lowering.event(each)),
      at_ns,
      by_ns,
      during_ns,
      after: after ? this.#lowering.event(after) : each,
      within_ns: within ? this.#lowering.ns(within) : null,
      onset: each ? null : onset,
      until: until ? this.#lowering.event(until) : null,
      for_ns: lasting ? this.#lowering.ns(lasting.time) : null,
      opens,
    });
  }

  /** One that no statement of its own stands for. */
  stated(kind: Judgement['kind'], name: string, body: Expression, at: Node): void {
    this.judgement(kind, { text: name, span: at.span }, { body }, NO_CLAUSES, at);
  }

  get #into(): Pick<JudgementLowering, 'judgements' | 'expectations'> {
    return this.explored ? this.explorations : this;
  }

  /** A line may have several without a name. */
  #unique(name: string, line: number): string {
    const taken = new Set([...this.judgements, ...this.explorations.judgements].map(each => each.name));
    if (!taken.has(name)) return name;
    const numbered = name.endsWith(` on line ${line}`) ? name : `${name} (line ${line})`;
    for (let number = numbered === name ? 2 : 1; ; number += 1) {
      const next = number === 1 ? numbered : `${numbered}, ${number}`;
      if (!taken.has(next)) return next;
    }
  }

  outcome(label: Word | null, condition: Expression, at: Node): void {
    const place = this.#lowering.place(at);
    const name = label?.text ?? place.text;
    this.outcomes.push({ place, name, condition: this.#lowering.expr(condition) });
  }

  expectation(
    verdict: 'fail' | 'pass',
    judgement: Word | null,
    on: readonly Word[] | Expression,
    because: string,
    at: Node,
  ): void {
    if (!('kind' in on ? this.#isSo(on) : on.some(each => each.text === this.#lowering.env.variant))) return;
    const place = this.#lowering.place(at);
    if (!judgement) this.#passes.push({ because, place });
    else if (this.#waived.has(judgement.text)) {
      this.#lowering.report.error('unknown-judgement', {
        span: judgement.span,
        message: `'${judgement.text}' is not judged on ${this.#lowering.env.variant}: its 'unless' says so`,
      });
    } else this.#into.expectations.push({ place, of: judgement.text, verdict, because });
  }

  /** Of this variant, in this cell. */
  #isSo(where: Expression): boolean {
    const value = evaluate(where, this.#lowering.env, false);
    if (value?.v !== 'truth')
      this.#lowering.report.error('type', {
        span: where.span,
        message: 'only the run could tell this',
        help: 'which variants are meant is said by their knobs: variants where variant has halt = entry_check',
      });
    return value?.v === 'truth' && value.value;
  }

  /** `expect pass on …` without a name speaks of every judgement. */
  finish(): void {
    for (const { because, place } of this.#passes) {
      for (const { name } of this.judgements) this.expectations.push({ place, of: name, verdict: 'pass', because });
    }
  }
}

const NO_CLAUSES: Clauses = {
  by: null,
  at: null,
  from: null,
  to: null,
  within: null,
  after: null,
  until: null,
  unless: null,
  because: null,
};

/** `unless` with a condition that only the run knows. */
function excused(kind: Judgement['kind'], unless: Expr, body: Expr): Expr {
  if (kind === 'never') return { k: 'binary', op: 'and', left: { k: 'not', of: unless }, right: body };
  return { k: 'binary', op: 'or', left: unless, right: body };
}
