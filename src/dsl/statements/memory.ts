/** What may happen to the memory of a VM, on the host's side of it. */
import { place, sum, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { seq } from '../syntax.ts';
import { BYTES } from '../units.ts';

const WHERE = ['file', 'case', 'act'] as const;

function pinning(keyword: 'pin' | 'unpin', summary: string) {
  return statement({
    id: keyword,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), place('pages', 'PAGES')),
    summary,
    examples: [`${keyword} cold`],
    check: ({ pages }, _at, check) => check.thing(pages, 'page', 'pages'),
    lower: ({ pages }, at, lowering) =>
      lowering.act({ op: 'pin', pinned: keyword === 'pin', ...lowering.pages(pages) }, at),
  });
}

export const pins = [
  pinning('pin', 'The VMM brings pages into host memory and keeps them there: mlock().'),
  pinning('unpin', 'Lets pinned pages go.'),
];

export const merge = statement({
  id: 'merge',
  keyword: 'merge',
  where: WHERE,
  syntax: seq(word('merge'), place('pages', 'PAGES')),
  summary: 'The host finds that these pages have the same contents: they share one frame, until one is written. KSM.',
  examples: ['merge web.heap.pages(0..3)'],
  check: ({ pages }, _at, check) => check.thing(pages, 'page', 'pages'),
  lower: ({ pages }, at, lowering) => lowering.act({ op: 'merge', ...lowering.pages(pages) }, at),
});

export const balloon = statement({
  id: 'balloon',
  keyword: 'balloon',
  where: WHERE,
  syntax: seq(word('balloon'), place('vm', 'VM'), word('to'), sum('size', 'SIZE')),
  summary:
    'The guest gives memory back: of its heap it keeps this much, the last pages go. A touch of them finds zeroes.',
  examples: ['balloon web to 64MiB'],
  check({ vm, size }, _at, check) {
    check.thing(vm, 'vm');
    check.quantity(size, BYTES);
  },
  lower: ({ vm, size }, at, lowering) => lowering.act({ op: 'balloon', ...lowering.beyond(vm, size) }, at),
});

export const truncate = statement({
  id: 'truncate',
  keyword: 'truncate',
  where: WHERE,
  syntax: seq(word('truncate'), place('vm', 'VM'), word('to'), sum('size', 'SIZE')),
  summary: 'The file behind the memory of a VM becomes shorter: what lies behind its end can never be had again.',
  examples: ['truncate web to 64MiB'],
  check({ vm, size }, _at, check) {
    check.thing(vm, 'vm');
    check.quantity(size, BYTES);
  },
  lower({ vm, size }, at, lowering) {
    const chosen = lowering.beyond(vm, size);
    if (lowering.vms[chosen.vm]?.backing === 'file') lowering.act({ op: 'truncate', ...chosen }, at);
    else
      lowering.report.error('unknown-word', {
        span: vm.span,
        message: 'its memory is no file that could be truncated',
        help: "say 'backing file' in the VM",
      });
  },
});

export const mmap = statement({
  id: 'mmap',
  keyword: 'mmap',
  where: WHERE,
  syntax: seq(word('mmap'), place('vm', 'VM')),
  summary: "The VMM's main thread maps something, elsewhere in its address space: it needs the mmap lock for writing.",
  examples: ['mmap web'],
  check: ({ vm }, _at, check) => check.thing(vm, 'vm'),
  lower: ({ vm }, at, lowering) => lowering.act({ op: 'mmap', vm: lowering.entity(vm).id }, at),
});
