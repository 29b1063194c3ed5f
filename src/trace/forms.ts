/**
 * Which text of a tracepoint a format and a version take, and which texts the importer tries.
 *
 * Made from the declarations when a tracepoint is first printed or read: most runs use few of them.
 */
import { present } from '../base/assert.ts';
import { type TracepointName, tracepoints } from './all.ts';
import type { Printer } from './codec.ts';
import type { Value } from './event.ts';
import { Form } from './form.ts';
import { type Names, type Text, type Texts, VERSIONS, type Version } from './tracepoint.ts';

export const FORMATS = ['ftrace', 'trace-cmd', 'perf'] as const;
export type Format = (typeof FORMATS)[number];

/** How events are to be printed; `ns` asks for nanoseconds in place of microseconds. */
export interface Style {
  readonly format: Format;
  readonly version: Version;
  readonly ns?: boolean;
}

export interface Forms {
  readonly name: TracepointName;
  readonly system: string;
  readonly nr_fields: number;
  readonly types: readonly FieldKind[];
  /** A recording names a form by its place here. */
  readonly all: readonly Form[];
  readonly byStyle: { readonly [F in Format]: { readonly [V in Version]: readonly Form[] } };
}

export type FieldKind = 'unsigned' | 'signed' | 'name';

const made: (Forms | undefined)[] = [];

/** The forms of a tracepoint, by its number. */
export function formsOf(id: number): Forms {
  const forms = made[id] ?? make(id);
  made[id] = forms;
  return forms;
}

/** The text of an event in a style. Where no text of that version can say it, `?` stands for what is not known. */
export function printPayload(forms: Forms, style: Style, args: readonly Value[]): { readonly name: string; readonly text: string } {
  const candidates = forms.byStyle[style.format][style.version];
  for (const form of candidates) {
    if (form.tells.some((tells, field) => tells && args[field] === undefined)) continue;
    const text = form.print(args);
    if (text !== undefined) return { name: form.name, text };
  }
  const last = present(candidates.at(-1), `trace: ${forms.name} has a text`);
  return { name: last.name, text: last.print(args) ?? '?' };
}

function make(id: number): Forms {
  const { name, tracepoint } = present(tracepoints[id], `trace: tracepoint ${id}`);
  const { fields, system, names } = tracepoint;
  const texts: Texts = typeof tracepoint.text === 'object' && !isList(tracepoint.text) ? tracepoint.text : { v6: tracepoint.text };
  const found = new Map<string, Form>();
  /** Texts that the two printers print differently; see codec.ts. */
  const differs = fields.some(declared => declared.startsWith('s8 ')) ? /%/ : /%#|%p|:host_clock/;

  const forms = (text: Text, version: Version, printer: Printer): readonly Form[] =>
    (isList(text) ? text : [text]).map(template => {
      const event = at(names, version) ?? name;
      const who = differs.test(template) ? printer : 'kernel';
      const key = `${event} ${who} ${template}`;
      const form = found.get(key) ?? new Form(event, template, who, fields);
      found.set(key, form);
      return form;
    });

  const byVersion = (printer: Printer, own?: Text): { readonly [V in Version]: readonly Form[] } => {
    const of = (version: Version): readonly Form[] => forms(own ?? at(texts, version) ?? name, version, printer);
    return { '6.12': of('6.12'), '6.1': of('6.1'), '5.8': of('5.8'), '4.19': of('4.19'), '2.6.38': of('2.6.38'), v6: of('v6') };
  };

  const byStyle = { ftrace: byVersion('kernel'), 'trace-cmd': byVersion('c', texts.trace_cmd), perf: byVersion('c') };
  for (const template of texts.also ?? []) forms(template, '6.12', 'kernel');
  const types = fields.map(declared => (declared.startsWith('str') ? 'name' : declared.startsWith('s') ? 'signed' : 'unsigned'));
  return { name, system, nr_fields: fields.length, types, all: [...found.values()], byStyle };
}

/** What holds at a version: the latest entry up to it; the first of all for a version before the event existed. */
function at<T>(table: { readonly [since in Version]?: T }, version: Version): T | undefined {
  const upTo = VERSIONS.slice(0, VERSIONS.indexOf(version) + 1);
  const since = upTo.findLast(each => table[each] !== undefined) ?? VERSIONS.find(each => table[each] !== undefined);
  return since === undefined ? undefined : table[since];
}

function isList(text: Text | Texts): text is readonly string[] {
  return Array.isArray(text);
}

/** Every name that events go by, and the number of the tracepoint. */
export function eventNames(): ReadonlyMap<string, number> {
  const all: (readonly [string, number])[] = [];
  tracepoints.forEach(({ name, tracepoint }, id) => {
    const aliases: Names = tracepoint.names;
    for (const each of [name, ...Object.values(aliases)]) all.push([each, id]);
  });
  return new Map(all);
}
