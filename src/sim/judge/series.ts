/**
 * Samples gathered during a run: who waited how long.
 *
 * A sampler follows observations, keeps what is open in cells, and calls `sample` with the row concerned when something
 * ends. Series of different scopes (a VM's, a vCPU's, a task's) share one way of measuring and filter by row.
 */
import type { EntityKind, Series } from '../attributes/attribute.ts';
import type { Machine } from '../machine.ts';
import { vm_of_page } from '../mm/page.ts';
import { OBS } from '../observe.ts';
import { THREAD_KIND } from '../schema.ts';
import type { Context } from './node.ts';

type Sample = (row: number, ns: number) => void;

/** Rows here are of `kind`; `belongs` says whether one is part of what the series is about. */
interface Source {
  readonly kind: EntityKind;
  follow(context: Context, sample: Sample): void;
}

const SOURCES: Readonly<Record<Series['source'], Source>> = {
  stall: { kind: 'task', follow: followStalls },
  synthetic_halt: { kind: 'vcpu', follow: followHalts },
  swap_read: { kind: 'page', follow: followReads },
};

/** Calls back with every sample of the series that belongs to `owner`. */
export function followSeries(
  context: Context,
  source: Series['source'],
  kind: EntityKind,
  owner: number,
  sample: (ns: number) => void,
): void {
  const { m, window, now } = context;
  const { kind: sampled, follow } = SOURCES[source];
  follow(context, (row, ns) => {
    if (now.ns < window.from_ns || now.ns > window.to_ns) return;
    if (belongs(m, sampled, row, kind, owner)) sample(ns);
  });
}

function belongs(m: Machine, sampled: EntityKind, row: number, kind: EntityKind, owner: number): boolean {
  if (sampled === kind) return row === owner;
  if (sampled === 'task') {
    const place = m.places.tasks[row]!;
    return kind === 'vm' ? place.vm === owner : place.vcpu === owner;
  }
  const vm = sampled === 'vcpu' ? m.places.vcpus[row]!.vm : vm_of_page(m, row);
  return kind === 'vm' ? vm === owner : m.program.vms[vm]!.host === owner;
}

/**
 * A stall: from a task's first fault on a page to the moment it goes on, if in between the fault was made asynchronous
 * or the thread slept for the page. Faults that find their page are no stalls.
 */
function followStalls({ m, cells, hooks, now }: Context, sample: Sample): void {
  const tasks = m.places.tasks.length;
  const since = cells.newCells(tasks, -1);
  const page = cells.newCells(tasks, -1);
  const waited = cells.newCells(tasks);

  /** The task whose own access the current thread's vCPU is at, or -1: an access of a handler is nobody's stall. */
  const current = () => {
    const place = m.places.threads[m.clock.current_thread];
    const vcpu = place?.kind === THREAD_KIND.vcpu ? m.vcpus[place.vcpu]! : null;
    return vcpu?.depth === 0 ? vcpu.current - 1 : -1;
  };
  hooks.onObservation(OBS.fault, (_, faulted) => {
    const task = current();
    const { values } = cells;
    if (task < 0 || (values[since + task]! >= 0 && (values[waited + task] === 1 || values[page + task] === faulted)))
      return;
    values[since + task] = now.ns;
    values[page + task] = faulted;
    values[waited + task] = 0;
  });
  const wait = (_: number, missing: number) => {
    const task = current();
    if (task >= 0 && cells.values[page + task] === missing) cells.values[waited + task] = 1;
  };
  hooks.onObservation(OBS.took_apf, wait);
  hooks.onObservation(OBS.repeated, wait);
  hooks.onObservation(OBS.swap_wait, wait);
  hooks.onObservation(OBS.userfault, wait);
  hooks.onObservation(OBS.lock_wait, () => {
    const task = current();
    if (task >= 0) cells.values[waited + task] = 1;
  });
  const goesOn = (_: number, task: number) => {
    const { values } = cells;
    const began = values[since + task]!;
    if (began < 0) return;
    values[since + task] = -1;
    values[page + task] = -1;
    if (values[waited + task] === 1) sample(task, now.ns - began);
  };
  hooks.onObservation(OBS.resumes, goesOn);
  hooks.onObservation(OBS.accesses, goesOn);
  hooks.onObservation(OBS.progresses, goesOn);
}

function followHalts({ m, cells, hooks, now }: Context, sample: Sample): void {
  const since = cells.newCells(m.places.vcpus.length, -1);
  hooks.onObservation(OBS.halt, (_, vcpu) => {
    if (cells.values[since + vcpu]! < 0) cells.values[since + vcpu] = now.ns;
  });
  hooks.onObservation(OBS.unhalt, (_, vcpu) => {
    const began = cells.values[since + vcpu]!;
    cells.values[since + vcpu] = -1;
    if (began >= 0) sample(vcpu, now.ns - began);
  });
}

/** Reads in flight, as pairs of page and time in the first `length` places. */
function followReads({ m, cells, hooks, now }: Context, sample: Sample): void {
  const most = m.ios.length * Math.max(1, ...m.program.hosts.map(host => host.swap?.readahead_pages ?? 1));
  const length = cells.newCells(1);
  const page = cells.newCells(most);
  const since = cells.newCells(most);
  hooks.onObservation(OBS.swap_submit, (_, read) => {
    const { values } = cells;
    const n = values[length]!;
    if (n >= most) return;
    values[page + n] = read;
    values[since + n] = now.ns;
    values[length] = n + 1;
  });
  hooks.onObservation(OBS.swap_read, (_, read) => {
    const { values } = cells;
    const last = values[length]! - 1;
    for (let index = last; index >= 0; index -= 1) {
      if (values[page + index] !== read) continue;
      const began = values[since + index]!;
      values[page + index] = values[page + last]!;
      values[since + index] = values[since + last]!;
      values[length] = last;
      sample(read, now.ns - began);
      return;
    }
  });
}
