/** Everything that has a name here, for `apflab doc`: each entry made from the declaration that it explains. */
import { CODES } from '../dsl/diagnostic.ts';
import { STATEMENTS } from '../dsl/statements/all.ts';
import { DISTRIBUTIONS, EVENTS, FUNCTIONS } from '../dsl/vocabulary.ts';
import { STEP_NAMES } from '../sim/at.ts';
import { DESCRIPTIONS } from '../sim/attributes.ts';
import { KNOB_NAMES, KNOBS, type KnobName } from '../sim/protocol/knobs.ts';
import { knobsOf, PRESETS } from '../sim/protocol/presets.ts';
import { tracepoints } from '../trace/all.ts';
import { GLOSSARY } from './glossary.ts';

export interface Entry {
  readonly kind: string;
  readonly name: string;
  /** All the names that lead to it. */
  readonly names: readonly string[];
  /** Paragraphs. */
  readonly text: readonly string[];
  /** Name and explanation, below the text. */
  readonly rows: readonly (readonly string[])[];
}

/** A file of the model, as scripts/docs/model.ts reads it from our comments. */
export interface ModelledFile {
  readonly file: string;
  readonly about: string;
  readonly models: string | null;
  readonly differs: string | null;
  readonly functions: readonly {
    readonly name: string;
    readonly models: string | null;
    readonly differs: string | null;
  }[];
}

export function entries(model: readonly ModelledFile[]): readonly Entry[] {
  return [
    ...GLOSSARY.map(({ term, also = [], meaning, see = [] }) =>
      entry('term', term, [meaning, ...(see.length > 0 ? [`See ${see.join(', ')}.`] : [])], { also }),
    ),
    ...KNOB_NAMES.map(knobEntry),
    ...PRESETS.map(({ name, summary, provenance, source }) =>
      entry('variant', name, [summary, `${provenance}: ${source}`, `apflab protocols ${name} lists its knobs.`]),
    ),
    ...model.flatMap(functionEntries),
    ...STEP_NAMES.map(name => entry('step', name, [`A step of a host thread, of ${name.split('.')[0]}().`])),
    ...STATEMENTS.map(({ id, keyword, where, summary, about, examples, needs }) =>
      entry(
        'statement',
        keyword ?? id,
        [
          `${summary} In ${where.join(', ')}.`,
          ...(about ? [about] : []),
          ...(needs ? [`This version checks it; a run needs ${needs}, which comes later.`] : []),
        ],
        { also: [id], rows: examples.flatMap(example => example.split('\n')).map(line => [`  ${line}`]) },
      ),
    ),
    ...Object.entries(EVENTS).map(([name, { args, summary, needs }]) =>
      entry('event', name, [summary, ...later(needs)], { rows: [[`  ${name}(${args.join(', ')})`]] }),
    ),
    ...[...Object.entries(FUNCTIONS), ...Object.entries(DISTRIBUTIONS)].map(([name, { summary, example, needs }]) =>
      entry('function of the language', name, [summary, ...later(needs)], { rows: [[`  ${example}`]] }),
    ),
    ...attributeEntries(),
    ...tracepoints.map(({ name, tracepoint }) =>
      entry('tracepoint', name, [`Of the system ${tracepoint.system}.`], {
        rows: tracepoint.fields.map(field => [`  ${field}`]),
      }),
    ),
    ...Object.entries(CODES).map(([code, text]) => entry('error', code, [text])),
  ];
}

function entry(
  kind: string,
  name: string,
  text: readonly string[],
  { also = [], rows = [] }: { readonly also?: readonly string[]; readonly rows?: Entry['rows'] } = {},
): Entry {
  return { kind, name, names: [...new Set([name, ...also])], text, rows };
}

function later(needs: string | undefined): readonly string[] {
  return needs ? [`This version checks it; a run needs ${needs}, which comes later.`] : [];
}

/** Each value with the variants that have it. */
function knobEntry(name: KnobName): Entry {
  const rows = KNOBS[name].values.map(value => {
    const those = PRESETS.filter(preset => [knobsOf(preset.name)[name]].flat().some(each => each === value));
    return [`  ${value}`, those.map(preset => preset.name).join(', ') || 'no variant that ships'];
  });
  return entry('knob', name, [KNOBS[name].summary], { rows });
}

function functionEntries({ file, about, functions }: ModelledFile): readonly Entry[] {
  return functions.map(({ name, models, differs }) => {
    const kernel = [...(models ?? '').matchAll(/\b(\w+)\(\)/g)].flatMap(([, called]) => called ?? []);
    return entry(
      'function',
      name,
      [
        `In ${file}${models ? `, models ${models}.` : '.'}`,
        ...(differs ? [`Differs: ${differs}.`] : []),
        ...(models || differs || !about ? [] : [about]),
      ],
      { also: kernel },
    );
  });
}

function attributeEntries(): readonly Entry[] {
  return Object.entries(DESCRIPTIONS).flatMap(([kind, { attributes, collections, states, series }]) => [
    ...[attributes, collections, series].flatMap(those =>
      Object.entries(those).map(([name, { summary }]) =>
        entry('attribute', `${kind}.${name}`, [summary], { also: [name] }),
      ),
    ),
    ...Object.entries(states).map(([name, { args, summary }]) =>
      entry('state', `${kind} is ${name}${args.length > 0 ? `(${args.join('|')})` : ''}`, [summary], { also: [name] }),
    ),
  ]);
}

/** Case, brackets, blanks and underlines make no difference. */
export function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/\(.*\)$/, '')
    .replace(/[\s_-]+/g, '_');
}
