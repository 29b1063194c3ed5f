/** Copying what travels, field by field, between where it lives and where it is kept. */
import type { Machine } from '../machine.ts';
import { compiledSchema, type S, type SavedVcpu, type Vcpu } from '../schema.ts';
import { type Carrier, fieldsCarriedBy } from './moved.ts';

type TableName = keyof S & string;

/** One field of a row, all of its values if it is an array. */
function copy_field(m: Machine, field: string, from: TableName, source: number, to: TableName, target: number): void {
  const read = m.layout.column(from, field);
  const write = m.layout.column(to, field);
  const start = write.first + target * write.step;
  const first = read.first + source * read.step;
  for (let index = 0; index < read.length; index += 1) write.values[start + index] = read.values[first + index]!;
}

/** All fields that two tables share. */
export function copy_row(m: Machine, from: TableName, source: number, to: TableName, target: number): void {
  for (const { table, name } of compiledSchema.fields) {
    if (table === from && compiledSchema.fieldNumber(`${to}.${name}`) !== undefined)
      copy_field(m, name, from, source, to, target);
  }
}

/** Forgets a row, so that equal meaning is equal bytes. */
export function clear_row(m: Machine, table: TableName, row: number): void {
  for (const field of compiledSchema.fields) {
    if (field.table !== table) continue;
    const { values, first, step, length } = m.layout.column(table, field.name);
    values.fill(0, first + row * step, first + row * step + length);
  }
}

/** What one ioctl reads of a vCPU, or a VMM of the guest's memory. */
export function save_fields(m: Machine, vcpu: Vcpu, saved: SavedVcpu, by: Carrier): void {
  for (const field of fieldsCarriedBy(by)) copy_field(m, field, 'vcpu', vcpu.id, 'saved_vcpu', saved.id);
}

/** What a reset takes back. */
export function clear_fields(m: Machine, vcpu: Vcpu, by: Carrier): void {
  for (const field of fieldsCarriedBy(by)) {
    const { values, first, step, length } = m.layout.column('vcpu', field);
    values.fill(0, first + vcpu.id * step, first + vcpu.id * step + length);
  }
}

/** And what it writes. */
export function load_fields(m: Machine, vcpu: Vcpu, saved: SavedVcpu, by: Carrier): void {
  for (const field of fieldsCarriedBy(by)) copy_field(m, field, 'saved_vcpu', saved.id, 'vcpu', vcpu.id);
}
