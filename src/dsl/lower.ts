/**
 * Lowering: the statements of one run put their meaning into a Program.
 *
 * Rounds over the statements, since settings may be given after the things they change, and hosts after their VMs:
 * what is set, what there is, what happens and is judged. What a later version models is refused by name, never left out in silence.
 */
import { present } from '../base/assert.ts';
import type { Source, Span } from '../base/source.ts';
import type { Entity, EventPattern, Expr } from '../sim/expr.ts';
import type { Action, ActionOp, HostSpec, Place, ReportColumn, SwapSpec, Trigger, VmSpec } from '../sim/program.ts';
import type { Report } from './diagnostic.ts';
import { entityOf, fitting, membersOf, type Things, vmOfMemory } from './entity.ts';
import { type Environment, evaluate } from './evaluate.ts';
import { type Expression, pathText, type Word } from './expression.ts';
import { Frame, nsOf, numberOf, PAGE_BYTES } from './frame.ts';
import { ExplorationLowering } from './lower_exploration.ts';
import { type Place as ExpressionPlace, lowerEvent, lowerExpression } from './lower_expression.ts';
import { FaultLowering } from './lower_faults.ts';
import { GuestLowering, guestOf, heapPages } from './lower_guest.ts';
import { JudgementLowering } from './lower_judgement.ts';
import { MoveLowering } from './lower_moves.ts';
import { nestedOf } from './lower_nested.ts';
import { type PartOfHeap, partOf, rangeOf } from './lower_script.ts';
import { settingOf } from './setting.ts';
import type { Needs, Node, Round } from './statement.ts';
import { placeOf, textAt } from './where.ts';

/** Virtual time that a run goes on after the last thing a scenario names, where it sets no limit. */
const GRACE_NS = 20_000_000;
const LIMIT_STEPS = 20_000_000;

export class Lowering {
  readonly env: Environment;
  readonly hosts: HostSpec[] = [];
  readonly vms: VmSpec[] = [];
  readonly actions: Action[] = [];
  readonly columns: ReportColumn[] = [];
  /** Names of recordings to compare with, and how many actions stand outside of the case. */
  readonly recordings: string[] = [];
  acts_of_file = 0;
  readonly allTags: string[] = [];
  name = '';

  /** What runs in the guest that is being lowered. */
  readonly guests: GuestLowering = new GuestLowering(this);
  /** What moves a VM. */
  readonly moves: MoveLowering = new MoveLowering(this);
  readonly judge: JudgementLowering = new JudgementLowering(this);
  /** What an exploration is to do, and what it may choose. */
  readonly exploration: ExplorationLowering = new ExplorationLowering(this);
  readonly faults: FaultLowering = new FaultLowering(this);

  readonly report: Report;
  #source: Source;
  readonly #overrides = new Map<string, Expression>();
  readonly #saved: Things['saved'];
  readonly #nmis: readonly string[];
  frame: Frame;
  /** What the acts being lowered wait for; null for those that stand bare. */
  trigger: Trigger | null = null;
  /** The acts of the block being lowered: all, and those that are in no action yet. */
  #ops: { readonly all: ActionOp[]; open: ActionOp[] } | null = null;
  /** The block around them is a race, or one of its acts is chosen. */
  #raced = false;
  #choices = 0;
  #choosing = false;
  #limit_ns: number | null = null;
  #limit_steps: number | null = null;
  #latest_ns = 0;
  #held_ns = 0;

  /** `saved`: the names of what `save … as` and `get_mpstate … as` read; `nmis`: those of NMIs sent. */
  constructor(env: Environment, source: Source, report: Report, saved: Things['saved'], nmis: readonly string[] = []) {
    this.env = env;
    this.#saved = saved;
    this.#nmis = nmis;
    this.#source = source;
    this.report = report;
    this.frame = new Frame(env, null, null, this.#overrides);
  }

  /** Lowers the statements of one round; `source` is the file they stand in. */
  round(round: Round, nodes: readonly Node[], source: Source): void {
    this.#source = source;
    for (const node of nodes) if ((node.statement.round ?? 'behaviour') === round) node.lower(node, this);
  }

  get limit_ns(): number {
    return this.#limit_ns ?? this.#latest_ns + this.#held_ns + GRACE_NS;
  }

  get limit_steps(): number {
    return this.#limit_steps ?? LIMIT_STEPS;
  }

  get #things(): Things {
    const { links, migrations } = this.moves;
    return { env: this.env, hosts: this.hosts, vms: this.vms, saved: this.#saved, links, migrations, nmis: this.#nmis };
  }

  // -- What every statement may ask ---------------------------------------------------------------

  place(at: Node): Place {
    return placeOf(at.line, this.#source);
  }

  needs(span: Span, what: string, needs: Needs): void {
    this.report.error('needs', { span, message: `${what} needs ${needs}, which this version does not run yet` });
  }

  number(of: Expression): number {
    return numberOf(of, this.env);
  }

  ns(of: Expression): number {
    return nsOf(of, this.env);
  }

  /** A time between two things that repeat: zero would never let time go on. */
  period(of: Expression): number {
    const ns = this.ns(of);
    if (ns === 0) this.env.outOfRange(of, 'a period is longer than 0');
    return Math.max(1, ns);
  }

  expr(of: Expression): Expr {
    return lowerExpression(of, this.#expressions);
  }

  event(of: Expression): EventPattern {
    return lowerEvent(of, this.#expressions);
  }

  /** The word itself, or the value of the matrix or parameter of that name. */
  wordOf(name: Word): string {
    const value = evaluate({ kind: 'name', name: name.text, span: name.span }, this.env, true);
    return value?.v === 'word' ? value.value : name.text;
  }

  entity(of: Expression): Entity {
    return present(entityOf(of, this.#things), `the thing at ${of.span.start}`);
  }

  vcpu(of: Expression): { readonly vm: number; readonly vcpu: number } {
    const { vm, id } = this.entity(of);
    return { vm, vcpu: id };
  }

  page(of: Expression): { readonly vm: number; readonly page: number } {
    const { vm, id } = this.entity(of);
    return { vm, page: id };
  }

  /** `web.heap.pages(cold: 30%)`; null where pages are named. */
  partOfHeap(of: Expression): PartOfHeap | null {
    const vmOf = (callee: Expression) => vmOfMemory(callee, this.#things) ?? 0;
    return partOf(of, this.env, vmOf, vm => this.vms[vm]?.guest.heap_pages ?? 0);
  }

  pages(of: Expression): { readonly vm: number; readonly pages: readonly number[] } {
    const named = of.kind === 'name' ? this.env.scope.find(of.name)?.value : null;
    if (named) return this.pages(named);
    const page = entityOf(of, this.#things);
    if (page?.kind === 'page') return { vm: page.vm, pages: [page.id] };
    const callee = of.kind === 'call' ? of.of : of;
    const vm = vmOfMemory(callee, this.#things) ?? 0;
    const range = rangeOf(of, this.env, this.vms[vm]?.guest.heap_pages ?? 0);
    if (!range) {
      this.env.outOfRange(of, 'only evict takes pages by how hot they are: name them, web.heap.pages(0..7)');
      return { vm, pages: [] };
    }
    this.#inHeap(of, vm, range.first + range.pages - 1);
    return { vm, pages: Array.from({ length: range.pages }, (_, index) => range.first + index) };
  }

  /** The pages of a VM's heap behind so much of it. */
  beyond(vm: Expression, size: Expression): { readonly vm: number; readonly pages: readonly number[] } {
    const { id } = this.entity(vm);
    const first = Math.floor(numberOf(size, this.env) / PAGE_BYTES);
    const heap = this.vms[id]?.guest.heap_pages ?? 0;
    return { vm: id, pages: Array.from({ length: Math.max(0, heap - first) }, (_, index) => first + index) };
  }

  #inHeap(of: Expression, vm: number, page: number): void {
    const pages = this.vms[vm]?.guest.heap_pages ?? 0;
    if (page >= pages || page < 0)
      this.env.outOfRange(of, `the heap of ${this.vms[vm]?.name} has ${pages} pages, numbered from 0`);
  }

  get #expressions(): ExpressionPlace {
    return {
      env: this.env,
      entity: of => entityOf(of, this.#things),
      members: (of, name) => membersOf(of, name, this.#things),
      fitting: (of, kind, glob) => fitting(of, kind, glob, this.#things),
      vms: this.vms.flatMap(({ name, incarnation_of }, id) =>
        incarnation_of === null ? [{ kind: 'vm', vm: id, id, name }] : [],
      ),
      needs: (of, what, needs) => this.needs(of.span, what, needs),
      refuse: ({ span }, message, help) => this.report.error('type', { span, message, help }),
      ns: of => this.ns(of),
    };
  }

  // -- The file -----------------------------------------------------------------------------------

  title(title: string): void {
    this.name = title;
  }

  tags(tags: readonly string[]): void {
    this.allTags.push(...tags);
  }

  limit(what: string, of: Expression): void {
    if (what === 'time') this.#limit_ns = this.ns(of);
    else if (what === 'steps') this.#limit_steps = Math.round(numberOf(of, this.env));
  }

  override(what: Expression, value: Expression): void {
    const [owner = '', ...rest] = pathText(what).split('.');
    const keyword = rest.at(-1) ?? '';
    const isSwap = rest.length > 1;
    const kind = isSwap ? 'swap' : this.env.scope.find(owner)?.what === 'vm' ? 'vm' : 'host';
    const needs = settingOf(kind, keyword)?.needs;
    if (needs) this.needs(what.span, `'${keyword}'`, needs);
    // A host has one swap device, by its name or as `swap`.
    this.#overrides.set([owner, ...(isSwap ? ['swap'] : []), keyword].join('.'), value);
  }

  reportColumns(columns: Expression): void {
    if (columns.kind !== 'list') return;
    for (const each of columns.items)
      this.columns.push({ title: textAt(each.span, this.#source), value: this.expr(each) });
  }

  // -- The machine --------------------------------------------------------------------------------

  /** Lowers the statements of a block, settings before parts, and gives what they said. */
  inside(at: Node, owner: string | null = null): Frame {
    const outer = this.frame;
    const frame = new Frame(this.env, outer, owner, this.#overrides);
    this.frame = frame;
    for (const node of inOrder(at)) node.lower(node, this);
    this.frame = outer;
    return frame;
  }

  setting(name: string, value: Expression): void {
    this.frame.settings.set(name, value);
  }

  host(spec: HostSpec): void {
    this.hosts.push(spec);
  }

  swap(spec: SwapSpec): void {
    this.frame.swap = spec;
  }

  cost(step: Expression, time: Expression): void {
    this.frame.costs.set(pathText(step), this.ns(time));
  }

  costs(costs: ReadonlyMap<string, number>): void {
    for (const [step, ns] of costs) this.frame.costs.set(step, ns);
  }

  vm(name: string, host: string, at: Node): void {
    const inside = this.inside(at, name);
    const vcpus = inside.whole('vcpus', 1, 1, 288);
    const paging = inside.word('paging', ['tdp', 'shadow', 'nested', 'none'], 'tdp');
    const span = inside.expression('paging')?.span ?? at.span;
    const nested = nestedOf(inside, span, this.report);
    const pinned = inside.expression('pin');
    const pins = inside.value('pin');
    const pin = pins?.v === 'list' ? pins.items.map(each => (each.v === 'number' ? each.value : null)) : [];
    const onHost = this.hosts.findIndex(each => each.name === host);
    const cpus = this.hosts[onHost]?.cpus ?? 1;
    if (pinned && pin.some(cpu => cpu !== null && !(Number.isInteger(cpu) && cpu >= 0 && cpu < cpus)))
      this.env.outOfRange(pinned, `${host} has ${cpus} CPU${cpus === 1 ? '' : 's'}, numbered from 0`);
    const ram_pages = inside.pages('ram', 128 * 1024 * 1024);
    const unpaged = paging === 'none' ? { paging: false } : {};
    const guest = {
      ...(inside.guest ?? guestOf(new Frame(this.env, inside, null, this.#overrides), ram_pages)),
      ...unpaged,
    };
    this.vms.push({
      name,
      place: this.place(at),
      host: onHost,
      ram_pages,
      memory_limit_pages: inside.expression('limit') ? inside.pages('limit', 0) : null,
      paging: paging === 'tdp' || paging === 'nested' ? 'tdp' : 'shadow',
      tlb: inside.on('tlb', false),
      nested,
      memslots: inside.whole('memslots', 1, 1, 509),
      huge_pages: paging === 'tdp' && inside.on('huge_pages', false),
      irqchip: inside.word('irqchip', ['kernel', 'split', 'user'], 'kernel'),
      startup: inside.word('startup', ['all', 'bsp'], 'all'),
      lvt0: inside.word('lvt0', ['extint', 'masked'], 'extint'),
      hlt_exits: inside.on('hlt_exits', true),
      incarnation_of: null,
      saved_msrs: inside.word('saved_msrs', ['all', 'without_apf_int'], 'all'),
      protected_state: inside.on('protected', false),
      host_halt: inside.on('host_halt', true),
      vcpus,
      pin: Array.from({ length: vcpus }, (_, id) => pin[id] ?? null),
      protocol: this.env.variant,
      knobs: this.env.knobs,
      guest,
      userfault: this.#userfault(inside, guest.heap_pages),
      backing: this.#backing(inside, onHost),
    });
  }

  #backing(inside: Frame, host: number): VmSpec['backing'] {
    const backing = inside.word('backing', ['anonymous', 'file'], 'anonymous');
    const given = inside.expression('backing');
    if (given && backing === 'file' && !this.hosts[host]?.swap)
      this.report.error('no-swap', {
        span: given.span,
        message: `${this.hosts[host]?.name} has no device that a file could be on`,
        help: "give it one, such as 'swap disk { size 1GiB; read fixed(90us) }'",
      });
    return backing;
  }

  #userfault({ userfault }: Frame, heap_pages: number): VmSpec['userfault'] {
    if (!userfault) return null;
    const { serves, ...spec } = userfault;
    const range = serves ? rangeOf(serves, this.env, heap_pages) : { first: 0, pages: heap_pages };
    if (serves && (!range || range.first < 0 || range.first + range.pages > heap_pages))
      this.env.outOfRange(serves, `the heap has ${heap_pages} pages, numbered from 0`);
    return { ...spec, first_page: range?.first ?? 0, pages: range?.pages ?? 0 };
  }

  userfault(name: string, at: Node): void {
    const inside = this.inside(at, name);
    this.frame.userfault = {
      name,
      latency: inside.distribution('latency', 100_000),
      threads: inside.whole('threads', 1, 1, 256),
      serves: inside.expression('serves'),
    };
  }

  guest(inside: Frame): void {
    this.guests.resolveForks(inside.tasks);
    this.frame.guest = guestOf(inside, heapPages(inside));
  }

  knob(knob: string, change: string, value: Expression): void {
    const items = value.kind === 'list' ? value.items : [value];
    const values = items.flatMap(each => (each.kind === 'name' ? [each.name] : []));
    this.frame.turns.push({ knob, change: change === 'add' || change === 'remove' ? change : 'set', values });
  }

  // -- What happens -------------------------------------------------------------------------------

  act(op: ActionOp, at: Node): void {
    if (op.op === 'hold_event') this.#held_ns += op.ns;
    if (this.#ops) {
      this.#ops.all.push(op);
      this.#ops.open.push(op);
    } else this.actions.push({ place: this.place(at), trigger: { kind: 'start' }, ops: [op] });
  }

  under(trigger: Trigger, at: Node): readonly ActionOp[] {
    if (trigger.kind === 'at') this.lasts(trigger.ns);
    else if (trigger.kind === 'when') this.lasts(trigger.from_ns);
    else if (trigger.kind === 'every') this.lasts(trigger.until_ns ?? trigger.from_ns);
    const outer = this.trigger;
    this.trigger = trigger;
    const { all, open } = this.#collected(at.body);
    this.trigger = outer;
    if (open.length > 0) this.actions.push({ place: this.place(at), trigger, ops: open });
    return all;
  }

  #collected(nodes: readonly Node[]): { readonly all: ActionOp[]; readonly open: ActionOp[] } {
    const outer = this.#ops;
    const ops = { all: [], open: [] };
    this.#ops = ops;
    for (const node of nodes) node.lower(node, this);
    this.#ops = outer;
    return ops;
  }

  /** Acts of which each may come at any point: an action each. In a timed run they come as written. */
  race(at: Node): void {
    if (this.#choosing) {
      this.report.error('misplaced-statement', {
        span: at.span,
        message: 'a race is no single act to choose',
        help: 'put the any into the race',
      });
      return;
    }
    const outer = this.#raced;
    this.#raced = true;
    this.#apart(at, null);
    this.#raced = outer;
  }

  /** Acts of which one happens: an action each, with a number in common. */
  any(at: Node): void {
    if (this.#choosing) {
      this.report.error('misplaced-statement', { span: at.span, message: 'write all the choices into one any' });
      return;
    }
    this.#choosing = true;
    this.#apart(at, this.#choices);
    this.#choosing = false;
    this.#choices += 1;
  }

  #apart(at: Node, choice: number | null): void {
    const trigger = this.trigger ?? { kind: 'start' };
    // What is written before happens before.
    if (this.#ops && this.#ops.open.length > 0) {
      this.actions.push({ place: this.place(at), trigger, ops: this.#ops.open });
      this.#ops.open = [];
    }
    for (const node of at.body) {
      const { open, all } = this.#collected([node]);
      this.#ops?.all.push(...all);
      if (open.length === 0) continue;
      this.actions.push({
        place: this.place(node),
        trigger,
        ops: open,
        ...(this.#raced ? { raced: true } : {}),
        ...(choice === null ? {} : { choice }),
      });
    }
  }

  /** At the end of the span, what the acts did is undone, where there is an undoing. */
  during(from_ns: number, to_ns: number, at: Node): void {
    const undo = this.under({ kind: 'at', ns: from_ns }, at).flatMap(undoing);
    this.lasts(to_ns);
    if (undo.length > 0) this.actions.push({ place: this.place(at), trigger: { kind: 'at', ns: to_ns }, ops: undo });
  }

  /** The run goes on at least until then. */
  lasts(ns: number): void {
    this.#latest_ns = Math.max(this.#latest_ns, ns);
  }
}

/** Settings first, since parts ask for them; a script in its own order. */
function inOrder(at: Node): readonly Node[] {
  const { block } = at.statement.syntax;
  if (block === 'script' || block === 'handler') return at.body;
  const isPart = (node: Node): boolean => node.statement.syntax.block !== null;
  return [...at.body.filter(node => !isPart(node)), ...at.body.filter(isPart)];
}

function undoing(op: ActionOp): readonly ActionOp[] {
  switch (op.op) {
    case 'interrupts':
      return [{ ...op, allowed: !op.allowed }];
    case 'lapic':
    case 'apf':
      return [{ ...op, enabled: !op.enabled }];
    case 'guest_cpu':
      return [{ ...op, online: !op.online }];
    case 'pending_exception':
      return [{ ...op, state: 'none' }];
    case 'hold_actor':
      return [{ op: 'release', actor: op.actor }];
    default:
      return [];
  }
}
