/** What an access of the guest has to walk: a constant of each VM, on the rows of its vCPUs. */
import { numbered } from '../../base/table.ts';

/**
 * Besides the TDP tables nothing; the guest's own tables as well; or, without TDP, shadows of those; or nothing but, in L2,
 * the shadow of the tables that L1 has for it.
 */
export const WALKS = numbered(['none', 'two_dimensional', 'shadow', 'nested']);
