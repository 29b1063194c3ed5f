/** What a migration changes while it goes on: its links, what is on them, what it knows of each page, and how far it is. */
import { array, bool, fifo, naming, numbered, oneOf, type Row, table, u8, u16, u32, u53 } from '../../base/table.ts';

/** How writes of the guest are noticed for a migration. */
export const DIRTY_LOG = numbered(['off', 'write_protect', 'pml', 'ring']);
/** Entries of a CPU's page-modification log, and of a vCPU's dirty ring. */
export const PML_ENTRIES = 512;
export const DIRTY_RING_ENTRIES = 1024;
/** MIGRATION_STATUS_* of QEMU. */
export const MIGRATION_STATUS = numbered([
  'none',
  'setup',
  'active',
  'device',
  'postcopy_active',
  'postcopy_paused',
  'completed',
  'failed',
  'cancelled',
]);
/** What travels over a link: a page; the state of devices and vCPUs; the end of it; a page that is asked for. */
export const PACKET = numbered(['free', 'page', 'device', 'eof', 'request']);

/** Of a vCPU as saved, besides what travels: the tokens of outstanding faults, where the version carries them. */
export const savedVcpu = {
  taken: bool,
  apf_halted: bool,
  nr_carried: u8,
  carried_tokens: array(naming(u32, 'token'), 'carried'),
  carried_pages: array(u32, 'carried'),
} as const;

export const migrationTables = {
  /** One direction of a link: packets that wait, the first being sent, and those that travel; see migrate/link.ts. */
  wire: table(
    { up: bool, tx: fifo('packets', 'packet'), air: fifo('packets', 'packet') },
    { sent_bytes: u53, lost: u32, free_ns: u53 },
  ),
  packet: table({ kind: oneOf(PACKET), migration: naming(u16, 'migration'), page: u32 }, { bytes: u53, due_ns: u53 }),
  /** Bits of each page of a VM that can move; see migrate/ram.ts. */
  ram_block: table({ bits: u8 }),
  /** Owner: the migration thread, and the destination's for `inbox` and what stands behind it. */
  migration: table(
    {
      status: oneOf(MIGRATION_STATUS),
      round: u32,
      cursor: u32,
      nr_dirty: u32,
      postcopy: bool,
      cancel: bool,
      throttle_percent: u8,
      high_rounds: u8,
      vm_stopped: bool,
      committed: bool,
      eof_sent: bool,
      inbox: fifo('packets', 'packet'),
      requests: fifo('packets', 'packet'),
      /** The destination has something of the guest's memory; it is running the guest. */
      dst_used: bool,
      dst_started: bool,
    },
    {
      start_ns: u53,
      round_start_ns: u53,
      stopped_ns: u53,
      downtime_ns: u53,
      total_ns: u53,
      sent_bytes: u53,
      sent_pages: u53,
      round_bytes: u53,
      round_pages: u53,
      dirty_pages_rate: u53,
      nr_requests: u32,
      items_received: u32,
    },
  ),
} as const;

export type Packet = Row<(typeof migrationTables)['packet']>;
export type Migration = Row<(typeof migrationTables)['migration']>;
export type Wire = Row<(typeof migrationTables)['wire']>;
