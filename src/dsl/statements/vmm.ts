/** What a VMM does with a VM as a whole, and with a vCPU that it has stopped: run control, looking, saving, restoring. */
import { block, name, numeral, place, word } from '../holes.ts';
import { setting, takesCount, takesTime, takesWords } from '../setting.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { MP_STATES } from '../vocabulary.ts';

const WHERE = ['file', 'case', 'act'] as const;

/** Each is a copy of all that is saved, for the whole run. */
const SNAPSHOTS_MAX = 16;
/** Where a plan does not say how often. */
const SNAPSHOT_NS = 10_000_000;

export const savedMsrs = setting({
  keyword: 'saved_msrs',
  where: ['vm'],
  takes: takesWords('all', 'without_apf_int'),
  summary: 'The MSRs that the VMM saves: all that KVM lists, or all but the vector of the ready interrupt.',
  example: 'saved_msrs all',
});

function runControl(keyword: 'pause' | 'resume', summary: string) {
  return statement({
    id: keyword,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), place('vm', 'VM')),
    summary,
    examples: [`${keyword} web`],
    check: ({ vm }, _at, check) => check.thing(vm, 'vm'),
    lower: ({ vm }, at, lowering) => lowering.act({ op: keyword, vm: lowering.entity(vm).id }, at),
  });
}

export const pause = runControl('pause', 'The VMM stops all vCPUs: each is kicked out of KVM_RUN and stays out.');
export const resume = runControl('resume', 'And lets them go on.');

export const setMpstate = statement({
  id: 'set_mpstate',
  keyword: 'set_mpstate',
  where: WHERE,
  syntax: seq(word('set_mpstate'), place('vcpu', 'VCPU'), name('state', 'MP_STATE')),
  summary: 'KVM_SET_MP_STATE from user space.',
  examples: ['set_mpstate web.vcpu[0] RUNNABLE'],
  check({ vcpu, state }, _at, check) {
    check.thing(vcpu, 'vcpu');
    check.choice(state, MP_STATES, 'an mp_state');
  },
  lower({ vcpu, state }, at, lowering) {
    const wanted = MP_STATES.find(each => each === state.text);
    if (wanted) lowering.act({ op: 'set_mpstate', state: wanted, ...lowering.vcpu(vcpu) }, at);
  },
});

export const save = statement({
  id: 'save',
  keyword: 'save',
  where: WHERE,
  syntax: seq(word('save'), place('vm', 'VM'), word('as'), name('name')),
  summary: 'Stops a VM, reads the whole state of its vCPUs, as a snapshot does, and lets it go on.',
  about:
    'Each vCPU thread makes the ioctls by itself: registers, MSRs, mp_state, LAPIC, pending events. What KVM does not hand out is not in it: the queues of asynchronous page faults and the synthetic halt.',
  examples: ['save web as snap'],
  declare: ({ name }, at, scope) => scope.thing(name, 'saved', at),
  check: ({ vm }, _at, check) => check.thing(vm, 'vm'),
  lower: ({ vm, name }, at, lowering) =>
    lowering.act({ op: 'save', vm: lowering.entity(vm).id, name: name.text, keep: 1 }, at),
});

export const snapshot = statement({
  id: 'snapshot',
  keyword: 'snapshot',
  where: ['file', 'case'],
  syntax: seq(word('snapshot'), name('name'), word('of'), name('vm', 'VM'), block('snapshot')),
  summary: 'A plan of snapshots: saves a VM over and over, and keeps the latest.',
  about: '`restore NAME` takes the latest, `restore NAME back 1` the one before it; `NAME.kept` are those there are.',
  examples: ['snapshot nightly of web { interval 10ms; keep 3 }'],
  declare: ({ name }, at, scope) => scope.thing(name, 'saved', at),
  check: ({ vm }, _at, check) => check.declared(vm, 'vm'),
  lower({ name, vm }, at, lowering) {
    const inside = lowering.inside(at);
    const keep = inside.whole('keep', 1, 1, SNAPSHOTS_MAX);
    const number = lowering.vms.findIndex(each => each.name === vm.text);
    const interval = inside.expression('interval');
    const period_ns = interval ? lowering.period(interval) : SNAPSHOT_NS;
    lowering.lasts(period_ns);
    lowering.actions.push({
      place: lowering.place(at),
      trigger: { kind: 'every', period_ns, from_ns: period_ns, until_ns: null },
      ops: [{ op: 'save', vm: number, name: name.text, keep }],
    });
  },
});

export const snapshotSettings = [
  setting({
    keyword: 'interval',
    where: ['snapshot'],
    takes: takesTime,
    summary: 'Time between two, and to the first.',
    example: 'interval 10ms',
  }),
  setting({
    keyword: 'keep',
    where: ['snapshot'],
    takes: takesCount,
    summary: 'How many are kept.',
    example: 'keep 3',
  }),
];

export const restore = statement({
  id: 'restore',
  keyword: 'restore',
  where: WHERE,
  syntax: seq(
    seq(word('restore'), place('saved', 'SAVED')),
    opt(seq(word('back'), numeral('back'))),
    opt(seq(word('on'), name('host', 'HOST'))),
  ),
  summary: 'Puts a VM into a saved state, its own host keeping what it knows; or starts it from there on another host.',
  about:
    'Of a plan of snapshots it is the latest, or the one so many before. On another host the memory is read in first, and the VM is stopped for good where it was. What has not been saved yet is not restored.',
  examples: ['restore snap', 'restore snap on dst', 'restore snap back 2'],
  check({ saved, back, host }, _at, check) {
    check.thing(saved, 'saved');
    if (back) check.whole(back, 0, SNAPSHOTS_MAX - 1);
    if (host) check.declared(host, 'host');
  },
  lower({ saved, back, host }, at, lowering) {
    const { name } = lowering.entity(saved);
    if (host) lowering.moves.restoredOn.push({ saved: name, host });
    const on = host ? lowering.hosts.findIndex(each => each.name === host.text) : null;
    lowering.act({ op: 'restore', name, back: back ? Number(back.text) : 0, on }, at);
  },
});

export const query = statement({
  id: 'query',
  keyword: 'query',
  where: WHERE,
  syntax: seq(word('query'), place('what', 'cpus(VM)')),
  summary: 'Reads the state of the vCPUs and lets them go on at once, as "info cpus" does.',
  examples: ['query cpus(web)'],
  check({ what }, _at, check) {
    const [vm] = what.kind === 'call' ? what.args : [];
    const callee = what.kind === 'call' ? what.of : what;
    if (callee.kind === 'name')
      check.choice({ text: callee.name, span: callee.span }, ['cpus', 'registers'], 'something to query');
    if (vm) check.thing(vm.value, 'vm');
    else
      check.error('wrong-arguments', { span: what.span, message: 'query needs a VM', help: 'write query cpus(web)' });
  },
  lower({ what }, at, lowering) {
    const [vm] = what.kind === 'call' ? what.args : [];
    if (vm) lowering.act({ op: 'query', vm: lowering.entity(vm.value).id }, at);
  },
});

export const record = statement({
  id: 'record',
  keyword: 'record',
  where: ['case'],
  syntax: seq(word('record'), name('name')),
  summary:
    'Runs the case once without its acts and keeps the trace under a name, to compare with: `trace(x) == baseline.trace(x)`, in order and field by field, whatever the times.',
  examples: ['record baseline'],
  declare: ({ name }, at, scope) => scope.thing(name, 'recording', at),
  lower({ name }, _at, lowering) {
    lowering.recordings.push(name.text);
  },
});
