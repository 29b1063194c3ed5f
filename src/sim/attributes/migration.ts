/** What a scenario can ask about a migration, and about the link it goes over. */

import { DIRTY_LOG, MIGRATION_STATUS } from '../migrate/tables.ts';
import { count, type Description, quantity, state, words } from './attribute.ts';

const { setup, active, device, postcopy_active, postcopy_paused } = MIGRATION_STATUS;

export const migration: Description = {
  attributes: {
    status: words(
      Object.keys(MIGRATION_STATUS),
      "How far it is, in QEMU's words.",
      (m, row) => m.migrations[row]!.status,
      'migration.status',
    ),
    round: count('The round that is being sent, from 1; 0 before it starts.', (m, row) => m.migrations[row]!.round),
    rounds: count('Rounds begun.', (m, row) => m.migrations[row]!.round),
    remaining_pages: quantity(
      'pages',
      'Pages that the bitmap says are still to be sent.',
      (m, row) => m.migrations[row]!.nr_dirty,
    ),
    round_pages: quantity('pages', 'Pages sent in this round.', (m, row) => m.migrations[row]!.round_pages),
    round_bytes: quantity('bytes', 'Bytes put on the link in this round.', (m, row) => m.migrations[row]!.round_bytes),
    sent_pages: quantity('pages', 'Pages sent, each as often as it was.', (m, row) => m.migrations[row]!.sent_pages),
    sent_bytes: quantity(
      'bytes',
      'Bytes sent: pages with their headers, and the state of the vCPUs.',
      (m, row) => m.migrations[row]!.sent_bytes,
    ),
    downtime: quantity(
      'time',
      'From stop at the source to start at the destination.',
      (m, row) => m.migrations[row]!.downtime_ns,
    ),
    total_time: quantity('time', 'From start to end.', (m, row) => m.migrations[row]!.total_ns),
    throttle: quantity(
      'percent',
      'By how much the guest is slowed down.',
      (m, row) => m.migrations[row]!.throttle_percent / 100,
    ),
    requests: count('Pages that the destination has asked for.', (m, row) => m.migrations[row]!.nr_requests),
    dirty_log: words(
      Object.keys(DIRTY_LOG),
      'How writes of the guest are noticed just now.',
      (m, row) => m.vms[m.program.migrations[row]!.out_of]!.dirty_log,
    ),
  },
  collections: {},
  states: {
    running: state('Between its start and its end.', (m, row) =>
      [setup, active, device, postcopy_active, postcopy_paused].some(each => each === m.migrations[row]!.status),
    ),
    paused: state('In post-copy, and the link is down.', (m, row) => m.migrations[row]!.status === postcopy_paused),
  },
  series: {},
};

export const link: Description = {
  attributes: {
    sent_bytes: quantity(
      'bytes',
      'Bytes sent, both ways.',
      (m, row) => m.wires[2 * row]!.sent_bytes + m.wires[2 * row + 1]!.sent_bytes,
    ),
    lost: count('Packets that had to be sent again.', (m, row) => m.wires[2 * row]!.lost + m.wires[2 * row + 1]!.lost),
  },
  collections: {},
  states: { up: state('It carries packets.', (m, row) => m.wires[2 * row]!.up === 1) },
  series: {},
};
