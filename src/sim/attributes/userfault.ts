/** What a scenario can ask about the process behind userfault memory. Its row is that of its first thread. */
import { AT } from '../at.ts';
import type { Machine } from '../machine.ts';
import { handler_lives } from '../mm/userfault.ts';
import { WAIT } from '../schema.ts';
import { count, type Description, state } from './attribute.ts';

const vmOf = (m: Machine, row: number): number => m.places.threads[row]!.vm;

function threads(m: Machine, row: number, fits: (wait: number, at: number) => boolean): number {
  return m.places.vms[vmOf(m, row)]!.uffd_readers.filter(number => {
    const { wait, at } = m.threads[number]!;
    return fits(wait, at);
  }).length;
}

export const handler: Description = {
  attributes: {
    unread: count(
      'Messages that it has not read yet: threads that touched a missing page.',
      (m, row) => m.vms[vmOf(m, row)]!.uffd_messages.length,
      'vm.uffd_messages',
    ),
    fetching: count('Pages that it is fetching.', (m, row) => threads(m, row, wait => wait === WAIT.fetch)),
  },
  collections: {},
  states: {
    idle: state('It waits for a message.', (m, row) => threads(m, row, wait => wait === WAIT.message) > 0),
    killed: state('It is gone, and nobody brings missing pages any more.', (m, row) => !handler_lives(m, vmOf(m, row))),
    exited: state('All its threads have ended.', (m, row) => threads(m, row, (_wait, at) => at !== AT.off) === 0),
  },
  series: {},
};
