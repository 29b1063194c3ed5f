/** The trace record that is being judged: its tracepoint and fields, just emitted by the current thread. */

import { globMatches } from '../../base/glob.ts';
import { tracepoints } from '../../trace/all.ts';
import { fieldNames } from '../../trace/event.ts';
import { ADDRESS_FIELDS, RECORD, RECORD_ADDRESS_KINDS } from '../attributes/record.ts';
import { direct_map, in_nested_tables } from '../kvm/fault.ts';
import { knobsOfVm, type Machine } from '../machine.ts';
import { THREAD_KIND } from '../schema.ts';
import { type Context, type Depends, type Node, unjudgeable } from './node.ts';
import { entityText, hexText, quantityText } from './text.ts';

/** Most fields that a tracepoint has. */
const RECORD_FIELDS_MAX = 8;

export interface RecordNow {
  tracepoint: number;
  readonly fields: Float64Array;
}

export function newRecord(): RecordNow {
  return { tracepoint: 0, fields: new Float64Array(RECORD_FIELDS_MAX) };
}

const NAMES = tracepoints.map(({ name }) => name);

/** Numbers of the tracepoints whose names match one of the patterns. */
export function tracepointsMatching(globs: readonly string[]): readonly number[] {
  return NAMES.flatMap((name, number) => (globs.some(glob => globMatches(glob, name)) ? [number] : []));
}

const indexByTracepoint = (fieldName: string): Int8Array =>
  Int8Array.from(NAMES, name => fieldNames(name).indexOf(fieldName));

interface AddressPlace {
  readonly index: number;
  readonly kind: 'by_mode' | 'gpa' | 'hva';
}

function addressPlace(tracepoint: number): AddressPlace | null {
  const names = fieldNames(NAMES[tracepoint]!);
  for (const [name, kind] of Object.entries(ADDRESS_FIELDS))
    if (names.includes(name)) return { index: names.indexOf(name), kind };
  return null;
}

function vcpuOfThread(m: Machine): number {
  const place = m.places.threads[m.clock.current_thread];
  if (!place) return -1;
  if (place.kind === THREAD_KIND.vcpu) return place.vcpu;
  return m.threads[m.clock.current_thread]!.vcpu - 1;
}

/** Index into RECORD_ADDRESS_KINDS: what the record says, given its variant's labels. */
function kindNow(m: Machine, place: AddressPlace | null | undefined): number {
  if (!place) return 0;
  if (place.kind !== 'by_mode') return RECORD_ADDRESS_KINDS.indexOf(place.kind);
  const vcpu = vcpuOfThread(m);
  const vm = vcpu < 0 ? 0 : m.places.vcpus[vcpu]!.vm;
  if (knobsOfVm(m, vm).trace_mode === 'unlabelled') return 0;
  if (vcpu >= 0 && in_nested_tables(m, m.vcpus[vcpu]!)) return RECORD_ADDRESS_KINDS.indexOf('l2gpa');
  return RECORD_ADDRESS_KINDS.indexOf(vcpu < 0 || direct_map(m, m.vcpus[vcpu]!) ? 'gpa' : 'gva');
}

/** `t.name` of the current record. `depends` is that of what surrounds it. */
export function recordAttribute(context: Context, name: string, text: string, depends: Depends): Node {
  const { m, hooks, now } = context;
  const { record } = hooks;
  switch (name) {
    case 'name': {
      return {
        t: 'words',
        words: NAMES,
        text,
        depends,
        get: () => record.tracepoint,
        show: () => NAMES[record.tracepoint]!,
      };
    }
    case 'time':
      return {
        t: 'number',
        dimension: 'time',
        text,
        depends,
        get: () => now.ns,
        show: () => quantityText(now.ns, 'time'),
      };
    case 'vcpu':
      return {
        t: 'entity',
        kind: 'vcpu',
        text,
        depends,
        get: () => vcpuOfThread(m),
        show: () => entityText(m, 'vcpu', vcpuOfThread(m)),
      };
    case 'thread':
      return {
        t: 'entity',
        kind: 'thread',
        text,
        depends,
        get: () => m.clock.current_thread,
        show: () => entityText(m, 'thread', m.clock.current_thread),
      };
    case 'address':
      return { t: 'record_address', text, depends, show: () => NAMES[record.tracepoint]! };
    default:
  }
  const index = indexByTracepoint(name);
  if (index.every(each => each < 0)) {
    unjudgeable(`no tracepoint has a field '${name}'; every record has ${Object.keys(RECORD).join(', ')}`);
  }
  const get = () => (index[record.tracepoint]! < 0 ? Number.NaN : record.fields[index[record.tracepoint]!]!);
  return { t: 'number', dimension: 'none', text, depends, get, show: () => hexText(get()) };
}

/** `t.address.kind`. */
export function addressKind(context: Context, text: string, depends: Depends): Node {
  const { m, hooks } = context;
  const places = NAMES.map((_, tracepoint) => addressPlace(tracepoint));
  const get = () => kindNow(m, places[hooks.record.tracepoint]);
  return {
    t: 'words',
    words: RECORD_ADDRESS_KINDS,
    text,
    depends,
    get,
    show: () => `${RECORD_ADDRESS_KINDS[get()]} in ${NAMES[hooks.record.tracepoint]}`,
  };
}
