/**
 * What can be asked about the machine, by kind of entity: attributes, collections, states, series.
 *
 * The language checks names and types against these tables, judgements read through them, docs/attributes.md is a
 * loop over them. Adding a line to one of the files in attributes/ is all it takes.
 */
import type { Description, EntityKind } from './attributes/attribute.ts';
import { page, task, thread, vm } from './attributes/guest.ts';
import { host, swap } from './attributes/host.ts';
import { ledger } from './attributes/ledger.ts';
import { link, migration } from './attributes/migration.ts';
import { nmi_state } from './attributes/nmi.ts';
import { saved, saved_vcpu } from './attributes/saved.ts';
import { handler } from './attributes/userfault.ts';
import { vcpu } from './attributes/vcpu.ts';
import { work } from './attributes/work.ts';

const nothing: Description = { attributes: {}, collections: {}, states: {}, series: {} };

export const DESCRIPTIONS: Readonly<Record<EntityKind, Description>> = {
  host,
  swap,
  vm,
  vcpu,
  task,
  page,
  irq: nothing,
  timer: nothing,
  nmi: nothing,
  nmi_state,
  thread,
  saved,
  saved_vcpu,
  migration,
  link,
  ledger,
  work,
  handler,
};
