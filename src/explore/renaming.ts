/**
 * One way to let vCPUs change places: what everything else is called then that belongs to one of them.
 *
 * A vCPU takes along its thread, its tasks, its work items and their workers, its timers, its NMIs, its entries in the
 * guest's token table and in its TLB. What each field of the state names, the schema says.
 */
import { assert } from '../base/assert.ts';
import { sleeper_bucket } from '../sim/guest/async_pf.ts';
import { MSR_X2APIC_ICR } from '../sim/guest/ipi.ts';
import { APF_AREA_GPA } from '../sim/kvm/kvm_para.ts';
import type { Machine } from '../sim/machine.ts';
import { VM_HVA, VM_HVA_STRIDE } from '../sim/places.ts';
import { THREAD_KIND, WAIT } from '../sim/schema.ts';

/** Where each vCPU, task and action goes; all rows, also those that stay. */
export interface Exchange {
  readonly vcpus: readonly number[];
  readonly tasks: readonly number[];
  readonly timers: readonly number[];
  readonly nmis: readonly number[];
  readonly actions: readonly number[];
}

/** First `first`, then `second`. */
export function composed(first: Exchange, second: Exchange): Exchange {
  const along = (a: readonly number[], b: readonly number[]) => a.map(each => b[each]!);
  return {
    vcpus: along(first.vcpus, second.vcpus),
    tasks: along(first.tasks, second.tasks),
    timers: along(first.timers, second.timers),
    nmis: along(first.nmis, second.nmis),
    actions: along(first.actions, second.actions),
  };
}

export function exchangeText({ vcpus, tasks, timers, nmis, actions }: Exchange): string {
  return [vcpus, tasks, timers, nmis, actions].map(each => each.join()).join(';');
}

/** Bytes that each vCPU shares with the host, from APF_AREA_GPA on. */
const AREA_BYTES = 64;
const UPPER = 0x1_0000_0000;
const TOKEN_ID = 12;
const TOKEN_CPU = (1 << TOKEN_ID) - 1;
/** Two items in one number. */
const ITEM_BITS = 16;
const ITEM_MASK = 0xffff;
const BROADCAST = 0xffff_ffff;

export class Renaming {
  /** By table, the row that each of its rows becomes; no entry where all rows stay. */
  readonly rows: ReadonlyMap<string, Int32Array>;
  /** The same of moves, as the world numbers them. */
  readonly moves: Int32Array;
  readonly #m: Machine;
  readonly #sources: Int32Array;
  /** By vCPU row, where the number of each vCPU of its VM goes. */
  readonly #numbers: readonly Int32Array[];
  /** By vCPU row, the token of each bucket, -1 where none has it; see mostTokens(). */
  readonly #tokens: readonly Int32Array[];
  readonly #of: ReadonlyMap<string, Int32Array>;

  constructor(m: Machine, exchange: Exchange) {
    this.#m = m;
    const { places } = m;
    const thread = identity(m.threads.length);
    const work = identity(m.works.length);
    const node = identity(m.nodes.length);
    const tlb = identity(m.tlb.capacity);
    const vcpu = Int32Array.from(exchange.vcpus);
    const task = Int32Array.from(exchange.tasks);
    const action = Int32Array.from(exchange.actions);
    places.vcpus.forEach((from, row) => {
      const to = places.vcpus[vcpu[row]!]!;
      assert(to.vm === from.vm, 'symmetry: vCPUs of one VM');
      thread[from.thread] = to.thread;
      const { workers } = places.hosts[from.host]!;
      for (let item = 0; item < from.works; item += 1) {
        work[from.first_work + item] = to.first_work + item;
        thread[workers[from.first_work + item]!] = workers[to.first_work + item]!;
      }
      node[m.tasks.length + row] = m.tasks.length + vcpu[row]!;
      const { first_tlb, heap_pages, first_vcpu } = places.vms[from.vm]!;
      if (m.program.vms[from.vm]!.tlb)
        for (let page = 0; page < heap_pages; page += 1)
          tlb[first_tlb + (row - first_vcpu) * heap_pages + page] =
            first_tlb + (vcpu[row]! - first_vcpu) * heap_pages + page;
    });
    for (let row = 0; row < task.length; row += 1) node[row] = task[row]!;
    this.rows = new Map(
      Object.entries({ thread, vcpu, work, task, node, tlb, action }).filter(([, to]) =>
        to.some((row, index) => row !== index),
      ),
    );
    this.#of = new Map(Object.entries({ thread, vcpu, work, task, nmi: Int32Array.from(exchange.nmis) }));
    const sources = identity(places.sources);
    const { source } = places;
    exchange.timers.forEach((to, timer) => {
      sources[source.timer + timer] = source.timer + to;
    });
    exchange.nmis.forEach((to, nmi) => {
      sources[source.nmi + nmi] = source.nmi + to;
    });
    task.forEach((to, row) => {
      sources[source.task + row] = source.task + to;
    });
    action.forEach((to, row) => {
      sources[source.action + row] = source.action + to;
    });
    this.#sources = sources;
    const { length: threads } = m.threads;
    this.moves = Int32Array.from([
      ...thread,
      ...sources.map(each => threads + each),
      ...task.map(each => threads + places.sources + each),
    ]);
    const numbers = places.vms.map(({ first_vcpu }, vm) =>
      Int32Array.from({ length: m.program.vms[vm]!.vcpus }, (_, id) => vcpu[first_vcpu + id]! - first_vcpu),
    );
    const tokens = numbers.map(({ length }) => tokensByBucket(length));
    this.#numbers = places.vcpus.map(({ vm }) => numbers[vm]!);
    this.#tokens = places.vcpus.map(({ vm }) => tokens[vm]!);
  }

  source(id: number): number {
    return this.#sources[id]!;
  }

  row(table: string, id: number): number {
    return this.rows.get(table)?.[id] ?? id;
  }

  /** What a value becomes that stands in this row of a table, and names something of that kind. */
  value(of: string, from: 0 | 1, stored: number, table: string, row: number): number {
    const rows = this.#of.get(of);
    if (rows) return stored < from ? stored : (rows[stored - from] ?? stored - from) + from;
    switch (of) {
      case 'token':
        return this.#token(stored, this.#vcpuOf(table, row));
      case 'address_or_token':
        return stored >= UPPER ? stored : this.#token(stored, this.#vcpuOf(table, row));
      case 'bucket':
        return stored === 0 ? 0 : this.#bucket(stored - 1, row) + 1;
      case 'area':
        return this.#area(stored, row);
      case 'msr_data':
        return this.#msrData(stored, row);
      case 'wait_id':
        return this.#waitId(stored, row);
      case 'cursor':
        return this.#cursor(stored, row);
      default:
        return stored;
    }
  }

  /** A vCPU of the VM in which a row's token means something. */
  #vcpuOf(table: string, row: number): number {
    const { places, nodes, works } = this.#m;
    if (table === 'vcpu') return row;
    if (table === 'work') return Math.max(0, works[row]!.vcpu - 1);
    if (table === 'task') return places.tasks[row]!.vcpu;
    return Math.max(0, nodes[row]!.vcpu - 1);
  }

  #token(token: number, vcpu: number): number {
    if (token === 0 || token === BROADCAST) return token;
    const to = this.#numbers[vcpu]![token & TOKEN_CPU];
    return to === undefined ? token : (((token >>> TOKEN_ID) << TOKEN_ID) | to) >>> 0;
  }

  #bucket(bucket: number, vcpu: number): number {
    const token = this.#tokens[vcpu]![bucket]!;
    return token < 0 ? bucket : sleeper_bucket(this.#token(token, vcpu));
  }

  /** An address in the shared areas of a VM, guest-physical or the host's, with whatever bits. */
  #area(address: number, vcpu: number): number {
    const { vm } = this.#m.places.vcpus[vcpu]!;
    const numbers = this.#numbers[vcpu]!;
    const hva = address >= VM_HVA ? VM_HVA + vm * VM_HVA_STRIDE : 0;
    const number = Math.floor((address - hva - APF_AREA_GPA) / AREA_BYTES);
    const to = numbers[number];
    return to === undefined ? address : address + (to - number) * AREA_BYTES;
  }

  #msrData(data: number, vcpu: number): number {
    if (this.#m.vcpus[vcpu]!.msr !== MSR_X2APIC_ICR) return this.#area(data, vcpu);
    const number = Math.floor(data / UPPER);
    return data + ((this.#numbers[vcpu]![number] ?? number) - number) * UPPER;
  }

  /** Of a vCPU's thread and of a worker one or two items, each + 1: places in a list. */
  #cursor(cursor: number, thread: number): number {
    const { kind } = this.#m.threads[thread]!;
    if (kind !== THREAD_KIND.vcpu && kind !== THREAD_KIND.kworker) return cursor;
    const item = (stored: number) => (stored === 0 ? 0 : this.row('work', stored - 1) + 1);
    return ((item(cursor >>> ITEM_BITS) << ITEM_BITS) | item(cursor & ITEM_MASK)) >>> 0;
  }

  #waitId(id: number, thread: number): number {
    const { wait } = this.#m.threads[thread]!;
    if (wait === WAIT.work_done) return this.row('work', id);
    if (wait === WAIT.async_pf_lock) return this.row('vcpu', id);
    return id;
  }
}

/** The tokens with the lowest counters by the bucket they belong to, as long as no two share one. */
function tokensByBucket(vcpus: number): Int32Array {
  const tokens = new Int32Array(256).fill(-1);
  for (let id = 0; ; id += 1) {
    const next = Array.from({ length: vcpus }, (_, number) => (id << TOKEN_ID) | number);
    const buckets = next.map(sleeper_bucket);
    if (buckets.some((bucket, index) => tokens[bucket] !== -1 || buckets.indexOf(bucket) !== index)) return tokens;
    next.forEach((token, index) => {
      tokens[buckets[index]!] = token;
    });
  }
}

/** The highest counter up to which no two tokens of a VM with so many vCPUs share a bucket. */
export function mostTokens(vcpus: number): number {
  return tokensByBucket(vcpus).reduce((most, token) => Math.max(most, token >> TOKEN_ID), -1);
}

function identity(length: number): Int32Array {
  return Int32Array.from({ length }, (_, index) => index);
}
