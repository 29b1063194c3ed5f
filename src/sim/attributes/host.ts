/** What a scenario can ask about a host and its swap device. */
import { count, type Description, entity, fifoOf, quantity } from './attribute.ts';

const PAGE_BYTES = 4096;

export const host: Description = {
  attributes: {
    cpus: count('Its CPUs.', (m, row) => m.program.hosts[row]!.cpus),
    swap: entity('swap', 'Its swap device.', (m, row) => (m.program.hosts[row]!.swap ? row : -1)),
    free_pages: quantity('pages', 'Frames not in use.', (m, row) => m.hosts[row]!.nr_free_pages, 'host.nr_free_pages'),
    major_faults: count('pgmajfault.', (m, row) => m.hosts[row]!.pgmajfault, 'host.pgmajfault'),
    faults: count('pgfault.', (m, row) => m.hosts[row]!.pgfault, 'host.pgfault'),
    apf_items_received: count('Tokens of outstanding faults that migrations brought along.', (m, row) =>
      m.program.migrations.reduce(
        (total, { into }, migration) =>
          total + (m.program.vms[into]!.host === row ? m.migrations[migration]!.items_received : 0),
        0,
      ),
    ),
    oom: count(
      'Allocations that failed because nothing could be reclaimed.',
      (m, row) => m.hosts[row]!.oom,
      'host.oom',
    ),
    oom_kills: count(
      'VMMs that were killed for their memory.',
      (m, row) => m.hosts[row]!.nr_oom_kills,
      'host.nr_oom_kills',
    ),
  },
  collections: {
    workqueue: fifoOf(
      'work',
      'Work items that wait for a worker, oldest first.',
      (m, row) => m.hosts[row]!.workqueue,
      'host.workqueue',
    ),
  },
  states: {},
  series: {},
};

/** A swap device is known by its host. */
export const swap: Description = {
  attributes: {
    reads: quantity('pages', 'Pages read: pswpin.', (m, row) => m.hosts[row]!.pswpin, 'host.pswpin'),
    writes: quantity('pages', 'Pages written: pswpout.', (m, row) => m.hosts[row]!.pswpout, 'host.pswpout'),
    read_bytes: quantity('bytes', 'Bytes read.', (m, row) => m.hosts[row]!.pswpin * PAGE_BYTES, 'host.pswpin'),
    written_bytes: quantity('bytes', 'Bytes written.', (m, row) => m.hosts[row]!.pswpout * PAGE_BYTES, 'host.pswpout'),
    in_flight: count(
      'Requests that the device is serving.',
      (m, row) => m.hosts[row]!.nr_io_active,
      'host.nr_io_active',
    ),
    queued: count('Requests that wait for the device.', (m, row) => m.hosts[row]!.io_queue.length, 'host.io_queue'),
    free_slots: quantity(
      'pages',
      'Slots not in use.',
      (m, row) => m.places.hosts[row]!.slots - m.hosts[row]!.slots_used,
      'host.slots_used',
    ),
  },
  collections: {},
  states: {},
  series: {
    read_time: {
      dimension: 'time',
      summary: "From the submission of each page's read to its completion.",
      source: 'swap_read',
    },
  },
};
