import type { Unit } from './compile.ts';
export interface Suite { readonly unit: Unit }
export function suiteOf(unit: Unit): Suite { return { unit }; }
