/** Where the commands of a scenario to a VMM, and what they save, have their rows; and those of migrations. */
import type { Program } from '../program.ts';
import { type Command, isCommand } from './command.ts';

/** What a migration has the two VMMs do. */
export interface Transfer {
  readonly op: 'migrate_out' | 'migrate_in';
  readonly migration: number;
}

export interface MigrationPlace {
  readonly source: number;
  readonly incoming: number;
  readonly fault: number;
  readonly out_command: number;
  readonly in_command: number;
  readonly saved: SavedPlace;
}

export interface SavedPlace {
  readonly name: string;
  readonly vm: number;
  /** All vCPUs of the VM, or one, whichever it is at the time. */
  readonly whole: boolean;
  /** How many of a name are kept: the places behind this one, and behind them where the next is read into. */
  readonly keep: number;
  readonly first: number;
  readonly vcpus: number;
  /** Rows of saved_task, saved_node and saved_lock, where it is ever restored; else none. */
  readonly first_task: number;
  readonly tasks: number;
  readonly first_node: number;
  readonly nodes: number;
  readonly first_lock: number;
  readonly locks: number;
}

/** `nodes`: how many entries a guest's token table can have. */
function savedBy(
  commands: readonly Command[],
  nodes: number,
  vms: readonly { readonly vcpus: number; readonly tasks: number; readonly locks: number }[],
): readonly SavedPlace[] {
  const saved: SavedPlace[] = [];
  const next = { first: 0, first_task: 0, first_node: 0, first_lock: 0 };
  for (const op of commands) {
    if ((op.op !== 'get_mpstate' && op.op !== 'save') || saved.some(({ name }) => name === op.name)) continue;
    const whole = op.op === 'save';
    const restored = whole && commands.some(other => other.op === 'restore' && other.name === op.name);
    const counts = {
      vcpus: whole ? vms[op.vm]!.vcpus : 1,
      tasks: restored ? vms[op.vm]!.tasks : 0,
      nodes: restored ? nodes : 0,
      locks: restored ? vms[op.vm]!.locks : 0,
    };
    const keep = op.op === 'save' ? op.keep : 1;
    // What is kept of a plan must outlive an attempt that fails: the next is read into a place of its own.
    for (let back = 0; back < (keep === 1 ? 1 : keep + 1); back += 1) {
      saved.push({
        name: back === 0 ? op.name : `${op.name} back ${back}`,
        vm: op.vm,
        whole,
        keep,
        ...next,
        ...counts,
      });
      next.first += counts.vcpus;
      next.first_task += counts.tasks;
      next.first_node += counts.nodes;
      next.first_lock += counts.locks;
    }
  }
  return saved;
}

/** Threads of a migration, by their rows. */
export type MigrationThreads = Pick<MigrationPlace, 'source' | 'incoming' | 'fault'>;

export interface MonitorPlaces {
  readonly commands: readonly { readonly action: number; readonly op: Command | Transfer }[];
  readonly saved: readonly SavedPlace[];
  readonly migrations: readonly MigrationPlace[];
}

/** `nodes`: how many entries a guest's token table can have. The commands of migrations follow those of the scenario. */
export function placeCommands(program: Program, nodes: number, threads: readonly MigrationThreads[]): MonitorPlaces {
  const commands: { action: number; op: Command | Transfer }[] = program.actions.flatMap((action, index) =>
    action.ops.flatMap(op => (isCommand(op) ? [{ action: index, op }] : [])),
  );
  const acts = program.actions.flatMap(action => action.ops.filter(isCommand));
  const sizes = program.vms.map(({ vcpus, guest }) => ({
    vcpus,
    tasks: guest.tasks.length,
    locks: guest.locks.length,
  }));
  const saved = [...savedBy(acts, nodes, sizes)];
  const migrations = program.migrations.map(({ name, vm }, migration): MigrationPlace => {
    const first = saved.reduce((total, { vcpus }) => total + vcpus, 0);
    const none = { first_task: 0, tasks: 0, first_node: 0, nodes: 0, first_lock: 0, locks: 0 };
    const place: SavedPlace = { name, vm, whole: true, keep: 1, first, vcpus: program.vms[vm]!.vcpus, ...none };
    saved.push(place);
    const out_command = commands.push({ action: -1, op: { op: 'migrate_out', migration } }) - 1;
    const in_command = commands.push({ action: -1, op: { op: 'migrate_in', migration } }) - 1;
    return { ...threads[migration]!, out_command, in_command, saved: place };
  });
  return { commands, saved, migrations };
}
