/**
 * How a tracepoint is declared: once, with the fields of its record and the text of each kernel version.
 *
 * Text is written as in the kernel's TP_printk(), the arguments put where they are printed:
 *
 *     '{vcpu_id:%u}'          a field through a printf conversion
 *     '{reason:kvm_exit}'     a field through a table of names (codec.ts)
 *     '{write:read;write}'    the names of 0, 1, 2, ...; a name may be empty
 *     '{dm>>8&7:delivery}'    some bits of a field
 *     '{isa=2}'               prints nothing: this text is for records where the field has this value
 *
 * A brace followed by a space is itself. Everything else derives from here: the arguments of emit(), the printers, the
 * readers, the names that the filter knows, the columns of the monitor, docs/tracepoints.md.
 */

/** The versions whose text we print, oldest first. `v6` is the posting under review, which came before 2.6.38. */
export const VERSIONS = ['v6', '2.6.38', '4.19', '5.8', '6.1', '6.12'] as const;
export type Version = (typeof VERSIONS)[number];

/** A field as the kernel declares it, `u64 token`. `str` is a name; a record carries its number in its recording's table of names. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 's8' | 's16' | 's32' | 's64' | 'bool' | 'str';
export type Field = `${FieldType} ${string}`;
export type FieldName<F extends Field> = F extends `${FieldType} ${infer Name}` ? Name : never;

/** One text, or several that divide the possible records between them: the first that can print a record does. */
export type Text = string | readonly string[];

/**
 * The text from a version on, until the next version named. `trace_cmd` is the spelling of `trace-cmd report` where
 * its plugins or its parser differ from the kernel's own text; `also` lists spellings of versions in between, read only.
 */
export type Texts = { readonly [since in Version]?: Text } & {
  readonly trace_cmd?: Text;
  readonly also?: readonly string[];
};

/** The event's name where it was another one: `{ '2.6.38': 'kvm_async_pf_doublefault' }`. */
export type Names = { readonly [since in Version]?: string };

export interface Tracepoint<F extends readonly Field[] = readonly Field[]> {
  readonly system: string;
  /** One line for the reader of docs/tracepoints.md. */
  readonly about: string;
  readonly fields: F;
  readonly text: Text | Texts;
  readonly names: Names;
}

/** One number for each field, in the order of their declaration. */
export type Args<F extends readonly Field[]> = { readonly [K in keyof F]: number };

/** Declare a tracepoint. A hole without a field and a field that no text prints are errors of the compiler. */
export function tracepoint<const F extends readonly Field[], const T extends Text | Texts>(
  system: string,
  about: string,
  fields: F,
  text: T & Checked<FieldName<F[number]>, Templates<T>>,
  names: Names = {},
): Tracepoint<F> {
  return { system, about, fields, text, names };
}

type Templates<T> = T extends string ? T : T extends readonly string[] ? T[number] : T extends Texts ? OfText<T[keyof T]> : never;
type OfText<T> = T extends string ? T : T extends readonly string[] ? T[number] : never;

/** The field names in a text. */
type Holes<T extends string> = T extends `${string}{${infer Rest}`
  ? Rest extends ` ${string}`
    ? Holes<Rest>
    : Rest extends `${infer Hole}}${infer Tail}`
      ? FieldOf<Hole> | Holes<Tail>
      : never
  : never;

/** What stands before the first of `:`, `=`, `>` and `&`. */
type FieldOf<Hole extends string> = Before<Before<Before<Before<Hole, ':'>, '='>, '>'>, '&'>;
type Before<T extends string, Mark extends string> = T extends `${infer Head}${Mark}${string}` ? Head : T;

type Checked<Name extends string, T extends string> = [Exclude<Holes<T>, Name>] extends [never]
  ? [Exclude<Name, Holes<T>>] extends [never]
    ? unknown
    : { readonly 'fields that no text prints': Exclude<Name, Holes<T>> }
  : { readonly 'holes without a field': Exclude<Holes<T>, Name> };
