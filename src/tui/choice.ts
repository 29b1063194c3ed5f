/** Which run of a file is shown: its cases, the cells of a case's matrix, its variants. */
import { printable } from '../base/printable.ts';
import type { Program } from '../sim/program.ts';
import type { Choice } from './view_model.ts';

export const NO_CHOICE: Choice = { cases: [], cells: [], variants: [], case: 0, cell: 0, variant: 0 };

export interface Picked {
  readonly program: Program;
  readonly choice: Choice;
}

/** Names as they tell runs apart; what is shown of them is made printable. */
interface Wanted {
  readonly case_name: string;
  readonly cell: string;
  readonly variant: string;
}

export function wantedOf(program: Program): Wanted {
  return { case_name: program.case_name, cell: cellOf(program), variant: program.variant };
}

/** The run by its place in the lists; indices that a case does not have mean its first. */
export function pick(
  programs: readonly Program[],
  at: { readonly case: number; readonly cell: number; readonly variant: number },
): Picked | null {
  const cases = distinct(programs.map(program => program.case_name));
  const case_name = cases[at.case] ?? cases[0];
  const ofCase = programs.filter(program => program.case_name === case_name);
  const cells = distinct(ofCase.map(cellOf));
  const cell = cells[at.cell] ?? cells[0];
  const ofCell = ofCase.filter(program => cellOf(program) === cell);
  const variants = distinct(ofCell.map(program => program.variant));
  const variant = variants[at.variant] ?? variants[0];
  const program = ofCell.find(other => other.variant === variant);
  if (!program) return null;
  return {
    program,
    choice: {
      cases: cases.map(printable),
      cells: cells.map(printable),
      variants: variants.map(printable),
      case: cases.indexOf(program.case_name),
      cell: cells.indexOf(cellOf(program)),
      variant: variants.indexOf(program.variant),
    },
  };
}

/** The run of these names, as far as there is one: what a file that was saved again goes on with. */
export function pickNamed(programs: readonly Program[], wanted: Wanted): Picked | null {
  const cases = distinct(programs.map(program => program.case_name));
  const ofCase = programs.filter(program => program.case_name === wanted.case_name);
  const cells = distinct(ofCase.map(cellOf));
  const variants = distinct(
    ofCase
      .filter(program => cellOf(program) === (cells.includes(wanted.cell) ? wanted.cell : cells[0]))
      .map(program => program.variant),
  );
  return pick(programs, {
    case: cases.indexOf(wanted.case_name),
    cell: cells.indexOf(wanted.cell),
    variant: variants.indexOf(wanted.variant),
  });
}

/** Where a case runs with several seeds, or breaks several judgements, they are told apart like the cells of a matrix. */
function cellOf({ params, chosen, seed, schedule }: Program): string {
  const own = {
    ...params,
    ...(chosen.of_several && { seed }),
    ...(schedule && { breaks: [schedule.breaks, ...(schedule.branches ?? [])].join(', but ') }),
  };
  return Object.entries(own)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
