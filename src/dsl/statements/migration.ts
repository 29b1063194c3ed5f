/** Links between hosts, how a VM would move over one, and the acts that begin, end and disturb it. */
import { PRESET_NAMES } from '../../sim/protocol/presets.ts';
import { block, expression, name, oneOf, sum, word } from '../holes.ts';
import { setting, takesBandwidth, takesPercent, takesTime, takesWords } from '../setting.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { COUNT, TIME } from '../units.ts';
import { quantity } from '../value_type.ts';

export const link = statement({
  id: 'link',
  keyword: 'link',
  where: ['file'],
  syntax: seq(
    seq(word('link'), name('name'), word('from'), name('from', 'HOST'), word('to'), name('to', 'HOST')),
    block('link'),
  ),
  summary: 'A network between two hosts.',
  examples: ['link lan from src to dst { bandwidth 10 Gbit/s; latency 80us; loss 0% }'],
  round: 'moves',
  declare: ({ name }, at, scope) => scope.thing(name, 'link', at),
  check({ from, to }, _at, check) {
    check.declared(from, 'host');
    check.declared(to, 'host');
  },
  lower: ({ name, from, to }, at, lowering) => lowering.moves.link(name.text, from.text, to.text, at),
});

export const linkSettings = [
  setting({
    keyword: 'bandwidth',
    where: ['link'],
    takes: takesBandwidth,
    summary: 'What it carries.',
    example: 'bandwidth 10 Gbit/s',
  }),
  setting({
    keyword: 'latency',
    where: ['link'],
    takes: takesTime,
    summary: 'How long a packet travels.',
    example: 'latency 80us',
  }),
  setting({ keyword: 'loss', where: ['link'], takes: takesPercent, summary: 'Packets lost.', example: 'loss 0%' }),
];

export const migration = statement({
  id: 'migration',
  keyword: 'migration',
  where: ['file'],
  syntax: seq(
    seq(word('migration'), name('name'), word('of'), name('vm', 'VM'), word('from'), name('from', 'HOST')),
    seq(word('to'), name('to', 'HOST'), word('over'), name('link', 'LINK'), block('migration')),
  ),
  summary: 'How a VM would move to another host; `migrate NAME` starts it.',
  examples: ['migration move of web from src to dst over lan { mode precopy; max_downtime 300ms }'],
  round: 'moves',
  declare: ({ name }, at, scope) => scope.thing(name, 'migration', at),
  check({ vm, from, to, link }, _at, check) {
    check.declared(vm, 'vm');
    check.declared(from, 'host');
    check.declared(to, 'host');
    check.declared(link, 'link');
  },
  lower: ({ name, vm, from, to, link }, at, lowering) =>
    lowering.moves.migration(name, { vm: vm.text, from: from.text, to: to.text, link: link.text }, at),
});

export const migrationSettings = [
  setting({
    keyword: 'mode',
    where: ['migration'],
    takes: takesWords('precopy', 'postcopy'),
    summary: 'Which comes first: memory or the vCPUs.',
    example: 'mode precopy',
  }),
  setting({
    keyword: 'max_downtime',
    where: ['migration'],
    takes: [quantity(TIME)],
    summary: 'The pause that the guest may notice.',
    example: 'max_downtime 300ms',
  }),
  setting({
    keyword: 'auto_converge',
    where: ['migration'],
    takes: takesWords('on', 'off'),
    summary: 'Throttle the guest until its memory can be sent.',
    example: 'auto_converge on(start: 20%, step: 10%, max: 99%)',
  }),
  setting({
    keyword: 'destination_kernel',
    where: ['migration'],
    takes: takesWords(...PRESET_NAMES),
    summary: 'The protocol of the destination’s kernel, where it is another; the guest stays what it is.',
    example: 'destination_kernel linux_4_19',
  }),
  setting({
    keyword: 'dirty_log',
    where: ['migration'],
    takes: takesWords('write_protect', 'pml', 'ring'),
    summary: 'How writes are noticed: PML is of VMX.',
    example: 'dirty_log write_protect',
  }),
];

export const switchMode = statement({
  id: 'migration_switch',
  keyword: 'switch',
  where: ['migration'],
  once: true,
  syntax: seq(word('switch'), oneOf('mode', ['postcopy']), word('when'), expression('condition', 'CONDITION')),
  summary: 'When pre-copy gives way to post-copy. `round` is the round that is being sent.',
  examples: ['switch postcopy when round > 6'],
  check: ({ condition }, _at, check) => check.with('round', quantity(COUNT)).truth(condition),
  lower: ({ condition }, _at, lowering) => lowering.setting('switch', condition),
});

export const giveUp = statement({
  id: 'migration_give_up',
  keyword: 'give_up',
  where: ['migration'],
  once: true,
  syntax: seq(word('give_up'), word('after'), expression('time', 'TIME')),
  summary: 'When a migration that does not converge is cancelled.',
  examples: ['give_up after 120s'],
  check: ({ time }, _at, check) => check.quantity(time, TIME),
  lower: ({ time }, _at, lowering) => lowering.setting('give_up', time),
});

const WHERE = ['file', 'case', 'act'] as const;

export const migrate = statement({
  id: 'migrate',
  keyword: 'migrate',
  where: WHERE,
  syntax: seq(word('migrate'), name('name', 'MIGRATION')),
  summary: 'Starts a migration.',
  examples: ['migrate move'],
  check: ({ name }, _at, check) => check.declared(name, 'migration'),
  lower: ({ name }, at, lowering) => lowering.act({ op: 'migrate', migration: lowering.moves.numberOf(name.text) }, at),
});

export const cancel = statement({
  id: 'cancel',
  keyword: 'cancel',
  where: WHERE,
  syntax: seq(word('cancel'), name('name', 'MIGRATION')),
  summary: 'Cancels a migration, as long as its guest has not been stopped for it.',
  examples: ['cancel move'],
  check: ({ name }, _at, check) => check.declared(name, 'migration'),
  lower: ({ name }, at, lowering) => lowering.act({ op: 'cancel', migration: lowering.moves.numberOf(name.text) }, at),
});

export const cut = statement({
  id: 'cut',
  keyword: 'cut',
  where: WHERE,
  syntax: seq(word('cut'), name('link', 'LINK'), opt(seq(word('for'), sum('time', 'TIME')))),
  summary: 'Takes a link down, for so long or for good: what is on it is lost, and both ends are told.',
  about: 'Pre-copy fails, and the VM goes on at the source. Post-copy waits, and goes on when the link is up again.',
  examples: ['cut lan for 5ms'],
  check({ link, time }, _at, check) {
    check.declared(link, 'link');
    if (time) check.quantity(time, TIME);
  },
  lower: ({ link, time }, at, lowering) =>
    lowering.act(
      { op: 'cut', link: lowering.moves.linkNumber(link.text), for_ns: time ? lowering.ns(time) : null },
      at,
    ),
});
