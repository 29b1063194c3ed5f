/**
 * Looking for rows by what is in one of their fields: who waits for this page, who has this lock.
 *
 * Said beforehand, so that an exploration knows that the answer depends on the rows with that value, and not on all that
 * were passed over on the way there.
 */
import type { Machine } from './machine.ts';
import { compiledSchema } from './schema.ts';

/** Fields by which rows are looked for. */
export const SEARCHED = ['thread.wait_id', 'node.token', 'node.vcpu', 'vcpu.bucket_lock'] as const;

export type Searched = (typeof SEARCHED)[number];

/** Their numbers in the schema. */
export const SEARCHED_FIELDS: readonly number[] = SEARCHED.map(name => compiledSchema.fieldNumber(name)!);

const NONE = -1;

/** From here on rows are looked for that have this value in that field, until looked(). */
export function looks_for(m: Machine, field: Searched, value: number): void {
  m.search?.(SEARCHED.indexOf(field), value);
}

export function looked(m: Machine): void {
  m.search?.(NONE, 0);
}
