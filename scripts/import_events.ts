/**
 * Holds the declarations of src/trace against a kernel's own description of its events: the `format` files of tracefs.
 *
 * The kernel's text is a printf format with arguments in C. The arguments are compared by name, as far as a declaration
 * has fields of the record; conversions and the words between them must be the same. What a kernel has and we have not is
 * listed too: it is kept as it is when a recording is read.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tracepoints } from '../src/trace/all.ts';
import { eventNames, formsOf } from '../src/trace/forms.ts';
import { VERSIONS, type Version } from '../src/trace/tracepoint.ts';
import { exitWith, scriptArgs } from './args.ts';

const USAGE = `npm run events -- FOLDER [--version 6.1]

Compares the kernel's format files in FOLDER (copies of /sys/kernel/tracing/events/*/*/format) with the declarations.
  --version       whose text ours is compared with: ${VERSIONS.join(', ')}`;

interface KernelEvent {
  readonly name: string;
  readonly fields: readonly string[];
  /** The printf format. */
  readonly text: string;
}

export interface Comparison {
  readonly undeclared: readonly string[];
  /** One line for each: `kvm_emulate_insn: the record has len`. */
  readonly differences: readonly string[];
}

export function compareEvents(folder: string, version: Version): Comparison {
  const declared = eventNames();
  const undeclared: string[] = [];
  const differences: string[] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('format')) continue;
    const event = parse(readFileSync(join(folder, file), 'utf8'));
    const id = declared.get(event.name);
    if (id === undefined) undeclared.push(event.name);
    else differences.push(...compare(event, id, version).map(line => `${event.name}: ${line}`));
  }
  return { undeclared, differences };
}

function parse(format: string): KernelEvent {
  const name = /^name: (\S+)/m.exec(format)?.[1] ?? '';
  const fields = [...format.matchAll(/^\tfield:.*?(\w+)(?:\[\w*\])?;/gm)].map(([, field = '']) => field);
  const text = /^print fmt: "((?:[^"\\]|\\.)*)"/m.exec(format)?.[1] ?? '';
  return { name, fields: fields.filter(field => !field.startsWith('common_')), text };
}

function compare(event: KernelEvent, id: number, version: Version): readonly string[] {
  const ours = tracepoints[id]?.tracepoint.fields.map(field => field.slice(field.indexOf(' ') + 1)) ?? [];
  const forms = formsOf(id).byStyle.ftrace[version];
  // Fields that only texts of other versions print may be missing in this kernel's record.
  const printed = ours.filter((_, field) => forms.some(form => form.tells[field]));
  const text = pattern(event.text);
  return [
    ...event.fields.filter(field => !ours.includes(field)).map(field => `the record has ${field}`),
    ...printed.filter(field => !event.fields.includes(field)).map(field => `the record has no ${field}`),
    ...forms
      .filter(form => !text.test(skeleton(form.template)))
      .map(form => `${event.text}\n    is not ${form.template}`),
  ];
}

/** A template as a printf format: names become %s, fixed fields nothing. */
function skeleton(template: string): string {
  return template.replace(/\{(?! )[^}:=]*(?:=[^}]*|:([^}]*))\}/g, (_, spec: string | undefined) => {
    if (spec === undefined) return '';
    return spec.startsWith('%') ? spec : '%s';
  });
}

/** What a skeleton looks like where the kernel has this format: %s may be any words, another conversion itself or a name. */
function pattern(format: string): RegExp {
  const parts = format.split(/(%[#0-9]*(?:hh|h|ll|l)?[a-zA-Z])/);
  const source = parts.map((part, index) => {
    const literal = part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    if (index % 2 === 0) return literal;
    return part === '%s' ? '.*?' : `(?:${literal}|%s)`;
  });
  return new RegExp(`^${source.join('')}$`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = scriptArgs(USAGE, { version: { type: 'string', default: '6.1' } });
  const version = VERSIONS.find(each => each === values.version);
  const [folder] = positionals;
  if (folder === undefined || version === undefined) exitWith(4, USAGE);
  const { undeclared, differences } = compareEvents(folder, version);
  for (const line of differences) console.log(line);
  console.log(`${undeclared.length} events of this kernel are not declared: ${undeclared.join(' ')}`);
  if (differences.length > 0) process.exitCode = 1;
}
