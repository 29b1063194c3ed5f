/** What a scenario may order to go wrong, and where the counters are. See order.ts. */
import { array, naming, numbered, ref, u8, u16, u32, u53 } from '../base/table.ts';

/** What can be ordered to go wrong. */
export const ORDERED = numbered(['kick', 'ipi', 'ready', 'completed', 'work', 'interrupt']);
export type Ordered = (typeof ORDERED)[keyof typeof ORDERED];
export const ORDERED_NAMES = Object.keys(ORDERED) as readonly (keyof typeof ORDERED)[];
/** How. */
export const HOW = numbered(['drop', 'duplicate', 'delay']);
const WAYS = ORDERED_NAMES.length * Object.keys(HOW).length;
/** As many things of a VM as can be late at a time; what comes beyond that is in time. */
export const LATE_PER_VM = 16;

/** Columns of a VM: how much is ordered in all, and of each kind in each way; how late what is late will be. */
export const ORDERS_OF_VM = { orders: u16, order: array(u16, WAYS) } as const;
export const DELAYS_OF_VM = { order_delay_ns: array(u53, ORDERED_NAMES.length) } as const;
/** Something that is late: what, counted from 1; for which vCPU; and which vector, token or item. */
export const LATE = { what: u8, vcpu: ref('vcpu'), argument: naming(u32, 'late_argument') } as const;

/** What a scenario orders. */
export interface OrderAct {
  readonly op: 'order';
  readonly vm: number;
  readonly how: keyof typeof HOW;
  readonly what: keyof typeof ORDERED;
  readonly times: number;
  /** How late, where it is to be late. */
  readonly ns: number;
}
