/** Every tracepoint that is declared, and its number. Numbers follow the order of declaration; new ones go to the end of a file. */
import { assert } from '../base/assert.ts';
import { companions } from './companions.ts';
import { kvm } from './kvm.ts';
import { kvm_async_pf } from './kvm_async_pf.ts';
import { kvm_hyperv } from './kvm_hyperv.ts';
import { kvm_nested } from './kvm_nested.ts';
import { kvm_x86 } from './kvm_x86.ts';
import { kvmmmu } from './kvmmmu.ts';
import type { Args, FieldName, Tracepoint } from './tracepoint.ts';

export const all = {
  ...kvm_async_pf,
  ...kvm_x86,
  ...kvm,
  ...kvm_nested,
  ...kvm_hyperv,
  ...kvmmmu,
  ...companions,
} as const;

export type TracepointName = keyof typeof all;

/** What `emit(TP.kvm_async_pf_ready, token, gva)` takes after the number: one number per field, as declared. */
export type ArgsOf<N extends TracepointName> = Args<(typeof all)[N]['fields']>;
export type FieldsOf<N extends TracepointName> = FieldName<(typeof all)[N]['fields'][number]>;

/** A number that knows, for the compiler, whose it is. */
export type TracepointId<N extends TracepointName = TracepointName> = number & { readonly tracepoint: N };

/** How the model says what happened: `emit(TP.kvm_async_pf_ready, token, gva)`. It only observes. */
export type Emit = <N extends TracepointName>(id: TracepointId<N>, ...args: ArgsOf<N>) => void;

type Ids = { readonly [N in TracepointName]: TracepointId<N> };

/** Tracepoints by number. */
export const tracepoints: readonly { readonly name: TracepointName; readonly tracepoint: Tracepoint }[] = namesOf(all).map(name => ({
  name,
  tracepoint: all[name],
}));

/** Numbers by name. */
export const TP: Ids = numbered();

function numbered(): Ids {
  const ids: Record<string, number> = {};
  tracepoints.forEach(({ name }, id) => {
    ids[name] = id;
  });
  assertIds(ids);
  return ids;
}

function assertIds(ids: Readonly<Record<string, number>>): asserts ids is Ids {
  for (const name of namesOf(all)) assert(tracepoints[ids[name] ?? -1]?.name === name, `trace: ${name} has its number`);
}

export function isTracepointName(name: string): name is TracepointName {
  return Object.hasOwn(all, name);
}

function namesOf(table: object): TracepointName[] {
  return Object.keys(table).filter(isTracepointName);
}
