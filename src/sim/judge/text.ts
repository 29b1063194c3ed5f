/**
 * Expressions, entities and values in the words of the scenario, for messages and reports.
 *
 * Names come from files of strangers; whoever prints these texts makes them printable.
 */
import { durationText } from '../../base/duration.ts';
import type { EntityKind } from '../attributes/attribute.ts';
import { heapPage } from '../attributes/guest.ts';
import type { Dimension, EventPattern, Expr } from '../expr.ts';
import type { Machine } from '../machine.ts';
import type { Judgement } from '../program.ts';

const KIB = 1024;
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A quantity with its unit. Numbers are rounded for reading; comparisons never see this. */
export function quantityText(value: number, dimension: Dimension): string {
  if (Number.isNaN(value)) return 'nothing';
  switch (dimension) {
    case 'none':
      return plain(value);
    case 'time':
      return durationText(Math.round(value));
    case 'bytes':
      return sizeText(value);
    case 'pages':
      return `${plain(value)} ${value === 1 ? 'page' : 'pages'}`;
    case 'rate':
    case 'frequency':
      return `${plain(value)}/s`;
    case 'bandwidth':
      return `${sizeText(value)}/s`;
    case 'page_rate':
      return `${plain(value)} pages/s`;
    case 'percent':
      return `${plain(value * 100)}%`;
  }
}

export function hexText(value: number): string {
  return Number.isNaN(value) ? 'nothing' : value < 0 ? 'none' : `0x${value.toString(16)}`;
}

function plain(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= KIB && unit < SIZES.length - 1) {
    value /= KIB;
    unit += 1;
  }
  return `${plain(value)} ${SIZES[unit]}`;
}

/** What a scenario calls the entity in a row: `web.vcpu[0]`, `web.heap.page(17)`. */
export function entityText(m: Machine, kind: EntityKind, row: number): string {
  if (!(row >= 0)) return 'none';
  switch (kind) {
    case 'vm':
      return m.program.vms[row]!.name;
    case 'host':
      return m.program.hosts[row]!.name;
    case 'swap':
      return `${m.program.hosts[row]!.name}.${m.program.hosts[row]!.swap?.name ?? 'swap'}`;
    case 'vcpu': {
      const { vm, vcpu_id } = m.places.vcpus[row]!;
      return `${m.program.vms[vm]!.name}.vcpu[${vcpu_id}]`;
    }
    case 'task': {
      const { vm, spec } = m.places.tasks[row]!;
      return `${m.program.vms[vm]!.name}.task.${spec.name}`;
    }
    case 'page': {
      const vm = m.places.vms.findLastIndex(each => each.first_page <= row);
      return `${m.program.vms[vm]!.name}.heap.page(${heapPage(m, row)})`;
    }
    case 'irq':
    case 'timer': {
      const { vm, name } = m.places.interrupts[row]!;
      return `${m.program.vms[vm]!.name}.${kind}.${name}`;
    }
    case 'nmi':
      return m.places.nmis[row]!.name;
    case 'nmi_state':
      return `${entityText(m, 'vcpu', row)}.nmi`;
    case 'thread':
      return threadText(m, row);
    case 'handler':
      return m.places.threads[row]?.comm ?? 'a userfault handler';
    case 'saved':
      return m.places.saved[row]?.name ?? 'a saved VM';
    case 'migration':
      return m.program.migrations[row]!.name;
    case 'link':
      return m.program.links[row]!.name;
    case 'ledger':
      return `ledger(${m.program.vms[row]!.name})`;
    case 'saved_vcpu': {
      const place = m.places.saved.findLast(({ first }) => first <= row);
      return place?.whole ? `${place.name}.vcpu[${row - place.first}]` : (place?.name ?? 'a saved vCPU');
    }
    case 'work': {
      const work = m.works[row]!;
      return work.wakeup_all === 1 ? 'the wake-all item' : `the work item of gfn ${hexText(work.gfn)}`;
    }
  }
}

/** A host thread; what is not one is a device or the scenario itself. */
export function threadText(m: Machine, id: number): string {
  const thread = m.places.threads[id];
  if (!thread) return 'a device or the scenario';
  return thread.vcpu >= 0 ? `thread(${entityText(m, 'vcpu', thread.vcpu)})` : thread.comm;
}

export function eventText(event: EventPattern): string {
  const call = `${event.name}(${event.args.map(arg => arg?.name ?? '').join(', ')})`;
  return event.by ? `${call} by ${event.by.name}` : call;
}

/** The expression as a scenario would write it. */
export function exprText(expr: Expr): string {
  switch (expr.k) {
    case 'number':
      return quantityText(expr.value, expr.dim);
    case 'bool':
      return String(expr.value);
    case 'word':
      return expr.value;
    case 'text':
      return JSON.stringify(expr.value);
    case 'entity':
      return expr.entity.name;
    case 'variable':
      return expr.name;
    case 'get':
      if (expr.name === 'ledger') return `ledger(${exprText(expr.of)})`;
      return `${exprText(expr.of)}.${expr.name}`;
    case 'all':
      return `${exprText(expr.of)}.${expr.name}`;
    case 'list':
      return `[${expr.items.map(exprText).join(', ')}]`;
    case 'not':
      return `not ${operand(expr.of, 8)}`;
    case 'negate':
      return `-${operand(expr.of, 8)}`;
    case 'binary':
      return binaryText(expr);
    case 'is':
      return `${exprText(expr.of)} is ${expr.state}${expr.arg === null ? '' : `(${expr.arg})`}`;
    case 'quantifier': {
      const inner = `${expr.variable} in ${exprText(expr.over)}: ${exprText(expr.body)}`;
      return expr.q === 'count' ? `count(${inner})` : `${expr.q} ${inner}`;
    }
    case 'deadlock':
      return 'deadlock';
    case 'happened':
      return eventText(expr.event);
    case 'before':
      return `${eventText(expr.event)} before ${eventText(expr.other)}`;
    case 'count_events':
      return `count(${eventText(expr.event)})`;
    case 'rate_events':
      return `rate(${eventText(expr.event)})`;
    case 'max_time':
      return `max_time(${exprText(expr.of)})`;
    case 'lasting':
      return `${operand(expr.of, 8)} for ${durationText(expr.for_ns)}`;
    case 'was':
      return exprText(expr.of).replace(/ is /, ' was ');
    case 'since':
      return `${operand(expr.of, 5)} since ${operand(expr.from, 5)}`;
    case 'prev':
      return `prev(${exprText(expr.of)})`;
    case 'because_of':
      return `${eventText(expr.event)} because_of ${eventText(expr.cause)}`;
    case 'woken_by':
      return `${eventText(expr.event)} woken_by ${expr.waker.name}`;
    case 'index':
      return `${exprText(expr.of)}[${expr.at}]`;
    case 'each_of':
      return `${exprText(expr.of)}.${expr.name}`;
    case 'count_true':
      return `count of [${expr.items.map(exprText).join(', ')}]`;
    case 'happened_to':
      return `${expr.name}(${expr.args.map(arg => (arg ? exprText(arg) : '')).join(', ')})`;
    case 'why':
      return `why(${exprText(expr.of)})`;
    case 'aggregate':
      return `${expr.fn}(${exprText(expr.series)})`;
    case 'writers':
      return `writers(${exprText(expr.of)}.${expr.name})`;
    case 'recorded':
      return `${expr.recording}.trace(${expr.globs.join(', ')})`;
    case 'trace':
      return `trace(${expr.globs.join(', ')})`;
  }
}

function binaryText({ op, left, right }: Extract<Expr, { readonly k: 'binary' }>): string {
  const tightness = TIGHTNESS[op];
  // A chain of the same operator needs no brackets on its left; `a - (b - c)` and `a == (b == c)` do on the right.
  return `${operand(left, tightness)} ${op} ${operand(right, tightness + (op === 'and' || op === 'or' ? 0 : 1))}`;
}

const TIGHTNESS: Readonly<Record<Extract<Expr, { readonly k: 'binary' }>['op'], number>> = {
  iff: 1,
  implies: 2,
  or: 3,
  and: 4,
  '==': 5,
  '!=': 5,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  in: 5,
  within: 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
};

/** In brackets where the reader would otherwise take it apart differently. */
function operand(expr: Expr, outside: number): string {
  const loose = expr.k === 'quantifier' ? expr.q !== 'count' : expr.k === 'binary' && TIGHTNESS[expr.op] < outside;
  return loose ? `(${exprText(expr)})` : exprText(expr);
}

/** What a judgement asks for, as its statement says it: without `expect`, its name and the variants it leaves out. */
export function judgementText({ kind, place }: Judgement): string {
  const [, after = '', word = ''] =
    /^(after\s.*?\s(?=(?:always|never|eventually|sometimes)\s))?(\w+\s+)/.exec(place.text) ?? [];
  const text = place.text
    .slice(after.length + word.length)
    .replace(/^\w+\s*:\s*/, '')
    .replace(/\s+(unless|because)\s.*$/, '');
  if (after !== '') return `${after}${word}${text}`;
  return kind === 'never' ? `never ${text}` : text;
}
