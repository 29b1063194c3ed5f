/** Lowering of what moves a VM: links, and a second incarnation of the VM for each migration of it. */
import type { Program } from '../sim/program.ts';
import type { Knobs } from '../sim/protocol/knobs.ts';
import { knobsOf, PRESET_NAMES } from '../sim/protocol/presets.ts';
import { evaluate, type Value } from './evaluate.ts';
import type { Expression, Word } from './expression.ts';
import type { Lowering } from './lower.ts';
import type { Node } from './statement.ts';
import { COUNT } from './units.ts';

type LinkSpec = Program['links'][number];
type MigrationSpec = Program['migrations'][number];

/** Rounds after which a condition on the round is taken never to hold. */
const ROUNDS_MAX = 10_000;

export class MoveLowering {
  readonly links: LinkSpec[] = [];
  readonly migrations: MigrationSpec[] = [];
  /** Snapshots that a statement restores on a host that it names. */
  readonly restoredOn: { readonly saved: string; readonly host: Word }[] = [];
  readonly #lowering: Lowering;

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  numberOf(name: string): number {
    return this.migrations.findIndex(each => each.name === name);
  }

  linkNumber(name: string): number {
    return this.links.findIndex(each => each.name === name);
  }

  #host(name: string): number {
    return this.#lowering.hosts.findIndex(each => each.name === name);
  }

  link(name: string, from: string, to: string, at: Node): void {
    const inside = this.#lowering.inside(at, name);
    const bandwidth = inside.expression('bandwidth');
    // Bytes per ns.
    const bytes_per_s = inside.number('bandwidth', 1.25) * 1e9;
    if (bandwidth && !(bytes_per_s > 0)) this.#lowering.env.outOfRange(bandwidth, 'a link carries something');
    this.links.push({
      name,
      place: this.#lowering.place(at),
      from: this.#host(from),
      to: this.#host(to),
      bytes_per_s: bytes_per_s > 0 ? bytes_per_s : 1,
      latency_ns: Math.round(inside.number('latency', 100_000)),
      loss_ppm: Math.min(900_000, Math.round(inside.number('loss', 0) * 1e6)),
    });
  }

  migration(
    name: Word,
    { vm, from, to, link }: { readonly vm: string; readonly from: string; readonly to: string; readonly link: string },
    at: Node,
  ): void {
    const lowering = this.#lowering;
    const inside = lowering.inside(at, name.text);
    const origin = lowering.vms.findIndex(each => each.name === vm);
    const number = this.linkNumber(link);
    const [source, target] = [this.#host(from), this.#host(to)];
    const spec = lowering.vms[origin];
    const wire = this.links[number];
    if (!spec || !wire) return;
    const ends = [wire.from, wire.to];
    if (!ends.includes(source) || !ends.includes(target) || source === target)
      lowering.report.error('wrong-arguments', {
        span: name.span,
        message: `${link} does not go from ${from} to ${to}`,
        help: `declare it so: link ${link} from ${from} to ${to} { … }`,
      });
    const dirty_log = inside.word('dirty_log', ['write_protect', 'pml', 'ring'], 'write_protect');
    const given = inside.expression('dirty_log');
    if (dirty_log === 'pml' && lowering.hosts[source]?.isa !== 'vmx' && given)
      lowering.env.outOfRange(given, `PML is of VMX, and ${from} is svm: give it 'isa vmx'`);
    const out_of = this.#incarnation(origin, source, name);
    this.migrations.push({
      name: name.text,
      place: lowering.place(at),
      vm: origin,
      out_of,
      into: this.#incarnation(origin, target, name, inside.word('destination_kernel', PRESET_NAMES, '')),
      link: number,
      mode: inside.word('mode', ['precopy', 'postcopy'], 'precopy'),
      max_downtime_ns: inside.number('max_downtime', 300_000_000),
      auto_converge: converges(inside.expression('auto_converge'), lowering),
      dirty_log,
      postcopy_from_round: this.#firstRound(inside.expression('switch')),
      give_up_ns: inside.expression('give_up') ? inside.number('give_up', 0) : null,
    });
  }

  /** A snapshot that is restored on another host starts its VM there: an incarnation more, where there is none yet. */
  restores(actions: Program['actions']): void {
    const ops = actions.flatMap(each => each.ops);
    for (const { saved, host } of this.restoredOn) {
      const save = ops.find(op => op.op === 'save' && op.name === saved);
      if (save?.op === 'save') this.#incarnation(save.vm, this.#host(host.text), host);
    }
  }

  /** The VM of the program that stands for this one on a host: itself at home, else another that waits there. */
  #incarnation(origin: number, host: number, name: Word, kernel = ''): number {
    const { vms } = this.#lowering;
    const spec = vms[origin]!;
    if (spec.host === host) return origin;
    const known = vms.findIndex(each => each.incarnation_of === origin && each.host === host);
    if (known >= 0) return known;
    if (spec.userfault)
      this.#lowering.report.error('wrong-arguments', {
        span: name.span,
        message: 'memory that a userfault handler serves is not migrated',
        help: 'leave the handler out, or do not move the VM',
      });
    vms.push({
      ...spec,
      host,
      incarnation_of: origin,
      memory_limit_pages: null,
      pin: spec.pin.map(() => null),
      userfault: null,
      knobs: kernel === '' ? spec.knobs : { ...knobsOf(kernel), ...knobsOfGuest(spec.knobs) },
    });
    return vms.length - 1;
  }

  #firstRound(condition: Expression | null): number | null {
    if (!condition) return null;
    const { env } = this.#lowering;
    for (let round = 1; round < ROUNDS_MAX; round += 1) {
      const values = new Map(env.values).set('round', { v: 'number', value: round, dimension: COUNT } satisfies Value);
      const holds = evaluate(condition, { ...env, values }, false);
      if (holds?.v === 'truth' && holds.value) return round;
    }
    return null;
  }
}

/** What its guest's kernel does: that it takes along. */
function knobsOfGuest(knobs: Knobs): Partial<Knobs> {
  const { guest_eqs, guest_reentry, guest_schedulable, guest_dummy_alloc, early_wake, crash_disables_apf } = knobs;
  return { guest_eqs, guest_reentry, guest_schedulable, guest_dummy_alloc, early_wake, crash_disables_apf };
}

/** `on`, or `on(start: 20%, step: 10%, max: 99%)`, in percent. */
function converges(of: Expression | null, { env }: Lowering): MigrationSpec['auto_converge'] {
  if (!of) return null;
  const value = evaluate(of, env, true);
  if (value?.v !== 'word' || value.value !== 'on') return null;
  const percent = (name: string, otherwise: number): number => {
    const arg = of.kind === 'call' ? of.args.find(each => each.name?.text === name)?.value : undefined;
    const given = arg ? evaluate(arg, env, false) : null;
    return given?.v === 'number' ? Math.round(given.value * 100) : otherwise;
  };
  return { start: percent('start', 20), step: percent('step', 10), max: Math.min(99, percent('max', 99)) };
}
