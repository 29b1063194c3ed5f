/** What `apflab why` is asked about, as a scenario would write it, found in a program. */
import { didYouMean } from '../dsl/suggest.ts';
import { place } from '../sim/places.ts';
import type { Program } from '../sim/program.ts';
import type { Subject } from '../sim/why/explain.ts';
import { nameOf } from '../sim/why/name.ts';
import { Refusal } from './refusal.ts';

const PAGE = /^(?:(\w+)\.)?(?:heap\.)?page\((\d+)\)$/;
const TOKEN = /^(?:(\w+)\.)?(0x[0-9a-f]+)$/i;

/** Short names do where they mean one thing. Throws a Refusal that says what there is. */
export function subjectNamed(written: string, program: Program): Subject {
  const text = written.replaceAll(' ', '');
  const places = place(program);
  const page = PAGE.exec(text);
  if (page) return pageOf(written, page[1], Number(page[2]), program, places);
  const token = TOKEN.exec(text);
  if (token) return { kind: 'token', vm: vmOf(written, token[1], program), token: Number(token[2]), name: written };

  const named = [
    ...places.vcpus.map((_, row) => ({ kind: 'vcpu' as const, row, name: nameOf({ program, places }, 'vcpu', row) })),
    ...places.tasks.map((_, row) => ({ kind: 'task' as const, row, name: nameOf({ program, places }, 'task', row) })),
  ];
  const found = named.filter(({ name }) => shortNames(name).includes(text));
  const [subject] = found;
  if (!subject) {
    const names = [
      ...named.map(({ name }) => name),
      ...program.vms.map(({ name }) => `${name}.heap.page(0)`),
      '0x1000',
    ];
    throw new Refusal(`nothing here is called '${written}'`, didYouMean(written, names, 'what there is'));
  }
  if (found.length > 1)
    throw new Refusal(`'${written}' is several`, `say which: ${found.map(({ name }) => name).join(', ')}`);
  return subject;
}

/** `web.task.db`, `web.db`, `task.db`, `db`. */
function shortNames(name: string): readonly string[] {
  const [vm = '', ...rest] = name.split('.');
  const last = rest.at(-1) ?? '';
  return [name, `${vm}.${last}`, rest.join('.'), last];
}

function pageOf(
  written: string,
  vm_name: string | undefined,
  page: number,
  program: Program,
  places: ReturnType<typeof place>,
): Subject {
  const vm = vmOf(written, vm_name === 'heap' ? undefined : vm_name, program);
  const { first_page, pages } = places.vms[vm]!;
  if (page >= pages) {
    throw new Refusal(`no page ${page} in the heap of ${program.vms[vm]?.name}`, `its pages are 0 to ${pages - 1}`);
  }
  const row = first_page + page;
  return { kind: 'page', row, name: nameOf({ program, places }, 'page', row) };
}

function vmOf(written: string, name: string | undefined, { vms }: Program): number {
  const names = vms.map(vm => vm.name);
  if (name === undefined) {
    if (vms.length === 1) return 0;
    throw new Refusal(
      `'${written}' could be of any VM`,
      `say which: ${names.map(vm => `${vm}.${written}`).join(', ')}`,
    );
  }
  const vm = names.indexOf(name);
  if (vm < 0) throw new Refusal(`no VM named '${name}'`, didYouMean(name, names, 'VMs'));
  return vm;
}
