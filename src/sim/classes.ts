/**
 * The accessor classes of the machine's tables as text of the program. From the sources there are none, and table.ts
 * compiles them at the first machine; the build puts them here (scripts/build.ts), since that takes a start 5 ms.
 */
import type { Classes } from '../base/accessors.ts';

export const written: Classes | null = null;
