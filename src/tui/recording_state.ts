/**
 * What can be told of the vCPUs of a recording from its events alone: who was where, which tokens were open.
 *
 * A vCPU is a thread that enters a guest; its number may be used twice in a file, its thread is one of a kind.
 */
import { type FieldsOf, TP, type TracepointName } from '../trace/all.ts';
import { fieldNames, type Value } from '../trace/event.ts';
import type { Recording } from '../trace/recording.ts';
import type { RunState } from './view_model.ts';

/** An asynchronous fault that was announced and is not over. */
export interface OpenToken {
  readonly token: number;
  readonly address: Value;
  readonly since_ns: number;
  readonly completed: boolean;
}

export interface ThreadState {
  readonly vcpu: number;
  readonly pid: number;
  readonly host: number;
  readonly comm: number;
  readonly runs: RunState;
  readonly cpu: number;
  /** Row of the last entry, exit or switch, which says why it is where it is. */
  readonly last: number;
  readonly last_exit: number;
  readonly nr_entries: number;
  readonly nr_exits: number;
  readonly open: readonly OpenToken[];
}

/** By host and pid, in the order in which they first entered a guest. Never changed in place: old ones are checkpoints. */
export type RecordingState = readonly ThreadState[];

const BROADCAST = 0xffff_ffff;

/** The place of a field: rows of a recording are read by number. */
function place<N extends TracepointName>(name: N, field: FieldsOf<N>): number {
  return fieldNames(name).indexOf(field);
}
const ENTRY_VCPU = place('kvm_entry', 'vcpu_id');
const SWITCH_PREV = place('sched_switch', 'prev_pid');
const SWITCH_STATE = place('sched_switch', 'prev_state');
const SWITCH_NEXT = place('sched_switch', 'next_pid');
const WAKEUP_PID = place('sched_wakeup', 'pid');
const NOT_PRESENT_TOKEN = place('kvm_async_pf_not_present', 'token');
const NOT_PRESENT_ADDRESS = place('kvm_async_pf_not_present', 'gva');
const READY_TOKEN = place('kvm_async_pf_ready', 'token');
const COMPLETED_ADDRESS = place('kvm_async_pf_completed', 'gva');

/** The state after a row. */
export function after(state: RecordingState, recording: Recording, row: number): RecordingState {
  const step = STEPS.get(recording.kind(row));
  return step ? step(state, recording, row) : state;
}

type Step = (state: RecordingState, recording: Recording, row: number) => RecordingState;

const STEPS: ReadonlyMap<number, Step> = new Map<number, Step>([
  [
    TP.kvm_entry,
    (state, recording, row) => {
      const vcpu = Number(recording.value(row, ENTRY_VCPU) ?? 0);
      const known = own(state, recording, row) ? state : [...state, newThread(recording, row, vcpu)];
      return change(known, recording, row, thread => ({
        ...thread,
        vcpu,
        runs: 'guest',
        cpu: recording.cpu(row),
        last: row,
        nr_entries: thread.nr_entries + 1,
      }));
    },
  ],
  [
    TP.kvm_exit,
    (state, recording, row) =>
      change(state, recording, row, thread => ({
        ...thread,
        runs: 'kvm',
        cpu: recording.cpu(row),
        last: row,
        last_exit: row,
        nr_exits: thread.nr_exits + 1,
      })),
  ],
  [
    TP.sched_switch,
    (state, recording, row) => {
      const prev = recording.value(row, SWITCH_PREV);
      const next = recording.value(row, SWITCH_NEXT);
      const left = Number(recording.value(row, SWITCH_STATE) ?? 0);
      const host = recording.host(row);
      return replace(state, thread => {
        if (thread.host !== host || (thread.pid !== prev && thread.pid !== next)) return thread;
        if (thread.pid === next) return { ...thread, runs: 'kvm', cpu: recording.cpu(row), last: row };
        return { ...thread, runs: leftAs(left), last: row };
      });
    },
  ],
  [
    TP.sched_wakeup,
    (state, recording, row) => {
      const pid = recording.value(row, WAKEUP_PID);
      return replace(state, thread =>
        thread.host === recording.host(row) &&
        thread.pid === pid &&
        (thread.runs === 'blocked' || thread.runs === 'disk')
          ? { ...thread, runs: 'ready', last: row }
          : thread,
      );
    },
  ],
  [
    TP.kvm_async_pf_not_present,
    (state, recording, row) => {
      const token = Number(recording.value(row, NOT_PRESENT_TOKEN) ?? 0);
      const address = recording.value(row, NOT_PRESENT_ADDRESS);
      const fresh = { token, address, since_ns: recording.time_ns(row), completed: false };
      return change(state, recording, row, thread => ({ ...thread, open: [...thread.open, fresh] }));
    },
  ],
  [
    TP.kvm_async_pf_ready,
    (state, recording, row) => {
      const token = Number(recording.value(row, READY_TOKEN) ?? 0);
      return change(state, recording, row, thread => ({
        ...thread,
        open: token === BROADCAST ? [] : without(thread.open, token),
      }));
    },
  ],
  [
    TP.kvm_async_pf_completed,
    (state, recording, row) => {
      const address = recording.value(row, COMPLETED_ADDRESS);
      const host = recording.host(row);
      const isMine = (open: OpenToken) => open.address === address && !open.completed;
      const waiting = state.filter(thread => thread.host === host && thread.open.some(isMine));
      const [oldest] = waiting.toSorted(
        (a, b) => (a.open.find(isMine)?.since_ns ?? 0) - (b.open.find(isMine)?.since_ns ?? 0),
      );
      return replace(state, thread => {
        if (thread !== oldest) return thread;
        const index = thread.open.findIndex(isMine);
        return { ...thread, open: thread.open.map((open, at) => (at === index ? { ...open, completed: true } : open)) };
      });
    },
  ],
]);

function newThread(recording: Recording, row: number, vcpu: number): ThreadState {
  return {
    vcpu,
    pid: recording.pid(row),
    host: recording.host(row),
    comm: recording.comm(row),
    runs: 'off',
    cpu: recording.cpu(row),
    last: row,
    last_exit: -1,
    nr_entries: 0,
    nr_exits: 0,
    open: [],
  };
}

function own(state: RecordingState, recording: Recording, row: number): ThreadState | undefined {
  const pid = recording.pid(row);
  const host = recording.host(row);
  return state.find(thread => thread.pid === pid && thread.host === host);
}

function change(
  state: RecordingState,
  recording: Recording,
  row: number,
  to: (thread: ThreadState) => ThreadState,
): RecordingState {
  const mine = own(state, recording, row);
  return mine ? state.map(thread => (thread === mine ? to(thread) : thread)) : state;
}

/** As map(), but the same array where nothing changed: most switches are between threads that are no vCPUs. */
function replace(state: RecordingState, to: (thread: ThreadState) => ThreadState): RecordingState {
  const next = state.map(to);
  return next.some((thread, index) => thread !== state[index]) ? next : state;
}

function without(open: readonly OpenToken[], token: number): readonly OpenToken[] {
  const index = open.findIndex(other => other.token === token);
  return index < 0 ? open : open.toSpliced(index, 1);
}

/** TASK_INTERRUPTIBLE is 1, TASK_UNINTERRUPTIBLE 2; neither: it still wants to run. */
function leftAs(prev_state: number): RunState {
  return (prev_state & 1) !== 0 ? 'blocked' : (prev_state & 2) !== 0 ? 'disk' : 'ready';
}
