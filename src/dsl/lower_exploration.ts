/** What an `explore` block asks for, and what anywhere in a file may happen or not. A timed run takes none of it. */
import { Bug } from '../base/assert.ts';
import { FAIR_WORDS } from '../sim/fair.ts';
import type { ActionOp, ExplorationSpec, ExportSpec, Program, TaskOp, View } from '../sim/program.ts';
import { evaluate } from './evaluate.ts';
import { type Expression, pathText } from './expression.ts';
import type { Frame } from './frame.ts';
import type { Lowering } from './lower.ts';
import { readExpression } from './read_expression.ts';
import type { Node } from './statement.ts';
import type { BUDGETED } from './statements/explore.ts';
import { childrenOf, isNode } from './syntax.ts';
import { parseTree } from './tree.ts';

type Budget = ExplorationSpec['budgets'][number];
type Reaction = ExplorationSpec['reaction'];

const BUDGET_MAX = 16;

/** What no state may show to who saves or asks: the destination could not go on with it. */
const PROBES = {
  save: {
    saved_halt: (vm: string) => `each v in ${vm}.vcpus: v.mp_state == HALTED implies v is executing(HLT)`,
    saved_token: (vm: string) => `each v in ${vm}.vcpus: v.unowed == 0`,
  },
  query: {
    shown_halt: (vm: string) => `each v in ${vm}.vcpus: v.mp_state == HALTED implies v is executing(HLT)`,
  },
} as const satisfies Readonly<
  Record<ExplorationSpec['probe'][number], Readonly<Record<string, (vm: string) => string>>>
>;

export class ExplorationLowering {
  readonly #lowering: Lowering;
  /** A block stands in the file or in the case. */
  #asked = false;
  #settings: Pick<ExplorationSpec, 'strategy' | 'depth' | 'preemptions' | 'states' | 'symmetry' | 'fair'> = {
    strategy: null,
    depth: null,
    preemptions: null,
    states: null,
    symmetry: null,
    fair: null,
  };
  readonly #budgets: Budget[] = [];
  readonly #probe = new Set<ExplorationSpec['probe'][number]>();
  #yields: readonly string[] | null = null;
  #reaction: Reaction = { shrink: false, show: [], write: [], exports: [] };
  /** Outside of all blocks: what is to be seen of a run. */
  readonly #views: View[] = [];
  readonly #exports: ExportSpec[] = [];

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  /** A block of the case says more than, or instead of, that of the file. */
  block(at: Node): void {
    this.#asked = true;
    const { judge } = this.#lowering;
    judge.explored = true;
    const inside = this.#lowering.inside(at);
    judge.explored = false;
    const before = this.#settings;
    this.#settings = {
      strategy: wordIn(inside, 'strategy', ['bfs', 'dfs', 'random', 'pct']) ?? before.strategy,
      depth: countIn(inside, 'depth') ?? before.depth,
      preemptions: countIn(inside, 'preemptions') ?? before.preemptions,
      states: countIn(inside, 'states') ?? before.states,
      symmetry: wordsIn(inside, 'symmetry', ['vcpus', 'pages', 'workers', 'tasks']) ?? before.symmetry,
      fair: wordsIn(inside, 'fair', FAIR_WORDS) ?? before.fair,
    };
  }

  yieldAt(steps: Expression): void {
    this.#yields = (steps.kind === 'list' ? steps.items : [steps]).map(pathText);
  }

  probe(what: ExplorationSpec['probe'][number], at: Node): void {
    const { judge, vms } = this.#lowering;
    if (this.#probe.has(what)) return;
    this.#probe.add(what);
    for (const { name, incarnation_of } of vms) {
      if (incarnation_of !== null) continue;
      for (const [label, text] of Object.entries<(vm: string) => string>(PROBES[what]))
        judge.stated('always', `${label} of ${name}`, parsed(text(name)), at);
    }
  }

  /** What of something is sure to happen: the lower end of a range; the rest is the explorer's to choose. */
  range(what: string, times: Expression, at: Node, actOf: (times: number) => ActionOp): void {
    const [least, most] = this.#ends(times);
    if (least > 0) this.#lowering.act(actOf(least), at);
    if (most > least) this.#spend({ what, times: most - least, acts: [actOf(1)], place: this.#lowering.place(at) });
  }

  budget(what: (typeof BUDGETED)[number], times: Expression, at: Node): void {
    const [, most] = this.#ends(times);
    const place = this.#lowering.place(at);
    const acts = what === 'tick' ? [] : this.#lowering.vms.flatMap((spec, vm) => actsOf(what, spec, vm));
    if (what === 'tick' || acts.length > 0) this.#spend({ what, times: most, acts, place });
    else this.#lowering.env.outOfRange(times, NOTHING[what]);
  }

  react(to: Partial<Reaction>): void {
    const { shrink, show, write, exports } = this.#reaction;
    this.#reaction = {
      shrink: shrink || (to.shrink ?? false),
      show: [...show, ...(to.show ?? [])],
      write: [...write, ...(to.write ?? [])],
      exports: [...exports, ...(to.exports ?? [])],
    };
  }

  show(view: View): void {
    if (this.#lowering.judge.explored) this.react({ show: [view] });
    else this.#views.push(view);
  }

  export(spec: ExportSpec): void {
    if (this.#lowering.judge.explored) this.react({ exports: [spec] });
    else this.#exports.push(spec);
  }

  /** Nothing where nothing is asked for. */
  get shown(): Pick<Program, 'shown'> {
    const [views, exports] = [this.#views, this.#exports];
    return views.length + exports.length === 0 ? {} : { shown: { views, exports } };
  }

  /** Null where nothing asks for one. */
  spec(): ExplorationSpec | null {
    if (!this.#asked && this.#budgets.length === 0) return null;
    const { explorations } = this.#lowering.judge;
    return {
      ...this.#settings,
      budgets: this.#budgets,
      probe: [...this.#probe],
      yields: this.#yields,
      reaction: this.#reaction,
      ...explorations,
    };
  }

  /** One more of the same is one more to spend. */
  #spend(budget: Budget): void {
    const index = this.#budgets.findIndex(({ what }) => what === budget.what);
    const known = this.#budgets[index];
    if (known && budget.what === 'tick') this.#budgets[index] = budget;
    else if (known) this.#budgets.push({ ...budget, what: `${budget.what} on line ${budget.place.line}` });
    else this.#budgets.push(budget);
  }

  /** `2` or `0..2`. */
  #ends(times: Expression): readonly [least: number, most: number] {
    const value = evaluate(times, this.#lowering.env, false);
    const numbers = value?.v === 'range' ? [value.from, value.to] : [value];
    const [least = 0, most = least] = numbers.map(each => (each?.v === 'number' ? each.value : Number.NaN));
    if (Number.isInteger(least) && Number.isInteger(most) && least >= 0 && most >= least && most <= BUDGET_MAX)
      return [least, most];
    this.#lowering.env.outOfRange(times, `whole numbers from 0 to ${BUDGET_MAX}, the smaller first`);
    return [0, 0];
  }
}

const NOTHING: Readonly<Record<Exclude<(typeof BUDGETED)[number], 'tick'>, string>> = {
  evict: 'no task names a page',
  irq: 'no guest declares an irq',
  nmi: 'there is no vCPU',
  save: 'there is no VM',
  signal: 'there is no vCPU',
};

/** One act for each thing that it could happen to. */
function actsOf(what: keyof typeof NOTHING, spec: Program['vms'][number], vm: number): readonly ActionOp[] {
  if (spec.incarnation_of !== null) return [];
  const vcpus = Array.from({ length: spec.vcpus }, (_, vcpu) => vcpu);
  switch (what) {
    case 'evict':
      return pagesNamed(spec).map(page => ({ op: 'evict', vm, pages: [page] }));
    case 'nmi':
      return vcpus.map(vcpu => ({ op: 'nmi', vm, vcpu, name: 'any' }));
    case 'irq':
      return spec.guest.irqs.map(({ vcpu }, irq) => ({ op: 'irq', vm, vcpu, irq, via: 'lapic' }));
    case 'signal':
      return vcpus.map(vcpu => ({ op: 'signal', vm, vcpu }));
    case 'save':
      return [{ op: 'save', vm, name: `any save of ${spec.name}`, keep: 1 }];
  }
}

/** Pages that a script or a handler of the guest names. */
function pagesNamed({ guest }: Program['vms'][number]): readonly number[] {
  const bodies = [guest.nmi_handler, ...[...guest.timers, ...guest.irqs, ...guest.idles].map(({ body }) => body)];
  const handled = bodies.flat().flatMap(op => (op.op === 'read' || op.op === 'write' ? [op.page] : []));
  const touched = guest.tasks.flatMap(({ ops }) => ops.flatMap(pagesOf));
  return [...new Set([...touched, ...handled])].sort((a, b) => a - b);
}

function pagesOf(op: TaskOp): readonly number[] {
  if (op.op !== 'read' && op.op !== 'write') return [];
  const { page } = op;
  if (page.kind === 'page') return [page.page];
  if (page.kind === 'listed') return page.pages;
  return Array.from({ length: page.pages }, (_, index) => page.first + index);
}

function parsed(text: string): Expression {
  const [node] = parseTree({ path: 'probe', text: `expect ${text}` }).nodes;
  const [body] = node ? childrenOf(node.cst, 'body') : [];
  if (!body || !isNode(body)) throw new Bug(`no condition: ${text}`);
  return readExpression(body);
}

function countIn(inside: Frame, name: string): number | null {
  return inside.expression(name) ? inside.whole(name, 1, name === 'preemptions' ? 0 : 1, 2 ** 31) : null;
}

function wordIn<const W extends string>(inside: Frame, name: string, allowed: readonly W[]): W | null {
  const value = inside.value(name);
  return value?.v === 'word' ? (allowed.find(each => each === value.value) ?? null) : null;
}

function wordsIn<const W extends string>(inside: Frame, name: string, allowed: readonly W[]): readonly W[] | null {
  const value = inside.value(name);
  if (value?.v !== 'list') return null;
  return value.items.flatMap(each => (each.v === 'word' ? allowed.filter(word => word === each.value) : []));
}
